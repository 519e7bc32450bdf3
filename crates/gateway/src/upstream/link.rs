//! One HTTP/1 connection to an upstream, driven by the exchange that uses it.
//!
//! There is no task beside it and no channel: the exchange writes its request, reads the head of
//! the answer, and the answer's body reads on. A body that is still being sent goes on meanwhile,
//! for an upstream may answer before it has read everything.

use std::{
    cell::Cell,
    io,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker, ready},
};

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};
use http_body::Frame;
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::{
    Upstream,
    answer_body::BodyReader,
    answer_head::{self, AnswerHead, Framing as AnswerFraming},
    answered::{AnswerBody, Answered, BodyFault},
    outbound::{Framing, Outbound},
    patience::{Over, Patience},
    sending::Sending,
    stream::Transport,
};
use crate::{output::Output, upload::Upload};

/// Room for what is read at once: most answers fit into the least, large ones get the most.
const ROOM_LEAST: usize = 4 << 10;
const ROOM_MOST: usize = 64 << 10;

pub(crate) struct Link {
    transport: Transport,
    /// What was read and is not used yet, and how much of it holds no end of a head.
    input: BytesMut,
    searched: usize,
    room: usize,
    output: Output,
    sending: Option<Sending>,
    /// Something was written and may wait inside TLS.
    unflushed: bool,
    /// Bytes of the request that went out.
    sent: u64,
    /// A byte of the answer came in.
    answered: bool,
    answer: BodyReader,
    persistent: bool,
    /// It has carried an exchange before.
    pub(super) reused: bool,
    _counted: Counted,
}

/// Counts an open connection for as long as it lives.
pub(super) struct Counted(Rc<Cell<usize>>);

impl Counted {
    pub(super) fn one_more(open: &Rc<Cell<usize>>) -> Self {
        open.set(open.get() + 1);
        Self(Rc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// Why a connection brought no answer.
#[derive(Default)]
pub(super) struct Broken {
    /// Not a byte of the request was written; its body is where it was.
    pub(super) unsent: bool,
    /// A byte of an answer had arrived.
    pub(super) answered: bool,
    /// Nobody waits for it any longer.
    pub(super) over: Option<Over>,
    /// The caller's body failed, or is what is waited for.
    pub(super) by_caller: bool,
}

/// The connection ended, or what came over it was no answer.
struct Fault {
    by_caller: bool,
}

const NO_ANSWER: Fault = Fault { by_caller: false };

/// Whose fault it is that a request cannot be sent to its end.
enum SendFault {
    Caller,
    Upstream,
}

impl Link {
    pub(super) fn new(transport: Transport, counted: Counted) -> Box<Self> {
        Box::new(Self {
            transport,
            input: BytesMut::new(),
            searched: 0,
            room: ROOM_LEAST,
            output: Output::default(),
            sending: None,
            unflushed: false,
            sent: 0,
            answered: false,
            answer: BodyReader::new(AnswerFraming::Length(0)),
            persistent: true,
            reused: false,
            _counted: counted,
        })
    }

    /// Sends a request and waits for the head of its answer, from the last byte that could be sent.
    pub(super) async fn send(
        mut self: Box<Self>,
        outbound: &mut Outbound,
        upstream: &Upstream,
        mut patience: Patience,
    ) -> Result<Answered, Broken> {
        self.begin(outbound, upstream);
        let asked_head = outbound.method == Method::HEAD;
        let link = &mut self;
        let outcome = std::future::poll_fn(|cx| {
            let before = link.sent;
            let polled = link.poll_answered(cx, asked_head);
            if polled.is_ready() {
                return polled.map(Ok);
            }
            if before > 0 && link.sent > before {
                patience.restart();
            }
            patience.poll(cx).map(Err)
        })
        .await;
        let (over, by_caller) = match outcome {
            Ok(Ok(head)) => {
                self.persistent &= head.persistent;
                self.answer = BodyReader::new(head.framing);
                let AnswerHead { status, headers, .. } = head;
                return Ok(Answered { status, headers, body: AnswerBody::Http1(self) });
            }
            Ok(Err(fault)) => (None, fault.by_caller),
            // With nothing left to write, the rest of the body is what is waited for.
            Err(over) => (Some(over), self.sending.is_some() && self.output.is_empty()),
        };
        let unsent = self.sent == 0;
        if unsent && let Some(sending) = self.sending.take() {
            outbound.body = sending.body;
        }
        Err(Broken { unsent, answered: self.answered, over, by_caller })
    }

    fn begin(&mut self, outbound: &mut Outbound, upstream: &Upstream) {
        self.sent = 0;
        self.answered = false;
        outbound.write_head(upstream, self.output.front());
        match &outbound.body {
            Upload::Empty => {}
            Upload::Whole { bytes, trailers: None } => self.output.push(bytes.clone()),
            _ => {
                let framing = outbound.framing();
                let body = std::mem::replace(&mut outbound.body, Upload::Empty);
                self.sending = (framing != Framing::None).then(|| Sending::new(body, framing));
            }
        }
    }

    /// Moves bytes both ways until the answer's head is there.
    fn poll_answered(
        &mut self,
        cx: &mut Context<'_>,
        asked_head: bool,
    ) -> Poll<Result<AnswerHead, Fault>> {
        if let Poll::Ready(Err(fault)) = self.poll_send(cx) {
            // Only an upstream that took something may have an answer to give all the same.
            let by_caller = matches!(fault, SendFault::Caller);
            if by_caller || self.sent == 0 {
                return Poll::Ready(Err(Fault { by_caller }));
            }
            self.stop_sending();
        }
        loop {
            let taken = answer_head::take(&mut self.input, &mut self.searched, asked_head);
            match taken.map_err(|_| NO_ANSWER)? {
                Some(head) if is_interim(head.status) => {}
                Some(head) => return Poll::Ready(Ok(head)),
                None => match ready!(self.poll_fill(cx)) {
                    Ok(0) | Err(_) => return Poll::Ready(Err(NO_ANSWER)),
                    Ok(_) => {}
                },
            }
        }
    }

    /// The next piece of the answer's body.
    pub(super) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFault>>> {
        if let Poll::Ready(Err(fault)) = self.poll_send(cx) {
            if matches!(fault, SendFault::Caller) {
                return Poll::Ready(Some(Err(BodyFault::Caller)));
            }
            self.stop_sending();
        }
        loop {
            match self.answer.next(&mut self.input) {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) if self.answer.is_done() => return Poll::Ready(None),
                Ok(None) => {}
                Err(_) => return Poll::Ready(Some(Err(BodyFault::Malformed))),
            }
            match ready!(self.poll_fill(cx)) {
                Ok(0) if !self.answer.end() => return Poll::Ready(Some(Err(BodyFault::Cut))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
        }
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.answer.is_done()
    }

    /// Bytes of the answer's body that are still to come, if that is known.
    pub(super) fn left(&self) -> Option<u64> {
        self.answer.left()
    }

    /// Whether the exchange is complete and another one may follow.
    pub(super) fn may_serve_again(&self) -> bool {
        let is_sent = self.sending.is_none() && self.output.is_empty() && !self.unflushed;
        self.persistent && is_sent && self.answer.is_done() && self.input.is_empty()
    }

    /// Itself, if nothing has come, and no end either, since nobody uses it.
    pub(super) fn if_usable(mut self: Box<Self>) -> Option<Box<Self>> {
        let mut quiet = Context::from_waker(Waker::noop());
        self.poll_fill(&mut quiet).is_pending().then_some(self)
    }

    /// Nobody uses it now.
    pub(super) fn rest(&mut self) {
        self.reused = true;
        if self.room > ROOM_LEAST {
            self.room = ROOM_LEAST;
            self.input = BytesMut::new();
        }
    }

    /// The transport after a switch of protocols, and what was read ahead.
    pub(crate) fn into_transport(self) -> (Transport, Bytes) {
        (self.transport, self.input.freeze())
    }

    /// Ready once all that is known of the request has been sent, to its end.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendFault>> {
        loop {
            while !self.output.is_empty() {
                let written = ready!(self.output.poll_write(&mut self.transport, cx));
                self.sent += written.map_err(|_| SendFault::Upstream)? as u64;
                self.unflushed = true;
            }
            if self.unflushed {
                let flushed = ready!(Pin::new(&mut self.transport).poll_flush(cx));
                flushed.map_err(|_| SendFault::Upstream)?;
                self.unflushed = false;
            }
            let Some(sending) = &mut self.sending else { return Poll::Ready(Ok(())) };
            let more = ready!(sending.poll_next(&mut self.output, cx));
            if !more.map_err(|_| SendFault::Caller)? {
                self.sending = None;
            }
        }
    }

    /// The upstream takes nothing more: what it says is still heard.
    fn stop_sending(&mut self) {
        self.output.clear();
        self.sending = None;
        self.unflushed = false;
        self.persistent = false;
    }

    /// Reads once; zero at the end of the stream.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.reserve(self.room);
        let room = self.input.capacity() - self.input.len();
        let read = ready!(pin!(self.transport.read_buf(&mut self.input)).poll(cx))?;
        self.answered |= read > 0;
        if read == room {
            self.room = (self.room * 4).min(ROOM_MOST);
        }
        Poll::Ready(Ok(read))
    }
}

fn is_interim(status: StatusCode) -> bool {
    status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS
}
