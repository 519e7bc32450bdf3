//! A worker's coarse clock, and the deadlines that hang on it.
//!
//! A timer per request would cost more than the framing scan. Every deadline of the gateway is in
//! seconds, so one task per worker wakes four times a second, moves the clock and looks through
//! what is waiting. Deliberately not a timer wheel: looking at ten thousand entries takes
//! microseconds.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use crate::wire::Wire;

/// How often deadlines are looked at, and so how late they may fire.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// The coarse clock of one worker and everything that waits on it.
pub(crate) struct Ticker {
    start: Instant,
    now_ms: Cell<u64>,
    wires: RefCell<Slots<Rc<Wire>>>,
    waits: RefCell<Slots<Wait>>,
}

struct Wait {
    deadline_ms: u64,
    waker: Option<Waker>,
}

impl Ticker {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            start: Instant::now(),
            now_ms: Cell::new(0),
            wires: RefCell::default(),
            waits: RefCell::default(),
        })
    }

    /// Milliseconds since the worker started, as of the last tick.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    /// Moves the clock and wakes what is due.
    pub(crate) fn tick(&self) {
        let now_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let elapsed_ms = now_ms.saturating_sub(self.now_ms.replace(now_ms));
        for wire in self.wires.borrow().iter() {
            wire.tick(now_ms, elapsed_ms);
        }
        for wait in self.waits.borrow_mut().iter_mut() {
            if wait.deadline_ms <= now_ms
                && let Some(waker) = wait.waker.take()
            {
                waker.wake();
            }
        }
    }

    /// Keeps an eye on a connection until the answer is dropped.
    pub(crate) fn watch(self: &Rc<Self>, wire: Rc<Wire>) -> Watched {
        let slot = self.wires.borrow_mut().insert(wire);
        Watched { ticker: Rc::clone(self), slot }
    }

    /// Calls `each` for every connection of the worker.
    pub(crate) fn each_wire(&self, mut each: impl FnMut(&Wire)) {
        for wire in self.wires.borrow().iter() {
            each(wire);
        }
    }

    /// A deadline `after` from now; it is a future that is ready once it has passed.
    pub(crate) fn deadline(self: &Rc<Self>, after: Duration) -> Deadline {
        let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        Deadline {
            ticker: Rc::clone(self),
            deadline_ms: self.now_ms().saturating_add(after_ms),
            slot: None,
        }
    }
}

/// A connection under watch.
pub(crate) struct Watched {
    ticker: Rc<Ticker>,
    slot: usize,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.ticker.wires.borrow_mut().remove(self.slot);
    }
}

/// A point in time on the coarse clock; costs nothing until it is polled.
pub(crate) struct Deadline {
    ticker: Rc<Ticker>,
    deadline_ms: u64,
    slot: Option<usize>,
}

impl Deadline {
    /// Begins anew: `after` from now.
    pub(crate) fn restart(&mut self, after: Duration) {
        self.deadline_ms = self.ticker.deadline(after).deadline_ms;
        if let Some(slot) = self.slot
            && let Some(wait) = self.ticker.waits.borrow_mut().at(slot)
        {
            wait.deadline_ms = self.deadline_ms;
        }
    }
}

impl Future for Deadline {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.ticker.now_ms() >= self.deadline_ms {
            return Poll::Ready(());
        }
        let ticker = Rc::clone(&self.ticker);
        let mut waits = ticker.waits.borrow_mut();
        let deadline_ms = self.deadline_ms;
        let slot =
            *self.slot.get_or_insert_with(|| waits.insert(Wait { deadline_ms, waker: None }));
        if let Some(wait) = waits.at(slot)
            && !wait.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            wait.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            self.ticker.waits.borrow_mut().remove(slot);
        }
    }
}

/// A table whose rows keep their place; freed places are used again.
pub(crate) struct Slots<T> {
    rows: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    pub(crate) fn insert(&mut self, row: T) -> usize {
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.rows.get_mut(slot)
        {
            *place = Some(row);
            return slot;
        }
        self.rows.push(Some(row));
        self.rows.len() - 1
    }

    pub(crate) fn remove(&mut self, slot: usize) -> Option<T> {
        let row = self.rows.get_mut(slot)?.take()?;
        self.free.push(slot);
        Some(row)
    }

    pub(crate) fn at(&mut self, slot: usize) -> Option<&mut T> {
        self.rows.get_mut(slot)?.as_mut()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.iter_mut().flatten()
    }
}
