//! What a request guesses with: its password or code, how many of them it carries, and the
//! transaction that they are for.
//!
//! A password is known by its keyed hash and only to tell whether the same one came again; a
//! client with an old password in its settings sends one wrong password a thousand times, a guesser
//! sends a thousand. Several secrets in one body are several guesses: APIs exist that take a list.
//!
//! Whether the endpoint tries secrets at all is for its role to say, not for this module.

use traffic::fields::{Field, Fields, Sort};
use traffic::secret_names::{CODE_NAMES, PASSWORD_NAMES};
use traffic::{Digest, Few, Hasher};

use crate::attempt::{NAME_BYTES_MAX, fold};
use crate::common_passwords::is_common_password;
use crate::sighting::Sighting;

/// What a request tries.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tried {
    /// The hash of its password; of all of them, where there are several.
    pub password: Option<Digest>,
    /// How many passwords it carries.
    pub passwords: u16,
    /// Whether a password in it, tried or newly chosen, is one of the most common.
    pub is_common: bool,
    /// How many codes it carries.
    pub codes: u16,
    /// The hashes of what names the transaction that a code is for: a decoy beside it must not
    /// make it another one.
    pub transactions: Few,
}

/// Names of fields that hold a password that an account is to have: lower case, letters and digits
/// only.
const NEW_PASSWORD_NAMES: [&str; 12] = [
    "confirmpassword",
    "newpass",
    "newpassword",
    "newpasswordconfirmation",
    "newpwd",
    "password1",
    "password2",
    "passwordconfirm",
    "passwordconfirmation",
    "passwordnew",
    "passwordrepeat",
    "repeatpassword",
];

/// The same of fields that name the transaction.
const TRANSACTION_NAMES: [&str; 19] = [
    "challenge",
    "challengeid",
    "factorid",
    "flow",
    "flowid",
    "loginid",
    "mfatoken",
    "otpid",
    "otptoken",
    "preauthtoken",
    "requestid",
    "sessionid",
    "sessiontoken",
    "statetoken",
    "transaction",
    "transactionid",
    "txid",
    "verificationid",
    "verificationrequestid",
];

/// What the request tries, by its body, its query, and Basic credentials.
#[must_use]
pub fn tried(fields: &Fields, sighting: &Sighting, hasher: &Hasher) -> Tried {
    let mut tried = Tried::default();
    for field in fields.leaves() {
        let mut buffer = [0; NAME_BYTES_MAX];
        let name = name_of(&field, &mut buffer);
        if is_one_of(&PASSWORD_NAMES, name) {
            tried.passwords = tried.passwords.saturating_add(1);
            tried.password = joined(tried.password, hasher.hash(field.value_bytes()));
            tried.is_common |= is_common_password(field.value_bytes());
        } else if is_one_of(&NEW_PASSWORD_NAMES, name) {
            tried.is_common |= is_common_password(field.value_bytes());
        } else if is_one_of(&CODE_NAMES, name) {
            tried.codes = tried.codes.saturating_add(1);
        } else if is_one_of(&TRANSACTION_NAMES, name) {
            tried.transactions.note(hasher.hash(field.value_bytes()));
        }
    }
    if let Some(basic) = sighting.basic().filter(|_| tried.passwords == 0) {
        tried.passwords = 1;
        tried.password = Some(basic.value);
        tried.is_common |= basic.is_common;
    }
    tried
}

fn joined(before: Option<Digest>, next: Digest) -> Option<Digest> {
    Some(before.map_or(next, |before| before.then(next)))
}

/// The folded name of a field with a value; an element of a list goes by the name of the list.
fn name_of<'b>(field: &Field<'_>, buffer: &'b mut [u8; NAME_BYTES_MAX]) -> &'b [u8] {
    let has_value = matches!(field.sort(), Sort::String | Sort::Number);
    if !has_value || field.value_bytes().is_empty() {
        return &[];
    }
    let own = field.name_bytes();
    match field.parent().filter(|_| own.is_empty()) {
        Some(list) => fold(list.name_bytes(), buffer),
        None => fold(own, buffer),
    }
}

fn is_one_of(names: &[&str], name: &[u8]) -> bool {
    !name.is_empty() && names.binary_search_by(|known| known.as_bytes().cmp(name)).is_ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method, Version};
    use traffic::{HashKey, Head, Location, Peer};

    use super::*;
    use crate::readings::Readings;
    use crate::sighting::{Trust, sight};

    fn of(headers: &HeaderMap, body: &str) -> Tried {
        let hasher = Hasher::new(HashKey::new([9; 16]));
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
        let sighting = sight(&head, &peer, &Trust::default(), &hasher, None, &Readings::default());
        tried(&fields, &sighting, &hasher)
    }

    fn counts(body: &str) -> (u16, u16, bool) {
        let tried = of(&HeaderMap::new(), body);
        (tried.passwords, tried.codes, !tried.transactions.is_empty())
    }

    #[test]
    fn the_names_are_sorted_for_the_search() {
        assert!(NEW_PASSWORD_NAMES.is_sorted());
        assert!(TRANSACTION_NAMES.is_sorted());
    }

    #[test]
    fn every_secret_in_a_body_is_a_guess() {
        let rows = [
            (r#"{"email":"a@b.io","password":"x"}"#, (1, 0, false)),
            ("user=a&pass=x", (1, 0, false)),
            (r#"[{"email":"a","password":"x"},{"email":"a","password":"y"}]"#, (2, 0, false)),
            (r#"{"code":"1234","transaction_id":"7"}"#, (0, 1, true)),
            (r#"{"otp":["1234","1235","1236"],"phone":"1"}"#, (0, 3, false)),
            (r#"{"otp":1234}"#, (0, 1, false)),
            (r#"{"token":"x","new_password":"y","confirm_password":"y"}"#, (0, 1, false)),
            (r#"{"current_password":"x","new_password":"y"}"#, (1, 0, false)),
            (r#"{"password":"","name":"x"}"#, (0, 0, false)),
        ];
        for (body, expected) in rows {
            assert_eq!(counts(body), expected, "{body}");
        }
    }

    #[test]
    fn a_common_password_is_known_where_it_is_tried_and_where_it_is_chosen() {
        let rows = [
            (r#"{"email":"a@b.io","password":"123456"}"#, true),
            (r#"{"email":"123456","password":"x7-right-horse"}"#, false),
            (r#"{"token":"x","new_password":"Qwerty123","confirm_password":"Qwerty123"}"#, true),
            ("user=a&pass=letmein", true),
            (r#"{"password":123456}"#, true),
            (r#"{"note":"123456"}"#, false),
        ];
        for (body, expected) in rows {
            assert_eq!(of(&HeaderMap::new(), body).is_common, expected, "{body}");
        }
    }

    #[test]
    fn the_same_password_is_the_same_wherever_it_stands() {
        let plain = of(&HeaderMap::new(), r#"{"email":"a@b.io","password":"x"}"#);
        let form = of(&HeaderMap::new(), "pwd=x");
        let other = of(&HeaderMap::new(), "pwd=y");
        assert_eq!(plain.password, form.password);
        assert_ne!(plain.password, other.password);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Basic QWRhOnNlc2FtZQ==".parse().unwrap());
        let basic = of(&headers, "");
        assert_eq!(basic.passwords, 1);
        assert!(basic.password.is_some());
    }
}
