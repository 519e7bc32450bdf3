//! Health, modes and settings on the wire.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Probation, Sink, Traffic};

/// How the instance is.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Status {
    /// `palisade.v1.status`.
    pub schema: String,
    /// The version of the program.
    pub version: String,
    /// The process.
    pub pid: u32,
    /// Since when it runs, RFC 3339.
    pub started: String,
    /// The data folder.
    pub data: String,
    /// Where it listens.
    pub listeners: Vec<String>,
    /// The version of the policy in force; it grows with each change.
    pub policy_version: u64,
    /// What is wrong with the newest policy that was offered, if it was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_faults: Vec<String>,
    /// What the policy in force was warned about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_warnings: Vec<String>,
    /// The sites and how far each layer goes there.
    pub sites: Vec<Site>,
    /// Traffic of the last hour and the last day.
    #[serde(default)]
    pub traffic: Vec<Traffic>,
    /// Settings and where each comes from.
    pub settings: Vec<Setting>,
    /// Counters since the start.
    pub counters: BTreeMap<String, u64>,
    /// Where sessions are found, as far as that was discovered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<String>,
    /// Who is told of attacks, and how that goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sinks: Vec<Sink>,
    /// Which layers may enforce, in one line.
    #[serde(default)]
    pub readiness: String,
    /// The switch to enforcing that is still watched, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probation: Option<Probation>,
    /// What needs attention, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<String>,
}

/// One site of the policy.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// The hosts it is for.
    pub hosts: Vec<String>,
    /// Where its requests go.
    pub upstream: String,
    /// How each of its upstreams stands.
    #[serde(default)]
    pub upstreams: Vec<Upstream>,
    /// How far each layer goes.
    pub layers: Vec<LayerMode>,
}

/// How an upstream stands.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Upstream {
    /// Where it is.
    pub url: String,
    /// Whether requests go there.
    pub serves: bool,
    /// Why not, or what was wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Requests that got no answer from it, since the start.
    pub faults: u64,
    /// How often it was put out for them.
    pub ejections: u64,
}

/// How far each layer goes, everywhere.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct LayerList {
    /// `palisade.v1.layers`.
    pub schema: String,
    /// The sites.
    pub sites: Vec<Site>,
}

/// How far one layer goes.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct LayerMode {
    /// The layer.
    pub layer: String,
    /// `off`, `monitor` or `enforce`.
    pub mode: String,
    /// Where the mode comes from.
    pub origin: String,
    /// Whether this build has a detector in it.
    pub has_detector: bool,
    /// Faults caught in it since the start.
    pub faults: u64,
    /// Whether it is being left alone at the moment, after faults.
    pub quarantined: bool,
}

/// One setting.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Setting {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Where it comes from: `default`, `palisade.toml:12`, `--mode`, `overlay.toml`.
    pub origin: String,
}
