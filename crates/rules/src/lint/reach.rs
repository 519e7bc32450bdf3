//! Where evaluation goes: rules that it never comes to, and jumps and markers without each other.

use std::collections::HashSet;

use super::Warning;
use crate::{
    action::Disruption,
    rule::{Jump, Phase, Rule},
    rule_set::{RuleSet, Step},
};

/// The steps of one phase.
pub(super) fn check(steps: &[Step], warnings: &mut Vec<Warning>) {
    // The rule behind which nothing runs, and the marker or the number of rules where it ends.
    let mut dead: Option<(u64, Until<'_>)> = None;
    for (place, step) in steps.iter().enumerate() {
        match step {
            Step::Marker(name) => {
                if dead.as_ref().is_some_and(|(_, until)| *until == Until::Marker(name)) {
                    dead = None;
                }
            }
            Step::Rule(rule) => {
                if let Some((by, until)) = dead.take() {
                    let text = format!("never runs: rule {by} before it always goes past it");
                    warnings.push(Warning::of(rule, text));
                    dead = until.after_a_rule().map(|until| (by, until));
                } else {
                    dead = past(rule).map(|until| (rule.id, until));
                }
                check_jump(rule, steps.get(place + 1..).unwrap_or_default(), warnings);
                check_disruption(rule, warnings);
            }
        }
    }
}

/// How far nothing runs.
#[derive(Eq, PartialEq)]
enum Until<'a> {
    End,
    Marker(&'a str),
    Rules(u32),
}

impl Until<'_> {
    fn after_a_rule(self) -> Option<Self> {
        match self {
            Self::Rules(rules) => (rules > 1).then(|| Self::Rules(rules - 1)),
            other => Some(other),
        }
    }
}

/// How far evaluation goes on behind this rule, which always holds.
fn past(rule: &Rule) -> Option<Until<'_>> {
    // A value that is not there is not asked, so only an action always holds.
    if rule.links.iter().any(|link| link.test.is_some()) {
        return None;
    }
    match &rule.jump {
        Jump::SkipAfter(marker) => Some(Until::Marker(marker)),
        Jump::Skip(rules) => Some(Until::Rules(*rules)),
        Jump::Next => match rule.disruption {
            Disruption::Pass => None,
            _ => Some(Until::End),
        },
    }
}

fn check_jump(rule: &Rule, behind: &[Step], warnings: &mut Vec<Warning>) {
    let Jump::SkipAfter(name) = &rule.jump else { return };
    let is_there = behind.iter().any(|step| matches!(step, Step::Marker(marker) if marker == name));
    if !is_there {
        let text = format!(
            "goes to the marker {name}, which does not stand behind it, and so to \
            the end of its phase"
        );
        warnings.push(Warning::of(rule, text));
    }
}

fn check_disruption(rule: &Rule, warnings: &mut Vec<Warning>) {
    let refuses = !matches!(rule.disruption, Disruption::Pass | Disruption::Allow(_));
    if rule.phase == Phase::Logging && refuses {
        warnings.push(Warning::of(rule, "refuses in phase 5, when all is done"));
    }
}

/// Markers to which nothing goes.
pub(super) fn check_markers(set: &RuleSet, warnings: &mut Vec<Warning>) {
    let jumps = set.rules().filter_map(|rule| match &rule.jump {
        Jump::SkipAfter(name) => Some(&**name),
        _ => None,
    });
    let jumps: HashSet<&str> = jumps.collect();
    let mut told = HashSet::new();
    for step in set.phases.iter().flatten() {
        let Step::Marker(name) = step else { continue };
        if !jumps.contains(&**name) && told.insert(name) {
            let text = format!("no rule goes to the marker {name}");
            warnings.push(Warning { rule: None, text });
        }
    }
}
