//! HTTP Activity (4002): a request that was refused or flagged.

use serde_json::{Map, Value, json};
use traffic::{Event, Mode, Severity};

use super::{attack, done, metadata, ms, risk_level, severity};
use crate::alert::cut;

/// A receiver of syslog takes 8 KiB; what a caller can make long is cut.
const TEXT_CHARS_MAX: usize = 1_000;
/// The activity of a method that the schema does not know.
const OTHER: u8 = 99;

pub(super) fn of(event: &Event) -> Value {
    let (activity_id, activity) = method(&event.method);
    let is_flagged = !event.action.refuses();
    let (severity_id, severity) =
        severity(if is_flagged { Severity::Low } else { Severity::Medium });
    let [(action_id, action), (disposition_id, disposition)] = done(event.action, event.mode);
    let (risk_level_id, risk_level) = risk_level(event.risk);
    let is_failure = event.status >= 400;
    let detectors = event.signals.iter().map(|signal| signal.detector.as_str());
    let mut attacks: Vec<Value> = Vec::new();
    for attack in detectors.filter_map(attack::of) {
        if !attacks.contains(&attack) {
            attacks.push(attack);
        }
    }
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    put("activity_id", json!(activity_id));
    put("activity_name", json!(activity));
    put("category_uid", json!(4));
    put("category_name", json!("Network Activity"));
    put("class_uid", json!(4002));
    put("class_name", json!("HTTP Activity"));
    put("type_uid", json!(400_200 + u32::from(activity_id)));
    put("type_name", json!(format!("HTTP Activity: {activity}")));
    put("time", json!(ms(event.at)));
    put("duration", json!(event.took_us / 1_000));
    put("count", json!(event.count.max(1)));
    put("severity_id", json!(severity_id));
    put("severity", json!(severity));
    put("status_id", json!(if is_failure { 2 } else { 1 }));
    put("status", json!(if is_failure { "Failure" } else { "Success" }));
    put("status_code", json!(event.status.to_string()));
    put("action_id", json!(action_id));
    put("action", json!(action));
    put("disposition_id", json!(disposition_id));
    put("disposition", json!(disposition));
    put("is_alert", json!(event.action.refuses()));
    put("risk_score", json!(event.risk));
    put("risk_level_id", json!(risk_level_id));
    put("risk_level", json!(risk_level));
    put("attacks", json!(attacks));
    put("metadata", metadata(&event.id.to_string(), "events", event.at));
    put("http_request", request(event));
    put("http_response", json!({ "code": event.status }));
    put("src_endpoint", json!({ "ip": event.client }));
    put("dst_endpoint", destination(event));
    put("policy", policy(event));
    put("unmapped", unmapped(event));
    if let Some(signal) = event.signals.first() {
        put("message", json!(cut(&signal.reason, TEXT_CHARS_MAX)));
        put("status_detail", json!(cut(&signal.reason, TEXT_CHARS_MAX)));
        put("firewall_rule", rule(event));
    }
    if let Some(ja4) = &event.ja4 {
        let fingerprint = json!({ "type_id": 1, "type": "JA4", "value": ja4 });
        put("ja4_fingerprint_list", json!([fingerprint]));
    }
    Value::Object(fields)
}

/// What OCSF calls a method.
fn method(method: &str) -> (u8, String) {
    const METHODS: [&str; 9] =
        ["Connect", "Delete", "Get", "Head", "Options", "Post", "Put", "Trace", "Patch"];
    let known = (1..).zip(METHODS).find(|(_, name)| name.eq_ignore_ascii_case(method));
    known.map_or_else(|| (OTHER, cut(method, 32)), |(id, name)| (id, name.to_owned()))
}

fn request(event: &Event) -> Value {
    let path = if event.path.is_empty() { "/" } else { &event.path };
    let mut url = json!({ "path": cut(path, TEXT_CHARS_MAX) });
    if let (false, Some(url)) = (event.host.is_empty(), url.as_object_mut()) {
        url.insert("hostname".to_owned(), json!(cut(&event.host, 253)));
    }
    let mut request = json!({ "uid": event.request_id, "url": url });
    if let Some(request) = request.as_object_mut() {
        // The schema knows nine; what another is called stands in `activity_name`.
        if method(&event.method).0 != OTHER && event.method == event.method.to_ascii_uppercase() {
            request.insert("http_method".to_owned(), json!(event.method));
        }
        if let Some(agent) = &event.user_agent {
            request.insert("user_agent".to_owned(), json!(cut(agent, TEXT_CHARS_MAX)));
        }
    }
    request
}

fn destination(event: &Event) -> Value {
    let site = if event.site.is_empty() { "unclaimed" } else { &event.site };
    let mut endpoint = json!({ "svc_name": site });
    if let (false, Some(endpoint)) = (event.host.is_empty(), endpoint.as_object_mut()) {
        endpoint.insert("hostname".to_owned(), json!(cut(&event.host, 253)));
    }
    endpoint
}

/// The layer that decided, in the mode it was in.
fn policy(event: &Event) -> Value {
    json!({
        "uid": event.policy_version.to_string(),
        "name": event.layer.map_or_else(|| "none".to_owned(), |layer| layer.to_string()),
        "type": "layer",
        "is_applied": event.mode == Mode::Enforce,
    })
}

/// What told most: the rule where one matched, or else the detector.
fn rule(event: &Event) -> Value {
    let Some(signal) = event.signals.first() else { return Value::Null };
    match event.rules.first() {
        Some(rule) => json!({
            "uid": rule.id.to_string(),
            "name": cut(&rule.message, 200),
            "category": signal.layer,
            "match_location": cut(&rule.field, 200),
            "match_details": [cut(&rule.found, 200)],
        }),
        None => json!({
            "uid": signal.detector,
            "name": signal.detector,
            "category": signal.layer,
            "desc": cut(&signal.reason, TEXT_CHARS_MAX),
        }),
    }
}

fn unmapped(event: &Event) -> Value {
    json!({
        "endpoint": event.endpoint.as_ref().map(|endpoint| cut(endpoint, TEXT_CHARS_MAX)),
        "entities": event.entities.iter().take(8).map(|it| cut(it, 100)).collect::<Vec<_>>(),
        "mode": event.mode.key(),
        "verdict": event.action.key(),
        "nats": event.nats,
    })
}
