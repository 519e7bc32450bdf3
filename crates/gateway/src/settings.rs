//! How the gateway is set up: what it listens on, its bounds and its deadlines.

use std::{net::TcpListener, sync::Arc, time::Duration};

use rustls::ServerConfig;
use shield::Engine;
use traffic::Event;

use crate::{framing::HeadLimits, sites::Sites, wire::CallerDeadlines};

/// A listening socket and how TLS ends on it, if it does.
pub struct Listener {
    /// Bound and listening.
    pub socket: TcpListener,
    /// `None` for clear text.
    pub tls: Option<Arc<ServerConfig>>,
}

/// Takes the events of exchanges that are worth one. It must not block.
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;

/// Everything that stays the same while the gateway runs.
pub struct Settings {
    /// Decides.
    pub engine: Arc<Engine>,
    /// Where events go.
    pub events: EventSink,
    /// Where requests go.
    pub sites: Sites,
    /// Threads that serve; each has its own connections to upstreams.
    pub workers: usize,
    /// Bounds of a request head.
    pub head_limits: HeadLimits,
    /// Deadlines of callers' connections.
    pub caller_deadlines: CallerDeadlines,
    /// Connections at one time, all workers together.
    pub connections_max: usize,
    /// Connections at one time from one address.
    pub connections_per_source_max: usize,
    /// Requests under way at one time, per worker; more wait, and then are told to come again.
    pub requests_max: usize,
    /// Bytes of bodies that may be held for inspection at one time, per worker.
    pub held_bytes_max: usize,
    /// How long exchanges under way may take once draining has begun.
    pub drain_timeout: Duration,
}

impl Settings {
    /// The defaults around an engine.
    #[must_use]
    pub fn new(engine: Arc<Engine>, events: EventSink, sites: Sites) -> Self {
        Self {
            engine,
            events,
            sites,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            head_limits: HeadLimits::default(),
            caller_deadlines: CallerDeadlines::default(),
            connections_max: 16_384,
            connections_per_source_max: 4_096,
            requests_max: 2_048,
            held_bytes_max: 32 << 20,
            drain_timeout: Duration::from_secs(30),
        }
    }
}
