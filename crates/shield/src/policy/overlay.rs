//! `overlay.toml`: the modes that were switched on the running instance.
//!
//! Commands and API write it, a person may read it. It beats the file and `--mode`, so that a
//! switch works whatever the file says. A site or route that the file no longer has is a warning,
//! not an error: an old switch must not keep a gateway from starting.

mod edit;
mod way_back;

use traffic::Layer;

use crate::policy::Policy;
use crate::policy::document::{
    OVERLAY, OVERLAY_LAYERS, OVERLAY_PROTECT, OVERLAY_ROUTE, OVERLAY_ROUTES, OVERLAY_SHAPES,
    OVERLAY_SITE, OVERLAY_SITES, check_version, read_mode, read_protect,
};
use crate::policy::error::Warning;
use crate::policy::modes::Said;
use crate::policy::reader::{Entry, Given, Reader, Section};
use crate::policy::route::RoutePattern;
use crate::policy::setting::Provenance;
use crate::policy::value::Wrong;

pub use edit::{NotAnOverlay, set_mode};
pub use way_back::{ModeSwitch, way_back};

/// Where a switch of modes applies.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ModeScope {
    /// One site; none is all.
    pub site: Option<String>,
    /// One route of it, as [`RoutePattern`] prints it; none is the whole site.
    pub route: Option<String>,
    /// These layers; none named is all.
    pub layers: Vec<Layer>,
}

/// What the overlay says.
#[derive(Debug, Default)]
pub(super) struct OverlayDocument {
    /// For all sites.
    pub(super) said: Said,
    /// Layers that are off everywhere.
    pub(super) killed: Vec<(Layer, Provenance)>,
    sites: Vec<OverlaySite>,
}

/// What the overlay says of one site.
#[derive(Debug)]
pub(super) struct OverlaySite {
    name: Given<String>,
    pub(super) said: Said,
    routes: Vec<(Given<RoutePattern>, Said)>,
}

impl OverlayDocument {
    /// Reads an overlay. One that does not exist yet is empty.
    pub(super) fn read<'t>(name: &str, text: &'t str) -> (Self, Reader<'t>) {
        let (mut reader, top) = Reader::begin(name, text, &OVERLAY, &OVERLAY_SHAPES, true);
        let mut overlay = Self::default();
        let Some(mut top) = top.filter(|_| !text.trim().is_empty()) else {
            return (overlay, reader);
        };
        check_version(top.take("version"), &mut reader);
        overlay.said = read_said(&mut top, &mut reader);
        overlay.killed =
            top.take("layers").map(|entry| read_killed(entry, &mut reader)).unwrap_or_default();
        let sites = top.take("site").and_then(|entry| entry.table(&mut reader, &OVERLAY_SITES));
        if let Some(mut sites) = sites {
            let sites = sites.take_rest();
            overlay.sites =
                sites.into_iter().filter_map(|entry| read_site(entry, &mut reader)).collect();
        }
        reader.finish(top);
        (overlay, reader)
    }

    /// What is said of a site.
    pub(super) fn site(&self, name: &str) -> Option<&OverlaySite> {
        self.sites.iter().find(|site| site.name.value == name)
    }

    /// Warns of sites and routes that the policy does not have.
    pub(super) fn strangers(&self, policy: &Policy, reader: &Reader<'_>) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut stranger = |span: &_, cause: String| {
            let help = "delete the lines, or take all switches back with `palisade inherit`";
            warnings.push(reader.warning(span, cause, help));
        };
        for said in &self.sites {
            let name = &said.name.value;
            let Some(site) = policy.sites.iter().find(|site| site.name == *name) else {
                stranger(&said.name.span, format!("there is no site {name:?}"));
                continue;
            };
            for (pattern, _) in &said.routes {
                if !site.routes.iter().any(|route| route.pattern == pattern.value) {
                    let cause = format!("the site {name:?} has no route `{}`", pattern.value);
                    stranger(&pattern.span, cause);
                }
            }
        }
        warnings
    }
}

impl OverlaySite {
    /// What is said of a route.
    pub(super) fn route(&self, pattern: &RoutePattern) -> Option<&Said> {
        self.routes.iter().find(|(other, _)| other.value == *pattern).map(|(_, said)| said)
    }
}

fn read_said<'t>(keys: &mut Section<'t>, reader: &mut Reader<'t>) -> Said {
    Said {
        mode: keys.take("mode").and_then(|entry| read_mode(entry, reader)),
        layers: keys
            .take("protect")
            .map(|entry| read_protect(entry, reader, &OVERLAY_PROTECT))
            .unwrap_or_default(),
    }
}

fn read_killed<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Vec<(Layer, Provenance)> {
    let Some(mut keys) = entry.table(reader, &OVERLAY_LAYERS) else {
        return Vec::new();
    };
    let off = keys.take("off").map(Entry::items).unwrap_or_default();
    let words = Layer::ALL.map(|layer| (layer.key(), layer));
    let killed = off.into_iter().filter_map(|item| item.word(reader, &words)).collect::<Vec<_>>();
    reader.finish(keys);
    killed.into_iter().map(|given| (given.value, given.from)).collect()
}

fn read_site<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<OverlaySite> {
    let name = named(&entry, reader, entry.key.clone());
    let mut keys = entry.table(reader, &OVERLAY_SITE)?;
    let said = read_said(&mut keys, reader);
    let mut routes = Vec::new();
    let entries = keys.take("route").and_then(|entry| entry.table(reader, &OVERLAY_ROUTES));
    for entry in entries.map(|mut section| section.take_rest()).unwrap_or_default() {
        match RoutePattern::parse(&entry.key) {
            Ok(pattern) => {
                let pattern = named(&entry, reader, pattern);
                let Some(mut keys) = entry.table(reader, &OVERLAY_ROUTE) else {
                    continue;
                };
                routes.push((pattern, read_said(&mut keys, reader)));
                reader.finish(keys);
            }
            Err(Wrong { cause, help }) => {
                reader.error(entry.key_span, Wrong { cause, help });
            }
        }
    }
    reader.finish(keys);
    Some(OverlaySite { name, said, routes })
}

/// A name that stands as a key.
fn named<'t, T>(entry: &Entry<'t>, reader: &Reader<'t>, value: T) -> Given<T> {
    let from = reader.provenance(entry.key_span.start);
    Given { value, span: entry.key_span.clone(), from }
}

#[cfg(test)]
mod tests;
