//! A phase, prepared: which rules can be sieved by the values they look at, what each needs, and
//! which rules look at which value.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{
    bits::Bits,
    chains::{Chains, Form, Nodes},
    demand::Demand,
    lexicon::Lexicon,
    literal::{self, ByAlphabet, Needs},
    neighbours::{Marks, Neighbours},
    part::Part,
    plan::Plan,
    seen::Seen,
    view::{LooksAt, Outcomes, View},
};
use crate::{
    byte_set::ByteSet,
    rule::{Rule, Selector, Target, Test},
    rule_set::Step,
    variable::Variable,
    work::Work,
};

/// So many views are kept.
const VIEWS_MAX: usize = 16;

/// The rules of a phase that can be sieved, and how.
#[derive(Debug)]
pub(crate) struct Sieve {
    /// Steps of the phase that run whatever values there are.
    pub(crate) always: Bits,
    /// The first step that is sieved: nothing is looked at before it is reached.
    pub(crate) first: usize,
    pub(super) looks: BTreeMap<Part, LooksAt>,
    pub(super) chains: Chains,
    pub(super) tests: Vec<SieveTest>,
    pub(super) lexicon: Lexicon,
    pub(super) neighbours: ByAlphabet<Neighbours>,
    pub(super) seen: Arc<Seen>,
    views: Mutex<Vec<(Outcomes, Arc<View>)>>,
}

/// A test, and what it needs.
#[derive(Debug)]
pub(super) struct SieveTest {
    /// The step of the phase whose rule begins with it.
    pub(super) step: usize,
    /// When it is asked.
    pub(super) asks: ByAlphabet<Ask>,
    is_negated: bool,
    /// Does the rule go on with a test of the values for which this one holds?
    is_followed: bool,
}

/// When a test is asked.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) demand: Demand,
    pub(super) needs_literal: bool,
    /// The ends of the sequences of which a form has one, where that was worked out.
    pub(super) sequences: Option<Box<Marks>>,
}

impl Sieve {
    /// Prepares the steps of a phase, but those that never run.
    pub(crate) fn new(steps: &[Step], idle: &Bits, seen: &Arc<Seen>) -> Self {
        let mut plan = Plan::default();
        let mut always = Bits::with_room(steps.len());
        for (at, step) in steps.iter().enumerate() {
            if let Step::Rule(rule) = step
                && !idle.contains(at)
                && !plan.take(at, rule)
            {
                always.insert(at);
            }
        }
        let lexicon = plan.lexicon();
        let Plan { chains, tests, looks, neighbours, .. } = plan;
        let first = tests.iter().map(|test| test.step).min().unwrap_or(usize::MAX);
        let (views, seen) = (Mutex::default(), Arc::clone(seen));
        Self { always, first, looks, chains, tests, lexicon, neighbours, seen, views }
    }

    /// Are there rules to be sieved?
    pub(crate) fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// The sequences that are in the form.
    pub(super) fn sequences(&self, form: &Form<'_>) -> Marks {
        self.neighbours.get(form.alphabet).map_or_else(Marks::default, |all| all.find(&form.bytes))
    }

    /// The number of the test that the rule of a step begins with, if it is sieved.
    pub(crate) fn test(&self, step: usize) -> Option<u16> {
        let place = self.tests.binary_search_by_key(&step, |test| test.step).ok()?;
        u16::try_from(place).ok()
    }

    /// What is looked at under these outcomes; `jumped_over` says which steps they leave out.
    pub(crate) fn view(&self, outcomes: Outcomes, jumped_over: impl FnOnce() -> Bits) -> Arc<View> {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, view)) = views.iter().find(|(known, _)| *known == outcomes) {
            return Arc::clone(view);
        }
        let view = Arc::new(View::new(self, &jumped_over(), &self.seen));
        // Rule sets have a level or two; what comes up beyond that makes room.
        if views.len() >= VIEWS_MAX {
            views.remove(0);
        }
        views.push((outcomes, Arc::clone(&view)));
        view
    }
}

impl SieveTest {
    /// The test with which the rule of a step begins.
    pub(super) fn new(step: usize, asks: ByAlphabet<Ask>, rule: &Rule) -> Self {
        let test = rule.links.first().and_then(|link| link.test.as_ref());
        let is_negated = test.is_some_and(|test| test.is_negated);
        Self { step, asks, is_negated, is_followed: is_followed(rule) }
    }

    /// When it is asked of a form.
    pub(super) fn ask(&self, form: &Form<'_>) -> Option<&Ask> {
        self.asks.get(form.alphabet)
    }

    /// Does it hold for the form?
    pub(super) fn is_met(&self, steps: &[Step], form: &Form<'_>, work: &mut Work) -> bool {
        let Some(test) = test(steps, self.step, 0) else { return false };
        let is_met = test.operator.matches_within(&form.bytes, b"", work) != self.is_negated;
        is_met && !work.is_over
    }

    /// It holds for the form: may its rule?
    pub(super) fn may_go_on(&self, steps: &[Step], form: &Form<'_>, work: &mut Work) -> bool {
        let Some(next) = test(steps, self.step, 1).filter(|_| self.is_followed) else {
            return true;
        };
        let mut value = Cow::Borrowed(&form.bytes[..]);
        for transformation in &next.transformations {
            let changed = match transformation.apply(&value) {
                Cow::Borrowed(_) => continue,
                Cow::Owned(changed) => changed,
            };
            value = Cow::Owned(changed);
        }
        work.begin(value.len())
            && next.operator.matches_within(&value, b"", work) != next.is_negated
    }
}

impl Ask {
    /// Of a test whose chain ends in these nodes.
    pub(super) fn new(ends: Nodes, needs: &Needs, neighbours: Option<&mut Neighbours>) -> Self {
        let Needs { literals, sequences, bytes, count, length_min } = needs;
        let (count, length_min) = (*count, *length_min);
        let demand = Demand { ends, bytes: bytes.clone(), count, length_min };
        let sequences = sequences.as_ref().zip(neighbours).and_then(|(it, all)| all.add(it));
        let sequences = sequences.map(Box::new);
        Self { demand, needs_literal: literals.is_some(), sequences }
    }

    /// Is there any value that has what it needs?
    pub(super) const fn is_possible(&self) -> bool {
        self.demand.length_min < usize::MAX
    }

    /// Of the bytes that it needs, those that values have most seldom.
    pub(super) fn rarest(&self) -> Option<ByteSet> {
        self.demand.bytes.iter().copied().min_by_key(|set| literal::commonness(*set))
    }
}

/// The test of a link of the rule of a step.
fn test(steps: &[Step], step: usize, link: usize) -> Option<&Test> {
    match steps.get(step)? {
        Step::Rule(rule) => rule.links.get(link)?.test.as_ref(),
        Step::Marker(_) => None,
    }
}

/// Does a rule do nothing for a value unless its second test, too, holds for that value, and
/// depends that one on nothing else?
fn is_followed(rule: &Rule) -> bool {
    let [first, next, ..] = rule.links.as_slice() else { return false };
    let (Some(test), Some(next)) = (&first.test, &next.test) else { return false };
    let is_of_matches = |target: &Target| {
        matches!(target.variable, Variable::MatchedVar | Variable::MatchedVars)
            && matches!(target.selector, Selector::All)
            && !target.is_count
    };
    first.effects.is_empty()
        && !test.captures
        && !test.multi_match
        && !next.multi_match
        && next.argument.is_none()
        && next.operator.macros().is_none()
        && matches!(next.targets.included.as_slice(), [target] if is_of_matches(target))
}
