//! `/livez` and `/readyz`, for whoever watches over the process.
//!
//! An API may have such paths itself. The gateway answers them only when it is addressed by an IP
//! address, as orchestrators and load balancers do; requests by name go to the API like any other.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::{inbound::Inbound, relay::Answer, worker::Worker};

pub(crate) fn answer(worker: &Worker, inbound: &Inbound) -> Option<Response<Answer>> {
    let path = inbound.path();
    if path != b"/livez" && path != b"/readyz" {
        return None;
    }
    if !matches!(inbound.method, Method::GET | Method::HEAD) || !is_addressed_by_number(inbound) {
        return None;
    }
    let ready = path == b"/livez" || !worker.is_draining();
    let (status, text) = if ready {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    };
    let mut response = Response::new(Answer::whole(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let text_plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text_plain);
    Some(response)
}

fn is_addressed_by_number(inbound: &Inbound) -> bool {
    let host = inbound.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = host.or_else(|| inbound.uri.authority().map(|authority| authority.as_str()));
    let host = traffic::head::host_of(authority.unwrap_or_default());
    host.parse::<std::net::IpAddr>().is_ok()
}
