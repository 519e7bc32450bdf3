//! Whom a token speaks for: hashes of the claims that name somebody.
//!
//! The signature is not checked here, so a claim groups requests and proves nothing by itself;
//! `callers` believes one only once the token that carries it has earned an answer.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use traffic::fields::{Fields, Sort};
use traffic::{Digest, Hasher, Head};

use crate::common_passwords::is_common_password;
use crate::readings::Readings;

/// Larger tokens are not opened.
const PAYLOAD_BYTES_MAX: usize = 8_192;
/// Neither shorter nor longer values are tokens.
const TOKEN_BYTES_MIN: usize = 20;
const TOKEN_BYTES_MAX: usize = 16_384;
/// Longer values name nobody.
const VALUE_BYTES_MAX: usize = 256;
const BASIC_USER: &str = "basic-user";

const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A claim that names somebody, in the order of preference.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Claim {
    /// `sub`, the subject of RFC 7519.
    Subject,
    /// `user_id` or `userId`.
    UserId,
    /// `uid`.
    Uid,
    /// `email`.
    Email,
    /// `client_id` or `azp`: a program rather than a person.
    ClientId,
}

impl Claim {
    /// All of them, the most telling first.
    pub const ALL: [Self; 5] =
        [Self::Subject, Self::UserId, Self::Uid, Self::Email, Self::ClientId];

    /// The name under which it is recorded and shown.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Subject => "sub",
            Self::UserId => "user_id",
            Self::Uid => "uid",
            Self::Email => "email",
            Self::ClientId => "client_id",
        }
    }

    const fn place(self) -> usize {
        self as usize
    }
}

/// The hashes of what a request's token claims.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Claims {
    named: [Option<Digest>; Claim::ALL.len()],
    basic_user: Option<Digest>,
}

impl Claims {
    /// The hash of one claim.
    #[must_use]
    pub fn value(&self, claim: Claim) -> Option<Digest> {
        self.named.get(claim.place()).copied().flatten()
    }

    /// The account that an `email` claim names.
    #[must_use]
    pub fn account(&self) -> Option<Digest> {
        self.value(Claim::Email)
    }

    /// The account of Basic credentials.
    #[must_use]
    pub fn basic_user(&self) -> Option<Digest> {
        self.basic_user
    }

    /// The claims that a recording kept beside the credentials it left out.
    pub(crate) fn of_recording(recorded: &BTreeMap<String, String>) -> Self {
        let digest = |name: &str| recorded.get(name).and_then(|text| text.parse().ok());
        Self { named: Claim::ALL.map(|claim| digest(claim.key())), basic_user: digest(BASIC_USER) }
    }

    /// Reads the user of Basic credentials. Says whether the password beside it is one of the most
    /// common.
    pub(super) fn note_basic(&mut self, value: &[u8], hasher: &Hasher) -> bool {
        let Some(pair) = basic_pair(value) else { return false };
        let Some(colon) = memchr::memchr(b':', &pair) else { return false };
        let (user, password) = pair.split_at(colon);
        if !user.is_empty() && user.len() <= VALUE_BYTES_MAX {
            self.basic_user = Some(crate::attempt::account_digest(user, hasher));
        }
        is_common_password(password.get(1..).unwrap_or_default())
    }

    /// What a JSON Web Token claims; nothing when `value` is none.
    pub(super) fn of_token(value: &[u8], hasher: &Hasher) -> Self {
        let mut claims = Self::default();
        if value.starts_with(b"eyJ") {
            claims.read_token(value, hasher);
        }
        claims
    }

    /// Takes over what a token of the request claims, unless another claimed something already.
    pub(super) fn note(&mut self, token: &Self) {
        if self.named == [None; Claim::ALL.len()] {
            self.named = token.named;
        }
    }

    fn read_token(&mut self, token: &[u8], hasher: &Hasher) {
        let mut parts = token.split(|&byte| byte == b'.');
        let (Some(payload), Some(_signature)) = (parts.nth(1), parts.next()) else { return };
        if payload.len() > PAYLOAD_BYTES_MAX {
            return;
        }
        let Ok(json) = BASE64URL.decode(payload) else { return };
        let mut fields = Fields::default();
        traffic::json::read(&json, &mut fields);
        for field in fields.leaves().filter(|field| field.depth() == 1) {
            let value = field.value_bytes();
            let is_scalar = matches!(field.sort(), Sort::String | Sort::Number);
            if !is_scalar || value.is_empty() || value.len() > VALUE_BYTES_MAX {
                continue;
            }
            let claim = match field.name_bytes() {
                b"sub" => Claim::Subject,
                b"user_id" | b"userId" => Claim::UserId,
                b"uid" => Claim::Uid,
                b"email" => Claim::Email,
                b"client_id" | b"azp" => Claim::ClientId,
                _ => continue,
            };
            let digest = match claim {
                Claim::Email => crate::attempt::account_digest(value, hasher),
                _ => hasher.hash(value),
            };
            if let Some(place) = self.named.get_mut(claim.place()) {
                *place = Some(digest);
            }
        }
    }
}

/// Whether a value has the form of a JSON Web Token: what `ParamKind` says, in a pass that looks
/// at all bytes alike, because each request of a signed-in caller asks it of some hundreds.
pub(super) fn is_token(value: &[u8]) -> bool {
    if !value.starts_with(b"eyJ") || !(TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&value.len()) {
        return false;
    }
    let mut dots = 0_usize;
    let mut odd = false;
    for &byte in value {
        dots += usize::from(byte == b'.');
        let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let is_digit = byte.wrapping_sub(b'0') < 10;
        let is_mark = (byte == b'-') | (byte == b'_') | (byte == b'.') | (byte == b'=');
        odd |= !(is_letter | is_digit | is_mark);
    }
    !odd && matches!(dots, 2 | 4)
}

/// The claims of a request as a recording keeps them beside its redacted credentials.
#[must_use]
pub fn recorded_claims(head: &Head<'_>, hasher: &Hasher) -> BTreeMap<String, String> {
    let (_, claims) = super::presented(head, hasher, &Readings::default());
    let named = Claim::ALL.iter().zip(claims.named).map(|(claim, value)| (claim.key(), value));
    named
        .chain([(BASIC_USER, claims.basic_user)])
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_string())))
        .collect()
}

/// Name and password of Basic credentials, as RFC 7617 has them; else as those servers read them
/// that skip whatever is not of the alphabet.
fn basic_pair(value: &[u8]) -> Option<Vec<u8>> {
    let value = value.get(..PAYLOAD_BYTES_MAX.min(value.len()))?;
    BASE64.decode(value).ok().or_else(|| {
        let letters =
            value.iter().take_while(|&&byte| byte != b'=').filter_map(|&byte| match byte {
                b'-' => Some(b'+'),
                b'_' => Some(b'/'),
                b'+' | b'/' => Some(byte),
                _ => byte.is_ascii_alphanumeric().then_some(byte),
            });
        let mut letters: Vec<u8> = letters.collect();
        // One letter alone is not a byte yet.
        letters.truncate(letters.len() - usize::from(letters.len() % 4 == 1));
        BASE64.decode(letters).ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use traffic::ParamKind;

    use super::*;

    fn check(value: &str) {
        let kind = ParamKind::of(value);
        assert_eq!(is_token(value.as_bytes()), kind == ParamKind::Jwt, "{kind:?} {value}");
    }

    #[test]
    fn tokens_are_what_the_vocabulary_says_they_are() {
        check("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln");
        check("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0");
        check("eyJhbGciOiJIUzI1NiJ9.a.b.c.d");
        check("eyJh.e.c");
        check("eyJhbGciOiJIUzI1NiJ9.eyJzdWIi iIxIn0.c2ln");
        check(&format!("eyJ{}.b.c", "A".repeat(9_000)));
        check(&format!("eyJ{}.b.c", "A".repeat(17_000)));
    }

    #[test]
    fn basic_is_read_as_lenient_servers_read_it() {
        let hasher = Hasher::new(traffic::HashKey::new([1; 16]));
        let ada = Some(crate::attempt::account_digest(b"ada", &hasher));
        // "ada:letmein" in the ways in which programs write it, and in those that hide it.
        for value in
            ["YWRhOmxldG1laW4=", "YWRhOmxldG1laW4", "YWRh*Omxl dG1laW4=", "YWRhOmxldG1laW4==x"]
        {
            let mut claims = Claims::default();
            assert!(claims.note_basic(value.as_bytes(), &hasher), "{value}");
            assert_eq!(claims.basic_user(), ada, "{value}");
        }
        let mut claims = Claims::default();
        assert!(!claims.note_basic(b"YWRhOnJpZ2h0LWhvcnNl", &hasher) && claims.basic_user() == ada);
        assert!(!claims.note_basic(b"****", &hasher));
    }

    proptest! {
        #[test]
        fn whatever_is_sent(tail in "[A-Za-z0-9._=\\-{@\\[`/:~ é]{0,60}", dotted in "[A-Za-z0-9_-]{5,30}") {
            check(&format!("eyJ{tail}"));
            check(&format!("eyJ{dotted}.{dotted}.{tail}"));
        }
    }
}
