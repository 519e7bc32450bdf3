//! A line of syslog (RFC 5424).

use traffic::{Action, Mode, Severity, Timestamp, plain};

use super::next_step;
use crate::alert::{Alert, Item, cut};

/// The facility "security/authorization messages (private)".
const FACILITY: u8 = 10;
/// What a receiver takes at least (RFC 5425 has it at 8,192 bytes), less the head.
const TEXT_CHARS_MAX: usize = 1_500;
/// Before text in UTF-8 (RFC 5424, 6.4).
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Who sends, as the head of each line has it.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) machine: String,
    pub(crate) process: u32,
}

/// An incident in a sentence, and its figures as structured data. Their number is the one that is
/// kept for documents (RFC 5612): Palisade has none of its own.
pub(super) fn alert(alert: &Alert, sender: &Sender) -> Vec<u8> {
    let evidence = alert.evidence.first();
    let entity = evidence.map_or("", |it| it.entity.as_str());
    let detector = evidence.map_or("", |it| it.detector.as_str());
    let endpoint = evidence.and_then(|it| it.endpoint.as_deref()).unwrap_or_default();
    let facts = [
        ("uid", alert.uid.clone()),
        ("news", alert.news.key().to_owned()),
        ("incident", alert.incident.clone()),
        ("severity", alert.severity.to_string()),
        ("detector", detector.to_owned()),
        ("entity", entity.to_owned()),
        ("endpoint", endpoint.to_owned()),
        ("requests", alert.requests.to_string()),
        ("refused", alert.refused.to_string()),
        ("succeeded", alert.succeeded.to_string()),
        ("mode", alert.mode.to_string()),
    ];
    let data: String = facts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!(" {name}=\"{}\"", parameter(&cut(value, 256))))
        .collect();
    let mut line = head(alert.severity, alert.at, "alert", sender);
    line.push_str(&format!("[palisade@32473{data}] "));
    let mut line = line.into_bytes();
    line.extend_from_slice(BOM);
    let text = format!("{}: {} ({})", alert.news.sentence(), alert.title, next_step(alert));
    line.extend_from_slice(cut(&plain(&text), TEXT_CHARS_MAX).as_bytes());
    line
}

/// An event of OCSF. JSON begins with a brace, so no mark says that it is UTF-8.
pub(super) fn wrapped(item: &Item, json: &str, sender: &Sender) -> Vec<u8> {
    let (severity, at, what) = match item {
        Item::Alert(alert) => (alert.severity, alert.at, "detection_finding"),
        Item::Event(event) => {
            let was_refused = event.action == Action::Reject
                || event.action.refuses() && event.mode == Mode::Enforce;
            let severity = if was_refused { Severity::Medium } else { Severity::Low };
            (severity, event.at, "http_activity")
        }
    };
    let mut line = head(severity, at, what, sender);
    line.push_str("- ");
    line.push_str(json);
    line.into_bytes()
}

fn head(severity: Severity, at: Timestamp, what: &str, sender: &Sender) -> String {
    let level = match severity {
        Severity::Critical => 2,
        Severity::High => 3,
        Severity::Medium => 4,
        Severity::Low => 5,
        Severity::Info => 6,
    };
    let machine: String = sender.machine.chars().filter(char::is_ascii_graphic).take(255).collect();
    let machine = if machine.is_empty() { "-" } else { &machine };
    let priority = FACILITY * 8 + level;
    format!("<{priority}>1 {at} {machine} palisade {} {what} ", sender.process)
}

/// A value between quotes (RFC 5424, 6.3.3).
fn parameter(value: &str) -> String {
    plain(value).replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}
