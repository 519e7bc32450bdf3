//! Crate `gateway`: the inline reverse proxy.
//!
//! A caller's connection is accepted by one worker and stays there (`listen`, `worker`);
//! `connection` tells HTTP/1 from HTTP/2. HTTP/1 is read and written here (`http1`, by the strict
//! rules of `framing`), HTTP/2 by hyper. `exchange` is one request from head to answer: the
//! decision, the headers (`headers`), the upstream (`upstream`), and the answer on its way back
//! (`relay`).
//!
//! Invariant: every request that is not forwarded has an event whose ID the caller got.
//! Invariant: what goes upstream is re-serialised from the parsed form, never passed on raw.
//! Invariant: memory per connection is bounded, whatever size the bodies have.
//! Invariant: only this crate knows hyper.

mod access;
mod answer;
mod arrival;
mod certificates;
mod connection;
pub mod decode;
mod exchange;
mod flow;
pub mod framing;
mod headers;
mod hello;
mod http1;
mod http2_faults;
mod ids;
mod inbound;
mod io;
mod listen;
mod meters;
mod output;
pub mod proxy_protocol;
mod pulse;
mod relay;
mod settings;
mod setup;
mod sites;
mod slow_uploads;
mod sources;
mod terms;
mod ticker;
mod tunnel;
mod upload;
mod upstream;
mod wire;
mod worker;

pub use access::{Access, AccessSink};
pub use certificates::{Certificates, Renewed};
pub use listen::{Gateway, bind};
pub use meters::{Metered, Meters, Phase, Shed, TOOK_BOUNDS_US, Took};
pub use pulse::Pulse;
pub use settings::{EventSink, Http2Limits, Listener, Settings};
pub use setup::{SetupError, admin_tls, file_faults, listeners, sites};
pub use sites::{Site, Sites};
pub use slow_uploads::SlowUploads;
pub use terms::{CallerTerms, Terms};
pub use upstream::{
    Care, Speech, Upstream, UpstreamDeadlines, UpstreamStanding, UpstreamUrlError, client_tls,
};
pub use wire::CallerDeadlines;
