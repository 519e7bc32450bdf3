//! Where requests go: an upstream as configured, and the worker's connections to it.
//!
//! Each worker keeps connections of its own, so nothing is shared and nothing is locked. HTTP/1 is
//! spoken here, by the exchange that uses the connection: no task beside it, no channel, no second
//! form of the message, and each rule of framing is ours. HTTP/2 connections carry many exchanges;
//! hyper speaks it, in a task for each connection.
//!
//! `group` chooses among the upstreams of a site and tries another one where that is safe; `health`
//! is what is known of them, shared by all workers. A caller that hangs up is never an upstream's
//! failure: no count is there for it to poison.

mod address;
mod answer_body;
mod answer_head;
mod answered;
mod connect;
mod group;
mod health;
mod lease;
mod link;
mod outbound;
mod patience;
mod ping;
mod pool;
mod sending;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use address::Authorities;
pub use address::{Speech, Upstream, UpstreamUrlError, client_tls};
pub(crate) use answered::{AnswerBody, Answered, BodyFault};
pub(crate) use group::Group;
pub use health::{Care, UpstreamStanding};
pub(crate) use health::{Health, Row};
pub(crate) use lease::Lease;
pub(crate) use link::Link;
pub(crate) use outbound::Outbound;
pub(crate) use ping::watch;
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
