//! `/incidents`: campaigns, and what people make of them.

use axum::Json;
use axum::extract::State;
use ledger::{Change, IncidentFilter, IncidentId, IncidentNote, IncidentState};
use schemars::JsonSchema;
use serde::Deserialize;
use traffic::Timestamp;

use super::page::{self, Part};
use super::{Console, aside, written_all};
use crate::caller::Caller;
use crate::extract::{Asked, Meant, Named, Ordered};
use crate::refused::Refused;
use crate::wire::{Finding, Incident, IncidentDetail, IncidentList};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentQuery {
    /// Closed ones, too.
    #[serde(default)]
    all: bool,
    /// Go on there: the `next` of the part before.
    cursor: Option<String>,
    /// At most so many; 100 without.
    #[schemars(range(min = 1, max = 10_000))]
    limit: Option<usize>,
}

/// What becomes of an incident.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum StateWord {
    Open,
    Closed,
}

/// What shall become of an incident.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentOrder {
    state: StateWord,
    #[serde(default)]
    note: String,
    #[serde(default)]
    author: String,
}

pub(crate) async fn list(
    State(console): State<Console>,
    Asked(query): Asked<IncidentQuery>,
) -> Result<Json<IncidentList>, Refused> {
    let part: Part<(Timestamp, IncidentId)> = page::part(query.cursor.as_deref(), query.limit)?;
    aside(move || {
        let filter = IncidentFilter {
            state: (!query.all).then_some(IncidentState::Open),
            after: part.after,
            limit: part.limit,
            ..IncidentFilter::default()
        };
        let incidents = console
            .ledger
            .incidents(filter)
            .map_err(|error| Refused::failed("the incidents cannot be read", error))?;
        let last = incidents.last().filter(|_| incidents.len() == part.limit);
        Ok(Json(IncidentList {
            schema: "palisade.v1.incidents".to_owned(),
            next: last.map(|last| page::cursor(&(last.last, last.id))),
            incidents: incidents.iter().map(Incident::from).collect(),
        }))
    })
    .await
}

pub(crate) async fn one(
    State(console): State<Console>,
    Named(id): Named,
) -> Result<Json<IncidentDetail>, Refused> {
    aside(move || {
        let (_, incident) = find(&console, &id)?;
        Ok(Json(IncidentDetail {
            schema: "palisade.v1.incident".to_owned(),
            incident: Incident::from(&incident),
            findings: incident.findings.iter().map(Finding::from).collect(),
        }))
    })
    .await
}

pub(crate) async fn change(
    State(console): State<Console>,
    caller: Caller,
    Asked(meant): Asked<Meant>,
    Named(id): Named,
    Ordered(order): Ordered<IncidentOrder>,
) -> Result<Json<Incident>, Refused> {
    let state = match order.state {
        StateWord::Open => IncidentState::Open,
        StateWord::Closed => IncidentState::Closed,
    };
    let author = caller.author(&order.author);
    aside(move || {
        let (number, found) = find(&console, &id)?;
        if meant.dry_run {
            let state = state.to_string();
            return Ok(Json(Incident { state, ..Incident::from(&found) }));
        }
        let mut changes = vec![Change::SetIncident(number, state)];
        if !order.note.trim().is_empty() {
            let at = console.instance.now();
            let note = IncidentNote { at, author: author.clone(), note: order.note.clone() };
            changes.push(Change::AddNote(number, note));
        }
        written_all(&console, changes, &author, format!("set {number} {state}"))?;
        let (_, incident) = find(&console, &id)?;
        Ok(Json(Incident::from(&incident)))
    })
    .await
}

fn find(console: &Console, id: &str) -> Result<(IncidentId, ledger::Incident), Refused> {
    let number: IncidentId =
        id.parse().map_err(|_| Refused::missing(format!("there is no incident {id}")))?;
    let found = console
        .ledger
        .incident(number)
        .map_err(|error| Refused::failed("the incidents cannot be read", error))?;
    found
        .map(|incident| (number, incident))
        .ok_or_else(|| Refused::missing(format!("there is no incident {id}")))
}

impl From<&ledger::Incident> for Incident {
    fn from(incident: &ledger::Incident) -> Self {
        let notes = incident.notes.iter();
        Self {
            id: incident.id.to_string(),
            title: incident.title.clone(),
            severity: incident.severity.to_string(),
            state: incident.state.to_string(),
            first: incident.first.to_string(),
            last: incident.last.to_string(),
            findings: incident.finding_count,
            requests: incident.requests,
            refused: incident.refused,
            succeeded: incident.succeeded,
            notes: notes
                .map(|note| format!("{} ({}): {}", note.at, note.author, note.note))
                .collect(),
        }
    }
}
