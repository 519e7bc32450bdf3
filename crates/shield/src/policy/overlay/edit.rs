//! Writes switches of modes into the overlay's text. Comments and order stay as they are.
//!
//! The last switch wins: one that covers an earlier, narrower one takes that one out, or the
//! earlier one would still hold where it applied. Only `off` outlives a wider switch that does not
//! name it, as everywhere (see `modes`).

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, TomlError, value};
use traffic::{Layer, Mode};

use crate::policy::overlay::ModeScope;

const HEADER: &str = "# Modes switched on the running instance; they beat palisade.toml and --mode.\n\
     # `palisade enforce`, `monitor`, `off` and `inherit` write here.\n\
     version = 1\n";

/// A text that is not an overlay, or not one that can be edited.
#[derive(Debug, thiserror::Error)]
#[error("the overlay cannot be edited: {0}")]
pub struct NotAnOverlay(String);

impl From<TomlError> for NotAnOverlay {
    fn from(error: TomlError) -> Self {
        Self(error.message().lines().collect::<Vec<_>>().join(", "))
    }
}

/// The overlay with the modes of `scope` set to `mode`; none takes back what was set there.
///
/// # Errors
/// When `text` is not TOML, or something else stands where a table belongs.
pub fn set_mode(text: &str, scope: &ModeScope, mode: Option<Mode>) -> Result<String, NotAnOverlay> {
    let start = if text.trim().is_empty() { HEADER } else { text };
    let mut overlay: DocumentMut = start.parse().map_err(NotAnOverlay::from)?;
    if !overlay.contains_key("version") {
        overlay.insert("version", value(i64::from(crate::policy::document::VERSION)));
    }
    let switch = Switch { layers: &scope.layers, mode };
    match (&scope.site, &scope.route) {
        (None, _) => switch.everywhere(&mut overlay)?,
        (Some(site), None) => switch.site(within(within(&mut *overlay, "site")?, site)?)?,
        (Some(site), Some(route)) => {
            let site = within(within(&mut *overlay, "site")?, site)?;
            switch.set(within(within(site, "route")?, route)?)?;
        }
    }
    drop_empty(&mut *overlay);
    Ok(overlay.to_string())
}

struct Switch<'s> {
    /// The layers it names; none is all of them.
    layers: &'s [Layer],
    mode: Option<Mode>,
}

impl Switch<'_> {
    fn everywhere(&self, overlay: &mut DocumentMut) -> Result<(), NotAnOverlay> {
        let killed = self.kill(within(&mut **overlay, "layers")?)?;
        match killed {
            true => self.forget_layers(&mut **overlay)?,
            false => self.set(&mut **overlay)?,
        }
        let sites = within(&mut **overlay, "site")?;
        for (_, site) in sites.iter_mut() {
            let site = table_of(site)?;
            self.cover(site)?;
            self.cover_routes(site)?;
        }
        Ok(())
    }

    fn site(&self, site: &mut dyn TableLike) -> Result<(), NotAnOverlay> {
        self.set(site)?;
        self.cover_routes(site)
    }

    fn cover_routes(&self, site: &mut dyn TableLike) -> Result<(), NotAnOverlay> {
        let routes = within(site, "route")?;
        for (_, route) in routes.iter_mut() {
            self.cover(table_of(route)?)?;
        }
        Ok(())
    }

    /// Writes the switch at the place it names.
    fn set(&self, place: &mut dyn TableLike) -> Result<(), NotAnOverlay> {
        let Some(mode) = self.mode else {
            return self.forget(place);
        };
        if self.layers.is_empty() {
            place.insert("mode", value(mode.key()));
            return self.forget_milder_layers(place);
        }
        let protect = within(place, "protect")?;
        for layer in self.layers {
            protect.insert(layer.key(), value(mode.key()));
        }
        Ok(())
    }

    /// Takes out what a wider switch covers, at a narrower place.
    fn cover(&self, place: &mut dyn TableLike) -> Result<(), NotAnOverlay> {
        let Some(mode) = self.mode else {
            return self.forget(place);
        };
        let has_mode = place.get("mode").is_some();
        let is_off = is_off(place.get("mode"));
        if self.layers.is_empty() {
            if !is_off {
                place.remove("mode");
            }
            return self.forget_milder_layers(place);
        }
        let protect = within(place, "protect")?;
        for layer in self.layers {
            let key = layer.key();
            if is_off_in(protect, key) {
                continue;
            }
            // What is said of all layers here would beat the wider switch: say it here, too.
            match has_mode && !is_off {
                true => drop(protect.insert(key, value(mode.key()))),
                false => drop(protect.remove(key)),
            }
        }
        Ok(())
    }

    fn forget(&self, place: &mut dyn TableLike) -> Result<(), NotAnOverlay> {
        if self.layers.is_empty() {
            place.remove("mode");
            place.remove("protect");
            return Ok(());
        }
        self.forget_layers(place)
    }

    fn forget_layers(&self, place: &mut dyn TableLike) -> Result<(), NotAnOverlay> {
        let protect = within(place, "protect")?;
        for layer in self.layers {
            protect.remove(layer.key());
        }
        Ok(())
    }

    fn forget_milder_layers(&self, place: &mut dyn TableLike) -> Result<(), NotAnOverlay> {
        let protect = within(place, "protect")?;
        let milder: Vec<String> = protect
            .iter()
            .filter(|(_, mode)| !is_off(Some(mode)))
            .map(|(key, _)| key.to_owned())
            .collect();
        for key in milder {
            protect.remove(&key);
        }
        Ok(())
    }

    /// Keeps the list of layers that are off everywhere; tells whether they were added to it.
    fn kill(&self, layers: &mut dyn TableLike) -> Result<bool, NotAnOverlay> {
        let list = layers.entry("off").or_insert_with(|| value(Array::new()));
        let Some(list) = list.as_array_mut() else {
            return Err(NotAnOverlay("layers.off is not a list".to_owned()));
        };
        let kills = self.mode == Some(Mode::Off) && !self.layers.is_empty();
        let inherits_all = self.mode.is_none() && self.layers.is_empty();
        list.retain(|item| {
            let named = self.layers.iter().any(|layer| item.as_str() == Some(layer.key()));
            !named && !inherits_all
        });
        if kills {
            list.extend(self.layers.iter().map(|layer| layer.key()));
        }
        if list.is_empty() {
            layers.remove("off");
        }
        Ok(kills)
    }
}

fn is_off(mode: Option<&Item>) -> bool {
    mode.and_then(Item::as_str) == Some(Mode::Off.key())
}

fn is_off_in(protect: &dyn TableLike, key: &str) -> bool {
    is_off(protect.get(key))
}

/// The table of that name, made when it is missing.
fn within<'t>(
    table: &'t mut dyn TableLike,
    key: &str,
) -> Result<&'t mut dyn TableLike, NotAnOverlay> {
    let fresh = || {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    };
    table_of(table.entry(key).or_insert_with(fresh))
}

fn table_of(item: &mut Item) -> Result<&mut dyn TableLike, NotAnOverlay> {
    item.as_table_like_mut().ok_or_else(|| NotAnOverlay("a value stands for a table".to_owned()))
}

/// Takes out tables without a word in them. Recurses as deep as the overlay's own tables: three.
fn drop_empty(table: &mut dyn TableLike) {
    let mut empty = Vec::new();
    for (key, item) in table.iter_mut() {
        if let Some(below) = item.as_table_like_mut() {
            drop_empty(below);
            if below.is_empty() {
                empty.push(key.get().to_owned());
            }
        }
    }
    for key in empty {
        table.remove(&key);
    }
}
