//! What was refused, or would have been, added up by site and layer.

use std::collections::BTreeMap;

use ledger::{Ledger, QueryError};
use traffic::{Event, Exception, Layer, Timestamp};

use crate::refusals::{self, Effect};

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    places: BTreeMap<(String, Layer), Place>,
    /// Whether these were all events.
    pub(super) is_complete: bool,
}

/// What one layer would have refused on one site.
#[derive(Debug, Default)]
pub(super) struct Place {
    pub(super) would_refuse: u64,
    pub(super) refused: u64,
    /// How many of both came from callers that were known.
    pub(super) known: u64,
    pub(super) callers: BTreeMap<String, OfCaller>,
    pub(super) endpoints: BTreeMap<String, OfEndpoint>,
}

/// What one caller would have been refused.
#[derive(Clone, Debug, Default)]
pub(super) struct OfCaller {
    pub(super) requests: u64,
    pub(super) is_known: bool,
    /// The latest event.
    pub(super) event: String,
}

/// What would have been refused on one endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct OfEndpoint {
    pub(super) requests: u64,
    /// How many were answered as if nothing were wrong.
    pub(super) answered: u64,
    pub(super) by_caller: BTreeMap<String, u64>,
}

impl Evidence {
    /// Reads the refusals since `from`, but for those that an exception lets through by now.
    pub(super) fn gather(
        ledger: &Ledger,
        exceptions: &[Exception],
        from: Timestamp,
        now: Timestamp,
    ) -> Result<Self, QueryError> {
        let in_force: Vec<&Exception> = exceptions.iter().filter(|it| it.holds(now)).collect();
        let lets_through = |event: &Event| {
            let effect = |exception: &&Exception| refusals::effect(exception, event);
            in_force.iter().any(|it| matches!(effect(it), Effect::LetThrough { .. }))
        };
        let mut evidence = Self::default();
        evidence.is_complete = refusals::since(ledger, from, |event| {
            if !lets_through(event) {
                evidence.add(event);
            }
        })?;
        Ok(evidence)
    }

    /// What there is on a layer at a site.
    pub(super) fn at(&self, site: &str, layer: Layer) -> Option<&Place> {
        self.places.get(&(site.to_owned(), layer))
    }

    fn add(&mut self, event: &Event) {
        // Whom a person blocked is refused on purpose, as far as plain limits go.
        let is_by_hand = event.layer.is_none();
        let layer = event.layer.unwrap_or(Layer::Rate);
        let place = self.places.entry((event.site.clone(), layer)).or_default();
        let count = u64::from(event.count);
        let is_known = event.is_known && !is_by_hand;
        match event.would_be_refused() {
            true => place.would_refuse += count,
            false => place.refused += count,
        }
        place.known += if is_known { count } else { 0 };
        let caller = place.callers.entry(event.caller().to_owned()).or_default();
        caller.requests += count;
        caller.is_known |= is_known;
        if caller.event.is_empty() {
            caller.event = event.id.to_string();
        }
        let label = event.endpoint.clone().unwrap_or_default();
        let endpoint = place.endpoints.entry(label).or_default();
        endpoint.requests += count;
        if (200..400).contains(&event.status) {
            endpoint.answered += count;
        }
        *endpoint.by_caller.entry(event.caller().to_owned()).or_default() += count;
    }
}
