//! `SecRule` and `SecAction`: from their arguments to a rule, or a further link of one.

use crate::rule::{Jump, Link, Phase, Rule, Test};

use super::{
    action::actions, context::Context, defaults::Defaults, error::Reason, operator::question,
    spec::Spec, target::targets,
};

/// The directive taken apart; nothing in it depends on what stands before it.
pub(super) struct Parts {
    pub(super) test: Option<Test>,
    pub(super) spec: Spec,
}

/// The parts of `SecRule TARGETS OPERATOR [ACTIONS]`.
pub(super) fn sec_rule(arguments: &[Vec<u8>], context: &mut Context<'_>) -> Result<Parts, Reason> {
    let (list, operator, list_of_actions) = match arguments {
        [list, operator] => (list, operator, &b""[..]),
        [list, operator, actions] => (list, operator, actions.as_slice()),
        _ => {
            let text = "SecRule takes targets, an operator and actions, each in quotes when it \
                holds blanks";
            return Err(Reason::new(text));
        }
    };
    let targets = targets(list, context)?;
    if targets.included.is_empty() {
        return Err(Reason::new("the rule only says what it does not look at"));
    }
    let question = question(operator, context)?;
    let spec = Spec::new(actions(list_of_actions, context)?);
    let test = Test {
        targets,
        transformations: Vec::new(),
        operator: question.operator,
        argument: question.argument,
        is_negated: question.is_negated,
        captures: spec.captures,
        multi_match: spec.multi_match,
    };
    Ok(Parts { test: Some(test), spec })
}

/// The parts of `SecAction ACTIONS`.
pub(super) fn sec_action(
    arguments: &[Vec<u8>],
    context: &mut Context<'_>,
) -> Result<Parts, Reason> {
    match arguments {
        [list] => Ok(Parts { test: None, spec: Spec::new(actions(list, context)?) }),
        _ => Err(Reason::new("SecAction takes one list of actions, in quotes")),
    }
}

impl Parts {
    /// A rule with these parts as its first link.
    pub(super) fn rule(self, defaults: &Defaults, context: &Context<'_>) -> Result<Rule, Reason> {
        let Some(id) = self.spec.id else {
            return Err(Reason::new("the rule has no id"));
        };
        let phase = self.spec.phase.unwrap_or(Phase::RequestBody);
        let defaults = defaults.of(phase);
        let mut rule = Rule {
            id,
            phase,
            source: context.source.clone(),
            links: Vec::new(),
            disruption: self.spec.disruption(defaults),
            jump: self.spec.jump.clone().unwrap_or(Jump::Next),
            about: self.spec.about(defaults),
        };
        let effects = [defaults.effects.as_slice(), &self.spec.effects].concat();
        let mut link = self.link(defaults);
        link.effects = effects;
        rule.links.push(link);
        Ok(rule)
    }

    /// These parts as a further link of a rule.
    pub(super) fn further_link(
        self,
        phase: Phase,
        defaults: &Defaults,
        context: &mut Context<'_>,
    ) -> Result<Link, Reason> {
        self.spec.check_link()?;
        if self.spec.is_logged.is_some() || self.spec.is_audited.is_some() {
            context.note("what is logged is said by the first rule of a chain");
        }
        Ok(self.link(defaults.of(phase)))
    }

    fn link(self, defaults: &Spec) -> Link {
        let transformations = self.spec.transformations(defaults);
        let test = self.test.map(|test| Test { transformations, ..test });
        let Spec { effects, message, log_data, .. } = self.spec;
        Link { test, effects, message, log_data }
    }
}
