//! Where requests go: an upstream as configured, and the worker's connections to it.
//!
//! Each worker keeps connections of its own, so nothing is shared and nothing is locked. HTTP/1 is
//! spoken here, by the exchange that uses the connection: no task beside it, no channel, no second
//! form of the message, and each rule of framing is ours. HTTP/2 connections carry many exchanges;
//! hyper speaks it, in a task for each connection.
//!
//! Deliberately absent: balancing and health checks. A caller that hangs up is never an upstream's
//! failure, so there is no failure count to poison.

mod address;
mod answer_body;
mod answer_head;
mod answered;
mod connect;
mod link;
mod outbound;
mod pool;
mod sending;
mod stream;
#[cfg(test)]
mod tests;

pub use address::{Speech, Upstream, UpstreamUrlError, client_tls};
pub(crate) use answered::{AnswerBody, Answered, BodyFault};
pub(crate) use link::Link;
pub(crate) use outbound::Outbound;
pub(crate) use pool::{Pool, UpstreamFault};

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
