//! The latest events in memory: what `why` answers from before the disk has it, and what `tail`
//! follows.
//!
//! A ring of fixed length. An event handed in again under the same ID (more exchanges refused by
//! one standing decision) adds to the count of the one that is there.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use traffic::{Event, EventId};

use crate::filter::EventFilter;

/// A place in the stream of events that one reader has got to.
#[derive(Clone, Copy, Debug)]
pub struct Tail {
    next: u64,
}

pub(crate) struct Recent {
    kept: VecDeque<Kept>,
    by_id: HashMap<EventId, u64>,
    first: u64,
    capacity: usize,
}

struct Kept {
    event: Arc<Event>,
    /// Exchanges that came after the first hand-in.
    more: u32,
}

impl Recent {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            by_id: HashMap::new(),
            first: 0,
            capacity: capacity.max(1),
        }
    }

    pub(crate) fn push(&mut self, event: Arc<Event>) {
        if let Some(place) = self.place(event.id)
            && let Some(kept) = self.kept.get_mut(place)
        {
            kept.more = kept.more.saturating_add(event.count);
            return;
        }
        if self.kept.len() >= self.capacity
            && let Some(oldest) = self.kept.pop_front()
        {
            self.first += 1;
            self.by_id.remove(&oldest.event.id);
        }
        self.by_id.insert(event.id, self.end());
        self.kept.push_back(Kept { event, more: 0 });
    }

    pub(crate) fn by_id(&self, id: EventId) -> Option<Event> {
        self.place(id)
            .and_then(|place| self.kept.get(place))
            .map(Kept::whole)
    }

    /// The latest event of a request.
    pub(crate) fn by_request(&self, request_id: &str) -> Option<Event> {
        self.kept
            .iter()
            .rev()
            .find(|kept| kept.event.request_id == request_id)
            .map(Kept::whole)
    }

    /// Events that `filter` matches, in no order that counts.
    pub(crate) fn matching(&self, filter: &EventFilter) -> Vec<Event> {
        self.kept
            .iter()
            .filter(|kept| filter.matches(&kept.event))
            .map(Kept::whole)
            .collect()
    }

    /// Where somebody who wants only what comes from now on begins.
    pub(crate) fn tail(&self) -> Tail {
        Tail { next: self.end() }
    }

    /// At most `max` events that `tail` has not seen, oldest first, and how many it missed because
    /// they left the ring before.
    pub(crate) fn follow(&self, tail: &mut Tail, max: usize) -> (Vec<Event>, u64) {
        let missed = self.first.saturating_sub(tail.next);
        let from = tail.next.max(self.first);
        let skipped = usize::try_from(from - self.first).unwrap_or(usize::MAX);
        let events: Vec<Event> = self
            .kept
            .iter()
            .skip(skipped)
            .take(max)
            .map(Kept::whole)
            .collect();
        tail.next = from + events.len() as u64;
        (events, missed)
    }

    fn place(&self, id: EventId) -> Option<usize> {
        let number = self.by_id.get(&id)?;
        usize::try_from(number.checked_sub(self.first)?).ok()
    }

    fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }
}

impl Kept {
    fn whole(&self) -> Event {
        let mut event = (*self.event).clone();
        event.count = event.count.saturating_add(self.more);
        event
    }
}
