//! Names of `TX` that are read and never written.

use std::collections::HashSet;

use super::Warning;
use crate::{
    action::{Assignment, Change, Disruption, Effect},
    rule::{Rule, Selector},
    rule_set::RuleSet,
    template::{Piece, Template},
    variable::Variable,
};

/// Reads of names that no rule writes. Asking how many there are (`&TX:a`) is no read: that is how
/// rules find out whether a name was written.
pub(super) fn check(set: &RuleSet, warnings: &mut Vec<Warning>) {
    let written = Written::by(set);
    let mut told = HashSet::new();
    for rule in set.rules() {
        let mut read = Vec::new();
        for link in &rule.links {
            let targets = link.test.iter().flat_map(|test| &test.targets.included);
            read.extend(targets.filter(|it| !it.is_count).filter_map(|it| match &it.selector {
                Selector::Key { key, .. } if it.variable == Variable::Tx => Some(&**key),
                _ => None,
            }));
        }
        read.extend(templates(rule).into_iter().flat_map(|it| &it.pieces).filter_map(key));
        for name in read {
            if !written.has(name) && told.insert(name) {
                let name = name.escape_ascii();
                let text = format!("reads TX.{name}, which no rule writes");
                warnings.push(Warning::of(rule, text));
            }
        }
    }
}

fn key(piece: &Piece) -> Option<&[u8]> {
    match piece {
        Piece::Macro(it) if it.variable == Variable::Tx => it.key.as_deref(),
        _ => None,
    }
}

/// The names that rules write.
#[derive(Default)]
struct Written<'a> {
    names: HashSet<&'a [u8]>,
    /// Of names that end with a macro, the beginnings.
    beginnings: Vec<&'a [u8]>,
}

impl<'a> Written<'a> {
    fn by(set: &'a RuleSet) -> Self {
        let mut written = Self::default();
        for effect in set.rules().flat_map(|rule| &rule.links).flat_map(|link| &link.effects) {
            let Effect::SetVariable(Assignment { collection: Variable::Tx, key, .. }) = effect
            else {
                continue;
            };
            match (key.fixed(), key.pieces.first()) {
                (Some(name), _) => {
                    written.names.insert(name);
                }
                (None, Some(Piece::Text(beginning))) => written.beginnings.push(beginning),
                (None, _) => written.beginnings.push(b""),
            }
        }
        written
    }

    fn has(&self, name: &[u8]) -> bool {
        // TX.0 to TX.9 are what operators capture.
        matches!(name, [digit] if digit.is_ascii_digit())
            || self.names.contains(name)
            || self.beginnings.iter().any(|beginning| name.starts_with(beginning))
    }
}

/// Every text of a rule that may hold macros.
fn templates(rule: &Rule) -> Vec<&Template> {
    let mut all: Vec<&Template> = rule.about.tags.iter().collect();
    if let Disruption::Redirect { location, .. } = &rule.disruption {
        all.push(location);
    }
    for link in &rule.links {
        all.extend(link.message.iter().chain(&link.log_data));
        all.extend(link.test.iter().filter_map(|test| test.argument.as_ref()));
        for effect in &link.effects {
            match effect {
                Effect::SetVariable(Assignment { key, change, .. }) => {
                    all.push(key);
                    match change {
                        Change::Set(it) | Change::Add(it) | Change::Subtract(it) => all.push(it),
                        Change::Unset => {}
                    }
                }
                Effect::ExpireVariable { key, seconds, .. } => all.extend([key, seconds]),
                Effect::OpenCollection { key, .. } => all.push(key),
                Effect::SetEnvironment { value, .. } => all.push(value),
                Effect::Control(_) => {}
            }
        }
    }
    all
}
