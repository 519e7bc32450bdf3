//! A request body on its way to the upstream: bytes held for inspection first, then what streams in.

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

/// Whether reading the caller's body has failed; shared with the exchange.
pub(crate) type CallerFault = Rc<Cell<bool>>;

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
    },
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
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
            Self::Stream { incoming, fault, .. } => {
                let polled = Pin::new(incoming).poll_frame(cx);
                if matches!(polled, Poll::Ready(Some(Err(_)))) {
                    fault.set(true);
                }
                polled
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
