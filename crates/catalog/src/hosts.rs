//! Host groups: which hosts are one API.
//!
//! A host is a group by itself. Many hosts under one domain that answer alike (a subdomain for each
//! tenant) become the group `*.domain`. The `Host` header is the caller's to choose, so only a few
//! hosts are taken at their word; further ones wait for a second source, and there is a limit to
//! all of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use traffic::ServiceId;

/// The host groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    exact: BTreeMap<Box<str>, ServiceId>,
    /// By the domain behind `*.`.
    under: BTreeMap<Box<str>, ServiceId>,
    groups: BTreeMap<ServiceId, Group>,
    next: u32,
}

/// One host group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// As it is shown: a host, or `*.domain`.
    pub(crate) name: Box<str>,
    pub(crate) root: u32,
}

/// So many hosts are taken at their word.
pub(crate) const TRUSTED_MAX: usize = 8;
/// More groups than this are not told apart: further hosts teach nothing.
pub(crate) const GROUPS_MAX: usize = 64;
/// Longer names are no host names (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

impl Hosts {
    /// The group of a host.
    pub(crate) fn find(&self, host: &str) -> Option<ServiceId> {
        let host = normal(host)?;
        self.exact.get(&*host).or_else(|| self.under.get(domain_above(&host)?)).copied()
    }

    pub(crate) fn group(&self, id: ServiceId) -> Option<&Group> {
        self.groups.get(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Adds a host as a group of its own.
    pub(crate) fn add(&mut self, host: &str, root: u32) -> Option<ServiceId> {
        let host = normal(host)?;
        let id = self.next_id();
        self.exact.insert(host.as_ref().into(), id);
        self.groups.insert(id, Group { name: host.as_ref().into(), root });
        Some(id)
    }

    /// The group of all hosts under `domain`, if there is one.
    pub(crate) fn under(&self, domain: &str) -> Option<ServiceId> {
        self.under.get(domain).copied()
    }

    /// Puts a group back under the number that it had.
    pub(crate) fn put_back(&mut self, id: ServiceId, name: &str, root: u32) {
        match name.strip_prefix("*.") {
            Some(domain) => self.under.insert(domain.into(), id),
            None => self.exact.insert(name.into(), id),
        };
        self.groups.insert(id, Group { name: name.into(), root });
        self.go_on_from(id.0.wrapping_add(1));
    }

    /// The number of the group that comes next.
    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// Numbers below `next` were given before: none of them is given again.
    pub(crate) fn go_on_from(&mut self, next: u32) {
        self.next = self.next.max(next);
    }

    /// Adds the group of all hosts under `domain` that have none of their own.
    pub(crate) fn add_under(&mut self, domain: &str, root: u32) -> ServiceId {
        let id = self.next_id();
        self.under.insert(domain.into(), id);
        self.groups.insert(id, Group { name: format!("*.{domain}").into(), root });
        id
    }

    /// Gives up a group whose endpoints moved to another.
    pub(crate) fn remove(&mut self, id: ServiceId) {
        self.groups.remove(&id);
        self.exact.retain(|_, known| *known != id);
        self.under.retain(|_, known| *known != id);
    }

    /// The single hosts directly under `domain`.
    pub(crate) fn siblings(&self, domain: &str) -> Vec<ServiceId> {
        self.exact
            .iter()
            .filter(|(host, _)| domain_above(host) == Some(domain))
            .map(|(_, id)| *id)
            .collect()
    }

    fn next_id(&mut self) -> ServiceId {
        let id = ServiceId(self.next);
        self.next = self.next.wrapping_add(1);
        id
    }
}

/// A host in lower case without the dot of the root; none for what is no host name.
pub(crate) fn normal(host: &str) -> Option<Cow<'_, str>> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_name = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':'));
    if host.is_empty() || host.len() > HOST_BYTES_MAX || !is_name {
        return None;
    }
    let has_upper = host.bytes().any(|byte| byte.is_ascii_uppercase());
    Some(if has_upper { Cow::Owned(host.to_ascii_lowercase()) } else { Cow::Borrowed(host) })
}

/// What stands behind a host's first label, if that can be the domain of one owner: two labels at
/// least, and no address.
pub(crate) fn domain_above(host: &str) -> Option<&str> {
    let (_, domain) = host.split_once('.')?;
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    (domain.contains('.') && !is_address).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_one_whatever_their_spelling() {
        let mut hosts = Hosts::default();
        let id = hosts.add("API.Example.com.", 0).expect("a group");
        assert_eq!(hosts.find("api.example.COM"), Some(id));
        assert_eq!(hosts.find("www.example.com"), None);
        assert_eq!(hosts.add("a b", 0), None);
        assert_eq!(hosts.find(""), None);
    }

    #[test]
    fn a_group_takes_hosts_that_have_none_of_their_own() {
        let mut hosts = Hosts::default();
        let api = hosts.add("api.example.com", 0).expect("a group");
        let tenants = hosts.add_under("example.com", 1);
        assert_eq!(hosts.find("api.example.com"), Some(api));
        assert_eq!(hosts.find("acme.example.com"), Some(tenants));
        assert_eq!(hosts.find("a.acme.example.com"), None);
    }

    #[test]
    fn addresses_have_no_domain() {
        assert_eq!(domain_above("192.0.2.1"), None);
        assert_eq!(domain_above("localhost"), None);
        assert_eq!(domain_above("example.com"), None);
        assert_eq!(domain_above("a.example.com"), Some("example.com"));
    }
}
