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
use traffic::recording::RulesPart;
use traffic::{Cve, EventId, Hasher, Head, ParamKind, Timestamp};

use crate::policy::Blocking;
use crate::rulebook::{self, Rulebook, Worth};
use told::{arguments_of, is_of_hashes, told};

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
    /// What was found when it was recorded: in the request, and in its answer.
    recalled: [RulesPart; 2],
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
        let id = of.id.text();
        let context = Context {
            now_us: 0,
            remote: (of.client, 0),
            server: (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            unique_id: std::str::from_utf8(&id).unwrap_or_default(),
            work_max: rulebook.work_max(0),
        };
        let transaction = rulebook.begin(&context);
        Self {
            rulebook: Arc::clone(rulebook),
            transaction,
            stage: Stage::Opened,
            spent: 0,
            answer_bytes: None,
            is_cut_short: false,
            recalled: Default::default(),
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

    /// Takes in what was found when the exchange was recorded: in the request, and in its answer.
    pub(crate) fn recall(&mut self, recalled: [RulesPart; 2]) {
        self.recalled = recalled;
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
        let phases = [Phase::RequestHeaders, Phase::RequestBody];
        self.request = self.findings(&phases, &self.recalled[0], hasher);
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

    /// Nobody asks any more what was found.
    pub(crate) fn retire(self) {
        self.rulebook.take_back(self.transaction);
    }

    /// What was recorded comes first: of a secret there is but a hash now, in which that is not
    /// found again, and something might be that was not there.
    fn findings(&self, phases: &[Phase], recalled: &RulesPart, hasher: &Hasher) -> Findings {
        let of_record =
            |told: &EventRule| Some(Found::new(self.counts(told.id)?, told.clone(), Vec::new()));
        let mut found: Vec<Found> = recalled.found.iter().filter_map(of_record).collect();
        for hit in self.transaction.hits().filter(|hit| phases.contains(&hit.rule.phase)) {
            let Some(worth) = self.counts(hit.rule.id) else { continue };
            if hasher.reads_redacted() && is_of_hashes(&hit) {
                continue;
            }
            let (arguments, has_room) = (arguments_of(&hit), found.len() < FOUND_MAX);
            match found.iter_mut().find(|found| found.rule == hit.rule.id) {
                Some(known) => known.arguments = arguments,
                None if has_room => {
                    let mut told = told(&hit, hasher);
                    told.quotes = hit.quotes().map(text);
                    found.push(Found::new(worth, told, arguments));
                }
                None => {}
            }
        }
        found.sort_by(|a, b| {
            let by_points = b.points.total_cmp(&a.points);
            b.certainty.cmp(&a.certainty).then(by_points).then(a.rule.cmp(&b.rule))
        });
        count_once(&mut found);
        Findings { found, order: recalled.order.or_else(|| self.ordered(phases)) }
    }

    /// What a match of the rule is worth, when it is evidence.
    fn counts(&self, rule: u64) -> Option<(Certainty, f32)> {
        match self.rulebook.worth(rule) {
            Worth::Evidence { certainty, points } => Some((certainty, points)),
            Worth::Order => Some((Certainty::Certain, 0.0)),
            Worth::Sum | Worth::Remark => None,
        }
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

impl Findings {
    /// As a recording keeps them; nothing when there are none.
    pub(crate) fn part(&self) -> Option<RulesPart> {
        let found: Vec<EventRule> = self.found.iter().map(|found| found.told.clone()).collect();
        let is_any = !found.is_empty() || self.order.is_some();
        is_any.then_some(RulesPart { found, order: self.order })
    }
}

impl Found {
    fn new(
        (certainty, points): (Certainty, f32),
        told: EventRule,
        arguments: Vec<(String, ParamKind)>,
    ) -> Self {
        let (certainty, points) = match Certainty::Likely {
            likely if told.quotes.is_some() && certainty > likely => {
                (likely, rulebook::points(likely))
            }
            _ => (certainty, points),
        };
        Self { rule: told.id, certainty, points, told, arguments }
    }

    /// The published vulnerability that the rule is a patch for; of several, the first.
    pub(crate) fn cve(&self) -> Option<Cve> {
        self.told.names.iter().find_map(|name| Cve::parse(name.as_bytes()))
    }
}

/// However many rules find what people write about, it is one thing that was found: only another
/// subject is a second witness.
fn count_once(found: &mut [Found]) {
    let mut subjects: Vec<String> = Vec::new();
    for it in found {
        let Some(subject) = &it.told.quotes else { continue };
        if subjects.contains(subject) {
            it.points = 0.0;
        } else {
            subjects.push(subject.clone());
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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
