//! Reads heads and bodies off a caller's HTTP/1 connection.
//!
//! While an exchange is under way the next head stays in the buffer, so a refused one is answered
//! after the answers before it; the caller is only watched then. Nothing is read of a body that
//! nobody asks for.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker, ready},
};

use bytes::{Buf, Bytes};
use http_body::Frame;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    framing::{BodyFraming, BodyPart, BodyScanner, Head, HeadScanner, HeadStep, Refusal},
    headers::read_trailers,
    inbound::{InboundFault, Source},
    io::CallerIo,
    wire::{Expiry, Phase},
};

/// Pipelined bytes that are held while an exchange is under way.
const HELD_BYTES_MAX: usize = 64 << 10;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

pub(super) struct Reader<S> {
    pub(super) io: CallerIo<S>,
    head: HeadScanner,
    body: BodyScanner,
    trailers: Vec<u8>,
    /// Pieces of a body with fewer bytes wait for more.
    gather: usize,
    /// What is still to be written before the caller sends its body.
    interim: &'static [u8],
    /// Counts exchanges: a body that is held on to beyond its own reads nothing.
    exchange: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Reader<S> {
    pub(super) fn new(io: CallerIo<S>) -> Self {
        Self {
            io,
            head: HeadScanner::default(),
            body: BodyScanner::new(BodyFraming::None),
            trailers: Vec::new(),
            gather: 0,
            interim: b"",
            exchange: 0,
        }
    }

    /// The next head; `None` when there is none any more, or it was refused.
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Head>>> {
        loop {
            let is_empty = self.io.input.is_empty();
            self.io.rest();
            self.io.wire.enter(if is_empty { Phase::Idle } else { Phase::Head });
            match self.head.step(&self.io.input, &self.io.wire.terms.head) {
                HeadStep::More => {}
                HeadStep::Refused(refusal) => {
                    self.io.wire.refuse(refusal, &self.io.input);
                    return Poll::Ready(Ok(None));
                }
                HeadStep::Complete { head, length } => {
                    // The scanner looked at no more than is there; here nothing rests on it.
                    self.io.input.advance(length.min(self.io.input.len()));
                    self.begin(&head);
                    return Poll::Ready(Ok(Some(head)));
                }
            }
            if let Some(expiry) = self.io.wire.expired() {
                if expiry == Expiry::Read && !is_empty {
                    self.io.wire.refuse(Refusal::HeadTimeout, &self.io.input);
                }
                return Poll::Ready(Ok(None));
            }
            // An order to close ends the connection between two requests.
            if self.io.eof || (is_empty && self.io.wire.is_closing()) {
                return Poll::Ready(Ok(None));
            }
            ready!(self.io.poll_fill(cx))?;
        }
    }

    fn begin(&mut self, head: &Head) {
        self.head = HeadScanner::default();
        self.body = BodyScanner::new(head.body);
        self.gather = 0;
        self.interim = b"";
        self.exchange += 1;
        self.io.wire.serve();
        self.io.wire.enter(if self.body.is_done() { Phase::Exchange } else { Phase::Body });
    }

    /// The caller waits to be asked for its body.
    pub(super) fn will_ask(&mut self) {
        self.interim = CONTINUE;
    }

    /// Nobody need be asked any more.
    pub(super) fn will_not_ask(&mut self) {
        // Half of it may be out already.
        if self.interim.len() == CONTINUE.len() {
            self.interim = b"";
        }
    }

    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, InboundFault>>> {
        loop {
            match self.next_piece() {
                Err(refusal) => return Poll::Ready(Some(Err(self.fault(Some(refusal))))),
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) if self.body.is_done() => return Poll::Ready(None),
                Ok(None) => {}
            }
            if self.io.wire.expired().is_some() {
                return Poll::Ready(Some(Err(self.fault(Some(Refusal::BodyTooSlow)))));
            }
            if self.io.eof {
                return Poll::Ready(Some(Err(self.fault(None))));
            }
            if !self.io.input.is_empty() {
                // It does not wait to be asked.
                self.will_not_ask();
            }
            if ready!(self.poll_interim(cx)).is_err() || ready!(self.io.poll_fill(cx)).is_err() {
                return Poll::Ready(Some(Err(self.fault(None))));
            }
        }
    }

    fn fault(&self, refusal: Option<Refusal>) -> InboundFault {
        if let Some(refusal) = refusal {
            self.io.wire.fail_body(refusal);
        }
        InboundFault::Http1
    }

    /// A piece of the body that is here.
    fn next_piece(&mut self) -> Result<Option<Frame<Bytes>>, Refusal> {
        let CallerIo { input, wire, .. } = &mut self.io;
        if let Some(left) = self.body.length_left() {
            let wanted = self.gather.min(usize::try_from(left).unwrap_or(usize::MAX));
            if input.len() < wanted {
                return Ok(None);
            }
        }
        while !self.body.is_done() && !input.is_empty() {
            let part = self.body.part(input)?;
            let (BodyPart::Data(length) | BodyPart::Framing(length) | BodyPart::Trailers(length)) =
                part;
            wire.body_progress(length);
            let bytes = input.split_to(length.min(input.len())).freeze();
            if self.body.is_done() {
                wire.enter(Phase::Exchange);
            }
            match part {
                BodyPart::Data(_) => return Ok(Some(Frame::data(bytes))),
                BodyPart::Framing(_) => {}
                BodyPart::Trailers(_) => self.trailers.extend_from_slice(&bytes),
            }
        }
        if self.body.is_done() && !self.trailers.is_empty() {
            let fields = read_trailers(std::mem::take(&mut self.trailers));
            return Ok((!fields.is_empty()).then(|| Frame::trailers(fields)));
        }
        Ok(None)
    }

    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.interim.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while !self.interim.is_empty() {
            let interim = self.interim;
            let written = ready!(
                self.io.poll_write_by(cx, |stream, cx| Pin::new(stream).poll_write(cx, interim))
            )?;
            self.interim = interim.get(written..).unwrap_or_default();
        }
        Pin::new(&mut self.io.stream).poll_flush(cx)
    }

    /// Watches a caller that waits for its answer: ready once it has gone.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.io.wire.phase() != Phase::Exchange {
            // Whoever reads the body will see.
            return Poll::Pending;
        }
        loop {
            if self.io.wire.expired().is_some() {
                return Poll::Ready(());
            }
            if self.io.eof {
                // It may still be listening: it gets its answer, for a while.
                self.io.wire.half_close();
                self.io.wire.park(cx);
                return Poll::Pending;
            }
            if self.io.input.len() >= HELD_BYTES_MAX {
                self.io.wire.park(cx);
                return Poll::Pending;
            }
            if ready!(self.io.poll_fill(cx)).is_err() {
                return Poll::Ready(());
            }
        }
    }

    /// Whether the whole request has been read; what is here of it is passed over.
    pub(super) fn is_read(&mut self) -> bool {
        let mut quiet = Context::from_waker(Waker::noop());
        self.will_not_ask();
        self.gather = 0;
        while !self.body.is_done() {
            match self.poll_body(&mut quiet) {
                Poll::Ready(Some(Ok(_))) => {}
                _ => break,
            }
        }
        self.body.is_done()
    }
}

/// The body of one exchange.
pub(super) struct ReaderBody<S> {
    reader: Rc<RefCell<Reader<S>>>,
    exchange: u64,
}

impl<S> ReaderBody<S> {
    pub(super) fn new(reader: &Rc<RefCell<Reader<S>>>) -> Self {
        Self { exchange: reader.borrow().exchange, reader: Rc::clone(reader) }
    }

    fn is_over(&self) -> bool {
        self.reader.borrow().exchange != self.exchange
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Source for ReaderBody<S> {
    fn poll_frame(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, InboundFault>>> {
        if self.is_over() {
            return Poll::Ready(Some(Err(InboundFault::Http1)));
        }
        self.reader.borrow_mut().poll_body(cx)
    }

    fn is_done(&self) -> bool {
        self.is_over() || self.reader.borrow().body.is_done()
    }

    fn left(&self) -> Option<u64> {
        if self.is_over() { Some(0) } else { self.reader.borrow().body.length_left() }
    }

    fn gather(&self, bytes: usize) {
        let mut reader = self.reader.borrow_mut();
        reader.gather = bytes;
        let left = reader.body.length_left().unwrap_or(0);
        let expected = bytes.min(usize::try_from(left).unwrap_or(usize::MAX));
        reader.io.make_room(expected);
    }
}
