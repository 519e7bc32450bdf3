//! Rules in a few lines each, for comparison.

use std::fmt::Write;

use crate::{
    action::{Assignment, Change, Control, Effect, RuleFilter},
    operator::Operator,
    rule::{Link, Rule, Selector, Target, Test},
    rule_set::{RuleSet, Step},
    template::{Piece, Template},
};

/// Every step, phase by phase, and the notes.
pub(super) fn shown(set: &RuleSet) -> String {
    let mut text = String::new();
    for (number, steps) in set.phases.iter().enumerate() {
        for step in steps {
            match step {
                Step::Rule(rule) => text += &rule_shown(rule),
                Step::Marker(name) => {
                    writeln!(text, "phase {}: marker {name}", number + 1).unwrap()
                }
            }
        }
    }
    for note in &set.notes {
        writeln!(text, "note {}: {}", note.source, note.text).unwrap();
    }
    text
}

fn rule_shown(rule: &Rule) -> String {
    let mut text = format!("{} {} {:?}: {:?}", rule.source, rule.id, rule.phase, rule.disruption);
    let about = &rule.about;
    if rule.jump != crate::rule::Jump::Next {
        write!(text, ", {:?}", rule.jump).unwrap();
    }
    if let Some(severity) = about.severity {
        write!(text, ", {severity:?}").unwrap();
    }
    for (name, value) in [("ver", &about.version), ("rev", &about.revision)] {
        if let Some(value) = value {
            write!(text, ", {name} {value}").unwrap();
        }
    }
    for tag in &about.tags {
        write!(text, ", tag {}", template(tag)).unwrap();
    }
    for (name, is_on) in [("log", about.is_logged), ("auditlog", about.is_audited)] {
        write!(text, ", {}{name}", if is_on { "" } else { "no" }).unwrap();
    }
    text.push('\n');
    for link in &rule.links {
        text += &link_shown(link);
    }
    text
}

fn link_shown(link: &Link) -> String {
    let mut text = match &link.test {
        Some(test) => test_shown(test),
        None => "  always\n".to_owned(),
    };
    for effect in &link.effects {
        writeln!(text, "    {}", effect_shown(effect)).unwrap();
    }
    for (name, value) in [("msg", &link.message), ("logdata", &link.log_data)] {
        if let Some(value) = value {
            writeln!(text, "    {name} {}", template(value)).unwrap();
        }
    }
    text
}

fn test_shown(test: &Test) -> String {
    let mut text = String::from("  ");
    let included = test.targets.included.iter().map(target);
    let excluded = test.targets.excluded.iter().map(|it| format!("!{}", target(it)));
    text += &included.chain(excluded).collect::<Vec<_>>().join(" | ");
    for transformation in &test.transformations {
        write!(text, " > {}", transformation.name()).unwrap();
    }
    let not = if test.is_negated { "not " } else { "" };
    let operator = match &test.operator {
        Operator::Rx(pattern) => format!("rx /{}/", pattern.source().escape_ascii()),
        Operator::Number(number) => format!("{:?} {:?}", number.comparison(), number.fixed()),
        Operator::Text(it) => {
            let fixed = it.fixed().map(|text| text.escape_ascii().to_string());
            format!("{:?} {fixed:?}", it.relation())
        }
        Operator::Phrases(phrases) => {
            let list = phrases.list().iter().map(|it| it.escape_ascii().to_string());
            format!("pm {}", list.collect::<Vec<_>>().join(", "))
        }
        other => format!("{other:?}"),
    };
    write!(text, " is {not}{operator}").unwrap();
    if let Some(argument) = &test.argument {
        write!(text, " with {}", template(argument)).unwrap();
    }
    for (name, is_on) in [("capture", test.captures), ("multiMatch", test.multi_match)] {
        text += if is_on { " " } else { "" };
        text += if is_on { name } else { "" };
    }
    text.push('\n');
    text
}

pub(super) fn target(target: &Target) -> String {
    let count = if target.is_count { "&" } else { "" };
    let name = target.variable.name();
    let selector = match &target.selector {
        Selector::All => String::new(),
        Selector::Key { key, slot } => {
            let slot = slot.map(|slot| format!("#{slot}")).unwrap_or_default();
            format!(":{}{slot}", key.escape_ascii())
        }
        Selector::Pattern(pattern) => format!(":/{pattern}/"),
        Selector::XmlTexts => ":texts".to_owned(),
        Selector::XmlAttributes => ":attributes".to_owned(),
    };
    format!("{count}{name}{selector}")
}

fn template(template: &Template) -> String {
    let pieces = template.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => format!("\"{}\"", String::from_utf8_lossy(text)),
        Piece::Macro(it) => {
            let key = it.key.as_ref().map(|key| format!(".{}", key.escape_ascii()));
            let slot = it.slot.map(|slot| format!("#{slot}"));
            format!("{}{}{}", it.variable.name(), key.unwrap_or_default(), slot.unwrap_or_default())
        }
    });
    let text = pieces.collect::<Vec<_>>().join(" ");
    if text.is_empty() { "nothing".to_owned() } else { text }
}

fn effect_shown(effect: &Effect) -> String {
    match effect {
        Effect::SetVariable(Assignment { collection, key, slot, change }) => {
            let slot = slot.map(|slot| format!("#{slot}")).unwrap_or_default();
            let change = match change {
                Change::Set(value) => format!("= {}", template(value)),
                Change::Add(value) => format!("+ {}", template(value)),
                Change::Subtract(value) => format!("- {}", template(value)),
                Change::Unset => "unset".to_owned(),
            };
            format!("set {} {}{slot} {change}", collection.name(), template(key))
        }
        Effect::ExpireVariable { collection, key, seconds } => {
            format!("expire {} {} {}", collection.name(), template(key), template(seconds))
        }
        Effect::OpenCollection { collection, key } => {
            format!("open {} {}", collection.name(), template(key))
        }
        Effect::SetEnvironment { name, value } => {
            format!("env {} {}", name.escape_ascii(), template(value))
        }
        Effect::Control(Control::RemoveRules(rules)) => format!("without {}", filter(rules)),
        Effect::Control(Control::RemoveTarget { rules, target: it }) => {
            format!("without {} in {}", target(it), filter(rules))
        }
        Effect::Control(control) => format!("{control:?}"),
    }
}

fn filter(filter: &RuleFilter) -> String {
    match filter {
        RuleFilter::Ids(ranges) => format!("ids {ranges:?}"),
        RuleFilter::Message(pattern) => format!("msg /{pattern}/"),
        RuleFilter::Tag(pattern) => format!("tag /{pattern}/"),
    }
}
