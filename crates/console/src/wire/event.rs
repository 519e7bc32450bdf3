//! Events on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Events, newest first.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct EventList {
    /// `palisade.v1.events`.
    pub schema: String,
    /// The events.
    pub events: Vec<Event>,
    /// Where the next part begins; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One event in full.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct EventDetail {
    /// `palisade.v1.event`.
    pub schema: String,
    /// The event.
    pub event: Event,
    /// The standing decision that it names, while that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<super::Decision>,
    /// The exception that it names, while that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<super::Exception>,
}

/// One exchange worth keeping, or several refused by one standing decision.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of traffic::Event, in words and numbers")]
pub struct Event {
    pub id: String,
    pub request_id: String,
    /// RFC 3339 with microseconds, UTC.
    pub at: String,
    pub site: String,
    pub sample: bool,
    pub action: String,
    pub mode: String,
    /// Whether the caller was refused in fact.
    pub refused: bool,
    pub risk: u8,
    pub nats: f32,
    pub layer: Option<String>,
    pub method: String,
    pub host: String,
    pub path: String,
    pub endpoint: Option<String>,
    pub status: u16,
    pub took_us: u64,
    pub client: String,
    pub entities: Vec<String>,
    /// Whether the caller was known here and in good standing.
    #[serde(default)]
    pub known: bool,
    pub ja4: Option<String>,
    pub user_agent: Option<String>,
    pub signals: Vec<EventSignal>,
    /// The rules that matched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<EventRule>,
    pub scope: Option<String>,
    pub decision: Option<String>,
    pub exception: Option<String>,
    pub policy_version: u64,
    pub notes: Vec<String>,
    pub count: u32,
}

/// One piece of evidence.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of traffic::event::EventSignal")]
pub struct EventSignal {
    pub detector: String,
    pub layer: String,
    pub entity: String,
    pub nats: f32,
    pub reason: String,
}

/// A rule that matched, and where.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of traffic::event::EventRule")]
pub struct EventRule {
    pub id: u64,
    pub message: String,
    pub field: String,
    pub found: String,
    pub severity: Option<String>,
    pub names: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotes: Option<String>,
}

impl EventList {
    /// The list of these events.
    pub fn of(events: impl IntoIterator<Item = Event>) -> Self {
        let events = events.into_iter().collect();
        Self { schema: "palisade.v1.events".to_owned(), events, next: None }
    }
}

impl EventDetail {
    /// The detail of `event` without what it names.
    pub fn of(event: Event) -> Self {
        Self { schema: "palisade.v1.event".to_owned(), event, decision: None, exception: None }
    }
}

impl From<&traffic::Event> for Event {
    fn from(event: &traffic::Event) -> Self {
        Self {
            id: event.id.to_string(),
            request_id: event.request_id.clone(),
            at: event.at.to_string(),
            site: event.site.clone(),
            sample: event.is_sample,
            action: event.action.to_string(),
            mode: event.mode.to_string(),
            refused: event.is_refused(),
            risk: event.risk,
            nats: event.nats,
            layer: event.layer.map(|layer| layer.to_string()),
            method: event.method.clone(),
            host: event.host.clone(),
            path: event.path.clone(),
            endpoint: event.endpoint.clone(),
            status: event.status,
            took_us: event.took_us,
            client: event.client.clone(),
            entities: event.entities.clone(),
            known: event.is_known,
            ja4: event.ja4.clone(),
            user_agent: event.user_agent.clone(),
            signals: event.signals.iter().map(EventSignal::from).collect(),
            rules: event.rules.iter().map(EventRule::from).collect(),
            scope: event.scope.clone(),
            decision: event.decision.map(|id| id.to_string()),
            exception: event.exception.map(|id| id.to_string()),
            policy_version: event.policy_version,
            notes: event.notes.clone(),
            count: event.count,
        }
    }
}

impl From<&traffic::event::EventRule> for EventRule {
    fn from(rule: &traffic::event::EventRule) -> Self {
        Self {
            id: rule.id,
            message: rule.message.clone(),
            field: rule.field.clone(),
            found: rule.found.clone(),
            severity: rule.severity.clone(),
            names: rule.names.clone(),
            quotes: rule.quotes.clone(),
        }
    }
}

impl From<&traffic::event::EventSignal> for EventSignal {
    fn from(signal: &traffic::event::EventSignal) -> Self {
        Self {
            detector: signal.detector.clone(),
            layer: signal.layer.clone(),
            entity: signal.entity.clone(),
            nats: signal.nats,
            reason: signal.reason.clone(),
        }
    }
}
