//! One link of a chain: its test, asked of each of its values, and what happens each time it holds.

use std::borrow::Cow;

use super::{
    hits::MATCHES_MAX,
    matches::{Found, Match},
    narrowing::ActPlace,
    program::{Bound, LinkPlan, Quick, TargetPlan},
    run::Run,
    state::{Key, Row, State},
    store::Span,
    tx::Place,
};
use crate::{
    operator::Comparison,
    rule::{Link, Test},
    transformation::Transformation,
};

/// The link that runs, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Present<'p> {
    pub(super) plan: &'p LinkPlan,
    /// Of its rule.
    pub(super) number: u32,
    /// As many groups of what it captures are kept, the whole match among them.
    pub(super) groups: usize,
    /// Of its first act.
    pub(super) place: ActPlace,
    /// The number of its test in the sieve, if that says for which values it holds.
    pub(super) sieved: Option<u16>,
    /// Is it known that its test holds for the values that are gathered?
    pub(super) is_met: bool,
    /// Is a match of its rule told, so that what was found is to be known?
    pub(super) is_told: bool,
}

impl Run<'_> {
    /// Does the link hold for any of its values? Its acts are done for each for which it does.
    pub(super) fn link(&mut self, link: &Link, present: Present<'_>) -> bool {
        let Some(test) = &link.test else {
            self.acts(present);
            return true;
        };
        if let Some(quick) = &present.plan.quick
            && !self.quick_holds(quick)
        {
            return false;
        }
        let mut argument = std::mem::take(&mut self.state.argument);
        argument.clear();
        if let Some(template) = &present.plan.argument {
            self.state.expand(self.program, template, present.number, &mut argument);
        }
        let mut holds = false;
        for target in &present.plan.targets {
            let is_met = self.state.gather(self.program, target, present.number, present.sieved);
            let present = Present { is_met, ..present };
            for at in 0..self.state.rows.len() {
                let Some(row) = self.state.rows.get(at).copied() else { break };
                if !self.state.work.begin(row.value.length as usize) {
                    break;
                }
                holds |= if test.multi_match {
                    self.value_each_step(test, target, row, &argument, present)
                } else {
                    self.value(test, target, row, &argument, present)
                };
            }
        }
        if holds && test.captures && !test.is_negated && present.plan.captures_last {
            self.capture_last(test, &argument, present.groups);
        }
        self.state.argument = argument;
        holds
    }

    /// Does the comparison hold?
    fn quick_holds(&mut self, quick: &Quick) -> bool {
        self.state.work.begin(0);
        self.state.holds(quick)
    }

    /// The test on a value after all transformations.
    fn value(
        &mut self,
        test: &Test,
        target: &TargetPlan,
        row: Row,
        argument: &[u8],
        present: Present<'_>,
    ) -> bool {
        let State { store, work, .. } = &mut *self.state;
        let value = transformed(&test.transformations, store.bytes(row.value));
        let is_met = present.is_met
            || test.operator.matches_within(&value, argument, work) != test.is_negated;
        if !is_met || work.is_over {
            return false;
        }
        let changed = match value {
            Cow::Borrowed(_) => None,
            Cow::Owned(changed) => Some(changed),
        };
        self.hold(test, target, row, changed.as_deref(), argument, present);
        true
    }

    /// The test on a value as it came, and after each transformation that changed it.
    fn value_each_step(
        &mut self,
        test: &Test,
        target: &TargetPlan,
        row: Row,
        argument: &[u8],
        present: Present<'_>,
    ) -> bool {
        let mut value = self.state.store.bytes(row.value).to_vec();
        let mut holds = false;
        let mut is_changed = false;
        let steps = std::iter::once(None).chain(test.transformations.iter().map(Some));
        for step in steps {
            if let Some(transformation) = step {
                let Cow::Owned(changed) = transformation.apply(&value) else { continue };
                value = changed;
                is_changed = true;
            }
            let work = &mut self.state.work;
            let is_met = test.operator.matches_within(&value, argument, work) != test.is_negated;
            if is_met && !work.is_over {
                let changed = is_changed.then_some(value.as_slice());
                self.hold(test, target, row, changed, argument, present);
                holds = true;
            }
        }
        holds
    }

    /// The test holds for a value, which the transformations have changed to `changed`.
    fn hold(
        &mut self,
        test: &Test,
        target: &TargetPlan,
        row: Row,
        changed: Option<&[u8]>,
        argument: &[u8],
        present: Present<'_>,
    ) {
        let state = &mut *self.state;
        let value = match changed {
            Some(changed) => state.store.sketch(changed),
            None => state.store.steady(row.value),
        };
        let mut found = Found::Known(None);
        // Only of the matches that are kept is it told what was found.
        let is_told = present.is_told && state.matches.all().len() < MATCHES_MAX;
        let is_fixed = present.plan.argument.is_none();
        let captures = test.captures && !present.plan.captures_last;
        if is_told && !test.is_negated && !captures && is_fixed {
            found = Found::Asking(present.place.link);
        } else if (captures || is_told) && !test.is_negated {
            let bytes = state.store.bytes(value);
            let groups = if captures { present.groups } else { 1 };
            if test.operator.capture(bytes, argument, groups, &mut state.captures) {
                found = Found::Known(state.captures.group(0));
            }
            if captures {
                self.set_captures(value);
            }
        }
        let state = &mut *self.state;
        let key = match row.key {
            Key::Text(name) => Key::Text(state.store.steady(name)),
            key => key,
        };
        state.matches.push(Match {
            variable: target.variable,
            is_count: target.is_count,
            key,
            value,
            found,
        });
        self.acts(present);
    }

    /// What the operator captures of the last value for which it held.
    fn capture_last(&mut self, test: &Test, argument: &[u8], groups: usize) {
        let state = &mut *self.state;
        let Some(value) = state.matches.last().map(|it| it.value) else { return };
        let value_bytes = state.store.bytes(value);
        let _ = test.operator.capture(value_bytes, argument, groups, &mut state.captures);
        self.set_captures(value);
    }

    /// `TX.0` to `TX.9`: what the operator found in `value`. Up to the last group that took part
    /// each has a value, if only an empty one; those behind it have none.
    fn set_captures(&mut self, value: Span) {
        let state = &mut *self.state;
        let captures = &state.captures;
        let took_part = |group: &usize| captures.text(*group, state.store.bytes(value)).is_some();
        let last = (0..10).rev().find(took_part);
        for (group, slot) in self.program.names.captures().into_iter().enumerate() {
            let place = Place::Slot(slot);
            if last.is_none_or(|last| group > last) {
                state.tx.unset(place);
                continue;
            }
            let found = match (captures.group(group), captures.text(group, b"")) {
                (Some(range), _) => value.part(range.start, range.end),
                (None, Some(fingerprint)) => state.store.sketch(fingerprint),
                (None, None) => Span::default(),
            };
            state.tx.set_text(place, found, &mut state.store);
        }
    }
}

impl State {
    /// Does the comparison hold? An absent variable satisfies none, but can be counted.
    pub(super) fn holds(&self, quick: &Quick) -> bool {
        let place = Place::Slot(quick.slot);
        let value = if quick.is_count {
            Some(i64::from(self.tx.is_set(place)))
        } else {
            self.tx.number(place, &self.store)
        };
        let Some(value) = value else { return false };
        let bound = match quick.bound {
            Bound::Fixed(bound) => bound,
            Bound::Slot(slot) => self.tx.number(Place::Slot(slot), &self.store).unwrap_or(0),
        };
        quick.comparison.holds(value, bound) != quick.is_negated
    }
}

/// The value after all transformations: borrowed when it stays as it is.
fn transformed<'v>(transformations: &[Transformation], value: &'v [u8]) -> Cow<'v, [u8]> {
    let mut value = Cow::Borrowed(value);
    for transformation in transformations {
        let changed = match transformation.apply(&value) {
            Cow::Borrowed(_) => continue,
            Cow::Owned(changed) => changed,
        };
        value = Cow::Owned(changed);
    }
    value
}

impl Comparison {
    /// Does `value` stand so to `bound`?
    pub(super) const fn holds(self, value: i64, bound: i64) -> bool {
        match self {
            Self::Eq => value == bound,
            Self::Ge => value >= bound,
            Self::Gt => value > bound,
            Self::Le => value <= bound,
            Self::Lt => value < bound,
        }
    }
}
