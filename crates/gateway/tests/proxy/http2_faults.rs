//! What a caller may not do over HTTP/2, and that each such thing is written down.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{
    io::Write as _,
    net::TcpStream,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::HeaderValue;
use traffic::Event;

use crate::{
    events::{find, watched},
    http2::{block_on, connect, exchange, get},
    support::{Origin, PATIENCE, settings, with_policy},
};

/// A frame as it stands on the wire.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// What an event says is wrong, by its name.
fn name(event: &Event) -> &str {
    event.signals[0].reason.split(':').next().unwrap()
}

/// A header block of literals.
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

#[test]
fn what_the_library_refuses_by_itself_has_an_event() {
    let whole = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "h")];
    let with = |more: (&'static str, &'static str)| [&whole[..], &[more]].concat();
    let head = |fields: &[(&str, &str)]| frame(1, 5, 1, &block(fields));
    for (frames, reason) in [
        (head(&with(("connection", "close"))), "http2-protocol-error"),
        (head(&with(("X-Upper", "1"))), "http2-protocol-error"),
        (head(&whole[1..]), "http2-protocol-error"),
        (frame(0, 1, 0, b"data on no stream"), "http2-protocol-error"),
        (frame(0, 0, 1, &[0; 20_000]), "http2-frame-size-error"),
        (frame(1, 5, 1, &[0xff, 0xff, 0xff, 0xff]), "http2-protocol-error"),
    ] {
        let origin = Origin::echo();
        let (proxy, events) = watched(None, settings(&origin.url()));
        let mut caller = TcpStream::connect(proxy.address).unwrap();
        caller.set_read_timeout(Some(PATIENCE)).unwrap();
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        caller.write_all(&[preface, &frame(4, 0, 0, &[])[..], &frames].concat()).unwrap();
        let until = Instant::now() + PATIENCE;
        let event = loop {
            if let Some(event) = events.lock().unwrap().first() {
                break event.clone();
            }
            assert!(Instant::now() < until, "no event: {reason}");
            std::thread::sleep(Duration::from_millis(10));
        };
        assert_eq!((name(&event), event.client.as_str()), (reason, "127.0.0.1"));
        assert_eq!(origin.seen(), 0);
        drop(caller);
    }
}

#[test]
fn one_fault_ends_its_stream_and_leaves_the_others_alone() {
    let origin = Origin::echo();
    let (proxy, events) = watched(None, settings(&origin.url()));
    block_on(async {
        let mut sender = connect(&proxy).await;
        let bad = get("http://a/").header("host", "b").body(()).unwrap();
        let (head, _, _) = exchange(&mut sender, bad, None).await.unwrap();
        let id = head.headers()["palisade-event"].to_str().unwrap().to_owned();
        let event = find(&events, &id);
        assert_eq!((event.method.as_str(), event.path.as_str()), ("GET", "/"));
        let fine = get("http://a/").body(()).unwrap();
        assert_eq!(exchange(&mut sender, fine, None).await.unwrap().0.status(), 200);
    });
}

#[test]
fn the_limits_on_heads_hold_over_http2() {
    let origin = Origin::echo();
    let limits =
        "[limits]\nheader_count = 8\nuri_bytes = \"256B\"\nh2 = { header_list = \"4KiB\" }\n";
    let limits = format!("{limits}underscore_headers = \"reject\"\n");
    let policy = with_policy(&origin.url(), &limits);
    let in_force = policy.engine.policy();
    let (proxy, events) = watched(None, policy.under(&in_force));
    block_on(async {
        let mut sender = connect(&proxy).await;
        let many = |count: usize| {
            (0..count).fold(get("http://a/"), |get, n| get.header(format!("x-{n}"), "1"))
        };
        let crumbs =
            (0..20).fold(get("http://a/"), |get, n| get.header("cookie", format!("c{n}=1")));
        let long = "x".repeat(300);
        let large = HeaderValue::from_bytes(&[b'v'; 5000]).unwrap();
        for (request, status) in [
            (many(8), 200),
            (crumbs, 200),
            (many(9), 431),
            (get(&format!("http://a/{long}")), 414),
            (get("http://a/").header("x-large", large), 431),
            (get("http://a/").header("x_under", "1"), 400),
        ] {
            let request = request.body(()).unwrap();
            let (head, text, _) = exchange(&mut sender, request, None).await.unwrap();
            assert_eq!(head.status(), status, "{text}");
            if status != 200 {
                let id = head.headers()["palisade-event"].to_str().unwrap();
                assert_eq!(find(&events, id).status, status);
            }
        }
        // Far beyond the limit the library answers by itself; that, too, is written down.
        let huge = HeaderValue::from_bytes(&[b'v'; 12_000]).unwrap();
        let request = get("http://a/").header("x-huge", huge).body(()).unwrap();
        if let Ok((head, _, _)) = exchange(&mut sender, request, None).await {
            assert_eq!(head.status(), 431);
        }
        // Samples of honest requests rest on no signal.
        let is_library = |event: &Event| {
            event.signals.first().is_some_and(|signal| signal.reason.starts_with("http2-"))
        };
        let until = Instant::now() + PATIENCE / 3;
        while !events.lock().unwrap().iter().any(is_library) {
            assert!(Instant::now() < until, "no event");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

#[test]
fn an_upload_over_http2_has_to_keep_its_pace() {
    let origin = Origin::echo();
    let mut settings = settings(&origin.url());
    settings.terms.deadlines.body_grace = Duration::from_secs(2);
    settings.terms.deadlines.body_min_rate = 100;
    let (proxy, events) = watched(None, settings);
    block_on(async {
        let mut sender = connect(&proxy).await;
        let upload = |path: &str| {
            get(&format!("http://a/{path}"))
                .method("POST")
                .header("content-type", "image/png")
                .body(())
                .unwrap()
        };
        // Both take longer than the grace; one brings enough.
        let (brisk, mut brisk_body) = sender.send_request(upload("brisk"), false).unwrap();
        let (slow, mut slow_body) = sender.send_request(upload("slow"), false).unwrap();
        for _ in 0..14 {
            let _ = slow_body.send_data(Bytes::from_static(b"x"), false);
            brisk_body.send_data(Bytes::from(vec![b'x'; 200]), false).unwrap();
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        brisk_body.send_data(Bytes::new(), true).unwrap();
        assert_eq!(brisk.await.unwrap().status(), 200);
        let head = slow.await.unwrap();
        assert_eq!(head.status(), 408);
        let event = find(&events, head.headers()["palisade-event"].to_str().unwrap());
        assert_eq!(name(&event), "body-too-slow");
    });
    assert_eq!(origin.seen(), 1, "what was cut off is no whole request");
}
