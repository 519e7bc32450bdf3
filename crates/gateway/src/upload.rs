//! A request body on its way to the upstream: bytes held for inspection first, then what streams
//! in.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::framing::Refusal;

/// Why the caller's body failed, if it did; shared with the exchange.
pub(crate) type CallerFault = Rc<Cell<Option<Refusal>>>;

/// A body that cannot be sent on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("the caller's body failed")]
    Caller(#[from] hyper::Error),
    #[error("the body is larger than allowed")]
    TooLarge,
}

pub(crate) enum Upload {
    Empty,
    /// The whole body is here.
    Whole {
        bytes: Bytes,
        trailers: Option<HeaderMap>,
    },
    Stream {
        held: Bytes,
        incoming: Incoming,
        fault: CallerFault,
        /// Bytes that may still come.
        left: u64,
    },
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
            Self::Stream { held, .. } if held.has_remaining() => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(held)))))
            }
            Self::Stream { incoming, fault, left, .. } => {
                let frame = std::task::ready!(Pin::new(incoming).poll_frame(cx));
                Poll::Ready(frame.map(|frame| checked(frame, left, fault)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Whole { bytes, trailers } => bytes.is_empty() && trailers.is_none(),
            Self::Stream { held, incoming, .. } => held.is_empty() && incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole { bytes, trailers: None } => SizeHint::with_exact(bytes.len() as u64),
            // Trailers need chunks, and chunks need a length that is not known.
            Self::Whole { .. } => SizeHint::new(),
            Self::Stream { held, incoming, .. } => {
                let rest = incoming.size_hint();
                let held = held.len() as u64;
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

/// Counts a frame against what may still come.
fn checked(
    frame: Result<Frame<Bytes>, hyper::Error>,
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
