//! Keyed hashes: what a value is known by once it has passed.
//!
//! Identities, accounts, tokens and paths are kept and compared as a SipHash under a key of the
//! installation, never as themselves. A recording carries the same hashes in place of secrets
//! (`~kind:hash:length`), and a [`Hasher`] for recordings reads them back, so that what was one
//! caller live is one caller in the replay. Live traffic is never read that way: a caller could
//! otherwise claim somebody else's hash.

use std::fmt;
use std::hash::Hasher as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use crate::redact::Redacted;

/// The keyed hash of a value.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
pub struct Digest(pub u64);

/// The secret key of an installation's hashes. Its `Debug` shows nothing.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
pub struct HashKey([u8; 16]);

/// Hashes values under one key.
#[derive(Clone, Debug)]
pub struct Hasher {
    key: HashKey,
    empty: SipHasher13,
    reads_redacted: bool,
}

/// A text that is not sixteen hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("not a hash of sixteen hexadecimal digits")]
pub struct NotADigest;

// === impl Digest ===

impl Digest {
    /// The digest of a sequence: this value, then `next`. Order counts.
    #[must_use]
    pub const fn then(self, next: Self) -> Self {
        let mixed = (self.0.rotate_left(23) ^ next.0).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(mixed ^ (mixed >> 29))
    }

    /// This value in the role that `tag` names: the same value in another role is another digest.
    #[must_use]
    pub const fn tagged(self, tag: u8) -> Self {
        self.then(Self(0xa076_1d64_78bd_642f_u64.wrapping_mul(tag as u64 + 1)))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let plain = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !plain {
            return Err(NotADigest);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| NotADigest)
    }
}

// === impl HashKey ===

impl HashKey {
    /// A key from sixteen random bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the one file that stores the key.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(…)")
    }
}

// === impl Hasher ===

impl Hasher {
    /// For live traffic: every value is hashed as it stands.
    pub fn new(key: HashKey) -> Self {
        Self { key, empty: SipHasher13::new_with_key(&key.0), reads_redacted: false }
    }

    /// For recordings: a value written as `~kind:hash:length` stands for the hash it names.
    pub fn for_recording(key: HashKey) -> Self {
        Self { reads_redacted: true, ..Self::new(key) }
    }

    /// The keyed hash of `value`.
    pub fn hash(&self, value: &[u8]) -> Digest {
        if self.reads_redacted
            && value.first() == Some(&b'~')
            && let Some(redacted) = Redacted::parse(value)
        {
            return redacted.digest;
        }
        let mut sip = self.empty;
        sip.write(value);
        Digest(sip.finish())
    }

    /// A name for the key that gives nothing of it away.
    pub fn key_id(&self) -> Digest {
        let mut sip = self.empty;
        sip.write(b"the id of this key");
        Digest(sip.finish())
    }

    /// Whether values written as `~kind:hash:length` are understood.
    pub const fn reads_redacted(&self) -> bool {
        self.reads_redacted
    }

    /// The key, for whoever must store it.
    pub const fn key(&self) -> &HashKey {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_traffic_cannot_claim_a_hash() {
        let key = HashKey::new([7; 16]);
        let live = Hasher::new(key);
        let replay = Hasher::for_recording(key);
        let secret = live.hash(b"s3cret");
        let written = format!("~secret:{secret}:6");
        assert_eq!(replay.hash(written.as_bytes()), secret);
        assert_ne!(live.hash(written.as_bytes()), secret);
    }

    #[test]
    fn order_and_role_count() {
        let (a, b) = (Digest(1), Digest(2));
        assert_ne!(a.then(b), b.then(a));
        assert_ne!(a.tagged(1), a.tagged(2));
    }

    #[test]
    fn a_key_never_shows() {
        assert_eq!(format!("{:?}", HashKey::new([1; 16])), "HashKey(…)");
    }
}
