//! Detection Finding (2004): an incident.

use std::net::IpAddr;

use serde_json::{Map, Value, json};
use traffic::{Detector, Family, counted};

use super::{attack, done, metadata, ms, risk_level, severity};
use crate::alert::{Alert, Evidence, News, cut};

pub(super) fn of(alert: &Alert) -> Value {
    let is_new = matches!(alert.news, News::Opened | News::Exposed | News::TakenBack | News::Test)
        || alert.news == News::Succeeded && alert.uid.ends_with("-1");
    let (activity_id, activity) = if is_new { (1, "Create") } else { (2, "Update") };
    let (severity_id, severity) = severity(alert.severity);
    let [(action_id, action), (disposition_id, disposition)] = done(alert.action, alert.mode);
    let (risk_level_id, risk_level) = risk_level(alert.risk);
    json!({
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2004,
        "class_name": "Detection Finding",
        "type_uid": 200_400 + activity_id,
        "type_name": format!("Detection Finding: {activity}"),
        "time": ms(alert.at),
        "start_time": ms(alert.first),
        "end_time": ms(alert.last),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1,
        "status": "New",
        "message": format!("{}: {}", alert.news.sentence(), cut(&alert.title, 1_000)),
        "is_alert": alert.news != News::Test,
        "status_detail": if alert.succeeded { "an attempt succeeded" } else { "" },
        "action_id": action_id,
        "action": action,
        "disposition_id": disposition_id,
        "disposition": disposition,
        "risk_score": alert.risk,
        "risk_level_id": risk_level_id,
        "risk_level": risk_level,
        "count": alert.requests.max(1),
        "metadata": metadata(&alert.uid, "incidents", alert.at),
        "finding_info": finding_info(alert),
        "evidences": alert.evidence.iter().map(evidence).collect::<Vec<_>>(),
        "observables": observables(alert),
        "remediation": {
            "desc": format!(
                "`palisade incidents show {}` tells what it rests on; `palisade silence` makes a \
                 narrow exception if it was no attack",
                alert.incident
            ),
        },
    })
}

fn finding_info(alert: &Alert) -> Value {
    let detectors = distinct(alert.evidence.iter().map(|evidence| evidence.detector.as_str()));
    let types = distinct(alert.evidence.iter().flat_map(|it| it.owasp.split_whitespace()));
    let attacks: Vec<Value> =
        detectors.iter().filter_map(|detector| attack::of(detector)).collect();
    let mut info = json!({
        "uid": alert.incident_uid,
        "title": cut(&alert.title, 500),
        "desc": format!(
            "{}, {} of them refused; {}",
            counted(alert.requests, "request"),
            alert.refused,
            counted(alert.findings, "finding")
        ),
        "types": types,
        "attacks": attacks,
        "data_sources": ["HTTP traffic"],
        "created_time": ms(alert.first),
        "modified_time": ms(alert.at),
        "first_seen_time": ms(alert.first),
        "last_seen_time": ms(alert.last),
        "related_events_count": alert.requests,
    });
    if let (Some(detector), Some(info)) = (detectors.first(), info.as_object_mut()) {
        info.insert("analytic".to_owned(), analytic(detector));
    }
    info
}

fn analytic(detector: &str) -> Value {
    let is_rule = Detector::named(detector).is_some_and(|it| it.family() == Family::Input);
    let (type_id, kind) = if is_rule { (1, "Rule") } else { (2, "Behavioral") };
    json!({ "uid": detector, "name": detector, "type_id": type_id, "type": kind })
}

/// Who it is about, as the objects that OCSF has for such, and the facts beside it.
fn evidence(evidence: &Evidence) -> Value {
    let mut fields = Map::new();
    let (kind, value) = evidence.entity.split_once(':').unwrap_or(("", &evidence.entity));
    match kind {
        "ip" if value.parse::<IpAddr>().is_ok() => {
            fields.insert("src_endpoint".to_owned(), json!({ "ip": value }));
        }
        "account" | "principal" => {
            fields.insert("user".to_owned(), json!({ "uid": value }));
        }
        "session" => {
            fields.insert("actor".to_owned(), json!({ "session": { "uid": value } }));
        }
        "ja4" => {
            let fingerprint = json!({ "type_id": 1, "type": "JA4", "value": value });
            fields.insert("ja4_fingerprint_list".to_owned(), json!([fingerprint]));
        }
        _ => {}
    }
    if let Some(endpoint) = &evidence.endpoint {
        fields.insert("api".to_owned(), json!({ "operation": cut(endpoint, 500) }));
    }
    let data = json!({
        "detector": evidence.detector,
        "entity": evidence.entity,
        "title": cut(&evidence.title, 500),
        "requests": evidence.requests,
        "accounts_entered": evidence.victims,
        "event": evidence.event,
    });
    fields.insert("data".to_owned(), data);
    Value::Object(fields)
}

fn observables(alert: &Alert) -> Vec<Value> {
    let addresses = alert.evidence.iter().filter_map(|it| it.entity.strip_prefix("ip:"));
    distinct(addresses)
        .into_iter()
        .map(|ip| {
            let name = "evidences[].src_endpoint.ip";
            json!({ "name": name, "type_id": 2, "type": "IP Address", "value": ip })
        })
        .collect()
}

/// Each text once, in the order of its first appearance.
fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for text in texts {
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}
