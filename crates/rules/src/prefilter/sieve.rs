//! A phase, prepared: which rules can be sieved by the values they look at, what each needs, and
//! which rules look at which value.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{
    bits::Bits,
    chains::{Chains, Form, Nodes},
    lexicon::Lexicon,
    literal::{self, Needs},
    part::Part,
    plan::Plan,
    seen::Seen,
    view::{LooksAt, Outcomes, View},
};
use crate::{byte_set::ByteSet, operator::Operator, rule_set::Step, work::Work};

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
    pub(super) seen: Arc<Seen>,
    views: Mutex<Vec<(Outcomes, Arc<View>)>>,
}

/// A test, and what it needs.
#[derive(Debug)]
pub(super) struct SieveTest {
    /// The step of the phase whose rule begins with it.
    pub(super) step: usize,
    /// The nodes in which its chain ends: several when each step is looked at.
    pub(super) ends: Nodes,
    pub(super) needs_literal: bool,
    pub(super) bytes: Vec<ByteSet>,
    pub(super) length_min: usize,
    is_negated: bool,
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
        let Plan { chains, tests, looks, .. } = plan;
        let first = tests.iter().map(|test| test.step).min().unwrap_or(usize::MAX);
        let (views, seen) = (Mutex::default(), Arc::clone(seen));
        Self { always, first, looks, chains, tests, lexicon, seen, views }
    }

    /// Are there rules to be sieved?
    pub(crate) fn is_empty(&self) -> bool {
        self.tests.is_empty()
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
    /// The test with which the rule of a step begins, and whose chain ends in these nodes.
    pub(super) fn new(step: usize, ends: Nodes, needs: &Needs, is_negated: bool) -> Self {
        let Needs { literals, bytes, length_min } = needs;
        let (bytes, length_min) = (bytes.clone(), *length_min);
        Self { step, ends, needs_literal: literals.is_some(), bytes, length_min, is_negated }
    }

    pub(super) fn is_possible(&self, form: &Form<'_>) -> bool {
        self.ends & form.nodes != 0
            && form.bytes.len() >= self.length_min
            && self.bytes.iter().all(|set| set.meets(form.present))
    }

    /// Of the bytes that it needs, those that values have most seldom.
    pub(super) fn rarest(&self) -> Option<ByteSet> {
        self.bytes.iter().copied().min_by_key(|set| literal::commonness(*set))
    }

    /// Does it hold for the form?
    pub(super) fn is_met(&self, steps: &[Step], form: &Form<'_>, work: &mut Work) -> bool {
        let Some(operator) = self.operator(steps) else { return false };
        let is_met = operator.matches_within(&form.bytes, b"", work) != self.is_negated;
        is_met && !work.is_over
    }

    fn operator<'s>(&self, steps: &'s [Step]) -> Option<&'s Operator> {
        match steps.get(self.step)? {
            Step::Rule(rule) => Some(&rule.links.first()?.test.as_ref()?.operator),
            Step::Marker(_) => None,
        }
    }
}
