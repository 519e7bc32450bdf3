//! Makes of a received request the one that goes upstream.

use http::{HeaderMap, HeaderValue, Method, Uri, Version, header, request::Parts, uri};

use super::Ongoing;
use crate::{
    headers::{self, Prepared, Provenance},
    upload::Upload,
    upstream::Outbound,
};

pub(super) fn outbound(ongoing: &mut Ongoing, parts: Parts, body: Upload) -> Outbound {
    let mut headers = parts.headers;
    let no_body = !headers.contains_key(header::CONTENT_LENGTH)
        && !headers.contains_key(header::TRANSFER_ENCODING);
    let upgrade = (no_body && parts.version == Version::HTTP_11)
        .then(|| headers::upgrade_of(&headers))
        .flatten();
    let upgrades = upgrade.is_some();
    let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if matches!(body, Upload::Whole { .. }) {
        // The body is here and goes along: nobody has to be asked whether to send it.
        headers.remove(header::EXPECT);
    }
    let Prepared { underscores_dropped, own } = prepare(ongoing, &mut headers, upgrade);
    if underscores_dropped > 0 {
        ongoing.note("header names with `_` that pose as others were dropped");
    }
    Outbound {
        method: parts.method,
        uri: origin_form(parts.uri),
        raw_target: ongoing.head.as_ref().and_then(|head| head.origin_target()),
        headers,
        own,
        repeatable: safe && no_body && !upgrades && matches!(body, Upload::Empty),
        body,
        upgrades,
    }
}

/// Takes from the headers what must not go on, and says what the upstream is to know.
fn prepare(ongoing: &Ongoing, headers: &mut HeaderMap, upgrade: Option<HeaderValue>) -> Prepared {
    let arrival = &ongoing.arrival;
    let policy = ongoing.pass.as_ref().map(|pass| pass.policy());
    let provenance = Provenance {
        peer: &arrival.peer_text,
        trusted: policy.is_some_and(|policy| arrival.is_trusted(policy)),
        scheme: HeaderValue::from_static(arrival.peer.scheme.key()),
        host: headers.get(header::HOST).cloned(),
        request_id: ongoing.request_id.clone(),
        traceparent: &|| arrival.worker.ids.traceparent(),
    };
    headers::prepare_request(headers, provenance, upgrade)
}

fn origin_form(uri: Uri) -> Uri {
    if uri.scheme().is_none() && uri.authority().is_none() {
        return uri;
    }
    let mut parts = uri::Parts::default();
    parts.path_and_query = uri.path_and_query().cloned();
    Uri::from_parts(parts).unwrap_or_default()
}
