//! The reader and writer that hyper gets: every head passes the strict scanner first.
//!
//! Bytes of a head are held back until the whole head is accepted; then they go to hyper, and the
//! head as received goes to the wire for the exchange. While an exchange is under way the next head
//! stays here, so a refused one is answered after the answers before it. To hyper a refusal is the
//! end of the stream; the connection writes the answer once hyper has let go.
//!
//! One copy from this buffer to hyper's is the price of doing this without unsafe code.

use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    framing::{BodyScanner, Head, HeadScanner, HeadStep, Refusal, TargetForm},
    wire::{Expiry, Phase, Wire},
};

/// Most heads fit; a connection that needs more gets more.
const BUFFER_BYTES: usize = 4 << 10;
const BUFFER_BYTES_LARGE: usize = 32 << 10;
/// Pipelined bytes that are held while an exchange is under way.
const HELD_BYTES_MAX: usize = 64 << 10;
/// A small answer is written in one piece: gathering pieces costs the kernel more than a copy.
const JOINED_BYTES_MAX: usize = 1 << 10;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS_FRAME: u8 = 4;
/// Room for 64 settings; seven are defined.
const SETTINGS_BYTES_MAX: usize = 384;

enum Mode {
    Head(HeadScanner),
    Body(BodyScanner),
    /// HTTP/2: its own framing rules apply, hyper's and ours do not.
    Through,
}

pub(crate) struct CallerIo<S> {
    stream: S,
    wire: Rc<Wire>,
    mode: Mode,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes from `start` that hyper may have.
    cleared: usize,
    /// A request line to give instead of the received one.
    substitute: Option<Bytes>,
    eof: bool,
    wants_more_room: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> CallerIo<S> {
    pub(crate) fn new(stream: S, wire: Rc<Wire>) -> Self {
        Self {
            stream,
            wire,
            mode: Mode::Head(HeadScanner::default()),
            buffer: Vec::new(),
            start: 0,
            end: 0,
            cleared: 0,
            substitute: None,
            eof: false,
            wants_more_room: false,
        }
    }

    /// Reads until it is clear whether HTTP/2 is spoken with prior knowledge.
    pub(crate) async fn speaks_http2(&mut self) -> io::Result<bool> {
        loop {
            let known = self.held().len().min(PREFACE.len());
            if self.held().get(..known) != PREFACE.get(..known) {
                return Ok(false);
            }
            if known == PREFACE.len() {
                return Ok(true);
            }
            if !self.read_on().await? {
                return Ok(false);
            }
        }
    }

    /// From now on nothing is scanned.
    pub(crate) fn pass_through(&mut self) {
        self.wire.enter(Phase::Free);
        self.mode = Mode::Through;
        self.cleared = self.held().len();
    }

    /// The stream and what was read of it but not given to hyper.
    pub(crate) fn into_parts(self) -> (S, Vec<u8>) {
        let held = self.held().to_vec();
        (self.stream, held)
    }

    /// The SETTINGS frame that follows an HTTP/2 preface, as identifiers and values.
    pub(crate) async fn settings(&mut self) -> io::Result<Option<Box<[(u16, u32)]>>> {
        loop {
            let frames = self.held().get(PREFACE.len()..).unwrap_or_default();
            if let Some((&[a, b, c, kind, ..], rest)) = frames.split_first_chunk::<9>() {
                let length = u32::from_be_bytes([0, a, b, c]) as usize;
                if kind != SETTINGS_FRAME || length > SETTINGS_BYTES_MAX {
                    return Ok(None);
                }
                if let Some(payload) = rest.get(..length) {
                    return Ok(Some(payload.chunks_exact(6).filter_map(setting).collect()));
                }
            }
            if !self.read_on().await? {
                return Ok(None);
            }
        }
    }

    /// Waits for more bytes; false at the end of the stream.
    async fn read_on(&mut self) -> io::Result<bool> {
        std::future::poll_fn(|cx| {
            if self.wire.expired().is_some() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            if self.wire.is_closing() && self.held().is_empty() {
                self.eof = true;
                return Poll::Ready(Ok(()));
            }
            let polled = self.poll_fill(cx);
            if polled.is_pending() {
                self.wire.park(cx);
            }
            polled
        })
        .await?;
        if !self.held().is_empty() {
            self.wire.enter(Phase::Head);
        }
        Ok(!self.eof)
    }

    fn held(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads once from the stream into the buffer.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        if self.end == self.buffer.len() || self.wants_more_room {
            self.make_room();
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let mut read = ReadBuf::new(free);
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        let got = read.filled().len();
        // What fills a small buffer at once is a body: read the rest of it in fewer pieces.
        self.wants_more_room = read.remaining() == 0 && self.buffer.len() < BUFFER_BYTES_LARGE;
        self.eof = got == 0;
        self.end += got;
        Poll::Ready(Ok(()))
    }

    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() || self.wants_more_room {
            let size = match self.buffer.len() {
                0 => BUFFER_BYTES,
                size => (size * 2).max(BUFFER_BYTES_LARGE),
            };
            self.buffer.resize(size, 0);
        }
    }

    /// Gives hyper what it may have; false when there is nothing.
    fn give(&mut self, cursor: &mut ReadBufCursor<'_>) -> bool {
        if let Some(line) = &mut self.substitute {
            let now = line.split_to(line.len().min(cursor.remaining()));
            cursor.put_slice(&now);
            if line.is_empty() {
                self.substitute = None;
            }
            return true;
        }
        let size = self.cleared.min(cursor.remaining());
        if size == 0 {
            return false;
        }
        cursor.put_slice(self.buffer.get(self.start..self.start + size).unwrap_or_default());
        self.start += size;
        self.cleared -= size;
        true
    }

    /// Looks at held bytes; what it clears, `give` hands out.
    fn scan(&mut self) -> Result<Scan, Refusal> {
        let held = self.buffer.get(self.start..self.end).unwrap_or_default();
        match &mut self.mode {
            Mode::Through => {
                self.cleared = held.len();
                Ok(if held.is_empty() { Scan::More } else { Scan::Cleared })
            }
            Mode::Body(body) => {
                if held.is_empty() {
                    return Ok(Scan::More);
                }
                self.cleared = body.pass(held).inspect_err(|fault| self.wire.fail_body(*fault))?;
                self.wire.body_progress(self.cleared);
                if body.is_done() {
                    self.mode = Mode::Head(HeadScanner::default());
                    self.wire.enter(Phase::Exchange);
                }
                Ok(Scan::Cleared)
            }
            Mode::Head(_) if self.wire.is_in_flight() => Ok(Scan::Hold),
            Mode::Head(scanner) => {
                self.wire.enter(if held.is_empty() { Phase::Idle } else { Phase::Head });
                match scanner.step(held, &self.wire.limits) {
                    HeadStep::More => Ok(Scan::More),
                    HeadStep::Refused(refusal) => {
                        self.wire.refuse(refusal, held);
                        Err(refusal)
                    }
                    HeadStep::Complete { head, length } => {
                        self.clear_head(head, length);
                        Ok(Scan::Cleared)
                    }
                }
            }
        }
    }

    /// Whether an order to close ends the stream at this place, between two requests. HTTP/2 closes
    /// in its own way: to it an end of the stream would be the end of every exchange under way.
    fn ends_here(&self) -> bool {
        self.wire.is_closing() && self.held().is_empty() && !matches!(self.mode, Mode::Through)
    }

    fn clear_head(&mut self, head: Head, length: usize) {
        self.cleared = length;
        // hyper's Uri carries neither every legal byte nor needs to know the authority twice.
        if head.exotic_target || !matches!(head.form, TargetForm::Origin) {
            let line_end = memchr::memmem::find(&head.raw, b" HTTP/1.")
                .map_or(0, |at| at + b" HTTP/1.x".len());
            let version = head.raw.get(line_end.saturating_sub(9)..line_end).unwrap_or_default();
            let target: &[u8] = match head.form {
                TargetForm::Asterisk => b" *",
                _ => b" /",
            };
            self.substitute = Some(Bytes::from([head.method(), target, version].concat()));
            self.start += line_end;
            self.cleared = length.saturating_sub(line_end);
        }
        let body = BodyScanner::new(head.body);
        let empty = body.is_done();
        self.wire.enter(if empty { Phase::Exchange } else { Phase::Body });
        self.mode = if empty { Mode::Head(HeadScanner::default()) } else { Mode::Body(body) };
        self.wire.accept(head);
    }

    /// A deadline has passed; what that means depends on what was awaited.
    fn expire(&self, expiry: Expiry) -> Poll<io::Result<()>> {
        match self.wire.phase() {
            _ if expiry == Expiry::Write => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Phase::Head => {
                self.wire.refuse(Refusal::HeadTimeout, self.held());
                Poll::Ready(Ok(()))
            }
            Phase::Body => {
                self.wire.fail_body(Refusal::BodyTooSlow);
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// One setting of a SETTINGS frame (RFC 9113 §6.5.1).
fn setting(bytes: &[u8]) -> Option<(u16, u32)> {
    let &[a, b, c, d, e, f] = bytes else { return None };
    Some((u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])))
}

enum Scan {
    Cleared,
    More,
    Hold,
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Read for CallerIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.give(&mut cursor) {
                return Poll::Ready(Ok(()));
            }
            if this.wire.is_refused() {
                return Poll::Ready(Ok(()));
            }
            let hold = match this.scan() {
                Ok(Scan::Cleared) => continue,
                Ok(Scan::More) => false,
                Ok(Scan::Hold) => true,
                Err(_) if matches!(this.mode, Mode::Body(_)) => {
                    return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                }
                Err(_) => return Poll::Ready(Ok(())),
            };
            if let Some(expiry) = this.wire.expired() {
                return this.expire(expiry);
            }
            if !hold && (this.eof || this.ends_here()) {
                return Poll::Ready(Ok(()));
            }
            if hold && (this.eof || !this.held().is_empty()) {
                this.wire.hold();
            }
            let full = hold && (this.eof || this.held().len() >= HELD_BYTES_MAX);
            if full || this.poll_fill(cx)?.is_pending() {
                this.wire.park(cx);
                return Poll::Pending;
            }
            if hold && this.eof {
                // The caller may still be listening: it gets its answer, for a while.
                this.wire.half_close();
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> CallerIo<S> {
    fn written(&self, cx: &Context<'_>, polled: &Poll<io::Result<usize>>) {
        let blocked = polled.is_pending();
        self.wire.write_blocked(blocked);
        if blocked {
            self.wire.park(cx);
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Write for CallerIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.wire.expired() == Some(Expiry::Write) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, &polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.wire.expired() == Some(Expiry::Write) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let this = &mut *self;
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        let polled = if length <= JOINED_BYTES_MAX {
            let mut joined = [0; JOINED_BYTES_MAX];
            let mut at = 0;
            for slice in slices {
                if let Some(place) = joined.get_mut(at..at + slice.len()) {
                    place.copy_from_slice(slice);
                }
                at += slice.len();
            }
            Pin::new(&mut this.stream).poll_write(cx, joined.get(..length).unwrap_or_default())
        } else {
            Pin::new(&mut this.stream).poll_write_vectored(cx, slices)
        };
        self.written(cx, &polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
