//! Gates: rules that jump over others when a number of `TX` says so, as the Core Rule Set does for
//! each paranoia level. What is jumped over need not be looked at.
//!
//! A gate counts when what it asks cannot change any more once its phase looks at values, so that
//! its outcome is known before it is reached.

use std::ops::Range;

use super::{
    act::{Act, TxName},
    program::{Bound, LinkPlan, Names, Quick, RulePlan},
    state::State,
};
use crate::{
    operator::Comparison,
    prefilter::{Bits, Outcomes},
    rule::Jump,
    rule_set::Step,
    template::Piece,
};

/// More conditions than bits of [`Outcomes`] are not told apart.
const CONDITIONS_MAX: usize = 64;

/// The gates of a phase.
#[derive(Debug, Default)]
pub(super) struct Gates {
    conditions: Vec<Condition>,
    gates: Vec<Gate>,
}

/// A comparison of a number of `TX` with a fixed one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Condition {
    slot: u16,
    is_count: bool,
    comparison: Comparison,
    bound: i64,
    is_negated: bool,
}

#[derive(Debug)]
struct Gate {
    /// Of its rule.
    number: u32,
    condition: usize,
    /// The steps that it jumps over.
    over: Range<usize>,
}

impl Gates {
    /// The gates of a phase whose first step that looks at values is `first`.
    pub(super) fn new(
        steps: &[Step],
        plans: &[Option<RulePlan>],
        names: &Names,
        (first, idle): (usize, &Bits),
    ) -> Self {
        let mut gates = Self::default();
        let written = Written::behind(first, plans);
        let landings = landings(plans);
        for (at, (step, plan)) in steps.iter().zip(plans).enumerate() {
            let (Step::Rule(rule), Some(plan)) = (step, plan) else { continue };
            if idle.contains(at) {
                continue;
            }
            let [LinkPlan { quick: Some(quick), .. }] = &*plan.links else { continue };
            let Some(condition) = Condition::of(quick) else { continue };
            let over = at + 1..plan.next;
            let is_entered = landings
                .iter()
                .any(|(from, to)| (over.contains(to) && !over.contains(from)) && *from != at);
            let is_steady = at >= first && !written.has(condition.slot, names);
            if rule.jump == Jump::Next || !is_steady || is_entered || over.is_empty() {
                continue;
            }
            gates.add(plan.number, condition, over);
        }
        gates
    }

    fn add(&mut self, number: u32, condition: Condition, over: Range<usize>) {
        let known = self.conditions.iter().position(|it| *it == condition);
        let place = match known {
            Some(place) => place,
            None if self.conditions.len() >= CONDITIONS_MAX => return,
            None => {
                self.conditions.push(condition);
                self.conditions.len() - 1
            }
        };
        self.gates.push(Gate { number, condition: place, over });
    }

    /// Which conditions hold now. None, when `ctl` has taken a gate away.
    pub(super) fn outcomes(&self, state: &State) -> Outcomes {
        if self.gates.iter().any(|gate| state.narrowing.is_removed(gate.number)) {
            return 0;
        }
        let holds = |(place, it): (usize, &Condition)| {
            let quick = it.quick();
            Outcomes::from(state.holds(&quick)) << place
        };
        self.conditions.iter().enumerate().map(holds).fold(0, |all, bit| all | bit)
    }

    /// The steps of `length` that are jumped over under these outcomes.
    pub(super) fn jumped_over(&self, outcomes: Outcomes, length: usize) -> Bits {
        let mut steps = Bits::with_room(length);
        for gate in self.gates.iter().filter(|gate| outcomes & 1 << gate.condition != 0) {
            gate.over.clone().for_each(|step| steps.insert(step));
        }
        steps
    }
}

impl Condition {
    fn of(quick: &Quick) -> Option<Self> {
        let Bound::Fixed(bound) = quick.bound else { return None };
        let Quick { slot, is_count, comparison, is_negated, .. } = *quick;
        Some(Self { slot, is_count, comparison, bound, is_negated })
    }

    fn quick(self) -> Quick {
        let Self { slot, is_count, comparison, bound, is_negated } = self;
        Quick { slot, is_count, comparison, bound: Bound::Fixed(bound), is_negated }
    }
}

/// From which step each jump that is not to the next one goes where.
fn landings(plans: &[Option<RulePlan>]) -> Vec<(usize, usize)> {
    let jumps = plans.iter().enumerate().filter_map(|(at, plan)| Some((at, plan.as_ref()?.next)));
    jumps.filter(|(at, next)| *next != at + 1).collect()
}

/// The variables of `TX` that the steps from a certain one on may write.
struct Written<'p>(Vec<&'p TxName>);

impl<'p> Written<'p> {
    fn behind(first: usize, plans: &'p [Option<RulePlan>]) -> Self {
        let acts = plans.iter().skip(first).flatten().flat_map(|plan| &*plan.links);
        let names = acts.flat_map(|link| &*link.acts).filter_map(|act| match act {
            Act::SetTx { name, .. } => Some(name),
            _ => None,
        });
        Self(names.collect())
    }

    fn has(&self, slot: u16, names: &Names) -> bool {
        // Operators write what they find to TX.0 to TX.9 without saying so.
        let is_capture = names.captures().contains(&slot);
        is_capture
            || self.0.iter().any(|name| match name {
                TxName::Slot(written) => *written == slot,
                TxName::Made { name: template, .. } => match template.pieces.first() {
                    Some(Piece::Text(text)) => names.name(slot).starts_with(text),
                    _ => true,
                },
            })
    }
}
