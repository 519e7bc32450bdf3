//! How the gateway is set up: what it listens on, its bounds and its deadlines.

use std::{net::TcpListener, sync::Arc, time::Duration};

use rustls::ServerConfig;

use crate::{
    framing::HeadLimits,
    upstream::{Upstream, UpstreamDeadlines},
    wire::CallerDeadlines,
};

/// A listening socket and how TLS ends on it, if it does.
pub struct Listener {
    /// Bound and listening.
    pub socket: TcpListener,
    /// `None` for clear text.
    pub tls: Option<Arc<ServerConfig>>,
}

/// Everything that stays the same while the gateway runs.
pub struct Settings {
    /// Threads that serve; each has its own connections to upstreams.
    pub workers: usize,
    /// Bounds of a request head.
    pub head_limits: HeadLimits,
    /// Deadlines of callers' connections.
    pub caller_deadlines: CallerDeadlines,
    /// Deadlines and bounds towards upstreams.
    pub upstream_deadlines: UpstreamDeadlines,
    /// Where requests go.
    pub upstream: Upstream,
    /// Connections at one time, all workers together.
    pub connections_max: usize,
    /// How long exchanges under way may take once draining has begun.
    pub drain_timeout: Duration,
    /// Computes the JA4 fingerprint of a ClientHello.
    pub ja4: Option<fn(&[u8]) -> Option<String>>,
}
