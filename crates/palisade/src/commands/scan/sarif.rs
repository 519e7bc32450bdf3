//! A scan as SARIF 2.1.0: each finding a result, at the line of the log that tells it best.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use traffic::Severity;

use super::document::{Document, Finding};
use crate::failure::Failure;

/// The text of the document.
pub(super) fn text(document: &Document) -> Result<String, Failure> {
    let attacks = document.incidents.iter().flat_map(|incident| &incident.findings);
    let findings: Vec<&Finding> = attacks.chain(&document.exposures).collect();
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for finding in &findings {
        rules.entry(finding.detector).or_insert_with(|| rule(finding));
    }
    let order: Vec<&str> = rules.keys().copied().collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, &order)).collect();
    let sarif = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "palisade",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<Value>>(),
            }},
            "results": results,
        }],
    });
    let text = serde_json::to_string_pretty(&sarif);
    text.map(|text| text + "\n").map_err(|error| Failure::of("cannot write SARIF", error))
}

fn rule(finding: &Finding) -> Value {
    let tags: Vec<&str> = finding.owasp.split_whitespace().collect();
    json!({
        "id": finding.detector,
        "name": finding.detector,
        "shortDescription": { "text": finding.detector.replace('-', " ") },
        "properties": { "tags": tags },
    })
}

fn result(finding: &Finding, order: &[&str]) -> Value {
    let rule = order.iter().position(|detector| *detector == finding.detector);
    json!({
        "ruleId": finding.detector,
        "ruleIndex": rule,
        "level": level(finding.rank),
        "message": { "text": finding.title },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&finding.evidence.input) },
            "region": { "startLine": finding.evidence.line.max(1) },
        }}],
        "partialFingerprints": { "palisadeFinding/v1": finding.key },
        "properties": {
            "severity": finding.severity,
            "caller": finding.caller,
            "foundBy": finding.found_by,
            "endpoint": finding.endpoint,
            "first": finding.first,
            "last": finding.last,
            "requests": finding.requests,
            "succeeded": finding.succeeded,
        },
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// A path as a relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
