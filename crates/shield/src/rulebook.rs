//! A loaded set of rules, and what a match of each is worth as evidence.
//!
//! A rule set may decide by itself: the Core Rule Set adds up scores, and one rule at the end
//! denies. Under [`Blocking::Evidence`] that sum is not the last word. Each match counts by what
//! its rule says of itself, and the shield weighs it with what else is known. Only a rule that
//! denies for a reason of its own, which a person wrote, denies in either way of blocking.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use conduct::Certainty;
use rules::action::{Disruption, Effect, Severity};
use rules::engine::{Context, Engine, Transaction};
use rules::rule::{Phase, Rule};
use rules::variable::Variable;

use crate::policy::Blocking;

/// The score from which the Core Rule Set denies, unless it says otherwise.
const THRESHOLD: u32 = 5;
/// Rules begin with this tag to say how sure they are: `confidence/high`.
const CONFIDENCE: &str = "confidence/";
/// Where rules that came with the program are read from, and what the program says beside them.
const BUILTIN: &str = "builtin/";
const OWN: &str = "palisade";
/// What an engine does in a nanosecond, in the unit in which it counts its work.
const WORK_PER_NS: u64 = 1;
/// What each KiB of a body may take besides.
const BUDGET_PER_KIB: Duration = Duration::from_micros(100);
/// So many transactions that have ended are kept for exchanges to come, none of them larger.
const SPARE_MAX: usize = 32;
const SPARE_BYTES_MAX: usize = 32 << 10;

/// Rules in force.
#[derive(Debug)]
pub struct Rulebook {
    engine: Engine,
    worth: BTreeMap<u64, Worth>,
    blocking: Blocking,
    threshold: u32,
    cpu_budget: Duration,
    answers: Answers,
    /// Their memory is used again. Whoever finds it locked does without.
    #[expect(clippy::vec_box, reason = "they are handed on boxed, for they are large")]
    spare: Mutex<Vec<Box<Transaction>>>,
}

/// What there is for rules to do when a request has been decided.
#[derive(Clone, Copy, Debug)]
struct Answers {
    heads: bool,
    bodies: bool,
    /// Rules that run last, or something to be remembered.
    end: bool,
}

/// A set of rules that is loaded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleSetView {
    /// What it calls itself, or where it comes from.
    pub name: String,
    /// What it says of its version.
    pub version: String,
}

/// What a match of one rule says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Worth {
    /// It is a piece of evidence.
    Evidence {
        /// How sure the rule is.
        certainty: Certainty,
        /// What it adds to the score, as the Core Rule Set counts.
        points: f32,
    },
    /// It denies what other rules found: it adds nothing to them.
    Sum,
    /// It denies by itself, as somebody wished.
    Order,
    /// It is told, and says nothing about the caller.
    Remark,
}

impl Rulebook {
    /// The rules of a set. `threshold` is what the policy says of the score that denies.
    pub fn new(
        engine: Engine,
        blocking: Blocking,
        threshold: Option<u32>,
        cpu_budget: Duration,
    ) -> Self {
        let set = engine.rules();
        let worth = set.rules().map(|rule| (rule.id, worth(rule))).collect();
        let threshold = threshold.unwrap_or(THRESHOLD).max(1);
        let has = |phase| set.rules().any(|rule| rule.phase == phase);
        let bodies = has(Phase::ResponseBody);
        let heads = bodies || has(Phase::ResponseHeaders);
        let end = has(Phase::Logging) || set.rules().any(remembers);
        let answers = Answers { heads, bodies, end };
        let spare = Mutex::default();
        Self { engine, worth, blocking, threshold, cpu_budget, answers, spare }
    }

    /// Begins an exchange.
    pub(crate) fn begin(&self, context: &Context<'_>) -> Box<Transaction> {
        let spare = self.spare.try_lock().ok().and_then(|mut spare| spare.pop());
        match spare {
            Some(mut transaction) => {
                transaction.reset(&self.engine, context);
                transaction
            }
            None => Box::new(self.engine.begin(context)),
        }
    }

    /// An exchange has ended, and nobody asks what was found in it any more.
    pub(crate) fn take_back(&self, transaction: Box<Transaction>) {
        if transaction.room() <= SPARE_BYTES_MAX
            && let Ok(mut spare) = self.spare.try_lock()
            && spare.len() < SPARE_MAX
        {
            spare.push(transaction);
        }
    }

    /// The engine that runs them.
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Is there a rule for answers? Where there is none, they cost nothing.
    pub(crate) const fn looks_at_answers(&self) -> bool {
        self.answers.heads
    }

    /// Is there a rule for their bodies?
    pub(crate) const fn looks_at_answer_bodies(&self) -> bool {
        self.answers.bodies
    }

    /// Is there anything to do when an exchange is over?
    pub(crate) const fn has_an_end(&self) -> bool {
        self.answers.end
    }

    /// The sets that are loaded, each with the numbers of its rules. Rules that came with the
    /// program are `builtin` and of `version`; others belong to the set whose signature was read.
    pub fn sets(&self, version: &str) -> Vec<(RuleSetView, Vec<u64>)> {
        let set = self.engine.rules();
        let view = |name: &str, version: &str| RuleSetView {
            name: name.to_owned(),
            version: version.to_owned(),
        };
        let signature = set.settings.signatures.first().map_or("files/", |signature| signature);
        let (name, signed) = signature.split_once('/').unwrap_or((signature, ""));
        let (builtin, files): (Vec<_>, Vec<_>) = set
            .rules()
            .filter(|rule| !rule.source.file.starts_with(OWN))
            .partition(|rule| rule.source.file.starts_with(BUILTIN));
        let of = |rules: Vec<&Rule>| rules.into_iter().map(|rule| rule.id).collect::<Vec<_>>();
        let sets = [(view("builtin", version), of(builtin)), (view(name, signed), of(files))];
        sets.into_iter().filter(|(_, rules)| !rules.is_empty()).collect()
    }

    /// Who decides.
    pub(crate) const fn blocking(&self) -> Blocking {
        self.blocking
    }

    /// The score from which a request is refused by rules that are not certain.
    pub(crate) const fn threshold(&self) -> u32 {
        self.threshold
    }

    /// What a match of the rule says.
    pub(crate) fn worth(&self, rule: u64) -> Worth {
        self.worth.get(&rule).copied().unwrap_or(Worth::Remark)
    }

    /// The work that a request may cost whose body is looked at up to `body_bytes`.
    pub(crate) fn work_max(&self, body_bytes: usize) -> u64 {
        let kib = u32::try_from(body_bytes / 1_024).unwrap_or(u32::MAX);
        let budget = self.cpu_budget.saturating_add(BUDGET_PER_KIB.saturating_mul(kib));
        u64::try_from(budget.as_nanos()).unwrap_or(u64::MAX).saturating_mul(WORK_PER_NS)
    }
}

/// Does the rule open a collection that outlasts the exchange?
fn remembers(rule: &Rule) -> bool {
    let mut effects = rule.links.iter().flat_map(|link| &link.effects);
    effects.any(|effect| matches!(effect, Effect::OpenCollection { .. }))
}

/// Do all conditions of the rule look at these variables alone?
fn looks_only_at(rule: &Rule, variables: &[Variable]) -> bool {
    rule.links.iter().all(|link| {
        let targets = link.test.iter().flat_map(|test| &test.targets.included);
        targets.into_iter().all(|target| variables.contains(&target.variable))
    })
}

fn worth(rule: &Rule) -> Worth {
    match rule.disruption {
        Disruption::Pass => {}
        Disruption::Allow(_) => return Worth::Remark,
        _ if looks_only_at(rule, &[Variable::Tx]) => return Worth::Sum,
        // What was written in the Core Rule Set's own manner: it says how bad a match is, and the
        // settings say that this blocks.
        _ if confidence(rule).is_none() => return Worth::Order,
        _ => {}
    }
    if let Some(certainty) = confidence(rule) {
        return Worth::Evidence { certainty, points: points(certainty) };
    }
    let (certainty, points) = match rule.about.severity {
        Some(Severity::Emergency | Severity::Alert | Severity::Critical) => {
            (Certainty::Likely, 5.0)
        }
        Some(Severity::Error) => (Certainty::Odd, 4.0),
        Some(Severity::Warning) => (Certainty::Odd, 3.0),
        Some(Severity::Notice) => (Certainty::Odd, 2.0),
        Some(Severity::Info | Severity::Debug) | None => return Worth::Remark,
    };
    Worth::Evidence { certainty, points }
}

/// What a rule adds to the score that says how sure it is: two likely attacks, or four odd things,
/// are as much as one critical rule of the Core Rule Set.
pub(crate) const fn points(certainty: Certainty) -> f32 {
    match certainty {
        Certainty::Certain => 5.0,
        Certainty::Likely => 2.5,
        Certainty::Odd => 1.25,
    }
}

/// How sure a rule says it is.
fn confidence(rule: &Rule) -> Option<Certainty> {
    let mut tags = rule.about.tags.iter().filter_map(|tag| tag.fixed());
    let word = tags.find_map(|tag| tag.strip_prefix(CONFIDENCE.as_bytes()))?;
    match word {
        b"high" => Some(Certainty::Certain),
        b"medium" => Some(Certainty::Likely),
        b"low" => Some(Certainty::Odd),
        _ => None,
    }
}
