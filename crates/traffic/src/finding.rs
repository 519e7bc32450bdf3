//! Conclusions that last: one finding per detector, entity and endpoint, not one per request.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::entity::Entity;
use crate::hash::Digest;
use crate::layer::Mode;
use crate::signal::Detector;
use crate::time::Timestamp;
use crate::verdict::Action;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "each variant is the word it prints")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

/// A durable, deduplicated conclusion. The same `key` again updates the finding that is there.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Finding {
    /// What makes two conclusions one: detector, entity, endpoint and hour of the first sight.
    pub key: Digest,
    /// Who concluded it.
    pub detector: Detector,
    /// How much it matters.
    pub severity: Severity,
    /// Whom it is about.
    pub entity: Entity,
    /// The endpoint it happened on, as `METHOD host-group /template`.
    pub endpoint: Option<String>,
    /// One sentence, made from the facts.
    pub title: String,
    /// First and last time.
    pub first: Timestamp,
    /// Last time.
    pub last: Timestamp,
    /// How many requests it rests on.
    pub requests: u64,
    /// How many of them were refused, in fact.
    pub refused: u64,
    /// Whether any attempt succeeded (an account entered, a hidden page found).
    pub succeeded: bool,
    /// Accounts that were entered after suspicion arose, by keyed hash; at most 32.
    pub victims: Vec<Digest>,
    /// What was done, or would have been.
    pub action: Action,
    /// In which mode.
    pub mode: Mode,
    /// The risk at its highest, 0 to 100.
    pub risk: u8,
    /// The event that tells it best.
    pub event: Option<String>,
}

impl Severity {
    /// The word in output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}
