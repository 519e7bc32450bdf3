//! What a value looks like, byte by byte: one census, and what follows from it.

use super::{ParamKind, is_card, is_iban, letters};

/// How many bytes of each sort a value has.
pub(super) struct Census {
    pub(super) digits: usize,
    pub(super) upper: usize,
    pub(super) lower: usize,
    pub(super) hex_letters: usize,
    pub(super) separators: usize,
    pub(super) base64_marks: usize,
    pub(super) others: usize,
    pub(super) at_signs: usize,
    pub(super) colons: usize,
    pub(super) spaces: usize,
    /// Changes between digits, upper and lower case within a run.
    pub(super) turns: usize,
}

impl Census {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut census = Self {
            digits: 0,
            upper: 0,
            lower: 0,
            hex_letters: 0,
            separators: 0,
            base64_marks: 0,
            others: 0,
            at_signs: 0,
            colons: 0,
            spaces: 0,
            turns: 0,
        };
        let mut before = 0_u8;
        for &byte in bytes {
            let sort = match byte {
                b'0'..=b'9' => {
                    census.digits += 1;
                    1
                }
                b'a'..=b'z' => {
                    census.lower += 1;
                    census.hex_letters += usize::from(byte <= b'f');
                    2
                }
                b'A'..=b'Z' => {
                    census.upper += 1;
                    census.hex_letters += usize::from(byte <= b'F');
                    3
                }
                b'-' | b'_' | b'.' => {
                    census.separators += 1;
                    0
                }
                _ => {
                    census.others += 1;
                    match byte {
                        b'+' | b'/' | b'=' | b'~' => census.base64_marks += 1,
                        b'@' => census.at_signs += 1,
                        b':' => census.colons += 1,
                        b' ' => census.spaces += 1,
                        _ => {}
                    }
                    0
                }
            };
            census.turns += usize::from(sort != before && sort != 0 && before != 0);
            before = sort;
        }
        census
    }

    pub(super) const fn letters(&self) -> usize {
        self.upper + self.lower
    }

    pub(super) const fn is_opaque_alphabet(&self, length: usize) -> bool {
        self.digits + self.letters() + self.separators + self.base64_marks == length
    }
}

/// Digits with `-` and `.`: numbers, dates, UUIDs without letters, card numbers with hyphens.
pub(super) fn numeric(bytes: &[u8], seen: &Census) -> Option<ParamKind> {
    if is_uuid(bytes) {
        return Some(ParamKind::Uuid);
    }
    if seen.letters() > 0 {
        return is_date_time(bytes)
            .then_some(ParamKind::DateTime)
            .or_else(|| is_decimal(bytes).then_some(ParamKind::Decimal));
    }
    if is_date(bytes) {
        return Some(ParamKind::Date);
    }
    if is_card(bytes) {
        return Some(ParamKind::Card);
    }
    let unsigned = bytes.strip_prefix(b"-").unwrap_or(bytes);
    if !unsigned.is_empty() && unsigned.len() <= 19 && unsigned.iter().all(u8::is_ascii_digit) {
        return Some(ParamKind::Integer);
    }
    if is_decimal(bytes) {
        return Some(ParamKind::Decimal);
    }
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse::<std::net::IpAddr>().ok())
        .map(|_| ParamKind::Ip)
}

/// Kinds that are known by their punctuation or by a prefix.
pub(super) fn composite(value: &str, seen: &Census) -> Option<ParamKind> {
    let bytes = value.as_bytes();
    if bytes.first() == Some(&b'~')
        && let Some(redacted) = crate::redact::Redacted::parse(bytes)
    {
        return Some(redacted.kind);
    }
    if is_vendor_key(value) {
        return Some(ParamKind::Key);
    }
    if looks_like_jwt(value) {
        return Some(ParamKind::Jwt);
    }
    if seen.spaces > 0 && seen.letters() == 0 && is_card(bytes) {
        return Some(ParamKind::Card);
    }
    if seen.at_signs == 1 && seen.others == 1 + usize::from(value.contains('+')) && is_email(value)
    {
        return Some(ParamKind::Email);
    }
    if seen.colons > 0 {
        if value.contains("://") && !value.contains(' ') {
            return Some(ParamKind::Url);
        }
        if is_date_time(bytes) {
            return Some(ParamKind::DateTime);
        }
        if value.parse::<std::net::IpAddr>().is_ok() {
            return Some(ParamKind::Ip);
        }
    }
    is_iban(bytes).then_some(ParamKind::Iban)
}

/// Letters, digits, `-`, `_` and `.` only.
pub(super) fn plain(bytes: &[u8], seen: &Census) -> ParamKind {
    if is_uuid(bytes) {
        return ParamKind::Uuid;
    }
    let only_hex =
        seen.digits + seen.hex_letters == bytes.len() && (seen.upper == 0 || seen.lower == 0);
    if only_hex && seen.digits > 0 && matches!(bytes.len(), 24 | 32 | 40 | 48 | 56 | 64 | 96 | 128)
    {
        return if bytes.len() == 24 { ParamKind::Hash } else { ParamKind::Token };
    }
    if is_opaque(bytes, seen) {
        return ParamKind::Token;
    }
    let hyphens = bytes.iter().filter(|byte| **byte == b'-').count();
    if seen.upper == 0 && hyphens >= 2 && hyphens == seen.separators && seen.lower > seen.digits {
        return ParamKind::Slug;
    }
    ParamKind::Word
}

/// Whether a string over the token alphabets is random rather than words: long, mixed, and changing
/// its sort of character often. Words and dates change seldom.
pub(super) fn is_opaque(bytes: &[u8], seen: &Census) -> bool {
    let length = bytes.len();
    if seen.digits > 0 {
        let lively = seen.turns * 4 >= length - seen.separators;
        return length >= 16 && seen.letters() >= 4 && lively;
    }
    if length >= 20 && seen.letters() >= 20 && (seen.upper == 0 || seen.lower == 0) {
        return letters::are_random(bytes);
    }
    // Letters alone are random when both cases are common and change at every third letter: names
    // in camel case have few capitals, and those that have many have them in runs.
    length >= 20
        && seen.upper * 3 >= seen.letters()
        && seen.lower * 4 >= seen.letters()
        && seen.turns * 3 >= length - seen.separators
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_date(bytes: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = bytes else { return false };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2];
    digits.iter().all(|byte| byte.is_ascii_digit())
        && matches!((m1, m2), (b'0', b'1'..=b'9') | (b'1', b'0'..=b'2'))
        && matches!((d1, d2), (b'0', b'1'..=b'9') | (b'1' | b'2', _) | (b'3', b'0' | b'1'))
}

fn is_date_time(bytes: &[u8]) -> bool {
    bytes.len() >= 16
        && bytes.len() <= 35
        && bytes.get(..10).is_some_and(is_date)
        && matches!(bytes.get(10), Some(b'T' | b't' | b' '))
        && bytes.iter().skip(11).all(|byte| {
            byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'+' | b'-' | b'Z' | b'z')
        })
}

fn is_decimal(bytes: &[u8]) -> bool {
    let mut rest = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let (mut whole, mut fraction) = (0, 0);
    while let Some((byte, after)) = rest.split_first() {
        if !byte.is_ascii_digit() {
            break;
        }
        whole += 1;
        rest = after;
    }
    if let Some(after) = rest.strip_prefix(b".") {
        rest = after;
        while let Some((byte, after)) = rest.split_first() {
            if !byte.is_ascii_digit() {
                break;
            }
            fraction += 1;
            rest = after;
        }
        if fraction == 0 {
            return false;
        }
    }
    let exponent = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E"));
    match exponent {
        None => whole > 0 && rest.is_empty(),
        Some(power) => {
            let power =
                power.strip_prefix(b"+").or_else(|| power.strip_prefix(b"-")).unwrap_or(power);
            whole > 0
                && !power.is_empty()
                && power.len() <= 4
                && power.iter().all(u8::is_ascii_digit)
        }
    }
}

fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else { return false };
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+');
    !local.is_empty()
        && local.len() <= 64
        && local.bytes().all(plain)
        && domain.bytes().all(|byte| byte != b'+' && plain(byte))
        && domain.rsplit_once('.').is_some_and(|(host, top)| {
            !host.is_empty() && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
}

/// Whether `value` has the form of a signed or encrypted token (RFC 7519): base64url parts parted
/// by dots, the first beginning like the JSON `{"`.
pub fn looks_like_jwt(value: &str) -> bool {
    value.starts_with("eyJ")
        && value.len() >= 20
        && value.len() <= 16 * 1024
        && matches!(value.bytes().filter(|byte| *byte == b'.').count(), 2 | 4)
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'='))
}

/// Prefixes under which vendors issue keys, and how long what follows is at least.
const VENDOR_KEYS: [(&str, usize); 22] = [
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("ghu_", 30),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("sk_live_", 12),
    ("sk_test_", 12),
    ("rk_live_", 12),
    ("pk_live_", 12),
    ("whsec_", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("SG.", 20),
    ("sk-", 20),
    ("npm_", 30),
    ("pypi-", 20),
    ("-----BEGIN ", 10),
];

/// The bytes that vendors' keys begin with.
const VENDOR_KEYS_BEGIN: [bool; 128] = {
    let mut begins = [false; 128];
    let mut at = 0;
    while at < VENDOR_KEYS.len() {
        begins[VENDOR_KEYS[at].0.as_bytes()[0] as usize] = true;
        at += 1;
    }
    begins
};

fn is_vendor_key(value: &str) -> bool {
    // Asked of each value there is: the first byte alone turns most of them away.
    let first = value.as_bytes().first().map_or(0, |first| usize::from(*first));
    if !VENDOR_KEYS_BEGIN.get(first).is_some_and(|begins| *begins) {
        return false;
    }
    VENDOR_KEYS.iter().any(|(prefix, length)| {
        value.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() >= *length
                && (prefix.starts_with('-')
                    || rest.bytes().all(|byte| {
                        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
                    }))
        })
    })
}
