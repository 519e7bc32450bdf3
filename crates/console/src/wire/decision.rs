//! Standing decisions and exceptions on the wire, and the orders that make them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::span::seconds;

/// All standing decisions.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct DecisionList {
    /// `palisade.v1.decisions`.
    pub schema: String,
    /// The decisions, newest first.
    pub decisions: Vec<Decision>,
    /// Where the next part begins; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A standing block or allow.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of traffic::Decision, in words and numbers")]
pub struct Decision {
    pub id: String,
    pub kind: String,
    /// The entity as a selector.
    pub entity: String,
    /// Whom it is about, narrowed down, in words.
    pub scope: String,
    pub origin: String,
    pub detector: Option<String>,
    pub reason: String,
    pub author: String,
    pub since: String,
    pub until: Option<String>,
    pub hits: u64,
    /// What to know besides, when it was just made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What to block or allow.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionOrder {
    /// What to do.
    pub kind: KindWord,
    /// Whom, as a selector.
    pub selector: String,
    /// For how many seconds; without, until it is removed.
    #[serde(default, deserialize_with = "seconds")]
    #[schemars(range(min = 1, max = 316_224_000_u64))]
    pub for_s: Option<u64>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who orders it.
    #[serde(default)]
    pub author: String,
}

/// What a decision does.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KindWord {
    /// Refuse whoever it is about.
    Block,
    /// Let them pass, whatever the evidence.
    Allow,
}

/// All exceptions.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct ExceptionList {
    /// `palisade.v1.exceptions`.
    pub schema: String,
    /// The exceptions, newest first.
    pub exceptions: Vec<Exception>,
    /// Where the next part begins; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A narrow, expiring "not an attack here".
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of traffic::Exception, in words and numbers")]
pub struct Exception {
    pub id: String,
    pub layer: String,
    pub detector: Option<String>,
    /// Of known attacks, the rules that are silenced; none are all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<u64>,
    pub endpoint: Option<String>,
    pub entity: Option<String>,
    /// What it keeps quiet, in one sentence.
    pub silences: String,
    pub reason: String,
    pub author: String,
    pub evidence: Option<String>,
    pub since: String,
    pub until: Option<String>,
    pub hits: u64,
    pub last_hit: Option<String>,
    /// When it was just made: the blocks that still refuse the caller of the event, since what it
    /// keeps quiet had been evidence before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub still_blocked_by: Vec<String>,
    /// When it was asked for again: it stood already, and nothing was changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub already: bool,
    /// When it was just made, or would be: what it would have done in the last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
}

/// What an exception would have done, had it stood before.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Preview {
    /// How far back was looked.
    pub hours: u64,
    /// Events that it would have kept from refusing.
    pub events: u64,
    /// The requests that they stand for: what would have been let through.
    pub requests: u64,
    /// How many of these were refused in fact.
    pub refused: u64,
    /// From how many callers.
    pub callers: u64,
    /// Some of them, those with most requests first.
    pub foremost: Vec<String>,
    /// Requests among them that other evidence speaks against, too little to refuse.
    pub suspicious: u64,
    /// Requests that other evidence would have refused all the same.
    pub still_refused: u64,
    /// Whether all of that time was looked at.
    pub complete: bool,
}

/// Which event to silence from now on, and how widely.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ExceptionOrder {
    /// The event that was no attack (event or request id).
    pub event: String,
    /// How wide: `caller` (detector, endpoint and caller; the default), `endpoint` (detector and
    /// endpoint, any caller), `detector` (the detector everywhere). For a known attack, the
    /// detector is the rules that matched.
    #[serde(default)]
    pub scope: Option<WidthWord>,
    /// For how many seconds; 90 days without.
    #[serde(default, deserialize_with = "seconds")]
    #[schemars(range(min = 1, max = 316_224_000_u64))]
    pub for_s: Option<u64>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Who orders it.
    #[serde(default)]
    pub author: String,
    /// Only tell what it would do.
    #[serde(default)]
    pub dry_run: bool,
}

/// How wide an exception is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WidthWord {
    /// This detector, on this endpoint, for this caller.
    #[default]
    Caller,
    /// This detector, on this endpoint, for every caller.
    Endpoint,
    /// This detector, everywhere.
    Detector,
}

/// What was removed.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Removed {
    /// `palisade.v1.removed`.
    pub schema: String,
    /// Its id.
    pub id: String,
    /// What it was, in words.
    pub was: String,
    /// The command that brings it back.
    pub undo: String,
}

impl DecisionList {
    /// The list of these decisions, newest first.
    pub fn of<'a>(decisions: impl IntoIterator<Item = &'a traffic::Decision>) -> Self {
        let mut decisions: Vec<_> = decisions.into_iter().collect();
        decisions.sort_by_key(|decision| std::cmp::Reverse(decision.id));
        Self {
            schema: "palisade.v1.decisions".to_owned(),
            decisions: decisions.into_iter().map(Decision::from).collect(),
            next: None,
        }
    }
}

impl ExceptionList {
    /// The list of these exceptions, newest first.
    pub fn of<'a>(exceptions: impl IntoIterator<Item = &'a traffic::Exception>) -> Self {
        let mut exceptions: Vec<_> = exceptions.into_iter().collect();
        exceptions.sort_by_key(|exception| std::cmp::Reverse(exception.id));
        Self {
            schema: "palisade.v1.exceptions".to_owned(),
            exceptions: exceptions.into_iter().map(Exception::from).collect(),
            next: None,
        }
    }
}

impl From<&traffic::Decision> for Decision {
    fn from(decision: &traffic::Decision) -> Self {
        Self {
            id: decision.id.to_string(),
            kind: match decision.kind {
                traffic::DecisionKind::Block => "block".to_owned(),
                traffic::DecisionKind::Allow => "allow".to_owned(),
            },
            entity: decision.scope.entity.to_string(),
            scope: decision.scope.to_string(),
            origin: match decision.origin {
                traffic::Origin::Operator => "operator".to_owned(),
                traffic::Origin::Detector => "detector".to_owned(),
            },
            detector: decision.detector.map(|detector| detector.to_string()),
            reason: decision.reason.clone(),
            author: decision.author.clone(),
            since: decision.since.to_string(),
            until: decision.until.map(|until| until.to_string()),
            hits: decision.hits,
            warnings: Vec::new(),
        }
    }
}

impl From<&traffic::Exception> for Exception {
    fn from(exception: &traffic::Exception) -> Self {
        Self {
            id: exception.id.to_string(),
            layer: exception.layer.to_string(),
            detector: exception.detector.map(|detector| detector.to_string()),
            rules: exception.rules.clone(),
            endpoint: exception.endpoint.clone(),
            entity: exception.entity.map(|entity| entity.to_string()),
            silences: silences(exception),
            reason: exception.reason.clone(),
            author: exception.author.clone(),
            evidence: exception.evidence.clone(),
            since: exception.since.to_string(),
            until: exception.until.map(|until| until.to_string()),
            hits: exception.hits,
            last_hit: exception.last_hit.map(|at| at.to_string()),
            still_blocked_by: Vec::new(),
            already: false,
            preview: None,
        }
    }
}

fn silences(exception: &traffic::Exception) -> String {
    let numbers: Vec<String> = exception.rules.iter().map(ToString::to_string).collect();
    let what = match exception.detector {
        _ if numbers.len() == 1 => format!("rule {}", numbers.concat()),
        _ if !numbers.is_empty() => format!("rules {}", numbers.join(", ")),
        Some(detector) => detector.to_string(),
        None => format!("everything of layer {}", exception.layer),
    };
    let place = exception.endpoint.as_deref().unwrap_or("every endpoint");
    match exception.entity {
        Some(entity) => format!("{what} on {place} for {entity}"),
        None => format!("{what} on {place} for every caller"),
    }
}
