//! Which events somebody asks for.
//!
//! [`EventFilter::matches`] says what a filter means, for events in memory and on disk alike; the
//! columns that the database narrows by only save time.

use traffic::{Action, Event, EventId, Layer, Timestamp};

/// No answer is longer.
const LIMIT_MAX: usize = 10_000;

/// Which events, the latest first.
#[derive(Clone, Debug)]
pub struct EventFilter {
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before, excluded.
    pub to: Option<Timestamp>,
    /// Only where the evidence asked for one of these; empty means all.
    pub actions: Vec<Action>,
    /// Only where this layer decided.
    pub layer: Option<Layer>,
    /// Only of this site.
    pub site: Option<String>,
    /// Only from this client address, as it is written in events.
    pub client: Option<String>,
    /// Only where this entity, as a selector, is the caller's or has evidence on it.
    pub entity: Option<String>,
    /// Only on this endpoint.
    pub endpoint: Option<String>,
    /// Only on endpoints with this text in their label.
    pub endpoint_part: Option<String>,
    /// Only where the caller was refused in fact.
    pub refused: bool,
    /// Only where the caller was known here and in good standing.
    pub known: bool,
    /// Only by this detector.
    pub detector: Option<String>,
    /// Only where this text stands in host, path, request ID, user agent, reasons or notes; case
    /// does not count.
    pub text: Option<String>,
    /// Samples of honest traffic, too.
    pub with_samples: bool,
    /// Only what comes after this place in the list: the `next` of the page before.
    pub after: Option<Cursor>,
    /// At most so many.
    pub limit: usize,
}

/// A place in a list of events.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Cursor {
    /// The time of the last event shown.
    pub at: Timestamp,
    /// And its identity, since times may be equal.
    pub id: EventId,
}

/// A part of a list of events.
#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// The events, the latest first.
    pub events: Vec<Event>,
    /// Where the next part begins; none at the end.
    pub next: Option<Cursor>,
    /// False when time ran out or a day's file could not be read: there may be more.
    pub is_complete: bool,
}

impl Default for EventFilter {
    fn default() -> Self {
        Self {
            from: None,
            to: None,
            actions: Vec::new(),
            layer: None,
            site: None,
            client: None,
            entity: None,
            endpoint: None,
            endpoint_part: None,
            refused: false,
            known: false,
            detector: None,
            text: None,
            with_samples: false,
            after: None,
            limit: 100,
        }
    }
}

impl EventFilter {
    /// Whether `event` is one of those asked for.
    pub fn matches(&self, event: &Event) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        self.from.is_none_or(|from| event.at >= from)
            && self.to.is_none_or(|to| event.at < to)
            && self.after.is_none_or(|after| Cursor::of(event) < after)
            && (self.with_samples || !event.is_sample)
            && (self.actions.is_empty() || self.actions.contains(&event.action))
            && self.layer.is_none_or(|layer| event.layer == Some(layer))
            && is(&self.site, &event.site)
            && is(&self.client, &event.client)
            && is(&self.endpoint, event.endpoint.as_deref().unwrap_or_default())
            && self.endpoint_part.as_deref().is_none_or(|part| {
                event.endpoint.as_deref().is_some_and(|endpoint| endpoint.contains(part))
            })
            && (!self.refused || event.is_refused())
            && (!self.known || event.is_known)
            && self.entity.as_deref().is_none_or(|entity| names(event, entity))
            && self.detector.as_deref().is_none_or(|detector| {
                event.signals.iter().any(|signal| signal.detector == detector)
            })
            && self.text.as_deref().is_none_or(|text| holds(event, text))
    }

    pub(crate) fn rows_max(&self) -> usize {
        self.limit.clamp(1, LIMIT_MAX)
    }
}

impl Cursor {
    /// The place of `event`.
    pub const fn of(event: &Event) -> Self {
        Self { at: event.at, id: event.id }
    }
}

fn names(event: &Event, entity: &str) -> bool {
    event.entities.iter().any(|own| own == entity)
        || event.signals.iter().any(|signal| signal.entity == entity)
}

fn holds(event: &Event, text: &str) -> bool {
    let wanted = text.to_lowercase();
    let within = |found: &str| found.to_lowercase().contains(&wanted);
    within(&event.host)
        || within(&event.path)
        || within(&event.request_id)
        || event.endpoint.as_deref().is_some_and(within)
        || event.user_agent.as_deref().is_some_and(within)
        || event.signals.iter().any(|signal| within(&signal.reason))
        || event.notes.iter().any(|note| within(note))
}
