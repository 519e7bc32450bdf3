//! Incidents and findings on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Incidents, newest first.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct IncidentList {
    /// `palisade.v1.incidents`.
    pub schema: String,
    /// The incidents.
    pub incidents: Vec<Incident>,
    /// Where the next part begins; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One incident with its findings.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct IncidentDetail {
    /// `palisade.v1.incident`.
    pub schema: String,
    /// The incident.
    pub incident: Incident,
    /// What it consists of.
    pub findings: Vec<Finding>,
}

/// Findings of one campaign.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields speak for themselves")]
pub struct Incident {
    pub id: String,
    pub title: String,
    pub severity: String,
    pub state: String,
    pub first: String,
    pub last: String,
    pub findings: u64,
    pub requests: u64,
    pub refused: u64,
    pub succeeded: bool,
    pub notes: Vec<String>,
}

/// One durable conclusion.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of traffic::Finding, in words and numbers")]
pub struct Finding {
    pub key: String,
    pub detector: String,
    pub owasp: String,
    pub severity: String,
    pub entity: String,
    pub endpoint: Option<String>,
    pub title: String,
    pub first: String,
    pub last: String,
    pub requests: u64,
    pub refused: u64,
    pub succeeded: bool,
    pub victims: Vec<String>,
    pub action: String,
    pub mode: String,
    pub risk: u8,
    pub event: Option<String>,
}

impl From<&traffic::Finding> for Finding {
    fn from(finding: &traffic::Finding) -> Self {
        Self {
            key: finding.key.to_string(),
            detector: finding.detector.to_string(),
            owasp: finding.detector.owasp().to_owned(),
            severity: finding.severity.to_string(),
            entity: finding.entity.to_string(),
            endpoint: finding.endpoint.clone(),
            title: finding.title.clone(),
            first: finding.first.to_string(),
            last: finding.last.to_string(),
            requests: finding.requests,
            refused: finding.refused,
            succeeded: finding.succeeded,
            victims: finding.victims.iter().map(|victim| format!("account:{victim}")).collect(),
            action: finding.action.to_string(),
            mode: finding.mode.to_string(),
            risk: finding.risk,
            event: finding.event.clone(),
        }
    }
}
