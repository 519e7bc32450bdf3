//! `/events`: what happened, one by one, in lists, and as it happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use futures_util::Stream;
use ledger::{Cursor, EventFilter};
use schemars::JsonSchema;
use serde::Deserialize;
use traffic::{Action, Event, EventId, Timestamp, counted};

use super::page::{self, Part};
use super::{Console, aside, lasting};
use crate::caller::Caller;
use crate::extract::{Asked, Named};
use crate::refused::Refused;
use crate::wire;

/// How often a follower is shown what is new. Fast enough to feel live, and cheap.
const FOLLOW_EVERY: Duration = Duration::from_millis(100);

/// How many it is shown at a time.
const FOLLOW_EVENTS_MAX: usize = 512;

/// Actions joined by commas, as the description says it.
const ACTIONS: &str = "^(allow|throttle|challenge|mask|deny|reject)\
    (,(allow|throttle|challenge|mask|deny|reject))*$";
/// A layer, as the description says it.
const LAYERS: &str =
    "^(rate|recon|takeover|rules|contract|auth|object|flow|automation|leak|flood)$";

/// Which events, as it stands in the query.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventQuery {
    /// Only these actions, joined by commas.
    #[schemars(regex(pattern = ACTIONS))]
    action: Option<String>,
    /// Only decided by this layer.
    #[schemars(regex(pattern = LAYERS))]
    layer: Option<String>,
    /// Only from this client address.
    client: Option<String>,
    /// Only on endpoints that contain this text.
    endpoint: Option<String>,
    /// Only with this text in it.
    text: Option<String>,
    /// Only refused in fact.
    #[serde(default)]
    refused: bool,
    /// Only of callers that were known here and in good standing.
    #[serde(default)]
    known: bool,
    /// Also samples of honest traffic.
    #[serde(default)]
    samples: bool,
    /// Only so many seconds back.
    #[schemars(range(min = 1, max = 316_224_000))]
    since_s: Option<u64>,
    /// Go on there: the `next` of the part before.
    cursor: Option<String>,
    /// At most so many; 100 without. A part may be shorter though there is more.
    #[schemars(range(min = 1, max = 10_000))]
    limit: Option<usize>,
}

/// Which events a follower is shown.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowQuery {
    /// Only these actions, joined by commas.
    #[schemars(regex(pattern = ACTIONS))]
    action: Option<String>,
    /// Only decided by this layer.
    #[schemars(regex(pattern = LAYERS))]
    layer: Option<String>,
    /// Only from this client address.
    client: Option<String>,
    /// Only on endpoints that contain this text.
    endpoint: Option<String>,
    /// Only refused in fact.
    #[serde(default)]
    refused: bool,
    /// Only of callers that were known here and in good standing.
    #[serde(default)]
    known: bool,
    /// Also samples of honest traffic.
    #[serde(default)]
    samples: bool,
}

impl From<FollowQuery> for EventQuery {
    fn from(query: FollowQuery) -> Self {
        let FollowQuery { action, layer, client, endpoint, refused, known, samples } = query;
        Self { action, layer, client, endpoint, refused, known, samples, ..Self::default() }
    }
}

pub(crate) async fn list(
    State(console): State<Console>,
    Asked(query): Asked<EventQuery>,
) -> Result<Json<wire::EventList>, Refused> {
    let mut filter = wanted(&query)?;
    let since = lasting("since_s", query.since_s)?;
    filter.from = since.map(|since| console.instance.now().before(since));
    let part: Part<(Timestamp, EventId)> = page::part(query.cursor.as_deref(), query.limit)?;
    filter.after = part.after.map(|(at, id)| Cursor { at, id });
    filter.limit = part.limit;
    aside(move || {
        let page = console
            .ledger
            .events(&filter)
            .map_err(|error| Refused::failed("the events cannot be read", error))?;
        let list = wire::EventList::of(page.events.iter().map(wire::Event::from));
        let next = page.next.map(|next| page::cursor(&(next.at, next.id)));
        Ok(Json(wire::EventList { next, ..list }))
    })
    .await
}

pub(crate) async fn one(
    State(console): State<Console>,
    Named(id): Named,
) -> Result<Json<wire::EventDetail>, Refused> {
    aside(move || {
        let event = find(&console, &id)?;
        let mut detail = wire::EventDetail::of(wire::Event::from(&event));
        let decision = event.decision.and_then(|id| console.engine.decision(id));
        detail.decision = decision.as_ref().map(wire::Decision::from);
        let exceptions = console.engine.exceptions();
        let exception = exceptions.iter().find(|exception| Some(exception.id) == event.exception);
        detail.exception = exception.map(wire::Exception::from);
        Ok(Json(detail))
    })
    .await
}

pub(crate) async fn stream(
    State(console): State<Console>,
    caller: Caller,
    headers: HeaderMap,
    Asked(query): Asked<FollowQuery>,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, Refused> {
    let wanted = wanted(&query.into())?;
    // A browser that lost the connection says which event it saw last.
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let tail = seen.map_or_else(|| console.ledger.tail(), |id| console.ledger.tail_after(id));
    let following = (console, caller, wanted, tail, Vec::<wire::Event>::new().into_iter());
    let stream = futures_util::stream::unfold(following, |following| async move {
        let (console, caller, wanted, mut tail, mut pending) = following;
        loop {
            if let Some(event) = pending.next() {
                let message = SseEvent::default().id(&event.id);
                let message = message.json_data(&event).unwrap_or_default();
                return Some((Ok(message), (console, caller, wanted, tail, pending)));
            }
            tokio::time::sleep(FOLLOW_EVERY).await;
            // Whose token ends is not shown any more.
            if !caller.still_counts(&console) {
                return None;
            }
            let (fresh, missed) = console.ledger.follow(&mut tail, FOLLOW_EVENTS_MAX);
            let shown: Vec<wire::Event> =
                fresh.iter().filter(|event| wanted.matches(event)).map(wire::Event::from).collect();
            pending = shown.into_iter();
            if missed > 0 {
                // Nothing that a program takes for an event.
                let said = format!("missed: {}", counted(missed, "event"));
                let said = SseEvent::default().comment(said);
                return Some((Ok(said), (console, caller, wanted, tail, pending)));
            }
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// The event of an event id or a request id.
pub(super) fn find(console: &Console, id: &str) -> Result<Event, Refused> {
    let unreadable = |error| Refused::failed("the events cannot be read", error);
    console.ledger.event(id).map_err(unreadable)?.ok_or_else(|| {
        Refused::missing(format!(
            "there is no event or request {id}; of honest requests only a sample is kept"
        ))
    })
}

/// The events that a follower or a list shows.
fn wanted(query: &EventQuery) -> Result<EventFilter, Refused> {
    let layer = query.layer.as_deref().map(str::parse).transpose();
    let layer = layer.map_err(|error| Refused::wrong(format!("{error}")))?;
    Ok(EventFilter {
        actions: query.action.as_deref().map(actions).transpose()?.unwrap_or_default(),
        layer,
        client: query.client.clone(),
        endpoint_part: query.endpoint.clone(),
        refused: query.refused,
        known: query.known,
        text: query.text.clone(),
        with_samples: query.samples,
        ..EventFilter::default()
    })
}

fn actions(words: &str) -> Result<Vec<Action>, Refused> {
    let all = [
        Action::Allow,
        Action::Throttle,
        Action::Challenge,
        Action::Mask,
        Action::Deny,
        Action::Reject,
    ];
    words
        .split(',')
        .map(|word| {
            all.into_iter().find(|action| action.key() == word).ok_or_else(|| {
                let known: Vec<&str> = all.iter().map(|action| action.key()).collect();
                Refused::wrong(format!("unknown action {word:?}; one of {}", known.join(", ")))
            })
        })
        .collect()
}
