//! Events that stand for many refusals.
//!
//! A flood refused a thousand times a second is one fact, not a thousand. Refusals of one caller,
//! by one detector, at one place, within ten seconds share an event: the caller gets its ID each
//! time, and the event is told at its beginning and then once a second with what came to it.

use std::collections::BTreeMap;
use std::time::Duration;

use traffic::{Digest, EventId, Timestamp};

/// How long refusals share an event.
const LASTS: Duration = Duration::from_secs(10);
/// How often an event is told that goes on.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// More events than this are not shared at one time.
const EVENTS_MAX: usize = 4_096;

/// Events that refusals share at the moment.
#[derive(Debug, Default)]
pub(crate) struct SharedEvents {
    by_cause: BTreeMap<Digest, Shared>,
}

#[derive(Clone, Copy, Debug)]
struct Shared {
    id: EventId,
    began: Timestamp,
    told: Timestamp,
    untold: u32,
}

/// Whether an exchange is to be told, and under which event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Telling {
    /// The event that stands for it.
    pub(crate) id: EventId,
    /// How many exchanges are to be told now, this one included; none for now.
    pub(crate) count: Option<u32>,
}

impl Telling {
    /// An exchange with an event of its own.
    pub(crate) const fn alone(id: EventId) -> Self {
        Self { id, count: Some(1) }
    }
}

impl SharedEvents {
    /// Adds a refusal with this cause.
    pub(crate) fn add(&mut self, cause: Digest, fresh: EventId, now: Timestamp) -> Telling {
        if let Some(shared) = self.by_cause.get_mut(&cause)
            && now.since(shared.began) < LASTS
        {
            shared.untold += 1;
            if now.since(shared.told) < TOLD_EVERY {
                return Telling { id: shared.id, count: None };
            }
            shared.told = now;
            return Telling { id: shared.id, count: Some(std::mem::take(&mut shared.untold)) };
        }
        if self.by_cause.len() >= EVENTS_MAX {
            self.by_cause.retain(|_, shared| now.since(shared.began) < LASTS);
        }
        // What an event that is over did not tell goes with the one that follows it.
        let untold = self.by_cause.remove(&cause).map_or(0, |over| over.untold);
        if self.by_cause.len() < EVENTS_MAX {
            self.by_cause.insert(cause, Shared { id: fresh, began: now, told: now, untold: 0 });
        }
        Telling { id: fresh, count: Some(1 + untold) }
    }

    /// At most `most` events to which something came that was not told within a second, because
    /// nothing has followed; with `all`, however lately. Each with how many came.
    pub(crate) fn take_untold(
        &mut self,
        now: Timestamp,
        all: bool,
        most: usize,
    ) -> Vec<(EventId, u32)> {
        let is_due =
            |shared: &Shared| shared.untold > 0 && (all || now.since(shared.told) >= TOLD_EVERY);
        self.by_cause
            .values_mut()
            .filter(|shared| is_due(shared))
            .take(most)
            .map(|shared| {
                shared.told = now;
                (shared.id, std::mem::take(&mut shared.untold))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_once_a_second_and_in_full() {
        let mut events = SharedEvents::default();
        let at = |ms: u64| Timestamp::from_micros(1_000_000_000 + ms * 1_000);
        let mut told = 0;
        let mut ids = std::collections::BTreeSet::new();
        for n in 0..30_000_u64 {
            let telling = events.add(Digest(1), EventId(u128::from(n)), at(n));
            told += telling.count.unwrap_or(0);
            ids.insert(telling.id);
        }
        assert_eq!(ids.len(), 3, "one event in ten seconds");
        assert!(told >= 29_000, "{told} told, the last second is to come");
        assert!(events.take_untold(at(29_999), false, 9).is_empty(), "a second has not passed");
        let rest = events.take_untold(at(31_000), false, 9);
        told += rest.iter().map(|(_, count)| count).sum::<u32>();
        assert_eq!(told, 30_000);
        assert!(events.take_untold(at(40_000), true, 9).is_empty());
        assert_eq!(events.add(Digest(2), EventId(9), at(0)).count, Some(1));
    }

    #[test]
    fn many_causes_stay_bounded() {
        let mut events = SharedEvents::default();
        for n in 0..20_000 {
            events.add(Digest(n), EventId(u128::from(n)), Timestamp::from_micros(5_000_000));
        }
        assert!(events.by_cause.len() <= EVENTS_MAX);
    }
}
