//! What has come of a body that is held. Most bodies come in one piece, which is then not copied.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body;

/// A promise of more is not taken at its word: memory is given as bytes come.
const PROMISE_TRUSTED_MAX: usize = 64 << 10;

#[derive(Default)]
pub(super) struct Held {
    /// How many bytes are promised, and at most as many as are wanted.
    expected: usize,
    first: Bytes,
    rest: BytesMut,
    trailers: Option<HeaderMap>,
}

impl Held {
    pub(super) fn expecting(bytes: usize) -> Self {
        Self { expected: bytes, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    /// What is here.
    pub(super) fn bytes(&self) -> &[u8] {
        if self.rest.is_empty() { &self.first } else { &self.rest }
    }

    /// Reads until the end (true) or until enough is there (false).
    pub(super) async fn fill<B: Body<Data = Bytes> + Unpin>(
        &mut self,
        incoming: &mut B,
        bytes_max: usize,
    ) -> Result<bool, B::Error> {
        while !incoming.is_end_stream() {
            if self.len() >= bytes_max {
                return Ok(false);
            }
            let frame = std::future::poll_fn(|cx| Pin::new(&mut *incoming).poll_frame(cx)).await;
            let Some(frame) = frame else { return Ok(true) };
            match frame?.into_data() {
                Ok(data) => self.take_in(data),
                Err(last) => {
                    self.trailers = last.into_trailers().ok();
                    return Ok(true);
                }
            }
        }
        Ok(true)
    }

    fn take_in(&mut self, data: Bytes) {
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = data;
            return;
        }
        if self.rest.is_empty() {
            // Room for all of it at once: growing would copy what is there time and again.
            self.rest.reserve(self.expected.min(PROMISE_TRUSTED_MAX));
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.rest.extend_from_slice(&data);
    }

    pub(super) fn into_parts(self) -> (Bytes, Option<HeaderMap>) {
        let bytes = if self.rest.is_empty() { self.first } else { self.rest.freeze() };
        (bytes, self.trailers)
    }
}
