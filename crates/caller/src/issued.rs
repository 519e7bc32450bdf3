//! The credentials that an answer hands out: cookies it sets, tokens in its body and headers.
//!
//! They are what ties a session to the log-in it began with. Only names that mean a credential
//! count in a body: a request id or a picture's checksum is just as random.

use http::header::{AUTHORIZATION, SET_COOKIE};
use traffic::fields::{Fields, Sort};
use traffic::{AnswerHead, Digest, Hasher, ParamKind};

use crate::attempt::fold;
use crate::credential::{self, UNGUESSABLE_BITS};

/// An answer that hands out more is a list of them, which nobody was given to use.
const ISSUED_MAX: usize = 8;
/// Shorter values in a body are words: `"token": "expired"`.
const TOKEN_BYTES_MIN: u32 = 16;

/// Shorter texts with spaces or odd characters are sentences: `"token": "has expired, log in"`.
const TEXT_BYTES_MIN: u32 = 40;

/// Names of fields that hold a credential: lower case, letters and digits only.
const TOKEN_NAMES: [&str; 22] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "authenticationtoken",
    "authorization",
    "authtoken",
    "bearer",
    "bearertoken",
    "idtoken",
    "jwt",
    "jwttoken",
    "key",
    "logintoken",
    "refreshtoken",
    "session",
    "sessionid",
    "sessionkey",
    "sessiontoken",
    "sid",
    "ticket",
    "token",
];

/// The hashes of the credentials that an answer hands out, each once.
#[must_use]
pub fn issued_credentials(
    answer: &AnswerHead<'_>,
    fields: &Fields,
    hasher: &Hasher,
) -> Vec<Digest> {
    let mut issued = Vec::new();
    for line in answer.headers.get_all(SET_COOKIE) {
        note(&mut issued, credential::set_cookie(line.as_bytes(), hasher));
    }
    for (name, value) in answer.headers {
        if *name == AUTHORIZATION || credential::is_key_header(name) {
            note(&mut issued, credential::of_answer_header(value.as_bytes(), hasher));
        }
    }
    for field in fields.leaves() {
        if field.sort() == Sort::String && names_a_token(field.name_bytes()) {
            note(&mut issued, token(field.value_bytes(), hasher));
        }
    }
    issued
}

fn note(issued: &mut Vec<Digest>, value: Option<Digest>) {
    if let Some(value) = value
        && issued.len() < ISSUED_MAX
        && !issued.contains(&value)
    {
        issued.push(value);
    }
}

fn names_a_token(name: &[u8]) -> bool {
    let mut buffer = [0; 24];
    let folded = fold(name, &mut buffer);
    TOKEN_NAMES.binary_search_by(|known| known.as_bytes().cmp(folded)).is_ok()
}

/// The value of a body's field, when it can be a credential. Only kind and length are looked at,
/// because a recording keeps no more.
fn token(value: &[u8], hasher: &Hasher) -> Option<Digest> {
    let seen = credential::redacted(value, hasher);
    let bytes_min = match seen.kind {
        ParamKind::Token | ParamKind::Jwt | ParamKind::Key | ParamKind::Secret => TOKEN_BYTES_MIN,
        ParamKind::Uuid | ParamKind::Hash | ParamKind::Word => TOKEN_BYTES_MIN,
        ParamKind::Text | ParamKind::Slug => TEXT_BYTES_MIN,
        _ => return None,
    };
    (seen.length >= bytes_min).then_some(seen.digest)
}

// Kept beside the threshold it mirrors: what is presented must reach it to be believed.
const _: () = assert!(TOKEN_BYTES_MIN * 2 >= UNGUESSABLE_BITS as u32);

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use traffic::HashKey;

    use super::*;

    fn issued(headers: &[(&'static str, &str)], body: &str) -> usize {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let mut fields = Fields::default();
        traffic::json::read(body.as_bytes(), &mut fields);
        let answer = AnswerHead { status: 200, headers: &map };
        issued_credentials(&answer, &fields, &Hasher::new(HashKey::new([2; 16]))).len()
    }

    #[test]
    fn the_names_are_sorted_for_the_search() {
        assert!(TOKEN_NAMES.is_sorted());
    }

    #[test]
    fn credentials_are_found_in_cookies_headers_and_bodies() {
        let cookie = ("set-cookie", "sid=x7Kq2vN9pLm4Rt8Yw3Zb; Path=/; HttpOnly");
        assert_eq!(issued(&[cookie], "{}"), 1);
        assert_eq!(issued(&[("x-auth-token", "x7Kq2vN9pLm4Rt8Yw3Zb")], "{}"), 1);
        assert_eq!(issued(&[("authorization", "Bearer x7Kq2vN9pLm4Rt8Yw3Zb")], "{}"), 1);
        let body = r#"{"data":{"accessToken":"x7Kq2vN9pLm4Rt8Yw3Zb","refresh_token":"6f1c2f0e-8f1c-4a9b-9d3e-3f6d1f0a7b21"}}"#;
        assert_eq!(issued(&[], body), 2);
        let numbered = r#"{"token":"12|0123456789abcdefghijklmnopqrstuvwxyzABCD"}"#;
        assert_eq!(issued(&[], numbered), 1);
        let twice = r#"{"token":"x7Kq2vN9pLm4Rt8Yw3Zb"}"#;
        assert_eq!(issued(&[cookie], twice), 1, "one value is one credential");
    }

    #[test]
    fn what_is_no_credential_is_not_issued() {
        let check = |headers: &[(&'static str, &str)], body: &str| {
            assert_eq!(issued(headers, body), 0, "{headers:?} {body}");
        };
        check(&[("set-cookie", "lang=en; Path=/")], "{}");
        check(&[("set-cookie", "sid=; Max-Age=0")], "{}");
        check(&[("set-cookie", "sid=x7Kq2vN9pLm4Rt8Yw3Zb; Max-Age=0")], "{}");
        check(&[("set-cookie", "XSRF-TOKEN=x7Kq2vN9pLm4Rt8Yw3Zb")], "{}");
        check(&[], r#"{"error":"bad credentials","token":null}"#);
        check(&[], r#"{"token":"expired"}"#);
        check(&[], r#"{"token":"the token has expired"}"#);
        check(&[], r#"{"session":"2026-11-23T12:00:00Z","key":"ada.lovelace@example.com"}"#);
        check(&[], r#"{"request_id":"x7Kq2vN9pLm4Rt8Yw3Zb","csrf_token":"x7Kq2vN9pLm4Rt8Yw3Zb"}"#);
    }

    #[test]
    fn a_list_of_keys_is_cut() {
        let keys: Vec<String> =
            (0..50).map(|n| format!(r#"{{"key":"x7Kq2vN9pLm4Rt8Yw3Zb{n:06}"}}"#)).collect();
        assert_eq!(issued(&[], &format!("[{}]", keys.join(","))), ISSUED_MAX);
    }
}
