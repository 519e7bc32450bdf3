//! Callers that are slow, half gone, or there when the gateway stops.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use crate::support::{Caller, Origin, Proxy, settings};

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

fn impatient(origin: &Origin) -> Proxy {
    let mut settings = settings(&origin.url());
    settings.terms.deadlines.head = Duration::from_millis(700);
    settings.terms.deadlines.idle = Duration::from_millis(700);
    settings.terms.deadlines.body_grace = Duration::from_millis(700);
    Proxy::with(settings)
}

#[test]
fn a_head_that_drips_is_given_up_in_total_time() {
    let origin = Origin::echo();
    let proxy = impatient(&origin);
    let mut caller = proxy.connect();
    let began = Instant::now();
    caller.write("GET / HTTP/1.1\r\nHost: h\r\nX: ");
    let mut dripping = caller.stream().try_clone().unwrap();
    let drip = std::thread::spawn(move || {
        for _ in 0..30 {
            std::thread::sleep(Duration::from_millis(100));
            if std::io::Write::write_all(&mut dripping, b"a").is_err() {
                break;
            }
        }
    });
    let answer = caller.rest();
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("palisade-event"), "{answer}");
    assert!(began.elapsed() < Duration::from_millis(3000), "{:?}", began.elapsed());
    drip.join().unwrap();
    assert_eq!(origin.seen(), 0);
}

#[test]
fn silence_is_closed_without_a_word() {
    let origin = Origin::echo();
    let proxy = impatient(&origin);
    assert_eq!(proxy.connect().rest(), "");
    let mut caller = proxy.connect();
    caller.write(GET);
    assert_eq!(caller.answer().status(), 200);
    let began = Instant::now();
    assert_eq!(caller.rest(), "");
    assert!(began.elapsed() > Duration::from_millis(500));
}

#[test]
fn an_upload_that_drips_is_ended() {
    let origin = Origin::echo();
    let proxy = impatient(&origin);
    let mut caller = proxy.connect();
    let began = Instant::now();
    caller.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc");
    let answer = caller.rest();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_handful_of_slow_uploads_leaves_workers_to_others() {
    let origin = Origin::start(|mut served| {
        while let Some(request) = served.request() {
            served.answer(200, &request.body.len().to_string());
        }
    });
    let proxy = Proxy::before(&origin);
    let head =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\n";
    let mut uploads: Vec<_> = (0..6).map(|_| proxy.connect_from("127.0.0.2")).collect();
    let mut other = proxy.connect_from("127.0.0.3");
    for upload in uploads.iter_mut().chain([&mut other]) {
        upload.write(head);
        upload.write(b"\x89PNG\r\n\x1a\n");
    }
    let mut quick = proxy.connect_from("127.0.0.2");
    for _ in 0..14 {
        std::thread::sleep(Duration::from_millis(500));
        for upload in uploads.iter_mut().chain([&mut other]) {
            // Those that were broken off are closed.
            let _ = std::io::Write::write_all(upload.stream(), &[7; 350]);
        }
        quick.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
        assert_eq!(quick.answer().text(), "5");
    }
    let mut goes_on = |upload: &mut Caller| {
        upload.stream().set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        let read = std::io::Read::read(upload.stream(), &mut [0; 12]);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    let going: Vec<bool> = uploads.iter_mut().map(&mut goes_on).collect();
    assert_eq!(going.iter().filter(|goes_on| **goes_on).count(), 3, "{going:?}");
    assert!(goes_on(&mut other), "another source has its own");
}

#[test]
fn a_slow_origin_is_not_the_uploaders_fault() {
    let origin = Origin::start(|mut served| {
        let head = served.head().unwrap();
        std::thread::sleep(Duration::from_millis(2500));
        let request = served.body(head).unwrap();
        served.answer(200, &request.body.len().to_string());
    });
    let proxy = impatient(&origin);
    let mut caller = proxy.connect();
    let size = 16 << 20;
    let mut writer = caller.stream().try_clone().unwrap();
    let upload = std::thread::spawn(move || {
        let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n");
        std::io::Write::write_all(&mut writer, head.as_bytes()).unwrap();
        std::io::Write::write_all(&mut writer, &vec![b'x'; size]).unwrap();
    });
    assert_eq!(caller.answer().text(), size.to_string());
    upload.join().unwrap();
}

#[test]
fn a_caller_that_only_listens_gets_its_answer() {
    let origin = Origin::start(|mut served| {
        while served.request().is_some() {
            std::thread::sleep(Duration::from_millis(400));
            served.answer(200, "done");
        }
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write(GET);
    caller.stream().shutdown(Shutdown::Write).unwrap();
    assert!(caller.rest().ends_with("done"));
}

#[test]
fn http_1_0_is_served_and_closed() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let answer = proxy.all("GET /old HTTP/1.0\r\n\r\n");
    assert!(
        answer.starts_with("HTTP/1.0 200 ") && answer.contains("GET /old HTTP/1.1"),
        "{answer}"
    );
}

#[test]
fn draining_finishes_what_is_under_way_and_takes_nothing_new() {
    let origin = Origin::start(|mut served| {
        while served.request().is_some() {
            std::thread::sleep(Duration::from_millis(500));
            served.answer(200, "finished");
        }
    });
    let proxy = Proxy::before(&origin);
    let address = proxy.address;
    let mut idle = proxy.connect();
    let mut busy = proxy.connect();
    busy.write(GET);
    std::thread::sleep(Duration::from_millis(150));
    let began = Instant::now();
    let drained = std::thread::spawn(move || proxy.drain());
    let answer = busy.answer();
    assert_eq!(answer.text(), "finished");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(idle.rest(), "");
    drained.join().unwrap();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(TcpStream::connect(address).is_err());
}
