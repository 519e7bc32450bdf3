//! The text of a token, and the hash by which it is recognised.
//!
//! `palisade_` + eight hexadecimal digits that name it + `_` + 256 random bits in base64url. The
//! prefix lets scanners of source code find one that was committed by mistake. What is stored is
//! argon2id over the whole text, with a salt of its own, in the PHC string format.
//!
//! Comparing is in constant time: what is compared are hashes, and every byte of them is looked at.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

const PREFIX: &str = "palisade_";
const ID_DIGITS: usize = 8;
const SECRET_BYTES: usize = 32;
const SECRET_DIGITS: usize = 43;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Costs as OWASP recommends them where memory is scarce: 7 MiB, five passes, one lane.
const MEMORY_KIB: u32 = 7 * 1024;
const PASSES: u32 = 5;
const LANES: u32 = 1;
/// Hashes that cost more are not ours.
const MEMORY_KIB_MAX: u32 = 64 * 1024;
const PASSES_MAX: u32 = 16;

/// A token as its owner has it. Neither `Debug` nor `Display` shows it.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// A new one, from the operating system's randomness.
    pub(crate) fn random() -> io::Result<Self> {
        let mut bytes = [0; ID_DIGITS / 2 + SECRET_BYTES];
        fill(&mut bytes)?;
        let (id, secret) = bytes.split_at(ID_DIGITS / 2);
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self(format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(secret))))
    }

    /// A text that has the form of a token.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_id = id.len() == ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_secret = secret.len() == SECRET_DIGITS && secret.bytes().all(is_digit);
        (is_id && is_secret).then(|| Self(text.to_owned()))
    }

    /// The part that names it.
    pub(crate) fn id(&self) -> &str {
        self.0.get(PREFIX.len()..PREFIX.len() + ID_DIGITS).unwrap_or_default()
    }

    /// The token itself: for its owner, once.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The hash that is stored.
    pub(crate) fn hash(&self) -> io::Result<String> {
        let mut salt = [0; SALT_BYTES];
        fill(&mut salt)?;
        let hash = argon2id(self.0.as_bytes(), &salt, MEMORY_KIB, PASSES, LANES)
            .ok_or_else(|| io::Error::other("the token cannot be hashed"))?;
        let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
        Ok(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}"))
    }

    /// Whether `stored` is a hash of this. Costs some tens of milliseconds and 7 MiB.
    pub(crate) fn matches(&self, stored: &str) -> bool {
        let expected = Stored::parse(stored);
        // Without a hash there is as much to do: the time does not tell whether there is one.
        let (salt, costs) = match &expected {
            Some(stored) => (stored.salt.as_slice(), (stored.memory_kib, stored.passes)),
            None => (&[0; SALT_BYTES][..], (MEMORY_KIB, PASSES)),
        };
        let found = argon2id(self.0.as_bytes(), salt, costs.0, costs.1, LANES);
        match (found, expected) {
            (Some(found), Some(expected)) => same(&found, &expected.hash),
            _ => false,
        }
    }

    /// A quick hash, to recognise within this process what was proven before.
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({PREFIX}{}_…)", self.id())
    }
}

/// The parts of a stored hash.
struct Stored {
    memory_kib: u32,
    passes: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$argon2id$v=19$m=")?;
        let (memory, rest) = rest.split_once(",t=")?;
        let (passes, rest) = rest.split_once(",p=1$")?;
        let (salt, hash) = rest.split_once('$')?;
        let (memory_kib, passes) = (memory.parse().ok()?, passes.parse().ok()?);
        let (salt, hash) = (STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(hash).ok()?);
        let is_ours = memory_kib <= MEMORY_KIB_MAX && passes <= PASSES_MAX;
        (is_ours && hash.len() == HASH_BYTES).then_some(Self { memory_kib, passes, salt, hash })
    }
}

fn argon2id(text: &[u8], salt: &[u8], kib: u32, passes: u32, lanes: u32) -> Option<[u8; 32]> {
    let params = Params::new(kib, passes, lanes, Some(HASH_BYTES)).ok()?;
    let mut memory = vec![Block::default(); params.block_count()];
    let mut out = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(text, salt, &mut out, &mut memory)
        .ok()?;
    Some(out)
}

/// Whether two hashes are the same, in a time that does not tell where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && std::hint::black_box(differing) == 0
}

fn fill(bytes: &mut [u8]) -> io::Result<()> {
    File::open("/dev/urandom")?.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_recognised_by_its_hash_and_by_no_other() {
        let (token, other) = (Secret::random().expect("made"), Secret::random().expect("made"));
        let stored = token.hash().expect("hashed");
        assert!(token.matches(&stored) && !other.matches(&stored), "{stored}");
        assert!(!stored.contains(token.reveal().rsplit('_').next().expect("a secret")));
        assert_ne!(stored, token.hash().expect("hashed"), "each has a salt of its own");
        for wrong in ["", "$argon2id$v=19$m=7168,t=5,p=1$$", "$argon2i$v=19$m=7168,t=5,p=1$AA$AA"] {
            assert!(!token.matches(wrong), "{wrong}");
        }
        let costly = stored.replace("m=7168", "m=4294967295");
        assert!(!token.matches(&costly), "a damaged row must not cost the machine's memory");
    }

    #[test]
    fn the_text_of_a_token_has_one_form_and_is_not_shown() {
        let token = Secret::random().expect("made");
        let read = Secret::parse(token.reveal()).expect("the form of a token");
        assert_eq!(read.id(), token.id());
        let shown = format!("{token:?}");
        assert!(!shown.contains(&token.reveal()[20..]), "{shown}");
        let text = token.reveal();
        for wrong in [&text[..text.len() - 1], &text[1..], &format!("{text}A"), "palisade__", ""] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
    }
}
