//! What a value looks like: the kinds that path templates, parameters and redaction rest on.
//!
//! One function decides ([`ParamKind::of`]), so that a template, a learnt parameter and a redacted
//! recording always agree. A value written as `~kind:hash:length` is of the kind it names.

mod checksum;
mod class;
mod letters;
mod shape;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use checksum::{is_card, is_iban};
pub use class::{DataClass, DataClasses};
pub use shape::looks_like_jwt;

use shape::{Census, composite, is_opaque, numeric, plain};

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
        if seen.others == 0
            && (first.is_ascii_digit() || first == b'-')
            && let Some(kind) = numeric(bytes, &seen)
        {
            return kind;
        }
        if let Some(kind) = composite(value, &seen) {
            return kind;
        }
        if seen.others == 0 && seen.separators + seen.letters() + seen.digits == bytes.len() {
            return plain(bytes, &seen);
        }
        if seen.is_opaque_alphabet(bytes.len()) && is_opaque(bytes, &seen) {
            Self::Token
        } else {
            Self::Text
        }
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

/// Longer values are texts: nothing that is kept as an identifier is longer, only tokens are.
const LENGTH_JUDGED_MAX: usize = 512;

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
        check(
            ParamKind::Uuid,
            &["6f1c2f0e-8f1c-4a9b-9d3e-3f6d1f0a7b21", "01234567-8901-2345-6789-012345678901"],
        );
        check(ParamKind::Hash, &["507f1f77bcf86cd799439011"]);
        check(ParamKind::Ip, &["192.0.2.1", "2001:db8::1"]);
    }

    #[test]
    fn secrets_are_seen_by_their_shape() {
        check(
            ParamKind::Card,
            &["4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
        );
        check(ParamKind::Iban, &["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32"]);
        check(ParamKind::Jwt, &["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"]);
        check(ParamKind::Key, &["AKIAIOSFODNN7EXAMPLE", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"]);
        check(
            ParamKind::Token,
            &[
                "d41d8cd98f00b204e9800998ecf8427e",
                "x7Kq2vN9pLm4Rt8Yw3Zb",
                "tGzv3JOkF0XG5Qx2TlKWIA",
                "GzuVKTepKEgIPftCDOPgqCHEFrSXdoTi",
                "dGhpcy9pc+BhIHRva2Vu0123==",
                "qkzvwmxpjrtbdhgfclsnyx",
                "MFRGGZDFMZTWQQLNNRXXAZLT",
            ],
        );
    }

    #[test]
    fn words_are_not_secrets() {
        check(
            ParamKind::Word,
            &["users", "v1", "getUserProfile", "user_profile_2024", "iphone-15", "index.html"],
        );
        check(
            ParamKind::Word,
            &[
                "getUserProfileByIdentifier",
                "XMLHTTPRequestURLParserFactory",
                "antidisestablishment",
                "schifffahrtsgesellschaften",
                "passwordresetrequested",
            ],
        );
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
