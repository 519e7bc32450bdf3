//! Whether layers may enforce, on the wire: the verdict on each, what it rests on, and which
//! switches are still on probation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether layers may enforce.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Readiness {
    /// `palisade.v1.readiness`.
    pub schema: String,
    /// From when on was looked, RFC 3339.
    pub from: String,
    /// Up to when.
    pub to: String,
    /// False when there was more than is looked at in one go: counts are of the latest part.
    pub complete: bool,
    /// All of it in one line.
    pub summary: String,
    /// Each layer on each site.
    pub layers: Vec<LayerReadiness>,
    /// The switch to enforcing that is still watched, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probation: Option<Probation>,
    /// Switches that were taken back lately, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_back: Vec<TakenBack>,
}

/// Whether one layer may enforce on one site.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct LayerReadiness {
    /// The site.
    pub site: String,
    /// The layer.
    pub layer: String,
    /// How far it goes now.
    pub mode: String,
    /// The verdict.
    pub verdict: VerdictWord,
    /// How many hours more it has to watch, when that is the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours_needed: Option<u64>,
    /// Since when it looks at traffic; none when it is off.
    pub watched_since: Option<String>,
    /// Requests to the site meanwhile.
    pub requests: u64,
    /// How many of them enforcing would have refused.
    pub would_refuse: u64,
    /// How many were refused in fact.
    pub refused: u64,
    /// How many of both came from callers that were known here, with an established session.
    pub known: u64,
    /// From how many callers both came.
    pub callers: u64,
    /// And how many of these were known.
    pub known_callers: u64,
    /// The endpoints with most of them.
    pub endpoints: Vec<EndpointShare>,
    /// The callers with most of them, those that were known first.
    pub foremost: Vec<CallerShare>,
    /// Why the verdict is what it is, and what to look at.
    pub reasons: Vec<Because>,
}

/// What is to be done with a layer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictWord {
    /// It may enforce.
    Ready,
    /// Look at what it would refuse before it does.
    LookFirst,
    /// It has not seen enough.
    NeedsHours,
}

/// What would be refused on an endpoint.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct EndpointShare {
    /// The endpoint; empty for paths that are none.
    pub endpoint: String,
    /// Requests refused, or that would be.
    pub requests: u64,
    /// How many of them the API answered as if nothing were wrong.
    pub answered: u64,
    /// From how many callers.
    pub callers: u64,
}

/// Who would be refused.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct CallerShare {
    /// The caller, as a selector or an address.
    pub caller: String,
    /// Requests refused, or that would be.
    pub requests: u64,
    /// Whether it was known here, with an established session.
    pub known: bool,
    /// The latest event, for `palisade why`.
    pub event: String,
}

/// A reason, and the commands that look closer.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Because {
    /// In one sentence.
    pub says: String,
    /// Commands of `palisade`, without its name.
    pub commands: Vec<String>,
}

/// A switch to enforcing that is taken back by itself if it does harm.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Probation {
    /// What was switched.
    pub what: String,
    /// When.
    pub since: String,
    /// Until when it is watched.
    pub until: String,
}

/// A switch to enforcing that was taken back.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct TakenBack {
    /// What had been switched.
    pub what: String,
    /// When it was taken back.
    pub at: String,
    /// Why.
    pub reason: String,
}
