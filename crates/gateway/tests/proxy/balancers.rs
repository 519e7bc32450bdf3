//! Balancers that say by the PROXY protocol whose connections they pass on, and others that must
//! not.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use gateway::{Listener, Settings, bind};

use crate::{
    events::Events,
    support::{Origin, Proxy, with_policy},
};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9\r\n\
                     Connection: close\r\n\r\n";
const TRUSTED: &str = "[server]\ntrusted_proxies = [\"127.0.0.1\"]";
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A gateway that expects a header of whomever the policy trusts.
fn behind_a_balancer(origin: &Origin, server: &str) -> (Proxy, Events) {
    let events: Events = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&events);
    let settings = Settings {
        events: Arc::new(move |event| sink.lock().unwrap().push(event)),
        connections_per_source_max: 2,
        ..with_policy(&origin.url(), server)
    };
    let socket = bind("127.0.0.1:0").unwrap();
    let listener = Listener { proxy_protocol: true, ..Listener::new(socket, None) };
    (Proxy::listening(listener, settings), events)
}

#[test]
fn the_caller_is_who_a_trusted_balancer_says() {
    let origin = Origin::echo();
    let (proxy, _events) = behind_a_balancer(&origin, TRUSTED);
    let v4 = [SIGNATURE, b"\x21\x11\0\x0c\xc0\0\x02\x07\x0a\0\0\x01\xdc\x04\0\x50"].concat();
    for (header, expected) in [
        (&b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 80\r\n"[..], "x-forwarded-for: 192.0.2.7\n"),
        (b"PROXY TCP6 2001:db8::7 ::1 56324 80\r\n", "x-forwarded-for: 2001:db8::7\n"),
        (&v4, "x-forwarded-for: 192.0.2.7\n"),
        // The balancer speaks for itself, and is still a trusted proxy.
        (b"PROXY UNKNOWN\r\n", "x-forwarded-for: 203.0.113.9, 127.0.0.1\n"),
        (&[SIGNATURE, b"\x20\0\0\0"].concat(), "x-forwarded-for: 203.0.113.9, 127.0.0.1\n"),
    ] {
        let answer = proxy.all([header, GET].concat());
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains(expected), "{}: {answer}", header.escape_ascii());
    }
}

#[test]
fn a_header_may_come_in_pieces_but_not_late() {
    let origin = Origin::echo();
    let (proxy, events) = behind_a_balancer(&origin, TRUSTED);
    let mut caller = proxy.connect();
    for piece in [&b"PROXY TCP4 192"[..], b".0.2.7 10.0.0.1 56324 80\r", b"\nGET / HTTP/1.1\r\n"] {
        caller.stream().write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(150));
    }
    caller.write("Host: h\r\n\r\n");
    assert!(caller.answer().text().contains("x-forwarded-for: 192.0.2.7\n"));
    let began = Instant::now();
    let mut slow = proxy.connect();
    slow.write("PROXY TCP4");
    assert_eq!(slow.rest(), "");
    let took = began.elapsed();
    assert!((Duration::from_secs(2)..Duration::from_secs(9)).contains(&took), "{took:?}");
    proxy.drain();
    let events = events.lock().unwrap();
    let signals = events.iter().flat_map(|event| &event.signals);
    let late = signals.filter(|signal| signal.reason.starts_with("proxy-header"));
    assert_eq!(late.count(), 1, "it is written down");
}

#[test]
fn a_trusted_balancer_that_says_nothing_is_not_served() {
    let origin = Origin::echo();
    let (proxy, events) = behind_a_balancer(&origin, TRUSTED);
    for bytes in [GET, b"PROXY TCP4 192.0.2.7 10.0.0.1 56324\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"]
    {
        let answer = proxy.all(bytes);
        assert!(!answer.contains("HTTP/"), "{answer}");
    }
    // Looking whether somebody is there is no fault.
    drop(proxy.connect());
    proxy.drain();
    let events = events.lock().unwrap();
    let reasons: Vec<_> = events.iter().map(|event| event.signals[0].reason.as_str()).collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons.iter().all(|reason| reason.starts_with("proxy-header")), "{reasons:?}");
    assert_eq!(origin.seen(), 0);
}

#[test]
fn connections_are_counted_by_whose_they_are() {
    let origin = Origin::echo();
    let (proxy, _events) = behind_a_balancer(&origin, TRUSTED);
    let connect = |caller: &str| {
        let mut stream = proxy.connect();
        stream.write(format!(
            "PROXY TCP4 {caller} 10.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"
        ));
        let status = stream.answer().status();
        (stream, status)
    };
    let callers = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"];
    let open: Vec<_> = callers.map(connect).into();
    assert!(open.iter().all(|(_, status)| *status == 200), "the balancer has no limit");
    assert_eq!(connect("192.0.2.1").1, 503, "a caller has");
    drop(open);
}

#[test]
fn nobody_else_can_choose_an_address() {
    let origin = Origin::echo();
    let (proxy, _events) = behind_a_balancer(&origin, "");
    let answer = proxy.all([b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 80\r\n", GET].concat());
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(origin.seen(), 0);
    let answer = proxy.all(GET);
    assert!(answer.contains("x-forwarded-for: 127.0.0.1\n"), "{answer}");
}
