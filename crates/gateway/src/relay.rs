//! The body of an answer on its way to the caller.
//!
//! It drives the upstream connection it comes over, keeps the part of the body that learning wants,
//! and knows how it ended: complete, cut by the upstream, or left by the caller.

use std::{
    future::Future,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::{
    exchange::Ongoing,
    flow::Flow,
    headers::prepare_trailers,
    ticker::Deadline,
    upstream::{AnswerBody, BodyFault, Lease},
};

/// An answer's body.
pub(crate) struct Answer {
    kind: Kind,
    /// Over HTTP/2, whether the caller takes it.
    flow: Option<Rc<Flow>>,
    /// Ends the exchange when the body is done with; declared last, so that it goes last.
    ongoing: Option<Box<Ongoing>>,
}

enum Kind {
    Empty,
    Whole(Bytes),
    Relayed(Relay),
}

/// Why an answer's body stopped before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error("the upstream broke off its answer")]
    Upstream(#[from] BodyFault),
    #[error("the upstream fell silent")]
    Silent,
}

/// What was held of an answer's body; it goes first.
#[derive(Default)]
pub(crate) struct HeldAnswer {
    pub(crate) bytes: Bytes,
    /// They came, so that there is nothing behind what was held.
    pub(crate) trailers: Option<HeaderMap>,
}

pub(crate) struct Relay {
    held: HeldAnswer,
    /// `None` once the answer has ended.
    body: Option<AnswerBody>,
    lease: Lease,
    silence: Option<Deadline>,
    /// What broke the answer; told once what came before it had a chance to be written.
    broken: Option<RelayError>,
}

impl Answer {
    pub(crate) fn empty() -> Self {
        Self { kind: Kind::Empty, flow: None, ongoing: None }
    }

    pub(crate) fn whole(body: Bytes) -> Self {
        Self { kind: Kind::Whole(body), flow: None, ongoing: None }
    }

    /// What was held goes first; where nothing follows, the upstream's connection is free.
    pub(crate) fn relayed(held: HeldAnswer, body: AnswerBody, lease: Lease) -> Self {
        let mut relay = Relay { held, body: Some(body), lease, silence: None, broken: None };
        if relay.held.trailers.is_none() && relay.body.as_ref().is_some_and(Body::is_end_stream) {
            relay.end();
            return Self::whole(relay.held.bytes);
        }
        Self { kind: Kind::Relayed(relay), flow: None, ongoing: None }
    }

    /// Lets `flow` know what of it is taken.
    pub(crate) fn flowing(mut self, flow: Rc<Flow>) -> Self {
        self.flow = Some(flow);
        self
    }

    /// Ties the end of the exchange to the end of this body.
    pub(crate) fn ending(mut self, ongoing: Box<Ongoing>) -> Self {
        self.ongoing = Some(ongoing);
        self
    }

    /// The next piece of the body.
    fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RelayError>>> {
        match &mut self.kind {
            Kind::Empty => Poll::Ready(None),
            Kind::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Relayed(relay) => {
                let mut polled = std::task::ready!(relay.poll_frame(cx));
                if let Some(Ok(frame)) = &mut polled {
                    if let Some(data) = frame.data_ref() {
                        if let Some(ongoing) = &mut self.ongoing {
                            ongoing.note_answer(data);
                        }
                    } else if let Some(trailers) = frame.trailers_mut() {
                        prepare_trailers(trailers);
                    }
                }
                match &polled {
                    Some(Ok(_)) if !relay.is_end_stream() => {}
                    Some(Err(_)) => relay.body = None,
                    _ => {
                        relay.end();
                        if let Some(ongoing) = &mut self.ongoing {
                            ongoing.answer_complete();
                        }
                    }
                }
                Poll::Ready(polled)
            }
        }
    }
}

impl HeldAnswer {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.trailers.is_none()
    }

    /// How long what was held is together with what follows it.
    pub(crate) fn size_hint(&self, rest: &AnswerBody) -> SizeHint {
        if self.trailers.is_some() {
            // They need chunks, and chunks need a length that is not known.
            return SizeHint::new();
        }
        let length = rest.size_hint().exact();
        let length = length.and_then(|rest| rest.checked_add(self.bytes.len() as u64));
        length.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Relay {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RelayError>>> {
        if !self.held.bytes.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.held.bytes)))));
        }
        if let Some(trailers) = self.held.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        if polled.is_pending() {
            return self.poll_silence(cx);
        }
        self.silence = None;
        match polled {
            Poll::Ready(Some(Err(fault))) => {
                if fault.is_the_upstreams() {
                    self.lease.cut_off();
                }
                // When a body fails, HTTP/2 drops what it has not flushed: let it flush first.
                self.body = None;
                self.broken = Some(RelayError::from(fault));
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            polled => polled.map(|frame| frame.map(|frame| frame.map_err(RelayError::from))),
        }
    }

    fn poll_silence(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RelayError>>> {
        let allowed: Duration = self.lease.deadlines().answer_idle;
        let deadline = self.silence.get_or_insert_with(|| self.lease.deadline(allowed));
        std::task::ready!(Pin::new(deadline).poll(cx));
        Poll::Ready(Some(Err(RelayError::Silent)))
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty()
            && self.broken.is_none()
            && self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => self.held.size_hint(body),
            None if self.broken.is_some() => SizeHint::new(),
            None => SizeHint::with_exact(0),
        }
    }

    /// The body has come to its end: the connection may serve again.
    fn end(&mut self) {
        if let Some(body) = self.body.take() {
            self.lease.complete(body);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = RelayError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RelayError>>> {
        let this = self.get_mut();
        if let Some(flow) = &this.flow {
            flow.is_asked();
        }
        let polled = this.poll_piece(cx);
        if let (Some(flow), Poll::Ready(Some(Ok(piece)))) = (&this.flow, &polled)
            && let Some(data) = piece.data_ref()
        {
            flow.gives(data.len());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Relayed(relay) => relay.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Relayed(relay) => relay.size_hint(),
        }
    }
}
