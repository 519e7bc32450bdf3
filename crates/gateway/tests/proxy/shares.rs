//! One source that takes no answers, or opens ever more streams, and everybody else.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use gateway::Settings;
use http::StatusCode;
use tokio::net::TcpSocket;

use crate::{
    http2::{block_on, get},
    support::{Origin, Proxy, settings, with_policy},
};

const ATTACKER: &str = "127.0.0.2:0";
const GET: &str = "GET /short HTTP/1.1\r\nHost: h\r\n\r\n";
const LONG: usize = 8 << 20;

/// An origin whose answers say how long they are.
fn origin() -> Origin {
    Origin::start(|mut served| {
        while let Some(request) = served.request() {
            let length = if request.start.contains("/long") { LONG } else { 300 };
            if !served.answer(200, &"x".repeat(length)) {
                return;
            }
        }
    })
}

async fn connect(
    proxy: SocketAddr,
    from: &str,
    window: u32,
) -> (h2::client::SendRequest<Bytes>, usize) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(from.parse().unwrap()).unwrap();
    let stream = socket.connect(proxy).await.unwrap();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(window);
    let (mut sender, mut connection) = builder.handshake(stream).await.unwrap();
    // An exchange later its settings are here.
    let request = get("http://h/short").method("HEAD").body(()).unwrap();
    std::future::poll_fn(|cx| sender.poll_ready(cx)).await.unwrap();
    let (answer, _) = sender.send_request(request, true).unwrap();
    tokio::select! {
        answer = answer => assert!(answer.is_ok()),
        ended = &mut connection => panic!("it ended: {ended:?}"),
    }
    let streams = connection.max_concurrent_send_streams();
    tokio::spawn(async move {
        let _ = connection.await;
    });
    (sender, streams)
}

/// The heads of so many answers, whose bodies nobody takes.
async fn heads(
    sender: &mut h2::client::SendRequest<Bytes>,
    path: &str,
    count: usize,
) -> Vec<http::Response<h2::RecvStream>> {
    let mut answers = Vec::new();
    for _ in 0..count {
        std::future::poll_fn(|cx| sender.poll_ready(cx)).await.unwrap();
        let request = get(&format!("http://h/{path}")).body(()).unwrap();
        answers.push(sender.send_request(request, true).unwrap().0);
    }
    let mut heads = Vec::new();
    for answer in answers {
        heads.push(answer.await.unwrap());
    }
    heads
}

#[test]
fn short_answers_that_nobody_takes_keep_no_place_and_no_upstream() {
    let origin = origin();
    let proxy = Proxy::with(Settings { requests_max: 8, ..settings(&origin.url()) });
    block_on(async {
        let (mut sender, _) = connect(proxy.address, ATTACKER, 0).await;
        let mut untaken = Vec::new();
        for _ in 0..20 {
            untaken.extend(heads(&mut sender, "short", 2).await);
        }
        assert!(untaken.iter().all(|answer| answer.status() == StatusCode::OK), "{untaken:?}");
        let mut caller = proxy.connect();
        for _ in 0..10 {
            caller.write(GET);
            assert_eq!(caller.answer().status(), 200);
        }
    });
    let connections = origin.connections.load(std::sync::atomic::Ordering::SeqCst);
    assert!(connections < 8, "{connections} connections of the upstream");
}

#[test]
fn long_answers_that_nobody_takes_leave_places_to_others_and_are_given_up_soon() {
    let origin = origin();
    let proxy = Proxy::with(Settings { requests_max: 8, ..settings(&origin.url()) });
    block_on(async {
        let (mut sender, _) = connect(proxy.address, ATTACKER, 0).await;
        let mut untaken = heads(&mut sender, "long", 12).await;
        let served = untaken.iter().filter(|answer| answer.status() == StatusCode::OK).count();
        assert_eq!(served, 4, "half of the places are left to others");
        let began = Instant::now();
        let mut caller = proxy.connect();
        for _ in 0..10 {
            caller.write(GET);
            assert_eq!(caller.answer().status(), 200);
        }
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        // The stall that is allowed is a minute; its places are wanted.
        let first = untaken[0].body_mut();
        assert!(first.data().await.unwrap().is_err());
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    });
}

#[test]
fn a_slow_caller_among_few_is_given_its_time() {
    let origin = origin();
    let proxy = Proxy::with(Settings { requests_max: 8, ..settings(&origin.url()) });
    block_on(async {
        let (mut sender, _) = connect(proxy.address, ATTACKER, 1_000).await;
        let mut slow = heads(&mut sender, "long", 1).await.pop().unwrap().into_body();
        tokio::time::sleep(Duration::from_secs(7)).await;
        let data = slow.data().await.unwrap().unwrap();
        slow.flow_control().release_capacity(data.len()).unwrap();
        assert!(slow.data().await.unwrap().is_ok());
    });
}

#[test]
fn the_more_connections_a_source_has_the_fewer_streams_each_may_open() {
    let origin = origin();
    let proxy = Proxy::with(settings(&origin.url()));
    block_on(async {
        let mut open = Vec::new();
        for _ in 0..300 {
            open.push(connect(proxy.address, ATTACKER, 65_535).await);
        }
        assert!(open[..20].iter().all(|(_, streams)| *streams == 100));
        assert_eq!(open[299].1, 8);
        assert!(open.iter().map(|(_, streams)| streams).sum::<usize>() < 10_000);
        // Somebody else has what the policy says.
        assert_eq!(connect(proxy.address, "127.0.0.3:0", 65_535).await.1, 100);
    });
}

#[test]
fn a_trusted_proxy_speaks_for_many_and_has_no_share() {
    let origin = origin();
    let server = "[server]\ntrusted_proxies = [\"127.0.0.2\"]\n";
    let proxy = Proxy::with(Settings { requests_max: 8, ..with_policy(&origin.url(), server) });
    block_on(async {
        let mut open = Vec::new();
        for _ in 0..60 {
            open.push(connect(proxy.address, ATTACKER, 65_535).await);
        }
        assert!(open.iter().all(|(_, streams)| *streams == 100));
        let (mut sender, _) = connect(proxy.address, ATTACKER, 0).await;
        let served = heads(&mut sender, "long", 8).await;
        assert!(served.iter().all(|answer| answer.status() == StatusCode::OK), "{served:?}");
    });
}
