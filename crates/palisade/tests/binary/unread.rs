//! Bodies that nobody reads to their end: an attack behind enough padding, behind a pause, or in a
//! coding that cannot be undone goes through no more easily than one that stands in front.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use crate::support::{Palisade, call_with, shop, text, until};

const TARGET: &str = "/api/v1/orders/7";
const ATTACK: &str = "' or 1=1 union select name, pass from users--";
const JSON: (&str, &str) = ("content-type", "application/json");

/// More than is looked at.
fn padded() -> String {
    format!(r#"{{"pad":"{}","note":"{ATTACK}"}}"#, "a".repeat(200 << 10))
}

#[test]
fn a_document_longer_than_what_is_looked_at_is_refused_to_a_stranger() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let answer = call_with(palisade.address, "POST", TARGET, &[JSON], &padded());
    assert_eq!(answer.status, 403, "{}", answer.body);
    let id = answer.header("palisade-event").expect("an id").to_owned();
    let told = text(&palisade.command(&["why", &id]).stdout);
    assert!(told.contains("inspected in part") && told.contains("read to its end"), "{told}");
    let coded = [JSON, ("content-encoding", "br")];
    assert_eq!(call_with(palisade.address, "POST", TARGET, &coded, "x").status, 415);
    assert!(upstream.got().is_empty());
    let counters = palisade.json(&["status"])["counters"].clone();
    assert_eq!(counters["bodies inspected in part"], 1, "{counters}");
}

#[test]
fn a_file_and_a_long_text_go_through() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let part = "--x\r\ncontent-disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\n";
    let file = format!("{part}{}\r\n--x--\r\n", "once upon a time ".repeat(20_000));
    for (media, body) in [
        ("multipart/form-data; boundary=x", file),
        ("text/plain", "once upon a time ".repeat(20_000)),
        ("application/octet-stream", "a".repeat(300_000)),
    ] {
        let answer = call_with(palisade.address, "POST", TARGET, &[("content-type", media)], &body);
        assert_eq!(answer.status, 404, "{media}: {}", answer.body);
    }
    assert_eq!(upstream.got().len(), 3);
}

#[test]
fn monitor_lets_a_long_document_pass_and_says_so() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    assert_eq!(call_with(palisade.address, "POST", TARGET, &[JSON], &padded()).status, 404);
    assert_eq!(upstream.got()[0].body, padded());
    let event = until("an event", || {
        let list = palisade.json(&["events"]);
        list["events"].as_array()?.iter().find(|event| event["layer"] == "rules").cloned()
    });
    assert_eq!((&event["action"], &event["refused"]), (&"deny".into(), &false.into()));
}

#[test]
fn an_attack_behind_a_pause_is_looked_at() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let body = format!(r#"{{"a":1,"note":"{ATTACK}"}}"#);
    let (first, rest) = body.split_at(8);
    let mut stream = TcpStream::connect(palisade.address).expect("a connection");
    let head = format!(
        "POST {TARGET} HTTP/1.1\r\nhost: a.test\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{first}",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    sleep(Duration::from_millis(1_500));
    stream.write_all(rest.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(upstream.got().is_empty());
}
