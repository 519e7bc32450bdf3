//! How many requests a worker takes on at a time.
//!
//! Beyond that a request waits in turn, and is told to come again when its turn does not come. What
//! is taken on is answered; nothing is reset. How long it may wait follows what controlled delay
//! (Nichols and Jacobson, RFC 8289) teaches of queues: one that empties now and then absorbs a
//! burst and may be long, one that does not empty only makes everybody late and must be short.

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// In a burst.
const WAIT: Duration = Duration::from_secs(1);
/// When nobody has found the queue empty for `STANDING_AFTER`: a few round trips, so that a place
/// that becomes free finds somebody waiting.
const WAIT_STANDING: Duration = Duration::from_millis(100);
const STANDING_AFTER: Duration = Duration::from_millis(500);
/// Waiting requests for each one under way; more would wait in vain.
const WAITING_PER_PLACE: usize = 2;

pub(crate) struct Busy {
    places: Arc<Semaphore>,
    queue: Queue,
    waiting_max: usize,
}

/// Who waits, and since when somebody has been waiting all the time.
struct Queue {
    waiting: Cell<usize>,
    standing_since: Cell<Option<Instant>>,
}

/// A request's place; given back when dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Busy {
    pub(crate) fn new(places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS))),
            queue: Queue { waiting: Cell::new(0), standing_since: Cell::new(None) },
            waiting_max: places.saturating_mul(WAITING_PER_PLACE),
        }
    }

    /// A place, at once or in turn; `None` when there is none in time.
    pub(crate) async fn enter(&self) -> Option<Place> {
        let places = Arc::clone(&self.places);
        if let Ok(permit) = Arc::clone(&places).try_acquire_owned() {
            return Some(Place { _permit: permit });
        }
        if self.queue.waiting.get() >= self.waiting_max {
            return None;
        }
        let waiting = Waiting::begin(&self.queue);
        // A timer of its own, finer than the worker's clock: only overload pays for it.
        let permit = tokio::time::timeout(waiting.allowed, places.acquire_owned()).await;
        permit.ok()?.ok().map(|permit| Place { _permit: permit })
    }
}

/// Counts a waiting request, also when its caller hangs up.
struct Waiting<'a> {
    queue: &'a Queue,
    allowed: Duration,
}

impl<'a> Waiting<'a> {
    fn begin(queue: &'a Queue) -> Self {
        queue.waiting.set(queue.waiting.get() + 1);
        let now = Instant::now();
        let since = queue.standing_since.get().unwrap_or(now);
        queue.standing_since.set(Some(since));
        let standing = now.duration_since(since) > STANDING_AFTER;
        Self { queue, allowed: if standing { WAIT_STANDING } else { WAIT } }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let left = self.queue.waiting.get().saturating_sub(1);
        self.queue.waiting.set(left);
        if left == 0 {
            self.queue.standing_since.set(None);
        }
    }
}
