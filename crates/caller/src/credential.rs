//! Credentials as they are presented: where each stood, and the keyed hash of its value.
//!
//! Raw values are looked at here and nowhere else, and what leaves is hashes, kinds and lengths.
//! The same module says how a recording writes a credential, so that a replay sees the same ones:
//! everything derived here is derived from kind, hash and length alone.

pub mod claims;
mod slot;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName};
use traffic::redact::{self, Redacted};
use traffic::{Digest, Hasher, Head, ParamKind};

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
}

impl Credential {
    fn of(slot: Slot, value: &[u8], hasher: &Hasher) -> Self {
        let seen = redacted(value, hasher);
        Self {
            slot,
            value: seen.digest,
            is_jwt: seen.kind == ParamKind::Jwt,
            bits: bits(&seen),
        }
    }

    /// Whether it may stand for one caller by itself: a token or key in a place made for them.
    #[must_use]
    pub fn speaks_for_itself(&self) -> bool {
        self.bits >= UNGUESSABLE_BITS && self.slot.place != Place::Cookie
    }
}

/// The credentials of a request, the most telling places first.
#[must_use]
pub fn presented(head: &Head<'_>, hasher: &Hasher) -> Vec<Credential> {
    let mut found = Vec::with_capacity(4);
    authorization(head.headers, hasher, &mut found);
    let mut cookies = Vec::new();
    for (name, value) in head.headers {
        if *name == COOKIE {
            for (cookie, value) in cookie_pairs(value.as_bytes()) {
                if cookies.len() < CREDENTIALS_MAX && slot::may_be_session(cookie) {
                    let slot = Slot::cookie(cookie, hasher);
                    cookies.push(Credential::of(slot, value, hasher));
                }
            }
        } else if slot::is_key_header(name.as_str()) && found.len() < CREDENTIALS_MAX {
            let slot = Slot::header(name, hasher);
            found.push(Credential::of(slot, value.as_bytes().trim_ascii(), hasher));
        }
    }
    query(head.target, hasher, &mut found);
    found.extend(cookies);
    found.truncate(CREDENTIALS_MAX);
    found
}

fn authorization(headers: &HeaderMap, hasher: &Hasher, found: &mut Vec<Credential>) {
    let Some((scheme, value)) = headers
        .get(AUTHORIZATION)
        .and_then(|value| scheme_of(value.as_bytes()))
    else {
        return;
    };
    found.push(Credential::of(
        Slot::authorization(scheme, hasher),
        value,
        hasher,
    ));
}

/// The scheme of an `Authorization` value and what follows; a lone word is a key without scheme.
pub(crate) fn scheme_of(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let value = value.trim_ascii();
    let (scheme, rest) = match value.iter().position(|&byte| byte == b' ') {
        Some(at) => value.split_at_checked(at)?,
        None => (&b""[..], value),
    };
    let rest = rest.trim_ascii();
    (!rest.is_empty()).then_some((scheme, rest))
}

fn cookie_pairs(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    header
        .split(|&byte| byte == b';')
        .take(COOKIES_MAX)
        .filter_map(|pair| {
            let (name, value) = split_pair(pair)?;
            let (name, value) = (name.trim_ascii(), value.trim_ascii());
            (!name.is_empty() && !value.is_empty()).then_some((name, value))
        })
}

fn split_pair(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b'=', pair)?;
    Some((pair.get(..at)?, pair.get(at + 1..)?))
}

fn query(target: &[u8], hasher: &Hasher, found: &mut Vec<Credential>) {
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
        found.push(Credential::of(Slot::query(name, hasher), &value, hasher));
    }
}

/// The cookie that a `Set-Cookie` line hands out, when it is one that can stand for a caller.
pub(crate) fn set_cookie(line: &[u8], hasher: &Hasher) -> Option<Digest> {
    let mut parts = line.split(|&byte| byte == b';');
    let (name, value) = split_pair(parts.next()?)?;
    let (name, value) = (name.trim_ascii(), value.trim_ascii());
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

/// Kind, hash and length of a value: computed live, read back from a recording.
fn redacted(value: &[u8], hasher: &Hasher) -> Redacted {
    Redacted::of(value, kind_of(value), hasher)
}

/// The kind of a credential's value, as a recording writes it: exact, so that it reads back.
fn kind_of(value: &[u8]) -> ParamKind {
    match std::str::from_utf8(value) {
        // Text that a recording could not tell from prose is written as a secret.
        Ok(text) => match ParamKind::of(text) {
            ParamKind::Text if text.len() >= 40 => ParamKind::Secret,
            kind => kind,
        },
        Err(_) => ParamKind::Secret,
    }
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

/// A header's value as a recording writes it, when it carries credentials: each value on its own
/// as `~kind:hash:length`, the rest as it stands. `None`: not a header that does.
///
/// Cookies that cannot be credentials (a language, a flag) stay readable.
#[must_use]
pub fn recorded_header(name: &HeaderName, value: &[u8], hasher: &Hasher) -> Option<String> {
    if *name == AUTHORIZATION || *name == PROXY_AUTHORIZATION {
        let (scheme, rest) = scheme_of(value)?;
        let scheme = String::from_utf8_lossy(scheme);
        let space = if scheme.is_empty() { "" } else { " " };
        return Some(format!("{scheme}{space}{}", redacted(rest, hasher)));
    }
    if *name == COOKIE {
        let pairs = cookie_pairs(value).map(|(name, value)| {
            let name = String::from_utf8_lossy(name);
            format!(
                "{}={}",
                redact::text(&name, hasher),
                recorded_cookie(&name, value, hasher)
            )
        });
        return Some(pairs.collect::<Vec<_>>().join("; "));
    }
    if *name == http::header::SET_COOKIE {
        return Some(recorded_set_cookie(value, hasher));
    }
    slot::is_key_header(name.as_str()).then(|| redacted(value.trim_ascii(), hasher).to_string())
}

fn recorded_cookie(name: &str, value: &[u8], hasher: &Hasher) -> String {
    let seen = redacted(value, hasher);
    let is_short = seen.length < 8 && !redact::is_secret_name(name);
    match std::str::from_utf8(value) {
        Ok(text) if is_short && !seen.kind.is_secret() => text.to_owned(),
        _ => seen.to_string(),
    }
}

fn recorded_set_cookie(value: &[u8], hasher: &Hasher) -> String {
    let (pair, attributes) = match memchr::memchr(b';', value) {
        Some(at) => value.split_at_checked(at).unwrap_or((value, b"")),
        None => (value, &b""[..]),
    };
    let attributes = String::from_utf8_lossy(attributes);
    match split_pair(pair) {
        Some((name, value)) => {
            let name = String::from_utf8_lossy(name.trim_ascii());
            let value = match value.trim_ascii() {
                b"" => String::new(),
                value => recorded_cookie(&name, value, hasher),
            };
            format!("{}={value}{attributes}", redact::text(&name, hasher))
        }
        None => format!("{}{attributes}", redacted(pair, hasher)),
    }
}
