//! HTTP/1 as it is written and read here: when connections stay, and bodies however they come.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{sync::atomic::Ordering, time::Duration};

use crate::support::{Origin, Proxy};

fn json(length: usize) -> String {
    format!("{{\"text\":\"{}\"}}", "x".repeat(length - 11))
}

fn post(body: &str, fields: &str) -> String {
    format!(
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{fields}\r\n{body}",
        body.len()
    )
}

#[test]
fn connections_stay_as_long_as_both_sides_want() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    for (first, stays) in [
        ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nHost: h\r\n\r\n", false),
    ] {
        let mut caller = proxy.connect();
        caller.write(first);
        let answer = caller.answer();
        let said = answer.header("connection");
        let expected =
            if !stays { Some("close") } else { first.contains("HTTP/1.0").then_some("keep-alive") };
        assert_eq!(said, expected, "{first}");
        assert!(answer.start.starts_with(&first[6..14]), "{}", answer.start);
        if stays {
            caller.write("GET /again HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            assert!(caller.answer().text().starts_with("GET /again HTTP/1.1"));
        }
        assert_eq!(caller.rest(), "");
    }
}

#[test]
fn a_held_body_goes_on_whole_however_it_comes() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    for length in [20, 1_000, 5_000, 40_000, 100_000, 300_000] {
        let body = json(length);
        caller.write(post(&body, ""));
        assert!(caller.answer().text().contains(&body), "{length} in one piece");
        let request = post(&body, "");
        let pieces = request.as_bytes().chunks(request.len() / 4 + 1);
        for piece in pieces {
            caller.write(piece);
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(caller.answer().text().contains(&body), "{length} in pieces");
    }
}

#[test]
fn a_body_too_slow_to_be_held_streams_on() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    let body = json(10_000);
    let request = post(&body, "");
    let (first, rest) = request.split_at(request.len() - 3_000);
    caller.write(first);
    std::thread::sleep(Duration::from_millis(1_800));
    caller.write(rest);
    assert!(caller.answer().text().contains(&body));
}

#[test]
fn a_caller_that_waits_to_be_asked_is_asked() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    for _ in 0..2 {
        let body = json(2_000);
        let request = post(&body, "Expect: 100-continue\r\n");
        let (head, body) = request.split_at(request.len() - body.len());
        caller.write(head);
        assert_eq!(caller.answer().status(), 100);
        caller.write(body);
        let text = caller.answer().text();
        assert!(text.contains(body) && !text.contains("expect"), "{text}");
    }
    // Who does not wait is not asked.
    let mut caller = proxy.connect();
    caller.write(post(&json(2_000), "Expect: 100-continue\r\n"));
    assert_eq!(caller.answer().status(), 200);
}

#[test]
fn answers_of_old_servers_are_understood() {
    let origin = Origin::start(|mut served| {
        while let Some(request) = served.request() {
            served.write(match request.start.split(' ').nth(1) {
                Some("/padded") => {
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2   \r\nok\r\n0\r\n\r\n"
                }
                Some("/hints") => {
                    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                }
                Some("/bare") => "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
                _ => "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
            });
        }
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    for target in ["/padded", "/hints", "/bare", "/old", "/"] {
        caller.write(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
        let answer = caller.answer();
        assert_eq!((answer.status(), answer.text().as_str()), (200, "ok"), "{target}");
        assert!(answer.header("date").is_some());
    }
    assert_eq!(origin.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn an_answer_is_heard_although_the_upload_broke_off() {
    let origin = Origin::start(|mut served| {
        served.head();
        served.answer(401, "who are you");
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\nabc");
    let answer = caller.answer();
    assert_eq!((answer.status(), answer.text().as_str()), (401, "who are you"));
}

#[test]
fn a_caller_that_leaves_while_it_waits_frees_the_upstream() {
    let origin = Origin::start(|mut served| {
        if served.request().is_some() {
            // Ends when the gateway lets go.
            served.read(1);
        }
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    std::thread::sleep(Duration::from_millis(200));
    // A reset, not a caller that only listens.
    let socket = socket2::SockRef::from(&*caller.stream());
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    drop(caller);
    let mut other = proxy.connect();
    other.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(origin.seen(), 2);
    assert_eq!(origin.connections.load(Ordering::SeqCst), 2);
}
