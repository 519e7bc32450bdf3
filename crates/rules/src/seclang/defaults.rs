//! `SecDefaultAction`: what rules of a phase do when they do not say it themselves.

use crate::rule::Phase;

use super::{
    action::{Disruptive, actions},
    context::Context,
    error::Reason,
    spec::Spec,
};

/// The defaults of each phase. They hold for the rules behind them.
#[derive(Debug, Default)]
pub(super) struct Defaults([Spec; 5]);

impl Defaults {
    pub(super) fn of(&self, phase: Phase) -> &Spec {
        let [first, ..] = &self.0;
        self.0.get(phase as usize).unwrap_or(first)
    }

    /// Takes the list of a directive.
    pub(super) fn set(&mut self, list: &[u8], context: &mut Context<'_>) -> Result<(), Reason> {
        let spec = Spec::new(actions(list, context)?);
        let Some(phase) = spec.phase else {
            return Err(Reason::new("SecDefaultAction needs a phase"));
        };
        let refused = [
            ("id", spec.id.is_some()),
            ("chain", spec.goes_on),
            ("skip or skipAfter", spec.jump.is_some()),
            ("msg", spec.message.is_some()),
            ("logdata", spec.log_data.is_some()),
            ("ver", spec.version.is_some()),
            ("rev", spec.revision.is_some()),
            ("block", matches!(spec.disruptive, Some(Disruptive::Block))),
        ];
        if let Some((what, _)) = refused.into_iter().find(|(_, is_here)| *is_here) {
            return Err(Reason::new(format!("SecDefaultAction cannot say {what}")));
        }
        if spec.disruptive.is_none() {
            let text = "SecDefaultAction needs to say pass, deny, drop, redirect or allow";
            return Err(Reason::new(text));
        }
        if let Some(defaults) = self.0.get_mut(phase as usize) {
            *defaults = spec;
        }
        Ok(())
    }
}
