//! A report as figures: `palisade.v1.report`. The page is written from it, and from nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use traffic::Timestamp;

use crate::figure::Figure;
use crate::material::{Incident, Method, Origin, Period};

/// A report.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Report {
    /// `palisade.v1.report`.
    pub schema: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Which time it is about.
    pub period: Period,
    /// The time that it is compared with.
    pub before: Option<Span>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_no_before: Option<String>,
    /// The figures that matter most, by their names.
    pub summary: Vec<String>,
    /// All figures, section by section.
    pub sections: Vec<Section>,
    /// What moved most.
    pub changes: Vec<Change>,
    /// What to do about it, the most urgent first.
    pub actions: Vec<Action>,
    /// How traffic went over time.
    pub series: Series,
    /// Campaigns, the gravest first.
    pub incidents: Vec<Incident>,
    /// How many there were in all.
    pub incidents_total: u64,
    /// Endpoints worth a look.
    pub endpoints: Vec<EndpointList>,
    /// Published vulnerabilities that were tried.
    pub probes: Vec<Probe>,
    /// How it came about.
    pub method: Method,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Span {
    /// From, included.
    #[schemars(with = "String")]
    #[serde(with = "crate::time")]
    pub from: Timestamp,
    /// To, excluded.
    #[schemars(with = "String")]
    #[serde(with = "crate::time")]
    pub to: Timestamp,
}

/// Figures that belong together.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Section {
    /// Its name for programs.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What is to be known before reading it.
    pub note: String,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// A figure that moved.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Change {
    /// Which figure.
    pub figure: String,
    /// One sentence.
    pub text: String,
}

/// Something to do.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Action {
    /// What.
    pub title: String,
    /// Why.
    pub why: String,
    /// With which command, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// Traffic over time.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Series {
    /// Seconds from one moment to the next.
    pub step_s: u64,
    /// The moments, without gaps.
    pub moments: Vec<Moment>,
}

/// Exchanges of one stretch of time.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Moment {
    /// When it begins.
    #[schemars(with = "String")]
    #[serde(with = "crate::time")]
    pub at: Timestamp,
    /// Of people, as far as can be told.
    pub human: u64,
    /// Of crawlers that say so.
    pub declared_bot: u64,
    /// Of machines.
    pub automated: u64,
    /// Of whoever does not say.
    pub unknown: u64,
    /// How many of all of these were attacks.
    pub attacks: u64,
}

/// Endpoints with something in common.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct EndpointList {
    /// Its name for programs.
    pub id: String,
    /// Its title.
    pub title: String,
    /// How many there are; the rows may be fewer.
    pub total: u64,
    /// The first of them.
    pub rows: Vec<EndpointRow>,
}

/// An endpoint and what is to be said about it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct EndpointRow {
    /// `METHOD host-group /template`.
    pub endpoint: String,
    /// What there is to say.
    pub says: String,
    /// The number that it is ranked by.
    pub count: u64,
}

/// A published vulnerability that was tried.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Probe {
    /// Its number.
    pub cve: String,
    /// Years between its number and the end of the period.
    pub age_years: u16,
    /// Requests.
    pub requests: u64,
    /// How many of them were answered with 2xx.
    pub answered: u64,
}

impl Report {
    /// The name of the document's form.
    pub const SCHEMA: &str = "palisade.v1.report";

    /// A figure by its name.
    pub fn figure(&self, id: &str) -> Option<&Figure> {
        self.sections.iter().flat_map(|section| &section.figures).find(|figure| figure.id == id)
    }
}
