//! What people are shown of the memory: what is normal, which limits would fit, how full it is.

use serde::Serialize;
use traffic::{Detector, EndpointId, ServiceId};

use crate::baseline::{Baseline, Prior, Readiness};
use crate::table::{Line, Table};

/// One learnt share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BaselineView {
    /// The detector that calculates with it.
    pub detector: Detector,
    /// What it is about.
    pub subject: Subject,
    /// The share that is normal.
    pub share: f32,
    /// The share that the detector calculates with: surely not exceeded without an attack.
    pub upper: f32,
    /// Over how many observations it is known.
    pub observations: u32,
    /// Of how many callers, about.
    pub callers: u32,
    /// How much that is.
    pub readiness: Readiness,
    /// Whether so much goes wrong here without an attack that the share stands at its bound: then
    /// the detector needs more to be sure, and says so here.
    pub is_capped: bool,
}

/// What a baseline is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// An endpoint.
    Endpoint(EndpointId),
    /// A host group.
    Service(ServiceId),
    /// What the catalog had no place for yet.
    NotYetPlaced,
}

/// A rate limit that would spare honest callers.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Suggestion {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Requests a minute for each caller.
    pub per_minute: u32,
    /// Requests at once.
    pub burst: u32,
    /// How many callers it rests on, about.
    pub callers: u32,
}

/// How full a table is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct TableView {
    /// What it holds.
    pub name: &'static str,
    /// Lines in it.
    pub used: usize,
    /// Lines it can hold.
    pub capacity: usize,
    /// Lines that had to make room so far.
    pub evicted: u64,
}

impl BaselineView {
    pub(crate) fn of(
        detector: Detector,
        subject: Subject,
        baseline: &Baseline,
        prior: &Prior,
    ) -> Self {
        let upper = baseline.upper(prior);
        Self {
            detector,
            subject,
            share: baseline.share(prior),
            upper,
            observations: baseline.observations(),
            callers: baseline.callers(),
            readiness: baseline.readiness(),
            is_capped: upper >= prior.most,
        }
    }
}

impl TableView {
    pub(crate) fn of<V: Line>(name: &'static str, table: &Table<V>) -> Self {
        Self { name, used: table.used(), capacity: table.capacity(), evicted: table.evicted() }
    }
}
