//! A range of addresses in CIDR notation, as policies write it.
//!
//! Own rather than a crate because the errors are read by whoever writes the policy: they name
//! what is wrong and, where it can be told, what was meant.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use thiserror::Error;

use super::folded;

/// The addresses that share a prefix. v4-mapped v6 ranges are kept as v4.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Net {
    first: IpAddr,
    prefix_bits: u32,
}

/// Why a text is no range of addresses.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum NetError {
    /// The part before the slash is no IP address.
    #[error("`{0}` is not an IP address")]
    Address(String),
    /// The address has bits behind its prefix; most likely a host was written for its network.
    #[error("`{given}` has bits set behind its prefix; did you mean `{meant}`?")]
    HostBits {
        /// What was written.
        given: String,
        /// The network that contains it.
        meant: Net,
    },
    /// The part behind the slash is no decimal number.
    #[error("`{0}` is not a prefix length")]
    PrefixLength(String),
    /// The prefix is longer than the address.
    #[error("prefix length {given} is beyond {max}")]
    PrefixTooLong {
        /// What was written.
        given: u32,
        /// What this kind of address allows.
        max: u32,
    },
}

impl Net {
    /// The range that holds `ip` alone.
    #[must_use]
    pub fn host(ip: IpAddr) -> Self {
        let first = folded(ip);
        Self { first, prefix_bits: bits_max(first) }
    }

    /// Whether `ip` is inside; a v4-mapped v6 address counts as v4.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.first, folded(ip)) {
            (IpAddr::V4(first), IpAddr::V4(ip)) => {
                ip.to_bits() & v4_mask(self.prefix_bits) == first.to_bits()
            }
            (IpAddr::V6(first), IpAddr::V6(ip)) => {
                ip.to_bits() & v6_mask(self.prefix_bits) == first.to_bits()
            }
            _ => false,
        }
    }

    /// The length of the shared prefix.
    #[must_use]
    pub fn prefix_bits(&self) -> u32 {
        self.prefix_bits
    }

    pub(super) fn masked(ip: IpAddr, prefix_bits: u32) -> Self {
        let first = match ip {
            IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & v4_mask(prefix_bits)).into(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & v6_mask(prefix_bits)).into(),
        };
        Self { first, prefix_bits }
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.prefix_bits == bits_max(self.first) {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}/{}", self.first, self.prefix_bits)
        }
    }
}

impl FromStr for Net {
    type Err = NetError;

    fn from_str(text: &str) -> Result<Self, NetError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let written: IpAddr =
            address.parse().map_err(|_| NetError::Address(address.to_owned()))?;
        let Some(length) = length else { return Ok(Self::host(written)) };
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        let given: u32 = length
            .parse()
            .ok()
            .filter(|_| digits)
            .ok_or_else(|| NetError::PrefixLength(length.to_owned()))?;
        let max = bits_max(written);
        if given > max {
            return Err(NetError::PrefixTooLong { given, max });
        }
        let (ip, prefix_bits) = match folded(written) {
            // ::ffff:10.0.0.0/104 is 10.0.0.0/8; a wider prefix reaches beyond the mapped block.
            IpAddr::V4(v4) if written.is_ipv6() && given >= 96 => (IpAddr::V4(v4), given - 96),
            _ => (written, given),
        };
        let net = Self::masked(ip, prefix_bits);
        if net.first != ip {
            return Err(NetError::HostBits { given: text.to_owned(), meant: net });
        }
        Ok(net)
    }
}

fn bits_max(ip: IpAddr) -> u32 {
    if ip.is_ipv4() { 32 } else { 128 }
}

pub(super) fn v4_mask(prefix_bits: u32) -> u32 {
    u32::MAX.checked_shl(32_u32.saturating_sub(prefix_bits)).unwrap_or(0)
}

pub(super) fn v6_mask(prefix_bits: u32) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(prefix_bits)).unwrap_or(0)
}
