//! Who or what evidence is about.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::hash::{Digest, Hasher};

/// Something that evidence gathers on and a decision can name, from the widest to the narrowest.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Entity {
    /// The network around an address: an IPv4 /24 or an IPv6 /48.
    Net(Net),
    /// A client address. IPv6 addresses are kept as their /64: one host owns at least that much.
    Address(IpAddr),
    /// A TLS client fingerprint (JA4).
    Ja4(Digest),
    /// A client program on a device: TLS and header fingerprint, browser family, language.
    Device(Digest),
    /// An account, by its normalised log-in identifier.
    Account(Digest),
    /// Whoever a credential says is calling: a token's subject, an API key.
    Principal(Digest),
    /// One session, by its credential.
    Session(Digest),
}

/// A block of addresses.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Net {
    base: IpAddr,
    prefix: u8,
}

/// A text that is no address block.
#[derive(Debug, thiserror::Error)]
#[error("not an address or a block such as 192.0.2.0/24 or 2001:db8::/32: {0:?}")]
pub struct NotANet(String);

/// A text that names no entity.
#[derive(Debug, thiserror::Error)]
#[error(
    "not a selector: {0:?}; write ip:ADDRESS, net:BLOCK, ja4:…, device:…, account:…, principal:… or session:…"
)]
pub struct NotAnEntity(String);

// === impl Net ===

impl Net {
    /// The block of `prefix` leading bits around `address`; a prefix too long is the address alone.
    pub fn around(address: IpAddr, prefix: u8) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => {
                let prefix = prefix.min(32);
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                Self { base: IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask)), prefix }
            }
            IpAddr::V6(v6) => {
                let prefix = prefix.min(128);
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                Self { base: IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask)), prefix }
            }
        }
    }

    /// Whether `address` lies in this block. IPv4 written as IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.base.is_ipv4()
            && Self::around(address, self.prefix).base == self.base
    }

    /// The first address of the block.
    pub const fn base(&self) -> IpAddr {
        self.base
    }

    /// How many leading bits are fixed.
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

impl FromStr for Net {
    type Err = NotANet;

    fn from_str(text: &str) -> Result<Self, NotANet> {
        let wrong = || NotANet(text.chars().take(64).collect());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| wrong())?,
            None => widest,
        };
        if prefix > widest {
            return Err(wrong());
        }
        Ok(Self::around(address, prefix))
    }
}

// === impl Entity ===

impl Entity {
    /// The entity that stands for one client address.
    pub fn address(address: IpAddr) -> Self {
        match address.to_canonical() {
            v4 @ IpAddr::V4(_) => Self::Address(v4),
            v6 @ IpAddr::V6(_) => Self::Address(Net::around(v6, 64).base()),
        }
    }

    /// The network around a client address.
    pub fn net(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self::Net(Net::around(address, if address.is_ipv4() { 24 } else { 48 }))
    }

    /// What this entity is called in selectors and output.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Net(_) => "net",
            Self::Address(_) => "ip",
            Self::Ja4(_) => "ja4",
            Self::Device(_) => "device",
            Self::Account(_) => "account",
            Self::Principal(_) => "principal",
            Self::Session(_) => "session",
        }
    }

    /// The key of this entity in tables.
    pub fn digest(&self, hasher: &Hasher) -> Digest {
        match self {
            Self::Net(net) => {
                Self::of_address(hasher, net.base).tagged(1).then(Digest(u64::from(net.prefix)))
            }
            Self::Address(address) => Self::of_address(hasher, *address).tagged(2),
            Self::Ja4(digest) => digest.tagged(3),
            Self::Device(digest) => digest.tagged(4),
            Self::Account(digest) => digest.tagged(5),
            Self::Principal(digest) => digest.tagged(6),
            Self::Session(digest) => digest.tagged(7),
        }
    }

    /// Reads a selector as a person writes it. Accounts and sessions may be given as they are known
    /// outside; they are normalised and hashed here and kept no other way.
    pub fn parse(selector: &str, hasher: &Hasher) -> Result<Self, NotAnEntity> {
        let wrong = || NotAnEntity(selector.chars().take(64).collect());
        let (kind, value) = selector.split_once(':').ok_or_else(wrong)?;
        let digest = || value.parse().unwrap_or_else(|_| hasher.hash(value.as_bytes()));
        match kind {
            _ if value.is_empty() => Err(wrong()),
            "ip" => value.parse().map(Self::address).map_err(|_| wrong()),
            "net" | "cidr" => value.parse().map(Self::Net).map_err(|_| wrong()),
            "ja4" => Ok(Self::Ja4(digest())),
            "device" => Ok(Self::Device(digest())),
            "account" => Ok(Self::Account(
                value.parse().unwrap_or_else(|_| hasher.hash(normal_account(value).as_bytes())),
            )),
            "principal" | "key" => Ok(Self::Principal(digest())),
            "session" => Ok(Self::Session(digest())),
            _ => Err(wrong()),
        }
    }

    fn of_address(hasher: &Hasher, address: IpAddr) -> Digest {
        match address {
            IpAddr::V4(v4) => hasher.hash(&v4.octets()),
            IpAddr::V6(v6) => hasher.hash(&v6.octets()),
        }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(net) => write!(f, "net:{net}"),
            Self::Address(address) => write!(f, "ip:{address}"),
            Self::Ja4(digest)
            | Self::Device(digest)
            | Self::Account(digest)
            | Self::Principal(digest)
            | Self::Session(digest) => write!(f, "{}:{digest}", self.kind()),
        }
    }
}

/// Characters that nobody sees, which programs drop.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The form under which an account's identifier is compared: trimmed, lower case, without what
/// cannot be seen, without a mail address' `+tag`, and for Google's mail without dots, which it
/// ignores.
pub fn normal_account(identifier: &str) -> String {
    let is_plain = identifier.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let lower = if is_plain {
        identifier.trim().to_ascii_lowercase()
    } else {
        let shown = identifier.chars().filter(|&c| !c.is_control() && !is_invisible(c));
        shown.collect::<String>().trim().to_lowercase()
    };
    let Some((whole, domain)) = lower.rsplit_once('@') else { return lower };
    let local = whole.split_once('+').map_or(whole, |(before, _)| before);
    if matches!(domain, "gmail.com" | "googlemail.com") {
        return format!("{}@gmail.com", local.replace('.', ""));
    }
    if local.len() == whole.len() { lower } else { format!("{local}@{domain}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::HashKey;

    #[test]
    fn blocks_contain_what_they_should() {
        let net: Net = "192.0.2.0/24".parse().expect("a block");
        assert!(net.contains("192.0.2.255".parse().expect("address")));
        assert!(net.contains("::ffff:192.0.2.1".parse().expect("address")));
        assert!(!net.contains("192.0.3.0".parse().expect("address")));
        assert!(
            "0.0.0.0/0"
                .parse::<Net>()
                .expect("a block")
                .contains("8.8.8.8".parse().expect("address"))
        );
        assert!("192.0.2.0/33".parse::<Net>().is_err());
        assert!(
            "::/0"
                .parse::<Net>()
                .expect("a block")
                .contains("2001:db8::1".parse().expect("address"))
        );
    }

    #[test]
    fn a_host_cannot_hide_within_its_own_v6_network() {
        let one = Entity::address("2001:db8::1".parse().expect("address"));
        let two = Entity::address("2001:db8::ffff:2".parse().expect("address"));
        assert_eq!(one, two);
    }

    #[test]
    fn accounts_are_one_however_they_are_written() {
        let hasher = Hasher::new(HashKey::new([1; 16]));
        let parse = |text| Entity::parse(text, &hasher).expect("a selector");
        assert_eq!(parse("account:Ada@Example.com "), parse("account:ada+news@example.com"));
        assert_eq!(normal_account("a.d.a+x@googlemail.com"), "ada@gmail.com");
        assert_eq!(normal_account("\u{a0}ad\u{200b}a\0\u{feff} "), "ada");
        assert_eq!(normal_account("ada\u{fe0f}\u{202e}\u{3164}\u{a0}\u{e0041}"), "ada");
        let shown = parse("account:ada@example.com").to_string();
        assert_eq!(parse(&shown), parse("account:ada@example.com"));
        assert!(Entity::parse("ip:nonsense", &hasher).is_err());
    }
}
