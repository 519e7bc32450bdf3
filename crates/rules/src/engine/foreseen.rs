//! What of a rule set is certain before there is an exchange.
//!
//! Half of the rules of a rule set control it: they set its variables to what the settings say,
//! and jump over what these leave out. What they do is the same for every exchange. So it is done
//! once: exchanges begin with the variables that it leaves behind, and neither these rules nor
//! those that are always jumped over run any more.
//!
//! A rule is foreseen when it compares variables of `TX` alone whose values are certain where it
//! stands, says nothing to anybody, and does nothing but write `TX`. It is done ahead of its turn,
//! so nothing that stands before it may read what it writes, or end the phase.
//!
//! Invariant: whatever an exchange holds, it ends as it would if every rule had run in its turn.

use std::ops::Range;

use super::{
    act::{Act, Amend, Amount, TxName},
    lasting::Collections,
    program::{Bound, Program, Quick, RulePlan},
    run::Run,
    state::State,
    touch::{self, Slots, Touch},
    tx::{Place, Tx},
};
use crate::{
    action::Disruption,
    prefilter::Bits,
    rule::{Jump, Rule},
    rule_set::Step,
    template::{Piece, Template},
    variable::Variable,
};

/// What was foreseen.
#[derive(Debug, Default)]
pub(super) struct Foreseen {
    /// The variables that exchanges begin with, and their texts.
    tx: Tx,
    texts: Vec<u8>,
    /// Variables that may change.
    open: Slots,
    /// The steps of each phase that never run.
    idle: [Bits; 5],
}

/// What becomes of a rule.
#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    Holds,
    Fails,
    /// That depends on the exchange.
    Open,
}

struct Foresight<'p> {
    program: &'p Program,
    state: State,
    /// Variables whose values are not certain.
    open: Slots,
    idle: [Bits; 5],
}

/// How far a phase has been gone through.
struct Course {
    /// Where jumps go that are not certain.
    landings: Vec<usize>,
    /// What was read so far by rules that run in their turn.
    read: Slots,
    /// May the phase have ended before?
    may_have_ended: bool,
}

impl Foreseen {
    /// Nothing, but that there are so many variables.
    pub(super) fn nothing(slots: usize) -> Self {
        let mut tx = Tx::default();
        tx.reset(slots);
        Self { tx, ..Self::default() }
    }

    /// The steps of a phase that never run.
    pub(super) fn idle(&self, phase: usize) -> &Bits {
        const NONE: &Bits = &Bits::NONE;
        self.idle.get(phase).unwrap_or(NONE)
    }

    /// What a template becomes, when that is certain.
    pub(super) fn text(&self, template: &Template) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        for piece in &template.pieces {
            match piece {
                Piece::Text(piece) => text.extend_from_slice(piece),
                Piece::Macro(it) => {
                    let slot = it.slot.filter(|slot| !self.open.has(*slot))?;
                    self.tx.write(Place::Slot(slot), &self.texts, &mut text);
                }
            }
        }
        Some(text)
    }

    /// An exchange begins.
    pub(super) fn begin(&self, state: &mut State) {
        state.tx.begin_as(&self.tx);
        state.store.tx.clear();
        state.store.tx.extend_from_slice(&self.texts);
    }

    /// What is certain of a program.
    pub(super) fn of(program: &Program) -> Self {
        let mut state = State::new(&program.set.settings);
        state.work.max = u64::MAX;
        state.tx.reset(program.names.len());
        let idle = std::array::from_fn(|phase| {
            Bits::with_room(program.set.phases.get(phase).map_or(0, Vec::len))
        });
        let open = Slots::none(&program.names);
        let mut foresight = Foresight { program, state, open, idle };
        foresight.go_ahead();
        while foresight.leave_out() {}
        let Foresight { state, idle, open, .. } = foresight;
        Self { tx: state.tx, texts: state.store.tx, open, idle }
    }
}

impl<'p> Foresight<'p> {
    /// Goes through the first phase, and does what is certain.
    fn go_ahead(&mut self) {
        let read = Slots::none(&self.program.names);
        let mut course = Course { landings: Vec::new(), read, may_have_ended: false };
        for at in 0..self.steps(0).len() {
            let Some((rule, plan)) = self.live(0, at) else { continue };
            if self.state.narrowing.is_removed(plan.number) {
                self.leave(0, at);
                continue;
            }
            match self.outcome(rule, plan) {
                Outcome::Fails => self.leave(0, at),
                Outcome::Holds if self.can_be_done(rule, plan, at, &course) => {
                    let collections = Collections::default();
                    let state = &mut self.state;
                    let program = self.program;
                    Run { program, collections: &collections, state }.rule(rule, plan, at);
                    self.leave(0, at);
                    self.leave_range(0, at + 1..plan.next, &course.landings);
                }
                Outcome::Holds if self.is_but_a_jump(rule, plan) => {
                    let range = at + 1..plan.next;
                    if self.leave_range(0, range, &course.landings) {
                        self.leave(0, at);
                    } else {
                        course.landings.push(plan.next);
                    }
                }
                _ => {
                    let touch = Touch::of(rule, plan, &self.program.names);
                    self.open.add(&touch.writes);
                    course.read.add(&touch.reads);
                    if rule.jump != Jump::Next {
                        course.landings.push(plan.next);
                    }
                    course.may_have_ended |= may_end(rule, plan);
                }
            }
        }
        self.leave_removed();
    }

    /// Rules that are taken away for certain never run.
    fn leave_removed(&mut self) {
        for phase in 0..5 {
            for at in 0..self.steps(phase).len() {
                let number = self.live(phase, at).map(|(_, plan)| plan.number);
                if number.is_some_and(|it| self.state.narrowing.is_removed(it)) {
                    self.leave(phase, at);
                }
            }
        }
    }

    /// Leaves out what does nothing, now that no rule that runs writes certain variables. Says
    /// whether there was any such rule: fewer rules write fewer variables.
    fn leave_out(&mut self) -> bool {
        self.open = Slots::none(&self.program.names);
        for phase in 0..5 {
            for at in 0..self.steps(phase).len() {
                if let Some((rule, plan)) = self.live(phase, at) {
                    self.open.add(&Touch::of(rule, plan, &self.program.names).writes);
                }
            }
        }
        let mut has_left = false;
        for phase in 0..5 {
            for at in 0..self.steps(phase).len() {
                let Some((rule, plan)) = self.live(phase, at) else { continue };
                let is_idle = match self.outcome(rule, plan) {
                    Outcome::Fails => true,
                    Outcome::Holds if self.is_but_a_jump(rule, plan) => {
                        let landings = self.landings(phase, at);
                        self.leave_range(phase, at + 1..plan.next, &landings)
                    }
                    _ => false,
                };
                if is_idle {
                    self.leave(phase, at);
                    has_left = true;
                }
            }
        }
        has_left
    }

    fn steps(&self, phase: usize) -> &'p [Step] {
        self.program.set.phases.get(phase).map_or(&[], Vec::as_slice)
    }

    /// The rule at a step, unless it never runs.
    fn live(&self, phase: usize, at: usize) -> Option<(&'p Rule, &'p RulePlan)> {
        if self.idle.get(phase)?.contains(at) {
            return None;
        }
        match self.program.set.phases.get(phase)?.get(at)? {
            Step::Rule(rule) => Some((rule, self.program.phases.get(phase)?.get(at)?.as_ref()?)),
            Step::Marker(_) => None,
        }
    }

    /// All rules that may run.
    fn all_live(&self) -> impl Iterator<Item = (usize, usize, &'p RulePlan)> {
        (0..5).flat_map(move |phase| {
            let steps = 0..self.steps(phase).len();
            steps.filter_map(move |at| Some((phase, at, self.live(phase, at)?.1)))
        })
    }

    fn leave(&mut self, phase: usize, at: usize) {
        if let Some(idle) = self.idle.get_mut(phase) {
            idle.insert(at);
        }
    }

    /// Leaves out a range that is jumped over, up to where another jump lands in it. Is that all of
    /// it?
    fn leave_range(&mut self, phase: usize, range: Range<usize>, landings: &[usize]) -> bool {
        let within = landings.iter().copied().filter(|to| range.contains(to));
        let end = within.min().unwrap_or(range.end);
        (range.start..end).for_each(|at| self.leave(phase, at));
        end == range.end
    }

    /// Where the jumps go that begin before a step.
    fn landings(&self, phase: usize, before: usize) -> Vec<usize> {
        let rules = (0..before).filter_map(|at| self.live(phase, at));
        let jumps = rules.filter(|(rule, _)| rule.jump != Jump::Next);
        jumps.map(|(_, plan)| plan.next).collect()
    }

    fn outcome(&self, rule: &Rule, plan: &RulePlan) -> Outcome {
        let mut acts = 0;
        for (link, link_plan) in rule.links.iter().zip(&plan.links) {
            let holds = match (&link.test, &link_plan.quick) {
                (None, _) => true,
                (Some(test), Some(quick)) if self.is_certain(quick) && !test.captures => {
                    self.state.holds(quick)
                }
                _ => return Outcome::Open,
            };
            if !holds {
                return if acts == 0 { Outcome::Fails } else { Outcome::Open };
            }
            acts += link_plan.acts.len();
        }
        let loses_targets = |act: &Act| match act {
            Act::RemoveTarget { rules, variable: Variable::Tx, .. } => {
                rules.binary_search(&plan.number).is_ok()
            }
            _ => false,
        };
        if self.any_act(loses_targets) { Outcome::Open } else { Outcome::Holds }
    }

    fn is_certain(&self, quick: &Quick) -> bool {
        let is_bound_certain = match quick.bound {
            Bound::Fixed(_) => true,
            Bound::Slot(slot) => !self.open.has(slot),
        };
        is_bound_certain && !self.open.has(quick.slot)
    }

    fn any_act(&self, is_it: impl Fn(&Act) -> bool) -> bool {
        self.all_live().any(|(_, _, plan)| acts(plan).any(&is_it))
    }

    /// Can a rule that holds be done ahead of its turn, once and for all?
    fn can_be_done(&self, rule: &Rule, plan: &RulePlan, at: usize, course: &Course) -> bool {
        let may_be_jumped_over = || course.landings.iter().any(|to| *to > at);
        let may_be_removed = || {
            let before = (0..at).filter_map(|before| self.live(0, before));
            let mut acts = before.flat_map(|(_, plan)| acts(plan));
            acts.any(|act| is_removal_of(act, plan.number))
        };
        is_silent(rule)
            && !course.may_have_ended
            && !may_be_jumped_over()
            && acts(plan).all(|act| self.can_be_done_act(act, at, course))
            && !may_be_removed()
    }

    fn can_be_done_act(&self, act: &Act, at: usize, course: &Course) -> bool {
        let is_certain = |slot: u16| !self.open.has(slot);
        let is_text_certain = |template: &Template| {
            let mut slots = touch::macros(template).map(|it| touch::slot(it, &self.program.names));
            slots.all(|slot| slot.is_some_and(is_certain))
        };
        match act {
            Act::SetTx { name: TxName::Slot(slot), change } => {
                let is_change_certain = match change {
                    Amend::Number(_) | Amend::Unset => true,
                    Amend::Text(text) => is_text_certain(text),
                    Amend::Add(by) | Amend::Subtract(by) => {
                        is_certain(*slot)
                            && match by {
                                Amount::Fixed(_) => true,
                                Amount::Slot(slot) => is_certain(*slot),
                                Amount::Made(text) => is_text_certain(text),
                            }
                    }
                };
                is_change_certain && is_certain(*slot) && !course.read.has(*slot)
            }
            // What stands before it runs all the same.
            Act::RemoveRules(rules) => !(0..at).any(|before| {
                let number = self.live(0, before).map(|(_, plan)| plan.number);
                number.is_some_and(|number| rules.binary_search(&number).is_ok())
            }),
            _ => false,
        }
    }

    /// Does a rule that holds do nothing but jump, if that? Where `ctl` may take it away, it must
    /// take away all that it jumps over, too.
    fn is_but_a_jump(&self, rule: &Rule, plan: &RulePlan) -> bool {
        let phase = rule.phase as usize;
        let over = |at: usize| self.live(phase, at).map(|(_, plan)| plan.number);
        let parts = |act: &Act| {
            let Act::RemoveRules(rules) = act else { return false };
            let place = self.program.places.get(plan.number as usize);
            let start = place.map_or(plan.next, |(_, at)| at + 1);
            is_removal_of(act, plan.number)
                && !(start..plan.next).filter_map(over).all(|it| rules.binary_search(&it).is_ok())
        };
        is_silent(rule) && acts(plan).next().is_none() && !self.any_act(parts)
    }
}

fn acts(plan: &RulePlan) -> impl Iterator<Item = &Act> {
    plan.links.iter().flat_map(|link| &*link.acts)
}

fn is_removal_of(act: &Act, number: u32) -> bool {
    matches!(act, Act::RemoveRules(rules) if rules.binary_search(&number).is_ok())
}

/// Does it refuse nothing, and tell nobody that it held?
fn is_silent(rule: &Rule) -> bool {
    rule.disruption == Disruption::Pass && !rule.about.is_logged && !rule.about.is_audited
}

/// May the phase be over behind it?
fn may_end(rule: &Rule, plan: &RulePlan) -> bool {
    rule.disruption != Disruption::Pass || acts(plan).any(|act| matches!(act, Act::Engine(_)))
}
