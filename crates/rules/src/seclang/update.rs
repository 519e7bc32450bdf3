//! `SecRuleUpdate…` and `SecRuleRemove…`: changes to rules that stand before them.

use crate::{
    action::{Disruption, RuleFilter},
    rule::{Rule, Selector, Target, Targets},
    rule_set::{RuleSet, Step},
};

use super::{
    action::actions,
    context::Context,
    defaults::Defaults,
    error::Reason,
    filter::{ids, matching},
    spec::Spec,
    target::targets,
};

/// The rules that an argument names by their id, tag or message.
pub(super) fn filter(
    by: &str,
    argument: &[u8],
    context: &mut Context<'_>,
) -> Result<RuleFilter, Reason> {
    Ok(match by {
        "id" => RuleFilter::Ids(ids(argument)?),
        "msg" => RuleFilter::Message(matching(argument, context)?),
        _ => RuleFilter::Tag(matching(argument, context)?),
    })
}

/// `SecRuleRemoveById 1 5-7`: gives the ids of what was removed.
pub(super) fn remove(
    by: &str,
    arguments: &[Vec<u8>],
    set: &mut RuleSet,
    context: &mut Context<'_>,
) -> Result<Vec<u64>, Reason> {
    if arguments.is_empty() || (by != "id" && arguments.len() > 1) {
        return Err(Reason::new("it takes what the rules to remove are called"));
    }
    let filter = filter(by, &arguments.join(&b' '), context)?;
    let mut removed = Vec::new();
    for steps in &mut set.phases {
        steps.retain(|step| match step {
            Step::Rule(rule) if filter.matches(rule) => {
                removed.push(rule.id);
                false
            }
            _ => true,
        });
    }
    if removed.is_empty() {
        context.note("no rule before this line is meant, so none was removed");
    }
    Ok(removed)
}

/// `SecRuleUpdateTargetById 942100 "!ARGS:text"`, with a third argument instead of those targets.
pub(super) fn update_targets(
    by: &str,
    arguments: &[Vec<u8>],
    set: &mut RuleSet,
    context: &mut Context<'_>,
) -> Result<(), Reason> {
    let (rules, list, replaced) = match arguments {
        [rules, list] => (rules, list, None),
        [rules, list, replaced] => (rules, list, Some(targets(replaced, context)?)),
        _ => return Err(Reason::new("it takes what the rules are called, and targets")),
    };
    let (rules, link) = if by == "id" { with_link(rules)? } else { (rules.as_slice(), None) };
    let filter = filter(by, rules, context)?;
    let change = targets(list, context)?;
    let mut is_any = false;
    for rule in rules_mut(set).filter(|rule| filter.matches(rule)) {
        is_any = true;
        change_targets(rule, link, &change, replaced.as_ref())?;
    }
    if !is_any {
        context.note("no rule before this line is meant, so no targets were changed");
    }
    Ok(())
}

/// `942100:1` is the first link behind the head of the chain.
fn with_link(argument: &[u8]) -> Result<(&[u8], Option<usize>), Reason> {
    let Some(colon) = argument.iter().position(|byte| *byte == b':') else {
        return Ok((argument, None));
    };
    let (rules, link) = argument.split_at_checked(colon).unwrap_or_default();
    let link = link.get(1..).and_then(|link| std::str::from_utf8(link).ok());
    let link = link.and_then(|link| link.parse().ok());
    match link {
        Some(link) => Ok((rules, Some(link))),
        None => Err(Reason::new("behind the colon stands the place of a link in its chain")),
    }
}

fn rules_mut(set: &mut RuleSet) -> impl Iterator<Item = &mut Rule> {
    set.phases.iter_mut().flatten().filter_map(|step| match step {
        Step::Rule(rule) => Some(&mut **rule),
        Step::Marker(_) => None,
    })
}

/// Exclusions hold for every link, since a value that must not be looked at must not be found by
/// the second one either; further targets are the head's. `link` means that one alone.
fn change_targets(
    rule: &mut Rule,
    link: Option<usize>,
    change: &Targets,
    replaced: Option<&Targets>,
) -> Result<(), Reason> {
    let id = rule.id;
    if link.is_some_and(|link| link >= rule.links.len()) {
        return Err(Reason::new(format!("the rule {id} has no such link")));
    }
    for (place, it) in rule.links.iter_mut().enumerate() {
        let Some(test) = it.test.as_mut().filter(|_| link.is_none_or(|link| link == place)) else {
            continue;
        };
        test.targets.excluded.extend(change.excluded.iter().cloned());
        if place != link.unwrap_or(0) {
            continue;
        }
        if let Some(replaced) = replaced {
            let old = |target: &Target| replaced.included.iter().any(|old| is_same(old, target));
            test.targets.included.retain(|target| !old(target));
        }
        test.targets.included.extend(change.included.iter().cloned());
        if test.targets.included.is_empty() {
            return Err(Reason::new(format!("the rule {id} would look at nothing any more")));
        }
    }
    Ok(())
}

fn is_same(one: &Target, other: &Target) -> bool {
    let selectors = match (&one.selector, &other.selector) {
        (Selector::All, Selector::All)
        | (Selector::XmlTexts, Selector::XmlTexts)
        | (Selector::XmlAttributes, Selector::XmlAttributes) => true,
        (Selector::Key { key: one, .. }, Selector::Key { key: other, .. }) => one == other,
        (Selector::Pattern(one), Selector::Pattern(other)) => one.as_str() == other.as_str(),
        _ => false,
    };
    selectors && one.variable == other.variable && one.is_count == other.is_count
}

/// `SecRuleUpdateActionById 942100 "deny,status:400"`.
pub(super) fn update_actions(
    arguments: &[Vec<u8>],
    set: &mut RuleSet,
    defaults: &Defaults,
    context: &mut Context<'_>,
) -> Result<(), Reason> {
    let [rules, list] = arguments else {
        return Err(Reason::new("it takes the number of a rule, and actions"));
    };
    let (rules, link) = with_link(rules)?;
    let filter = RuleFilter::Ids(ids(rules)?);
    let spec = Spec::new(actions(list, context)?);
    if spec.id.is_some() || spec.phase.is_some() || spec.goes_on {
        return Err(Reason::new("id, phase and chain of a rule cannot be changed"));
    }
    if link.is_some_and(|link| link > 0) {
        spec.check_link()?;
    }
    let mut is_any = false;
    for rule in rules_mut(set).filter(|rule| filter.matches(rule)) {
        is_any = true;
        let defaults = defaults.of(rule.phase);
        change_rule(rule, &spec, defaults);
        change_link(rule, link.unwrap_or(0), &spec)?;
    }
    if !is_any {
        context.note("no rule before this line is meant, so no actions were changed");
    }
    Ok(())
}

fn change_rule(rule: &mut Rule, spec: &Spec, defaults: &Spec) {
    match (&spec.disruptive, spec.status, &mut rule.disruption) {
        (Some(_), ..) => rule.disruption = spec.disruption(defaults),
        (None, Some(status), Disruption::Deny(old)) => *old = status,
        _ => {}
    }
    if let Some(jump) = &spec.jump {
        rule.jump = jump.clone();
    }
    let about = &mut rule.about;
    about.tags.extend(spec.tags.iter().cloned());
    about.severity = spec.severity.or(about.severity);
    about.is_logged = spec.is_logged.unwrap_or(about.is_logged);
    about.is_audited = spec.is_audited.unwrap_or(about.is_audited);
    if spec.version.is_some() {
        about.version.clone_from(&spec.version);
    }
    if spec.revision.is_some() {
        about.revision.clone_from(&spec.revision);
    }
}

fn change_link(rule: &mut Rule, place: usize, spec: &Spec) -> Result<(), Reason> {
    let id = rule.id;
    let Some(link) = rule.links.get_mut(place) else {
        return Err(Reason::new(format!("the rule {id} has no such link")));
    };
    link.effects.extend(spec.effects.iter().cloned());
    if spec.message.is_some() {
        link.message.clone_from(&spec.message);
    }
    if spec.log_data.is_some() {
        link.log_data.clone_from(&spec.log_data);
    }
    if let Some(test) = &mut link.test {
        if spec.transforms_anew {
            test.transformations.clear();
        }
        test.transformations.extend(&spec.transformations);
        test.captures |= spec.captures;
        test.multi_match |= spec.multi_match;
    }
    Ok(())
}
