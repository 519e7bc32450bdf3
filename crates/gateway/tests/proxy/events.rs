//! Every request that is not forwarded has an event, under the ID that its caller got.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use gateway::Settings;
use traffic::Event;

use crate::support::{Origin, PATIENCE, Proxy, settings, with_policy, with_site};

/// Events as they were told.
pub(crate) type Events = Arc<Mutex<Vec<Event>>>;

/// A gateway, and the events that it tells.
pub(crate) fn watched(
    tls: Option<Arc<rustls::ServerConfig>>,
    settings: Settings,
) -> (Proxy, Events) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&events);
    let events_to: gateway::EventSink = Arc::new(move |event| sink.lock().unwrap().push(event));
    (Proxy::over(tls, Settings { events: events_to, ..settings }), events)
}

pub(crate) fn find(events: &Mutex<Vec<Event>>, id: &str) -> Event {
    let until = std::time::Instant::now() + PATIENCE;
    loop {
        if let Some(event) = events.lock().unwrap().iter().find(|event| event.id.to_string() == id)
        {
            return event.clone();
        }
        assert!(std::time::Instant::now() < until, "no event {id}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn id_in(answer: &str) -> String {
    answer.split("palisade-event: ").nth(1).unwrap().split('\r').next().unwrap().to_owned()
}

#[test]
fn refused_heads_bodies_and_dead_upstreams_are_written_down() {
    let (proxy, events) = watched(None, settings("http://127.0.0.1:1"));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET /%41 HTTP/1.1\r\nHost: h\r\nX: secret-canary\x01\r\n\r\n", 400),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            400,
        ),
        ("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 502),
    ] {
        let answer = proxy.all(request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        let event = find(&events, &id_in(&answer));
        assert_eq!(event.status, status, "{request}");
        assert_eq!(event.client, "127.0.0.1");
        assert!(!format!("{event:?}").contains("secret-canary"));
    }
}

#[test]
fn bodies_over_the_limit_of_the_policy_are_413() {
    let origin = Origin::echo();
    let limits = "[limits]\nbody_bytes = \"10KiB\"\n";
    let (proxy, events) = watched(None, with_policy(&origin.url(), limits));
    let big = "x".repeat(20_000);
    for (kind, framing) in [
        ("application/json", format!("Content-Length: 20000\r\n\r\n{big}")),
        (
            "application/json",
            format!("Transfer-Encoding: chunked\r\n\r\n4e20\r\n{big}\r\n0\r\n\r\n"),
        ),
        ("image/png", format!("Transfer-Encoding: chunked\r\n\r\n4e20\r\n{big}\r\n0\r\n\r\n")),
    ] {
        let answer =
            proxy.all(format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: {kind}\r\n{framing}"));
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        assert_eq!(find(&events, &id_in(&answer)).status, 413);
    }
    assert_eq!(origin.seen(), 0);
}

#[test]
fn too_many_at_a_time_wait_and_then_are_told_to_come_again() {
    let origin = Origin::start(|mut served| {
        while served.request().is_some() {
            std::thread::sleep(Duration::from_millis(2500));
            served.answer(200, "slow");
        }
    });
    let settings = Settings { requests_max: 1, ..settings(&origin.url()) };
    let (proxy, events) = watched(None, settings);
    let mut callers: Vec<_> = (0..8).map(|_| proxy.connect()).collect();
    for caller in &mut callers {
        caller.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    let answers: Vec<_> = callers.iter_mut().map(|caller| caller.answer()).collect();
    let served = answers.iter().filter(|answer| answer.text() == "slow").count();
    assert_eq!(served, 1, "{answers:?}");
    let mut counts = std::collections::BTreeMap::new();
    for answer in answers.iter().filter(|answer| answer.text() != "slow") {
        assert_eq!((answer.status(), answer.header("retry-after")), (503, Some("1")));
        let id = answer.header("palisade-event").unwrap();
        let event = find(&events, id);
        assert_eq!(event.status, 503);
        counts.insert(id.to_owned(), event.count);
    }
    // Many share an event, and none is left out of its count.
    assert!(counts.len() < 7, "{counts:?}");
    assert_eq!(counts.values().sum::<u32>(), 7, "{counts:?}");
}

#[test]
fn probes_are_answered_by_number_and_forwarded_by_name() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    for path in ["/livez", "/readyz"] {
        caller.write(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"));
        assert_eq!(caller.answer().text(), "ok\n");
        caller.write(format!("GET {path} HTTP/1.1\r\nHost: api.example.com\r\n\r\n"));
        assert!(caller.answer().text().starts_with(&format!("GET {path} HTTP/1.1")));
    }
    assert_eq!(origin.seen(), 2);
}

#[test]
fn a_host_that_no_site_names_is_misdirected() {
    let origin = Origin::echo();
    let mut settings = settings(&origin.url());
    settings.sites = gateway::Sites::default();
    let (proxy, events) = watched(None, settings);
    let answer = proxy.all("GET / HTTP/1.1\r\nHost: other\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
    assert_eq!(find(&events, &id_in(&answer)).status, 421);
}

#[test]
fn a_trusted_proxy_answers_for_nobody_who_hides_behind_it() {
    let origin = Origin::echo();
    let server = "[server]\ntrusted_proxies = [\"127.0.0.0/8\"]\n";
    let proxy = Proxy::with(with_site(&origin.url(), server, "mode = \"enforce\"\n"));
    let mut caller = proxy.connect();
    let mut ask = |target: &str, header: &str| {
        caller.write(format!("GET {target} HTTP/1.1\r\nHost: h\r\n{header}\r\n"));
        caller.answer().status()
    };
    for n in 0..30 {
        assert_eq!(ask("/.env", &format!("X-Forwarded-For: 1.2.3.4, {n}junk\r\n")), 403);
    }
    // The proxy's own health check, and its other callers.
    assert_eq!(ask("/health", ""), 200);
    assert_eq!(ask("/", "X-Forwarded-For: 192.0.2.7\r\n"), 200);
    // One that can be told is blocked as ever.
    assert_eq!(ask("/.env", "X-Forwarded-For: 192.0.2.9\r\n"), 403);
    assert_eq!(ask("/", "X-Forwarded-For: 192.0.2.9\r\n"), 403);
}

#[test]
fn trusted_proxies_speak_for_others() {
    let origin = Origin::echo();
    let server = "[server]\ntrusted_proxies = [\"127.0.0.0/8\"]\n";
    let proxy = Proxy::with(with_policy(&origin.url(), server));
    let mut caller = proxy.connect();
    caller.write(
        "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.2.3.4\r\nX-Request-Id: mine-1\r\n\r\n",
    );
    let answer = caller.answer();
    assert_eq!(answer.header("x-request-id"), Some("mine-1"));
    let text = answer.text();
    assert!(text.contains("x-forwarded-for: 1.2.3.4, 127.0.0.1\n"), "{text}");
    assert!(text.contains("x-request-id: mine-1\n"), "{text}");
}
