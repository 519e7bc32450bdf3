//! Tests of single requests: that a recording of one gives the caller that was seen live, and
//! that it gives nothing else.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use proptest::prelude::*;
use traffic::HashKey;

use super::*;
use crate::credential::claims::recorded_claims;
use crate::credential::recorded_header;

const KEY: HashKey = HashKey::new([4; 16]);
const JWT: &str =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiIsImVtYWlsIjoiQWRhQEV4YW1wbGUuY29tIn0.c2lnbmF0dXJl";

fn map(headers: &[(&str, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}

fn head<'a>(headers: &'a HeaderMap, target: &'a str) -> Head<'a> {
    Head {
        method: &Method::GET,
        target: target.as_bytes(),
        version: Version::HTTP_11,
        authority: "api.example.com",
        headers,
        raw: None,
    }
}

/// The same request as a recording has it.
fn recorded(headers: &HeaderMap) -> HeaderMap {
    let hasher = Hasher::new(KEY);
    let written = headers.iter().map(|(name, value)| {
        let value = value.as_bytes();
        let plain = || String::from_utf8_lossy(value).into_owned();
        (
            name.as_str(),
            recorded_header(name, value, &hasher).unwrap_or_else(plain),
        )
    });
    map(&written.collect::<Vec<_>>())
}

#[track_caller]
fn check_replay(headers: &[(&str, String)], secrets: &[&str]) {
    let peer = Peer::plain("198.51.100.7".parse().unwrap());
    let trust = Trust::default();
    let headers = map(headers);
    let hasher = Hasher::new(KEY);
    let live = sight(&head(&headers, "/a"), &peer, &trust, &hasher, None);
    let claims = recorded_claims(&head(&headers, "/a"), &hasher);

    let written = recorded(&headers);
    let text = format!("{written:?} {claims:?}");
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let replay_hasher = Hasher::for_recording(KEY);
    let replay = sight(
        &head(&written, "/a"),
        &peer,
        &trust,
        &replay_hasher,
        Some(&claims),
    );
    assert_eq!(replay.credentials, live.credentials, "{written:?}");
    assert_eq!((replay.claims, replay.device), (live.claims, live.device));
    assert!(!live.credentials.is_empty());
}

#[test]
fn a_recording_gives_the_same_caller_and_none_of_the_secrets() {
    let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
    check_replay(&bearer(JWT), &["c2lnbmF0dXJl", "eyJzdWIi", "Ada"]);
    check_replay(&bearer("x7Kq2vN9pLm4Rt8Yw3Zb"), &["x7Kq2vN9"]);
    check_replay(&bearer(&"Qz9".repeat(300)), &["Qz9Qz9"]);
    check_replay(
        &[("authorization", "Basic QWRhOnNlc2FtZQ==".to_owned())],
        &["QWRh", "sesame"],
    );
    check_replay(
        &[("authorization", "hunter2hunter2".to_owned())],
        &["hunter2"],
    );
    check_replay(
        &[("x-api-key", "k-1234567890".to_owned())],
        &["k-1234567890"],
    );
    let cookies = format!(
        "lang=en; sid=s%3Ax7Kq2vN9pLm4Rt8Yw3Zb.abc/def; id=6f1c2f0e-8f1c-4a9b-9d3e-3f6d1f0a7b21; t={JWT}"
    );
    check_replay(
        &[("cookie", cookies)],
        &["x7Kq2vN9", "6f1c2f0e", "c2lnbmF0dXJl"],
    );
    check_replay(&[("cookie", "password=abc; a=b".to_owned())], &["abc"]);
}

#[test]
fn cookies_that_are_set_are_recorded_without_their_values() {
    let check = |line: &str, expected: &str| {
        let name = http::header::SET_COOKIE;
        let written = recorded_header(&name, line.as_bytes(), &Hasher::new(KEY)).unwrap();
        assert!(
            written.starts_with(expected) && !written.contains("x7Kq"),
            "{written}"
        );
        assert_eq!(written.ends_with("; Path=/"), line.ends_with("; Path=/"));
    };
    check("sid=x7Kq2vN9pLm4Rt8Yw3Zb; Path=/", "sid=~token:");
    check("lang=en; Path=/", "lang=en");
    check("sid=; Path=/", "sid=;");
    check("x7Kq2vN9pLm4Rt8Yw3Zb", "~token:");
}

#[test]
fn live_callers_cannot_claim_a_recorded_hash() {
    let hasher = Hasher::new(KEY);
    let secret = "x7Kq2vN9pLm4Rt8Yw3Zb";
    let digest = hasher.hash(secret.as_bytes());
    let headers = map(&[("authorization", format!("Bearer ~token:{digest}:20"))]);
    let peer = Peer::plain("198.51.100.7".parse().unwrap());
    let live = sight(
        &head(&headers, "/"),
        &peer,
        &Trust::default(),
        &hasher,
        None,
    );
    assert_ne!(live.credentials[0].value, digest);
}

#[test]
fn keys_in_the_query_are_seen_and_random_parameters_are_not() {
    let headers = HeaderMap::new();
    let peer = Peer::plain("198.51.100.7".parse().unwrap());
    let count = |target: &str| {
        let head = head(&headers, target);
        sight(&head, &peer, &Trust::default(), &Hasher::new(KEY), None)
            .credentials
            .len()
    };
    assert_eq!(count("/a?api_key=x7Kq2vN9pLm4Rt8Yw3Zb&page=2"), 1);
    assert_eq!(count("/a?cursor=x7Kq2vN9pLm4Rt8Yw3Zb&page=2"), 0);
    assert_eq!(count("/a"), 0);
}

#[test]
fn devices_differ_by_program_version_language_and_tls() {
    let device = |agent: &str, language: &str, ja4: Option<&str>| {
        let headers = map(&[
            ("user-agent", agent.to_owned()),
            ("accept-language", language.to_owned()),
        ]);
        let mut peer = Peer::plain("198.51.100.7".parse().unwrap());
        peer.ja4 = ja4.map(Into::into);
        sight(
            &head(&headers, "/"),
            &peer,
            &Trust::default(),
            &Hasher::new(KEY),
            None,
        )
        .device
    };
    let base = device("Mozilla/5.0 Firefox/127.0", "de-DE,de;q=0.9", None);
    assert_eq!(
        device("Mozilla/5.0 Firefox/127.9", "de-DE,fr;q=0.1", None),
        base
    );
    assert_ne!(device("Mozilla/5.0 Firefox/128.0", "de-DE", None), base);
    assert_ne!(device("Mozilla/5.0 Firefox/127.0", "en", None), base);
    assert_ne!(
        device("Mozilla/5.0 Firefox/127.0", "de-DE", Some("t13d")),
        base
    );
    assert_ne!(device("one/1", "de", None), device("two/1", "de", None));
}

proptest! {
    #[test]
    fn hostile_requests_never_panic(
        cookie in "[ -~]{0,300}", authorization in "[ -~]{0,100}", target in "[!-~]{0,100}",
    ) {
        let headers = map(&[("cookie", cookie), ("authorization", authorization)]);
        let peer = Peer::plain("198.51.100.7".parse().unwrap());
        let hasher = Hasher::new(KEY);
        let head = head(&headers, &target);
        let sighting = sight(&head, &peer, &Trust::default(), &hasher, None);
        prop_assert!(sighting.credentials.len() <= 16);
        let _ = recorded_claims(&head, &hasher);
    }

    #[test]
    fn any_cookie_header_replays_to_the_same_credentials(cookie in "[ -:<-~]{1,80}=[!-:<-~]{1,80}") {
        let headers = map(&[("cookie", cookie)]);
        let peer = Peer::plain("198.51.100.7".parse().unwrap());
        let values = |headers: &HeaderMap, hasher: &Hasher| {
            let head = head(headers, "/");
            let seen = sight(&head, &peer, &Trust::default(), hasher, None);
            seen.credentials.iter().map(|one| (one.value, one.bits, one.is_jwt)).collect::<Vec<_>>()
        };
        let live = values(&headers, &Hasher::new(KEY));
        prop_assert_eq!(values(&recorded(&headers), &Hasher::for_recording(KEY)), live);
    }
}
