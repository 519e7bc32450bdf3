//! A request as it came, over either version of HTTP, and its body.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version, request};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::framing::{self, Head, Refusal};

/// What a request's head says.
pub(crate) struct Inbound {
    pub(crate) method: Method,
    pub(crate) version: Version,
    /// In origin form, or `*`.
    pub(crate) target: Bytes,
    pub(crate) headers: HeaderMap,
    /// What HTTP/2 says of authority and path; empty for HTTP/1.
    pub(crate) uri: Uri,
}

impl Inbound {
    /// A request over HTTP/1, whose head was found unambiguous.
    pub(crate) fn of_head(head: &Head) -> Result<Self, Refusal> {
        let method = Method::from_bytes(head.method()).map_err(|_| Refusal::BadMethod)?;
        let mut headers = HeaderMap::with_capacity(16);
        for (name, value) in head.headers() {
            let name = HeaderName::from_bytes(name).map_err(|_| Refusal::BadHeaderName)?;
            let value = HeaderValue::from_maybe_shared(head.raw.slice_ref(value));
            headers.append(name, value.map_err(|_| Refusal::BadHeaderValue)?);
        }
        let version = match head.version {
            framing::Version::Http10 => Version::HTTP_10,
            framing::Version::Http11 | framing::Version::Http2 => Version::HTTP_11,
        };
        let (target, uri) = (head.origin_target(), Uri::default());
        Ok(Self { method, version, target, headers, uri })
    }

    /// A request over HTTP/2.
    pub(crate) fn of_http2(parts: request::Parts) -> Self {
        let request::Parts { method, version, headers, uri, .. } = parts;
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = Bytes::copy_from_slice(target.as_bytes());
        Self { method, version, target, headers, uri }
    }

    pub(crate) fn path(&self) -> &[u8] {
        let end = memchr::memchr(b'?', &self.target).unwrap_or(self.target.len());
        self.target.get(..end).unwrap_or_default()
    }
}

/// The body of a request.
pub(crate) enum InboundBody {
    Empty,
    Http1(Rc<dyn Source>),
    Http2(Incoming),
}

/// Where a body comes from over HTTP/1: the connection, while the exchange lasts.
pub(crate) trait Source {
    fn poll_frame(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, InboundFault>>>;

    /// Whether its last byte has been given out.
    fn is_done(&self) -> bool;

    /// How many bytes are still to come, if that was promised.
    fn left(&self) -> Option<u64>;

    /// From now on the body comes in pieces of at least so many bytes, if it has as many.
    fn gather(&self, bytes: usize);
}

/// Why a request's body does not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InboundFault {
    #[error("the caller's body broke off or breaks its framing")]
    Http1,
    #[error(transparent)]
    Http2(#[from] hyper::Error),
}

impl InboundBody {
    /// Asks for larger pieces, where that spares copies.
    pub(crate) fn gather(&self, bytes: usize) {
        if let Self::Http1(source) = self {
            source.gather(bytes);
        }
    }

    /// Every promised byte has come, and the end of the stream has not.
    pub(crate) fn lacks_its_end(&self) -> bool {
        !self.is_end_stream() && self.size_hint().exact() == Some(0)
    }
}

impl Body for InboundBody {
    type Data = Bytes;
    type Error = InboundFault;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, InboundFault>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Http1(source) => source.poll_frame(cx),
            Self::Http2(incoming) => Pin::new(incoming).poll_frame(cx).map_err(InboundFault::from),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Http1(source) => source.is_done(),
            Self::Http2(incoming) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Http1(source) => source.left().map_or_else(SizeHint::new, SizeHint::with_exact),
            Self::Http2(incoming) => incoming.size_hint(),
        }
    }
}
