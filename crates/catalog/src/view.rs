//! The catalog as people and other programs are shown it.

use traffic::{DataClass, EndpointId, Outcome, ParamKind, Role, ServiceId, Timestamp};

use crate::role::RoleEvidence;

/// One endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointView {
    /// Its number.
    pub id: EndpointId,
    /// Its host group.
    pub service: ServiceId,
    /// Its method.
    pub method: String,
    /// The host, or the group of hosts as `*.example.com`.
    pub host: String,
    /// The path template.
    pub template: String,
    /// The role it plays.
    pub role: Role,
    /// Why it is thought to play it.
    pub evidence: Vec<RoleEvidence>,
    /// Whether it wants to know who is calling.
    pub auth: AuthSeen,
    /// Where the credentials stand: `bearer`, `cookie sid`, …
    pub credentials: Vec<String>,
    /// Its parameters, those of the path first.
    pub params: Vec<ParamView>,
    /// Sensitive data that it gives out.
    pub classes: Vec<DataClass>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// How many exchanges were seen.
    pub exchanges: u64,
    /// How many distinct callers: exact up to 24, an estimate beyond.
    pub callers: u64,
    /// How often it answered with which status, by status.
    pub statuses: Vec<(u16, u32)>,
    /// The median time to answer, in microseconds.
    pub latency_p50_us: Option<u64>,
    /// The time within which 95 of 100 answers came, in microseconds.
    pub latency_p95_us: Option<u64>,
    /// How its answers are told apart, where that was learnt.
    pub outcomes: Vec<OutcomeView>,
}

/// Whether an endpoint wants to know who is calling.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuthSeen {
    /// It serves callers without a credential.
    None,
    /// It serves some with and some without.
    Mixed,
    /// It serves nobody without.
    Always,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamView {
    /// Where it stands.
    pub place: ParamPlace,
    /// Its name; in bodies the path to it, as `items.*.price`.
    pub name: String,
    /// What its values look like mostly.
    pub kind: ParamKind,
    /// The share of requests that carry it, from 0 to 1.
    pub share: f32,
    /// Whether all requests did.
    pub is_required: bool,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[allow(missing_docs, reason = "each variant is the place it prints")]
pub enum ParamPlace {
    Path,
    Query,
    Form,
    Json,
}

/// Answers that look alike, and what they mean.
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeView {
    /// What they look like, in words.
    pub looks: String,
    /// What they mean.
    pub outcome: Outcome,
    /// How many there were.
    pub count: u32,
    /// How many credentials that they handed out were used later.
    pub used: u32,
}

impl AuthSeen {
    /// The word in output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mixed => "mixed",
            Self::Always => "always",
        }
    }
}

impl ParamPlace {
    /// The word in output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Form => "form",
            Self::Json => "json",
        }
    }
}

impl EndpointView {
    /// `METHOD host-group /template`: what the endpoint is called everywhere.
    pub fn label(&self) -> String {
        format!("{} {} {}", self.method, self.host, self.template)
    }
}
