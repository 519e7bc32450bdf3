//! Learnt endpoints on the wire.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Traffic;

/// All endpoints, by host, path and method.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct EndpointList {
    /// `palisade.v1.apis`.
    pub schema: String,
    /// The endpoints.
    pub endpoints: Vec<Endpoint>,
    /// Where the next part begins; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One endpoint, as traffic showed it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Endpoint {
    /// Its number in the catalog.
    pub id: u32,
    /// `METHOD host-group /template`.
    pub label: String,
    /// The method.
    pub method: String,
    /// The host group.
    pub host: String,
    /// The path with its parameters in braces.
    pub template: String,
    /// What it is for.
    pub role: String,
    /// Why it is thought to be for that, with the weight of each clue in nats.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub role_evidence: Vec<String>,
    /// Whether callers present credentials: `none`, `mixed` or `always`.
    pub authentication: String,
    /// Where the credentials stand, such as `bearer` or `cookie sid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<String>,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Classes of sensitive data in its answers.
    pub data_classes: Vec<String>,
    /// First seen, RFC 3339.
    pub first_seen: String,
    /// Last seen.
    pub last_seen: String,
    /// How many exchanges.
    pub requests: u64,
    /// About how many distinct callers.
    pub callers: u64,
    /// Requests by what their programs say they are; only where one endpoint is asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests_of: BTreeMap<String, u64>,
    /// Exchanges by status class, such as `2xx`.
    pub statuses: BTreeMap<String, u64>,
    /// Median time to the answer's end, in milliseconds.
    pub p50_ms: Option<f64>,
    /// What 95 of 100 exchanges stay under.
    pub p95_ms: Option<f64>,
    /// Traffic of the last hour and the last day; only where one endpoint is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traffic: Vec<Traffic>,
    /// How its answers are told apart, where that was learnt: one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<String>,
    /// What is normal here, and how well that is known: one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baselines: Vec<String>,
    /// A limit that honest callers would not have met, such as `60/m, burst 20`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggested_limit: Option<String>,
}

/// One parameter of an endpoint.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Parameter {
    /// `path`, `query`, `form` or `json`.
    pub location: String,
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: String,
    /// In which share of the requests it was there, 0 to 1.
    pub share: f64,
    /// Whether all of them had it.
    pub required: bool,
}

impl EndpointList {
    /// The list of these endpoints.
    pub fn of(endpoints: Vec<Endpoint>) -> Self {
        Self { schema: "palisade.v1.apis".to_owned(), endpoints, next: None }
    }
}
