//! A change that is sent twice is carried out once.
//!
//! Whoever does not know whether a call arrived sends it again under the same `idempotency-key` and
//! gets the answer that the first one got. Kept for a day, in memory, and not more than some
//! thousand: a key is for retries, not for history. Answers with a secret in them are not kept.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use sha2::{Digest as _, Sha256};
use traffic::Timestamp;

use crate::caller::Caller;
use crate::refused::Refused;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const KEY_BYTES_MAX: usize = 128;
/// As large as orders may be.
const ORDER_BYTES_MAX: usize = 64 * 1024;
/// Answers that are larger are not kept.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const KEPT_MAX: usize = 1_024;
const KEPT_FOR: Duration = Duration::from_secs(86_400);

/// Answers to changes, by whom and under which key they were sent. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Repeats {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    kept: HashMap<[u8; 32], Kept>,
    /// The oldest first.
    order: VecDeque<[u8; 32]>,
}

#[derive(Clone, Debug)]
struct Kept {
    at: Timestamp,
    /// What was asked for.
    what: [u8; 32],
    status: StatusCode,
    media: Option<HeaderValue>,
    /// None where the answer must not be given twice.
    body: Option<Bytes>,
}

/// A change with a key that nobody has used for it yet.
#[derive(Debug)]
pub(crate) struct Fresh {
    key: [u8; 32],
    what: [u8; 32],
    holds_secret: bool,
}

/// What is to be done with a change.
#[derive(Debug)]
pub(crate) enum Look {
    /// Carry it out; it has no key.
    Plain(Request),
    /// Carry it out and keep the answer.
    First(Request, Fresh),
    /// It was carried out before.
    Again(Response),
}

impl Repeats {
    /// Looks whether `request` was carried out before.
    pub(crate) async fn look(&self, request: Request, now: Timestamp) -> Result<Look, Refused> {
        let Some(key) = key(&request)? else { return Ok(Look::Plain(request)) };
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, ORDER_BYTES_MAX).await;
        let body = body.map_err(|_| {
            Refused::of(StatusCode::PAYLOAD_TOO_LARGE, "the order is larger than any needs to be")
        })?;
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let what = digest(&[parts.method.as_str().as_bytes(), target.as_bytes(), &body]);
        if let Some(kept) = self.kept(&key, now) {
            return kept.again(&what).map(Look::Again);
        }
        let holds_secret = ["/tokens", "/session"].iter().any(|it| parts.uri.path().ends_with(it));
        let fresh = Fresh { key, what, holds_secret };
        Ok(Look::First(Request::from_parts(parts, Body::from(body)), fresh))
    }

    /// Keeps the answer to a change that was carried out; any other may be tried again.
    pub(crate) async fn keep(&self, fresh: Fresh, response: Response, now: Timestamp) -> Response {
        let (parts, body) = response.into_parts();
        let Ok(bytes) = to_bytes(body, usize::MAX).await else {
            return Response::from_parts(parts, Body::empty());
        };
        if parts.status.is_success() && bytes.len() <= ANSWER_BYTES_MAX {
            let kept = Kept {
                at: now,
                what: fresh.what,
                status: parts.status,
                media: parts.headers.get(header::CONTENT_TYPE).cloned(),
                body: (!fresh.holds_secret).then(|| bytes.clone()),
            };
            self.put(fresh.key, kept);
        }
        Response::from_parts(parts, Body::from(bytes))
    }

    fn kept(&self, key: &[u8; 32], now: Timestamp) -> Option<Kept> {
        let kept = self.inner().kept.get(key).cloned();
        kept.filter(|kept| now.since(kept.at) < KEPT_FOR)
    }

    fn put(&self, key: [u8; 32], kept: Kept) {
        let mut inner = self.inner();
        if inner.kept.insert(key, kept).is_none() {
            inner.order.push_back(key);
        }
        while inner.order.len() > KEPT_MAX
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.kept.remove(&oldest);
        }
    }

    /// Nothing here is left half changed.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn again(self, what: &[u8; 32]) -> Result<Response, Refused> {
        if self.what != *what {
            return Err(Refused::conflict("this idempotency-key was used for another change"));
        }
        let Some(body) = self.body else {
            let title = "it was carried out already; what it answered is a secret and not kept";
            return Err(Refused::conflict(title));
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        if let Some(media) = self.media {
            response.headers_mut().insert(header::CONTENT_TYPE, media);
        }
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(response)
    }
}

/// The key of a change, as this caller's.
fn key(request: &Request) -> Result<Option<[u8; 32]>, Refused> {
    let mut all = request.headers().get_all(KEY).iter();
    let Some(key) = all.next() else { return Ok(None) };
    let is_one = all.next().is_none() && (1..=KEY_BYTES_MAX).contains(&key.len());
    let is_plain = key.as_bytes().iter().all(u8::is_ascii_graphic);
    if !is_one || !is_plain {
        let title = format!("an idempotency-key has 1 to {KEY_BYTES_MAX} printable characters");
        return Err(Refused::wrong(title));
    }
    let caller = match request.extensions().get::<Caller>() {
        Some(Caller::Bearer(bearer)) => bearer.id.clone(),
        _ => String::new(),
    };
    Ok(Some(digest(&[caller.as_bytes(), key.as_bytes()])))
}

/// Parts are told apart by their lengths.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(key: &str, path: &str, body: &'static str) -> Request {
        let request = Request::builder().method("POST").uri(path).header("idempotency-key", key);
        request.body(Body::from(body)).expect("a request")
    }

    async fn text(response: Response) -> (u16, String) {
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), 1_000).await.expect("a body");
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Sends a change that would be answered with `answer`; what it was answered in fact.
    async fn send(repeats: &Repeats, request: Request, answer: &'static str) -> (u16, String) {
        let now = Timestamp::from_micros(1);
        match repeats.look(request, now).await {
            Ok(Look::First(_, fresh)) => {
                text(repeats.keep(fresh, Response::new(Body::from(answer)), now).await).await
            }
            Ok(Look::Again(response)) => text(response).await,
            Ok(Look::Plain(_)) => panic!("it has a key"),
            Err(refused) => (0, refused.to_string()),
        }
    }

    #[tokio::test]
    async fn the_same_change_gets_the_same_answer_and_another_is_refused() {
        let repeats = Repeats::default();
        let first = send(&repeats, change("k1", "/decisions", "{1}"), "made d-1").await;
        let again = send(&repeats, change("k1", "/decisions", "{1}"), "made d-2").await;
        assert_eq!(first, again);
        let other = send(&repeats, change("k1", "/decisions", "{2}"), "made d-3").await;
        assert!(other.1.contains("another change"), "{other:?}");
        let place = send(&repeats, change("k1", "/decisions?dry_run=true", "{1}"), "x").await;
        assert!(place.1.contains("another change"), "{place:?}");
        let key = send(&repeats, change("k2", "/decisions", "{1}"), "made d-4").await;
        assert_eq!(key.1, "made d-4");
        assert!(send(&repeats, change("two words", "/", ""), "").await.1.contains("printable"));
    }

    #[tokio::test]
    async fn secrets_are_not_kept_and_neither_are_old_answers() {
        let repeats = Repeats::default();
        let made = send(&repeats, change("k", "/api/v1/tokens", "{}"), "palisade_secret").await;
        assert_eq!(made.1, "palisade_secret");
        let again = send(&repeats, change("k", "/api/v1/tokens", "{}"), "another").await;
        assert!(again.1.contains("carried out already"), "{again:?}");
        for number in 0..KEPT_MAX + 10 {
            send(&repeats, change(&format!("n{number}"), "/x", ""), "done").await;
        }
        assert_eq!(repeats.inner().kept.len(), KEPT_MAX);
        let late = Timestamp::from_micros(2 * 86_400_000_000);
        let looked = repeats.look(change("n1000", "/x", ""), late).await;
        assert!(matches!(looked, Ok(Look::First(..))), "{looked:?}");
    }
}
