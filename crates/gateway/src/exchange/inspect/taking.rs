//! Takes in a body, and counts what is held of it as it comes.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::super::{Ongoing, held::Held};
use crate::{
    answer::Problem, framing::Refusal, inbound::InboundBody, upload::Pace, worker::HeldBytes,
};

/// Where nothing enforces, a body that takes longer streams on.
pub(super) const HOLD: Duration = Duration::from_secs(1);
/// The same for a document. Nobody can do anything with the half of one, so that waiting costs
/// little, and slow networks take their time.
const HOLD_DOCUMENT: Duration = Duration::from_secs(10);
/// Memory is asked for in steps: the first, and then as much again as is here.
const FIRST_STEP: usize = 1 << 10;

/// How far a body was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reached {
    /// Its end.
    End,
    /// As many bytes as were asked for.
    Enough,
    /// What came in time, where it is not held longer.
    Late,
    /// What there was room for, where it may go on all the same.
    NoRoom,
}

/// A body that is being taken in.
pub(super) struct Taking {
    pub(super) incoming: InboundBody,
    pub(super) held: Held,
    /// Room for what is held.
    pub(super) room: Option<HeldBytes>,
    /// Over HTTP/2 each body keeps its own pace; over HTTP/1 the wire sees to that.
    pub(super) pace: Option<Pace>,
    /// Nothing of it may go on unread.
    pub(super) must: bool,
    expected: usize,
    since_ms: u64,
    is_ended: bool,
}

impl Taking {
    pub(super) fn new(ongoing: &Ongoing, incoming: InboundBody, must: bool) -> Self {
        let (arrival, worker) = (&ongoing.arrival, &ongoing.arrival.worker);
        let expected = incoming.size_hint().exact();
        let expected = expected.and_then(|length| usize::try_from(length).ok());
        let expected = expected.unwrap_or(usize::MAX);
        let pace = || Pace::new(Rc::clone(&worker.ticker), &arrival.wire.terms.deadlines);
        Self {
            incoming,
            held: Held::expecting(expected),
            room: None,
            pace: ongoing.head.is_none().then(pace),
            must,
            expected,
            since_ms: worker.ticker.now_ms(),
            is_ended: false,
        }
    }

    /// Whether all of it is here.
    pub(super) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Reads until `most` bytes are here or it ends.
    pub(super) async fn read(
        &mut self,
        ongoing: &mut Ongoing,
        most: usize,
    ) -> Result<Reached, Problem> {
        loop {
            if self.is_ended {
                return Ok(Reached::End);
            }
            if self.held.len() >= most {
                return Ok(Reached::Enough);
            }
            let next = FIRST_STEP.max(self.held.len().saturating_mul(2));
            // Over HTTP/2 the end of a body comes after the last byte that was promised.
            let next = next.min(most).min(self.expected.max(self.held.len() + 1));
            if !self.has_room(ongoing, next) {
                return if self.must { Err(ongoing.too_busy()) } else { Ok(Reached::NoRoom) };
            }
            self.incoming.gather(next.saturating_sub(self.held.len()));
            match self.fill(ongoing, next).await {
                None => return Ok(Reached::Late),
                Some(Ok(is_ended)) => self.is_ended = is_ended,
                Some(Err(TakingError::TooSlow)) => {
                    return Err(ongoing.refused(Refusal::BodyTooSlow));
                }
                Some(Err(TakingError::Broken)) => {
                    let refusal = ongoing.arrival.wire.take_body_fault();
                    return Err(ongoing.refused(refusal.unwrap_or(Refusal::BadBody)));
                }
            }
        }
    }

    /// `None` when it takes too long and may go on for that.
    async fn fill(&mut self, ongoing: &Ongoing, bytes: usize) -> Option<Result<bool, TakingError>> {
        let worker = &ongoing.arrival.worker;
        let waited = Duration::from_millis(worker.ticker.now_ms().saturating_sub(self.since_ms));
        let mut paced = Paced { incoming: &mut self.incoming, pace: &mut self.pace };
        let filling = self.held.fill(&mut paced, bytes);
        if self.must {
            return Some(filling.await);
        }
        let is_document = ongoing.pass.as_ref().is_some_and(|pass| pass.body_is_document());
        let hold = if is_document { HOLD_DOCUMENT } else { HOLD };
        worker.within(hold.saturating_sub(waited), filling).await
    }

    fn has_room(&mut self, ongoing: &Ongoing, bytes: usize) -> bool {
        let arrival = &ongoing.arrival;
        match &mut self.room {
            Some(room) => room.grow(bytes),
            None => {
                self.room = arrival.worker.hold(bytes, &arrival.source);
                self.room.is_some()
            }
        }
    }
}

/// Why a body is not taken in.
enum TakingError {
    Broken,
    TooSlow,
}

/// A body that must not come too slowly.
struct Paced<'a> {
    incoming: &'a mut InboundBody,
    pace: &'a mut Option<Pace>,
}

impl Body for Paced<'_> {
    type Data = Bytes;
    type Error = TakingError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, TakingError>>> {
        let polled = Pin::new(&mut *self.incoming).poll_frame(cx);
        if let Some(pace) = &mut self.pace
            && pace.is_too_slow(cx, &polled)
        {
            return Poll::Ready(Some(Err(TakingError::TooSlow)));
        }
        polled.map(|frame| frame.map(|frame| frame.map_err(|_| TakingError::Broken)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }
}
