//! Changes of modes, reloads, and what a policy says of one request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far layers shall go, and where.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModeChange {
    /// `off`, `monitor` or `enforce`; none withdraws what the overlay says there.
    pub mode: Option<String>,
    /// Which layers; none are all.
    #[serde(default)]
    pub layers: Vec<String>,
    /// Which site; without, all of them.
    #[serde(default)]
    pub site: Option<String>,
    /// Which route of the site, as its `match`.
    #[serde(default)]
    pub route: Option<String>,
    /// Who orders it.
    #[serde(default)]
    pub author: String,
    /// Enforce without a time of probation: nothing takes it back by itself.
    #[serde(default)]
    pub for_good: bool,
}

/// What a change did.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Changed {
    /// `palisade.v1.changed`.
    pub schema: String,
    /// In one sentence.
    pub what: String,
    /// The commands that take it back.
    pub undo: Vec<String>,
    /// What to know besides.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Until when it is taken back by itself if it does harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probation_until: Option<String>,
}

/// What a reload did.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Reloaded {
    /// `palisade.v1.reloaded`.
    pub schema: String,
    /// The version of the policy now in force.
    pub policy_version: u64,
    /// What to know besides.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What the policy says of a request.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Explained {
    /// `palisade.v1.explained`.
    pub schema: String,
    /// The method asked about.
    pub method: String,
    /// The host asked about.
    pub host: String,
    /// The path asked about.
    pub path: String,
    /// What holds there, and where each value comes from.
    pub settings: Vec<super::Setting>,
}
