//! Policy documents: from what a user writes to what every request is judged under.
//!
//! `palisade.toml`, the flags of the command line and `overlay.toml` (what was switched on the
//! running instance) are read into documents, checked together, and compiled into one immutable
//! [`Policy`]. Each value in it knows who set it. All mistakes are told at once, each with its
//! place, its cause and what to write instead; a document with a mistake gives no policy.
//!
//! Texts are arguments: nothing here opens a file or resolves a name, so `check`, `run`, a reload
//! and a replay read a policy in the same way.
//!
//! Invariant: an unknown key is an error; no key is accepted that has no effect.
//! Invariant: a request costs one look-up of its host and one of its path; modes are settled when
//! a policy is compiled.

mod admin;
mod check;
mod document;
mod error;
mod explain;
mod health;
mod host;
mod modes;
mod nearest;
pub mod overlay;
mod reader;
mod recorded;
mod route;
mod setting;
mod sink;
mod upstream;
mod value;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use caller::Trust;
use caller::address::AddressSource;
use conduct::Limit;
use http::{HeaderName, Method};
use traffic::{Layer, Mode, Net, Path, Role};

pub use admin::Admin;
pub use error::{Excerpt, Place, PolicyError, Remark, Warning};
pub use explain::{Explanation, LayerMode, NoSuchScope, SetUp, SettingView, Unswitched};
pub use health::{Health, StatusRange};
pub use modes::Modes;
pub use recorded::recorded;
pub use route::RoutePattern;
pub use setting::{Provenance, Setting};
pub use sink::{
    Alerts, KeptSecret, OcsfClass, Sink, SinkAddress, SinkKind, SinkScheme, SinkUrl,
    is_out_of_bounds,
};
pub use upstream::{Upstream, UpstreamScheme};
pub use value::{show_bytes, show_duration};

use host::HostIndex;
use route::RouteIndex;

use crate::rulebook::Rulebook;

/// All that a policy is made from.
#[derive(Clone, Debug, Default)]
pub struct Sources<'t> {
    /// The user's file: its name and its text. Relative paths in it start from its folder.
    pub file: Option<(&'t str, &'t str)>,
    /// The overlay: its name and its text.
    pub overlay: Option<(&'t str, &'t str)>,
    /// The command line.
    pub flags: Flags,
}

/// Flags that complete or override the file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Flags {
    /// `--to`: the upstream of the only site.
    pub to: Option<String>,
    /// `--listen`, each time it was given.
    pub listen: Vec<String>,
    /// `--mode`.
    pub mode: Option<Mode>,
    /// `--data`: the data folder.
    pub data: Option<PathBuf>,
    /// `--workers`.
    pub workers: Option<u16>,
    /// `--crs`: the folder of a Core Rule Set.
    pub crs: Option<PathBuf>,
}

/// A checked policy.
#[derive(Debug)]
pub struct Policy {
    /// How callers come in.
    pub server: Server,
    /// Where the admin API is reached.
    pub admin: Admin,
    /// Certificates by name.
    pub tls: BTreeMap<String, TlsIdentity>,
    /// What a request may be.
    pub limits: Limits,
    /// What is kept, and where.
    pub store: Store,
    /// Rules for known attacks.
    pub rules: Rules,
    /// What is told that is otherwise kept.
    pub debug: Debugging,
    /// From which networks crawlers call, by the names they give themselves.
    pub crawlers: BTreeMap<&'static str, Setting<Vec<Net>>>,
    /// Who is told of attacks.
    pub alerts: Alerts,
    /// What stands behind the gateway, in the order of the file.
    pub sites: Vec<Site>,
    version: u64,
    trust: Trust,
    hosts: HostIndex,
    /// For hosts that no site names.
    unclaimed: Modes,
    /// What `rules` names, loaded by whoever opens files.
    rulebook: Option<Arc<Rulebook>>,
    /// Layers that the overlay turned off everywhere.
    killed: Vec<Layer>,
}

/// `[server]`.
#[derive(Debug)]
pub struct Server {
    /// Where to listen.
    pub listen: Setting<Vec<Listener>>,
    /// Peers whose forwarding headers are believed.
    pub trusted_proxies: Setting<Vec<Net>>,
    /// The header in which they name the caller.
    pub client_ip: Setting<AddressSource>,
    /// Whose request ID is taken over.
    pub request_id_from: Setting<AcceptFrom>,
    /// How long requests under way may take when the process ends.
    pub drain_timeout: Setting<Duration>,
    /// For all tables, buffers and queues together, in bytes.
    pub memory_budget: Setting<u64>,
    /// Worker threads; none is one for each core.
    pub workers: Setting<Option<u16>>,
    /// Where a line is written for each exchange; none is nowhere.
    pub access_log: Setting<Option<AccessLogTo>>,
}

/// Where an access log goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AccessLogTo {
    /// To standard output.
    Stdout,
    /// To the end of this file.
    File(PathBuf),
}

/// An address to listen on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listener {
    /// The address. Port 0 lets the system choose.
    pub address: SocketAddr,
    /// The certificate's name in [`Policy::tls`]; none listens without TLS.
    pub tls: Option<String>,
    /// Trusted proxies say first, by the PROXY protocol, whose connection they pass on.
    pub proxy_protocol: bool,
}

/// `[tls.NAME]`.
#[derive(Clone, Debug)]
pub struct TlsIdentity {
    /// The PEM file of the certificate and its chain.
    pub cert: Setting<PathBuf>,
    /// The PEM file of its private key.
    pub key: Setting<PathBuf>,
    /// The oldest version of TLS that is spoken.
    pub min_version: Setting<TlsVersion>,
}

/// `[limits]`.
#[derive(Debug)]
pub struct Limits {
    /// All headers together, in bytes; above it 431.
    pub header_bytes: Setting<u64>,
    /// How many headers; above it 431.
    pub header_count: Setting<u32>,
    /// The target, in bytes; above it 414.
    pub uri_bytes: Setting<u64>,
    /// A request's body, in bytes; above it 413. None is without limit.
    pub body_bytes: Setting<Option<u64>>,
    /// So much of a body is looked at, in bytes; the rest streams.
    pub inspect_body: Setting<u64>,
    /// A head must be complete by then.
    pub header_timeout: Setting<Duration>,
    /// The least that a body must bring, in bytes per second; 0 lets it take its time.
    pub body_min_rate: Setting<u64>,
    /// A connection without a request is closed by then.
    pub idle_timeout: Setting<Duration>,
    /// What becomes of header names with `_`.
    pub underscore_headers: Setting<UnderscoreHeaders>,
    /// Streams at once on one HTTP/2 connection.
    pub h2_streams: Setting<u32>,
    /// An HTTP/2 header list, in bytes.
    pub h2_header_list: Setting<u64>,
}

/// `[store]`.
#[derive(Debug)]
pub struct Store {
    /// The data folder.
    pub path: Setting<PathBuf>,
    /// How long events are kept.
    pub events: Setting<Duration>,
    /// How long rollups are kept.
    pub rollups: Setting<Duration>,
    /// What the data folder may take, in bytes.
    pub max_disk: Setting<u64>,
}

/// `[rules]`: known attacks, and vulnerabilities that are old.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The folder of an OWASP Core Rule Set.
    pub crs: Setting<Option<PathBuf>>,
    /// Read in place of the set's own `crs-setup`.
    pub setup: Setting<Option<PathBuf>>,
    /// What the Core Rule Set is told about the callers that it guards against.
    pub preset: Setting<Preset>,
    /// Are the built-in rules in force?
    pub builtin: Setting<bool>,
    /// Who decides on what rules find.
    pub blocking: Setting<Blocking>,
    /// The paranoia level of the Core Rule Set; none leaves it to the set's setup.
    pub paranoia: Setting<Option<u8>>,
    /// The anomaly score from which the Core Rule Set refuses a request; none leaves it to the
    /// set's setup.
    pub threshold: Setting<Option<u32>>,
    /// The time that rules may take for a request with a small body; the longest it may take grows
    /// by 100 µs with each KiB.
    pub cpu_budget: Setting<Duration>,
}

/// `[debug]`.
#[derive(Debug)]
pub struct Debugging {
    /// Do answers to callers on this machine name the rules that matched?
    pub rule_header: Setting<bool>,
}

/// `[[site]]`: an upstream and how it is protected.
#[derive(Debug)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// The hosts it answers for, as they are shown.
    pub hosts: Setting<Vec<String>>,
    /// Where its requests go: to one of these.
    pub upstreams: Setting<Vec<Upstream>>,
    /// To how many others a request goes when one gives no answer, if that is safe.
    pub retries: Setting<u32>,
    /// How upstreams that serve are told from those that do not.
    pub health: Health,
    /// The PEM file of authorities that may vouch for the upstream; none takes the machine's.
    pub ca_file: Setting<Option<PathBuf>>,
    /// A connection to the upstream must stand by then.
    pub connect_timeout: Setting<Duration>,
    /// An answer must begin by then.
    pub first_byte_timeout: Setting<Duration>,
    /// An answer or an upgraded connection may pause so long.
    pub idle_timeout: Setting<Duration>,
    /// As [`Limits::body_bytes`], for this site.
    pub body_bytes: Setting<Option<u64>>,
    /// The header that tells the upstream of a common password; none tells it nothing.
    pub common_password_header: Setting<Option<HeaderName>>,
    /// Modes where no route says otherwise.
    pub modes: Modes,
    /// Its routes, in the order of the file.
    pub routes: Vec<Route>,
    index: RouteIndex,
}

/// `[[site.route]]`: requests that are treated differently from the rest of the site.
#[derive(Debug)]
pub struct Route {
    /// Which requests.
    pub pattern: RoutePattern,
    /// Where it stands.
    pub from: Provenance,
    /// What the endpoint is for, where the user knows better than what is learnt.
    pub label: Option<Setting<Role>>,
    /// Whether nobody honest asks for it; without a word, that is decided by the path.
    pub decoy: Option<Setting<bool>>,
    /// Limits on how often it may be called.
    pub limits: Vec<Limit>,
    /// Who set each of them.
    pub limits_from: Vec<Provenance>,
    /// Whether a request passes when a layer fails on it.
    pub on_error: Setting<OnError>,
    /// Its modes.
    pub modes: Modes,
}

/// Which site and route a request belongs to; [`Policy`] tells what follows from it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RouteRef {
    site: Option<u16>,
    route: Option<u16>,
}

/// Whether a request passes when a layer fails on it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnError {
    /// It passes, and the failure is counted.
    #[default]
    Open,
    /// It is refused with 503.
    Closed,
}

/// What the Core Rule Set is told about the callers that it guards against.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Preset {
    /// Programs call, too: every method of REST, JSON and its relatives, no browser's headers.
    #[default]
    Api,
    /// Nothing: the set as it is.
    None,
}

/// Who decides on what rules find.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Blocking {
    /// What they find is evidence: what is certain is refused, what is not is weighed with what
    /// else is known of the caller.
    #[default]
    Evidence,
    /// They do: what a rule denies is refused.
    Strict,
}

/// Whose request ID is taken over.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AcceptFrom {
    /// That of trusted proxies.
    #[default]
    Trusted,
    /// Nobody's: every request gets a fresh one.
    Nobody,
}

/// What becomes of header names with `_`, which some servers read as `-`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum UnderscoreHeaders {
    /// They are forwarded; those that could be mistaken for another are dropped.
    #[default]
    Forward,
    /// Their request is refused.
    Reject,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// Reads, checks and compiles a policy. With a mistake in any source there is no policy.
///
/// # Errors
/// All mistakes, those of flags first, then each document from top to bottom.
pub fn load(sources: &Sources<'_>) -> Result<(Policy, Vec<Warning>), Vec<PolicyError>> {
    check::load(sources)
}

// === impl Policy ===

impl Policy {
    /// The site and route of a request. `host` is without its port.
    pub fn route(&self, host: &str, method: &Method, path: &Path) -> RouteRef {
        let Some(number) = self.hosts.find(host) else {
            return RouteRef::default();
        };
        let site = self.sites.get(usize::from(number));
        let route = site.and_then(|site| site.index.find(method, path));
        RouteRef { site: Some(number), route }
    }

    /// The site that is for `host`, which is without its port.
    pub fn site_of_host(&self, host: &str) -> Option<&Site> {
        self.sites.get(usize::from(self.hosts.find(host)?))
    }

    /// The modes at a route, by [`Layer::index`].
    pub fn modes(&self, route: &RouteRef) -> [Mode; Layer::ALL.len()] {
        *self.modes_in_full(route).array()
    }

    /// The modes at a route with their origins.
    fn modes_in_full(&self, route: &RouteRef) -> &Modes {
        match (self.named_route(route), self.site(route)) {
            (Some(route), _) => &route.modes,
            (None, Some(site)) => &site.modes,
            (None, None) => &self.unclaimed,
        }
    }

    /// A number that is the same for policies made from the same texts and flags, and different for
    /// all others: what was derived from a policy holds as long as this does not change.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The name of the site; empty when no site names the host.
    pub fn site_name(&self, route: &RouteRef) -> &str {
        self.site(route).map_or("", |site| &site.name)
    }

    /// The site; none when no site names the host.
    pub fn site(&self, route: &RouteRef) -> Option<&Site> {
        self.sites.get(usize::from(route.site?))
    }

    /// The route, when the file has one for the request.
    pub fn named_route(&self, route: &RouteRef) -> Option<&Route> {
        self.site(route)?.routes.get(usize::from(route.route?))
    }

    /// The limits that are configured for a route.
    pub fn limits(&self, route: &RouteRef) -> &[Limit] {
        self.named_route(route).map_or(&[], |route| &route.limits)
    }

    /// The role that the file gives to a route.
    pub fn label(&self, route: &RouteRef) -> Option<Role> {
        self.named_route(route)?.label.as_ref().map(|label| label.value)
    }

    /// Whether the file says that a route is a decoy, or that it is none.
    pub fn decoy(&self, route: &RouteRef) -> Option<bool> {
        self.named_route(route)?.decoy.as_ref().map(|decoy| decoy.value)
    }

    /// Whether a request passes when a layer fails on it.
    pub fn on_error(&self, route: &RouteRef) -> OnError {
        self.named_route(route).map_or(OnError::Open, |route| route.on_error.value)
    }

    /// The longest body, in bytes.
    pub fn body_bytes_max(&self, route: &RouteRef) -> Option<u64> {
        self.site(route).map_or(self.limits.body_bytes.value, |site| site.body_bytes.value)
    }

    /// The header that tells the upstream of a common password.
    pub fn common_password_header(&self, route: &RouteRef) -> Option<&HeaderName> {
        self.site(route)?.common_password_header.value.as_ref()
    }

    /// Puts rules in force with this policy.
    pub fn arm(&mut self, rulebook: Arc<Rulebook>) {
        self.rulebook = Some(rulebook);
    }

    /// The rules in force.
    pub const fn rulebook(&self) -> Option<&Arc<Rulebook>> {
        self.rulebook.as_ref()
    }

    /// Whose word on the caller's address is believed.
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Whether `address` is one that the crawler of this name calls from; none where nobody said
    /// which those are.
    pub fn is_its_network(&self, crawler: &str, address: std::net::IpAddr) -> Option<bool> {
        let networks = self.crawlers.get(crawler)?;
        Some(networks.value.iter().any(|net| net.contains(address)))
    }

    /// Whether a peer is a trusted proxy.
    pub fn trusts(&self, peer: std::net::IpAddr) -> bool {
        self.trust.proxies.iter().any(|net| net.contains(peer))
    }
}

impl Site {
    /// Its upstreams as they are shown.
    pub fn upstreams_shown(&self) -> String {
        let shown: Vec<String> = self.upstreams.value.iter().map(ToString::to_string).collect();
        shown.join(", ")
    }
}

#[cfg(test)]
mod tests;
