//! Who counts as a caller of an endpoint.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Version, header};
use shield::timeline::{self, Call, Reply};
use shield::{Engine, Patience, Settings, policy};
use traffic::head::Scheme;
use traffic::{EventId, HashKey, Peer, Timestamp};

/// How many callers `GET /orders` has after requests from these addresses with these tokens, each
/// answered with a status.
fn callers(requests: impl IntoIterator<Item = (u32, Option<String>, u16)>) -> u64 {
    let flags = policy::Flags {
        to: Some("http://127.0.0.1:9".to_owned()),
        mode: Some(traffic::Mode::Monitor),
        ..policy::Flags::default()
    };
    let sources = policy::Sources { flags, ..policy::Sources::default() };
    let (policy, _) = policy::load(&sources).expect("a policy");
    let engine = Arc::new(Engine::new(Settings {
        policy,
        key: HashKey::new(*b"the test's keys."),
        reads_redacted: false,
        table_bytes: 2 << 20,
        recorder: None,
    }));
    let mut now = Timestamp::from_micros(1_790_000_000_000_000);
    for (number, (from, token, status)) in (0_u128..).zip(requests) {
        now = now.after(Duration::from_secs(20));
        let mut pass = timeline::open(&engine, &call(from, token), EventId(number));
        engine.decide(&mut pass, now, Patience::Last);
        drop(timeline::learn(&engine, pass, Some(&reply(status)), now));
    }
    let endpoints = engine.endpoints();
    let [endpoint] = endpoints.as_slice() else { panic!("{endpoints:?}") };
    endpoint.callers
}

fn call(from: u32, token: Option<String>) -> Call {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("api.shop.example"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Shop/4.2 (iPhone; iOS 18.1)"));
    if let Some(token) = token {
        let value = HeaderValue::from_str(&format!("Bearer {token}")).expect("a value");
        headers.insert(header::AUTHORIZATION, value);
    }
    Call {
        peer: Peer {
            address: IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + from)),
            scheme: Scheme::default(),
            ja4: None,
            h2_settings: None,
        },
        method: Method::GET,
        target: b"/orders".to_vec(),
        version: Version::HTTP_11,
        authority: "api.shop.example".to_owned(),
        headers,
        body: Vec::new(),
        is_complete: true,
        claims: std::collections::BTreeMap::new(),
        rules: Default::default(),
        common_password: false,
    }
}

fn reply(status: u16) -> Reply {
    let body = Some(br#"{"id":123,"name":"hat","total":12.5}"#.to_vec());
    let (headers, is_complete, length) = (HeaderMap::new(), true, None);
    Reply { status, headers, body, is_complete, length, after: Duration::from_millis(5) }
}

fn token(n: u32) -> String {
    format!("{:032x}", u128::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

#[test]
fn many_addresses_with_one_browser_are_many_callers() {
    let counted = callers((0..200).map(|n| (n, None, 200)));
    assert!((180..=220).contains(&counted), "{counted} of 200");
}

#[test]
fn one_address_with_one_browser_is_one_caller() {
    assert_eq!(callers((0..200).map(|_| (7, None, 200))), 1);
}

#[test]
fn credentials_that_are_refused_are_no_callers_of_their_own() {
    let refused = (0..200).map(|n| (7, Some(token(n)), 401));
    assert_eq!(callers([(7, None, 200)].into_iter().chain(refused)), 1);
}

#[test]
fn a_caller_who_moves_is_one_and_callers_who_share_an_address_are_many() {
    // Of a credential's first use nobody knows yet whom it speaks for.
    let moves = callers((0..60).map(|n| (n % 4, Some(token(1)), 200)));
    assert!(moves <= 2, "{moves}");
    // From many addresses, and given to no account, it is an application's: all who use it.
    let all = callers((0..60).map(|n| (n, Some(token(1)), 200)));
    assert!((45..=60).contains(&all), "{all} of 60");
    let shares = callers((0..120).map(|n| (7, Some(token(n % 40)), 200)));
    assert!((36..=44).contains(&shares), "{shares} of 40");
}
