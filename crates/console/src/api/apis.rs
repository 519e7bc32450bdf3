//! `/apis`: the API as its traffic showed it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;
use shield::{BaselineView, EndpointView, Readiness, Subject, Suggestion};
use traffic::{Outcome, counted, times};

use super::{Console, aside, figures, page};
use crate::extract::{Asked, Named};
use crate::refused::Refused;
use crate::wire::{Endpoint, EndpointList, Parameter};

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only those with this text in method, host or path.
    filter: Option<String>,
    /// Go on there: the `next` of the part before.
    cursor: Option<String>,
    /// At most so many; 100 without.
    #[schemars(range(min = 1, max = 10_000))]
    limit: Option<usize>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportQuery {
    /// Only the endpoints of this host.
    host: Option<String>,
}

pub(crate) async fn list(
    State(console): State<Console>,
    Asked(query): Asked<ListQuery>,
) -> Result<Json<EndpointList>, Refused> {
    let mut views = console.engine.endpoints();
    if let Some(filter) = &query.filter {
        views.retain(|view| view.label().contains(filter.as_str()));
    }
    let place = |it: &EndpointView| (it.host.clone(), it.template.clone(), it.method.clone());
    views.sort_by_cached_key(place);
    let (views, next) = page::part(query.cursor.as_deref(), query.limit)?.of(views, place);
    let endpoints = views.iter().map(|view| endpoint(view, &[], None)).collect();
    Ok(Json(EndpointList { next, ..EndpointList::of(endpoints) }))
}

pub(crate) async fn one(
    State(console): State<Console>,
    Named(wanted): Named,
) -> Result<Json<Endpoint>, Refused> {
    aside(move || told(&console, &wanted).map(Json)).await
}

fn told(console: &Console, wanted: &str) -> Result<Endpoint, Refused> {
    let views = console.engine.endpoints();
    let is_named = |view: &&EndpointView| {
        let short = format!("{} {}", view.method, view.template);
        view.id.0.to_string() == wanted || view.label() == wanted || short == wanted
    };
    let found: Vec<&EndpointView> = views.iter().filter(is_named).collect();
    match found.as_slice() {
        [view] => {
            let baselines = console.engine.baselines();
            let suggestions = console.engine.suggestions(console.instance.now());
            let suggestion = suggestions.iter().find(|suggested| suggested.endpoint == view.id);
            let traffic = figures::of(console, Some(&view.label()))
                .map_err(|error| Refused::failed("the counts cannot be read", error))?;
            let callers = console.engine.callers_of(view.id).into_iter();
            let callers = callers.filter(|(_, count)| *count > 0);
            let requests_of = callers.map(|(kind, count)| (kind.key().to_owned(), count.into()));
            Ok(Endpoint {
                traffic,
                requests_of: requests_of.collect(),
                ..endpoint(view, &baselines, suggestion)
            })
        }
        [] => Err(Refused::missing(format!(
            "there is no endpoint {wanted:?}; `palisade api list` shows them with their numbers"
        ))),
        several => {
            let numbers: Vec<String> =
                several.iter().map(|view| format!("{} ({})", view.id.0, view.host)).collect();
            Err(Refused::wrong(format!("several hosts have it: {}", numbers.join(", "))))
        }
    }
}

pub(crate) async fn export(
    State(console): State<Console>,
    Asked(query): Asked<ExportQuery>,
) -> Json<serde_json::Value> {
    Json(console.engine.openapi(query.host.as_deref()))
}

/// An endpoint as it goes over the wire, with what is normal there.
pub fn endpoint(
    view: &EndpointView,
    baselines: &[BaselineView],
    suggestion: Option<&Suggestion>,
) -> Endpoint {
    let mut statuses: BTreeMap<String, u64> = BTreeMap::new();
    for (status, count) in &view.statuses {
        *statuses.entry(format!("{}xx", status / 100)).or_default() += u64::from(*count);
    }
    let about_this = |baseline: &&BaselineView| {
        baseline.subject == Subject::Endpoint(view.id)
            || baseline.subject == Subject::Service(view.service)
    };
    let evidence = view.evidence.iter();
    Endpoint {
        id: view.id.0,
        label: view.label(),
        method: view.method.clone(),
        host: view.host.clone(),
        template: view.template.clone(),
        role: view.role.to_string(),
        role_evidence: evidence.map(|seen| format!("{:+.1} {}", seen.nats, seen.clue)).collect(),
        authentication: view.auth.key().to_owned(),
        credentials: view.credentials.clone(),
        parameters: view.params.iter().map(parameter).collect(),
        data_classes: view.classes.iter().map(|class| class.key().to_owned()).collect(),
        first_seen: view.first_seen.to_string(),
        last_seen: view.last_seen.to_string(),
        requests: view.exchanges,
        callers: view.callers,
        requests_of: BTreeMap::new(),
        statuses,
        p50_ms: view.latency_p50_us.map(millis),
        p95_ms: view.latency_p95_us.map(millis),
        traffic: Vec::new(),
        outcomes: outcomes(&view.outcomes),
        baselines: baselines.iter().filter(about_this).map(baseline).collect(),
        suggested_limit: suggestion
            .map(|suggested| format!("{}/m, burst {}", suggested.per_minute, suggested.burst)),
    }
}

fn parameter(view: &shield::ParamView) -> Parameter {
    Parameter {
        location: view.place.key().to_owned(),
        name: view.name.clone(),
        kind: view.kind.to_string(),
        share: f64::from(view.share),
        required: view.is_required,
    }
}

/// Answers that read alike are told together, whatever else sets them apart.
fn outcomes(views: &[shield::OutcomeView]) -> Vec<String> {
    let mut told: Vec<(String, u64)> = Vec::new();
    for view in views {
        let (says, count) = (outcome(view), u64::from(view.count));
        match told.iter_mut().find(|(known, _)| *known == says) {
            Some((_, sum)) => *sum += count,
            None => told.push((says, count)),
        }
    }
    told.into_iter().map(|(says, count)| format!("{says} ({})", times(count))).collect()
}

fn outcome(view: &shield::OutcomeView) -> String {
    let means = match view.outcome {
        Outcome::Success => "success",
        Outcome::Failure => "failure",
        Outcome::NotFound => "not found",
        Outcome::Unknown => "not told yet",
    };
    format!("{} = {means}", view.looks)
}

fn baseline(view: &BaselineView) -> String {
    let readiness = match view.readiness {
        Readiness::Cold => "cold: too little is known, an assumption holds",
        Readiness::Warming => "warming",
        Readiness::Ready => "ready",
    };
    format!(
        "{}: {:.1} % is normal, {:.1} % is reckoned with; {} seen of about {}, {readiness}",
        view.detector,
        view.share * 100.0,
        view.upper * 100.0,
        view.observations,
        counted(view.callers, "caller")
    )
}

/// Microseconds below an hour are exact in a double.
fn millis(us: u64) -> f64 {
    let us = u32::try_from(us).unwrap_or(u32::MAX);
    f64::from(us) / 1_000.0
}
