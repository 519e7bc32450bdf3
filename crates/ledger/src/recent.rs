//! The latest events in memory: what `why` answers from before the disk has it, and what `tail`
//! follows.
//!
//! A ring bounded in number and in bytes. An event handed in again under the same ID (more
//! exchanges refused by one standing decision) adds to the count of the one that is there.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use traffic::{Event, EventId};

/// A place in the stream of events that one reader has got to.
#[derive(Clone, Copy, Debug)]
pub struct Tail {
    next: u64,
}

pub(crate) struct Recent {
    ring: VecDeque<Kept>,
    by_id: HashMap<EventId, u64>,
    first: u64,
    bytes: usize,
    events_max: usize,
    bytes_max: usize,
}

#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) event: Arc<Event>,
    /// Exchanges that came after the first hand-in.
    more: u32,
}

impl Recent {
    pub(crate) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self {
            ring: VecDeque::new(),
            by_id: HashMap::new(),
            first: 0,
            bytes: 0,
            events_max: events_max.max(1),
            bytes_max,
        }
    }

    pub(crate) fn push(&mut self, event: Arc<Event>) {
        if let Some(place) = self.place(event.id)
            && let Some(kept) = self.ring.get_mut(place)
        {
            kept.more = kept.more.saturating_add(event.count);
            return;
        }
        self.by_id.insert(event.id, self.end());
        self.bytes += weight(&event);
        self.ring.push_back(Kept { event, more: 0 });
        while self.ring.len() > self.events_max
            || (self.bytes > self.bytes_max && self.ring.len() > 1)
        {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.first += 1;
            self.bytes = self.bytes.saturating_sub(weight(&oldest.event));
            self.by_id.remove(&oldest.event.id);
        }
    }

    pub(crate) fn by_id(&self, id: EventId) -> Option<Event> {
        self.place(id).and_then(|place| self.ring.get(place)).map(Kept::whole)
    }

    /// The latest event of a request.
    pub(crate) fn by_request(&self, request_id: &str) -> Option<Event> {
        self.ring.iter().rev().find(|kept| kept.event.request_id == request_id).map(Kept::whole)
    }

    /// All of them, oldest first. Only pointers are copied: those who hand in wait for this.
    pub(crate) fn kept(&self) -> Vec<Kept> {
        self.ring.iter().cloned().collect()
    }

    /// Where somebody who wants only what comes from now on begins.
    pub(crate) fn tail(&self) -> Tail {
        Tail { next: self.end() }
    }

    /// Where somebody goes on who has seen that event; none when it is not here any more.
    pub(crate) fn tail_after(&self, id: EventId) -> Option<Tail> {
        self.by_id.get(&id).map(|number| Tail { next: number + 1 })
    }

    /// At most `max` events that `tail` has not seen, oldest first, and how many it missed because
    /// they left the ring before.
    pub(crate) fn follow(&self, tail: &mut Tail, max: usize) -> (Vec<Kept>, u64) {
        let missed = self.first.saturating_sub(tail.next);
        let from = tail.next.max(self.first);
        let skipped = usize::try_from(from - self.first).unwrap_or(usize::MAX);
        let kept: Vec<Kept> = self.ring.iter().skip(skipped).take(max).cloned().collect();
        tail.next = from + kept.len() as u64;
        (kept, missed)
    }

    fn place(&self, id: EventId) -> Option<usize> {
        let number = self.by_id.get(&id)?;
        usize::try_from(number.checked_sub(self.first)?).ok()
    }

    fn end(&self) -> u64 {
        self.first + self.ring.len() as u64
    }
}

impl Kept {
    /// The event with everything that was counted on.
    pub(crate) fn whole(&self) -> Event {
        let mut event = (*self.event).clone();
        event.count = event.count.saturating_add(self.more);
        event
    }
}

/// About how many bytes of memory an event takes. Callers choose the length of some of its texts.
pub(crate) fn weight(event: &Event) -> usize {
    let some = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let all = |texts: &[String]| texts.iter().map(|text| text.len() + size_of::<String>()).sum();
    let texts: [usize; 3] = [
        all(&event.entities),
        all(&event.notes),
        event
            .signals
            .iter()
            .map(|signal| {
                size_of_val(signal)
                    + signal.detector.len()
                    + signal.layer.len()
                    + signal.entity.len()
                    + signal.reason.len()
            })
            .sum(),
    ];
    size_of::<Event>()
        + event.request_id.len()
        + event.site.len()
        + event.method.len()
        + event.host.len()
        + event.path.len()
        + event.client.len()
        + some(&event.endpoint)
        + some(&event.ja4)
        + some(&event.user_agent)
        + some(&event.scope)
        + texts.iter().sum::<usize>()
}
