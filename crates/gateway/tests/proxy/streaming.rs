//! Bodies that stream, in both directions and side by side.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{io::Write, time::Duration};

use gateway::UpstreamDeadlines;

use crate::support::{Origin, Proxy, settings, with_deadlines};

#[test]
fn an_upload_waits_for_the_origin_to_want_it() {
    let origin = Origin::start(|mut served| {
        let head = served.head().unwrap();
        assert_eq!(head.header("expect"), Some("100-continue"));
        served.write("HTTP/1.1 100 Continue\r\n\r\n");
        let request = served.body(head).unwrap();
        served.answer(200, &request.text());
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: image/png\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(caller.answer().status(), 100);
    caller.write("hello");
    assert_eq!(caller.answer().text(), "hello");
}

#[test]
fn events_arrive_as_they_happen() {
    let origin = Origin::start(|mut served| {
        served.request();
        served.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
        // The second event follows only once the first has been acknowledged through the body's
        // end.
        std::thread::sleep(Duration::from_millis(600));
        served.write("data: 2\n\n");
    });
    let settings = settings(&origin.url());
    let engine = std::sync::Arc::clone(&settings.engine);
    let proxy = Proxy::with(settings);
    let mut caller = proxy.connect();
    caller.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let began = std::time::Instant::now();
    let mut seen = String::new();
    while !seen.contains("data: 1") {
        seen.push_str(&String::from_utf8(caller.bytes(1)).unwrap());
    }
    assert!(began.elapsed() < Duration::from_millis(500));
    // A stream may last for days: it is known from its head on.
    assert_eq!(engine.endpoints().len(), 1);
    assert!(caller.rest().contains("data: 2"));
}

#[test]
fn trailers_pass_both_ways() {
    let origin = Origin::start(|mut served| {
        let request = served.request().unwrap();
        let trailer = request.trailers.iter().find(|(name, _)| name == "x-up").unwrap().1.clone();
        served.write(format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Down\r\n\r\n2\r\nok\r\n0\r\nX-Down: {trailer}\r\n\
             Set-Cookie: late=1\r\n\r\n"
        ));
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write(
        "POST / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nTrailer: X-Up\r\nTransfer-Encoding: chunked\r\n\r\n\
         2\r\nhi\r\n0\r\nX-Up: sum\r\n\r\n",
    );
    let answer = caller.answer();
    assert_eq!(answer.text(), "ok");
    assert_eq!(answer.trailers, [("x-down".to_owned(), "sum".to_owned())]);
}

#[test]
fn a_websocket_is_a_tunnel_after_the_handshake() {
    let origin = Origin::start(|mut served| {
        let request = served.request().unwrap();
        assert_eq!(request.header("upgrade"), Some("websocket"));
        assert_eq!(request.header("sec-websocket-key"), Some("k"));
        // The first frame comes right behind the handshake, the rest echoes.
        served.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst");
        while let Some(bytes) = served.read(3) {
            served.write(bytes);
        }
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    // The caller's first frame comes before the answer: it must not be taken for a head.
    caller.write(
        "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n\x01\x02\x03",
    );
    let answer = caller.answer();
    assert_eq!(answer.status(), 101);
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    assert_eq!(caller.bytes(8), b"first\x01\x02\x03");
    caller.write("abc");
    assert_eq!(caller.bytes(3), b"abc");
}

#[test]
fn a_tunnel_may_pause_as_long_as_an_answer_and_no_longer() {
    let origin = Origin::start(|mut served| {
        served.request();
        served
            .write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
        while let Some(bytes) = served.read(1) {
            served.write(bytes);
        }
    });
    let answer_idle = Duration::from_millis(1500);
    let deadlines = UpstreamDeadlines { answer_idle, ..UpstreamDeadlines::default() };
    let proxy = Proxy::with(with_deadlines(&origin.url(), deadlines));
    let mut caller = proxy.connect();
    caller.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    assert_eq!(caller.answer().status(), 101);
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(700));
        caller.write("x");
        assert_eq!(caller.bytes(1), b"x");
    }
    let began = std::time::Instant::now();
    assert_eq!(caller.rest(), "");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn an_upgrade_that_is_declined_leaves_http() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write("GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(caller.answer().status(), 200);
    caller.write("GET /b HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n");
    let text = caller.answer().text();
    assert!(
        !text.contains("h2c") && !text.contains("upgrade") && !text.contains("settings"),
        "{text}"
    );
}

#[test]
fn large_bodies_stream_through() {
    const SIZE: usize = 32 << 20;
    let origin = Origin::start(|mut served| {
        let request = served.request().unwrap();
        let sum: u64 = request.body.iter().map(|byte| u64::from(*byte)).sum();
        served.write(format!("HTTP/1.1 200 OK\r\nX-Sum: {sum}\r\nContent-Length: {SIZE}\r\n\r\n"));
        served.write(request.body);
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    let body: Vec<u8> = (0..SIZE).map(|i| (i * 31 % 251) as u8).collect();
    let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
    let mut writer = caller.stream().try_clone().unwrap();
    let sent = body.clone();
    let uploading = std::thread::spawn(move || {
        write!(writer, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {SIZE}\r\n\r\n").unwrap();
        writer.write_all(&sent).unwrap();
    });
    let answer = caller.answer();
    uploading.join().unwrap();
    assert_eq!(answer.header("x-sum"), Some(&*sum.to_string()));
    assert!(answer.body == body);
}

#[test]
fn an_answer_before_the_end_of_the_upload_gets_through() {
    let origin = Origin::start(|mut served| {
        served.head();
        served.answer(413, "too much");
        std::thread::sleep(Duration::from_millis(300));
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write(format!(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n{}",
        "x".repeat(1000)
    ));
    assert_eq!(caller.answer().status(), 413);
}

#[test]
fn answers_without_bodies_keep_the_connection() {
    let origin = Origin::start(|mut served| {
        while let Some(request) = served.request() {
            served.write(match request.start.split(' ').nth(1) {
                Some("/204") => "HTTP/1.1 204 No Content\r\n\r\n",
                Some("/304") => "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
                _ => "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
            });
        }
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    for (method, target, status) in
        [("GET", "/204", "204"), ("GET", "/304", "304"), ("HEAD", "/", "200")]
    {
        caller.write(format!("{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(caller.bytes(1)[0]));
        }
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(method != "HEAD" || head.contains("content-length: 7"), "{head}");
    }
    assert_eq!(origin.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}
