//! Effects, prepared for running: which variable they write, by how much, and which rules they
//! concern.

use crate::{
    action::Audit,
    action::{Assignment, BodyProcessor, Change, Control, Effect, EngineMode, RuleFilter},
    operator::number::atoi,
    rule_set::RuleSet,
    template::{Piece, Template},
    variable::Variable,
};

use super::program::{Names, Selection};

/// What a match does besides.
#[derive(Debug)]
pub(super) enum Act {
    /// `setvar` of `TX`.
    SetTx {
        name: TxName,
        change: Amend,
    },
    /// `setvar` of a persistent collection.
    SetLasting {
        collection: Variable,
        key: Template,
        change: Amend,
    },
    Expire {
        collection: Variable,
        key: Template,
        seconds: Template,
    },
    Open {
        collection: Variable,
        key: Template,
    },
    SetEnvironment {
        name: Box<[u8]>,
        value: Template,
    },
    Audit(Audit),
    ForceRequestBody(bool),
    RequestBodyAccess(bool),
    ResponseBodyAccess(bool),
    Processor(BodyProcessor),
    Engine(EngineMode),
    /// The rules of these numbers no longer run.
    RemoveRules(Box<[u32]>),
    /// The rules of these numbers no longer look at these values.
    RemoveTarget {
        rules: Box<[u32]>,
        variable: Variable,
        selection: Selection,
    },
}

/// A name of `TX`.
#[derive(Debug)]
pub(super) enum TxName {
    Slot(u16),
    /// Made by macros.
    Made {
        name: Template,
        /// Does it begin as a name does that has a slot?
        may_have_slot: bool,
    },
}

/// What becomes of a variable.
#[derive(Debug)]
pub(super) enum Amend {
    /// It is this number, and its text is that number's.
    Number(i64),
    Text(Template),
    Add(Amount),
    Subtract(Amount),
    Unset,
}

/// By how much a variable grows.
#[derive(Debug)]
pub(super) enum Amount {
    Fixed(i64),
    Slot(u16),
    Made(Template),
}

/// Prepares an effect of a rule of `set`.
pub(super) fn plan(effect: &Effect, set: &RuleSet, names: &Names) -> Act {
    match effect {
        Effect::SetVariable(assignment) => assign(assignment, names),
        Effect::ExpireVariable { collection, key, seconds } => Act::Expire {
            collection: *collection,
            key: names.resolved(key),
            seconds: names.resolved(seconds),
        },
        Effect::OpenCollection { collection, key } => {
            Act::Open { collection: *collection, key: names.resolved(key) }
        }
        Effect::SetEnvironment { name, value } => {
            Act::SetEnvironment { name: name.clone(), value: names.resolved(value) }
        }
        Effect::Control(control) => plan_control(control, set, names),
    }
}

fn assign(assignment: &Assignment, names: &Names) -> Act {
    let change = Amend::new(&assignment.change, names);
    if assignment.collection != Variable::Tx {
        let key = names.resolved(&assignment.key);
        return Act::SetLasting { collection: assignment.collection, key, change };
    }
    let slot = assignment.key.fixed().and_then(|name| names.slot(name));
    let name = slot.map_or_else(|| made(&assignment.key, names), TxName::Slot);
    Act::SetTx { name, change }
}

fn made(key: &Template, names: &Names) -> TxName {
    let may_have_slot = match key.pieces.first() {
        Some(Piece::Text(begin)) => {
            let begin = begin.to_ascii_lowercase();
            let slots = (0..names.len()).filter_map(|slot| u16::try_from(slot).ok());
            slots.into_iter().any(|slot| names.name(slot).starts_with(&begin))
        }
        _ => true,
    };
    TxName::Made { name: names.resolved(key), may_have_slot }
}

fn plan_control(control: &Control, set: &RuleSet, names: &Names) -> Act {
    match control {
        Control::AuditEngine(audit) => Act::Audit(*audit),
        Control::ForceRequestBodyVariable(on) => Act::ForceRequestBody(*on),
        Control::RequestBodyAccess(on) => Act::RequestBodyAccess(*on),
        Control::RequestBodyProcessor(processor) => Act::Processor(*processor),
        Control::ResponseBodyAccess(on) => Act::ResponseBodyAccess(*on),
        Control::RuleEngine(mode) => Act::Engine(*mode),
        Control::RemoveRules(filter) => Act::RemoveRules(numbers(filter, set)),
        Control::RemoveTarget { rules, target } => Act::RemoveTarget {
            rules: numbers(rules, set),
            variable: target.variable,
            selection: Selection::of(target, names),
        },
    }
}

/// The places of the rules that the filter names among all rules.
fn numbers(filter: &RuleFilter, set: &RuleSet) -> Box<[u32]> {
    let named = (0..).zip(set.rules()).filter(|(_, rule)| filter.matches(rule));
    named.map(|(number, _)| number).collect()
}

impl Amend {
    fn new(change: &Change, names: &Names) -> Self {
        match change {
            Change::Set(value) => {
                let number = value.fixed().filter(|text| {
                    // A text that a number would be written as can be kept as that number.
                    text.len() < 19 && atoi(text).to_string().as_bytes() == *text
                });
                number
                    .map_or_else(|| Self::Text(names.resolved(value)), |it| Self::Number(atoi(it)))
            }
            Change::Add(value) => Self::Add(Amount::new(value, names)),
            Change::Subtract(value) => Self::Subtract(Amount::new(value, names)),
            Change::Unset => Self::Unset,
        }
    }
}

impl Amount {
    fn new(value: &Template, names: &Names) -> Self {
        match (value.fixed(), names.only_slot(value)) {
            (Some(text), _) => Self::Fixed(atoi(text)),
            (None, Some(slot)) => Self::Slot(slot),
            (None, None) => Self::Made(names.resolved(value)),
        }
    }
}
