//! A request body on its way to the upstream: bytes held for inspection first, then what streams
//! in.
//!
//! Over HTTP/2 a body has an end of its own beside its promised length. The upstream takes a
//! request for whole once it has as many bytes as promised, so the last of them wait here for the
//! end: a request that says its length wrongly never becomes a whole one. And the connection is
//! shared, so that each body has to keep its own pace; over HTTP/1 the wire sees to that.

use std::{
    cell::Cell,
    future::Future as _,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::{
    framing::Refusal,
    inbound::{InboundBody, InboundFault},
    slow_uploads::Watch,
    ticker::{Deadline, Ticker},
    wire::CallerDeadlines,
    worker::HeldBytes,
};

/// Why the caller's body failed, if it did; shared with the exchange.
pub(crate) type CallerFault = Rc<Cell<Option<Refusal>>>;

/// A body that cannot be sent on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("the caller's body failed")]
    Caller(#[from] InboundFault),
    #[error("the body is larger than allowed")]
    TooLarge,
    #[error("the body comes slower than allowed")]
    TooSlow,
    #[error("the body is not as long as was promised")]
    Length,
    #[error("the body is not what its type says")]
    NotItsType,
}

pub(crate) enum Upload {
    Empty,
    /// The whole body is here.
    Whole {
        bytes: Bytes,
        trailers: Option<HeaderMap>,
    },
    Stream(Stream),
}

/// A body that is still arriving.
pub(crate) struct Stream {
    held: Bytes,
    incoming: InboundBody,
    fault: CallerFault,
    /// Bytes that may still come.
    left: u64,
    /// Comes after what is held.
    trailers: Option<HeaderMap>,
    pace: Option<Pace>,
    /// Room for what is held, until it has gone out.
    room: Option<HeldBytes>,
    /// What comes next is the beginning of a gRPC message, or the body is none.
    begins_message: bool,
    /// Whether it is slow.
    watch: Option<Box<Watch>>,
}

/// The least that a body must bring, counted over the time that the caller lets us wait.
pub(crate) struct Pace {
    ticker: Rc<Ticker>,
    grace_ms: u64,
    min_rate: u64,
    bytes: u64,
    waited_ms: u64,
    /// Since when we wait, and until when we do.
    waiting: Option<(u64, Deadline)>,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Whole { bytes, .. } if !bytes.is_empty() => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes)))))
            }
            Self::Whole { trailers, .. } => {
                Poll::Ready(trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
            }
            Self::Stream(stream) => stream.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole { bytes, trailers } => bytes.is_empty() && trailers.is_none(),
            Self::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole { bytes, trailers: None } => SizeHint::with_exact(bytes.len() as u64),
            // Trailers need chunks, and chunks need a length that is not known.
            Self::Whole { .. } => SizeHint::new(),
            Self::Stream(stream) => {
                let rest = stream.incoming.size_hint();
                let held = stream.held.len() as u64;
                let mut hint = SizeHint::new();
                hint.set_lower(rest.lower().saturating_add(held));
                if let Some(upper) = rest.upper() {
                    hint.set_upper(upper.saturating_add(held));
                }
                hint
            }
        }
    }
}

impl Stream {
    /// Goes on from `held`; `left` bytes may still come.
    pub(crate) fn new(
        held: Bytes,
        incoming: InboundBody,
        fault: CallerFault,
        left: u64,
        pace: Option<Pace>,
    ) -> Self {
        let (trailers, room, begins_message, watch) = (None, None, false, None);
        Self { held, incoming, fault, left, trailers, pace, room, begins_message, watch }
    }

    /// Keeps room for what is held, for as long as it is.
    pub(crate) fn holding(self, room: Option<HeldBytes>) -> Self {
        Self { room, ..self }
    }

    /// Counts among its source's slow ones when it is slow, and breaks off where there are enough.
    pub(crate) fn watched(self, watch: Option<Box<Watch>>) -> Self {
        Self { watch, ..self }
    }

    /// Breaks off unless it begins as gRPC does.
    pub(crate) fn framed(self) -> Self {
        Self { begins_message: true, ..self }
    }

    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        loop {
            if self.held.has_remaining() && !self.incoming.lacks_its_end() {
                self.room = None;
                return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.held)))));
            }
            if let Some(trailers) = self.trailers.take() {
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            let polled = Pin::new(&mut self.incoming).poll_frame(cx);
            let is_too_slow = self.pace.as_mut().is_some_and(|pace| pace.is_too_slow(cx, &polled));
            let is_one_too_many = self.watch.as_mut().is_some_and(|watch| {
                let is_slow = watch.pace().is_some_and(|pace| pace.is_too_slow(cx, &polled));
                is_slow && !watch.is_allowed()
            });
            if is_too_slow || is_one_too_many {
                self.fault.set(Some(Refusal::BodyTooSlow));
                return Poll::Ready(Some(Err(UploadError::TooSlow)));
            }
            let frame = std::task::ready!(polled);
            let Some(frame) = frame.map(|frame| checked(frame, &mut self.left, &self.fault)) else {
                let last = std::mem::take(&mut self.held);
                return Poll::Ready((!last.is_empty()).then_some(Ok(Frame::data(last))));
            };
            match frame?.into_data() {
                // Only nothing can come after the last byte that was promised.
                Ok(data) if data.is_empty() => {}
                Ok(data) if self.begins_message && !begins_message(&data) => {
                    self.fault.set(Some(Refusal::NotItsType));
                    return Poll::Ready(Some(Err(UploadError::NotItsType)));
                }
                Ok(data) => {
                    self.begins_message = false;
                    self.held = data;
                }
                Err(frame) => {
                    let last = std::mem::take(&mut self.held);
                    if last.is_empty() {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    self.trailers = frame.into_trailers().ok();
                    return Poll::Ready(Some(Ok(Frame::data(last))));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && self.trailers.is_none() && self.incoming.is_end_stream()
    }
}

impl Pace {
    pub(crate) fn new(ticker: Rc<Ticker>, deadlines: &CallerDeadlines) -> Self {
        Self::least(ticker, deadlines.body_grace, deadlines.body_min_rate)
    }

    /// So many bytes a second, after a grace.
    pub(crate) fn least(ticker: Rc<Ticker>, grace: Duration, min_rate: u64) -> Self {
        Self {
            ticker,
            grace_ms: u64::try_from(grace.as_millis()).unwrap_or(u64::MAX),
            min_rate,
            bytes: 0,
            waited_ms: 0,
            waiting: None,
        }
    }

    /// Counts how long the caller lets us wait; only what was asked for and has not come counts.
    pub(crate) fn is_too_slow<E>(
        &mut self,
        cx: &mut Context<'_>,
        polled: &Poll<Option<Result<Frame<Bytes>, E>>>,
    ) -> bool {
        if self.min_rate == 0 {
            return false;
        }
        let Poll::Ready(frame) = polled else {
            let left_ms = self.allowed_ms().saturating_sub(self.waited_ms);
            let (_, deadline) = self.waiting.get_or_insert_with(|| {
                let deadline = self.ticker.deadline(Duration::from_millis(left_ms));
                (self.ticker.now_ms(), deadline)
            });
            return Pin::new(deadline).poll(cx).is_ready();
        };
        if let Some((since_ms, _)) = self.waiting.take() {
            self.waited_ms += self.ticker.now_ms().saturating_sub(since_ms);
        }
        let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref);
        self.bytes = self.bytes.saturating_add(data.map_or(0, |data| data.len() as u64));
        false
    }

    /// How long we wait in all for what has come so far.
    fn allowed_ms(&self) -> u64 {
        let earned_ms = self.bytes.saturating_mul(1000) / self.min_rate.max(1);
        self.grace_ms.max(earned_ms)
    }
}

/// A flag that says whether the message is compressed, or what browsers write for it.
fn begins_message(data: &[u8]) -> bool {
    matches!(data.first(), Some(0 | 1 | b'A'))
}

/// Counts a frame against what may still come.
fn checked(
    frame: Result<Frame<Bytes>, InboundFault>,
    left: &mut u64,
    fault: &CallerFault,
) -> Result<Frame<Bytes>, UploadError> {
    let frame = frame.inspect_err(|_| fault.set(Some(Refusal::BadBody)))?;
    let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
    match left.checked_sub(bytes) {
        Some(rest) => *left = rest,
        None => {
            fault.set(Some(Refusal::BodyTooLarge));
            return Err(UploadError::TooLarge);
        }
    }
    Ok(frame)
}
