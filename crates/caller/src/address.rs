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
mod net;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::HeaderMap;
use http::header::FORWARDED;

pub use net::{Net, NetError};

/// More hops than any honest path has; beyond it the walk ends and is marked.
const HOPS_MAX: usize = 32;
const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// Where trusted proxies write who called them.
///
/// It is one header and not whichever is there: a proxy that writes one of the two passes the
/// other on as the caller sent it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AddressSource {
    /// RFC 7239.
    Forwarded,
    /// Nowhere: the peer is the caller.
    Socket,
    /// The usual `X-Forwarded-For`.
    #[default]
    XForwardedFor,
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
        source: AddressSource,
    ) -> Self {
        let mut found = Self { ip: folded(peer), hops: 0, anomaly: None };
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
            self.ip = folded(ip);
            self.hops += 1;
        }
    }
}

/// The v4 address inside a v4-mapped v6 one, which is the same caller on a dual-stack socket.
#[must_use]
pub fn folded(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

/// What counts as one source: an IPv4 address, or the /64 that one IPv6 subscriber holds whole.
#[must_use]
pub fn source_key(ip: IpAddr) -> IpAddr {
    prefix(ip, 32, 64)
}

/// The neighbourhood of a source: /24 of IPv4, /48 of IPv6.
#[must_use]
pub fn net_key(ip: IpAddr) -> IpAddr {
    prefix(ip, 24, 48)
}

fn prefix(ip: IpAddr, v4_bits: u32, v6_bits: u32) -> IpAddr {
    match folded(ip) {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & net::v4_mask(v4_bits)).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & net::v6_mask(v6_bits)).into(),
    }
}

#[cfg(test)]
mod tests;
