//! What is still to be written of a request: a head, and a body piece by piece as it comes.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame};
use tokio::io::AsyncWrite;

use super::{
    outbound::{Framing, write_field},
    stream::Transport,
};
use crate::{
    headers::prepare_trailers,
    upload::{Upload, UploadError},
};

/// Data up to this size is copied behind the head: one piece costs the kernel less than two.
const COPIED_BYTES_MAX: usize = 4 << 10;

/// Bytes on their way out, in this order.
#[derive(Default)]
pub(super) struct Output {
    front: Vec<u8>,
    sent: usize,
    data: Bytes,
    back: &'static [u8],
}

impl Output {
    /// Where a head, or what introduces data, is written. Only for an output that is empty.
    pub(super) fn front(&mut self) -> &mut Vec<u8> {
        &mut self.front
    }

    /// Data behind the front.
    pub(super) fn push(&mut self, data: Bytes) {
        if data.len() <= COPIED_BYTES_MAX {
            self.front.extend_from_slice(&data);
        } else {
            self.data = data;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.front.is_empty() && self.data.is_empty() && self.back.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.front.clear();
        self.sent = 0;
        self.data = Bytes::new();
        self.back = b"";
    }

    /// Writes; how many bytes went, or that nothing is left.
    pub(super) fn poll_write(
        &mut self,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let front = self.front.get(self.sent..).unwrap_or_default();
        let transport = Pin::new(transport);
        let written = if self.data.is_empty() && self.back.is_empty() {
            ready!(transport.poll_write(cx, front))?
        } else {
            let slices = [IoSlice::new(front), IoSlice::new(&self.data), IoSlice::new(self.back)];
            ready!(transport.poll_write_vectored(cx, &slices))?
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
}

/// A body that is sent as it comes.
pub(super) struct Sending {
    pub(super) body: Upload,
    framing: Framing,
}

impl Sending {
    pub(super) fn new(body: Upload, framing: Framing) -> Self {
        Self { body, framing }
    }

    /// Puts the next piece into an empty output; false when there is none left.
    pub(super) fn poll_next(
        &mut self,
        output: &mut Output,
        cx: &mut Context<'_>,
    ) -> Poll<Result<bool, UploadError>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose()?;
        Poll::Ready(match &mut self.framing {
            Framing::None => Ok(false),
            Framing::Length(left) => push_part(frame, left, output),
            Framing::Chunked => Ok(push_chunk(frame, output)),
        })
    }
}

/// A part of a body whose length was promised: neither more nor less than that is sent.
fn push_part(
    frame: Option<Frame<Bytes>>,
    left: &mut u64,
    output: &mut Output,
) -> Result<bool, UploadError> {
    let Some(Ok(data)) = frame.map(Frame::into_data) else {
        return if *left == 0 { Ok(false) } else { Err(UploadError::Length) };
    };
    *left = left.checked_sub(data.len() as u64).ok_or(UploadError::Length)?;
    output.push(data);
    Ok(*left > 0)
}

fn push_chunk(frame: Option<Frame<Bytes>>, output: &mut Output) -> bool {
    let front = output.front();
    match frame.map(Frame::into_data) {
        // An empty chunk would be the last one.
        Some(Ok(data)) if data.is_empty() => true,
        Some(Ok(data)) => {
            front.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
            output.push(data);
            if output.data.is_empty() {
                output.front.extend_from_slice(b"\r\n");
            } else {
                output.back = b"\r\n";
            }
            true
        }
        Some(Err(last)) => {
            front.extend_from_slice(b"0\r\n");
            if let Ok(mut trailers) = last.into_trailers() {
                prepare_trailers(&mut trailers);
                for (name, value) in &trailers {
                    write_field(front, name, value.as_bytes());
                }
            }
            front.extend_from_slice(b"\r\n");
            false
        }
        None => {
            front.extend_from_slice(b"0\r\n\r\n");
            false
        }
    }
}
