//! What a list of actions says together, for a rule, a further link of a chain, or the defaults.

use crate::{
    action::{Disruption, Effect, Severity},
    rule::{About, Jump, Phase},
    template::Template,
    transformation::Transformation,
};

use super::{
    action::{Action, Disruptive},
    error::Reason,
};

/// Statuses that send elsewhere, and the usual one of them.
const REDIRECTS: [u16; 4] = [301, 302, 303, 307];
const REDIRECT: u16 = 302;

/// The status of a refusal when nothing else is said.
const FORBIDDEN: u16 = 403;

/// The actions of a list by what they concern. Of what a rule has once, the last one counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Spec {
    pub(super) id: Option<u64>,
    pub(super) phase: Option<Phase>,
    pub(super) disruptive: Option<Disruptive>,
    pub(super) status: Option<u16>,
    pub(super) jump: Option<Jump>,
    pub(super) severity: Option<Severity>,
    pub(super) tags: Vec<Template>,
    pub(super) version: Option<Box<str>>,
    pub(super) revision: Option<Box<str>>,
    pub(super) is_logged: Option<bool>,
    pub(super) is_audited: Option<bool>,
    pub(super) message: Option<Template>,
    pub(super) log_data: Option<Template>,
    pub(super) effects: Vec<Effect>,
    /// Is what was inherited left out (`t:none`)?
    pub(super) transforms_anew: bool,
    pub(super) transformations: Vec<Transformation>,
    pub(super) captures: bool,
    pub(super) multi_match: bool,
    /// Does the next rule belong to this one (`chain`)?
    pub(super) goes_on: bool,
}

impl Spec {
    pub(super) fn new(actions: Vec<Action>) -> Self {
        let mut spec = Self::default();
        for action in actions {
            spec.add(action);
        }
        spec
    }

    fn add(&mut self, action: Action) {
        match action {
            Action::AuditLog(on) => self.is_audited = Some(on),
            Action::Capture => self.captures = true,
            Action::Chain => self.goes_on = true,
            Action::Disrupt(disruptive) => self.disruptive = Some(disruptive),
            Action::Effect(effect) => self.effects.push(effect),
            Action::Id(id) => self.id = Some(id),
            Action::Log(true) => self.is_logged = Some(true),
            // Both logs, unless auditlog follows.
            Action::Log(false) => {
                self.is_logged = Some(false);
                self.is_audited = Some(false);
            }
            Action::LogData(data) => self.log_data = Some(data),
            Action::Message(message) => self.message = Some(message),
            Action::MultiMatch => self.multi_match = true,
            Action::Phase(phase) => self.phase = Some(phase),
            Action::Revision(revision) => self.revision = Some(revision),
            Action::Severity(severity) => self.severity = Some(severity),
            Action::Skip(rules) => self.jump = Some(Jump::Skip(rules)),
            Action::SkipAfter(marker) => self.jump = Some(Jump::SkipAfter(marker)),
            Action::Status(status) => self.status = Some(status),
            Action::Tag(tag) => self.tags.push(tag),
            Action::Transform(None) => {
                self.transforms_anew = true;
                self.transformations.clear();
            }
            Action::Transform(Some(transformation)) => self.transformations.push(transformation),
            Action::Version(version) => self.version = Some(version),
        }
    }

    /// What happens when the rule holds; what it does not say itself, `defaults` say.
    pub(super) fn disruption(&self, defaults: &Self) -> Disruption {
        let said = match &self.disruptive {
            None | Some(Disruptive::Block) => defaults.disruptive.as_ref(),
            said => said.as_ref(),
        };
        let status = self.status.or(defaults.status);
        match said {
            None | Some(Disruptive::Block | Disruptive::Pass) => Disruption::Pass,
            Some(Disruptive::Allow(scope)) => Disruption::Allow(*scope),
            Some(Disruptive::Deny) => Disruption::Deny(status.unwrap_or(FORBIDDEN)),
            Some(Disruptive::Drop) => Disruption::Drop,
            Some(Disruptive::Redirect(location)) => Disruption::Redirect {
                status: status.filter(|it| REDIRECTS.contains(it)).unwrap_or(REDIRECT),
                location: location.clone(),
            },
        }
    }

    /// The transformations of a rule, behind those that it inherits.
    pub(super) fn transformations(&self, defaults: &Self) -> Vec<Transformation> {
        let inherited: &[Transformation] =
            if self.transforms_anew { &[] } else { &defaults.transformations };
        [inherited, &self.transformations].concat()
    }

    /// What is told of a rule.
    pub(super) fn about(&self, defaults: &Self) -> About {
        About {
            severity: self.severity.or(defaults.severity),
            tags: defaults.tags.iter().chain(&self.tags).cloned().collect(),
            version: self.version.clone(),
            revision: self.revision.clone(),
            is_logged: self.is_logged.or(defaults.is_logged).unwrap_or(true),
            is_audited: self.is_audited.or(defaults.is_audited).unwrap_or(true),
        }
    }

    /// Is there nothing in it that only the first rule of a chain can have?
    pub(super) fn check_link(&self) -> Result<(), Reason> {
        let here = [
            ("id", self.id.is_some()),
            ("phase", self.phase.is_some()),
            ("a disruptive action", self.disruptive.is_some()),
            ("status", self.status.is_some()),
            ("skip or skipAfter", self.jump.is_some()),
            ("severity", self.severity.is_some()),
            ("tag", !self.tags.is_empty()),
            ("ver", self.version.is_some()),
            ("rev", self.revision.is_some()),
        ];
        match here.into_iter().find(|(_, is_here)| *is_here) {
            Some((what, _)) => {
                Err(Reason::new(format!("{what} belongs to the first rule of a chain")))
            }
            None => Ok(()),
        }
    }
}
