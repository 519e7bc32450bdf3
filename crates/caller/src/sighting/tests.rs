//! Tests of single requests: that a recording of one gives the caller that was seen live, and
//! that it gives nothing else.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use proptest::prelude::*;
use traffic::{HashKey, scrub};

use super::*;
use crate::credential::claims::recorded_claims;

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
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.as_str(), scrub::header(name.as_str(), &value, &hasher))
    });
    map(&written.collect::<Vec<_>>())
}

#[track_caller]
fn check_replay(headers: &[(&str, String)], secrets: &[&str]) {
    let peer = Peer::plain("198.51.100.7".parse().unwrap());
    let trust = Trust::default();
    let headers = map(headers);
    let hasher = Hasher::new(KEY);
    let live = sight(&head(&headers, "/a"), &peer, &trust, &hasher, None, &Readings::default());
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
        &Readings::default(),
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
        &[("authorization", "Basic QWRhOnNlc2FtZTQ3MTF4".to_owned())],
        &["QWRh", "sesame"],
    );
    check_replay(&[("authorization", "hunter2hunter2".to_owned())], &["hunter2"]);
    check_replay(&[("x-api-key", "k-1234567890".to_owned())], &["k-1234567890"]);
    let cookies = format!(
        "lang=en; sid=s%3Ax7Kq2vN9pLm4Rt8Yw3Zb.abc/def; id=6f1c2f0e-8f1c-4a9b-9d3e-3f6d1f0a7b21; t={JWT}"
    );
    check_replay(&[("cookie", cookies)], &["x7Kq2vN9", "6f1c2f0e", "c2lnbmF0dXJl"]);
    let jar = "password=abc; sid=x7Kq2vN9pLm4Rt8Yw3Zb; t=6f1c2f0e-8f1c-4a9b-9d3e-3f6d1f0a7b21";
    check_replay(&[("cookie", jar.to_owned())], &["abc", "x7Kq2vN9", "6f1c2f0e"]);
}

#[test]
fn live_callers_cannot_claim_a_recorded_hash() {
    let hasher = Hasher::new(KEY);
    let secret = "x7Kq2vN9pLm4Rt8Yw3Zb";
    let digest = hasher.hash(secret.as_bytes());
    let headers = map(&[("authorization", format!("Bearer ~token:{digest}:20"))]);
    let peer = Peer::plain("198.51.100.7".parse().unwrap());
    let live =
        sight(&head(&headers, "/"), &peer, &Trust::default(), &hasher, None, &Readings::default());
    assert_ne!(live.credentials[0].value, digest);
}

#[test]
fn keys_in_the_query_are_seen_and_random_parameters_are_not() {
    let headers = HeaderMap::new();
    let peer = Peer::plain("198.51.100.7".parse().unwrap());
    let count = |target: &str| {
        let head = head(&headers, target);
        sight(&head, &peer, &Trust::default(), &Hasher::new(KEY), None, &Readings::default())
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
        let headers =
            map(&[("user-agent", agent.to_owned()), ("accept-language", language.to_owned())]);
        let mut peer = Peer::plain("198.51.100.7".parse().unwrap());
        peer.ja4 = ja4.map(Into::into);
        sight(
            &head(&headers, "/"),
            &peer,
            &Trust::default(),
            &Hasher::new(KEY),
            None,
            &Readings::default(),
        )
        .device
    };
    let base = device("Mozilla/5.0 Firefox/127.0", "de-DE,de;q=0.9", None);
    assert_eq!(device("Mozilla/5.0 Firefox/127.9", "de-DE,fr;q=0.1", None), base);
    assert_ne!(device("Mozilla/5.0 Firefox/128.0", "de-DE", None), base);
    assert_ne!(device("Mozilla/5.0 Firefox/127.0", "en", None), base);
    assert_ne!(device("Mozilla/5.0 Firefox/127.0", "de-DE", Some("t13d")), base);
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
        let sighting = sight(&head, &peer, &Trust::default(), &hasher, None, &Readings::default());
        prop_assert!(sighting.credentials.len() <= 16);
        let _ = recorded_claims(&head, &hasher);
    }

    #[test]
    fn any_cookie_header_replays_to_the_same_credentials(cookie in "[ -:<-~]{1,80}=[!-:<-~]{1,80}") {
        let headers = map(&[("cookie", cookie)]);
        let peer = Peer::plain("198.51.100.7".parse().unwrap());
        let values = |headers: &HeaderMap, hasher: &Hasher| {
            let head = head(headers, "/");
            let seen = sight(&head, &peer, &Trust::default(), hasher, None, &Readings::default());
            seen.credentials.iter().map(|one| (one.value, one.bits, one.is_jwt)).collect::<Vec<_>>()
        };
        let live = values(&headers, &Hasher::new(KEY));
        prop_assert_eq!(values(&recorded(&headers), &Hasher::for_recording(KEY)), live);
    }
}

#[test]
fn what_is_issued_and_attempted_is_the_same_in_a_replay() {
    let hasher = Hasher::new(KEY);
    let replay = Hasher::for_recording(KEY);
    let peer = Peer::plain("198.51.100.7".parse().unwrap());
    let none = HeaderMap::new();
    let sighting = sight(
        &head(&none, "/login"),
        &peer,
        &Trust::default(),
        &hasher,
        None,
        &Readings::default(),
    );
    for body in [
        r#"{"email":"Ada@Example.com","password":"hunter2hunter2"}"#,
        r#"{"user":"4111111111111111","password":"x"}"#,
        r#"{"login":"ada x7Kq2vN9pLm4Rt8Yw3Zb","pin":1234}"#,
        r#"{"token":"x7Kq2vN9pLm4Rt8Yw3Zb","key":"6f1c2f0e-8f1c-4a9b-9d3e-3f6d1f0a7b21"}"#,
        r#"{"session_expires_at":"2026-11-23T12:00:00Z","token":"2026-11-23T12:00:00Z"}"#,
        r#"{"sessionId":"short","jwt":"one two three four five six"}"#,
    ] {
        let read = |text: &str| {
            let mut fields = traffic::Fields::default();
            traffic::json::read(text.as_bytes(), &mut fields);
            fields
        };
        let written =
            read(&scrub::body(body.as_bytes(), traffic::media::Media::Json, &hasher).unwrap());
        let live = read(body);
        let attempted = crate::attempted(&live, &sighting, &hasher);
        assert_eq!(crate::attempted(&written, &sighting, &replay), attempted, "{body}");

        let cookies = map(&[("set-cookie", "sid=x7Kq2vN9pLm4Rt8Yw3Zb; Path=/".to_owned())]);
        let answer = |headers| traffic::AnswerHead { status: 200, headers };
        let issued = crate::issued_credentials(&answer(&cookies), &live, &hasher);
        let again = crate::issued_credentials(&answer(&recorded(&cookies)), &written, &replay);
        assert_eq!(again, issued, "{body}");
    }
}
