//! Figures of traffic on the wire.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What passed within a span of time, or was refused.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Traffic {
    /// The span up to now: `1h` or `24h`.
    pub span: String,
    /// Exchanges.
    pub requests: u64,
    /// Exchanges by class of the status that the caller got, such as `2xx`.
    pub statuses: BTreeMap<String, u64>,
    /// How many were refused.
    pub refused: u64,
    /// How many would have been, if their layer enforced.
    pub would_refuse: u64,
    /// Bytes of answers.
    pub bytes: u64,
    /// What half of the forwarded exchanges stay within, in milliseconds: the bound of a class.
    pub p50_ms: Option<f64>,
    /// What 95 of 100 stay within.
    pub p95_ms: Option<f64>,
}
