//! How an exchange ends, and what its answer says.

use catalog::{AnswerBody, Redirect};
use conduct::Certainty;
use http::HeaderValue;
use traffic::media::Media;
use traffic::{
    AnswerHead, DataClasses, Digest, EndpointId, Event, EventId, Fields, Hasher, Verdict,
};

use super::{Pass, Refusal, Settled};

/// An answer of the upstream.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its head.
    pub head: AnswerHead<'a>,
    /// What was read of its body, without content coding; none when nothing was.
    pub body: Option<&'a [u8]>,
    /// Whether that is all of it.
    pub is_complete: bool,
    /// The length of the whole body as it was sent on.
    pub length: u64,
}

/// What is left when an exchange is over.
#[derive(Debug, Default)]
pub struct Learnt {
    /// Its event, when it is worth one.
    pub event: Option<Event>,
    /// Its endpoint, now that the answer is known.
    pub endpoint: Option<EndpointId>,
    /// The event that stands for it, if one does.
    pub(super) told_as: Option<EventId>,
    /// The verdict, when the answer changed it.
    pub verdict: Option<Verdict>,
    /// The answer is not to go out.
    pub refusal: Option<Refusal>,
}

/// How an exchange ended that has no answer of the upstream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// The caller hung up.
    CallerGone,
    /// The upstream failed: with this status (502, 503 or 504) the caller was told.
    UpstreamFailed(u16),
    /// The gateway gave up on the request for its own reasons: overload, a bad body.
    Dropped(u16),
}

/// What an answer's head and body say, read outside the lock.
pub(super) struct ReadAnswer {
    pub(super) media: Media,
    pub(super) issued: Vec<Digest>,
    pub(super) classes: DataClasses,
    pub(super) body: Option<AnswerBody>,
    pub(super) redirect: Option<Redirect>,
}

impl ReadAnswer {
    /// Reads no more of the body than `most`: it may be there for rules alone.
    pub(super) fn of(answer: &Answer<'_>, most: Option<usize>, hasher: &Hasher) -> Self {
        let header = |name| {
            answer.head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok())
        };
        let media = Media::of(header(http::header::CONTENT_TYPE));
        let mut fields = Fields::default();
        let mut classes = DataClasses::default();
        let body = answer.body.zip(most);
        if let Some((body, most)) = body {
            let is_complete = answer.is_complete && body.len() <= most;
            let body = body.get(..most).unwrap_or(body);
            traffic::body::read(body, media, is_complete, &mut fields);
            classes = if fields.is_empty() {
                catalog::classes_of_text(&String::from_utf8_lossy(body))
            } else {
                catalog::classes(&fields)
            };
        }
        Self {
            media,
            issued: caller::issued_credentials(&answer.head, &fields, hasher),
            classes,
            body: body.map(|_| AnswerBody::of(&fields)),
            redirect: header(http::header::LOCATION).map(|location| Redirect::of(location, hasher)),
        }
    }
}

impl Answer<'_> {
    /// Whether it is a page. As an answer to a path that nobody was seen to use it says nothing,
    /// since many sites answer every path with the same one.
    pub(super) fn is_page(&self) -> bool {
        let header = self.head.headers.get(http::header::CONTENT_TYPE);
        let begins = header.and_then(|value| value.as_bytes().get(..9));
        begins.is_some_and(|it| it.eq_ignore_ascii_case(b"text/html"))
    }
}

impl Pass {
    /// Whether a probe for a published vulnerability found something: it went to a path that
    /// nobody was seen to use, and was answered with success.
    pub(super) fn is_answered_probe(&self, settled: &Settled, answer: &Answer<'_>) -> bool {
        let found = self.inspection.iter().flat_map(|inspection| &inspection.request.found);
        let mut certain = found.filter(|found| found.certainty == Certainty::Certain);
        certain.any(|found| found.cve().is_some())
            && !settled.act.endpoint_known
            && matches!(answer.head.status, 200..=299)
            && !answer.is_page()
    }
}

/// A credential's place in the catalog's terms.
pub(super) fn slot(slot: &caller::Slot) -> catalog::Slot<'_> {
    match slot.place {
        caller::Place::Bearer => catalog::Slot::Bearer,
        caller::Place::Basic => catalog::Slot::Basic,
        caller::Place::Authorization => catalog::Slot::Header("authorization"),
        caller::Place::Header => catalog::Slot::Header(slot.name.shown()),
        caller::Place::Query => catalog::Slot::Query(slot.name.shown()),
        caller::Place::Cookie => catalog::Slot::Cookie(slot.name.shown()),
    }
}
