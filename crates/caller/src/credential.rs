//! Credentials as they are presented: where each stood, and the keyed hash of its value.
//!
//! Raw values are looked at here and nowhere else, and what leaves is hashes, kinds and lengths.
//! Everything that is derived here is derived from kind, hash and length alone, which is what a
//! recording keeps of a credential (`traffic::scrub`): a replay sees the same ones.

pub mod claims;
mod slot;

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName};
use traffic::redact::Redacted;
use traffic::{Digest, Hasher, Head, ParamKind};

use claims::Claims;

use crate::readings::{Readings, TokenReading};
pub use slot::{Place, Slot, SlotName};

/// A request that presents more is presenting noise.
const CREDENTIALS_MAX: usize = 16;
/// Cookies beyond these are not looked at.
const COOKIES_MAX: usize = 48;
/// Query parameters beyond these are not looked at.
const PARAMETERS_MAX: usize = 32;
/// The least entropy, as estimated, of a value that nobody guesses: what it takes to be believed
/// to stand for one caller.
pub const UNGUESSABLE_BITS: u8 = 32;

/// One credential that a request presents.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Credential {
    /// Where it stood.
    pub slot: Slot,
    /// The keyed hash of its value.
    pub value: Digest,
    /// Whether it is a JSON Web Token by its form.
    pub is_jwt: bool,
    /// How hard it is to guess, estimated from its form and length.
    pub bits: u8,
    /// Whether it is a name with one of the most common passwords.
    pub is_common: bool,
}

impl Credential {
    fn of(slot: Slot, seen: &Redacted) -> Self {
        let is_jwt = seen.kind == ParamKind::Jwt;
        Self { slot, value: seen.digest, is_jwt, bits: bits(seen), is_common: false }
    }

    /// Whether it may stand for one caller by itself: a token or key in a place made for them.
    #[must_use]
    pub fn speaks_for_itself(&self) -> bool {
        self.bits >= UNGUESSABLE_BITS && self.slot.place != Place::Cookie
    }
}

/// The credentials of a request, the most telling places first, and the claims of the first token
/// among them.
#[must_use]
pub(crate) fn presented(
    head: &Head<'_>,
    hasher: &Hasher,
    readings: &Readings,
) -> (Vec<Credential>, Claims) {
    let mut found = Vec::with_capacity(4);
    let mut claims = Claims::default();
    let mut read = |value: &[u8]| read(value, hasher, readings);
    authorization(head.headers, hasher, &mut read, &mut found, &mut claims);
    let mut cookies = Vec::new();
    for (name, value) in head.headers {
        if slot::is_key_header(name.as_str()) && found.len() < CREDENTIALS_MAX {
            let (seen, said) = read(value.as_bytes());
            found.push(Credential::of(Slot::header(name, hasher), &seen));
            claims.note(&said);
        } else if *name == COOKIE {
            for (name, value) in cookie_pairs(value.as_bytes()) {
                if cookies.len() < CREDENTIALS_MAX && slot::may_be_session(name) {
                    let (seen, said) = read(value);
                    let credential = Credential::of(Slot::cookie(name, hasher), &seen);
                    // Languages, flags and counters are cookies, too.
                    cookies.extend(Some(credential).filter(|one| one.bits >= UNGUESSABLE_BITS));
                    claims.note(&said);
                }
            }
        }
    }
    query(head.target, hasher, &mut read, &mut found);
    found.extend(cookies);
    found.truncate(CREDENTIALS_MAX);
    (found, claims)
}

fn authorization(
    headers: &HeaderMap,
    hasher: &Hasher,
    read: &mut impl FnMut(&[u8]) -> (Redacted, Claims),
    found: &mut Vec<Credential>,
    claims: &mut Claims,
) {
    // An API may read another than the first of several.
    for value in headers.get_all(AUTHORIZATION) {
        let Some((scheme, value)) = scheme_of(value.as_bytes()) else { continue };
        if found.len() >= CREDENTIALS_MAX {
            return;
        }
        let (seen, said) = read(value);
        let mut credential = Credential::of(Slot::authorization(scheme, hasher), &seen);
        if scheme.eq_ignore_ascii_case(b"basic") {
            credential.is_common = claims.note_basic(value, hasher);
        } else {
            claims.note(&said);
        }
        found.push(credential);
    }
}

/// The scheme of an `Authorization` value, where it is a usual one, and what follows it; anything
/// else is a key as a whole.
pub(crate) fn scheme_of(value: &[u8]) -> Option<(&[u8], &[u8])> {
    const SCHEMES: [&[u8]; 6] = [b"basic", b"bearer", b"digest", b"token", b"apikey", b"negotiate"];
    let value = value.trim_ascii();
    let at = memchr::memchr(b' ', value).unwrap_or(0);
    let (scheme, rest) = match value.split_at_checked(at) {
        Some((scheme, rest)) if SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) => {
            (scheme, rest.trim_ascii())
        }
        _ => (&b""[..], value),
    };
    (!rest.is_empty()).then_some((scheme, rest))
}

/// The cookies of a `Cookie` header, parted as RFC 6265 has clients part them and as a recording
/// parts them: exactly so, because a cookie cut elsewhere would have another hash in a replay.
fn cookie_pairs(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = header.split(|byte| *byte == b';').take(COOKIES_MAX);
    let trimmed =
        pairs.filter_map(split_pair).map(|(name, value)| (name.trim_ascii(), value.trim_ascii()));
    trimmed.filter(|(_, value)| !value.is_empty())
}

fn split_pair(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b'=', pair)?;
    Some((pair.get(..at)?, pair.get(at + 1..)?))
}

fn query(
    target: &[u8],
    hasher: &Hasher,
    read: &mut impl FnMut(&[u8]) -> (Redacted, Claims),
    found: &mut Vec<Credential>,
) {
    let (_, Some(query)) = traffic::path::split_target(target) else {
        return;
    };
    for pair in query.split(|&byte| byte == b'&').take(PARAMETERS_MAX) {
        let Some((name, value)) = split_pair(pair) else {
            continue;
        };
        if value.is_empty() || !slot::is_key_parameter(name) || found.len() >= CREDENTIALS_MAX {
            continue;
        }
        let value = traffic::path::percent_decode(value, true).bytes;
        found.push(Credential::of(Slot::query(name, hasher), &read(&value).0));
    }
}

/// The cookie that a `Set-Cookie` line hands out, when it is one that can stand for a caller.
pub(crate) fn set_cookie(line: &[u8], hasher: &Hasher) -> Option<Digest> {
    let mut parts = line.split(|&byte| byte == b';');
    let (name, value) = split_pair(parts.next()?)?;
    let is_withdrawn = parts.filter_map(split_pair).any(|(attribute, value)| {
        let value = value.trim_ascii();
        attribute.trim_ascii().eq_ignore_ascii_case(b"max-age")
            && (value == b"0" || value.starts_with(b"-"))
    });
    if value.is_empty() || is_withdrawn || !slot::may_be_session(name) {
        return None;
    }
    let seen = redacted(value, hasher);
    (bits(&seen) >= UNGUESSABLE_BITS).then_some(seen.digest)
}

/// The token that an answer's header hands out; a scheme before it does not belong to it.
pub(crate) fn of_answer_header(value: &[u8], hasher: &Hasher) -> Option<Digest> {
    let (_, token) = scheme_of(value)?;
    let seen = redacted(token, hasher);
    (bits(&seen) >= UNGUESSABLE_BITS).then_some(seen.digest)
}

/// Whether a header of this name carries a key or token.
pub(crate) fn is_key_header(name: &HeaderName) -> bool {
    slot::is_key_header(name.as_str())
}

/// Shorter values are read in less time than they are looked up.
const REMEMBERED_BYTES_MIN: usize = 24;

/// Kind, hash and length of a value, and what it says should it be a token.
fn read(value: &[u8], hasher: &Hasher, readings: &Readings) -> (Redacted, Claims) {
    if value.len() < REMEMBERED_BYTES_MIN || hasher.reads_redacted() || !value.is_ascii() {
        return (redacted(value, hasher), Claims::of_token(value, hasher));
    }
    let digest = hasher.hash(value);
    let TokenReading { kind, claims } = readings.tokens.recall(digest, || TokenReading {
        kind: redacted(value, hasher).kind,
        claims: Claims::of_token(value, hasher),
    });
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    (Redacted { kind, digest, length }, claims)
}

/// Kind, hash and length of a value: computed live, read back from a recording, and the same in
/// both because nothing else of the value is looked at.
pub(crate) fn redacted(value: &[u8], hasher: &Hasher) -> Redacted {
    let text = String::from_utf8_lossy(value);
    // The commonest kind is the longest to judge, and one look at its beginning tells it.
    let kind =
        if claims::is_token(text.as_bytes()) { ParamKind::Jwt } else { ParamKind::of(&text) };
    Redacted::of(text.as_bytes(), kind, hasher)
}

/// How hard a value is to guess, by its form and length.
fn bits(seen: &Redacted) -> u8 {
    let eighths_per_byte = match seen.kind {
        ParamKind::Jwt => return u8::MAX,
        ParamKind::Token | ParamKind::Key => 32,
        ParamKind::Uuid | ParamKind::Hash => 26,
        ParamKind::Secret => 24,
        ParamKind::Integer => 20,
        ParamKind::Word => 16,
        ParamKind::Slug | ParamKind::Text | ParamKind::Decimal => 8,
        _ => 0,
    };
    u8::try_from(seen.length.saturating_mul(eighths_per_byte) / 8).unwrap_or(u8::MAX)
}
