//! `enforce`, `monitor`, `off`, `inherit` and `reload`: how far layers go.

use console::wire::{Changed, ModeChange, Reloaded};
use http::Method;

use super::{Desk, author};
use crate::args::Modes;
use crate::failure::Failure;

/// Sets the mode of layers, or withdraws what was set.
pub(crate) fn set(desk: &mut Desk, mode: Option<&str>, modes: &Modes) -> Result<(), Failure> {
    let change = ModeChange {
        mode: mode.map(str::to_owned),
        layers: modes.layers.iter().map(|layer| layer.trim().to_owned()).collect(),
        site: modes.site.clone(),
        route: modes.route.clone(),
        author: author(),
    };
    let changed: Changed = desk.client.send(Method::PATCH, "/layers", &change)?;
    desk.output.document(&changed, |page| {
        page.line(&changed.what);
        changed.warnings.iter().for_each(|warning| page.warning(warning));
    })?;
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
