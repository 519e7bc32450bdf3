//! The lane of events, between those who hand them in and the thread that writes them.
//!
//! Apart from the queue of everything else, because that waits for syncs of the disk: an event must
//! not wait behind one, or a crash would cost more than the last second. Handing in takes a lock
//! for moments and makes no system call; the thread comes by itself every 200 ms, or is woken when
//! the lane is half full. Beyond its end events are dropped and counted.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use traffic::Event;

use crate::error::WriteError;
use crate::queue::Ack;
use crate::recent::weight;

/// Callers that may wait for everything to be on disk.
const FLUSHES_MAX: usize = 256;

/// Everything that the thread takes at once.
#[derive(Default)]
pub(crate) struct TakenEvents {
    pub(crate) events: VecDeque<Arc<Event>>,
    pub(crate) flushes: Vec<Ack>,
    /// Nothing comes after this.
    pub(crate) is_closing: bool,
}

pub(crate) struct Lane {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    events_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct Waiting {
    taken: TakenEvents,
    bytes: usize,
    is_urgent: bool,
}

impl Lane {
    pub(crate) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            wake: Condvar::new(),
            events_max: events_max.max(1),
            bytes_max,
        }
    }

    /// Hands an event in; false when it was dropped.
    pub(crate) fn push(&self, event: Arc<Event>) -> bool {
        let bytes = weight(&event);
        let mut waiting = self.waiting();
        let is_full = waiting.taken.events.len() >= self.events_max
            || waiting.bytes.saturating_add(bytes) > self.bytes_max;
        if is_full || waiting.taken.is_closing {
            return false;
        }
        waiting.taken.events.push_back(event);
        waiting.bytes += bytes;
        let is_half_full = waiting.taken.events.len() >= self.events_max.div_ceil(2)
            || waiting.bytes >= self.bytes_max / 2;
        let is_first_alarm = is_half_full && !waiting.is_urgent;
        waiting.is_urgent |= is_half_full;
        drop(waiting);
        if is_first_alarm {
            self.wake.notify_one();
        }
        true
    }

    /// Asks for an answer once everything handed in before is on disk.
    pub(crate) fn flush(&self, ack: Ack) {
        let mut waiting = self.waiting();
        let refused = match (waiting.taken.is_closing, waiting.taken.flushes.len()) {
            (true, _) => WriteError::Closed,
            (false, FLUSHES_MAX..) => WriteError::Busy,
            (false, _) => {
                waiting.taken.flushes.push(ack);
                waiting.is_urgent = true;
                drop(waiting);
                self.wake.notify_one();
                return;
            }
        };
        drop(waiting);
        ack(Err(refused));
    }

    /// From now on nothing is taken in, and the thread ends after what is there.
    pub(crate) fn close(&self) {
        self.waiting().taken.is_closing = true;
        self.wake.notify_one();
    }

    /// Everything that was handed in, after at most `wait`.
    pub(crate) fn take(&self, wait: Duration) -> TakenEvents {
        let until = Instant::now() + wait;
        let mut waiting = self.waiting();
        while !waiting.is_urgent && !waiting.taken.is_closing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            waiting = match self.wake.wait_timeout(waiting, left) {
                Ok((waiting, _)) => waiting,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        let taken = std::mem::take(&mut *waiting).taken;
        waiting.taken.is_closing = taken.is_closing;
        taken
    }

    /// Throws away what is there. Whoever waits for an answer learns that there is no writer.
    pub(crate) fn abandon(&self) {
        self.close();
        drop(self.take(Duration::ZERO));
    }

    /// How many events wait here.
    pub(crate) fn len(&self) -> usize {
        self.waiting().taken.events.len()
    }

    /// Nothing here leaves the lane half changed, so a panic elsewhere does not spoil it.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{NOON, event};

    #[test]
    fn it_ends_at_a_number_of_events_or_of_bytes() {
        let lane = Lane::new(3, 1 << 20);
        assert_eq!((0..9).filter(|n| lane.push(Arc::new(event(NOON, *n)))).count(), 3);
        let lane = Lane::new(1_000, 100_000);
        let large = Event { path: "x".repeat(9_000), ..event(NOON, 1) };
        let taken = (0..100).filter(|_| lane.push(Arc::new(large.clone()))).count();
        assert!((5..12).contains(&taken), "{taken}");
        assert_eq!(lane.take(Duration::ZERO).events.len(), taken);
        assert!(lane.push(Arc::new(large)), "what was taken makes room");
    }

    #[test]
    fn a_lane_half_full_does_not_wait() {
        let lane = Lane::new(8, 1 << 20);
        for number in 0..4 {
            lane.push(Arc::new(event(NOON, number)));
        }
        let begun = Instant::now();
        assert_eq!(lane.take(Duration::from_secs(60)).events.len(), 4);
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
