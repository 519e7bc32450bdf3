//! A request's body on its way over an HTTP/1 connection.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame};

use super::outbound::Framing;
use crate::{
    headers::prepare_trailers,
    output::Output,
    upload::{Upload, UploadError},
};

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
            Framing::Chunked => Ok(output.push_chunk(frame, prepare_trailers)),
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
