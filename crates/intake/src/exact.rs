//! A recording through the engine, step by step in the order in which the gateway took the steps.
//!
//! Each exchange has two steps, decided and learnt, each with its number. Carried out in that
//! order, with the times that were recorded, they repeat the live run whatever the number of
//! workers was.

use std::collections::{BTreeMap, VecDeque};
use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use shield::policy::{Policy, Sources};
use shield::timeline::{self, Call};
use shield::{Decided, Engine, Pass, Patience};
use traffic::recording::{ExchangeLine, HeaderLine, OrderLine, VerdictPart};
use traffic::{EventId, Timestamp};

use crate::call;
use crate::reader::{Item, NotReadable, Recording};
use crate::replay::Output;

/// Steps that are read ahead while one is missing. Lines are written when an exchange ends: a long
/// download keeps its line back while thousands of others go by.
const AHEAD_MAX: usize = 65_536;

#[derive(Debug)]
enum Step {
    Decide(u64, Box<ExchangeLine>),
    Learn(Box<Underway>),
    Policy(Box<HeaderLine>),
    Order(u64, Box<OrderLine>),
}

#[derive(Debug)]
struct Underway {
    n: u64,
    line: Box<ExchangeLine>,
    pass: Box<Pass>,
    at: Timestamp,
}

/// Replays `first`, with what lies `between` its exchanges, and what follows in `recording`.
pub(crate) fn replay<R: BufRead>(
    engine: &Engine,
    between: Vec<Item>,
    first: Vec<(u64, Box<ExchangeLine>)>,
    recording: &mut Recording<R>,
    out: &mut Output<'_, '_>,
) -> Result<(), NotReadable> {
    let mut first = VecDeque::from(first);
    first.make_contiguous().sort_by_key(|(n, _)| *n);
    let mut steps: BTreeMap<u64, Step> = between.into_iter().filter_map(step_between).collect();
    let mut read = first.back().map_or(0, |(n, _)| *n);
    let mut next = 0;
    let mut is_over = false;
    loop {
        while !is_over && steps.len() < AHEAD_MAX && !steps.contains_key(&next) {
            is_over = !take_in(&mut first, recording, &mut steps, &mut read, out)?;
        }
        // A missing step was lost with its line: the replay goes on with the next there is.
        let Some((seq, step)) = steps.pop_first() else { return Ok(()) };
        engine.resume_at(seq);
        next = seq + 1;
        match step {
            Step::Decide(n, line) => {
                if let Some((learnt, underway)) = decide(engine, n, line, out) {
                    steps.insert(learnt, Step::Learn(Box::new(underway)));
                }
            }
            Step::Learn(underway) => learn(engine, *underway, out),
            Step::Policy(header) => change_policy(engine, &header, out),
            Step::Order(number, line) => carry_out(engine, number, *line, out),
        }
        out.check()?;
    }
}

/// Reads one line into `steps`. Gives whether there may be more.
fn take_in<R: BufRead>(
    first: &mut VecDeque<(u64, Box<ExchangeLine>)>,
    recording: &mut Recording<R>,
    steps: &mut BTreeMap<u64, Step>,
    read: &mut u64,
    out: &mut Output<'_, '_>,
) -> Result<bool, NotReadable> {
    let (n, line) = match first.pop_front() {
        Some(ahead) => ahead,
        None => match recording.next()? {
            None => return Ok(false),
            Some(Item::Skipped(skipped)) => {
                out.summary.skip(skipped);
                return Ok(true);
            }
            Some(item @ (Item::Header(_) | Item::Order(..))) => {
                steps.extend(step_between(item));
                return Ok(true);
            }
            Some(Item::Exchange(number, line)) => {
                *read += 1;
                out.number(*read, number);
                (*read, line)
            }
        },
    };
    match line.seq.as_ref().and_then(|seq| seq.first()).copied() {
        Some(seq) => {
            steps.insert(seq, Step::Decide(n, line));
        }
        None => out.skip(n, "seq: others in this recording have one, this has none".to_owned()),
    }
    Ok(true)
}

/// The step that lies between those of exchanges.
fn step_between(item: Item) -> Option<(u64, Step)> {
    match item {
        Item::Header(header) => Some((header.seq.unwrap_or(0), Step::Policy(header))),
        Item::Order(number, line) => Some((line.seq, Step::Order(number, line))),
        Item::Exchange(..) | Item::Skipped(_) => None,
    }
}

/// Takes the first step of an exchange; what is to be learnt, and when, if it was forwarded.
fn decide(
    engine: &Engine,
    n: u64,
    line: Box<ExchangeLine>,
    out: &mut Output<'_, '_>,
) -> Option<(u64, Underway)> {
    let (call, at) = match (call::call(&line), call::time(&line)) {
        (Ok(call), Ok(Some(at))) => (call, at),
        (Err(error), _) | (_, Err(error)) => {
            out.skip(n, error.to_string());
            return None;
        }
        (_, Ok(None)) => {
            out.skip(n, "time: an exchange with seq needs the time it was decided at".to_owned());
            return None;
        }
    };
    let mut pass = open(engine, &call, n, at);
    let decided = engine.decide(&mut pass, at, Patience::Last);
    let seq = line.seq.as_ref().and_then(|seq| seq.get(1)).copied();
    match (decided, seq) {
        (Decided::Forward, Some(learnt)) => Some((learnt, Underway { n, line, pass, at })),
        (Decided::Forward | Decided::Hold | Decided::Refuse(..), _) => {
            let endpoint = pass.endpoint().map(|id| engine.label(id));
            let verdict = pass.verdict().cloned().unwrap_or_default();
            out.answered(n, &line, VerdictPart::new(&verdict, endpoint));
            None
        }
    }
}

fn open(engine: &Engine, call: &Call, n: u64, at: Timestamp) -> Box<Pass> {
    timeline::open(engine, call, EventId(u128::from(at.as_micros()) << 64 | u128::from(n)))
}

/// Takes the second step of an exchange.
fn learn(engine: &Engine, underway: Underway, out: &mut Output<'_, '_>) {
    let Underway { n, line, pass, at } = underway;
    let verdict = pass.verdict().cloned().unwrap_or_default();
    let reply = match line.response.as_ref().map(call::reply).transpose() {
        Ok(reply) => reply,
        Err(error) => {
            out.skip(n, error.to_string());
            return;
        }
    };
    let after = reply.as_ref().map_or(Duration::ZERO, |reply| reply.after);
    let learnt = timeline::learn(engine, pass, reply.as_ref(), at.after(after));
    let endpoint = learnt.endpoint.map(|id| engine.label(id));
    let verdict = learnt.verdict.unwrap_or(verdict);
    out.answered(n, &line, VerdictPart::new(&verdict, endpoint));
}

/// The policy changed while recording: from here on it holds.
fn change_policy(engine: &Engine, header: &HeaderLine, out: &mut Output<'_, '_>) {
    match policy_of(header) {
        Ok(mut policy) => {
            // Rules are files: whoever began the replay read them.
            if let Some(rulebook) = engine.policy().rulebook() {
                policy.arm(Arc::clone(rulebook));
            }
            engine.set_policy(policy);
        }
        Err(reason) => out.summary.skip(crate::summary::Skipped { line: 0, reason }),
    }
}

/// An operator ordered something while recording.
fn carry_out(engine: &Engine, number: u64, line: OrderLine, out: &mut Output<'_, '_>) {
    match line.time.parse::<Timestamp>() {
        Ok(at) => engine.carry_out(line.order, at),
        Err(error) => {
            let reason = format!("time: {error}");
            out.summary.skip(crate::summary::Skipped { line: number, reason });
        }
    }
}

/// The policy that a header carries.
pub fn policy_of(header: &HeaderLine) -> Result<Policy, String> {
    let sources = Sources {
        file: header.policy.as_deref().map(|text| ("the recording's policy", text)),
        overlay: header.overlay.as_deref().map(|text| ("the recording's overlay", text)),
        ..Sources::default()
    };
    let told = |errors: Vec<shield::policy::PolicyError>| {
        errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    shield::policy::load(&sources).map(|(policy, _)| policy).map_err(told)
}
