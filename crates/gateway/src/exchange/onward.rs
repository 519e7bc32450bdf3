//! Makes of a received request the one that goes upstream.

use http::{HeaderMap, HeaderValue, Method, Version, header};

use super::Ongoing;
use crate::{
    headers::{self, Prepared, Provenance},
    inbound::Inbound,
    upload::Upload,
    upstream::Outbound,
};

pub(super) fn outbound(ongoing: &mut Ongoing, inbound: Inbound, body: Upload) -> Outbound {
    let mut headers = inbound.headers;
    let no_body = !headers.contains_key(header::CONTENT_LENGTH)
        && !headers.contains_key(header::TRANSFER_ENCODING);
    let upgrade = (no_body && inbound.version == Version::HTTP_11)
        .then(|| headers::upgrade_of(&headers))
        .flatten();
    let upgrades = upgrade.is_some();
    let safe = matches!(inbound.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if matches!(body, Upload::Whole { .. }) {
        // The body is here and goes along: nobody has to be asked whether to send it.
        headers.remove(header::EXPECT);
    }
    let Prepared { underscores_dropped, own } = prepare(ongoing, &mut headers, upgrade);
    if underscores_dropped > 0 {
        ongoing.note("header names with `_` that pose as others were dropped");
    }
    Outbound {
        method: inbound.method,
        target: inbound.target,
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
    let pass = ongoing.pass.as_deref();
    let policy = pass.map(|pass| pass.policy());
    let provenance = Provenance {
        peer: &arrival.peer_text,
        trusted: policy.is_some_and(|policy| arrival.is_trusted(policy)),
        guarded: [
            policy.and_then(|policy| policy.trust().source.header()),
            pass.and_then(|pass| pass.policy().common_password_header(pass.route())),
        ],
        marks_password: pass.and_then(shield::Pass::common_password_header),
        scheme: HeaderValue::from_static(arrival.peer.scheme.key()),
        host: headers.get(header::HOST).cloned(),
        request_id: ongoing.request_id.clone(),
        traceparent: &|| arrival.worker.ids.traceparent(),
    };
    headers::prepare_request(headers, provenance, upgrade)
}
