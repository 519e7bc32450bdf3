//! `/livez` and `/readyz`, for whoever watches over the process.
//!
//! An API may have such paths itself. The gateway answers them only when it is addressed by an IP
//! address, as orchestrators and load balancers do; requests by name go to the API like any other.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};

use crate::{relay::Answer, worker::Worker};

pub(crate) fn answer(worker: &Worker, parts: &Parts) -> Option<Response<Answer>> {
    let path = parts.uri.path();
    if path != "/livez" && path != "/readyz" {
        return None;
    }
    if !matches!(parts.method, Method::GET | Method::HEAD) || !is_addressed_by_number(parts) {
        return None;
    }
    let ready = path == "/livez" || !worker.is_draining();
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

fn is_addressed_by_number(parts: &Parts) -> bool {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = host.or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
    let host = traffic::head::host_of(authority.unwrap_or_default());
    host.parse::<std::net::IpAddr>().is_ok()
}
