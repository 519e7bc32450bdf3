//! What callers are held to: the bounds of their heads, deadlines, and HTTP/2 connections.
//!
//! A connection keeps the terms it began under; a reload puts others in place for those to come.

use std::sync::{Arc, Mutex, PoisonError};

use shield::policy::{Policy, UnderscoreHeaders};

use crate::{framing::HeadLimits, settings::Http2Limits, wire::CallerDeadlines};

/// The terms of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallerTerms {
    /// Bounds of a request head.
    pub head: HeadLimits,
    /// Deadlines of the connection.
    pub deadlines: CallerDeadlines,
    /// Bounds of an HTTP/2 connection.
    pub http2: Http2Limits,
}

impl CallerTerms {
    /// These terms with what a policy says about callers.
    #[must_use]
    pub fn under(mut self, policy: &Policy) -> Self {
        let limits = &policy.limits;
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        self.head.header_bytes = size(limits.header_bytes.value);
        self.head.header_count = usize::try_from(limits.header_count.value).unwrap_or(100);
        self.head.target_bytes = size(limits.uri_bytes.value);
        self.head.reject_underscores = limits.underscore_headers.value == UnderscoreHeaders::Reject;
        self.deadlines.head = limits.header_timeout.value;
        self.deadlines.idle = limits.idle_timeout.value;
        self.deadlines.body_min_rate = limits.body_min_rate.value;
        self.http2.streams = limits.h2_streams.value;
        self.http2.header_list_bytes =
            u32::try_from(limits.h2_header_list.value).unwrap_or(u32::MAX);
        self
    }
}

/// The terms of connections to come, shared with all workers.
#[derive(Clone, Debug, Default)]
pub struct Terms(Arc<Mutex<CallerTerms>>);

impl Terms {
    /// Terms to start with.
    #[must_use]
    pub fn new(terms: CallerTerms) -> Self {
        Self(Arc::new(Mutex::new(terms)))
    }

    /// What a connection that begins now is held to.
    #[must_use]
    pub fn current(&self) -> CallerTerms {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds connections to come to what a policy says.
    pub fn put_under(&self, policy: &Policy) {
        let mut terms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *terms = terms.under(policy);
    }
}
