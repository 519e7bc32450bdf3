//! How many requests a worker takes on at a time.
//!
//! Beyond that a request waits in turn, for a second at most, and is then told to come again. What
//! is taken on is answered; nothing is reset.

use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::ticker::Ticker;

const WAIT: Duration = Duration::from_secs(1);
/// Waiting requests for each one under way; more would wait in vain.
const WAITING_PER_PLACE: usize = 2;

pub(crate) struct Busy {
    places: Arc<Semaphore>,
    waiting: Cell<usize>,
    waiting_max: usize,
    ticker: Rc<Ticker>,
}

/// A request's place; given back when dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Busy {
    pub(crate) fn new(places: usize, ticker: Rc<Ticker>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS))),
            waiting: Cell::new(0),
            waiting_max: places.saturating_mul(WAITING_PER_PLACE),
            ticker,
        }
    }

    /// A place, at once or in turn; `None` when there is none in time.
    pub(crate) async fn enter(&self) -> Option<Place> {
        let places = Arc::clone(&self.places);
        if let Ok(permit) = Arc::clone(&places).try_acquire_owned() {
            return Some(Place { _permit: permit });
        }
        if self.waiting.get() >= self.waiting_max {
            return None;
        }
        let _waiting = Waiting::begin(&self.waiting);
        tokio::select! {
            biased;
            permit = places.acquire_owned() => permit.ok().map(|permit| Place { _permit: permit }),
            () = self.ticker.deadline(WAIT) => None,
        }
    }
}

/// Counts a waiting request, also when its caller hangs up.
struct Waiting<'a>(&'a Cell<usize>);

impl<'a> Waiting<'a> {
    fn begin(count: &'a Cell<usize>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
