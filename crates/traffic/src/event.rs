//! What the ledger keeps of an exchange that is worth keeping.
//!
//! An event holds no secret: paths are decoded and redacted, credentials are hashes, signals are
//! sentences over counts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::decision::{DecisionId, ExceptionId};
use crate::layer::{Layer, Mode};
use crate::time::Timestamp;
use crate::verdict::Action;

/// The identity of an event: a UUID (version 7), quoted to the caller that was refused.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct EventId(pub u128);

/// A text that is not a UUID.
#[derive(Debug, thiserror::Error)]
#[error("not an event id such as 0193594e-2b7e-7c3a-9d55-6a1f0c0e4b11")]
pub struct NotAnEventId;

/// One exchange worth keeping, or several refused by one standing decision.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Event {
    /// Its identity.
    pub id: EventId,
    /// The request ID that caller and upstream saw.
    pub request_id: String,
    /// When the request was decided.
    pub at: Timestamp,
    /// The site of the policy.
    pub site: String,
    /// Whether it was kept as a sample of honest traffic.
    pub is_sample: bool,
    /// What the evidence asked for.
    pub action: Action,
    /// The mode of the deciding layer.
    pub mode: Mode,
    /// The risk, 0 to 100.
    pub risk: u8,
    /// The sum of evidence, in nats.
    pub nats: f32,
    /// The layer that decided.
    pub layer: Option<Layer>,
    /// The request's method.
    pub method: String,
    /// The host addressed.
    pub host: String,
    /// The path, decoded and redacted.
    pub path: String,
    /// The endpoint as `METHOD host-group /template`, once there is one.
    pub endpoint: Option<String>,
    /// The status that the caller got.
    pub status: u16,
    /// From request to the answer's end, in microseconds.
    pub took_us: u64,
    /// The client address.
    pub client: String,
    /// The entities of the caller, as selectors.
    pub entities: Vec<String>,
    /// Whether the caller was known here and in good standing: a session that is established.
    #[serde(default)]
    pub is_known: bool,
    /// The JA4 fingerprint.
    pub ja4: Option<String>,
    /// The `User-Agent`, redacted and cut.
    pub user_agent: Option<String>,
    /// The evidence.
    pub signals: Vec<EventSignal>,
    /// The rules that matched.
    #[serde(default)]
    pub rules: Vec<EventRule>,
    /// Whom the action was aimed at, in words.
    pub scope: Option<String>,
    /// The standing decision applied or set.
    pub decision: Option<DecisionId>,
    /// The exception applied.
    pub exception: Option<ExceptionId>,
    /// The version of the policy that decided.
    pub policy_version: u64,
    /// Notes: what was marked about the request (odd framing, bodies not read to the end, …).
    pub notes: Vec<String>,
    /// How many exchanges this event stands for.
    pub count: u32,
}

impl Event {
    /// Who called, by the narrowest name there is: session, principal, account, else the address.
    pub fn caller(&self) -> &str {
        let named = |kind: &str| self.entities.iter().find(|entity| entity.starts_with(kind));
        let narrowest = named("session:").or_else(|| named("principal:"));
        narrowest.or_else(|| named("account:")).map_or(&self.client, String::as_str)
    }

    /// Whether the caller would be refused if the deciding layer enforced, and is not.
    pub fn would_be_refused(&self) -> bool {
        self.action.refuses() && !self.is_refused()
    }

    /// Whether the caller was refused in fact.
    pub fn is_refused(&self) -> bool {
        self.action == Action::Reject || (self.action.refuses() && self.mode == Mode::Enforce)
    }
}

/// One signal of an event, in words.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct EventSignal {
    /// The detector's name.
    pub detector: String,
    /// The layer's key.
    pub layer: String,
    /// The entity, as a selector.
    pub entity: String,
    /// Its strength.
    pub nats: f32,
    /// The sentence.
    pub reason: String,
}

/// A rule that matched, and where.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct EventRule {
    /// Its number.
    pub id: u64,
    /// What it finds, in words.
    pub message: String,
    /// The field in which it found it, such as `ARGS:q`; its name is redacted.
    pub field: String,
    /// What it found there, cut and with secrets masked.
    pub found: String,
    /// How bad it is, as the rule says.
    pub severity: Option<String>,
    /// The attacks and weaknesses that it names: CWE, CVE, OWASP.
    pub names: Vec<String>,
    /// What it may be a quotation of, since all of it stands in prose: pages, machines, data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotes: Option<String>,
}

impl EventId {
    /// As it is written (RFC 9562 §4), without going through the formatter.
    #[must_use]
    pub fn text(self) -> [u8; 36] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let places = (0..36).filter(|place| !matches!(place, 8 | 13 | 18 | 23));
        for (digit, place) in places.enumerate() {
            let nibble = (self.0 >> (124 - 4 * digit)) & 0xf;
            if let (Some(to), Some(of)) = (text.get_mut(place), DIGITS.get(nibble as usize)) {
                *to = *of;
            }
        }
        text
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl FromStr for EventId {
    type Err = NotAnEventId;

    fn from_str(text: &str) -> Result<Self, NotAnEventId> {
        let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAnEventId);
        }
        u128::from_str_radix(&digits, 16).map(Self).map_err(|_| NotAnEventId)
    }
}

#[cfg(test)]
mod tests {
    use super::EventId;

    #[test]
    fn ids_print_as_uuids_and_read_back() {
        let id = EventId(0x0193_594e_2b7e_7c3a_9d55_6a1f_0c0e_4b11);
        assert_eq!(id.to_string(), "0193594e-2b7e-7c3a-9d55-6a1f0c0e4b11");
        assert_eq!(
            "urn:uuid:0193594e-2b7e-7c3a-9d55-6a1f0c0e4b11".parse::<EventId>().expect("an id"),
            id
        );
        assert!("0193".parse::<EventId>().is_err());
    }
}
