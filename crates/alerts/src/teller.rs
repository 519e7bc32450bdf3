//! Looks at what happened, again and again, and hands over what is news.
//!
//! Incidents come from the ledger: what was seen lately is looked at each time, and what was seen
//! in the last hours once a minute, so that neither a slow disk nor a restart hides one. Requests
//! come from the latest events in memory; whoever is too slow for them misses some, and counts.

use std::sync::Arc;
use std::time::Duration;

use ledger::{IncidentFilter, IncidentState, Ledger, Tail};
use traffic::{Event, Timestamp};

use crate::outbox::Outbox;

/// Events handed over at a time; more are fetched at once.
const EVENTS_AT_ONCE: usize = 256;
/// How often incidents are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A finding is in the ledger that long after it was made, at the latest as a rule.
const LATE: Duration = Duration::from_secs(10);
/// How often all of the last hours is looked at, and how many these are.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
const SWEEP_BACK: Duration = Duration::from_secs(2 * 3_600);
/// More incidents than this at a time are looked at later.
const INCIDENTS_MAX: usize = 1_000;

/// Tells the outbox what happens.
pub struct Teller {
    ledger: Ledger,
    outbox: Arc<Outbox>,
    tail: Tail,
    looked: Timestamp,
    swept: Timestamp,
}

impl Teller {
    /// Of what happens from now on, and of what the sinks have not heard of before.
    pub fn begin(ledger: Ledger, outbox: Arc<Outbox>) -> Self {
        let tail = ledger.tail();
        Self { ledger, outbox, tail, looked: Timestamp::EPOCH, swept: Timestamp::EPOCH }
    }

    /// Tells what is news.
    pub fn look(&mut self, now: Timestamp) {
        self.look_at_events(now);
        if now.since(self.looked) >= LOOK_EVERY && self.outbox.wants_incidents() {
            self.look_at_incidents(now);
        }
    }

    /// The last look: what was seen until now is on disk, whoever is told of it later.
    pub fn end(&mut self, now: Timestamp) {
        self.look_at_events(now);
        if self.outbox.wants_incidents() {
            self.look_at_incidents(now);
        }
    }

    fn look_at_events(&mut self, now: Timestamp) {
        if !self.outbox.wants_events() {
            self.tail = self.ledger.tail();
            return;
        }
        loop {
            let (events, missed) = self.ledger.follow(&mut self.tail, EVENTS_AT_ONCE);
            let is_last = events.len() < EVENTS_AT_ONCE;
            let told: Vec<Event> = events.into_iter().filter(is_flagged).collect();
            self.outbox.tell_events(&told, missed, now);
            if is_last {
                return;
            }
        }
    }

    fn look_at_incidents(&mut self, now: Timestamp) {
        let is_sweep = now.since(self.swept) >= SWEEP_EVERY;
        let since = if is_sweep { now.before(SWEEP_BACK) } else { self.looked.before(LATE) };
        let filter = IncidentFilter {
            state: Some(IncidentState::Open),
            since: Some(since),
            limit: INCIDENTS_MAX,
            ..IncidentFilter::default()
        };
        let incidents = match self.ledger.incidents(filter) {
            Ok(incidents) => incidents,
            Err(error) => {
                tracing::warn!(%error, "sinks are told later: incidents cannot be read");
                return;
            }
        };
        self.looked = now;
        if is_sweep {
            self.swept = now;
        }
        // The latest come first; they are told in the order in which they happened.
        for incident in incidents.iter().rev() {
            let whole = || self.ledger.incident(incident.id).ok().flatten();
            self.outbox.tell_incident(incident, now, whole);
        }
    }
}

/// Samples of honest traffic are nobody's news.
fn is_flagged(event: &Event) -> bool {
    !event.is_sample && (event.action.refuses() || !event.signals.is_empty())
}
