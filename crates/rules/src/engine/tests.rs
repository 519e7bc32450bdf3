//! What engines get wrong: each row is a rule set, a request, and the rules that must hold.
//!
//! Every row runs twice, with the rules sieved and each asked of everything, and both must agree.

mod control;
mod exchange;
mod flow;
mod foreseen;
mod targets;
mod traps;
mod writing;

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;

use super::{Context, Engine, Transaction};
use crate::{head::Head, rule::Phase, rule_set::RuleSet, seclang::Texts};

const NOW_US: u64 = 1_700_000_000_000_000;

fn loaded(rules: &str) -> RuleSet {
    let files: Texts = [("a.conf", rules)].into_iter().collect();
    RuleSet::load(&["a.conf"], &files).unwrap_or_else(|error| panic!("{error}"))
}

fn context() -> Context<'static> {
    Context {
        now_us: NOW_US,
        remote: (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), 40_000),
        server: (IpAddr::V4(Ipv4Addr::LOCALHOST), 80),
        unique_id: "exchange-1",
        work_max: u64::MAX,
    }
}

fn begun(engine: &Engine) -> Transaction {
    engine.begin(&context())
}

/// Sends a request, whose lines may end with LF alone, and the backend's answer.
fn sent(engine: &Engine, request: &str, answer: &str) -> Transaction {
    let mut transaction = begun(engine);
    let head = Head::split(request.as_bytes());
    transaction.request_line(head.line, head.method, head.uri, head.protocol);
    for (name, value) in head.headers() {
        transaction.request_header(name, value);
    }
    transaction.run(Phase::RequestHeaders);
    if transaction.wants_request_body() {
        transaction.request_body(Bytes::copy_from_slice(head.rest), false);
    }
    transaction.run(Phase::RequestBody);
    if !answer.is_empty() && transaction.interruption().is_none() {
        let answer = Head::split(answer.as_bytes());
        transaction.response(200, b"HTTP/1.1", answer.headers());
        transaction.run(Phase::ResponseHeaders);
        if transaction.wants_response_body() {
            transaction.response_body(Bytes::copy_from_slice(answer.rest), false);
        }
        transaction.run(Phase::ResponseBody);
    }
    transaction.finish();
    transaction
}

/// What is told of an exchange: each logged hit with its data.
fn told(transaction: &Transaction) -> Vec<String> {
    let hits = transaction.hits().filter(|hit| hit.rule.about.is_logged);
    hits.map(|hit| {
        let data = hit.data().or_else(|| hit.message()).unwrap_or_default();
        format!("{} {}", hit.rule.id, data.escape_ascii()).trim_end().to_owned()
    })
    .collect()
}

/// Both ways of running the rules, which must tell the same.
#[track_caller]
fn run(rules: &str, request: &str, answer: &str) -> Transaction {
    let set = loaded(rules);
    let sieved = sent(&Engine::new(set.clone()), request, answer);
    let plain = sent(&Engine::plain(set), request, answer);
    assert_eq!(told(&sieved), told(&plain), "sieved and plain differ");
    assert_eq!(sieved.interruption(), plain.interruption());
    sieved
}

/// These rules hold, in this order, with these data.
#[track_caller]
fn check(rules: &str, request: &str, expected: &[&str]) {
    assert_eq!(told(&run(rules, request, "")), expected, "{rules}\n{request}");
}

/// A GET of this target.
fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\nHost: a.example\n\n")
}

/// A POST of a body of this media type.
fn post(media_type: &str, body: &str) -> String {
    format!("POST /p HTTP/1.1\nHost: a.example\nContent-Type: {media_type}\n\n{body}")
}
