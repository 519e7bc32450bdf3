//! Whether a caller over HTTP/2 takes its answer.
//!
//! Over HTTP/1 an answer that is not taken blocks the connection, and the wire sees to it. Over
//! HTTP/2 a caller opens a window for each stream, and one that opens none, or a few bytes at a
//! time, would keep its stream, the upstream's connection and what is held for both for as long as
//! it likes. So each answer notes how long a piece of it waits to be taken, and the task that
//! writes it is ended when that is too long: the stream is reset and the others go on. What the
//! library has taken over by then, less than a piece, stays with the caller's connection. A source
//! that has all of its share of the requests under way, while places run short, is given less time.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use crate::{
    arrival::Arrival,
    ticker::{Deadline, Ticker},
};

/// How long a piece may wait while requests find no place and its source has all of its share, and
/// how often that is looked at.
const CROWDED_STALL_MS: u64 = 5_000;

/// The pace at which a caller takes one answer.
pub(crate) struct Flow {
    arrival: Rc<Arrival>,
    stall_ms: u64,
    min_rate: u64,
    /// What was taken so far, and how long pieces waited for it in all.
    taken_bytes: Cell<u64>,
    waited_ms: Cell<u64>,
    /// A piece that is not taken yet: its size, and since when it waits.
    piece: Cell<Option<(u64, u64)>>,
}

impl Flow {
    pub(crate) fn new(arrival: &Rc<Arrival>) -> Rc<Self> {
        let deadlines = &arrival.wire.terms.deadlines;
        Rc::new(Self {
            arrival: Rc::clone(arrival),
            stall_ms: u64::try_from(deadlines.write_stall.as_millis()).unwrap_or(u64::MAX),
            min_rate: deadlines.body_min_rate,
            taken_bytes: Cell::default(),
            waited_ms: Cell::default(),
            piece: Cell::default(),
        })
    }

    fn ticker(&self) -> &Rc<Ticker> {
        &self.arrival.worker.ticker
    }

    /// A piece of this size is there to be taken.
    pub(crate) fn gives(&self, bytes: usize) {
        self.piece.set(Some((bytes as u64, self.ticker().now_ms())));
    }

    /// The next one is asked for: the last one was taken.
    pub(crate) fn is_asked(&self) {
        let Some((bytes, since_ms)) = self.piece.take() else { return };
        let waited_ms = self.ticker().now_ms().saturating_sub(since_ms);
        self.waited_ms.set(self.waited_ms.get().saturating_add(waited_ms));
        self.taken_bytes.set(self.taken_bytes.get().saturating_add(bytes));
    }

    /// How long the piece may still wait: as long as any write, and all pieces together no longer
    /// than what was taken has earned.
    fn left_ms(&self) -> Option<u64> {
        let (_, since_ms) = self.piece.get()?;
        let waited_ms = self.ticker().now_ms().saturating_sub(since_ms);
        let earned_ms = match self.min_rate {
            0 => u64::MAX,
            rate => self.taken_bytes.get().saturating_mul(1_000) / rate,
        };
        let in_all = self.stall_ms.max(earned_ms).saturating_sub(self.waited_ms.get());
        let worker = &self.arrival.worker;
        let crowded = worker.busy.is_crowded_by(&self.arrival.source);
        let stall_ms = if crowded { CROWDED_STALL_MS.min(self.stall_ms) } else { self.stall_ms };
        Some(stall_ms.min(in_all).saturating_sub(waited_ms))
    }

    /// Carries out `stream`, which writes the answer, to its end or until its caller takes too
    /// long.
    pub(crate) async fn watch(self: Rc<Self>, stream: impl Future) {
        let mut stream = pin!(stream);
        let mut deadline = None;
        poll_fn(|cx| {
            if stream.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            self.poll_stalled(cx, &mut deadline)
        })
        .await;
    }

    fn poll_stalled(&self, cx: &mut Context<'_>, deadline: &mut Option<Deadline>) -> Poll<()> {
        loop {
            let Some(left_ms) = self.left_ms() else {
                *deadline = None;
                return Poll::Pending;
            };
            let left = Duration::from_millis(left_ms.min(CROWDED_STALL_MS));
            let deadline = deadline.get_or_insert_with(|| self.ticker().deadline(left));
            deadline.restart(left);
            std::task::ready!(Pin::new(deadline).poll(cx));
            if left_ms <= CROWDED_STALL_MS {
                return Poll::Ready(());
            }
        }
    }
}
