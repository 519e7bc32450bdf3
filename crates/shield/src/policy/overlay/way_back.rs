//! The switches that lead from an overlay back to the one before.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, Item, TableLike};
use traffic::{Layer, Mode};

use crate::policy::overlay::{ModeScope, NotAnOverlay, set_mode};

/// One switch of modes; without a mode it takes back what was switched there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ModeSwitch {
    /// Where it applies.
    pub scope: ModeScope,
    /// How far the layers go from then on.
    pub mode: Option<Mode>,
}

/// The fewest switches found that make of `after` what `before` says, when `scope` was switched
/// in between. A wide switch takes out the narrower ones that it covers, so that taking it back
/// alone would not bring them back.
///
/// # Errors
/// When one of the texts is not an overlay.
pub fn way_back(
    before: &str,
    after: &str,
    scope: &ModeScope,
) -> Result<Vec<ModeSwitch>, NotAnOverlay> {
    let said = switches(before)?;
    let take_back = |scope: ModeScope| ModeSwitch { scope, mode: None };
    let covered = said.iter().filter(|switch| covers(scope, &switch.scope)).cloned();
    let narrow: Vec<ModeSwitch> =
        std::iter::once(take_back(scope.clone())).chain(covered).collect();
    if leads_to(after, &narrow, &said)? {
        return Ok(narrow);
    }
    let everything = std::iter::once(take_back(ModeScope::default()));
    Ok(everything.chain(said).collect())
}

fn leads_to(after: &str, way: &[ModeSwitch], wanted: &[ModeSwitch]) -> Result<bool, NotAnOverlay> {
    let mut text = after.to_owned();
    for switch in way {
        text = set_mode(&text, &switch.scope, switch.mode)?;
    }
    Ok(switches(&text)? == wanted)
}

/// Whether a switch of `wide` may have touched one of `narrow`.
fn covers(wide: &ModeScope, narrow: &ModeScope) -> bool {
    let is_within =
        |wide: &Option<String>, narrow: &Option<String>| wide.is_none() || wide == narrow;
    let shares_layers =
        wide.layers.is_empty() || narrow.layers.iter().any(|layer| wide.layers.contains(layer));
    is_within(&wide.site, &narrow.site) && is_within(&wide.route, &narrow.route) && shares_layers
}

/// The switches an overlay consists of, the widest first.
pub(super) fn switches(text: &str) -> Result<Vec<ModeSwitch>, NotAnOverlay> {
    let overlay: DocumentMut = text.parse().map_err(NotAnOverlay::from)?;
    let mut found = Vec::new();
    gather(&*overlay, &ModeScope::default(), &mut found);
    let killed = overlay.get("layers").and_then(|layers| layers.get("off"));
    let killed = killed.and_then(Item::as_array).map(|list| {
        let is_listed = |layer: &Layer| list.iter().any(|item| item.as_str() == Some(layer.key()));
        Layer::ALL.into_iter().filter(is_listed).collect::<Vec<_>>()
    });
    if let Some(layers) = killed.filter(|layers| !layers.is_empty()) {
        let scope = ModeScope { layers, ..ModeScope::default() };
        found.push(ModeSwitch { scope, mode: Some(Mode::Off) });
    }
    for (name, site) in tables(&*overlay, "site") {
        let scope = ModeScope { site: Some(name), ..ModeScope::default() };
        gather(site, &scope, &mut found);
        for (pattern, route) in tables(site, "route") {
            gather(route, &ModeScope { route: Some(pattern), ..scope.clone() }, &mut found);
        }
    }
    Ok(found)
}

/// What is said at one place: of all layers first, then of some.
fn gather(place: &dyn TableLike, scope: &ModeScope, found: &mut Vec<ModeSwitch>) {
    let mode = |item: &Item| item.as_str().and_then(|word| word.parse::<Mode>().ok());
    let mut push = |layers: Vec<Layer>, mode: Mode| {
        let scope = ModeScope { layers, ..scope.clone() };
        found.push(ModeSwitch { scope, mode: Some(mode) });
    };
    if let Some(mode) = place.get("mode").and_then(mode) {
        push(Vec::new(), mode);
    }
    let mut by_mode: BTreeMap<&str, (Mode, Vec<Layer>)> = BTreeMap::new();
    let protect = place.get("protect").and_then(Item::as_table_like);
    for layer in Layer::ALL {
        let said = protect.and_then(|protect| protect.get(layer.key())).and_then(mode);
        if let Some(mode) = said {
            by_mode.entry(mode.key()).or_insert((mode, Vec::new())).1.push(layer);
        }
    }
    for (mode, layers) in by_mode.into_values() {
        push(layers, mode);
    }
}

/// The tables below `key`, by name.
fn tables<'t>(place: &'t dyn TableLike, key: &str) -> BTreeMap<String, &'t dyn TableLike> {
    let below = place.get(key).and_then(Item::as_table_like);
    below
        .into_iter()
        .flat_map(TableLike::iter)
        .filter_map(|(name, item)| Some((name.to_owned(), item.as_table_like()?)))
        .collect()
}
