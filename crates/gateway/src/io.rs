//! A caller's byte stream with what was read of it, before and beside HTTP.
//!
//! It tells HTTP/2 from HTTP/1 by its first bytes. HTTP/1 is read from its buffer; HTTP/2, whose
//! framing leaves no room for two readings, goes to hyper as it comes.

use std::{
    io,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
};

use bytes::{Buf, BytesMut};
use hyper::rt::ReadBufCursor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use crate::{
    http2_faults::SentFrames,
    wire::{Expiry, Phase, Wire},
};

/// Most heads fit; a connection that needs more gets more.
const ROOM_LEAST: usize = 4 << 10;
const ROOM_MOST: usize = 64 << 10;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS_FRAME: u8 = 4;
/// Room for 64 settings; seven are defined.
const SETTINGS_BYTES_MAX: usize = 384;

pub(crate) struct CallerIo<S> {
    pub(crate) stream: S,
    pub(crate) wire: Rc<Wire>,
    /// What was read and is not used yet.
    pub(crate) input: BytesMut,
    pub(crate) eof: bool,
    room: usize,
    /// The buffer was made for a body: it is not kept.
    grown: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> CallerIo<S> {
    pub(crate) fn new(stream: S, wire: Rc<Wire>) -> Self {
        Self { stream, wire, input: BytesMut::new(), eof: false, room: ROOM_LEAST, grown: false }
    }

    /// Reads until it is clear whether HTTP/2 is spoken with prior knowledge.
    pub(crate) async fn speaks_http2(&mut self) -> io::Result<bool> {
        loop {
            let known = self.input.len().min(PREFACE.len());
            if self.input.get(..known) != PREFACE.get(..known) {
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

    /// The SETTINGS frame that follows an HTTP/2 preface, as identifiers and values.
    pub(crate) async fn settings(&mut self) -> io::Result<Option<Box<[(u16, u32)]>>> {
        loop {
            let frames = self.input.get(PREFACE.len()..).unwrap_or_default();
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
            if self.wire.is_closing() && self.input.is_empty() {
                self.eof = true;
                return Poll::Ready(Ok(()));
            }
            self.poll_fill(cx)
        })
        .await?;
        if !self.input.is_empty() {
            self.wire.enter(Phase::Head);
        }
        Ok(!self.eof)
    }

    /// Whether the caller has sent anything.
    pub(crate) fn has_begun(&self) -> bool {
        !self.input.is_empty()
    }

    /// HTTP/2 from here on: its own framing rules apply, ours do not.
    pub(crate) fn into_http2(self) -> Http2Io<S> {
        self.wire.enter_http2();
        Http2Io { caller: self, sent: SentFrames::default() }
    }

    /// Reads once from the stream into the buffer.
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What is left over is used up first: it costs no new buffer.
        if self.input.capacity() - self.input.len() < ROOM_LEAST / 4 {
            self.input.reserve(self.room);
        }
        let room = self.input.capacity() - self.input.len();
        let polled = pin!(self.stream.read_buf(&mut self.input)).poll(cx);
        let Poll::Ready(read) = polled else {
            self.wire.park(cx);
            return Poll::Pending;
        };
        let read = read?;
        self.eof = read == 0;
        // What fills a small buffer at once is a body: read the rest of it in fewer pieces.
        self.room = if read == room { ROOM_MOST } else { ROOM_LEAST };
        self.grown |= read == room;
        Poll::Ready(Ok(()))
    }

    /// Makes room for so much of a body to arrive in one piece.
    pub(crate) fn make_room(&mut self, bytes: usize) {
        self.input.reserve(bytes.min(ROOM_MOST).saturating_sub(self.input.len()));
        self.grown |= bytes > ROOM_LEAST;
    }

    /// Gives a large buffer back that nothing is left in.
    pub(crate) fn rest(&mut self) {
        if self.grown && self.input.is_empty() {
            self.input = BytesMut::new();
            self.room = ROOM_LEAST;
            self.grown = false;
        }
    }

    fn written<T>(&self, cx: &Context<'_>, polled: &Poll<T>) {
        let blocked = polled.is_pending();
        self.wire.write_blocked(blocked);
        if blocked {
            self.wire.park(cx);
        }
    }

    /// Writes by `write`, unless the caller has let writes wait for too long.
    pub(crate) fn poll_write_by<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(&mut S, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.wire.expired() == Some(Expiry::Write) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let polled = write(&mut self.stream, cx);
        self.written(cx, &polled);
        polled
    }
}

/// One setting of a SETTINGS frame (RFC 9113 §6.5.1).
fn setting(bytes: &[u8]) -> Option<(u16, u32)> {
    let &[a, b, c, d, e, f] = bytes else { return None };
    Some((u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])))
}

/// A caller's byte stream as HTTP/2 reads and writes it.
pub(crate) struct Http2Io<S> {
    caller: CallerIo<S>,
    /// What the HTTP/2 library refuses shows in what it sends.
    sent: SentFrames,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Http2Io<S> {
    fn note_sent(&mut self, slices: &[io::IoSlice<'_>], polled: &Poll<io::Result<usize>>) {
        let Poll::Ready(Ok(size)) = polled else { return };
        let mut left = *size;
        for slice in slices {
            let now = slice.get(..slice.len().min(left)).unwrap_or_default();
            self.sent.pass(now, |fault| self.caller.wire.note_http2_fault(fault));
            left -= now.len();
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Read for Http2Io<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let caller = &mut self.caller;
        if caller.input.is_empty() {
            // With no time left to read, HTTP/2 says good-bye first: the connection sees to that.
            if caller.wire.expired() == Some(Expiry::Write) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            if caller.eof {
                return Poll::Ready(Ok(()));
            }
            std::task::ready!(caller.poll_fill(cx))?;
        }
        let length = caller.input.len().min(cursor.remaining());
        cursor.put_slice(caller.input.get(..length).unwrap_or_default());
        caller.input.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> hyper::rt::Write for Http2Io<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = |stream: &mut S, cx: &mut Context<'_>| Pin::new(stream).poll_write(cx, bytes);
        let polled = self.caller.poll_write_by(cx, write);
        self.note_sent(&[io::IoSlice::new(bytes)], &polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = self
            .caller
            .poll_write_by(cx, |stream, cx| Pin::new(stream).poll_write_vectored(cx, slices));
        self.note_sent(slices, &polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.caller.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.caller.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.caller.stream).poll_shutdown(cx)
    }
}
