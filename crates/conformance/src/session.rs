//! A test's requests, sent through the gateway's framing and the rules to the tests' backend.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use gateway::framing::{BodyFraming, HeadLimits, HeadScanner, HeadStep};
use rules::{
    engine::{Context, Engine, Transaction},
    head::Head,
    rule::Phase,
};

use crate::{backend, chunks, log, request, suite::Test};

/// What was seen of a stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The answer's status, the framing's if it refuses the request.
    pub(crate) status: u16,
    /// The rules that held and are logged.
    pub(crate) ids: Vec<u64>,
    /// A line for each of them.
    pub(crate) log: Vec<u8>,
}

/// Runs a test's stages.
pub(crate) fn run(engine: &Engine, test: &Test) -> Vec<Seen> {
    let stages = test.stages.iter();
    let raw = stages.map(|stage| request::serialise(&stage.input));
    let mut spare = None;
    raw.map(|raw| {
        let (transaction, status) = exchange(engine, spare.take(), &raw, &test.name);
        let seen = seen(&transaction, status);
        spare = Some(transaction);
        seen
    })
    .collect()
}

/// The bytes of a request, sent through the gateway's framing and the rules to the tests' backend;
/// the exchange as the rules saw it, in the memory of one that has ended if there is one, and the
/// answer's status.
#[must_use]
pub fn exchange(
    engine: &Engine,
    spare: Option<Transaction>,
    raw: &[u8],
    name: &str,
) -> (Transaction, u16) {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let context = Context {
        now_us: 1_700_000_000_000_000,
        remote: (loopback, 40_000),
        server: (loopback, 80),
        unique_id: name,
        work_max: u64::MAX,
    };
    let mut transaction = match spare {
        None => engine.begin(&context),
        Some(mut spare) => {
            spare.reset(engine, &context);
            spare
        }
    };
    let limits = HeadLimits::default();
    let (refused, framing) = match HeadScanner::default().step(raw, &limits) {
        HeadStep::Complete { head, .. } => (None, head.body),
        HeadStep::Refused(refusal) => (Some(refusal.status()), BodyFraming::None),
        HeadStep::More => (Some(400), BodyFraming::None),
    };
    let head = Head::split(raw);
    transaction.request_line(head.line, head.method, head.uri, head.protocol);
    for (name, value) in head.headers() {
        transaction.request_header(name, value);
    }
    transaction.run(Phase::RequestHeaders);
    let body = match framing {
        BodyFraming::Length(length) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            Bytes::copy_from_slice(head.rest.get(..length).unwrap_or(head.rest))
        }
        BodyFraming::Chunked => chunks::joined(head.rest).into(),
        BodyFraming::None => {
            Bytes::copy_from_slice(if refused.is_some() { head.rest } else { b"" })
        }
    };
    if transaction.wants_request_body() {
        transaction.request_body(body.clone(), false);
    }
    transaction.run(Phase::RequestBody);
    let status = transaction.interruption().map(|it| it.status).or(refused);
    let status = status.unwrap_or_else(|| respond(&mut transaction, &head, &body));
    transaction.finish();
    (transaction, status)
}

/// The backend's answer under the rules.
fn respond(transaction: &mut Transaction, head: &Head<'_>, body: &[u8]) -> u16 {
    let path = head.uri.split(|byte| *byte == b'?').next().unwrap_or_default();
    let answer = backend::answer(head.method, path, body);
    let headers = answer.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    transaction.response(answer.status, b"HTTP/1.1", headers);
    transaction.run(Phase::ResponseHeaders);
    if transaction.wants_response_body() {
        transaction.response_body(answer.body.into(), false);
    }
    transaction.run(Phase::ResponseBody);
    transaction.interruption().map_or(answer.status, |it| it.status)
}

fn seen(transaction: &Transaction, status: u16) -> Seen {
    let mut seen = Seen { status, ..Seen::default() };
    for hit in transaction.hits().filter(|hit| hit.rule.about.is_logged) {
        seen.ids.push(hit.rule.id);
        seen.log.extend_from_slice(&log::line(&hit));
        seen.log.push(b'\n');
    }
    seen
}
