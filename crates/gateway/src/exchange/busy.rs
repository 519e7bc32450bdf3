//! How many requests a worker takes on at a time.
//!
//! Beyond that a request waits in turn, and is told to come again when its turn does not come. What
//! is taken on is answered; nothing is reset. How long it may wait follows what controlled delay
//! (Nichols and Jacobson, RFC 8289) teaches of queues: one that empties now and then absorbs a
//! burst and may be long, one that does not empty only makes everybody late and must be short.
//!
//! One source must not have all places: a caller that takes no answers keeps its own for long.

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::sources::Source;

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
    places_max: usize,
}

/// Who waits, and since when somebody has been waiting all the time.
struct Queue {
    waiting: Cell<usize>,
    standing_since: Cell<Option<Instant>>,
}

/// A request's place; given back when dropped.
pub(crate) struct Place {
    /// Somebody had to go first.
    pub(crate) has_waited: bool,
    _permit: OwnedSemaphorePermit,
    /// Of its source's share.
    _share: Option<OwnedSemaphorePermit>,
}

impl Busy {
    pub(crate) fn new(places: usize) -> Self {
        let places_max = places.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(places_max)),
            queue: Queue { waiting: Cell::new(0), standing_since: Cell::new(None) },
            waiting_max: places.saturating_mul(WAITING_PER_PLACE),
            places_max,
        }
    }

    /// A place for a request of this source, at once or in turn; `None` when there is none in time.
    ///
    /// Within its share a source waits for nobody but everybody. Beyond it the source has places
    /// while half of them are free, so that whoever comes next finds one; then it waits for its own
    /// requests to end.
    pub(crate) async fn enter(&self, source: &Source) -> Option<Place> {
        let mut share = source.busy.try_take();
        let mut has_waited = false;
        if share.is_none() && !source.speaks_for_others() && !self.has_half_free() {
            share = Some(source.busy.take().await?);
            has_waited = true;
        }
        let mut permit = self.try_take();
        if permit.is_none() {
            permit = Some(self.take().await?);
            has_waited = true;
        }
        Some(Place { has_waited, _permit: permit?, _share: share })
    }

    /// Whether this source has all of its share while places run short.
    pub(crate) fn is_crowded_by(&self, source: &Source) -> bool {
        !source.speaks_for_others()
            && source.busy.places.available_permits() == 0
            && !self.has_half_free()
    }

    fn has_half_free(&self) -> bool {
        self.places.available_permits() > self.places_max / 2
    }

    fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        let permit = self.try_take();
        if permit.is_some() {
            return permit;
        }
        if self.queue.waiting.get() >= self.waiting_max {
            return None;
        }
        let waiting = Waiting::begin(&self.queue);
        // A timer of its own, finer than the worker's clock: only overload pays for it.
        let places = Arc::clone(&self.places);
        let permit = tokio::time::timeout(waiting.allowed, places.acquire_owned()).await;
        permit.ok()?.ok()
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
