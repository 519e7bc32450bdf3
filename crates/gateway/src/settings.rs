//! How the gateway is set up: what it listens on, its bounds and its deadlines.

use std::{net::TcpListener, sync::Arc, time::Duration};

use rustls::ServerConfig;
use shield::Engine;
use traffic::Event;

use crate::{access::AccessSink, sites::Sites, slow_uploads::SlowUploads, terms::CallerTerms};

/// A listening socket and how TLS ends on it, if it does.
pub struct Listener {
    /// Bound and listening.
    pub socket: TcpListener,
    /// `None` for clear text.
    pub tls: Option<Arc<ServerConfig>>,
    /// Trusted peers say first whose connection it is.
    pub proxy_protocol: bool,
}

impl Listener {
    /// A socket on which clear text is spoken, or TLS, from the first byte on.
    #[must_use]
    pub const fn new(socket: TcpListener, tls: Option<Arc<ServerConfig>>) -> Self {
        Self { socket, tls, proxy_protocol: false }
    }
}

/// Takes the events of exchanges that are worth one. It must not block.
pub type EventSink = Arc<dyn Fn(Event) + Send + Sync>;

/// Bounds of a caller's HTTP/2 connection; Envoy's advice for an edge.
#[derive(Clone, Copy, Debug)]
pub struct Http2Limits {
    /// Streams at one time.
    pub streams: u32,
    /// Bytes of a header list, decoded.
    pub header_list_bytes: u32,
    /// Flow-control window of a stream.
    pub stream_window_bytes: u32,
    /// Flow-control window of the connection.
    pub connection_window_bytes: u32,
    /// Bytes of an answer that may wait per stream.
    pub send_buffer_bytes: usize,
    /// Streams that may be reset at one time before the connection is closed.
    pub resets: usize,
}

impl Default for Http2Limits {
    fn default() -> Self {
        Self {
            streams: 100,
            header_list_bytes: 32 << 10,
            stream_window_bytes: 64 << 10,
            connection_window_bytes: 1 << 20,
            send_buffer_bytes: 64 << 10,
            resets: 100,
        }
    }
}

/// Everything that the gateway starts with.
pub struct Settings {
    /// Decides.
    pub engine: Arc<Engine>,
    /// Where events go.
    pub events: EventSink,
    /// Where each exchange goes when it has ended, if somebody keeps an access log.
    pub access: Option<AccessSink>,
    /// Where requests go.
    pub sites: Sites,
    /// Threads that serve; each has its own connections to upstreams.
    pub workers: usize,
    /// What callers are held to, until a reload says otherwise.
    pub terms: CallerTerms,
    /// Connections at one time, all workers together.
    pub connections_max: usize,
    /// Connections at one time from one address.
    pub connections_per_source_max: usize,
    /// Requests under way at one time, per worker; more wait, and then are told to come again.
    pub requests_max: usize,
    /// Bytes of bodies that may be held for inspection at one time, per worker.
    pub held_bytes_max: usize,
    /// Counts slow uploads, all workers together.
    pub slow_uploads: SlowUploads,
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
            access: None,
            sites,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            terms: CallerTerms::default(),
            connections_max: 16_384,
            connections_per_source_max: 4_096,
            requests_max: 2_048,
            held_bytes_max: 32 << 20,
            slow_uploads: SlowUploads::default(),
            drain_timeout: Duration::from_secs(30),
        }
    }
}
