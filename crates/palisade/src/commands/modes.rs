//! `enforce`, `monitor`, `off`, `inherit` and `reload`: how far layers go.

use console::wire::{Changed, ModeChange, Reloaded};
use http::Method;

use super::{Desk, author, readiness};
use crate::args::Modes;
use crate::args::readiness::Enforce;
use crate::failure::Failure;

/// Has layers enforce, unless somebody should look first at what they would refuse.
pub(crate) fn enforce(desk: &mut Desk, enforce: &Enforce) -> Result<(), Failure> {
    let Enforce { scope, yes, force } = enforce;
    if !(*yes || *force) {
        readiness::ask_before(desk, scope)?;
    }
    set(desk, Some("enforce"), scope, *force)
}

/// Sets the mode of layers, or withdraws what was set.
pub(crate) fn set(
    desk: &mut Desk,
    mode: Option<&str>,
    modes: &Modes,
    for_good: bool,
) -> Result<(), Failure> {
    let change = ModeChange {
        mode: mode.map(str::to_owned),
        layers: modes.layers.iter().map(|layer| layer.trim().to_owned()).collect(),
        site: modes.site.clone(),
        route: modes.route.clone(),
        author: author(),
        for_good,
    };
    let changed: Changed = desk.client.send(Method::PATCH, "/layers", &change)?;
    desk.output.document(&changed, |page| {
        page.line(&changed.what);
        changed.warnings.iter().for_each(|warning| page.warning(warning));
    })?;
    if let Some(until) = &changed.probation_until {
        let until = desk.output.clock().short(until);
        desk.output.talk(&format!(
            "on probation until {until}: taken back by itself if known callers are refused or \
             errors jump"
        ));
    }
    for command in &changed.undo {
        desk.output.talk(&format!("undo: {}", desk.command(command)));
    }
    Ok(())
}

/// Has the configuration read again.
pub(crate) fn reload(desk: &mut Desk) -> Result<(), Failure> {
    let reloaded: Reloaded = desk.client.send(Method::POST, "/reload", &())?;
    desk.output.document(&reloaded, |page| {
        page.line(&format!("policy version {} is in force", reloaded.policy_version));
        reloaded.warnings.iter().for_each(|warning| page.warning(warning));
    })
}
