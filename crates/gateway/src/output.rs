//! What is still to be written of a message in HTTP/1: a head, and a body piece by piece.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName};
use http_body::Frame;
use tokio::io::AsyncWrite;

/// Data up to this size is copied behind the head: one piece costs the kernel less than two.
const COPIED_BYTES_MAX: usize = 4 << 10;
/// More than this is not gathered before it is written.
const GATHERED_BYTES_MAX: usize = 16 << 10;

/// Bytes on their way out, in this order.
#[derive(Default)]
pub(crate) struct Output {
    front: Vec<u8>,
    sent: usize,
    data: Bytes,
    back: &'static [u8],
}

impl Output {
    /// Where heads and what introduces data are written. Only for an output that is not full.
    pub(crate) fn front(&mut self) -> &mut Vec<u8> {
        &mut self.front
    }

    /// Data behind the front.
    pub(crate) fn push(&mut self, data: Bytes) {
        if data.len() <= COPIED_BYTES_MAX {
            self.front.extend_from_slice(&data);
        } else {
            self.data = data;
        }
    }

    /// Whether it must be written before more is put in.
    pub(crate) fn is_full(&self) -> bool {
        !self.data.is_empty() || !self.back.is_empty() || self.front.len() >= GATHERED_BYTES_MAX
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.front.is_empty() && self.data.is_empty() && self.back.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.front.clear();
        self.sent = 0;
        self.data = Bytes::new();
        self.back = b"";
    }

    /// Writes some of it to `stream`; how many bytes went.
    pub(crate) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let front = self.front.get(self.sent..).unwrap_or_default();
        let stream = Pin::new(stream);
        let written = if self.data.is_empty() && self.back.is_empty() {
            ready!(stream.poll_write(cx, front))?
        } else {
            let slices = [IoSlice::new(front), IoSlice::new(&self.data), IoSlice::new(self.back)];
            ready!(stream.poll_write_vectored(cx, &slices))?
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.advance(written);
        Poll::Ready(Ok(written))
    }

    fn advance(&mut self, written: usize) {
        let from_front = written.min(self.front.len() - self.sent);
        self.sent += from_front;
        if self.sent == self.front.len() {
            self.front.clear();
            self.sent = 0;
        }
        let rest = written - from_front;
        let from_data = rest.min(self.data.len());
        self.data.advance(from_data);
        self.back = self.back.get(rest - from_data..).unwrap_or_default();
    }

    /// A piece of a chunked body, or with `None` its end; whether more may follow. Which trailers
    /// may go on is for `trailers` to say.
    pub(crate) fn push_chunk(
        &mut self,
        frame: Option<Frame<Bytes>>,
        trailers: impl FnOnce(&mut HeaderMap),
    ) -> bool {
        match frame.map(Frame::into_data) {
            // An empty chunk would be the last one.
            Some(Ok(data)) if data.is_empty() => true,
            Some(Ok(data)) => {
                self.front.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
                self.push(data);
                if self.data.is_empty() {
                    self.front.extend_from_slice(b"\r\n");
                } else {
                    self.back = b"\r\n";
                }
                true
            }
            Some(Err(last)) => {
                self.front.extend_from_slice(b"0\r\n");
                if let Ok(mut fields) = last.into_trailers() {
                    trailers(&mut fields);
                    for (name, value) in &fields {
                        write_field(&mut self.front, name, value.as_bytes());
                    }
                }
                self.front.extend_from_slice(b"\r\n");
                false
            }
            None => {
                self.front.extend_from_slice(b"0\r\n\r\n");
                false
            }
        }
    }
}

/// Writes one header line.
pub(crate) fn write_field(out: &mut Vec<u8>, name: &HeaderName, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
