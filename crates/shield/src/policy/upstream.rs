//! Where the requests of a site go: a scheme, a host and a port.
//!
//! There is no path, because requests keep theirs, and no credentials, because requests bring
//! their own and a policy is no place for secrets. Names are resolved by whoever connects.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::policy::reader::one_of;
use crate::policy::value::Wrong;

/// An upstream: scheme, host and port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Upstream {
    /// How it is spoken to.
    pub scheme: UpstreamScheme,
    /// A name or an address; an IPv6 address is without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// How an upstream is spoken to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UpstreamScheme {
    /// HTTP/1.1.
    Http,
    /// TLS, with HTTP/2 where both can.
    Https,
    /// HTTP/2 without TLS, by prior knowledge.
    H2c,
}

impl Upstream {
    /// Reads the URL of an upstream: scheme, host and port, nothing more.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = |cause: &str, help: String| Err(Wrong { cause: cause.to_owned(), help });
        if text.contains('@') {
            return wrong(
                "the URL carries credentials",
                "leave out what stands before the @".into(),
            );
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            let cause = format!("{text:?} is not a URL");
            // What somebody may have meant: `http:host`, `http//host`, `https:/host`, or no scheme.
            let (scheme, rest) = match text.split_once(['/', ':']) {
                Some((scheme @ ("http" | "https" | "h2c"), rest)) => (scheme, rest),
                _ => ("http", text),
            };
            let rest = rest.trim_start_matches(['/', ':']);
            return wrong(&cause, format!("write \"{scheme}://{rest}\""));
        };
        let schemes = [
            ("http", UpstreamScheme::Http),
            ("https", UpstreamScheme::Https),
            ("h2c", UpstreamScheme::H2c),
        ];
        let scheme = one_of("scheme", scheme, &schemes).map_err(|_| Wrong {
            cause: format!("unknown scheme {scheme:?}"),
            help: "an upstream begins with http://, https:// or h2c://".to_owned(),
        })?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            let cause = format!("{text:?} has a path");
            return wrong(&cause, "leave it out: requests keep the path they came with".to_owned());
        }
        let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => match authority.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let is_v6 = authority.starts_with('[');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_host = match is_v6 {
            true => host.parse::<std::net::Ipv6Addr>().is_ok(),
            false => !host.is_empty() && host.len() <= 253 && host.chars().all(plain),
        };
        if !is_host {
            let cause = format!("{text:?} names no host");
            return wrong(
                &cause,
                "write the URL of your API, as in \"http://localhost:3000\"".into(),
            );
        }
        let port = match port.map(str::parse::<u16>) {
            None => {
                if scheme == UpstreamScheme::Https {
                    443
                } else {
                    80
                }
            }
            Some(Ok(port)) if port > 0 => port,
            Some(_) => {
                let cause = format!("{text:?} has a port that does not exist");
                return wrong(&cause, "ports are 1 to 65535".to_owned());
            }
        };
        Ok(Self { scheme, host: host.to_owned(), port })
    }
}

impl Upstream {
    /// Whether this is what listens on `address`: then each request comes back for ever.
    pub(super) fn is_at(&self, address: SocketAddr) -> bool {
        let listens = address.ip().to_canonical();
        let is_here = match self.host.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
            Ok(ip) => ip == listens || listens.is_unspecified() && ip.is_loopback(),
            Err(_) => {
                self.host.eq_ignore_ascii_case("localhost")
                    && (listens.is_loopback() || listens.is_unspecified())
            }
        };
        is_here && self.port == address.port()
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            UpstreamScheme::Http => "http",
            UpstreamScheme::Https => "https",
            UpstreamScheme::H2c => "h2c",
        };
        match self.host.contains(':') {
            true => write!(f, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}
