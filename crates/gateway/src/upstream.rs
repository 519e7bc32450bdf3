//! Where requests go: an upstream as configured, and the worker's connections to it.
//!
//! Each worker keeps connections of its own, so nothing is shared and nothing is locked. An HTTP/1
//! connection is driven by the exchange that uses it rather than by a task beside it, which saves
//! two wake-ups a request; HTTP/2 connections carry many exchanges and have a task of their own.
//!
//! Deliberately absent: balancing and health checks. A caller that hangs up is never an upstream's
//! failure, so there is no failure count to poison.

mod address;
mod connect;
mod link;
mod pool;
mod stream;
#[cfg(test)]
mod tests;

pub use address::{Speech, Upstream, UpstreamUrlError};
pub(crate) use link::{Answered, Link};
pub(crate) use pool::{Outbound, Pool, UpstreamFault};

use std::time::Duration;

/// Deadlines and bounds towards upstreams.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpstreamDeadlines {
    /// Name look-up, TCP and TLS together.
    pub connect: Duration,
    /// From the request to the first byte of the answer's head.
    pub first_byte: Duration,
    /// Between two pieces of an answer; server-sent events live with it too.
    pub answer_idle: Duration,
    /// How long an unused connection is kept.
    pub keep_idle: Duration,
    /// Unused connections kept, per worker.
    pub keep_max: usize,
}

impl Default for UpstreamDeadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(60),
            answer_idle: Duration::from_secs(300),
            keep_idle: Duration::from_secs(30),
            keep_max: 256,
        }
    }
}
