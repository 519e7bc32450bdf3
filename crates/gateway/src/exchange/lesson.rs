//! What is collected of an answer while it streams by, for the engine to learn from.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use shield::{Answer, Engine, Learnt, Pass};
use traffic::{AnswerHead, Timestamp};

use crate::{
    arrival::Arrival,
    decode::{Codings, decode},
    worker::HeldBytes,
};

pub(super) struct Lesson {
    status: u16,
    headers: HeaderMap,
    /// How much of the body is wanted; none when only its length is.
    wanted: Option<usize>,
    /// Room for it, where rules want more than learning does.
    room: Option<HeldBytes>,
    body: Vec<u8>,
    length: u64,
    complete: bool,
}

/// What an answer's head leads to.
pub(super) enum Begun {
    /// The head says it all: there is no need to wait for the body.
    Now { length: u64 },
    /// The body is to be seen first.
    Later(Lesson),
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    const NAME: &[u8] = b"text/event-stream";
    let value = headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    let start = value.and_then(|value| value.get(..NAME.len()));
    start.is_some_and(|start| start.eq_ignore_ascii_case(NAME))
}

impl Lesson {
    /// `exact` is the length of the body, if that is known.
    pub(super) fn begin(
        arrival: &Arrival,
        pass: &Pass,
        status: StatusCode,
        headers: &HeaderMap,
        exact: Option<u64>,
    ) -> Begun {
        let head = AnswerHead { status: status.as_u16(), headers };
        let wanted = pass.answer_wanted(&head);
        if is_event_stream(headers) {
            // It has no end to wait for, and how long it lasts is nobody's latency.
            return Begun::Now { length: 0 };
        }
        let exact = exact.filter(|length| *length == 0 || wanted.is_none());
        if let Some(length) = exact {
            return Begun::Now { length };
        }
        let room = pass.answer_held().and_then(|_| arrival.worker.hold(0, &arrival.source));
        Begun::Later(Self {
            room,
            status: head.status,
            headers: headers.clone(),
            wanted,
            body: Vec::new(),
            length: 0,
            complete: false,
        })
    }

    pub(super) fn take_in(&mut self, data: &Bytes) {
        self.length = self.length.saturating_add(data.len() as u64);
        let Some(wanted) = self.wanted else { return };
        let room = data.len().min(wanted.saturating_sub(self.body.len()));
        if self.room.as_mut().is_some_and(|held| !held.grow(self.body.len() + room)) {
            // What is here is looked at.
            self.wanted = Some(self.body.len());
            return;
        }
        self.body.extend_from_slice(data.get(..room).unwrap_or_default());
    }

    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    /// Hands everything to the engine.
    pub(super) fn teach(self, engine: &Engine, pass: Box<Pass>, now: Timestamp) -> Learnt {
        let decoded = self
            .wanted
            .and_then(|bytes_max| decode(&self.headers, &self.body, bytes_max, Codings::All));
        let whole = self.complete && self.body.len() as u64 == self.length;
        let answer = Answer {
            head: AnswerHead { status: self.status, headers: &self.headers },
            body: decoded.as_ref().map(|decoded| decoded.bytes.as_ref()),
            is_complete: whole && decoded.as_ref().is_none_or(|decoded| decoded.complete),
            length: self.length,
        };
        engine.learn(pass, &answer, now)
    }
}
