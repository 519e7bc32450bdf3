//! The address of the caller: the peer, or what trusted proxies say stands behind it.
//!
//! Anyone can write a forwarding header, so nothing in it counts by itself: while the address at
//! hand belongs to a trusted proxy, that proxy's own entry, the right-most one left, is believed,
//! and the walk ends at the first address that is not trusted. An entry that is no address ends
//! it, too, and is marked. Reading from the left, as many do, would let callers choose who they
//! are.
//!
//! It does not look addresses up (no DNS, no geography), and PROXY headers are the gateway's.

mod forwarded;

use std::net::IpAddr;

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use traffic::Net;

/// More hops than any honest path has; beyond it the walk ends and is marked.
const HOPS_MAX: usize = 32;
const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// Where trusted proxies write who called them.
///
/// It is one header and not whichever is there: a proxy that writes one of the two passes the
/// other on as the caller sent it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum AddressSource {
    /// RFC 7239.
    Forwarded,
    /// A header of one address, as some networks write it: `CF-Connecting-IP`, `X-Real-IP`.
    Header(HeaderName),
    /// Nowhere: the peer is the caller.
    Socket,
    /// The usual `X-Forwarded-For`.
    #[default]
    XForwardedFor,
}

impl AddressSource {
    /// The header by name, where it is none of the two that everybody knows.
    pub const fn header(&self) -> Option<&HeaderName> {
        match self {
            Self::Header(name) => Some(name),
            Self::Forwarded | Self::Socket | Self::XForwardedFor => None,
        }
    }
}

/// Why the walk along the forwarding header ended before an address that is not trusted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ForwardingAnomaly {
    /// A trusted proxy wrote something that is no address.
    Unparsable,
    /// More than [`HOPS_MAX`] trusted hops.
    TooManyHops,
}

/// The caller's address and how it was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ClientAddress {
    /// The address the request is attributed to; v4-mapped v6 is folded to v4.
    pub ip: IpAddr,
    /// How many entries of the forwarding header were believed.
    pub hops: usize,
    /// Why the walk ended early, if it did.
    pub anomaly: Option<ForwardingAnomaly>,
}

impl ClientAddress {
    /// Finds the caller behind `peer`.
    #[must_use]
    pub fn find(
        peer: IpAddr,
        headers: &HeaderMap,
        trusted_proxies: &[Net],
        source: &AddressSource,
    ) -> Self {
        let mut found = Self { ip: peer.to_canonical(), hops: 0, anomaly: None };
        if !trusted_proxies.iter().any(|net| net.contains(found.ip)) {
            return found;
        }
        match source {
            AddressSource::Socket => {}
            AddressSource::XForwardedFor => {
                let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
                let entries = lines.flat_map(|line| forwarded::list(line.as_bytes()));
                found.walk(entries.map(forwarded::node), trusted_proxies);
            }
            AddressSource::Forwarded => {
                let lines = headers.get_all(FORWARDED).iter().rev();
                let entries = lines.flat_map(|line| forwarded::elements(line.as_bytes()));
                found.walk(entries.map(forwarded::for_parameter), trusted_proxies);
            }
            AddressSource::Header(name) => {
                let mut lines = headers.get_all(name).iter();
                if let Some(line) = lines.next() {
                    // Two lines are two answers to one question.
                    let only = lines.next().is_none().then(|| line.as_bytes().trim_ascii());
                    found.walk(std::iter::once(only.and_then(forwarded::node)), trusted_proxies);
                }
            }
        }
        found
    }

    fn walk(&mut self, entries: impl Iterator<Item = Option<IpAddr>>, trusted: &[Net]) {
        for entry in entries {
            if !trusted.iter().any(|net| net.contains(self.ip)) {
                return;
            }
            if self.hops == HOPS_MAX {
                self.anomaly = Some(ForwardingAnomaly::TooManyHops);
                return;
            }
            let Some(ip) = entry else {
                self.anomaly = Some(ForwardingAnomaly::Unparsable);
                return;
            };
            self.ip = ip.to_canonical();
            self.hops += 1;
        }
    }
}

#[cfg(test)]
mod tests;
