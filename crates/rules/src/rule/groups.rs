//! How much of what operators capture anybody looks at.
//!
//! Where a pattern matches is told by automata, in some nanoseconds for each byte. What its groups
//! are takes a machine that follows each way through the pattern with what was captured on it, up
//! to fifty times as long. Nearly all rules that capture read no more than the whole match, `TX.0`.

use crate::{
    action::{Assignment, Change, Disruption, Effect},
    operator::GROUPS,
    rule::{Link, Rule, Selector, Target, Test},
    rule_set::RuleSet,
    template::{Macro, Piece, Template},
    variable::Variable,
};

/// How many groups are looked at, the whole match among them: those up to the last one that is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Groups {
    /// Of what the rule itself captured, by whatever in it comes after that.
    own: usize,
    /// Of what rules before it captured.
    before: usize,
}

impl Rule {
    /// How many groups of what it captures the rule itself looks at, 0 to 10: `TX.0` is the first,
    /// and `TX.2` the third.
    #[must_use]
    pub fn groups(&self) -> usize {
        Groups::of(self).own
    }
}

impl RuleSet {
    /// How many groups rules look at that others captured, 0 to 10. In the Core Rule Set no rule
    /// does.
    #[must_use]
    pub fn groups_of_others(&self) -> usize {
        self.rules().map(|rule| Groups::of(rule).before).max().unwrap_or_default()
    }
}

impl Groups {
    fn of(rule: &Rule) -> Self {
        let mut groups = Self::default();
        let mut has_captured = false;
        for link in &rule.links {
            if let Some(test) = &link.test {
                groups.add(has_captured, of_test(test));
                // A test that holds leaves none of what was captured before.
                has_captured |= test.captures && !test.is_negated;
            }
            let effects = link.effects.iter().map(of_effect);
            groups.add(has_captured, effects.max().unwrap_or_default());
        }
        // These are expanded when the last link has held.
        let links = rule.links.iter();
        let texts = links.flat_map(|Link { message, log_data, .. }| [message, log_data]);
        let texts = texts.flatten().chain(&rule.about.tags).chain(match &rule.disruption {
            Disruption::Redirect { location, .. } => Some(location),
            _ => None,
        });
        groups.add(has_captured, texts.map(of_template).max().unwrap_or_default());
        groups
    }

    fn add(&mut self, has_captured: bool, groups: usize) {
        let to = if has_captured { &mut self.own } else { &mut self.before };
        *to = groups.max(*to);
    }
}

fn of_test(test: &Test) -> usize {
    let targets = test.targets.included.iter().map(of_target);
    targets.chain(test.argument.as_ref().map(of_template)).max().unwrap_or_default()
}

fn of_target(target: &Target) -> usize {
    match (target.variable, &target.selector) {
        // A text of the rule, which may have macros.
        (Variable::Rule, _) | (Variable::Tx, Selector::All) => GROUPS,
        (Variable::Tx, Selector::Key { key, .. }) => of_name(key),
        (Variable::Tx, Selector::Pattern(pattern)) => {
            let is_met = |group: &usize| pattern.is_match(group.to_string().as_bytes());
            (0..GROUPS).rfind(is_met).map_or(0, |last| last + 1)
        }
        _ => 0,
    }
}

fn of_effect(effect: &Effect) -> usize {
    match effect {
        Effect::SetVariable(Assignment { collection, key, change, .. }) => {
            let name = if *collection == Variable::Tx { of_made_name(key) } else { 0 };
            let value = match change {
                Change::Set(value) | Change::Add(value) | Change::Subtract(value) => {
                    of_template(value)
                }
                Change::Unset => 0,
            };
            name.max(of_template(key)).max(value)
        }
        Effect::ExpireVariable { key, seconds, .. } => of_template(key).max(of_template(seconds)),
        Effect::OpenCollection { key, .. } => of_template(key),
        Effect::SetEnvironment { value, .. } => of_template(value),
        Effect::Control(_) => 0,
    }
}

fn of_template(template: &Template) -> usize {
    let macros = template.pieces.iter().map(|piece| match piece {
        Piece::Text(_) => 0,
        Piece::Macro(Macro { variable: Variable::Rule, .. }) => GROUPS,
        Piece::Macro(Macro { variable: Variable::Tx, key, .. }) => {
            key.as_ref().map_or(GROUPS, |key| of_name(key))
        }
        Piece::Macro(_) => 0,
    });
    macros.max().unwrap_or_default()
}

/// What is added to has to be read.
fn of_made_name(name: &Template) -> usize {
    match name.pieces.as_slice() {
        [Piece::Macro(_), ..] => GROUPS,
        [Piece::Text(begin), ..] => of_name(begin),
        [] => 0,
    }
}

/// The groups up to that of the name, if it is a digit.
fn of_name(name: &[u8]) -> usize {
    match name {
        [digit @ b'0'..=b'9'] => usize::from(digit - b'0') + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seclang::Texts;

    fn groups(text: &str) -> Vec<(usize, usize)> {
        let texts: Texts = [("rules.conf", text)].into_iter().collect();
        let set = RuleSet::load(&["rules.conf"], &texts).unwrap_or_else(|error| panic!("{error}"));
        let groups = set.rules().map(Groups::of).map(|it| (it.own, it.before));
        groups.collect()
    }

    #[test]
    fn a_rule_looks_at_what_it_captured_itself() {
        let plain = r#"SecRule ARGS "@rx (a)(b)" "id:1,phase:1,pass,capture,logdata:'x'""#;
        assert_eq!(groups(plain), [(0, 0)]);
        for (read, count) in [
            ("logdata:'%{TX.0}'", 1),
            ("msg:'%{tx.2} of %{tx.1}'", 3),
            ("tag:'%{TX.9}'", 10),
            ("setvar:'tx.sum=+%{tx.1}'", 2),
            ("setvar:'tx.a_%{tx.3}=1'", 4),
            ("setvar:'tx.%{tx.0}=1'", 10),
            ("setenv:'a=%{tx.4}'", 5),
            ("setvar:'tx.5=+1'", 6),
            ("logdata:'%{MATCHED_VAR} %{tx.10} %{tx.00} %{tx.other}'", 0),
        ] {
            let rule = plain.replace("logdata:'x'", read);
            assert_eq!(groups(&rule), [(count, 0)], "{read}");
            let without = rule.replace("capture,", "");
            assert_eq!(groups(&without), [(0, count)], "{read}");
            let negated = rule.replace("@rx", "!@rx");
            assert_eq!(groups(&negated), [(0, count)], "{read}");
        }
    }

    #[test]
    fn a_link_looks_at_what_links_before_it_captured() {
        let chain = |first: &str, second: &str| {
            groups(&format!(
                "SecRule ARGS \"@rx (a)(b)\" \"id:1,phase:1,pass,chain{first}\"\n{second}"
            ))
        };
        assert_eq!(chain(",capture", r#"SecRule TX:1 "@streq %{tx.2}""#), [(3, 0)]);
        assert_eq!(chain("", r#"SecRule TX:1 "@streq %{tx.2}" "capture""#), [(0, 3)]);
        assert_eq!(chain("", r#"SecRule TX:1 "@rx (.)" "capture,setvar:tx.a=%{tx.8}""#), [(9, 2)]);
        assert_eq!(chain(",capture", r#"SecRule TX:/^[a2-4]/ "@rx .""#), [(5, 0)]);
        assert_eq!(chain(",capture", r#"SecRule TX:/^counter_/ "@rx .""#), [(0, 0)]);
        assert_eq!(chain(",capture", r#"SecRule TX "@rx .""#), [(10, 0)]);
        assert_eq!(chain(",capture", r#"SecRule &TX:7 "@eq 1""#), [(8, 0)]);
    }
}
