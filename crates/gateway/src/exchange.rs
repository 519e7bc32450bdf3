//! One exchange, from an accepted head to the end of its answer.

use std::{convert::Infallible, future::Future, pin::Pin, rc::Rc};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header};
use hyper::body::{Body, Incoming};
use traffic::{EventId, Timestamp};

use crate::{
    answer::{Problem, prefers_html},
    arrival::Arrival,
    framing::Head,
    headers::{self, Provenance},
    relay::Answer,
    upload::{CallerFault, Upload},
    upstream::{Answered, Outbound, UpstreamFault},
};

/// What hyper calls for each request of one connection.
pub(crate) struct Front(pub(crate) Rc<Arrival>);

impl hyper::service::Service<Request<Incoming>> for Front {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let ongoing = Ongoing::new(Rc::clone(&self.0));
        Box::pin(async move { Ok(serve(ongoing, request).await) })
    }
}

/// An exchange that has not ended. Dropping it ends it, however that came about.
pub(crate) struct Ongoing {
    arrival: Rc<Arrival>,
    /// The head as received over HTTP/1.
    head: Option<Head>,
    id: EventId,
}

impl Ongoing {
    fn new(arrival: Rc<Arrival>) -> Self {
        let head = arrival.wire.next_head();
        arrival.exchange_begins();
        let id = arrival.worker.ids.event(now());
        Self { arrival, head, id }
    }

    pub(crate) fn note_answer(&mut self, _data: &Bytes) {}

    pub(crate) fn answer_complete(&mut self) {}
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.arrival.exchange_ended();
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_micros(since.map_or(0, |s| u64::try_from(s.as_micros()).unwrap_or(u64::MAX)))
}

async fn serve(ongoing: Ongoing, request: Request<Incoming>) -> Response<Answer> {
    let html = prefers_html(request.headers());
    match forward(&ongoing, request).await {
        Ok(response) => response.map(|answer| answer.ending(ongoing)),
        Err(problem) => problem.response(html).map(|answer| answer.ending(ongoing)),
    }
}

async fn forward(
    ongoing: &Ongoing,
    request: Request<Incoming>,
) -> Result<Response<Answer>, Problem> {
    let arrival = &ongoing.arrival;
    let fault = CallerFault::default();
    let pool = arrival.worker.pool();
    let (outbound, upgrade) = outbound(ongoing, request, &fault);
    let safe = matches!(*outbound.request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let repeatable = safe && matches!(outbound.request.body(), Upload::Empty) && upgrade.is_none();
    let answered = pool.send(outbound, || None).await;
    let _ = repeatable;
    let Answered { response, link } = match answered {
        Ok(answered) => answered,
        Err(cause) => return Err(failed(ongoing, cause, &fault)),
    };
    let (mut parts, incoming) = response.into_parts();
    let switched = parts.status == StatusCode::SWITCHING_PROTOCOLS;
    if switched && upgrade.is_none() {
        return Err(Problem::new(502, ongoing.id));
    }
    headers::prepare_answer(&mut parts.headers, switched);
    let request_id = HeaderValue::from_bytes(&crate::ids::uuid_text(ongoing.id));
    if let Ok(id) = request_id {
        parts.headers.entry(headers::X_REQUEST_ID).or_insert(id);
    }
    parts.extensions = http::Extensions::new();
    parts.version = Version::HTTP_11;
    let answer = match link {
        Some(link) if switched => {
            arrival.switch_to(*link);
            Answer::empty()
        }
        link => Answer::relayed(incoming, link, pool),
    };
    Ok(Response::from_parts(parts, answer))
}

fn failed(ongoing: &Ongoing, cause: UpstreamFault, fault: &CallerFault) -> Problem {
    if let Some(refusal) = ongoing.arrival.wire.take_body_fault() {
        return Problem::new(refusal.status(), ongoing.id).closing();
    }
    if fault.get() {
        return Problem::new(400, ongoing.id).closing();
    }
    match cause {
        UpstreamFault::TimedOut => Problem::new(504, ongoing.id),
        UpstreamFault::Broken | UpstreamFault::Unreachable => Problem::new(502, ongoing.id),
    }
}

/// The request as it goes upstream, and the protocol it asks to switch to.
fn outbound(
    ongoing: &Ongoing,
    request: Request<Incoming>,
    fault: &CallerFault,
) -> (Outbound, Option<HeaderValue>) {
    let arrival = &ongoing.arrival;
    let (mut parts, incoming) = request.into_parts();
    let empty = incoming.is_end_stream();
    let upgrade = (empty && parts.version == Version::HTTP_11)
        .then(|| headers::upgrade_of(&parts.headers))
        .flatten();
    if parts.version == Version::HTTP_2 {
        join_cookies(&mut parts.headers);
        if let Some(authority) = parts.uri.authority()
            && let Ok(host) = HeaderValue::from_str(authority.as_str())
        {
            parts.headers.insert(header::HOST, host);
        }
    }
    let worker = &arrival.worker;
    headers::prepare_request(
        &mut parts.headers,
        Provenance {
            peer: &arrival.peer_text,
            trusted: false,
            scheme: HeaderValue::from_static(arrival.peer.scheme.key()),
            host: None,
            request_id: HeaderValue::from_bytes(&crate::ids::uuid_text(ongoing.id))
                .unwrap_or_else(|_| HeaderValue::from_static("")),
            traceparent: &|| worker.ids.traceparent(),
        },
        upgrade.clone(),
    );
    let body = if empty {
        Upload::Empty
    } else {
        Upload::Stream { held: Bytes::new(), incoming, fault: Rc::clone(fault) }
    };
    let raw_target = ongoing.head.as_ref().and_then(raw_target);
    let mut onward = Request::new(body);
    *onward.method_mut() = parts.method;
    *onward.uri_mut() = origin_form(parts.uri);
    *onward.headers_mut() = parts.headers;
    (Outbound { request: onward, raw_target }, upgrade)
}

fn raw_target(head: &Head) -> Option<Bytes> {
    head.origin_target()
}

fn origin_form(uri: Uri) -> Uri {
    if uri.scheme().is_none() {
        return uri;
    }
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = uri.into_parts().path_and_query;
    Uri::from_parts(parts).unwrap_or_default()
}

/// HTTP/2 may send a cookie header per crumb; HTTP/1 knows one (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut http::HeaderMap) {
    let crumbs: Vec<_> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}
