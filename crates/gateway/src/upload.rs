//! A request body on its way to the upstream: bytes held for inspection first, then what streams
//! in.
//!
//! Over HTTP/2 a body has an end of its own beside its promised length. The upstream takes a
//! request for whole once it has as many bytes as promised, so the last of them wait here for the
//! end: a request that says its length wrongly never becomes a whole one.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::{
    framing::Refusal,
    inbound::{InboundBody, InboundFault},
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
    #[error("the body is not as long as was promised")]
    Length,
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
    pub(crate) fn new(held: Bytes, incoming: InboundBody, fault: CallerFault, left: u64) -> Self {
        Self { held, incoming, fault, left, trailers: None }
    }

    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        loop {
            if self.held.has_remaining() && !self.incoming.lacks_its_end() {
                return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.held)))));
            }
            if let Some(trailers) = self.trailers.take() {
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
            let frame = std::task::ready!(Pin::new(&mut self.incoming).poll_frame(cx));
            let Some(frame) = frame.map(|frame| checked(frame, &mut self.left, &self.fault)) else {
                let last = std::mem::take(&mut self.held);
                return Poll::Ready((!last.is_empty()).then_some(Ok(Frame::data(last))));
            };
            match frame?.into_data() {
                // Only nothing can come after the last byte that was promised.
                Ok(data) if data.is_empty() => {}
                Ok(data) => self.held = data,
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
