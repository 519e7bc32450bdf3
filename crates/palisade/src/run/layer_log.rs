//! `layers.json` in the data folder: since when layers look at traffic, which switch to enforcing
//! is on probation, and which were taken back.
//!
//! Beside the overlay, and for the same reason a file: it is small, a person may read it, and it
//! must not be lost by a restart. Without it, or with a damaged one, watching begins anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use console::Watched;
use console::wire::{self, ModeChange};
use serde::{Deserialize, Serialize};
use shield::Welfare;
use shield::policy::Policy;
use shield::policy::overlay::ModeScope;
use traffic::{Layer, Mode, Timestamp};

use super::instance::replace_file;

/// The file's name.
pub(super) const NAME: &str = "layers.json";
/// So many switches that were taken back are remembered, …
const TAKEN_BACK_MAX: usize = 8;
/// … for so long.
const TAKEN_BACK_KEPT: Duration = Duration::from_secs(7 * 86_400);

/// What the file holds.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct LayerLog {
    #[serde(skip)]
    path: PathBuf,
    watched: Vec<Since>,
    pub(super) probation: Option<Probation>,
    taken_back: Vec<TakenBack>,
}

/// A layer at a site.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub(super) struct Cell {
    pub(super) site: String,
    pub(super) layer: Layer,
}

/// Since when a layer looks at a site's traffic.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Since {
    cell: Cell,
    since: Timestamp,
}

/// A switch to enforcing that is watched.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Probation {
    /// In one sentence.
    pub(super) what: String,
    pub(super) at: Timestamp,
    pub(super) until: Timestamp,
    /// What enforces since.
    pub(super) cells: Vec<Cell>,
    /// The switches that lead back.
    pub(super) undo: Vec<ModeChange>,
    /// How callers of each site fared before.
    pub(super) before: BTreeMap<String, Before>,
}

/// How callers of a site fared before a switch.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Before {
    /// In the last half hour.
    pub(super) welfare: Welfare,
    /// How many that are known here would have been refused by what enforces now, in an hour.
    pub(super) known_callers: u64,
}

/// A switch that was taken back.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct TakenBack {
    pub(super) what: String,
    pub(super) at: Timestamp,
    pub(super) reason: String,
    pub(super) cells: Vec<Cell>,
}

impl Probation {
    /// As it is told.
    pub(super) fn told(&self) -> wire::Probation {
        let (since, until) = (self.at.to_string(), self.until.to_string());
        wire::Probation { what: self.what.clone(), since, until }
    }
}

impl TakenBack {
    /// As it is told.
    pub(super) fn told(&self) -> wire::TakenBack {
        let (what, reason) = (self.what.clone(), self.reason.clone());
        wire::TakenBack { what, at: self.at.to_string(), reason }
    }
}

impl LayerLog {
    /// What is in the data folder; none when there is no file, or one that is damaged.
    pub(super) fn read(data: &Path) -> Option<Self> {
        let path = data.join(NAME);
        let text = fs::read_to_string(&path).ok()?;
        match serde_json::from_str::<Self>(&text) {
            Ok(log) => Some(Self { path, ..log }),
            Err(error) => {
                tracing::warn!(%error, "{NAME} is damaged; layers are watched from now on");
                None
            }
        }
    }

    /// Nothing yet.
    pub(super) fn empty(data: &Path) -> Self {
        Self { path: data.join(NAME), ..Self::default() }
    }

    /// Keeps it. A disk that takes nothing must not keep a switch from working.
    pub(super) fn keep(&self) {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        if let Err(error) = replace_file(&self.path, &text) {
            tracing::error!(%error, "{NAME} is not written; a restart forgets what is on probation");
        }
    }

    /// Takes in the policy that is in force from `now` on; of layers that are new to it, `since`
    /// says since when they watch. Says whether anything changed.
    pub(super) fn take_in(&mut self, policy: &Policy, since: Timestamp) -> bool {
        let on = cells(policy, |mode| mode != Mode::Off);
        let before = self.watched.len();
        self.watched.retain(|watched| on.contains(&watched.cell));
        let mut has_changed = self.watched.len() != before;
        for cell in on {
            if !self.watched.iter().any(|watched| watched.cell == cell) {
                self.watched.push(Since { cell, since });
                has_changed = true;
            }
        }
        let enforced = cells(policy, |mode| mode == Mode::Enforce);
        let is_over = |it: &Probation| !it.cells.iter().any(|cell| enforced.contains(cell));
        if self.probation.as_ref().is_some_and(is_over) {
            self.probation = None;
            has_changed = true;
        }
        has_changed
    }

    /// Begins a probation, or adds to the one that is on: all of it is taken back together.
    pub(super) fn begin(&mut self, fresh: Probation) {
        let Some(earlier) = self.probation.take() else {
            self.probation = Some(fresh);
            return;
        };
        let mut cells = earlier.cells;
        cells.extend(fresh.cells);
        cells.sort();
        cells.dedup();
        let mut before = fresh.before;
        before.extend(earlier.before);
        self.probation = Some(Probation {
            what: format!("{}; {}", earlier.what, fresh.what),
            at: earlier.at,
            until: fresh.until,
            cells,
            undo: fresh.undo.into_iter().chain(earlier.undo).collect(),
            before,
        });
    }

    /// Remembers that a switch was taken back.
    pub(super) fn remember(&mut self, taken_back: TakenBack) {
        self.taken_back.insert(0, taken_back);
        self.taken_back.truncate(TAKEN_BACK_MAX);
    }

    /// Somebody has switched these layers since: what was taken back there is settled.
    pub(super) fn settle(&mut self, scope: &ModeScope) {
        self.taken_back.retain(|it| !it.cells.iter().any(|cell| is_within(scope, cell)));
    }

    /// What was taken back lately.
    pub(super) fn taken_back(&self, now: Timestamp) -> impl Iterator<Item = &TakenBack> {
        self.taken_back.iter().filter(move |it| now.since(it.at) < TAKEN_BACK_KEPT)
    }

    /// Since when layers watch.
    pub(super) fn watched(&self) -> Vec<Watched> {
        let told = |it: &Since| Watched {
            site: it.cell.site.clone(),
            layer: it.cell.layer,
            since: it.since,
        };
        self.watched.iter().map(told).collect()
    }
}

/// The layers whose mode is such, on a site as a whole or on one of its routes.
pub(super) fn cells(policy: &Policy, is_such: impl Fn(Mode) -> bool) -> Vec<Cell> {
    let mut cells = Vec::new();
    for site in &policy.sites {
        for layer in Layer::ALL {
            let routes = site.routes.iter().map(|route| &route.modes);
            if std::iter::once(&site.modes).chain(routes).any(|modes| is_such(modes.of(layer))) {
                cells.push(Cell { site: site.name.clone(), layer });
            }
        }
    }
    cells
}

fn is_within(scope: &ModeScope, cell: &Cell) -> bool {
    scope.site.as_ref().is_none_or(|site| *site == cell.site)
        && (scope.layers.is_empty() || scope.layers.contains(&cell.layer))
}
