//! Who is told what: `[alerts]` and `[export]`.
//!
//! An address may carry a secret (a webhook's path often is one), so it is shown by its host alone,
//! and it may stand in the environment or in a file of its own instead. Which of these it is, is
//! checked here; whoever opens files reads it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use traffic::Severity;

use crate::policy::setting::Setting;
use crate::policy::value::Wrong;

/// `[alerts]` and `[export]`.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// Who is told, in the order of the file.
    pub sinks: Vec<Sink>,
    /// What may wait on disk for each of them, in bytes.
    pub spool: Setting<u64>,
}

/// One that is told.
#[derive(Clone, Debug)]
pub struct Sink {
    /// What it is called; what waits for it on disk is kept under this name.
    pub name: String,
    /// What it understands.
    pub kind: SinkKind,
    /// Where it is.
    pub to: Setting<SinkAddress>,
    /// What stands in `Authorization` of each request.
    pub authorization: Option<Setting<KeptSecret>>,
    /// Incidents less severe than this are not told.
    pub min: Setting<Severity>,
    /// An incident that goes on is told again after this.
    pub dedup: Setting<Duration>,
    /// Incidents, events, or both.
    pub classes: Setting<Vec<OcsfClass>>,
    /// The PEM file of authorities that may vouch for it; none takes the machine's.
    pub ca_file: Setting<Option<PathBuf>>,
    /// Whether its address may be link-local, as those of clouds' metadata services are.
    pub link_local: Setting<bool>,
}

/// What a sink understands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SinkKind {
    /// Our own JSON.
    Json,
    /// A message of Slack.
    Slack,
    /// A line of syslog for people.
    Syslog,
    /// Events of the Open Cybersecurity Schema Framework.
    Ocsf,
}

/// A class of OCSF.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OcsfClass {
    /// 2004: an incident.
    DetectionFinding,
    /// 4002: a request that was refused or flagged.
    HttpActivity,
}

/// Where the address of a sink stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SinkAddress {
    /// In the file.
    Here(SinkUrl),
    /// Elsewhere.
    Kept(KeptSecret),
}

/// Where a secret is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeptSecret {
    /// In a variable of the environment.
    Variable(String),
    /// In a file.
    OnDisk(PathBuf),
}

/// A URL to tell something to.
#[derive(Clone, Eq, PartialEq)]
pub struct SinkUrl {
    /// How it is spoken to.
    pub scheme: SinkScheme,
    /// A name or an address; an IPv6 address is without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query, which may be a secret; only of HTTP.
    target: String,
}

/// How a sink is spoken to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SinkScheme {
    /// HTTP over TLS.
    Https,
    /// HTTP in the clear.
    Http,
    /// Syslog over TLS (RFC 5425).
    SyslogTls,
    /// Syslog over TCP in the clear.
    SyslogTcp,
}

impl SinkKind {
    /// The word for it in names and output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Slack => "slack",
            Self::Syslog => "syslog",
            Self::Ocsf => "ocsf",
        }
    }

    const fn schemes(self) -> &'static [SinkScheme] {
        match self {
            Self::Json | Self::Slack => &[SinkScheme::Https, SinkScheme::Http],
            Self::Syslog => &[SinkScheme::SyslogTls, SinkScheme::SyslogTcp],
            Self::Ocsf => &SinkScheme::ALL,
        }
    }
}

impl SinkScheme {
    const ALL: [Self; 4] = [Self::SyslogTls, Self::Https, Self::SyslogTcp, Self::Http];

    const fn text(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::SyslogTls => "syslog+tls",
            Self::SyslogTcp => "syslog+tcp",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
            Self::SyslogTls => 6514,
            Self::SyslogTcp => 601,
        }
    }

    /// Whether TLS is spoken.
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Https | Self::SyslogTls)
    }

    /// Whether HTTP is spoken.
    pub const fn is_http(self) -> bool {
        matches!(self, Self::Https | Self::Http)
    }
}

// === impl SinkUrl ===

impl SinkUrl {
    /// Reads a URL that a sink of this kind may have. What is said of a wrong one never quotes it.
    pub(super) fn parse(kind: SinkKind, text: &str) -> Result<Self, Wrong> {
        let wrong = |cause: &str, help: &str| Wrong { cause: cause.into(), help: help.into() };
        let schemes: Vec<String> =
            kind.schemes().iter().map(|scheme| format!("{}://", scheme.text())).collect();
        let begins = format!("it begins with {}", schemes.join(" or "));
        let (scheme, rest) = text
            .trim()
            .split_once("://")
            .ok_or_else(|| wrong("this is not a URL", &format!("{begins}, env: or file:")))?;
        let scheme = kind
            .schemes()
            .iter()
            .find(|known| known.text() == scheme)
            .ok_or_else(|| wrong("the URL has a scheme that is not known here", &begins))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.contains('@') {
            let help = "leave out what stands before the @; `authorization` names such a secret";
            return Err(wrong("the URL carries credentials", help));
        }
        let (host, port) = split(authority);
        let is_host = match authority.starts_with('[') {
            true => host.parse::<Ipv6Addr>().is_ok(),
            false => is_name(host),
        };
        if !is_host {
            return Err(wrong("the URL names no host", "write one behind the scheme"));
        }
        let port = match port.map(str::parse::<u16>) {
            None => scheme.port(),
            Some(Ok(port)) if port > 0 => port,
            Some(_) => return Err(wrong("the port does not exist", "ports are 1 to 65535")),
        };
        let target = if target.starts_with('?') { format!("/{target}") } else { target.to_owned() };
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) || target.contains('#') {
            let help = "percent-encode what is not plain ASCII, and leave out a #fragment";
            return Err(wrong("the path has characters that no URL has", help));
        }
        if !scheme.is_http() && !matches!(target.as_str(), "" | "/") {
            return Err(wrong("syslog has no path", "end the URL behind the port"));
        }
        Ok(Self { scheme: *scheme, host: host.to_owned(), port, target })
    }

    /// The same for whoever reads it from the environment or from a file.
    ///
    /// # Errors
    /// What is wrong with it, without quoting it.
    pub fn read(kind: SinkKind, text: &str) -> Result<Self, String> {
        Self::parse(kind, text).map_err(|wrong| format!("{}; {}", wrong.cause, wrong.help))
    }

    /// Path and query for the request line. A secret.
    pub fn target(&self) -> &str {
        if self.target.is_empty() { "/" } else { &self.target }
    }

    /// The host as an address, where it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Whether the host is this machine, as far as the name tells.
    pub fn is_loopback(&self) -> bool {
        let name = self.host.eq_ignore_ascii_case("localhost");
        name || self.ip().is_some_and(|ip| ip.to_canonical().is_loopback())
    }

    /// Host and port as the header `Host` has them.
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == self.scheme.port() { host } else { format!("{host}:{}", self.port) }
    }
}

/// Whether nobody is told anything at `ip` unless that was allowed: link-local addresses, those at
/// which clouds hand out credentials to whoever asks from inside, and those that are nobody's.
pub fn is_out_of_bounds(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_out_of_bounds_v4(ip),
        IpAddr::V6(ip) => {
            let [first, second, third, fourth, _, _, high, low] = ip.segments();
            // Translated (RFC 6052) and 6to4 addresses carry one of IPv4 within.
            let [[a, b], [c, d]] = [high, low].map(u16::to_be_bytes);
            let [[e, f], [g, h]] = [second, third].map(u16::to_be_bytes);
            ip.is_unspecified()
                || ip.is_multicast()
                || first & 0xffc0 == 0xfe80
                || (first, second) == (0xfd00, 0x0ec2)
                || (first, second, third, fourth) == (0x64, 0xff9b, 0, 0)
                    && is_out_of_bounds_v4(Ipv4Addr::new(a, b, c, d))
                || first == 0x2002 && is_out_of_bounds_v4(Ipv4Addr::new(e, f, g, h))
        }
    }
}

fn is_out_of_bounds_v4(ip: Ipv4Addr) -> bool {
    /// Metadata services outside of the link-local block: Alibaba's, Azure's and Oracle's.
    const METADATA: [Ipv4Addr; 3] = [
        Ipv4Addr::new(100, 100, 100, 200),
        Ipv4Addr::new(168, 63, 129, 16),
        Ipv4Addr::new(192, 0, 0, 192),
    ];
    ip.is_link_local()
        || ip.octets()[0] == 0
        || ip.is_multicast()
        || ip.is_broadcast()
        || METADATA.contains(&ip)
}

fn split(authority: &str) -> (&str, Option<&str>) {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    }
}

fn is_name(host: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !host.is_empty() && host.len() <= 253 && host.chars().all(plain)
}

impl fmt::Display for SinkUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = if matches!(self.target.as_str(), "" | "/") { "" } else { "/…" };
        write!(f, "{}://{}{rest}", self.scheme.text(), self.authority())
    }
}

impl fmt::Debug for SinkUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SinkUrl({self})")
    }
}

impl fmt::Display for SinkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(url) => url.fmt(f),
            Self::Kept(secret) => secret.fmt(f),
        }
    }
}

impl fmt::Display for KeptSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "env:{name}"),
            Self::OnDisk(path) => write!(f, "file:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_what_may_be_secret() {
        for (kind, text, shown) in [
            (SinkKind::Slack, "https://hooks.test/services/T0/B0/xyz", "https://hooks.test/…"),
            (SinkKind::Json, "http://127.0.0.1:9/?key=1", "http://127.0.0.1:9/…"),
            (SinkKind::Json, "https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443"),
            (SinkKind::Syslog, "syslog+tls://siem.test", "syslog+tls://siem.test"),
            (SinkKind::Ocsf, "syslog+tcp://siem.test:1514", "syslog+tcp://siem.test:1514"),
        ] {
            let url = SinkUrl::read(kind, text).expect(text);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("SinkUrl({shown})"));
        }
    }

    #[test]
    fn a_wrong_url_is_refused_and_not_quoted() {
        for (kind, text) in [
            (SinkKind::Slack, "hooks.test/secret"),
            (SinkKind::Slack, "ftp://hooks.test/secret"),
            (SinkKind::Slack, "syslog+tls://hooks.test"),
            (SinkKind::Syslog, "https://siem.test/secret"),
            (SinkKind::Syslog, "syslog+tls://siem.test/secret"),
            (SinkKind::Json, "https://secret@hooks.test/"),
            (SinkKind::Json, "https://:443/secret"),
            (SinkKind::Json, "https://hooks.test:0/secret"),
            (SinkKind::Json, "https://hooks.test:99999/secret"),
            (SinkKind::Json, "https://hooks.test/secret here"),
            (SinkKind::Json, "https://hooks.test/secret\r\nx: y"),
            (SinkKind::Json, "https://hooks.test/#secret"),
            (SinkKind::Json, "https://[::1/secret"),
        ] {
            let fault = SinkUrl::read(kind, text).expect_err(text);
            assert!(!fault.contains("secret") || fault.contains("such a secret"), "{fault}");
        }
    }

    #[test]
    fn metadata_services_are_out_of_bounds_however_they_are_written() {
        for ip in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "fe80::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "168.63.129.16",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            assert!(is_out_of_bounds(ip.parse().expect(ip)), "{ip}");
        }
        for ip in ["127.0.0.1", "::1", "10.0.0.5", "192.168.1.9", "203.0.113.9", "2001:db8::1"] {
            assert!(!is_out_of_bounds(ip.parse().expect(ip)), "{ip}");
        }
    }
}
