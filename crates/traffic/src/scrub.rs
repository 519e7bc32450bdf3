//! Whole messages with every secret replaced by `~kind:hash:length`, for recordings.
//!
//! What is left parses as before: a JSON body stays JSON with the same names in the same order, a
//! query keeps its parameters, a header its scheme. Values that take part in identity are replaced
//! whole, so that their hash is what it was live.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::fields::Fields;
use crate::hash::Hasher;
use crate::media::Media;
use crate::path::percent_decode;
use crate::redact;

/// Schemes of `Authorization` that are kept readable before their redacted credentials.
const SCHEMES: [&str; 6] = ["basic", "bearer", "digest", "token", "apikey", "negotiate"];

/// A header's value without its secrets. `name` is in lower case.
pub fn header(name: &str, value: &str, hasher: &Hasher) -> String {
    match name {
        "authorization" | "proxy-authorization" => authorization(value, hasher),
        "cookie" => {
            let pairs = value.split(';').map(|pair| cookie(pair.trim(), hasher));
            pairs.collect::<Vec<_>>().join("; ")
        }
        "set-cookie" => match value.split_once(';') {
            Some((pair, attributes)) => format!("{};{attributes}", cookie(pair, hasher)),
            None => cookie(value, hasher),
        },
        "location" | "referer" | "content-location" => target(value, hasher),
        _ => redact::identity(name, value, hasher).into_owned(),
    }
}

/// A request target or URL without its secrets.
pub fn target(target: &str, hasher: &Hasher) -> String {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let mut out = path.split('/').map(|part| segment(part, hasher)).collect::<Vec<_>>().join("/");
    if let Some(query) = query {
        out.push('?');
        out.push_str(&pairs(query, hasher));
    }
    out
}

/// A body without its secrets; none when it cannot be read, for then nobody can say where in it a
/// secret stands. What is read into fields without being JSON becomes a URL-encoded form of them,
/// which a replay reads into the same fields whatever the type says.
pub fn body(body: &[u8], media: Media, hasher: &Hasher) -> Option<String> {
    let text = crate::body::in_utf8(body);
    let text = String::from_utf8_lossy(&text);
    let begins = text.trim_start().as_bytes().first();
    match media {
        Media::Json => Some(json(&text, hasher)),
        Media::Form => Some(pairs(&text, hasher)),
        Media::Grpc | Media::Stream => None,
        Media::Unknown | Media::Opaque | Media::Text if matches!(begins, Some(b'{' | b'[')) => {
            Some(json(&text, hasher))
        }
        _ => {
            let mut fields = Fields::default();
            let is_read =
                crate::body::read_up_to(text.as_bytes(), media, true, &mut fields, usize::MAX);
            is_read.then(|| form(&fields, hasher))
        }
    }
}

/// Fields as a URL-encoded form.
fn form(fields: &Fields, hasher: &Hasher) -> String {
    let mut out = String::new();
    for field in fields.leaves() {
        if !out.is_empty() {
            out.push('&');
        }
        let (name, value) = (field.name(), field.value());
        percent_encode(&redact::identity("", &name, hasher), &mut out);
        out.push('=');
        percent_encode(&redact::identity(&name, &value, hasher), &mut out);
    }
    out
}

fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~:@/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// A query or URL-encoded body without its secrets.
pub fn pairs(raw: &str, hasher: &Hasher) -> String {
    raw.split('&').map(|pair| self::pair(pair, hasher)).collect::<Vec<_>>().join("&")
}

fn authorization(value: &str, hasher: &Hasher) -> String {
    match value.split_once(' ') {
        Some((scheme, rest)) if SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) => {
            format!("{scheme} {}", redact::whole(rest.trim(), hasher))
        }
        _ => redact::whole(value, hasher),
    }
}

fn cookie(pair: &str, hasher: &Hasher) -> String {
    match pair.split_once('=') {
        Some((name, "")) => format!("{name}="),
        Some((name, value)) => {
            format!("{}={}", redact::text(name, hasher), redact::whole(value.trim(), hasher))
        }
        None => redact::text(pair, hasher).into_owned(),
    }
}

fn segment<'a>(part: &'a str, hasher: &Hasher) -> Cow<'a, str> {
    let decoded = decode(part, false);
    match redact::identity("", &decoded, hasher) {
        Cow::Borrowed(_) => Cow::Borrowed(part),
        Cow::Owned(redacted) => Cow::Owned(redacted),
    }
}

fn pair<'a>(raw: &'a str, hasher: &Hasher) -> Cow<'a, str> {
    let Some((name, value)) = raw.split_once('=') else { return segment(raw, hasher) };
    let decoded = decode(value, true);
    let plain_name = decode(name, true);
    let shown_name = redact::identity("", &plain_name, hasher);
    match (redact::identity(&plain_name, &decoded, hasher), &shown_name) {
        (Cow::Borrowed(_), Cow::Borrowed(_)) => Cow::Borrowed(raw),
        (Cow::Borrowed(_), Cow::Owned(shown)) => Cow::Owned(format!("{shown}={value}")),
        (Cow::Owned(redacted), Cow::Borrowed(_)) => Cow::Owned(format!("{name}={redacted}")),
        (Cow::Owned(redacted), Cow::Owned(shown)) => Cow::Owned(format!("{shown}={redacted}")),
    }
}

fn decode(raw: &str, plus_is_space: bool) -> Cow<'_, str> {
    if memchr::memchr2(b'%', b'+', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(
        String::from_utf8_lossy(&percent_decode(raw.as_bytes(), plus_is_space).bytes).into_owned(),
    )
}

/// JSON within strings of JSON is followed so deep.
const WITHIN_MAX: u8 = 3;

/// JSON text, whole or broken, read as a row of strings and of what stands between them. All that
/// stands within what has a secret's name is secret.
fn json(text: &str, hasher: &Hasher) -> String {
    json_within(text, 0, hasher)
}

fn json_within(text: &str, level: u8, hasher: &Hasher) -> String {
    let mut out = String::with_capacity(text.len());
    let mut name = String::new();
    let mut depth = Depth::default();
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        depth.between(rest.get(..at).unwrap_or_default(), &name, hasher, &mut out);
        let Some(end) = string_end(rest.as_bytes(), at) else {
            // An unfinished string: nobody can tell what it holds.
            let tail = rest.get(at + 1..).unwrap_or_default();
            out.push('"');
            out.push_str(&redact::identity(depth.name(&name), tail, hasher));
            return out;
        };
        let literal = rest.get(at..end).unwrap_or_default();
        rest = rest.get(end..).unwrap_or_default();
        let value = serde_json::from_str::<String>(literal)
            .unwrap_or_else(|_| literal.trim_matches('"').to_owned());
        if rest.trim_start().starts_with(':') {
            // A name may be a secret by its shape: a map from tokens to users.
            push_string(literal, &value, &redact::identity("", &value, hasher), &mut out);
            name = value;
            continue;
        }
        // A name is that of one value; below it, [`Depth`] remembers.
        let own = std::mem::take(&mut name);
        let name = depth.name(&own);
        let is_json = value.trim_start().starts_with(['{', '[']) && level < WITHIN_MAX;
        if is_json && !redact::is_secret_name(name) {
            let inner = json_within(&value, level + 1, hasher);
            let written = if inner == value { None } else { serde_json::to_string(&inner).ok() };
            out.push_str(written.as_deref().unwrap_or(literal));
        } else {
            push_string(literal, &value, &redact::identity(name, &value, hasher), &mut out);
        }
    }
    depth.between(rest, &name, hasher, &mut out);
    out
}

/// How deep the text is, and from which depth on all is secret.
#[derive(Default)]
struct Depth {
    now: usize,
    secret_from: Option<usize>,
}

/// A name that is secret, for what stands below one.
const SECRET: &str = "secret";

impl Depth {
    /// The name that decides over a value here.
    fn name<'a>(&self, name: &'a str) -> &'a str {
        if self.secret_from.is_some() { SECRET } else { name }
    }

    /// Writes what stands between two strings, piece by piece at the brackets.
    fn between(&mut self, text: &str, name: &str, hasher: &Hasher, out: &mut String) {
        let mut name = name;
        for piece in text.split_inclusive(['{', '[', '}', ']']) {
            let (before, bracket) = match piece.char_indices().next_back() {
                Some((at, bracket @ ('{' | '[' | '}' | ']'))) => {
                    (piece.get(..at).unwrap_or_default(), Some(bracket))
                }
                _ => (piece, None),
            };
            between(before, self.name(name), hasher, out);
            let Some(bracket) = bracket else { continue };
            out.push(bracket);
            if matches!(bracket, '{' | '[') {
                if self.secret_from.is_none() && redact::is_secret_name(name) {
                    self.secret_from = Some(self.now);
                }
                self.now += 1;
            } else {
                name = "";
                self.now = self.now.saturating_sub(1);
                self.secret_from = self.secret_from.filter(|from| *from < self.now);
            }
        }
    }
}

fn push_string(literal: &str, value: &str, redacted: &str, out: &mut String) {
    if redacted == value {
        out.push_str(literal);
    } else {
        out.push('"');
        out.push_str(redacted);
        out.push('"');
    }
}

/// Where the string that begins with the quote at `start` ends, its closing quote included.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(found) == Some(&b'"') {
            return Some(found + 1);
        }
        at = found + 2;
    }
}

/// Punctuation, numbers and words between two strings. A number under a secret's name, or one that
/// is a card number, becomes a redacted string.
fn between(text: &str, name: &str, hasher: &Hasher, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphanumeric() || c == '-') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let end = rest
            .find(|c: char| {
                matches!(c, ',' | '}' | ']' | ' ' | '\n' | '\r' | '\t' | ':' | '{' | '[')
            })
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        rest = rest.get(end..).unwrap_or_default();
        match redact::identity(name, word, hasher) {
            Cow::Owned(redacted) if !matches!(word, "true" | "false" | "null") => {
                out.push('"');
                out.push_str(&redacted);
                out.push('"');
            }
            _ => out.push_str(word),
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fields::Location;
    use crate::hash::HashKey;

    const KEY: HashKey = HashKey::new([5; 16]);

    fn hasher() -> Hasher {
        Hasher::new(KEY)
    }

    #[test]
    fn json_keeps_its_shape_and_loses_its_secrets() {
        let body = r#"{ "email":"a@b.io", "password":"hun\"ter2", "pin": 1234, "card": 4111111111111111, "n": [1, true], "tokens":["abc","def"], "note":"hi" }"#;
        let out = json(body, &hasher());
        for secret in ["hun", "1234", "4111111111111111", "abc", "def"] {
            assert!(!out.contains(secret), "{secret} in {out}");
        }
        for kept in [r#""email":"a@b.io""#, r#""n": [1, true]"#, r#""note":"hi""#] {
            assert!(out.contains(kept), "{kept} not in {out}");
        }
        assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{out}");
    }

    #[test]
    fn identity_survives() {
        let replay = Hasher::for_recording(KEY);
        let secret = hasher().hash(b"hun\"ter2");
        let mut fields = Fields::default();
        crate::json::read(json(r#"{"password":"hun\"ter2"}"#, &hasher()).as_bytes(), &mut fields);
        assert_eq!(
            fields.leaves().map(|field| replay.hash(field.value_bytes())).collect::<Vec<_>>(),
            [secret]
        );

        let path = crate::Path::parse(b"/reset/x7Kq2vN9pLm4Rt8Yw3Zb", &hasher());
        let redacted = target("/reset/x7Kq2vN9pLm4Rt8Yw3Zb", &hasher());
        let replayed = crate::Path::parse(redacted.as_bytes(), &replay);
        assert_eq!((path.digest(), path.shape()), (replayed.digest(), replayed.shape()));

        let mut pairs_live = Fields::default();
        pairs_live.read_pairs(b"code=12%2034&a=b", Location::Form);
        let mut pairs_replayed = Fields::default();
        pairs_replayed.read_pairs(pairs("code=12%2034&a=b", &hasher()).as_bytes(), Location::Form);
        let hashes = |fields: &Fields, by: &Hasher| {
            fields.leaves().map(|f| by.hash(f.value_bytes())).collect::<Vec<_>>()
        };
        assert_eq!(hashes(&pairs_live, &hasher()), hashes(&pairs_replayed, &replay));
    }

    #[test]
    fn headers_lose_credentials_only() {
        assert_eq!(header("accept", "application/json", &hasher()), "application/json");
        for (name, value, secret) in [
            ("authorization", "Bearer abc", "abc"),
            ("authorization", "Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
            ("authorization", "s3cr3t", "s3cr3t"),
            ("cookie", "sid=one; theme=dark", "one"),
            ("cookie", "theme=dark;sid=one", "one"),
            ("set-cookie", "sid=one; Path=/; HttpOnly", "one"),
            ("x-api-key", "k1", "k1"),
            ("referer", "http://h/?token=abc", "abc"),
        ] {
            assert!(!header(name, value, &hasher()).contains(secret), "{name}: {value}");
        }
        assert!(
            header("set-cookie", "sid=one; Path=/; HttpOnly", &hasher())
                .ends_with("; Path=/; HttpOnly")
        );
    }

    #[test]
    fn what_stands_below_a_secrets_name_is_secret() {
        for body in [
            r#"{"password":{"value":"hunter2","n":[1,{"b":"hunter2"}]},"user":"ada"}"#,
            r#"{"payload":"{\"password\":\"hunter2\"}","user":"ada"}"#,
            r#"{"query":"mutation{login(user:\"x\",password:\"hunter2\"){t}}","user":"ada"}"#,
            r#"{"tokens":[{"a":1},"hunter2"],"user":"ada"}"#,
            r#"{"user_pass":"hunter2","user":"ada"}"#,
            r#"{"answer":"hunter2","Kennwort":"hunter2","user":"ada"}"#,
        ] {
            let out = json(body, &hasher());
            assert!(!out.contains("hunter2") && out.contains(r#""user":"ada""#), "{out}");
            assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{out}");
        }
    }

    #[test]
    fn what_stands_beside_a_secret_is_kept() {
        for body in [
            r#"[{"user":"ada","password":"x7"},{"user":"bob","password":"x7"},{"user":"cyd"}]"#,
            r#"[{"password":71,"user":"ada"},{"pin":71},{"user":"bob"},{"user":"cyd"}]"#,
            r#"{"a":{"token":{"x":"x7"},"user":"ada"},"b":["bob",{"user":"cyd"}]}"#,
        ] {
            let out = json(body, &hasher());
            assert!(!out.contains("x7") && !out.contains("71"), "{out}");
            assert!(["ada", "bob", "cyd"].iter().all(|name| out.contains(name)), "{out}");
        }
    }

    #[test]
    fn other_bodies_become_forms_that_read_alike() {
        let (live, replay) = (hasher(), Hasher::for_recording(KEY));
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\na&b@c\r\n\
            --x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--x--";
        let rows = [
            (Media::Multipart, multipart),
            (Media::Text, "<l><user>a&amp;b@c</user><password>hunter2</password></l>"),
            (Media::Text, "<l user='a&amp;b@c' password='hunter2'/>"),
            (Media::Unknown, "user=a%26b@c&password=hunter2"),
        ];
        for (media, raw) in rows {
            let written = body(raw.as_bytes(), media, &live).expect("readable");
            assert!(!written.contains("hunter2") && written.contains("a%26b@c"), "{written}");
            let hashes = |text: &[u8], by: &Hasher| {
                let mut fields = Fields::default();
                assert!(crate::body::read_up_to(text, media, true, &mut fields, usize::MAX));
                fields.leaves().map(|it| by.hash(it.value_bytes())).collect::<Vec<_>>()
            };
            assert_eq!(hashes(written.as_bytes(), &replay), hashes(raw.as_bytes(), &live), "{raw}");
        }
        assert_eq!(body(b"dear all: hunter2", Media::Text, &live), None);
        assert_eq!(body(b"\x89PNG", Media::Opaque, &live), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,200}") {
            let _ = (json(&text, &hasher()), pairs(&text, &hasher()), target(&text, &hasher()));
        }
    }
}
