//! The account that a request tries to enter, by the identifier it sends.
//!
//! What the sender writes is compared in the normal form of accounts. Whoever sends several
//! identifiers, or one twice, might have the API read another than the one read here, and so hide
//! a list of accounts behind one decoy; all that differ are therefore taken together, and each
//! such combination is an account of its own.
//!
//! Whether the endpoint is a log-in at all is for its role to say, not for this module.

use std::borrow::Cow;

use traffic::entity::normal_account;
use traffic::fields::{Field, Fields, Sort};
use traffic::redact::{self, Redacted};
use traffic::{Digest, Hasher};

use crate::sighting::Sighting;

/// Longer identifiers are compared as they stand.
const IDENTIFIER_BYTES_MAX: usize = 256;
/// More identifiers in one request are noise, whoever they belong to.
const IDENTIFIERS_MAX: usize = 8;
pub(crate) const NAME_BYTES_MAX: usize = 24;

/// Names of fields that hold an account's identifier: lower case, letters and digits only.
const IDENTIFIER_NAMES: [&str; 32] = [
    "account",
    "accountid",
    "accountname",
    "customerid",
    "customernumber",
    "email",
    "emailaddress",
    "emailorusername",
    "handle",
    "identifier",
    "login",
    "loginemail",
    "loginid",
    "loginname",
    "mail",
    "memberid",
    "mobile",
    "mobilenumber",
    "msisdn",
    "nickname",
    "phone",
    "phonenumber",
    "telephone",
    "uname",
    "user",
    "useremail",
    "userid",
    "userlogin",
    "username",
    "usernameoremail",
    "usr",
    "usrname",
];

/// The account that the request names, in its body, its query, or Basic credentials.
#[must_use]
pub fn attempted_account(fields: &Fields, sighting: &Sighting, hasher: &Hasher) -> Option<Digest> {
    let mut found: Vec<Digest> = Vec::new();
    let identifiers = fields.leaves().filter(is_identifier);
    for digest in identifiers.map(|field| account_digest(field.value_bytes(), hasher)) {
        if found.len() < IDENTIFIERS_MAX && !found.contains(&digest) {
            found.push(digest);
        }
    }
    if found.is_empty() {
        return sighting.claims.basic_user();
    }
    // In one order, because the order of fields means nothing.
    found.sort_unstable();
    found.into_iter().reduce(Digest::then)
}

/// The hash under which an account is known. An identifier that holds something shaped like a
/// secret is hashed as it stands, because that hash is all that a recording of it keeps.
pub(crate) fn account_digest(identifier: &[u8], hasher: &Hasher) -> Digest {
    if hasher.reads_redacted()
        && let Some(redacted) = Redacted::parse(identifier)
    {
        return redacted.digest;
    }
    let text = String::from_utf8_lossy(identifier);
    let stays_readable = matches!(redact::identity("", &text, hasher), Cow::Borrowed(_));
    if text.len() <= IDENTIFIER_BYTES_MAX && stays_readable {
        hasher.hash(normal_account(&text).as_bytes())
    } else {
        hasher.hash(text.as_bytes())
    }
}

fn is_identifier(field: &Field<'_>) -> bool {
    let name = field.name_bytes();
    if !may_be_identifier(name)
        || !matches!(field.sort(), Sort::String | Sort::Number)
        || field.value_bytes().is_empty()
    {
        return false;
    }
    let mut buffer = [0; NAME_BYTES_MAX];
    let folded = fold(name, &mut buffer);
    lengths_of(folded) & (1 << folded.len()) != 0
        && IDENTIFIER_NAMES.binary_search_by(|known| known.as_bytes().cmp(folded)).is_ok()
}

/// By first and last letter, the lengths that identifiers' names have: bit 5 for five letters. A
/// large body has hundreds of names, and nearly all of them end here.
const LENGTHS: [[u32; 26]; 26] = {
    let mut lengths = [[0; 26]; 26];
    let mut at = 0;
    while at < IDENTIFIER_NAMES.len() {
        let name = IDENTIFIER_NAMES[at].as_bytes();
        let (first, last) = (name[0] - b'a', name[name.len() - 1] - b'a');
        lengths[first as usize][last as usize] |= 1 << name.len();
        at += 1;
    }
    lengths
};

/// Whether a name begins and ends like one of the known ones, and is not shorter: it may hold
/// separators. What begins or ends with something else than a letter is looked at in full.
fn may_be_identifier(name: &[u8]) -> bool {
    let (Some(first), Some(last)) = (name.first(), name.last()) else { return false };
    if !first.is_ascii_alphabetic() || !last.is_ascii_alphabetic() {
        return true;
    }
    lengths_of(name) & (u32::MAX >> (31 - name.len().min(31))) != 0
}

/// The lengths that names have which begin and end as this one does.
fn lengths_of(name: &[u8]) -> u32 {
    let letter = |byte: Option<&u8>| {
        byte.map_or(usize::MAX, |byte| usize::from(byte.to_ascii_lowercase().wrapping_sub(b'a')))
    };
    let lengths = LENGTHS.get(letter(name.first()));
    lengths.and_then(|lasts| lasts.get(letter(name.last()))).copied().unwrap_or(0)
}

/// A field's name in lower case, letters and digits only; empty when it is too long to matter.
pub(crate) fn fold<'a>(name: &[u8], buffer: &'a mut [u8; NAME_BYTES_MAX]) -> &'a [u8] {
    let mut length = 0;
    for byte in name.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        let Some(place) = buffer.get_mut(length) else {
            return &[];
        };
        *place = byte.to_ascii_lowercase();
        length += 1;
    }
    buffer.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method, Version};
    use traffic::{HashKey, Head, Location, ParamKind, Peer};

    use super::*;
    use crate::readings::Readings;
    use crate::sighting::{Trust, sight};

    fn hasher() -> Hasher {
        Hasher::new(HashKey::new([9; 16]))
    }

    fn account(name: &str) -> Option<Digest> {
        Some(hasher().hash(name.as_bytes()))
    }

    fn attempted(headers: &HeaderMap, body: &str) -> Option<Digest> {
        let mut fields = Fields::default();
        match body.starts_with(['{', '[']) {
            true => traffic::json::read(body.as_bytes(), &mut fields),
            false => fields.read_pairs(body.as_bytes(), Location::Form),
        }
        let head = Head {
            method: &Method::POST,
            target: b"/login",
            version: Version::HTTP_11,
            authority: "api.example.com",
            headers,
            raw: None,
        };
        let peer = Peer::plain("192.0.2.1".parse().unwrap());
        let sighting =
            sight(&head, &peer, &Trust::default(), &hasher(), None, &Readings::default());
        attempted_account(&fields, &sighting, &hasher())
    }

    #[track_caller]
    fn check(body: &str, expected: Option<Digest>) {
        assert_eq!(attempted(&HeaderMap::new(), body), expected, "{body}");
    }

    #[test]
    fn the_names_are_sorted_for_the_search() {
        assert!(IDENTIFIER_NAMES.is_sorted());
    }

    #[test]
    fn identifiers_are_found_wherever_they_stand() {
        let ada = account("ada@example.com");
        check(r#"{"email":"Ada@Example.com","password":"x"}"#, ada);
        check(r#"{"user":{"e-mail":"ada+x@example.com","pass":"x"}}"#, ada);
        check(r#"{"user":{"email_address":"ada+x@example.com","pass":"x"}}"#, ada);
        check(r#"{"query":"mutation","variables":{"userName":"ada@example.com"}}"#, ada);
        check("password=x&username=ada%40example.com", ada);
        check(r#"{"login":4711,"password":"x"}"#, account("4711"));
        check(r#"{"name":"ada","password":"x"}"#, None);
        check(r#"{"email":"","password":"x"}"#, None);
    }

    #[test]
    fn basic_credentials_name_an_account() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Basic QWRhOnNlc2FtZQ==".parse().unwrap());
        assert_eq!(attempted(&headers, ""), account("ada"));
    }

    #[test]
    fn one_account_written_twice_is_one() {
        let ada = account("ada@example.com");
        check(r#"{"email":"ada@example.com","username":"ADA@example.com"}"#, ada);
    }

    #[test]
    fn a_decoy_does_not_hide_a_list_of_accounts() {
        let of = |body: &str| attempted(&HeaderMap::new(), body);
        let one = of(r#"{"username":"decoy","email":"one@example.com"}"#);
        let two = of(r#"{"username":"decoy","email":"two@example.com"}"#);
        assert_ne!(one, two);
        let twice = |name: &str| format!(r#"{{"email":"decoy","email":"{name}"}}"#);
        assert_ne!(of(&twice("one")), of(&twice("two")));
        assert_ne!(of(&twice("one")), account("decoy"));
        let swapped = of(r#"{"email":"one@example.com","username":"decoy"}"#);
        assert_eq!(one, swapped, "the order of fields means nothing");
    }

    #[test]
    fn an_identifier_shaped_like_a_secret_is_the_same_in_a_replay() {
        let key = HashKey::new([9; 16]);
        let live = account_digest(b"x7Kq2vN9pLm4Rt8Yw3Zb", &Hasher::new(key));
        let written = Redacted::of(b"x7Kq2vN9pLm4Rt8Yw3Zb", ParamKind::Token, &Hasher::new(key));
        let replay = Hasher::for_recording(key);
        assert_eq!(account_digest(written.to_string().as_bytes(), &replay), live);
    }
}
