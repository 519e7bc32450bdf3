//! Which site a host belongs to.
//!
//! A site names its hosts exactly (`api.example.com`), by what they end in (`*.example.com`: any
//! name below, not the name itself), or takes all that no other site names (`*`). The exact name
//! wins, then the longest ending. Ports do not count.

use std::cmp::Ordering;

use crate::policy::value::Wrong;

/// Longer than any name (RFC 1035 §2.3.4 allows 253 characters and a final dot).
const HOST_CHARS_MAX: usize = 254;

/// A host as a site names it, in lower case.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum HostPattern {
    /// Every host.
    All,
    /// All names that end in a dot and this.
    Below(String),
    /// This name or address.
    Exact(String),
}

/// The hosts of all sites.
#[derive(Clone, Debug, Default)]
pub(super) struct HostIndex {
    /// Sorted by name.
    exact: Vec<(String, u16)>,
    /// Sorted by ending.
    below: Vec<(String, u16)>,
    all: Option<u16>,
}

impl HostPattern {
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let wrong = |help: String| Wrong { cause: format!("{text:?} is not a host"), help };
        let name = text.trim_end_matches('.').to_ascii_lowercase();
        if name == "*" {
            return Ok(Self::All);
        }
        if let Some((_, rest)) = name.split_once("://") {
            let host = rest.split(['/', ':']).next().unwrap_or_default();
            return Err(wrong(format!("leave the scheme out: write \"{host}\"")));
        }
        if let Some((host, _)) = name.split_once('/') {
            return Err(wrong(format!("leave the path out: write \"{host}\"")));
        }
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        if bare.parse::<std::net::IpAddr>().is_ok() {
            return Ok(Self::Exact(bare.to_owned()));
        }
        if let Some((host, port)) = name.rsplit_once(':')
            && port.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(wrong(format!("leave the port out, any port fits: write \"{host}\"")));
        }
        let (is_below, name) = match name.strip_prefix("*.") {
            Some(below) => (true, below.to_owned()),
            None => (false, name),
        };
        if name.contains('*') {
            let help = "`*` stands alone or before the first dot, as in \"*.example.com\"";
            return Err(wrong(help.to_owned()));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let labels = name.split('.').all(|label| !label.is_empty() && label.chars().all(plain));
        if !labels || name.len() > HOST_CHARS_MAX {
            let help = match name.is_ascii() {
                true => "write a name such as \"api.example.com\", or \"*\" for all",
                false => "write the name as requests carry it, in its xn-- form",
            };
            return Err(wrong(help.to_owned()));
        }
        Ok(if is_below { Self::Below(name) } else { Self::Exact(name) })
    }
}

impl std::fmt::Display for HostPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Exact(name) => f.write_str(name),
        }
    }
}

impl HostIndex {
    /// Indexes the patterns of each site, of which no two are equal.
    pub(super) fn new<'p>(patterns: impl IntoIterator<Item = (&'p HostPattern, u16)>) -> Self {
        let mut index = Self::default();
        for (pattern, site) in patterns {
            match pattern {
                HostPattern::All => index.all = Some(site),
                HostPattern::Below(name) => index.below.push((name.clone(), site)),
                HostPattern::Exact(name) => index.exact.push((name.clone(), site)),
            }
        }
        index.exact.sort();
        index.below.sort();
        index
    }

    /// The site of a host without its port.
    pub(super) fn find(&self, host: &str) -> Option<u16> {
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.len() > HOST_CHARS_MAX {
            return self.all;
        }
        look_up(&self.exact, host).or_else(|| self.find_below(host)).or(self.all)
    }

    fn find_below(&self, host: &str) -> Option<u16> {
        if self.below.is_empty() {
            return None;
        }
        // From the longest ending to the shortest.
        host.match_indices('.').find_map(|(at, _)| {
            host.get(at + 1..).filter(|_| at > 0).and_then(|ending| look_up(&self.below, ending))
        })
    }
}

fn look_up(names: &[(String, u16)], host: &str) -> Option<u16> {
    let found = names.binary_search_by(|(name, _)| compare(name, host)).ok()?;
    names.get(found).map(|(_, site)| *site)
}

/// Orders a name in lower case against one in any case.
fn compare(name: &str, host: &str) -> Ordering {
    name.bytes().cmp(host.bytes().map(|byte| byte.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(host: &str) -> Option<u16> {
        let patterns: Vec<_> = ["api.example.com", "*.example.com", "*.eu.example.com", "::1"]
            .iter()
            .map(|text| HostPattern::parse(text).expect("a host"))
            .collect();
        HostIndex::new(patterns.iter().zip(0..)).find(host)
    }

    #[test]
    fn the_narrowest_name_wins() {
        assert_eq!(find("api.example.com"), Some(0));
        assert_eq!(find("API.Example.COM."), Some(0));
        assert_eq!(find("shop.example.com"), Some(1));
        assert_eq!(find("a.b.example.com"), Some(1));
        assert_eq!(find("a.eu.example.com"), Some(2));
        assert_eq!(find("eu.example.com"), Some(1));
        assert_eq!(find("::1"), Some(3));
        for stranger in ["example.com", ".example.com", "badexample.com", "", "example.com.evil"] {
            assert_eq!(find(stranger), None, "{stranger}");
        }
    }

    #[test]
    fn endless_hosts_cost_nothing() {
        let all = HostPattern::All;
        let index = HostIndex::new([(&all, 7)]);
        assert_eq!(index.find(&"a.".repeat(100_000)), Some(7));
        assert_eq!(find(&format!("{}example.com", "a.".repeat(100_000))), None);
    }

    #[test]
    fn mistakes_are_explained() {
        for (text, help) in [
            ("https://api.example.com/x", "leave the scheme out: write \"api.example.com\""),
            ("api.example.com/v1", "leave the path out: write \"api.example.com\""),
            ("api.example.com:443", "leave the port out, any port fits: write \"api.example.com\""),
            ("api.*.com", "`*` stands alone or before the first dot, as in \"*.example.com\""),
            ("münchen.example", "write the name as requests carry it, in its xn-- form"),
            ("a b", "write a name such as \"api.example.com\", or \"*\" for all"),
            ("", "write a name such as \"api.example.com\", or \"*\" for all"),
        ] {
            assert_eq!(HostPattern::parse(text).expect_err(text).help, help, "{text}");
        }
        assert_eq!(HostPattern::parse("[::1]").expect("host").to_string(), "::1");
    }
}
