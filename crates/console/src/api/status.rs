//! `/status` and `/layers`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;

use shield::policy::{Modes, Policy, Site as PolicySite};
use traffic::Layer;

use super::{Console, aside, figures};
use crate::readiness;
use crate::refused::Refused;
use crate::wire::{LayerList, LayerMode, Setting, Site, Status, Upstream};

pub(crate) async fn status(State(console): State<Console>) -> Result<Json<Status>, Refused> {
    aside(move || Ok(Json(told(&console)))).await
}

fn told(console: &Console) -> Status {
    let now = console.instance.now();
    let standing = console.instance.standing();
    let policy = console.engine.policy();
    let overview = console.engine.overview();
    let mut counters: BTreeMap<String, u64> =
        standing.counters.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    counters.insert("steps decided and learnt".to_owned(), overview.seq);
    counters.insert("bodies inspected in part".to_owned(), overview.bodies_in_part);
    counters.insert("bodies not inspected".to_owned(), overview.bodies_unread);
    let mut count = |name: String, value: usize| {
        counters.insert(name, u64::try_from(value).unwrap_or(u64::MAX));
    };
    count("endpoints known".to_owned(), overview.endpoints);
    for table in &overview.tables {
        count(format!("table {}, used of {}", table.name, table.capacity), table.used);
    }
    count("callers remembered".to_owned(), overview.callers.holders);
    count("familiar pairs remembered".to_owned(), overview.callers.pairs);
    let slots = console.engine.session_slots();
    let sessions = slots
        .iter()
        .filter(|slot| slot.is_session)
        .map(|slot| format!("{} ({})", slot.slot, slot.reasons.join(", ")))
        .collect();
    let mut alarms = standing.alarms;
    let traffic = figures::of(console, None).unwrap_or_else(|error| {
        alarms.push(format!("figures of traffic cannot be read: {error}"));
        Vec::new()
    });
    let readiness = readiness::of(console, readiness::LAST)
        .map_or_else(|error| format!("cannot be told: {error}"), |readiness| readiness.summary);
    for fault in console.engine.layer_faults(now) {
        if fault.is_quarantined {
            alarms.push(format!("layer {} is left alone after faults", fault.layer));
        }
    }
    Status {
        schema: "palisade.v1.status".to_owned(),
        version: standing.version.to_owned(),
        pid: std::process::id(),
        started: standing.started.to_string(),
        data: standing.data,
        listeners: standing.listeners,
        policy_version: console.engine.policy_version(),
        policy_faults: standing.policy_faults,
        policy_warnings: standing.policy_warnings,
        sites: sites(console, &standing.upstreams),
        traffic,
        settings: settings(&policy),
        counters,
        sessions,
        sinks: standing.sinks,
        readiness,
        probation: standing.probation,
        alarms,
    }
}

pub(crate) async fn layers(State(console): State<Console>) -> Json<LayerList> {
    let sites = sites(&console, &console.instance.standing().upstreams);
    Json(LayerList { schema: "palisade.v1.layers".to_owned(), sites })
}

/// The sites of the policy in force, each with its layers.
fn sites(console: &Console, standings: &BTreeMap<String, Vec<Upstream>>) -> Vec<Site> {
    let policy = console.engine.policy();
    let faults = console.engine.layer_faults(console.instance.now());
    let layer = |modes: &Modes, layer: Layer| {
        let seen = faults.iter().find(|seen| seen.layer == layer);
        LayerMode {
            layer: layer.to_string(),
            mode: modes.of(layer).to_string(),
            origin: modes.origin(layer).to_string(),
            has_detector: layer.has_detector(),
            faults: seen.map_or(0, |seen| seen.faults),
            quarantined: seen.is_some_and(|seen| seen.is_quarantined),
        }
    };
    let site = |site: &PolicySite| Site {
        name: site.name.clone(),
        hosts: site.hosts.value.clone(),
        upstream: site.upstreams_shown(),
        upstreams: standings.get(&site.name).cloned().unwrap_or_default(),
        layers: Layer::ALL.into_iter().map(|key| layer(&site.modes, key)).collect(),
    };
    policy.sites.iter().map(site).collect()
}

fn settings(policy: &Policy) -> Vec<Setting> {
    let views = policy.settings().into_iter();
    views
        .map(|view| Setting { key: view.key, value: view.value, origin: view.from.to_string() })
        .collect()
}
