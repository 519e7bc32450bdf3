//! The places where credentials stand: a header, a cookie, a query parameter of one name.
//!
//! Which slot of an API carries its sessions is discovered from traffic; this only says which
//! places are worth watching.

use std::fmt;

use http::HeaderName;
use serde::{Deserialize, Serialize};
use traffic::{Digest, Hasher};

/// The kind of place.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Place {
    /// `Authorization` of the scheme Bearer (RFC 6750).
    Bearer,
    /// `Authorization` of any scheme but Basic and Bearer.
    Authorization,
    /// A header named for a key or token.
    Header,
    /// A query parameter named for one.
    Query,
    /// `Authorization` of the scheme Basic (RFC 7617).
    Basic,
    /// A cookie.
    Cookie,
}

/// One slot: its place, and the keyed hash of the name it has there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Slot {
    /// The kind of place.
    pub place: Place,
    /// What tells it from other slots, its place included.
    pub key: Digest,
    /// Its name, for people.
    pub name: SlotName,
}

const NAME_BYTES_MAX: usize = 24;
/// Stands for a name that is itself shaped like a secret.
const HIDDEN: &str = "hidden";

/// The beginning of a slot's name, as far as it is printable. Callers choose names: one that is
/// shaped like a secret is neither shown nor stored.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct SlotName {
    bytes: [u8; NAME_BYTES_MAX],
    length: u8,
}

// === impl Slot ===

impl Slot {
    pub(super) fn authorization(scheme: &[u8], hasher: &Hasher) -> Self {
        let place = if scheme.eq_ignore_ascii_case(b"bearer") {
            Place::Bearer
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            Place::Basic
        } else {
            Place::Authorization
        };
        match place {
            Place::Bearer => Self::new(place, b"bearer", hasher),
            Place::Basic => Self::new(place, b"basic", hasher),
            _ => Self::new(place, &scheme.to_ascii_lowercase(), hasher),
        }
    }

    pub(super) fn header(name: &HeaderName, hasher: &Hasher) -> Self {
        Self::new(Place::Header, name.as_str().as_bytes(), hasher)
    }

    pub(super) fn cookie(name: &[u8], hasher: &Hasher) -> Self {
        Self::new(Place::Cookie, name, hasher)
    }

    pub(super) fn query(name: &[u8], hasher: &Hasher) -> Self {
        Self::new(Place::Query, &name.to_ascii_lowercase(), hasher)
    }

    fn new(place: Place, name: &[u8], hasher: &Hasher) -> Self {
        let key = hasher.hash(name).tagged(0x40 | place as u8);
        Self { place, key, name: SlotName::of(name) }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Bearer => f.write_str("authorization: bearer"),
            Place::Basic => f.write_str("authorization: basic"),
            Place::Authorization => write!(f, "authorization: {}", self.name.shown()),
            Place::Header => write!(f, "header {}", self.name.shown()),
            Place::Query => write!(f, "parameter {}", self.name.shown()),
            Place::Cookie => write!(f, "cookie {}", self.name.shown()),
        }
    }
}

// === impl SlotName ===

impl SlotName {
    fn of(name: &[u8]) -> Self {
        let mut kept = Self::default();
        for (place, &byte) in kept.bytes.iter_mut().zip(name) {
            let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            *place = if plain { byte } else { b'?' };
        }
        kept.length = u8::try_from(name.len().min(NAME_BYTES_MAX)).unwrap_or(0);
        kept
    }

    /// The name as it may be shown.
    #[must_use]
    pub fn shown(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        let name = std::str::from_utf8(bytes).unwrap_or_default();
        if traffic::ParamKind::of(name).is_secret() { HIDDEN } else { name }
    }

    /// The name as it may be stored.
    pub(crate) fn storable(self) -> Self {
        Self::of(self.shown().as_bytes())
    }
}

/// Headers that carry a key by the custom of many APIs.
const KEY_HEADERS: [&str; 16] = [
    "access-token",
    "api-key",
    "api-token",
    "apikey",
    "auth-token",
    "ocp-apim-subscription-key",
    "private-token",
    "token",
    "x-access-token",
    "x-amz-security-token",
    "x-api-key",
    "x-api-token",
    "x-auth-key",
    "x-auth-token",
    "x-session-id",
    "x-session-token",
];

/// Whether a header of this name carries a key or token. Names that are not listed count when
/// they end like one; forgery tokens prove no caller and do not.
pub(super) fn is_key_header(name: &str) -> bool {
    // Few headers end like a key, and each request asks this of each of its headers.
    if !matches!(
        name.as_bytes(),
        [.., b'k', b'e', b'y'] | [.., b'k', b'e', b'n'] | [.., b'-', b'i', b'd']
    ) {
        return false;
    }
    const ENDINGS: [&str; 6] =
        ["-api-key", "-apikey", "-access-token", "-auth-token", "-session-id", "-session-token"];
    KEY_HEADERS.binary_search(&name).is_ok()
        || (name.len() > 9 && ENDINGS.iter().any(|ending| name.ends_with(ending)))
}

/// Whether a query parameter of this name carries a key or token.
pub(super) fn is_key_parameter(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 12] = [
        b"access_token",
        b"api_key",
        b"apikey",
        b"api-key",
        b"auth_token",
        b"jwt",
        b"key",
        b"session",
        b"session_id",
        b"sessionid",
        b"sid",
        b"token",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a cookie of this name is worth watching. Analytics, consent, balancing and forgery
/// cookies are known by name; those that are not fail the tests of discovery.
pub(super) fn may_be_session(name: &[u8]) -> bool {
    const PREFIXES: [&[u8]; 16] = [
        b"_ga",
        b"_gid",
        b"_gat",
        b"_gcl",
        b"_fbp",
        b"_hj",
        b"__utm",
        b"_pk_",
        b"ajs_",
        b"amp_",
        b"AMP_",
        b"mp_",
        b"AWSALB",
        b"__cf",
        b"cf_",
        b"OptanonConsent",
    ];
    !PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && !is_forgery_token(name)
}

/// Whether a name is that of a token against request forgery.
pub(super) fn is_forgery_token(name: &[u8]) -> bool {
    let has = |mark: &[u8]| name.windows(mark.len()).any(|part| part.eq_ignore_ascii_case(mark));
    has(b"csrf") || has(b"xsrf") || has(b"nonce")
}
