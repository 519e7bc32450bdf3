//! What a report is made from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shield::{AuthSeen, EndpointView};
use traffic::{Finding, Role, Severity, Tally, Timestamp};

/// Everything that there is to report on.
#[derive(Clone, Debug)]
pub struct Material {
    /// Where it comes from.
    pub origin: Origin,
    /// Which time it is about.
    pub period: Period,
    /// Counts by hour or by day.
    pub tallies: Vec<Tally>,
    /// Attacks in that time.
    pub findings: Vec<Finding>,
    /// Campaigns in that time, the gravest first.
    pub incidents: Vec<Incident>,
    /// Forgotten endpoints that answered in that time.
    pub forgotten: Vec<Finding>,
    /// The endpoints that are known, whenever they were learnt.
    pub endpoints: Vec<Endpoint>,
    /// What operators said is no attack, and when.
    pub exceptions: Vec<traffic::Exception>,
    /// The time before, of the same length; or why there is nothing to compare with.
    pub before: Result<Before, String>,
    /// What is to be said about how it came about.
    pub method: Method,
}

/// Where the material comes from.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Origin {
    /// `gateway` or `scan`.
    pub kind: String,
    /// The sites, or the files.
    pub names: Vec<String>,
}

/// A stretch of time.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Period {
    /// From, included.
    #[schemars(with = "String")]
    #[serde(with = "crate::time")]
    pub from: Timestamp,
    /// To, excluded.
    #[schemars(with = "String")]
    #[serde(with = "crate::time")]
    pub to: Timestamp,
    /// Since when there was anybody to count, if that was later than `from`.
    #[schemars(with = "String")]
    #[serde(with = "crate::time")]
    pub counted_from: Timestamp,
    /// Until when.
    #[schemars(with = "String")]
    #[serde(with = "crate::time")]
    pub counted_to: Timestamp,
    /// Seconds that one count stands for: an hour's or a day's.
    pub grain_s: u32,
}

/// The period before.
#[derive(Clone, Debug)]
pub struct Before {
    /// Its beginning and end.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Its counts.
    pub tallies: Vec<Tally>,
    /// Its conclusions.
    pub findings: Vec<Finding>,
    /// Its campaigns.
    pub incidents: Vec<Incident>,
}

/// A campaign.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Incident {
    /// Its name, where it has one.
    pub id: Option<String>,
    /// The sentence.
    pub title: String,
    /// How much it matters.
    #[schemars(with = "String")]
    pub severity: Severity,
    /// The detector of its gravest finding.
    pub detector: String,
    /// Where, if that is one endpoint.
    pub endpoint: Option<String>,
    /// When it began.
    #[schemars(with = "String")]
    #[serde(with = "crate::time")]
    pub first: Timestamp,
    /// When it was last seen.
    #[schemars(with = "String")]
    #[serde(with = "crate::time")]
    pub last: Timestamp,
    /// Requests it rests on.
    pub requests: u64,
    /// How many of them were refused.
    pub refused: u64,
    /// Whether any attempt succeeded.
    pub succeeded: bool,
    /// Whether somebody closed it.
    pub is_closed: bool,
    /// Where it shows: file and line, of a scan.
    pub evidence: Option<String>,
}

/// An endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `METHOD host-group /template`.
    pub label: String,
    /// Its host.
    pub host: String,
    /// Its method.
    pub method: String,
    /// Its path template.
    pub template: String,
    /// What it is for.
    pub role: Role,
    /// Whether it serves callers without a credential.
    pub auth: AuthSeen,
    /// Classes of sensitive data that it gives out.
    pub classes: Vec<String>,
    /// Since when it is known.
    pub first_seen: Timestamp,
    /// When it was last called.
    pub last_seen: Timestamp,
    /// Calls since it is known.
    pub calls: u64,
    /// How many of them were answered 2xx.
    pub served: u64,
}

/// What is to be said about how the figures came about.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Method {
    /// The version of the program.
    pub version: String,
    /// The layers and their modes at the end of the period.
    pub layers: Vec<Layer>,
    /// What this material cannot show, and what was lost.
    pub blind: Vec<String>,
    /// Whether credentials were seen: without, nobody knows who calls without one.
    pub shows_credentials: bool,
    /// Whether answers' bodies were seen: without, nobody knows what data they hold.
    pub shows_answers: bool,
}

/// A layer's mode.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Layer {
    /// Its key.
    pub layer: String,
    /// Its mode.
    pub mode: String,
}

impl From<&EndpointView> for Endpoint {
    fn from(view: &EndpointView) -> Self {
        let is_served = |status: u16| (200..300).contains(&status);
        let served = view.statuses.iter().filter(|(status, _)| is_served(*status));
        Self {
            label: view.label(),
            host: view.host.clone(),
            method: view.method.clone(),
            template: view.template.clone(),
            role: view.role,
            auth: view.auth,
            classes: view.classes.iter().map(|class| class.key().to_owned()).collect(),
            first_seen: view.first_seen,
            last_seen: view.last_seen,
            calls: view.exchanges,
            served: served.map(|(_, count)| u64::from(*count)).sum(),
        }
    }
}
