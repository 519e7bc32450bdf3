//! More connections and requests than there is room for: told to come again, never reset.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::time::{Duration, Instant};

use gateway::{Settings, Shed};

use crate::{
    http2::{block_on, exchange},
    support::{Message, Origin, Proxy, settings},
};

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

fn told_to_wait(answer: &Message) {
    assert_eq!((answer.status(), answer.header("retry-after")), (503, Some("1")));
    assert!(answer.text().contains(answer.header("palisade-event").unwrap()));
}

fn crowded(origin: &Origin) -> Proxy {
    Proxy::with(Settings { connections_per_source_max: 2, ..settings(&origin.url()) })
}

#[test]
fn a_connection_too_many_is_told_so_and_welcome_later() {
    let origin = Origin::echo();
    let proxy = crowded(&origin);
    let mut welcome = [proxy.connect(), proxy.connect()];
    for caller in &mut welcome {
        caller.write(GET);
        assert_eq!(caller.answer().status(), 200);
    }
    let body = "x".repeat(200_000);
    let long =
        format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    for request in [GET, &long] {
        let mut caller = proxy.connect();
        caller.write(request);
        let answer = caller.answer();
        told_to_wait(&answer);
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(caller.rest(), "");
    }
    assert_eq!(proxy.metered().shed[Shed::Connections as usize], 2);
    // Those that are there are served as before.
    for caller in &mut welcome {
        caller.write(GET);
        assert_eq!(caller.answer().status(), 200);
    }
    assert_eq!(origin.seen(), 4);
    drop(welcome);
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let mut caller = proxy.connect();
        caller.write(GET);
        if caller.answer().status() == 200 {
            break;
        }
        assert!(Instant::now() < until, "nobody is let in again");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_connection_too_many_that_says_nothing_is_closed_soon() {
    let origin = Origin::echo();
    let proxy = crowded(&origin);
    let mut welcome = [proxy.connect(), proxy.connect()];
    for caller in &mut welcome {
        caller.write(GET);
        assert_eq!(caller.answer().status(), 200);
    }
    let began = Instant::now();
    assert_eq!(proxy.connect().rest(), "");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_connection_too_many_over_http2_is_told_so_too() {
    let origin = Origin::echo();
    let proxy = crowded(&origin);
    let mut welcome = [proxy.connect(), proxy.connect()];
    for caller in &mut welcome {
        caller.write(GET);
        assert_eq!(caller.answer().status(), 200);
    }
    block_on(async {
        let mut sender = crate::http2::connect(&proxy).await;
        let request = crate::http2::get("http://h/").body(()).unwrap();
        let (head, _, _) = exchange(&mut sender, request, None).await.unwrap();
        assert_eq!(head.status(), 503);
        assert_eq!(head.headers()["retry-after"], "1");
        assert!(head.headers().contains_key("palisade-event"));
        // The connection says good-bye: there will be no second request on it.
        let gone =
            async { while std::future::poll_fn(|cx| sender.poll_ready(cx)).await.is_ok() {} };
        tokio::time::timeout(Duration::from_secs(3), gone).await.unwrap();
    });
    assert_eq!(origin.seen(), 2);
}

#[test]
fn a_queue_that_does_not_empty_turns_away_quickly() {
    let origin = Origin::start(|mut served| {
        while served.request().is_some() {
            std::thread::sleep(Duration::from_millis(50));
            served.answer(200, "slow");
        }
    });
    // One at a time, so twenty a second; eight callers ask for more.
    let proxy = Proxy::with(Settings { requests_max: 1, ..settings(&origin.url()) });
    let until = Instant::now() + Duration::from_secs(4);
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let mut caller = proxy.connect();
            std::thread::spawn(move || {
                let (mut answered, mut late) = (0, Vec::new());
                while Instant::now() < until {
                    let asked = Instant::now();
                    caller.write(GET);
                    let answer = caller.answer();
                    if answer.status() == 200 {
                        answered += 1;
                        continue;
                    }
                    told_to_wait(&answer);
                    late.push(asked.elapsed());
                    std::thread::sleep(Duration::from_millis(20));
                }
                (answered, late)
            })
        })
        .collect();
    let most = (0..20).map(|_| {
        std::thread::sleep(Duration::from_millis(25));
        proxy.metered().active
    });
    assert!((2..=8).contains(&most.max().unwrap()), "those that wait are under way");
    let (mut answered, mut late) = (0, Vec::new());
    for caller in callers {
        let (more, times) = caller.join().unwrap();
        answered += more;
        late.extend(times);
    }
    late.sort_unstable();
    let metered = proxy.metered();
    assert_eq!(metered.shed[Shed::Requests as usize], late.len() as u64);
    assert_eq!(metered.active, 0);
    assert!(answered > 40, "only {answered} were answered");
    assert!(late.len() > 20, "only {} were turned away", late.len());
    let median = late[late.len() / 2];
    assert!(median < Duration::from_millis(500), "half were told after {median:?}");
}
