//! Bodies that are looked at before they go on: slow ones, coded ones, ones under a false name.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{
    io::Write,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use gateway::{Settings, Shed};
use http::{Method, StatusCode};

use crate::{
    events::{find, watched},
    http2::{block_on, connect, get},
    support::{Caller, Message, Origin, Proxy, settings, with_site},
};

const JSON: &str = "Content-Type: application/json\r\n";
const LOGIN: &str = r#"{"username":"ada","password":"correct horse"}"#;

/// A gateway that enforces.
fn enforcing(origin: &Origin) -> Settings {
    let mut settings = with_site(&origin.url(), "", "mode = \"enforce\"\n");
    settings.terms.deadlines.body_grace = Duration::from_secs(2);
    settings
}

fn head(more: &str, length: usize) -> String {
    format!("POST /login HTTP/1.1\r\nHost: h\r\n{more}Content-Length: {length}\r\n\r\n")
}

fn post(proxy: &Proxy, more: &str, body: &[u8]) -> Message {
    let mut caller = proxy.connect();
    caller.write([head(more, body.len()).as_bytes(), body].concat());
    caller.answer()
}

/// An origin that notes when it first hears of a request.
fn noting() -> (Origin, Arc<Mutex<Option<Instant>>>) {
    let heard = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&heard);
    let origin = Origin::start(move |mut served| {
        while let Some(head) = served.head() {
            noted.lock().unwrap().get_or_insert_with(Instant::now);
            let Some(request) = served.body(head) else { return };
            served.answer(200, &request.text());
        }
    });
    (origin, heard)
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Sends the first byte, waits, and sends the rest; when it began to wait no longer.
fn pause(caller: &mut Caller, more: &str, body: &str) -> Instant {
    caller.write(head(more, body.len()) + &body[..1]);
    std::thread::sleep(Duration::from_millis(1_500));
    let until = Instant::now();
    caller.write(&body[1..]);
    until
}

#[test]
fn a_pause_hides_nothing_where_a_layer_enforces_and_honest_slowness_passes() {
    let (origin, heard) = noting();
    let proxy = Proxy::with(enforcing(&origin));
    let mut caller = proxy.connect();
    let rest = pause(&mut caller, JSON, LOGIN);
    assert_eq!((caller.answer().text().as_str(), origin.seen()), (LOGIN, 0));
    assert!(heard.lock().unwrap().is_some_and(|heard| heard >= rest), "it went on unread");
}

#[test]
fn where_nothing_enforces_a_slow_body_goes_on_as_it_comes() {
    let (origin, heard) = noting();
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    let form = "username=ada";
    let rest = pause(&mut caller, "Content-Type: application/octet-stream\r\n", form);
    assert_eq!(caller.answer().text(), form);
    assert!(heard.lock().unwrap().is_some_and(|heard| heard < rest), "it was held");
}

#[test]
fn a_body_that_stands_still_is_ended_and_goes_nowhere() {
    let (origin, heard) = noting();
    let proxy = Proxy::with(enforcing(&origin));
    let mut caller = proxy.connect();
    caller.write(head(JSON, LOGIN.len()) + &LOGIN[..9]);
    assert_eq!(caller.answer().status(), 408);
    block_on(async {
        let mut sender = connect(&proxy).await;
        let request = get("http://h/login").method(Method::POST);
        let request = request.header("content-type", "application/json").body(()).unwrap();
        std::future::poll_fn(|cx| sender.poll_ready(cx)).await.unwrap();
        let (answer, mut body) = sender.send_request(request, false).unwrap();
        body.send_data(Bytes::from_static(b"{"), false).unwrap();
        assert_eq!(answer.await.unwrap().status(), StatusCode::REQUEST_TIMEOUT);
    });
    assert!(heard.lock().unwrap().is_none());
}

#[test]
fn a_long_upload_streams_on_once_what_is_looked_at_is_here() {
    const SIZE: usize = 8 << 20;
    let (origin, heard) = noting();
    let proxy = Proxy::with(enforcing(&origin));
    let mut caller = proxy.connect();
    let half = "x".repeat(SIZE / 2);
    caller.write(head("Content-Type: text/plain\r\n", SIZE));
    caller.write(&half);
    std::thread::sleep(Duration::from_millis(300));
    assert!(heard.lock().unwrap().is_some(), "all of it is held");
    caller.write(&half);
    assert_eq!(caller.answer().body.len(), SIZE);
}

#[test]
fn a_coding_that_nobody_can_read_is_told_so_where_a_layer_enforces() {
    let origin = Origin::echo();
    let (proxy, events) = watched(None, enforcing(&origin));
    let garbage = [&gzip(b"{}")[..], LOGIN.as_bytes()].concat();
    let cut = &gzip(LOGIN.as_bytes())[..30];
    let unreadable: [(&str, &[u8]); 8] = [
        ("x", LOGIN.as_bytes()),
        ("utf-8", LOGIN.as_bytes()),
        ("identity;", LOGIN.as_bytes()),
        ("gzip", LOGIN.as_bytes()),
        ("deflate", LOGIN.as_bytes()),
        ("br", LOGIN.as_bytes()),
        ("gzip", &garbage),
        ("gzip", cut),
    ];
    for (coding, body) in unreadable {
        let answer = post(&proxy, &format!("{JSON}Content-Encoding: {coding}\r\n"), body);
        assert_eq!(answer.status(), 415, "{coding}: {}", answer.text());
        assert_eq!(find(&events, answer.header("palisade-event").unwrap()).status, 415);
    }
    assert_eq!(origin.seen(), 0);
    let twice = gzip(&gzip(LOGIN.as_bytes()));
    let members = [gzip(&LOGIN.as_bytes()[..9]), gzip(&LOGIN.as_bytes()[9..])].concat();
    // Nothing is nothing in any coding.
    let mut caller = proxy.connect();
    caller.write(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n\
         Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    );
    assert_eq!(caller.answer().status(), 200);
    let honest: [(&str, &[u8]); 6] = [
        ("Content-Encoding: gzip\r\n", &gzip(LOGIN.as_bytes())),
        ("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", &twice),
        ("Content-Encoding: gzip\r\n", &members),
        ("Content-Encoding: identity, identity\r\n", LOGIN.as_bytes()),
        ("Content-Encoding: br\r\n", b"\x0b\x02\x80plain\x03"),
        ("", LOGIN.as_bytes()),
    ];
    for (coding, body) in honest {
        let answer = post(&proxy, &format!("{JSON}{coding}"), body);
        assert_eq!(answer.status(), 200, "{coding}: {}", answer.text());
    }
}

#[test]
fn where_nothing_enforces_no_coding_is_refused() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    for coding in ["x", "gzip", "br, x"] {
        let more = format!("{JSON}Content-Encoding: {coding}\r\nContent-Type: image/png\r\n");
        assert_eq!(post(&proxy, &more, LOGIN.as_bytes()).status(), 200, "{coding}");
    }
}

#[test]
fn promises_take_no_room_and_what_cannot_be_held_is_told_to_come_again() {
    let (origin, _) = noting();
    // Two sources with half of it each; what is promised is more by far.
    let settings = Settings { held_bytes_max: 64 << 10, ..enforcing(&origin) };
    let proxy = Proxy::with(settings);
    let mut idle: Vec<_> = (0..20).map(|_| proxy.connect()).collect();
    for caller in &mut idle {
        caller.write(head(JSON, 120_000) + "{");
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(post(&proxy, JSON, LOGIN.as_bytes()).status(), 200);
    // More of them have all that one source may have.
    idle.extend((0..60).map(|_| proxy.connect()));
    for caller in &mut idle[20..] {
        caller.write(head(JSON, 120_000) + "{");
    }
    std::thread::sleep(Duration::from_millis(300));
    let answer = post(&proxy, JSON, LOGIN.as_bytes());
    assert_eq!((answer.status(), answer.header("retry-after")), (503, Some("1")));
    let metered = proxy.metered();
    assert!(metered.shed[Shed::Memory as usize] >= 1, "{metered:?}");
    assert!((1..=2 * (64 << 10)).contains(&metered.held_bytes), "{metered:?}");
    let mut other = proxy.connect_from("127.0.0.9");
    other.write(head(JSON, LOGIN.len()) + LOGIN);
    assert_eq!(other.answer().status(), 200);
    drop(idle);
    let until = Instant::now() + Duration::from_secs(5);
    while post(&proxy, JSON, LOGIN.as_bytes()).status() != 200 {
        assert!(Instant::now() < until, "room is not given back");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_body_under_a_false_name_is_held_and_read() {
    for kind in ["image/png", "application/octet-stream", "text/event-stream", "multipart/x"] {
        let (origin, heard) = noting();
        let proxy = Proxy::with(enforcing(&origin));
        let mut caller = proxy.connect();
        let rest = pause(&mut caller, &format!("Content-Type: {kind}\r\n"), LOGIN);
        assert_eq!(caller.answer().status(), 200, "{kind}");
        assert!(heard.lock().unwrap().is_some_and(|heard| heard >= rest), "{kind}: unread");
    }
}

#[test]
fn a_file_goes_on_as_it_comes() {
    let (origin, heard) = noting();
    let proxy = Proxy::with(enforcing(&origin));
    let mut caller = proxy.connect();
    let file = [&b"\x89PNG\r\n\x1a\n"[..], &[7; 5_000]].concat();
    caller.write([head("Content-Type: image/png\r\n", file.len()).as_bytes(), &file[..9]].concat());
    std::thread::sleep(Duration::from_millis(500));
    assert!(heard.lock().unwrap().is_some(), "it was held");
    caller.write(&file[9..]);
    assert_eq!(caller.answer().body.len(), String::from_utf8_lossy(&file).len());
}

#[test]
fn two_types_are_refused_where_a_layer_enforces() {
    let origin = Origin::echo();
    let proxy = Proxy::with(enforcing(&origin));
    let two = format!("Content-Type: image/png\r\n{JSON}");
    assert_eq!(post(&proxy, &two, LOGIN.as_bytes()).status(), 400);
    assert_eq!(origin.seen(), 0);
    // Without a body there is nothing that could be read in two ways.
    let mut caller = proxy.connect();
    caller.write(format!("GET / HTTP/1.1\r\nHost: h\r\n{two}\r\n"));
    assert_eq!(caller.answer().status(), 200);
}

#[test]
fn grpc_is_never_held_and_nothing_else_passes_for_it() {
    let (origin, heard) = noting();
    let (proxy, events) = watched(None, enforcing(&origin));
    block_on(async {
        let mut sender = connect(&proxy).await;
        for (body, passes) in [(&b"\0\0\0\0\x02hi"[..], true), (LOGIN.as_bytes(), false)] {
            *heard.lock().unwrap() = None;
            let request = get("http://h/svc/Call").method(Method::POST);
            let request = request.header("content-type", "application/grpc").body(()).unwrap();
            std::future::poll_fn(|cx| sender.poll_ready(cx)).await.unwrap();
            let (answer, mut stream) = sender.send_request(request, false).unwrap();
            // The service may speak first.
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert!(heard.lock().unwrap().is_some(), "it was held");
            stream.send_data(Bytes::from_static(body), true).unwrap();
            let answer = answer.await.unwrap();
            if passes {
                assert_eq!(answer.status(), StatusCode::OK);
            } else {
                assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
                let id = answer.headers()["palisade-event"].to_str().unwrap();
                assert_eq!(find(&events, id).status, 415);
            }
        }
    });
}

#[test]
fn an_upload_that_waits_to_be_asked_is_asked() {
    let origin = Origin::start(|mut served| {
        let Some(request) = served.request() else { return };
        served.answer(200, &request.text());
    });
    for settings in [enforcing(&origin), settings(&origin.url())] {
        let proxy = Proxy::with(settings);
        let mut caller = proxy.connect();
        caller.write(head(&format!("{JSON}Expect: 100-continue\r\n"), LOGIN.len()));
        assert_eq!(caller.answer().status(), 100);
        caller.write(LOGIN);
        assert_eq!(caller.answer().text(), LOGIN);
    }
}
