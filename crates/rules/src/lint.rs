//! What is suspicious about a set of rules although it loads: for people who write rules.
//!
//! A pure function of the set, and only about rules: what cannot be read is an error of
//! [`crate::seclang`] already.

mod names;
mod reach;

use std::fmt;

use regex_automata::{nfa::thompson::NFA, util::syntax};

use crate::{
    operator::Operator,
    pattern::Pattern,
    rule::{Rule, Source, Test},
    rule_set::RuleSet,
    transformation::Transformation,
};

/// Automata with more states take long for long values; most patterns of the Core Rule Set have
/// some hundred.
const STATES_MAX: usize = 20_000;

/// Something that is suspicious.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning {
    /// The rule that it is about, if it is about one.
    pub rule: Option<(u64, Source)>,
    /// What, in a sentence.
    pub text: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Some((id, source)) => write!(f, "{source}: rule {id} {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl Warning {
    fn of(rule: &Rule, text: impl Into<String>) -> Self {
        Self { rule: Some((rule.id, rule.source.clone())), text: text.into() }
    }
}

/// What is suspicious about a set: first what concerns one rule, phase by phase.
#[must_use]
pub fn lint(set: &RuleSet) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for steps in &set.phases {
        reach::check(steps, &mut warnings);
    }
    for rule in set.rules() {
        for test in rule.links.iter().filter_map(|link| link.test.as_ref()) {
            check_test(rule, test, &mut warnings);
        }
    }
    names::check(set, &mut warnings);
    reach::check_markers(set, &mut warnings);
    warnings
}

fn check_test(rule: &Rule, test: &Test, warnings: &mut Vec<Warning>) {
    let mut warn = |text: String| warnings.push(Warning::of(rule, text));
    for excluded in &test.targets.excluded {
        let is_meant = test.targets.included.iter().any(|it| it.variable == excluded.variable);
        if !is_meant {
            let name = excluded.variable.name();
            warn(format!("does not look at {name}, of which it leaves a part out"));
        }
    }
    if test.multi_match && test.transformations.is_empty() {
        warn("says multiMatch, but transforms nothing".to_owned());
    }
    match &test.operator {
        Operator::Rx(pattern) => {
            if let Some(text) = cost(pattern) {
                warn(text);
            }
        }
        Operator::Never if !test.is_negated => warn("can never match".to_owned()),
        Operator::Unanswered(name) => warn(format!("asks @{name}, which never holds here")),
        Operator::Text(it) => {
            let lowers = test.transformations.iter().rev().any(|it| lowers(*it));
            let has_capital = |text: &[u8]| text.iter().any(u8::is_ascii_uppercase);
            if lowers && it.fixed().is_some_and(has_capital) {
                warn("compares capitals with what it has made small letters".to_owned());
            }
        }
        _ => {}
    }
}

fn lowers(transformation: Transformation) -> bool {
    matches!(transformation, Transformation::Lowercase | Transformation::CmdLine)
}

/// Why a pattern takes long, if it does.
fn cost(pattern: &Pattern) -> Option<String> {
    let Some(regex) = pattern.regex() else {
        return Some("has a pattern that looks around, which takes ten times as long".to_owned());
    };
    let syntax = syntax::Config::new().unicode(false).utf8(false).dot_matches_new_line(true);
    let nfa = NFA::compiler().syntax(syntax).build(regex.as_str()).ok()?;
    let states = nfa.states().len();
    (states > STATES_MAX).then(|| format!("has a pattern with {states} states, which takes long"))
}

#[cfg(test)]
mod tests;
