//! `ipMatch` and `ipMatchFromFile`: addresses of networks.
//!
//! Networks become sorted ranges without overlap, so that a list of a hundred thousand costs
//! seventeen comparisons. An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`) is the IPv4
//! address: on a dual-stack socket they are the same caller.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A set of addresses.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    v4: Vec<(Ipv4Addr, Ipv4Addr)>,
    v6: Vec<(Ipv6Addr, Ipv6Addr)>,
}

/// The longest text of an address: an IPv6 one that ends in an IPv4 one.
const ADDRESS_BYTES_MAX: usize = 45;

impl Networks {
    /// The networks of a list with commas, each an address with or without the length of a prefix.
    pub(super) fn parse(list: &[u8]) -> Result<Self, String> {
        let mut networks = Self::default();
        for entry in list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if !entry.is_empty() {
                let wrong = || format!("{} is no network", String::from_utf8_lossy(entry));
                networks.add(entry).ok_or_else(wrong)?;
            }
        }
        networks.v4 = merged(networks.v4, |end| end.to_bits().checked_add(1).map(Ipv4Addr::from));
        networks.v6 = merged(networks.v6, |end| end.to_bits().checked_add(1).map(Ipv6Addr::from));
        Ok(networks)
    }

    fn add(&mut self, entry: &[u8]) -> Option<()> {
        let (text, prefix) = match std::str::from_utf8(entry).ok()?.split_once('/') {
            Some((text, prefix)) => (text, Some(prefix.parse::<u32>().ok()?)),
            None => (std::str::from_utf8(entry).ok()?, None),
        };
        match (text.parse().ok()?, prefix) {
            (IpAddr::V4(address), prefix) => self.add_v4(address, prefix.unwrap_or(32)),
            (IpAddr::V6(address), prefix) => {
                let prefix = prefix.unwrap_or(128);
                match address.to_ipv4_mapped() {
                    Some(mapped) if prefix >= 96 => self.add_v4(mapped, prefix - 96),
                    _ => self.add_v6(address, prefix),
                }
            }
        }
    }

    fn add_v4(&mut self, address: Ipv4Addr, prefix: u32) -> Option<()> {
        // A shift by all the bits has no result: then nothing is left to vary, or everything.
        let host = u32::MAX.checked_shr(prefix).filter(|_| prefix < 32).unwrap_or(0);
        let first = address.to_bits() & !host;
        (prefix <= 32).then(|| self.v4.push((first.into(), (first | host).into())))
    }

    fn add_v6(&mut self, address: Ipv6Addr, prefix: u32) -> Option<()> {
        let host = u128::MAX.checked_shr(prefix).filter(|_| prefix < 128).unwrap_or(0);
        let first = address.to_bits() & !host;
        (prefix <= 128).then(|| self.v6.push((first.into(), (first | host).into())))
    }

    /// Is the value an address, and one of these?
    pub(super) fn contain(&self, value: &[u8]) -> bool {
        let text = Some(value).filter(|value| value.len() <= ADDRESS_BYTES_MAX);
        let address = text.and_then(|text| std::str::from_utf8(text).ok()?.parse::<IpAddr>().ok());
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => within(&self.v4, address),
            Some(IpAddr::V6(address)) => within(&self.v6, address),
            None => false,
        }
    }
}

fn within<T: Copy + Ord>(ranges: &[(T, T)], address: T) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= address);
    let last = after.checked_sub(1).and_then(|at| ranges.get(at));
    last.is_some_and(|(_, last)| address <= *last)
}

/// The same addresses in sorted ranges without overlap; `next` is the address after one.
fn merged<T: Copy + Ord>(mut ranges: Vec<(T, T)>, next: impl Fn(T) -> Option<T>) -> Vec<(T, T)> {
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if next(*end).is_none_or(|next| first <= next) => *end = last.max(*end),
            _ => merged.push((first, last)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_its_network_and_in_no_other() {
        let list = "10.0.0.0/8, 192.0.2.7,198.51.100.0/25 , 198.51.100.128/25,2001:db8::/33,::1,\
                    ::ffff:203.0.113.0/120,";
        let networks = Networks::parse(list.as_bytes()).unwrap();
        assert_eq!(networks.v4.len(), 4, "neighbours are one range");
        for inside in [
            "10.255.0.1",
            "192.0.2.7",
            "198.51.100.127",
            "198.51.100.128",
            "203.0.113.9",
            "::ffff:10.1.2.3",
            "2001:db8:7fff::1",
            "0:0:0:0:0:0:0:1",
        ] {
            assert!(networks.contain(inside.as_bytes()), "{inside}");
        }
        for outside in
            ["11.0.0.0", "192.0.2.8", "2001:db8:8000::", "::2", "", "10.1", " 10.1.1.1", "x"]
        {
            assert!(!networks.contain(outside.as_bytes()), "{outside}");
        }
    }

    #[test]
    fn everything_and_single_addresses_are_networks() {
        let all = Networks::parse(b"0.0.0.0/0,::/0").unwrap();
        assert!(all.contain(b"255.255.255.255") && all.contain(b"ffff::"));
        assert!(!Networks::parse(b"").unwrap().contain(b"0.0.0.0"));
        for wrong in ["10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "host", "1.2.3.4/-1"] {
            assert!(Networks::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
