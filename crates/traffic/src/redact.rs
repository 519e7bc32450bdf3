//! Secrets leave here only as `~kind:hash:length`.
//!
//! Two ways a value counts as secret: the name it was sent under (a password field, a credential
//! header), or its own shape (a token, a card number), wherever it stands: in a path, in a query,
//! in a header, in prose. What depends on the value of a secret is thus never stored, but its
//! identity is.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::hash::{Digest, Hasher};
use crate::kind::{ParamKind, is_card, is_iban};
pub use crate::secret_names::is_secret_name;

/// What is left of a secret: its kind, its keyed hash, and its length in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Redacted {
    /// What it looked like, or what its name said.
    pub kind: ParamKind,
    /// Its keyed hash.
    pub digest: Digest,
    /// Its length in bytes.
    pub length: u32,
}

impl Redacted {
    /// Redacts `value`. What is redacted already stays what it is, when `hasher` reads that form.
    pub fn of(value: &[u8], kind: ParamKind, hasher: &Hasher) -> Self {
        if hasher.reads_redacted()
            && let Some(redacted) = Self::parse(value)
        {
            return redacted;
        }
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        Self { kind, digest: hasher.hash(value), length }
    }

    /// Reads `~kind:hash:length`.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value.get(..value.len().min(REDACTED_BYTES_MAX))?).ok()?;
        if text.len() != value.len() {
            return None;
        }
        let mut parts = text.strip_prefix('~')?.split(':');
        let kind = ParamKind::named(parts.next()?)?;
        let digest = parts.next()?.parse().ok()?;
        let length = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { kind, digest, length })
    }
}

/// Whether some part of `text` stands for a secret: what is found in it was not in what came.
#[must_use]
pub fn holds_redacted(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_');
    memchr::memchr_iter(b'~', text).any(|at| {
        let rest = text.get(at + 1..).unwrap_or_default();
        let length = rest.iter().take(REDACTED_BYTES_MAX).take_while(|byte| is_part(byte)).count();
        text.get(at..=at + length).and_then(Redacted::parse).is_some()
    })
}

/// No redacted form is longer.
const REDACTED_BYTES_MAX: usize = 64;

impl fmt::Display for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "~{}:{}:{}", self.kind, self.digest, self.length)
    }
}

/// `value`, or its redacted form when the name or the shape makes it a secret; secrets inside a
/// longer text are replaced one by one.
pub fn value<'a>(name: &str, value: &'a str, hasher: &Hasher) -> Cow<'a, str> {
    if value.is_empty() {
        return Cow::Borrowed(value);
    }
    if is_secret_name(name) {
        return Cow::Owned(whole(value, hasher));
    }
    text(value, hasher)
}

/// The redacted form of the whole of `value`, under the kind that it has.
pub fn whole(value: &str, hasher: &Hasher) -> String {
    Redacted::of(value.as_bytes(), ParamKind::of(value), hasher).to_string()
}

/// `value`, or the redacted form of the whole of it when its name or any part of it is secret. For
/// values that are known by their hash: a part replaced would be another value.
pub fn identity<'a>(name: &str, value: &'a str, hasher: &Hasher) -> Cow<'a, str> {
    if value.is_empty() || (!is_secret_name(name) && text(value, hasher) == value) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(whole(value, hasher))
}

/// Methods that are longer are nobody's: a secret may stand there as well.
const METHOD_BYTES_MAX: usize = 16;

/// A method as it is written down.
pub fn method(method: &str) -> &str {
    // Still a method, and still a long one, so that a replay takes it for what it was.
    if method.len() > METHOD_BYTES_MAX { "~long-method-left-out~" } else { method }
}

/// `text` with every part replaced that is shaped like a secret, or stands behind its name.
pub fn text<'a>(text: &'a str, hasher: &Hasher) -> Cow<'a, str> {
    match shaped(text, hasher) {
        Cow::Borrowed(text) => named(text, hasher),
        Cow::Owned(shaped) => Cow::Owned(named(&shaped, hasher).into_owned()),
    }
}

/// `text` with what stands behind the name of a secret and `=` or `:` replaced: in messages, in
/// queries that answers repeat, in the arguments of GraphQL.
fn named<'a>(text: &'a str, hasher: &Hasher) -> Cow<'a, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let mut kept = 0;
    for at in memchr::memchr2_iter(b'=', b':', bytes) {
        let Some(value) = (at >= kept).then(|| value_behind(text, at)).flatten() else { continue };
        let secret = text.get(value.clone()).unwrap_or_default();
        if Redacted::parse(secret.as_bytes()).is_some() {
            continue;
        }
        out.push_str(text.get(kept..value.start).unwrap_or_default());
        out.push_str(&whole(secret, hasher));
        kept = value.end;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(out)
}

/// No name in front of a secret is longer.
const NAME_BYTES_MAX: usize = 48;

/// Where the value stands that follows the sign at `at`, when the name in front is a secret's.
fn value_behind(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let before = bytes.get(..at)?;
    let before = before.strip_suffix(b"\\\"").or(before.strip_suffix(b"\"")).unwrap_or(before);
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let length = before.iter().rev().take(NAME_BYTES_MAX).take_while(is_name).count();
    let name = text.get(before.len() - length..before.len())?;
    // The kind in a redacted form is no name.
    let is_kind = before.get(..before.len() - length).is_some_and(|it| it.ends_with(b"~"));
    if length == 0 || is_kind || !is_secret_name(name) {
        return None;
    }
    let rest = bytes.get(at + 1..)?;
    let mut skipped = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\\')).count();
    let quote = rest.get(skipped).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    skipped += usize::from(quote.is_some());
    let is_end = |byte: &u8| match quote {
        Some(quote) => *byte == quote || *byte == b'\\',
        None => byte.is_ascii_whitespace() || b",;&)}]<>\"'".contains(byte),
    };
    let value = rest.get(skipped..)?;
    let length = value.iter().position(is_end).unwrap_or(value.len());
    let start = at + 1 + skipped;
    (length > 0).then_some(start..start + length)
}

/// `text` with every part that is shaped like a secret replaced.
fn shaped<'a>(text: &'a str, hasher: &Hasher) -> Cow<'a, str> {
    if !has_suspect_run(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    if ParamKind::of(text).is_secret() {
        return Cow::Owned(Redacted::of(text.as_bytes(), ParamKind::of(text), hasher).to_string());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, word, after)) = next_word(rest) {
        out.push_str(before);
        redact_word(word, hasher, &mut out);
        rest = after;
    }
    out.push_str(rest);
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// The shortest secret that a shape can give away: thirteen digits of a card.
const SECRET_LENGTH_MIN: usize = 13;

/// Whether there is any run long enough to be a secret. Most texts end here.
fn has_suspect_run(bytes: &[u8]) -> bool {
    let (mut run, mut digits) = (0, 0);
    for byte in bytes {
        if is_word_byte(*byte) {
            run += 1;
            digits += usize::from(byte.is_ascii_digit());
        } else {
            run = 0;
            // A card number may be written in groups.
            digits = if *byte == b' ' { digits } else { 0 };
        }
        if run >= SECRET_LENGTH_MIN || digits >= SECRET_LENGTH_MIN {
            return true;
        }
    }
    false
}

const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=' | b'~' | b':')
}

/// Splits `text` at its first word: what stands before it, the word, and the rest. Digit groups
/// that are parted by single spaces are one word, so that a card number is seen whole.
fn next_word(text: &str) -> Option<(&str, &str, &str)> {
    let bytes = text.as_bytes();
    let start = bytes.iter().position(|byte| is_word_byte(*byte))?;
    let mut end = start;
    let mut only_digits = true;
    while let Some(byte) = bytes.get(end) {
        if is_word_byte(*byte) {
            only_digits &= byte.is_ascii_digit() || *byte == b'-';
            end += 1;
        } else if *byte == b' '
            && only_digits
            && bytes.get(end + 1).is_some_and(u8::is_ascii_digit)
            && end - start < 24
        {
            end += 1;
        } else {
            break;
        }
    }
    Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?))
}

/// Writes `word`, or what is left of it. A word such as `token=abc` or `/path/abc` is taken apart
/// where its parts are joined, since only a part of it may be secret.
fn redact_word(word: &str, hasher: &Hasher, out: &mut String) {
    if let Some(kept) = Redacted::parse(word.as_bytes()).filter(|_| hasher.reads_redacted()) {
        out.push_str(&kept.to_string());
        return;
    }
    let whole = ParamKind::of(word);
    if whole.is_secret() && (whole != ParamKind::Token || !word.contains(['/', '=', ':'])) {
        out.push_str(&Redacted::of(word.as_bytes(), whole, hasher).to_string());
        return;
    }
    let mut part_start = 0;
    for (at, byte) in word.bytes().enumerate().chain([(word.len(), b'/')]) {
        if !matches!(byte, b'/' | b'=' | b':') || at < part_start {
            continue;
        }
        let whole_part = word.get(part_start..at).unwrap_or_default();
        // A full stop ends a sentence, not a secret.
        let part = whole_part.trim_end_matches(['.', '-']);
        let kind = ParamKind::of(part);
        let grouped_card =
            part.len() >= SECRET_LENGTH_MIN && (is_card(part.as_bytes()) || has_card_groups(part));
        if kind.is_secret() {
            out.push_str(&Redacted::of(part.as_bytes(), kind, hasher).to_string());
        } else if grouped_card {
            out.push_str(&Redacted::of(part.as_bytes(), ParamKind::Card, hasher).to_string());
        } else {
            redact_pieces(part, hasher, out);
        }
        out.push_str(whole_part.get(part.len()..).unwrap_or_default());
        if at < word.len() {
            out.push(char::from(byte));
        }
        part_start = at + 1;
    }
}

/// Writes what is no secret as a whole. A token behind a word, as in `bearer.TOKEN`, hides in it.
fn redact_pieces(part: &str, hasher: &Hasher, out: &mut String) {
    for piece in part.split_inclusive(['.', '_', '-']) {
        let text = piece.trim_end_matches(['.', '_', '-']);
        let kind = ParamKind::of(text);
        if text.len() < part.len() && kind == ParamKind::Token {
            out.push_str(&Redacted::of(text.as_bytes(), kind, hasher).to_string());
            out.push_str(piece.get(text.len()..).unwrap_or_default());
        } else {
            out.push_str(piece);
        }
    }
}

/// Whether a run of digit groups holds a card number between other numbers.
fn has_card_groups(part: &str) -> bool {
    let groups: Vec<&str> = part.split(' ').take(16).collect();
    (0..groups.len()).any(|from| {
        (from + 1..=groups.len()).any(|to| {
            let joined: String = groups.get(from..to).unwrap_or_default().concat();
            joined.len() >= SECRET_LENGTH_MIN && joined.len() <= 23 && is_card(joined.as_bytes())
        })
    }) || is_iban(part.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::HashKey;

    fn hasher() -> Hasher {
        Hasher::new(HashKey::new([3; 16]))
    }

    fn leaves(input: &str, secret: &str) {
        let out = text(input, &hasher());
        assert!(!out.contains(secret), "{input} -> {out}");
    }

    #[test]
    fn secrets_in_prose_are_replaced() {
        leaves("my card is 4111 1111 1111 1111, thanks", "1111 1111");
        leaves("card:4111-1111-1111-1111.", "4111-1111");
        leaves("id 12 4111 1111 1111 1111 x", "1111 1111");
        leaves("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "c2lnbmF0dXJl");
        leaves("token=x7Kq2vN9pLm4Rt8Yw3Zb&a=1", "x7Kq2vN9pLm4Rt8Yw3Zb");
        leaves("/reset/d41d8cd98f00b204e9800998ecf8427e/now", "d41d8cd98f00b204e9800998ecf8427e");
        leaves("key AKIAIOSFODNN7EXAMPLE here", "AKIAIOSFODNN7EXAMPLE");
        leaves("?q=1&password=hunter2 is wrong", "hunter2");
        leaves("mutation{login(user:\"ada\", password: \"hunter2\"){t}}", "hunter2");
        leaves("{\\\"password\\\":\\\"hunter2\\\"}", "hunter2");
        leaves("pin=1234; x", "1234");
        leaves("{\"k\":\"sk_live_4eC39HqLyjWDarjtT1zdp7dc\"}", "4eC39HqLyjWDarjtT1zdp7dc");
    }

    #[test]
    fn a_token_behind_a_word_is_found() {
        let secret = "cabqi7W20sruwuoGPrsMCVNylbtuabak";
        for around in ["bearer.", "chat, bearer.", "my_session_", "x-", "a.b.c_"] {
            leaves(&format!("{around}{secret}"), secret);
            leaves(&format!("{around}{secret}.js and more"), secret);
        }
    }

    #[test]
    fn a_secret_in_the_place_of_a_method_is_none() {
        assert_eq!(method("BASELINE-CONTROL"), "BASELINE-CONTROL");
        let left_out = method("kq93jf8d0s9fk20dkf93kd9fk3k");
        assert_eq!(left_out, "~long-method-left-out~");
        assert_eq!(method(left_out), left_out, "the same in a replay");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for plain in [
            "/api/v1/users/42",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X)",
            "application/json; charset=utf-8",
            "2026-11-23T12:00:00Z",
            "6f1c2f0e-8f1c-4a9b-9d3e-3f6d1f0a7b21",
            "hello world, how are you today?",
            "black-friday-2024-deals",
            "page=2&sort=price",
            "the password is wrong: try again",
        ] {
            assert_eq!(text(plain, &hasher()), plain);
        }
    }

    #[test]
    fn names_make_secrets() {
        for name in [
            "password",
            "new_password",
            "X-Api-Key",
            "access_token",
            "sessionId",
            "pin",
            "CVV",
            "client_secret",
            "card_number",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "name",
            "email",
            "id",
            "page",
            "keyboard",
            "author",
            "passenger",
            "pinned",
            "description",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
        assert!(value("password", "hunter2", &hasher()).starts_with("~word:"));
    }

    #[test]
    fn redaction_is_stable_in_a_replay() {
        let key = HashKey::new([3; 16]);
        let once = value("password", "hunter2", &Hasher::new(key)).into_owned();
        assert_eq!(value("password", &once, &Hasher::for_recording(key)), once);
        assert_ne!(value("password", &once, &Hasher::new(key)), once);
    }
}
