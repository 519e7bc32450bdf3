//! What is sent, in the form that a sink understands.
//!
//! Texts that callers chose (paths, headers, names in them) are data everywhere: they are escaped
//! for the form at hand, cut to what it takes, and characters that act where they are shown become
//! visible.

mod json;
mod slack;
mod syslog;

use shield::policy::SinkKind;
use traffic::Timestamp;

use crate::alert::{Alert, Item};
use crate::ocsf;

pub(crate) use syslog::Sender;

/// A message, and what it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Message {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media: &'static str,
}

/// `item` for a sink of this kind; none when it is not for such a sink.
pub(crate) fn over_http(kind: SinkKind, item: &Item) -> Option<Message> {
    let value = match (kind, item) {
        (SinkKind::Json, Item::Alert(alert)) => json::document(alert),
        (SinkKind::Slack, Item::Alert(alert)) => slack::message(alert),
        (SinkKind::Ocsf, item) => ocsf::event(item),
        _ => return None,
    };
    let bytes = serde_json::to_vec(&value).ok()?;
    Some(Message { bytes, media: "application/json" })
}

/// The same as a frame of syslog over TCP (RFC 6587, octet counting, as RFC 5425 has it).
pub(crate) fn over_syslog(kind: SinkKind, item: &Item, sender: &Sender) -> Option<Message> {
    let line = match (kind, item) {
        (SinkKind::Syslog, Item::Alert(alert)) => syslog::alert(alert, sender),
        (SinkKind::Ocsf, item) => {
            let json = serde_json::to_string(&ocsf::event(item)).ok()?;
            syslog::wrapped(item, &json, sender)
        }
        _ => return None,
    };
    let mut bytes = format!("{} ", line.len()).into_bytes();
    bytes.extend_from_slice(&line);
    Some(Message { bytes, media: "application/syslog-msg" })
}

/// Where an operator looks next.
fn next_step(alert: &Alert) -> String {
    format!("palisade incidents show {}", alert.incident)
}

/// RFC 3339 with microseconds.
fn time(at: Timestamp) -> String {
    at.to_string()
}

#[cfg(test)]
mod tests;
