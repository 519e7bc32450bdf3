//! What a value looks like: the kinds that path templates, parameters and redaction rest on.
//!
//! One function decides ([`ParamKind::of`]), so that a template, a learnt parameter and a redacted
//! recording always agree. A value written as `~kind:hash:length` is of the kind it names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of one scalar value.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParamKind {
    /// Nothing at all.
    Empty,
    /// `true` or `false`.
    Bool,
    /// An optional minus and at most nineteen digits.
    Integer,
    /// A number with a fraction or an exponent.
    Decimal,
    /// An RFC 9562 UUID.
    Uuid,
    /// `2026-11-23`.
    Date,
    /// A date with a time.
    DateTime,
    /// Hexadecimal digits of a digest's or object id's length.
    Hash,
    /// An opaque string of high entropy: a session id, an access token, a cursor.
    Token,
    /// Three base64url parts, the first a JSON object.
    Jwt,
    /// A payment card number (issuer prefix, length and Luhn digit agree).
    Card,
    /// An API key with a vendor's prefix, or a private key.
    Key,
    /// A mail address.
    Email,
    /// An international bank account number (country, length and check digits agree).
    Iban,
    /// A password or other secret, known by the name it was sent under.
    Secret,
    /// An absolute URL.
    Url,
    /// An IP address.
    Ip,
    /// Lower-case words joined by hyphens, at least two.
    Slug,
    /// Letters, digits, `_`, `-` and `.` only.
    Word,
    /// Anything else.
    Text,
}

/// A class of sensitive data.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each variant is the class it prints")]
pub enum DataClass {
    Email,
    Card,
    Iban,
    Jwt,
    Key,
}

/// A set of [`DataClass`]es.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct DataClasses(u16);

// === impl ParamKind ===

impl ParamKind {
    /// The kind of `value`. Looks at each byte a bounded number of times.
    pub fn of(value: &str) -> Self {
        let bytes = value.as_bytes();
        let Some(&first) = bytes.first() else { return Self::Empty };
        if bytes.len() > LENGTH_JUDGED_MAX {
            return if looks_like_jwt(value) { Self::Jwt } else { Self::Text };
        }
        if matches!(value, "true" | "false") {
            return Self::Bool;
        }
        let seen = Census::of(bytes);
        if seen.others == 0 && (first.is_ascii_digit() || first == b'-') && let Some(kind) = numeric(bytes, &seen) {
            return kind;
        }
        if let Some(kind) = composite(value, &seen) {
            return kind;
        }
        if seen.others == 0 && seen.separators + seen.letters() + seen.digits == bytes.len() {
            return plain(bytes, &seen);
        }
        if seen.is_opaque_alphabet(bytes.len()) && is_opaque(bytes, &seen) { Self::Token } else { Self::Text }
    }

    /// Whether a value of this kind is kept out of logs, stores and recordings wherever it stands.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Token | Self::Jwt | Self::Card | Self::Key | Self::Secret)
    }

    /// Whether a path segment of this kind is an identifier rather than part of the route.
    pub const fn is_identifier(self) -> bool {
        matches!(
            self,
            Self::Integer
                | Self::Decimal
                | Self::Uuid
                | Self::Date
                | Self::DateTime
                | Self::Hash
                | Self::Token
                | Self::Jwt
                | Self::Card
                | Self::Key
                | Self::Email
                | Self::Iban
                | Self::Secret
                | Self::Ip
        )
    }

    /// The word in templates, redacted values and output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Bool => "bool",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Uuid => "uuid",
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Hash => "hash",
            Self::Token => "token",
            Self::Jwt => "jwt",
            Self::Card => "card",
            Self::Key => "key",
            Self::Email => "email",
            Self::Iban => "iban",
            Self::Secret => "secret",
            Self::Url => "url",
            Self::Ip => "ip",
            Self::Slug => "slug",
            Self::Word => "word",
            Self::Text => "text",
        }
    }

    /// All kinds.
    pub const ALL: [Self; 20] = [
        Self::Empty,
        Self::Bool,
        Self::Integer,
        Self::Decimal,
        Self::Uuid,
        Self::Date,
        Self::DateTime,
        Self::Hash,
        Self::Token,
        Self::Jwt,
        Self::Card,
        Self::Key,
        Self::Email,
        Self::Iban,
        Self::Secret,
        Self::Url,
        Self::Ip,
        Self::Slug,
        Self::Word,
        Self::Text,
    ];

    /// The kind that `word` names.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == word)
    }

    /// The class of sensitive data that a value of this kind is.
    pub const fn data_class(self) -> Option<DataClass> {
        match self {
            Self::Email => Some(DataClass::Email),
            Self::Card => Some(DataClass::Card),
            Self::Iban => Some(DataClass::Iban),
            Self::Jwt => Some(DataClass::Jwt),
            Self::Key => Some(DataClass::Key),
            _ => None,
        }
    }
}

impl fmt::Display for ParamKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

// === impl DataClasses ===

impl DataClasses {
    /// Adds `class`.
    pub fn insert(&mut self, class: DataClass) {
        self.0 |= 1 << class as u16;
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The classes, in the order of their definition.
    pub fn iter(self) -> impl Iterator<Item = DataClass> {
        DataClass::ALL.into_iter().filter(move |class| self.0 & (1 << *class as u16) != 0)
    }
}

impl DataClass {
    /// All classes.
    pub const ALL: [Self; 5] = [Self::Email, Self::Card, Self::Iban, Self::Jwt, Self::Key];

    /// The word in output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Jwt => "jwt",
            Self::Key => "key",
        }
    }
}

/// Longer values are texts: nothing that is kept as an identifier is longer, only tokens are.
const LENGTH_JUDGED_MAX: usize = 512;

/// How many bytes of each sort a value has.
struct Census {
    digits: usize,
    upper: usize,
    lower: usize,
    hex_letters: usize,
    separators: usize,
    base64_marks: usize,
    others: usize,
    at_signs: usize,
    colons: usize,
    spaces: usize,
    /// Changes between digits, upper and lower case within a run.
    turns: usize,
}

impl Census {
    fn of(bytes: &[u8]) -> Self {
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

    const fn letters(&self) -> usize {
        self.upper + self.lower
    }

    const fn is_opaque_alphabet(&self, length: usize) -> bool {
        self.digits + self.letters() + self.separators + self.base64_marks == length
    }
}

/// Digits with `-` and `.`: numbers, dates, UUIDs without letters, card numbers with hyphens.
fn numeric(bytes: &[u8], seen: &Census) -> Option<ParamKind> {
    if is_uuid(bytes) {
        return Some(ParamKind::Uuid);
    }
    if seen.letters() > 0 {
        return is_date_time(bytes).then_some(ParamKind::DateTime).or_else(|| is_decimal(bytes).then_some(ParamKind::Decimal));
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
    std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<std::net::IpAddr>().ok()).map(|_| ParamKind::Ip)
}

/// Kinds that are known by their punctuation or by a prefix.
fn composite(value: &str, seen: &Census) -> Option<ParamKind> {
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
    if seen.at_signs == 1 && seen.others == 1 + usize::from(value.contains('+')) && is_email(value) {
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
fn plain(bytes: &[u8], seen: &Census) -> ParamKind {
    if is_uuid(bytes) {
        return ParamKind::Uuid;
    }
    let only_hex = seen.digits + seen.hex_letters == bytes.len() && (seen.upper == 0 || seen.lower == 0);
    if only_hex && seen.digits > 0 && matches!(bytes.len(), 24 | 32 | 40 | 48 | 56 | 64 | 96 | 128) {
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
fn is_opaque(bytes: &[u8], seen: &Census) -> bool {
    let length = bytes.len();
    length >= 16 && seen.digits >= 1 && seen.letters() >= 4 && seen.turns * 4 >= length - seen.separators
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
        && bytes.iter().skip(11).all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'+' | b'-' | b'Z' | b'z'))
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
            let power = power.strip_prefix(b"+").or_else(|| power.strip_prefix(b"-")).unwrap_or(power);
            whole > 0 && !power.is_empty() && power.len() <= 4 && power.iter().all(u8::is_ascii_digit)
        }
    }
}

/// Whether `bytes` is a payment card number: 13 to 19 digits, single spaces or hyphens between them,
/// an issuer's prefix at its length, and the Luhn digit (ISO/IEC 7812-1).
pub fn is_card(bytes: &[u8]) -> bool {
    let mut digits = [0_u8; 19];
    let mut count = 0;
    let mut gap = true;
    for &byte in bytes {
        match byte {
            b'0'..=b'9' => {
                let Some(place) = digits.get_mut(count) else { return false };
                *place = byte - b'0';
                count += 1;
                gap = false;
            }
            b' ' | b'-' if !gap => gap = true,
            _ => return false,
        }
    }
    let Some(digits) = digits.get(..count) else { return false };
    !gap && is_issued(digits) && passes_luhn(digits)
}

fn is_issued(digits: &[u8]) -> bool {
    let prefix = digits.iter().take(4).fold(0_u16, |sum, digit| sum * 10 + u16::from(*digit));
    match (prefix, digits.len()) {
        (4000..=4999, 13 | 16 | 19) => true,
        (5100..=5599 | 2221..=2720, 16) => true,
        (3400..=3499 | 3700..=3799, 15) => true,
        (3000..=3059 | 3600..=3699 | 3800..=3999, 14..=19) => true,
        (3528..=3589, 16..=19) => true,
        (6011 | 6440..=6599 | 6200..=6299 | 8100..=8171, 16..=19) => true,
        (5000..=5099 | 5600..=5899 | 6300..=6399 | 6700..=6799, 16 | 18 | 19) => true,
        _ => false,
    }
}

fn passes_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let doubled = u32::from(*digit) << (at & 1);
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    sum % 10 == 0
}

fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.split_once('@') else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+');
    !local.is_empty()
        && local.len() <= 64
        && local.bytes().all(plain)
        && domain.bytes().all(|byte| byte != b'+' && plain(byte))
        && domain.rsplit_once('.').is_some_and(|(host, top)| {
            !host.is_empty() && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        })
}

/// ISO 13616: two letters, two check digits, the country's length, and 97 as the check's modulus.
pub fn is_iban(bytes: &[u8]) -> bool {
    let [a, b, c, d, ..] = bytes else { return false };
    if !(a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit()) {
        return false;
    }
    let mut compact = [0_u8; 34];
    let mut count = 0;
    for &byte in bytes {
        if byte == b' ' {
            continue;
        }
        let Some(place) = compact.get_mut(count) else { return false };
        if !(byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            return false;
        }
        *place = byte;
        count += 1;
    }
    let Some(compact) = compact.get(..count) else { return false };
    if iban_length(*a, *b).is_none_or(|length| length != count) {
        return false;
    }
    let (head, tail) = compact.split_at(4);
    let remainder = tail.iter().chain(head).fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    remainder == 1
}

const fn iban_length(a: u8, b: u8) -> Option<usize> {
    Some(match &[a, b] {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FI" | b"FO" | b"GL" | b"NL" | b"SD" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"XK" | b"MN" => 20,
        b"CH" | b"HR" | b"LI" | b"LV" => 21,
        b"BG" | b"BH" | b"CR" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" | b"VA" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"OM" | b"SO" | b"TL" => 23,
        b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN" | b"VG" => 24,
        b"LY" | b"PT" | b"ST" => 25,
        b"IS" | b"TR" => 26,
        b"BI" | b"DJ" | b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" => 27,
        b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HU" | b"LB" | b"NI" | b"PL" | b"SV" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
        b"JO" | b"KW" | b"MU" | b"YE" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        b"RU" => 33,
        _ => return None,
    })
}

/// Whether `value` has the form of a signed or encrypted token (RFC 7519): base64url parts parted by
/// dots, the first beginning like the JSON `{"`.
pub fn looks_like_jwt(value: &str) -> bool {
    value.starts_with("eyJ")
        && value.len() >= 20
        && value.len() <= 16 * 1024
        && matches!(value.bytes().filter(|byte| *byte == b'.').count(), 2 | 4)
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'='))
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

fn is_vendor_key(value: &str) -> bool {
    VENDOR_KEYS.iter().any(|(prefix, length)| {
        value.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() >= *length
                && (prefix.starts_with('-')
                    || rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: ParamKind, values: &[&str]) {
        for value in values {
            assert_eq!(ParamKind::of(value), kind, "{value}");
        }
    }

    #[test]
    fn numbers_dates_and_identifiers() {
        check(ParamKind::Integer, &["0", "-7", "12345678901", "1732363200000000"]);
        check(ParamKind::Decimal, &["1.5", "-0.25", "6.02e23", "1E5"]);
        check(ParamKind::Date, &["2026-11-23"]);
        check(ParamKind::DateTime, &["2026-11-23T12:00:00Z", "2026-11-23T12:00:00.123+01:00"]);
        check(ParamKind::Uuid, &["6f1c2f0e-8f1c-4a9b-9d3e-3f6d1f0a7b21", "01234567-8901-2345-6789-012345678901"]);
        check(ParamKind::Hash, &["507f1f77bcf86cd799439011"]);
        check(ParamKind::Ip, &["192.0.2.1", "2001:db8::1"]);
    }

    #[test]
    fn secrets_are_seen_by_their_shape() {
        check(ParamKind::Card, &["4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"]);
        check(ParamKind::Iban, &["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32"]);
        check(ParamKind::Jwt, &["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"]);
        check(ParamKind::Key, &["AKIAIOSFODNN7EXAMPLE", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"]);
        check(
            ParamKind::Token,
            &["d41d8cd98f00b204e9800998ecf8427e", "x7Kq2vN9pLm4Rt8Yw3Zb", "tGzv3JOkF0XG5Qx2TlKWIA", "dGhpcy9pc+BhIHRva2Vu0123=="],
        );
    }

    #[test]
    fn words_are_not_secrets() {
        check(ParamKind::Word, &["users", "v1", "getUserProfile", "user_profile_2024", "iphone-15", "index.html"]);
        check(ParamKind::Slug, &["how-to-cook-an-egg", "black-friday-2024-deals"]);
        check(ParamKind::Text, &["hello world", "O'Brien", "naïve"]);
        check(ParamKind::Email, &["ada@example.com", "a.b+c@mail.example.org"]);
        check(ParamKind::Url, &["https://example.com/a?b=c"]);
        check(ParamKind::Bool, &["true", "false"]);
    }

    #[test]
    fn a_wrong_check_digit_is_no_card() {
        check(ParamKind::Integer, &["4111111111111112", "1234567890123456"]);
        assert!(!is_iban(b"DE89370400440532013001"));
    }

    #[test]
    fn redacted_values_keep_their_kind() {
        check(ParamKind::Card, &["~card:00112233445566aa:16"]);
        check(ParamKind::Text, &["~card:nonsense:16"]);
    }
}
