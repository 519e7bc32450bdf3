//! Events of the Open Cybersecurity Schema Framework, version 1.7.0.
//!
//! An incident is a Detection Finding (2004), a request that was refused or flagged an HTTP
//! Activity (4002), both with the profile `security_control`, which says what was done about it.
//! `make test-data` holds both against the published schema.

mod activity;
mod attack;
mod finding;

use serde_json::{Value, json};
use traffic::{Action, Mode, Severity, Timestamp};

use crate::alert::Item;

/// The version of the schema.
const VERSION: &str = "1.7.0";

/// The event of OCSF that tells what `item` does.
pub fn event(item: &Item) -> Value {
    match item {
        Item::Alert(alert) => finding::of(alert),
        Item::Event(event) => activity::of(event),
    }
}

fn metadata(uid: &str, log: &str, at: Timestamp) -> Value {
    json!({
        "version": VERSION,
        "profiles": ["security_control"],
        "uid": uid,
        "log_name": log,
        "original_time": at.to_string(),
        "product": {
            "name": "Palisade",
            "vendor_name": "Palisade",
            "version": env!("CARGO_PKG_VERSION"),
        },
    })
}

/// Milliseconds since the epoch.
const fn ms(at: Timestamp) -> u64 {
    at.as_micros() / 1_000
}

const fn severity(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

/// What was done: the action, and what became of the request.
fn done(action: Action, mode: Mode) -> [(u8, &'static str); 2] {
    const DENIED: (u8, &str) = (2, "Denied");
    const OBSERVED: (u8, &str) = (3, "Observed");
    match (action, mode) {
        (Action::Reject, _) => [DENIED, (25, "Rejected")],
        (Action::Allow, _) => [OBSERVED, (17, "Logged")],
        (_, Mode::Monitor | Mode::Off) => [OBSERVED, (15, "Detected")],
        (Action::Deny, Mode::Enforce) => [DENIED, (2, "Blocked")],
        (Action::Throttle, Mode::Enforce) => [DENIED, (14, "Delayed")],
        (Action::Challenge, Mode::Enforce) => [DENIED, (23, "Challenge")],
        (Action::Mask, Mode::Enforce) => [(4, "Modified"), (11, "Corrected")],
    }
}

/// The risk from 0 to 100 in words.
const fn risk_level(risk: u8) -> (u8, &'static str) {
    match risk {
        0..=19 => (0, "Info"),
        20..=49 => (1, "Low"),
        50..=79 => (2, "Medium"),
        80..=94 => (3, "High"),
        _ => (4, "Critical"),
    }
}
