//! The header rules, one by one.

use super::*;

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    map
}

static MARK: HeaderName = HeaderName::from_static("x-common-password");

fn prepared(lines: &[(&'static str, &'static str)], trusted: bool) -> HeaderMap {
    let mut map = headers(lines);
    let from = Provenance {
        peer: &HeaderValue::from_static("192.0.2.9"),
        trusted,
        guarded: [None, Some(&MARK)],
        marks_password: None,
        scheme: HeaderValue::from_static("https"),
        host: Some(HeaderValue::from_static("h")),
        request_id: HeaderValue::from_static("id"),
        traceparent: &|| HeaderValue::from_static("fresh"),
    };
    for (name, value) in prepare_request(&mut map, from, None).own {
        map.insert(name, value);
    }
    map
}

#[test]
fn a_trusted_peer_is_believed_and_added_to_the_chain() {
    let sent = [
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "outer"),
        ("traceparent", "theirs"),
    ];
    let map = prepared(&sent, true);
    assert_eq!(map["x-forwarded-for"], "1.2.3.4, 10.0.0.1, 192.0.2.9");
    assert_eq!(map["x-forwarded-proto"], "http");
    assert_eq!(map["x-forwarded-host"], "outer");
    assert_eq!(map["traceparent"], "theirs");
    let map = prepared(&sent, false);
    assert_eq!(map["x-forwarded-for"], "192.0.2.9");
    assert_eq!(map["x-forwarded-proto"], "https");
    assert_eq!(map["x-forwarded-host"], "h");
    assert_eq!(map["traceparent"], "fresh");
}

#[test]
fn only_a_trusted_peer_may_mark_a_password() {
    let sent = [("x-common-password", "1"), ("x_common_password", "1"), ("accept", "*/*")];
    let map = prepared(&sent, false);
    assert!(!map.contains_key("x-common-password") && !map.contains_key("x_common_password"));
    let map = prepared(&sent, true);
    assert!(map.contains_key("x-common-password") && !map.contains_key("x_common_password"));
}

#[test]
fn request_ids_are_accepted_only_in_a_harmless_form() {
    assert!(accepted_request_id(&headers(&[("x-request-id", "a.B_9-z")])).is_some());
    for bad in ["", "a b", "a\"b", "a;b", "a/b"] {
        assert!(accepted_request_id(&headers(&[("x-request-id", bad)])).is_none(), "{bad}");
    }
    let mut long = HeaderMap::new();
    long.insert("x-request-id", HeaderValue::from_str(&"a".repeat(129)).expect("a value"));
    assert!(accepted_request_id(&long).is_none());
}

#[test]
fn only_what_can_be_tunnelled_is_an_upgrade() {
    let upgrade = |connection, protocol| {
        upgrade_of(&headers(&[("connection", connection), ("upgrade", protocol)])).is_some()
    };
    assert!(upgrade("Upgrade", "websocket"));
    assert!(upgrade("keep-alive, upgrade", "websocket"));
    for (connection, protocol) in [
        ("keep-alive", "websocket"),
        ("upgrade", "h2c"),
        ("upgrade", "H2"),
        ("upgrade", "websocket, h2c"),
    ] {
        assert!(!upgrade(connection, protocol), "{connection} {protocol}");
    }
}

#[test]
fn trailers_that_come_too_late_to_matter_are_dropped() {
    let mut map = headers(&[
        ("grpc-status", "0"),
        ("content-length", "5"),
        ("transfer-encoding", "chunked"),
        ("host", "x"),
        ("authorization", "x"),
        ("set-cookie", "x"),
        ("x-forwarded-for", "x"),
    ]);
    prepare_trailers(&mut map);
    assert_eq!(map.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["grpc-status"]);
}
