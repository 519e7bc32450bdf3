//! Conditions on a call (RFC 9110 §13): do not send what I have, and do not change what I have not
//! seen.
//!
//! What is read carries an entity tag, the hash of what was sent. A change that names one in
//! `if-match` is carried out only if a plain read of the same path would carry it now. Changes go
//! one after the other, so that of two that name the same tag one is refused.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use sha2::{Digest as _, Sha256};

use crate::api::Console;
use crate::idempotency::Look;
use crate::refused::Refused;

/// Half of a hash tells any two answers apart.
const TAG_BYTES: usize = 16;

/// Gives an answer its tag, and sends nothing to whoever has it.
pub(crate) async fn read(request: Request, next: Next) -> Response {
    let known = listed(request.headers(), &header::IF_NONE_MATCH);
    let response = next.run(request).await;
    if response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, bytes) = match taken(response).await {
        Ok(taken) => taken,
        Err(refused) => return refused.into_response(),
    };
    let tag = tag(&bytes);
    // Kept by whoever asked, and asked about each time.
    let kept = HeaderValue::from_static("private, no-cache");
    parts.headers.insert(header::CACHE_CONTROL, kept);
    let is_known = known.iter().any(|known| *known == "*" || known.trim_start_matches("W/") == tag);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// What a change is made to, as it is read; none where nothing is read under the same path.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) console: Console,
    pub(crate) read: Option<MethodRouter<Console>>,
}

/// Carries a change out in its turn, once, unless what it is made to is not what the caller has
/// seen.
pub(crate) async fn change(State(target): State<Target>, request: Request, next: Next) -> Response {
    let turn = std::sync::Arc::clone(&target.console.turn);
    // A task of its own: a caller that hangs up must not let the next one in half-way.
    let carried_out = tokio::spawn(async move {
        let _turn = turn.lock().await;
        let (repeats, now) = (target.console.repeats.clone(), target.console.instance.now());
        let mut response = match repeats.look(request, now).await {
            Ok(Look::Again(response)) => response,
            Ok(Look::Plain(request)) => if_current(target, request, next).await,
            Ok(Look::First(request, fresh)) => {
                let response = if_current(target, request, next).await;
                repeats.keep(fresh, response, now).await
            }
            Err(refused) => refused.into_response(),
        };
        let kept = HeaderValue::from_static("no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, kept);
        response
    });
    carried_out.await.unwrap_or_else(|error| {
        Refused::failed("the change could not be worked on", error).into_response()
    })
}

/// Carries a change out, if what it is made to is what it names.
async fn if_current(target: Target, request: Request, next: Next) -> Response {
    let named = listed(request.headers(), &header::IF_MATCH);
    if !named.is_empty() {
        let Some(plain) = plain(&request) else {
            return Refused::changed(None).into_response();
        };
        let now = current(target, plain).await;
        let is_current =
            now.as_ref().is_some_and(|now| named.iter().any(|named| *named == "*" || named == now));
        if !is_current {
            return Refused::changed(now.as_deref()).into_response();
        }
    }
    next.run(request).await
}

/// A plain read of the same path.
fn plain(request: &Request) -> Option<Request> {
    let mut asked = Request::builder().method(Method::GET).uri(request.uri().path());
    // The names in the path are among them.
    asked.extensions_mut()?.extend(request.extensions().clone());
    asked.body(Body::empty()).ok()
}

/// The tag that it would carry now.
async fn current(target: Target, plain: Request) -> Option<String> {
    let Target { console, read } = target;
    let route: MethodRouter = read?.with_state(console);
    let response = TowerToHyperService::new(route).call(plain).await.ok()?;
    if response.status() != StatusCode::OK {
        return None;
    }
    let (_, bytes) = taken(response).await.ok()?;
    Some(tag(&bytes))
}

/// An answer with its body, which is in memory anyway.
async fn taken(response: Response) -> Result<(axum::http::response::Parts, Bytes), Refused> {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await;
    let bytes = bytes.map_err(|error| Refused::failed("the answer broke off", error))?;
    Ok((parts, bytes))
}

fn tag(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let digits: String = hash.iter().take(TAG_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

/// The tags that a header lists. None of ours has a comma in it.
fn listed(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect()
}
