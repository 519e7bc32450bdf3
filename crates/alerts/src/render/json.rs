//! Our own JSON: all there is to say, for whoever writes the other side.

use serde_json::{Value, json};

use super::{next_step, time};
use crate::alert::Alert;

pub(super) fn document(alert: &Alert) -> Value {
    let evidence: Vec<Value> = alert
        .evidence
        .iter()
        .map(|evidence| {
            json!({
                "detector": evidence.detector,
                "owasp": evidence.owasp,
                "title": evidence.title,
                "entity": evidence.entity,
                "endpoint": evidence.endpoint,
                "requests": evidence.requests,
                "victims": evidence.victims,
                "event": evidence.event,
            })
        })
        .collect();
    json!({
        "schema": "palisade.v1.alert",
        "uid": alert.uid,
        "news": alert.news.key(),
        "at": time(alert.at),
        "machine": alert.machine,
        "incident": {
            "id": alert.incident,
            "uid": alert.incident_uid,
            "title": alert.title,
            "severity": alert.severity.key(),
            "first": time(alert.first),
            "last": time(alert.last),
            "findings": alert.findings,
            "requests": alert.requests,
            "refused": alert.refused,
            "succeeded": alert.succeeded,
            "action": alert.action.key(),
            "mode": alert.mode.key(),
            "risk": alert.risk,
            "evidence": evidence,
        },
        "next": next_step(alert),
    })
}
