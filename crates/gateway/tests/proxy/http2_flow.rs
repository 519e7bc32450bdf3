//! Callers over HTTP/2 that do not take their answers.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use h2::Reason;
use tokio::net::TcpStream;

use crate::{
    http2::{block_on, get},
    support::{Origin, PATIENCE, Proxy, settings},
};

const STALL: Duration = Duration::from_secs(2);
const SMALL_PIECES: usize = 20;
/// More than any buffer between origin and caller holds.
const ENDLESS: usize = 64 << 20;

/// An origin that answers in small pieces as fast as they are taken, `/small` with a few of them;
/// and how many of its connections it could not go on with.
fn origin() -> (Origin, Arc<AtomicUsize>) {
    let given_up = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&given_up);
    let origin = Origin::start(move |mut served| {
        while let Some(request) = served.request() {
            let pieces =
                if request.start.contains("/small") { SMALL_PIECES } else { ENDLESS / 1_000 };
            let mut goes_on = served.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            for _ in 0..pieces {
                goes_on = goes_on && served.write(format!("3e8\r\n{}\r\n", "x".repeat(1_000)));
            }
            if !goes_on || !served.write("0\r\n\r\n") {
                counted.fetch_add(1, Ordering::SeqCst);
                return;
            }
        }
    });
    (origin, given_up)
}

/// A caller that opens a window of so many bytes for each stream.
async fn connect(proxy: &Proxy, window: u32) -> h2::client::SendRequest<Bytes> {
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(window).initial_connection_window_size(1 << 20);
    let (sender, connection) = builder.handshake(stream).await.unwrap();
    tokio::spawn(async move {
        let _ = connection.await;
    });
    sender
}

fn proxy(origin: &Origin) -> Proxy {
    let mut settings = settings(&origin.url());
    settings.terms.deadlines.write_stall = STALL;
    settings.terms.deadlines.body_min_rate = 500;
    Proxy::with(settings)
}

/// Takes an answer, so many bytes at a time and after a pause each; how it ended.
async fn take(
    sender: &mut h2::client::SendRequest<Bytes>,
    path: &str,
    pause: Duration,
) -> Result<usize, h2::Error> {
    let request = get(&format!("http://a/{path}")).body(()).unwrap();
    std::future::poll_fn(|cx| sender.poll_ready(cx)).await?;
    let (answer, _) = sender.send_request(request, true)?;
    let mut body = answer.await?.into_body();
    let mut taken = 0;
    while let Some(data) = body.data().await {
        let length = data?.len();
        taken += length;
        tokio::time::sleep(pause).await;
        body.flow_control().release_capacity(length)?;
    }
    Ok(taken)
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE / 2;
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_caller_that_opens_no_window_loses_its_stream_and_nothing_else() {
    let (origin, given_up) = origin();
    let proxy = proxy(&origin);
    block_on(async {
        let mut sender = connect(&proxy, 0).await;
        let began = Instant::now();
        let error = take(&mut sender, "endless", Duration::ZERO).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::CANCEL), "{error}");
        // The gateway looks at its clock four times a second.
        assert!(began.elapsed() >= STALL - Duration::from_millis(250), "{:?}", began.elapsed());
        // The connection serves on.
        let request = get("http://a/small").body(()).unwrap();
        std::future::poll_fn(|cx| sender.poll_ready(cx)).await.unwrap();
        let (answer, _) = sender.send_request(request, true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 200);
    });
    until("the upstream's connection is let go", || given_up.load(Ordering::SeqCst) == 1);
}

#[test]
fn a_trickle_is_not_enough_and_a_slow_caller_that_keeps_taking_is_served() {
    let (origin, given_up) = origin();
    let proxy = proxy(&origin);
    block_on(async {
        // Each piece is taken in time, and all of them together far too slowly.
        let mut trickling = connect(&proxy, 40).await;
        let pause = Duration::from_millis(300);
        let trickle = tokio::spawn(async move { take(&mut trickling, "endless", pause).await });
        // A piece in 250 ms: eight times the least rate, and in all longer than a stall.
        let mut slow = connect(&proxy, 1_000).await;
        let taken = take(&mut slow, "small", Duration::from_millis(250)).await.unwrap();
        assert_eq!(taken, SMALL_PIECES * 1_000);
        // Its stream ends, or what the library holds for it trickles on; the upstream is free.
        let let_go = || given_up.load(Ordering::SeqCst) == 1;
        while !let_go() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        trickle.abort();
    });
}
