//! What rules find in one request.
//!
//! The head is taken in when the pass is opened, the body when it was read, and the rules run just
//! before the decision: outside the lock, once, under a budget. What they find is kept in the words
//! of the ledger, with secrets masked, since the bytes themselves are soon gone.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use conduct::Certainty;
use rules::engine::{Context, Hit, Interruption, Matched, Transaction};
use rules::rule::Phase;
use rules::variable::Variable;
use traffic::event::EventRule;
use traffic::recording::RulesPart;
use traffic::{EventId, Hasher, Head, Timestamp, redact, scrub};

use crate::policy::Blocking;
use crate::rulebook::{Rulebook, Worth};

/// So many matches are kept of a request; the rest are counted.
const FOUND_MAX: usize = 32;
/// So much of a match is shown.
const SHOWN_CHARS_MAX: usize = 120;
/// So many names of a rule are shown: CWE, CVE, OWASP.
const NAMES_MAX: usize = 6;

/// The rules' part of a pass.
#[derive(Debug)]
pub(crate) struct Inspection {
    rulebook: Arc<Rulebook>,
    transaction: Box<Transaction>,
    is_done: bool,
    /// What was found in the request when it was recorded.
    recalled: Option<RulesPart>,
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
        let id = of.id.to_string();
        let context = Context {
            now_us: 0,
            remote: (of.client, 0),
            server: (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            unique_id: &id,
            work_max: rulebook.work_max(0),
        };
        let mut transaction = Box::new(rulebook.engine().begin(&context));
        match head.raw {
            Some(raw) => read_raw(&mut transaction, raw),
            None => read_parsed(&mut transaction, head),
        }
        let rulebook = Arc::clone(rulebook);
        let (is_done, recalled, found, order) = (false, None, Vec::new(), None);
        Self { rulebook, transaction, is_done, recalled, found, order }
    }

    /// Takes in the body, as far as it was held.
    pub(crate) fn body(&mut self, body: &[u8], is_complete: bool) {
        if self.transaction.wants_request_body() {
            self.transaction.set_work_max(self.rulebook.work_max(body.len()));
            self.transaction.request_body(Bytes::copy_from_slice(body), !is_complete);
        }
    }

    /// Takes in what was found in the request when it was recorded.
    pub(crate) fn recall(&mut self, rules: RulesPart) {
        self.recalled = Some(rules);
    }

    /// What was found, for a recording.
    pub(crate) fn part(&self) -> Option<RulesPart> {
        let found: Vec<EventRule> = self.found.iter().map(|found| found.told.clone()).collect();
        let is_any = !found.is_empty() || self.order.is_some();
        is_any.then_some(RulesPart { found, order: self.order })
    }

    /// Runs the rules of the request, if they have not run yet.
    pub(crate) fn run(&mut self, now: Timestamp, hasher: &Hasher) {
        if self.is_done {
            return;
        }
        self.is_done = true;
        self.transaction.set_now(now.as_micros());
        if self.transaction.run(Phase::RequestHeaders).is_none() {
            self.transaction.run(Phase::RequestBody);
        }
        // What was recorded comes first: of a secret there is but a hash now, in which that is not
        // found again, and something might be that was not there.
        let RulesPart { found, order } = self.recalled.take().unwrap_or_default();
        let recalled = found.into_iter().filter_map(|told| Some((self.counts(told.id)?, told)));
        let mut list: Vec<Found> = recalled.map(|(worth, told)| Found::new(worth, told)).collect();
        for hit in self.transaction.hits() {
            let Some(worth) = self.counts(hit.rule.id) else { continue };
            let is_known = list.iter().any(|found| found.rule == hit.rule.id);
            let is_false = hasher.reads_redacted() && is_of_hashes(&hit);
            if !is_known && !is_false && list.len() < FOUND_MAX {
                list.push(Found::new(worth, told(&hit, hasher)));
            }
        }
        self.found = list;
        self.found.sort_by(|a, b| {
            let by_points = b.points.total_cmp(&a.points);
            b.certainty.cmp(&a.certainty).then(by_points).then(a.rule.cmp(&b.rule))
        });
        self.order = order.or_else(|| self.ordered());
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
    pub(crate) fn is_cut_short(&self) -> bool {
        self.transaction.is_over_budget()
    }

    /// The score from which a request is refused by rules that are not certain.
    pub(crate) fn threshold(&self) -> u32 {
        self.rulebook.threshold()
    }

    /// Does the rule only add up what others found?
    pub(crate) fn is_sum(&self, rule: u64) -> bool {
        self.rulebook.worth(rule) == Worth::Sum
    }

    /// The numbers of all rules that matched, for whoever looks for them.
    pub(crate) fn matched(&self) -> impl Iterator<Item = u64> {
        self.transaction.hits().map(|hit| hit.rule.id)
    }

    fn ordered(&self) -> Option<u64> {
        let interruption =
            self.transaction.interruption().or_else(|| self.transaction.would_interrupt())?;
        let Interruption { rule_id, .. } = interruption;
        let is_last_word = self.rulebook.blocking() == Blocking::Strict
            || self.rulebook.worth(*rule_id) == Worth::Order;
        is_last_word.then_some(*rule_id)
    }
}

impl Found {
    fn new((certainty, points): (Certainty, f32), told: EventRule) -> Self {
        Self { rule: told.id, certainty, points, told }
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

/// Did the rule match in nothing but what stands for secrets?
fn is_of_hashes(hit: &Hit<'_>) -> bool {
    let mut matches = hit.matches().peekable();
    matches.peek().is_some() && matches.all(|matched| redact::holds_redacted(matched.value))
}

fn told(hit: &Hit<'_>, hasher: &Hasher) -> EventRule {
    // What a later link of a chain looks at is what an earlier one found.
    let is_own = |it: &Matched<'_>| !is_derived(it.variable);
    let matched = hit.matches().find(is_own).or_else(|| hit.matches().next());
    let (field, found) = matched.map_or_else(Default::default, |it| shown(&it, hasher));
    let names = hit.tags().filter(|tag| is_name(tag)).take(NAMES_MAX);
    EventRule {
        id: hit.rule.id,
        message: hit.message().map(|text| plain(text, hasher)).unwrap_or_default(),
        field,
        found,
        severity: hit.rule.about.severity.map(|severity| format!("{severity:?}").to_lowercase()),
        names: names.map(|tag| String::from_utf8_lossy(tag).into_owned()).collect(),
    }
}

/// The field and what was found in it. The value of a field that holds a secret is not shown.
fn shown(matched: &Matched<'_>, hasher: &Hasher) -> (String, String) {
    let name = plain(matched.name, hasher);
    let variable = matched.variable.name();
    let field = if name.is_empty() { variable.to_owned() } else { format!("{variable}:{name}") };
    let span = matched.found.clone().and_then(|found| matched.value.get(found));
    let text = span.filter(|span| !span.is_empty()).unwrap_or(matched.value);
    let last_key = name.rsplit(['.', '[', ':']).next().unwrap_or_default();
    let is_secret = redact::is_secret_name(&name) || redact::is_secret_name(last_key);
    let found = match matched.variable {
        _ if is_secret => format!("{} bytes of a secret", text.len()),
        Variable::RequestCookies => format!("{} bytes of a cookie", text.len()),
        // These hold fields of every name, passwords among them.
        Variable::RequestUri | Variable::RequestUriRaw => {
            cut(&scrub::target(&String::from_utf8_lossy(text), hasher))
        }
        Variable::FullRequest
        | Variable::QueryString
        | Variable::RequestBody
        | Variable::RequestLine
        | Variable::ResponseBody => format!("{} bytes", text.len()),
        _ => plain(text, hasher),
    };
    (field, found)
}

/// Is it what rules found or wrote, not what the caller sent?
const fn is_derived(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::MatchedVar
            | Variable::MatchedVarName
            | Variable::MatchedVars
            | Variable::MatchedVarsNames
            | Variable::Tx
    )
}

/// Bytes as one line of text that shows no secret.
fn plain(bytes: &[u8], hasher: &Hasher) -> String {
    let text = String::from_utf8_lossy(bytes);
    cut(&redact::text(&text, hasher))
}

fn cut(text: &str) -> String {
    let shown = text.chars().take(SHOWN_CHARS_MAX);
    let mut line: String = shown.flat_map(visible).collect();
    if text.chars().count() > SHOWN_CHARS_MAX {
        line.push('…');
    }
    line
}

/// A character as it may stand in a line on a terminal.
fn visible(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let itself = (!character.is_control()).then_some(character);
    escaped.into_iter().flatten().chain(itself)
}

/// Is it a name that others know the attack by?
fn is_name(tag: &[u8]) -> bool {
    [&b"CVE-"[..], b"CWE-", b"OWASP-API", b"OWASP_CRS/", b"capec/", b"attack-"]
        .iter()
        .any(|prefix| tag.starts_with(prefix))
}
