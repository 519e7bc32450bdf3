//! The policy as a recording carries it: file and overlay, with the flags written into them.
//!
//! A replay has no flags. What they changed about verdicts is put where it has the same effect:
//! `--mode` into the overlay, where it says what the flag said of all sites, `--to` into a file
//! that has no upstream, `--crs` beside it. Where to listen and to store is no matter of a replay;
//! who is told of attacks is left out.

use std::path::Path;

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::policy::Sources;
use crate::policy::overlay::{ModeScope, NotAnOverlay, set_mode};

/// File and overlay that give the same verdicts without the flags. For sources that were loaded.
///
/// # Errors
/// When a text is not TOML, which [`super::load`] would have told.
pub fn recorded(sources: &Sources<'_>) -> Result<(String, String), NotAnOverlay> {
    let file = sources.file.map_or("version = 1\n", |(_, text)| text);
    let overlay = sources.overlay.map_or("", |(_, text)| text);
    let file = &without_sinks(file)?;
    let file = with_upstream(file, sources.flags.to.as_deref())?;
    Ok((with_crs(file, sources.flags.crs.as_deref())?, with_mode(overlay, sources)?))
}

/// Who is told of attacks is no matter of a replay, and the address may be a secret.
fn without_sinks(file: &str) -> Result<String, NotAnOverlay> {
    let mut document: DocumentMut = file.parse().map_err(NotAnOverlay::from)?;
    let has_sinks = ["alerts", "export"].map(|table| document.remove(table).is_some());
    Ok(if has_sinks.contains(&true) { document.to_string() } else { file.to_owned() })
}

fn with_crs(file: String, folder: Option<&Path>) -> Result<String, NotAnOverlay> {
    let Some(folder) = folder else { return Ok(file) };
    let mut document: DocumentMut = file.parse().map_err(NotAnOverlay::from)?;
    let rules = document.entry("rules").or_insert_with(|| Item::Table(Table::new()));
    if let Some(rules) = rules.as_table_like_mut() {
        rules.insert("crs", value(folder.display().to_string()));
    }
    Ok(document.to_string())
}

fn with_upstream(file: &str, to: Option<&str>) -> Result<String, NotAnOverlay> {
    let Some(to) = to else {
        return Ok(file.to_owned());
    };
    let mut document: DocumentMut = file.parse().map_err(NotAnOverlay::from)?;
    let sites = document.entry("site").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if let Some(sites) = sites.as_array_of_tables_mut() {
        if sites.is_empty() {
            sites.push(Table::new());
        }
        for site in sites.iter_mut() {
            site.insert("upstream", value(to));
        }
    }
    Ok(document.to_string())
}

fn with_mode(overlay: &str, sources: &Sources<'_>) -> Result<String, NotAnOverlay> {
    let Some(mode) = sources.flags.mode else {
        return Ok(overlay.to_owned());
    };
    let mut document: DocumentMut = overlay.parse().map_err(NotAnOverlay::from)?;
    if document.contains_key("mode") {
        // The overlay already beats the flag.
        return Ok(overlay.to_owned());
    }
    if document.is_empty() {
        return set_mode("", &ModeScope::default(), Some(mode));
    }
    document.insert("mode", value(mode.key()));
    Ok(document.to_string())
}
