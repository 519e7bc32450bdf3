//! Which variables of `TX` a rule reads and writes, as far as that can be told before it runs.

use super::{
    act::{Act, Amend, Amount, TxName},
    program::{Bound, LinkPlan, Names, RulePlan, Selection},
};
use crate::{
    action::Disruption,
    prefilter::Bits,
    rule::{Link, Rule},
    template::{Macro, Piece, Template},
    variable::Variable,
};

/// Variables of `TX` that have a slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    some: Bits,
    is_all: bool,
}

/// What a rule reads and writes, whether or not it holds.
pub(super) struct Touch<'n> {
    names: &'n Names,
    pub(super) reads: Slots,
    pub(super) writes: Slots,
    /// It asks for a text of its own rule, which may have macros.
    asks_rule: bool,
}

/// Do the targets or the acts of a link read or write what operators capture?
pub(super) fn meets_captures(plan: &LinkPlan, names: &Names) -> bool {
    let mut touch = Touch::nothing(names);
    touch.targets(plan);
    plan.acts.iter().for_each(|act| touch.act(act));
    let meets = |slot: u16| touch.reads.has(slot) || touch.writes.has(slot);
    touch.asks_rule || names.captures().into_iter().any(meets)
}

impl Slots {
    pub(super) fn none(names: &Names) -> Self {
        Self { some: Bits::with_room(names.len()), is_all: false }
    }

    pub(super) fn has(&self, slot: u16) -> bool {
        self.is_all || self.some.contains(usize::from(slot))
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.some.add(&other.some);
        self.is_all |= other.is_all;
    }

    fn insert(&mut self, slot: u16) {
        self.some.insert(usize::from(slot));
    }
}

impl<'n> Touch<'n> {
    pub(super) fn of(rule: &Rule, plan: &RulePlan, names: &'n Names) -> Self {
        let mut touch = Self::nothing(names);
        for (link, link_plan) in rule.links.iter().zip(&plan.links) {
            touch.link(link, link_plan);
        }
        rule.about.tags.iter().for_each(|tag| touch.read(tag));
        if let Disruption::Redirect { location, .. } = &rule.disruption {
            touch.read(location);
        }
        touch
    }

    fn nothing(names: &'n Names) -> Self {
        let (reads, writes) = (Slots::none(names), Slots::none(names));
        Self { names, reads, writes, asks_rule: false }
    }

    fn targets(&mut self, plan: &LinkPlan) {
        for target in &plan.targets {
            self.asks_rule |= target.variable == Variable::Rule;
            match &target.selection {
                _ if target.variable != Variable::Tx => {}
                Selection::Slot(slot) => self.reads.insert(*slot),
                Selection::Key(_) => {}
                _ => self.reads.is_all = true,
            }
        }
    }

    fn link(&mut self, link: &Link, plan: &LinkPlan) {
        self.targets(plan);
        if let Some(Bound::Slot(slot)) = plan.quick.as_ref().map(|quick| quick.bound) {
            self.reads.insert(slot);
        }
        if link.test.as_ref().is_some_and(|test| test.captures) {
            self.names.captures().into_iter().for_each(|slot| self.writes.insert(slot));
        }
        let texts = [&plan.argument, &link.message, &link.log_data];
        texts.into_iter().flatten().for_each(|template| self.read(template));
        plan.acts.iter().for_each(|act| self.act(act));
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::SetTx { name, change } => {
                match name {
                    TxName::Slot(slot) => {
                        self.writes.insert(*slot);
                        self.reads.insert(*slot);
                    }
                    TxName::Made { name, .. } => self.write_made(name),
                }
                self.change(change);
            }
            Act::SetLasting { key, change, .. } => {
                self.read(key);
                self.change(change);
            }
            Act::Expire { key, seconds, .. } => {
                self.read(key);
                self.read(seconds);
            }
            Act::Open { key, .. } => self.read(key),
            Act::SetEnvironment { value, .. } => self.read(value),
            _ => {}
        }
    }

    /// A name that macros make is one of those that begin as it does.
    fn write_made(&mut self, template: &Template) {
        self.read(template);
        let Some(Piece::Text(begin)) = template.pieces.first() else {
            self.writes.is_all = true;
            return;
        };
        let slots = (0..self.names.len()).filter_map(|slot| u16::try_from(slot).ok());
        for slot in slots.filter(|slot| self.names.name(*slot).starts_with(begin)) {
            self.writes.insert(slot);
            self.reads.insert(slot);
        }
    }

    fn change(&mut self, change: &Amend) {
        match change {
            Amend::Text(template) => self.read(template),
            Amend::Add(amount) | Amend::Subtract(amount) => match amount {
                Amount::Fixed(_) => {}
                Amount::Slot(slot) => self.reads.insert(*slot),
                Amount::Made(template) => self.read(template),
            },
            Amend::Number(_) | Amend::Unset => {}
        }
    }

    fn read(&mut self, template: &Template) {
        for it in macros(template) {
            self.asks_rule |= it.variable == Variable::Rule;
            match slot(it, self.names) {
                Some(slot) => self.reads.insert(slot),
                // `RULE.msg` is a text with macros of its own, which is looked at where it stands.
                None if it.variable == Variable::Tx && it.key.is_none() => self.reads.is_all = true,
                None => {}
            }
        }
    }
}

pub(super) fn macros(template: &Template) -> impl Iterator<Item = &Macro> {
    template.pieces.iter().filter_map(|piece| match piece {
        Piece::Macro(it) => Some(it),
        Piece::Text(_) => None,
    })
}

/// The slot of a macro of `TX`.
pub(super) fn slot(it: &Macro, names: &Names) -> Option<u16> {
    let key = it.key.as_ref().filter(|_| it.variable == Variable::Tx)?;
    names.slot(key)
}
