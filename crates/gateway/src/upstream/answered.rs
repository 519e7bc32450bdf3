//! An answer's head, and its body as it comes over either version of HTTP.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::Link;

pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: AnswerBody,
}

pub(crate) enum AnswerBody {
    /// Reading it drives the connection, which serves again after it.
    Http1(Box<Link>),
    /// Its connection lives by itself.
    Http2(Incoming),
}

/// Why an answer's body stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyFault {
    #[error("the connection ended")]
    Cut,
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("the framing is broken")]
    Malformed,
    #[error("the request failed on its way")]
    Caller,
    #[error(transparent)]
    Http2(#[from] hyper::Error),
}

impl BodyFault {
    /// Whether the upstream is to blame. Over HTTP/2 that cannot be told from a request whose own
    /// body failed.
    pub(crate) const fn is_the_upstreams(&self) -> bool {
        matches!(self, Self::Cut | Self::Io(_) | Self::Malformed)
    }
}

impl AnswerBody {
    /// The connection, to be used again if it can be.
    pub(crate) fn into_link(self) -> Option<Box<Link>> {
        match self {
            Self::Http1(link) => Some(link),
            Self::Http2(_) => None,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        match self.get_mut() {
            Self::Http1(link) => link.poll_frame(cx),
            Self::Http2(incoming) => Pin::new(incoming).poll_frame(cx).map_err(BodyFault::from),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(link) => link.is_end_stream(),
            Self::Http2(incoming) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(link) => link.left().map_or_else(SizeHint::new, SizeHint::with_exact),
            Self::Http2(incoming) => incoming.size_hint(),
        }
    }
}
