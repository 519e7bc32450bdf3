//! A request on its way upstream, and the means to make it once more if the first way was stale.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header, request::Parts, uri,
};
use http_body::Body;

use super::Ongoing;
use crate::{
    headers::{self, Provenance},
    upload::Upload,
    upstream::Outbound,
};

/// What is needed to repeat a request that may be repeated.
pub(super) struct Onward {
    method: Method,
    uri: Uri,
    raw_target: Option<Bytes>,
    upgrade: Option<HeaderValue>,
    repeatable: bool,
    /// The headers of an HTTP/2 request; those of HTTP/1 are read from the raw head again.
    received: Option<HeaderMap>,
}

impl Onward {
    pub(super) fn new(ongoing: &Ongoing, parts: &Parts) -> Self {
        let no_body = !parts.headers.contains_key(header::CONTENT_LENGTH)
            && !parts.headers.contains_key(header::TRANSFER_ENCODING);
        let upgrade = (no_body && parts.version == Version::HTTP_11)
            .then(|| headers::upgrade_of(&parts.headers))
            .flatten();
        let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        let repeatable = safe && no_body && upgrade.is_none();
        let received = (repeatable && ongoing.head.is_none()).then(|| parts.headers.clone());
        Self {
            method: parts.method.clone(),
            uri: origin_form(&parts.uri),
            raw_target: ongoing.head.as_ref().and_then(|head| head.origin_target()),
            upgrade,
            repeatable,
            received,
        }
    }

    /// Whether the upstream may switch protocols.
    pub(super) fn upgrades(&self) -> bool {
        self.upgrade.is_some()
    }

    /// The request as it goes upstream.
    pub(super) fn outbound(&self, ongoing: &mut Ongoing, parts: Parts, body: Upload) -> Outbound {
        let mut headers = parts.headers;
        if matches!(body, Upload::Whole { .. }) {
            // The body is here and goes along: nobody has to be asked whether to send it.
            headers.remove(header::EXPECT);
        }
        let dropped = self.prepare(ongoing, &mut headers);
        if dropped > 0 {
            ongoing.note("header names with `_` that pose as others were dropped");
        }
        self.finish(headers, body)
    }

    /// The same request once more, if it is one that may be repeated.
    pub(super) fn again(&self, ongoing: &Ongoing) -> Option<Outbound> {
        if !self.repeatable {
            return None;
        }
        let mut headers = match (&self.received, &ongoing.head) {
            (Some(received), _) => received.clone(),
            (None, Some(head)) => {
                let mut headers = HeaderMap::new();
                for (name, value) in head.headers() {
                    let name = HeaderName::from_bytes(name).ok()?;
                    headers.append(name, HeaderValue::from_bytes(value).ok()?);
                }
                headers
            }
            (None, None) => return None,
        };
        self.prepare(ongoing, &mut headers);
        Some(self.finish(headers, Upload::Empty))
    }

    fn prepare(&self, ongoing: &Ongoing, headers: &mut HeaderMap) -> usize {
        let arrival = &ongoing.arrival;
        let policy = ongoing.pass.as_ref().map(|pass| pass.policy());
        let provenance = Provenance {
            peer: &arrival.peer_text,
            trusted: policy.is_some_and(|policy| arrival.is_trusted(policy)),
            names_caller: policy.and_then(|policy| policy.trust().source.header()),
            scheme: HeaderValue::from_static(arrival.peer.scheme.key()),
            host: headers.get(header::HOST).cloned(),
            request_id: ongoing.request_id.clone(),
            traceparent: &|| arrival.worker.ids.traceparent(),
        };
        headers::prepare_request(headers, provenance, self.upgrade.clone()).underscores_dropped
    }

    fn finish(&self, mut headers: HeaderMap, body: Upload) -> Outbound {
        if !body.is_end_stream() && body.size_hint().exact().is_none() {
            // Left to itself hyper would drop the body of a GET whose length is not known.
            headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        Outbound { request, raw_target: self.raw_target.clone() }
    }
}

fn origin_form(uri: &Uri) -> Uri {
    if uri.scheme().is_none() && uri.authority().is_none() {
        return uri.clone();
    }
    let mut parts = uri::Parts::default();
    parts.path_and_query = uri.path_and_query().cloned();
    Uri::from_parts(parts).unwrap_or_default()
}
