//! One entry for each exchange that has ended, for an access log. None is made where nobody keeps
//! one.

use std::sync::Arc;

use shield::Accessed;
use traffic::{EventId, Timestamp};

/// The status of an exchange whose caller had gone before there was one.
const CALLER_GONE: u16 = 499;

/// An exchange that has ended.
#[derive(Clone, Debug)]
pub struct Access {
    /// When its head had come.
    pub at: Timestamp,
    /// Microseconds until the last byte of its answer.
    pub took_us: u64,
    /// The ID of its event, should there be one.
    pub event: EventId,
    /// The ID that its caller and the upstream know it by.
    pub request_id: String,
    /// What the caller was told; 499 when it had gone before.
    pub status: u16,
    /// Bytes of the upstream's answer.
    pub bytes: u64,
    /// What was asked; none when the request could not be read.
    pub asked: Option<Accessed>,
}

/// Takes what has ended. It must not block.
pub type AccessSink = Arc<dyn Fn(Access) + Send + Sync>;

impl Access {
    /// One that begins now.
    pub(crate) fn begin(at: Timestamp, event: EventId) -> Box<Self> {
        let (request_id, status, bytes, asked) = (String::new(), CALLER_GONE, 0, None);
        Box::new(Self { at, took_us: 0, event, request_id, status, bytes, asked })
    }

    /// It ends.
    pub(crate) fn end(mut self, now: Timestamp) -> Self {
        self.took_us = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        self
    }
}
