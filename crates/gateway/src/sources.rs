//! What one source has of a worker at a time: requests under way, bytes of held bodies,
//! connections of HTTP/2.
//!
//! Each of these is bounded for all together, and one source that took all of it would shut
//! everybody else out. So each source has a share, and beyond it only what nobody else is in want
//! of. A trusted proxy speaks for many and is held to no share. Counted once per connection, and in
//! plain cells: a source is looked up when it connects, not when it asks.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    rc::{Rc, Weak},
};

use crate::exchange::Busy;

/// A source's share of requests under way and of held bytes: one in so many.
pub(crate) const SHARES: usize = 4;
/// Streams that the HTTP/2 connections of one source may have open at a time, more or less: a
/// connection is told its part when it begins, and keeps it. A stream whose request never ends
/// takes some 3 KiB.
const STREAMS: usize = 2_048;
/// However many connections there are, each may have so many.
const STREAMS_LEAST: usize = 8;

type BySource = Rc<RefCell<HashMap<IpAddr, Weak<Source>>>>;

/// The sources that are connected to a worker.
#[derive(Default)]
pub(crate) struct Sources(BySource);

/// One of them. It is forgotten with its last connection.
pub(crate) struct Source {
    address: IpAddr,
    of: BySource,
    speaks_for_others: Cell<bool>,
    /// Its requests under way.
    pub(crate) busy: Busy,
    /// Its bytes of held bodies.
    pub(crate) held_bytes: Cell<usize>,
    http2: Cell<usize>,
}

impl Sources {
    /// The source of a connection. `requests_max` is what the worker takes on at a time.
    pub(crate) fn of(
        &self,
        address: IpAddr,
        requests_max: usize,
        speaks_for_others: bool,
    ) -> Rc<Source> {
        let address = network(address);
        let known = self.0.borrow().get(&address).and_then(Weak::upgrade);
        let source = known.unwrap_or_else(|| {
            let source = Rc::new(Source {
                address,
                of: Rc::clone(&self.0),
                speaks_for_others: Cell::default(),
                busy: Busy::new((requests_max / SHARES).max(1)),
                held_bytes: Cell::default(),
                http2: Cell::default(),
            });
            self.0.borrow_mut().insert(address, Rc::downgrade(&source));
            source
        });
        // The policy may have changed since the last connection.
        source.speaks_for_others.set(speaks_for_others);
        source
    }
}

impl Source {
    pub(crate) const fn address(&self) -> IpAddr {
        self.address
    }

    pub(crate) fn speaks_for_others(&self) -> bool {
        self.speaks_for_others.get()
    }

    /// A connection of HTTP/2 begins; how many of the `allowed` streams it may have open.
    pub(crate) fn begin_http2(self: &Rc<Self>, allowed: u32) -> (Http2, u32) {
        let connections = self.http2.get() + 1;
        self.http2.set(connections);
        let part = u32::try_from((STREAMS / connections).max(STREAMS_LEAST)).unwrap_or(u32::MAX);
        let streams = if self.speaks_for_others() { allowed } else { allowed.min(part) };
        (Http2(Rc::clone(self)), streams)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.of.borrow_mut().remove(&self.address);
    }
}

/// A connection of HTTP/2, counted until it is dropped.
pub(crate) struct Http2(Rc<Source>);

impl Drop for Http2 {
    fn drop(&mut self) {
        self.0.http2.set(self.0.http2.get().saturating_sub(1));
    }
}

/// Whoever has one address of IPv6 has at least a /64 of them.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_known_while_it_is_connected_and_an_ipv6_host_is_one() {
        let sources = Sources::default();
        let at = |address: &str| sources.of(address.parse().expect("an address"), 100, false);
        let one = at("2001:db8::1");
        assert!(Rc::ptr_eq(&one, &at("2001:db8::2")));
        assert!(!Rc::ptr_eq(&one, &at("2001:db8:0:1::1")));
        let four = at("192.0.2.1");
        assert!(Rc::ptr_eq(&four, &at("::ffff:192.0.2.1")));
        drop((one, four));
        assert!(sources.0.borrow().is_empty());
    }

    #[test]
    fn many_connections_share_streams_and_few_have_what_the_policy_says() {
        let sources = Sources::default();
        let source = sources.of("192.0.2.1".parse().expect("an address"), 100, false);
        let begun: Vec<_> = (0..2_500).map(|_| source.begin_http2(100)).collect();
        assert!(begun[..20].iter().all(|(_, streams)| *streams == 100));
        assert_eq!(begun[2_499].1, 8);
        assert!(begun.iter().map(|(_, streams)| streams).sum::<u32>() < 30_000);
        drop(begun);
        assert_eq!(source.begin_http2(100).1, 100);
        let proxy = sources.of("192.0.2.1".parse().expect("an address"), 100, true);
        let begun: Vec<_> = (0..2_500).map(|_| proxy.begin_http2(100).1).collect();
        assert!(begun.iter().all(|streams| *streams == 100));
    }
}
