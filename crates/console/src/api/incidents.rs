//! `/incidents`: campaigns, and what people make of them.

use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, State};
use ledger::{Change, IncidentFilter, IncidentId, IncidentNote, IncidentState};
use serde::Deserialize;

use super::{Console, aside, written_all};
use crate::refused::Refused;
use crate::serve::CallerUid;
use crate::wire::{Finding, Incident, IncidentDetail, IncidentList};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentQuery {
    #[serde(default)]
    all: bool,
    limit: Option<usize>,
}

/// What shall become of an incident.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentOrder {
    state: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    author: String,
}

pub(super) async fn list(
    State(console): State<Console>,
    Query(query): Query<IncidentQuery>,
) -> Result<Json<IncidentList>, Refused> {
    aside(move || {
        let filter = IncidentFilter {
            state: (!query.all).then_some(IncidentState::Open),
            limit: query.limit.unwrap_or(100),
            ..IncidentFilter::default()
        };
        let incidents = console
            .ledger
            .incidents(filter)
            .map_err(|error| Refused::failed("the incidents cannot be read", error))?;
        Ok(Json(IncidentList {
            schema: "palisade.v1.incidents".to_owned(),
            incidents: incidents.iter().map(Incident::from).collect(),
        }))
    })
    .await
}

pub(super) async fn one(
    State(console): State<Console>,
    Path(id): Path<String>,
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

pub(super) async fn change(
    State(console): State<Console>,
    ConnectInfo(caller): ConnectInfo<CallerUid>,
    Path(id): Path<String>,
    Json(order): Json<IncidentOrder>,
) -> Result<Json<Incident>, Refused> {
    let state = match order.state.as_str() {
        "open" => IncidentState::Open,
        "closed" => IncidentState::Closed,
        other => return Err(Refused::wrong(format!("{other:?} is neither open nor closed"))),
    };
    let author = caller.author(&order.author);
    aside(move || {
        let (number, _) = find(&console, &id)?;
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
        id.parse().map_err(|error| Refused::wrong(format!("{id:?} is {error}")))?;
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
