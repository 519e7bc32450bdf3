//! Recordings: one JSON object a line.
//!
//! The first line may be a header (which policy, which hash key, what was learnt before); each
//! other line is one exchange, or what an operator ordered between two of them. Only
//! `request.method` and `request.url` must be there, so that a recording can be written by hand.
//! These structs are the wire format and nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decision::{Decision, DecisionId, Exception, ExceptionId};
use crate::event::EventRule;
use crate::signal::Signal;
use crate::verdict::Verdict;

/// A line of a recording.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Line {
    /// A header: at the start, and again whenever the policy changed while recording.
    Header(Box<HeaderLine>),
    /// What an operator ordered by hand.
    Order(Box<OrderLine>),
    /// One exchange.
    Exchange(Box<ExchangeLine>),
}

/// What must be known to replay what follows exactly.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct HeaderLine {
    /// The version of this format: 1.
    pub palisade_recording: u32,
    /// The policy in force, as the TOML text it was compiled from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The overlay in force, as TOML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlay: Option<String>,
    /// Which key the hashes were made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_key_id: Option<String>,
    /// The key itself, in hexadecimal: only in recordings made with `--record-secrets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_key: Option<String>,
    /// What had been learnt, in base64 of the snapshot format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Memory that tables were sized for, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_budget: Option<u64>,
    /// The sequence number at which this header takes effect; none at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

/// An order by hand: a step of its own between those of exchanges.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct OrderLine {
    /// What was ordered.
    pub order: Order,
    /// When, RFC 3339 with microseconds.
    pub time: String,
    /// The sequence number of the step.
    pub seq: u64,
}

/// What an operator changes about what stands. What it names is hashed, as everywhere.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// A block or an allow.
    Decide(Decision),
    /// A decision is taken back.
    Undo(DecisionId),
    /// An exception.
    Except(Exception),
    /// An exception is taken back.
    Unexcept(ExceptionId),
}

/// One exchange.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ExchangeLine {
    /// When the request was decided, RFC 3339 with microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The socket's other end: an address, with or without a port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// What TLS told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsPart>,
    /// The request.
    pub request: RequestPart,
    /// The answer of the upstream, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponsePart>,
    /// The sequence numbers of the two steps: decided, learnt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<Vec<u64>>,
    /// What the exchange is known to be; carried through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<serde_json::Value>,
    /// What was decided when this was recorded; a replay can be checked against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<VerdictPart>,
}

/// What rules found in a request or an answer, secrets masked.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct RulesPart {
    /// The rules that matched and count as evidence.
    pub found: Vec<EventRule>,
    /// The rule that refuses it whatever else is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
}

/// A verdict as recordings and replays write it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct VerdictPart {
    /// allow, throttle, challenge, deny, mask or reject.
    pub verdict: String,
    /// The risk, 0 to 100.
    pub score: u8,
    /// The endpoint as `METHOD host-group /template`, once known.
    pub endpoint: Option<String>,
    /// The evidence, strongest first.
    pub signals: Vec<SignalPart>,
}

/// One signal of a verdict.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct SignalPart {
    /// The detector's name.
    pub detector: String,
    /// The layer's key.
    pub layer: String,
    /// The entity, as a selector.
    pub entity: String,
    /// Its strength, to a hundredth.
    pub nats: f64,
    /// The sentence.
    pub reason: String,
}

impl VerdictPart {
    /// How `verdict` is written.
    pub fn new(verdict: &Verdict, endpoint: Option<String>) -> Self {
        let signal = |signal: &Signal| SignalPart {
            detector: signal.detector.name().to_owned(),
            layer: signal.detector.layer().key().to_owned(),
            entity: signal.entity.to_string(),
            nats: (f64::from(signal.nats) * 100.0).round() / 100.0,
            reason: signal.reason.to_string(),
        };
        Self {
            verdict: verdict.action.key().to_owned(),
            score: verdict.risk,
            endpoint,
            signals: verdict.signals.iter().map(signal).collect(),
        }
    }
}

/// What TLS told about the caller.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct TlsPart {
    /// The JA4 fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ja4: Option<String>,
}

/// A request.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct RequestPart {
    /// The method.
    pub method: String,
    /// The target: an absolute URL, or a path with the host in `headers`.
    pub url: String,
    /// `1.0`, `1.1` or `2`, with or without `HTTP/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The headers in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body as text, as far as it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64, when it is not text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// Whether the body went on after what is recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub body_truncated: bool,
    /// SETTINGS of an HTTP/2 caller.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub h2_settings: Vec<(u16, u32)>,
    /// Hashes of the claims of a redacted JWT, and of the user of redacted Basic credentials.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, String>,
    /// Whether its password is one of the most common, where the recording has it as a hash.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub common_password: bool,
    /// What rules found in it, where they found anything. A replay finds it again, unless
    /// it was in what the recording has as a hash or in another spelling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<RulesPart>,
}

/// An answer.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ResponsePart {
    /// The status code.
    #[serde(default)]
    pub status: u16,
    /// The headers in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The body as text, without content coding, as far as it was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The body in base64, when it is not text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// Whether the body went on after what is recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub body_truncated: bool,
    /// The length of the whole body as it was sent on, where what is recorded has another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// From the decision to the answer's end, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_us: Option<u64>,
    /// What rules found in it, as for requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<RulesPart>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_line_is_enough() {
        let line = r#"{"request":{"method":"GET","url":"/a"}}"#;
        let Line::Exchange(exchange) = serde_json::from_str(line).expect("a line") else {
            panic!("not an exchange")
        };
        assert_eq!(exchange.request.url, "/a");
        assert_eq!(serde_json::to_string(&exchange).expect("json"), line);
    }

    #[test]
    fn orders_are_told_from_exchanges() {
        let line = r#"{"order":{"undo":12},"time":"2026-01-01T00:00:00.000000Z","seq":7}"#;
        let Line::Order(order) = serde_json::from_str(line).expect("a line") else {
            panic!("not an order")
        };
        assert_eq!(order.order, Order::Undo(DecisionId(12)));
        assert_eq!(serde_json::to_string(&order).expect("json"), line);
    }

    #[test]
    fn headers_are_told_from_exchanges() {
        let line = r#"{"palisade_recording":1,"policy":"version = 1"}"#;
        assert!(matches!(serde_json::from_str(line).expect("a line"), Line::Header(_)));
    }
}
