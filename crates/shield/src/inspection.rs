//! What rules find in one exchange.
//!
//! The head is taken in when the pass is opened, the body when it was read, and the rules run just
//! before the decision: outside the lock, once, under a budget. Answers: see [`answer`]. What is
//! found is kept in the words of the ledger, with secrets masked, since the bytes themselves are
//! soon gone.

mod answer;
mod told;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use conduct::Certainty;
use rules::engine::{Context, Interruption, Transaction};
use rules::rule::Phase;
use traffic::event::EventRule;
use traffic::{EventId, Hasher, Head, ParamKind, Timestamp};

use crate::policy::Blocking;
use crate::rulebook::{Rulebook, Worth};
use told::{arguments_of, told};

/// So many matches are kept of a request; the rest are counted.
const FOUND_MAX: usize = 32;

/// The rules' part of a pass.
#[derive(Debug)]
pub(crate) struct Inspection {
    rulebook: Arc<Rulebook>,
    transaction: Box<Transaction>,
    stage: Stage,
    /// What the request had cost when its answer came.
    spent: u64,
    /// How much of the answer's body is looked at.
    answer_bytes: Option<usize>,
    is_cut_short: bool,
    /// What was found in the request.
    pub(crate) request: Findings,
    /// What was found in its answer.
    pub(crate) answer: Findings,
}

/// How far the rules have looked.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Stage {
    Opened,
    Request,
    AnswerHead,
    AnswerBody,
    Ended,
}

/// What rules found in a request, or in an answer.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What was found, the most certain first.
    pub(crate) found: Vec<Found>,
    /// The rule that denies, whatever else is known.
    pub(crate) order: Option<u64>,
}

/// A rule that matched.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The rule.
    pub(crate) rule: u64,
    /// How sure it is.
    pub(crate) certainty: Certainty,
    /// What it adds to the score.
    pub(crate) points: f32,
    /// How it is told.
    pub(crate) told: EventRule,
    /// What it was found in, when that were arguments alone: their names and kinds.
    pub(crate) arguments: Vec<(String, ParamKind)>,
}

/// Who calls, for rules that ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    pub(crate) id: EventId,
    pub(crate) client: IpAddr,
}

impl Inspection {
    /// Takes in the head of a request.
    pub(crate) fn begin(rulebook: &Arc<Rulebook>, head: &Head<'_>, of: Circumstances) -> Self {
        let mut inspection = Self::empty(rulebook, of);
        match head.raw {
            Some(raw) => read_raw(&mut inspection.transaction, raw),
            None => read_parsed(&mut inspection.transaction, head),
        }
        inspection
    }

    /// Takes in what came of a request that is no proper one.
    pub(crate) fn of_refused(rulebook: &Arc<Rulebook>, raw: &[u8], of: Circumstances) -> Self {
        let mut inspection = Self::empty(rulebook, of);
        let head = rules::head::Head::split(raw);
        let transaction = &mut inspection.transaction;
        transaction.request_line(head.line, head.method, head.uri, head.protocol);
        for (name, value) in head.headers() {
            transaction.request_header(name, value);
        }
        inspection.body(head.rest, true);
        inspection
    }

    fn empty(rulebook: &Arc<Rulebook>, of: Circumstances) -> Self {
        let id = of.id.to_string();
        let context = Context {
            now_us: 0,
            remote: (of.client, 0),
            server: (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            unique_id: &id,
            work_max: rulebook.work_max(0),
        };
        let transaction = Box::new(rulebook.engine().begin(&context));
        Self {
            rulebook: Arc::clone(rulebook),
            transaction,
            stage: Stage::Opened,
            spent: 0,
            answer_bytes: None,
            is_cut_short: false,
            request: Findings::default(),
            answer: Findings::default(),
        }
    }

    /// Takes in the body, as far as it was held.
    pub(crate) fn body(&mut self, body: &[u8], is_complete: bool) {
        if self.transaction.wants_request_body() {
            self.transaction.set_work_max(self.rulebook.work_max(body.len()));
            self.transaction.request_body(Bytes::copy_from_slice(body), !is_complete);
        }
    }

    /// Runs the rules of the request, if they have not run yet.
    pub(crate) fn run(&mut self, now: Timestamp, hasher: &Hasher) {
        if self.stage >= Stage::Request {
            return;
        }
        self.stage = Stage::Request;
        self.transaction.set_now(now.as_micros());
        if self.transaction.run(Phase::RequestHeaders).is_none() {
            self.transaction.run(Phase::RequestBody);
        }
        self.request = self.findings(&[Phase::RequestHeaders, Phase::RequestBody], hasher);
        self.is_cut_short = self.transaction.is_over_budget();
    }

    /// Is there anything left for the rules to do?
    pub(crate) fn is_unfinished(&self) -> bool {
        let looks = self.rulebook.looks_at_answers() || self.rulebook.has_an_end();
        looks && self.stage < Stage::Ended
    }

    /// The exchange is over: the rules that run last run, and what rules remember is written down.
    pub(crate) fn end(&mut self) {
        if self.stage < Stage::Ended {
            self.stage = Stage::Ended;
            self.transaction.finish();
        }
    }

    fn findings(&self, phases: &[Phase], hasher: &Hasher) -> Findings {
        let mut found = Vec::new();
        for hit in self.transaction.hits().filter(|hit| phases.contains(&hit.rule.phase)) {
            let (certainty, points) = match self.rulebook.worth(hit.rule.id) {
                Worth::Evidence { certainty, points } => (certainty, points),
                Worth::Order => (Certainty::Certain, 0.0),
                Worth::Sum | Worth::Remark => continue,
            };
            if found.len() < FOUND_MAX {
                let (rule, told) = (hit.rule.id, told(&hit, hasher));
                let arguments = arguments_of(&hit);
                found.push(Found { rule, certainty, points, told, arguments });
            }
        }
        found.sort_by(|a, b| {
            let by_points = b.points.total_cmp(&a.points);
            b.certainty.cmp(&a.certainty).then(by_points).then(a.rule.cmp(&b.rule))
        });
        Findings { found, order: self.ordered(phases) }
    }

    /// Was the budget too small for all rules?
    pub(crate) const fn is_cut_short(&self) -> bool {
        self.is_cut_short
    }

    /// The score from which a request is refused by rules that are not certain.
    pub(crate) fn threshold(&self) -> u32 {
        self.rulebook.threshold()
    }

    /// Does the rule only add up what others found?
    pub(crate) fn is_sum(&self, rule: u64) -> bool {
        self.rulebook.worth(rule) == Worth::Sum
    }

    /// All that was found, in the request first.
    pub(crate) fn all_found(&self) -> impl Iterator<Item = &Found> {
        self.request.found.iter().chain(&self.answer.found)
    }

    /// The numbers of all rules that matched and are told of, for whoever looks for them.
    pub(crate) fn numbers(&self) -> String {
        let told = self.transaction.hits().filter(|hit| hit.rule.about.is_logged);
        told.map(|hit| hit.rule.id.to_string()).collect::<Vec<_>>().join(",")
    }

    fn ordered(&self, phases: &[Phase]) -> Option<u64> {
        let interruption =
            self.transaction.interruption().or_else(|| self.transaction.would_interrupt())?;
        let Interruption { rule_id, phase, .. } = interruption;
        let is_limit_of_answers = *rule_id == 0 && *phase == Phase::ResponseBody;
        let is_last_word = self.rulebook.blocking() == Blocking::Strict
            || self.rulebook.worth(*rule_id) == Worth::Order
            || is_limit_of_answers;
        (is_last_word && phases.contains(phase)).then_some(*rule_id)
    }
}

/// The head as it came over the wire: names in their spelling, headers in their order.
fn read_raw(transaction: &mut Transaction, raw: &[u8]) {
    let mut lines =
        raw.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let line = lines.next().unwrap_or_default();
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    transaction.request_line(line, method, target, words.next().unwrap_or_default());
    for header in lines.take_while(|line| !line.is_empty()) {
        let colon = header.iter().position(|byte| *byte == b':').unwrap_or(header.len());
        let (name, value) = header.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        transaction.request_header(name, value.trim_ascii());
    }
}

/// The head of a caller that speaks HTTP/2, or of a recording.
fn read_parsed(transaction: &mut Transaction, head: &Head<'_>) {
    let method = head.method.as_str().as_bytes();
    let protocol = format!("{:?}", head.version);
    let line = [method, head.target, protocol.as_bytes()].join(&b' ');
    transaction.request_line(&line, method, head.target, protocol.as_bytes());
    if !head.headers.contains_key(http::header::HOST) && !head.authority.is_empty() {
        transaction.request_header(b"host", head.authority.as_bytes());
    }
    for (name, value) in head.headers {
        transaction.request_header(name.as_str().as_bytes(), value.as_bytes());
    }
}
