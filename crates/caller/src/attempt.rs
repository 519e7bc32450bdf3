//! The account that a request tries to enter, by the identifier it sends.
//!
//! What the sender writes is compared in the normal form of accounts. Whoever sends several
//! identifiers, or one twice, might have the API read another than the one read here. So hiding a
//! list of accounts behind one decoy is prevented by taking all that differ together, each such
//! combination an account of its own; and hiding one account behind a decoy that changes by
//! counting guesses against each of them ([`Attempted::named`]).
//!
//! Whether the endpoint is a log-in at all is for its role to say, not for this module.

use std::borrow::Cow;

use traffic::entity::normal_account;
use traffic::fields::{Field, Fields, Sort};
use traffic::redact::{self, Redacted};
use traffic::{Digest, Few, Hasher, Location};

use crate::sighting::Sighting;

/// Longer identifiers are compared as they stand.
const IDENTIFIER_BYTES_MAX: usize = 256;
/// Beyond so many a request holds a list of accounts, and which they are does not matter.
const FOUND_MAX: usize = 64;
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

/// Whom a request tries to enter.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Attempted {
    /// The account: the identifier, or all of them together with the fields in which they stand.
    pub account: Option<Digest>,
    /// Each identifier by itself: guesses are charged to every one of them.
    pub named: Few,
    /// One field has several values, so that nobody can say which account is meant.
    pub is_list: bool,
}

impl Attempted {
    /// What Basic credentials name, whatever else stands in the request.
    #[must_use]
    pub fn by_basic(sighting: &Sighting) -> Self {
        let account = sighting.claims.basic_user();
        Self { account, named: account.into(), is_list: false }
    }
}

/// The account that the request names, in its body, its query, or Basic credentials.
#[must_use]
pub fn attempted(fields: &Fields, sighting: &Sighting, hasher: &Hasher) -> Attempted {
    // The hash of the field's name, where it stands, and the identifier.
    let mut found: Vec<(Digest, Location, Digest)> = Vec::new();
    let mut named = Few::default();
    let mut buffer = [0; NAME_BYTES_MAX];
    for field in fields.iter() {
        let Some(name) = identifier_name(&field, &mut buffer) else { continue };
        let account = account_digest(field.value_bytes(), hasher);
        named.note(account);
        if found.len() < FOUND_MAX {
            found.push((hasher.hash(name), field.location(), account));
        }
    }
    let Some((_, _, first)) = found.first().copied() else {
        return Attempted::by_basic(sighting);
    };
    if named.len() == 1 {
        return Attempted { account: Some(first), named, is_list: false };
    }
    // The order of fields means nothing, but that of two values of one field does.
    found.sort_by_key(|(name, location, _)| (*name, *location));
    found.dedup();
    let is_list = found
        .windows(2)
        .any(|two| matches!(two, [(a, _, one), (b, _, other)] if a == b && one != other));
    let all =
        found.iter().map(|(name, location, account)| name.tagged(*location as u8).then(*account));
    Attempted { account: all.reduce(Digest::then), named, is_list }
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

/// The folded name of a field that holds an identifier. An element of a list goes by the name of
/// the list.
fn identifier_name<'b>(
    field: &Field<'_>,
    buffer: &'b mut [u8; NAME_BYTES_MAX],
) -> Option<&'b [u8]> {
    let name = match field.name_bytes() {
        b"" => field.parent()?.name_bytes(),
        own => own,
    };
    let is_value = matches!(field.sort(), Sort::String | Sort::Number);
    if !may_be_identifier(name) || !is_value || field.value_bytes().is_empty() {
        return None;
    }
    let folded = fold(name, buffer);
    let is_known = lengths_of(folded) & (1 << folded.len()) != 0
        && IDENTIFIER_NAMES.binary_search_by(|known| known.as_bytes().cmp(folded)).is_ok();
    is_known.then_some(folded)
}

/// By first and last letter (the lower five bits of either case), the lengths that identifiers'
/// names have: bit 5 for five letters. A large body has hundreds of names, and nearly all of them
/// end here.
const LENGTHS: [[u32; 32]; 32] = {
    let mut lengths = [[0; 32]; 32];
    let mut at = 0;
    while at < IDENTIFIER_NAMES.len() {
        let name = IDENTIFIER_NAMES[at].as_bytes();
        let (first, last) = (name[0] & 31, name[name.len() - 1] & 31);
        lengths[first as usize][last as usize] |= 1 << name.len();
        at += 1;
    }
    lengths
};

/// Whether a name begins and ends like one of the known ones, and is not shorter: it may hold
/// separators. What begins or ends with something else than a letter is looked at in full.
fn may_be_identifier(name: &[u8]) -> bool {
    let (Some(first), Some(last)) = (name.first(), name.last()) else { return false };
    lengths_of(name) & (u32::MAX >> (31 - name.len().min(31))) != 0
        || !first.is_ascii_alphabetic()
        || !last.is_ascii_alphabetic()
}

/// The lengths that names have which begin and end as this one does.
fn lengths_of(name: &[u8]) -> u32 {
    let (Some(first), Some(last)) = (name.first(), name.last()) else { return 0 };
    LENGTHS[usize::from(first & 31)][usize::from(last & 31)]
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
    use traffic::{HashKey, Head, ParamKind, Peer};

    use super::*;
    use crate::readings::Readings;
    use crate::sighting::{Trust, sight};

    fn hasher() -> Hasher {
        Hasher::new(HashKey::new([9; 16]))
    }

    fn account(name: &str) -> Option<Digest> {
        Some(hasher().hash(name.as_bytes()))
    }

    fn of(headers: &HeaderMap, body: &str) -> Attempted {
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
        attempted(&fields, &sighting, &hasher())
    }

    #[track_caller]
    fn check(body: &str, expected: Option<Digest>) {
        let found = of(&HeaderMap::new(), body);
        assert_eq!((found.account, found.named), (expected, expected.into()), "{body}");
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
        assert_eq!(of(&headers, "").account, account("ada"));
    }

    #[test]
    fn one_account_written_twice_is_one() {
        let ada = account("ada@example.com");
        check(r#"{"email":"ada@example.com","username":"ADA@example.com"}"#, ada);
    }

    #[test]
    fn a_decoy_does_not_hide_a_list_of_accounts() {
        let of = |body: &str| of(&HeaderMap::new(), body).account;
        let one = of(r#"{"username":"decoy","email":"one@example.com"}"#);
        let two = of(r#"{"username":"decoy","email":"two@example.com"}"#);
        assert_ne!(one, two);
        let twice = |name: &str| format!(r#"{{"email":"decoy","email":"{name}"}}"#);
        assert_ne!(of(&twice("one")), of(&twice("two")));
        assert_ne!(of(&twice("one")), account("decoy"));
        let swapped = of(r#"{"email":"one@example.com","username":"decoy"}"#);
        assert_eq!(one, swapped, "the order of fields means nothing");
        let exchanged = of(r#"{"username":"one@example.com","email":"decoy"}"#);
        assert_ne!(one, exchanged, "which of them stands where does");
    }

    #[test]
    fn each_identifier_is_charged_whatever_stands_beside_it() {
        let ada = account("ada@example.com").unwrap();
        for (body, is_list) in [
            (r#"{"email":"ada@example.com","phone":"17","password":"x"}"#, false),
            (r#"{"email":"ada@example.com","x":{"email":"r17"}}"#, true),
            (r#"{"email":"r17","email":"ada@example.com"}"#, true),
            (r#"{"email":["ada@example.com"],"user":"r17"}"#, false),
            ("username=r17&username=ada%40example.com", true),
        ] {
            let found = of(&HeaderMap::new(), body);
            assert!(found.named.len() == 2 && found.named.iter().any(|it| it == ada), "{body}");
            assert_eq!(found.is_list, is_list, "{body}");
        }
        check(r#"{"email":["ada@example.com"]}"#, Some(ada));
        let many: Vec<String> = (0..30).map(|n| format!("user={n}")).collect();
        assert!(of(&HeaderMap::new(), &many.join("&")).named.is_cut());
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
