//! `a=1&b=2`: bodies of `application/x-www-form-urlencoded`, and query strings.
//!
//! Names and values are decoded once, as ModSecurity decodes them: `+` is a space, `%` with two
//! hexadecimal digits is a byte, any other `%` stays. Rules decode a second time if they want to. A
//! pair without `=` is a name with an empty value: an attack need not have an equals sign.

use thiserror::Error;

use super::arguments::{Arguments, Span};
use super::limits::Limits;

/// Between two pairs, unless `SecArgumentSeparator` says otherwise.
pub const SEPARATOR: u8 = b'&';

/// A body or query as its arguments.
#[derive(Clone, Debug)]
pub struct Urlencoded<'a> {
    /// In order, with duplicates.
    pub arguments: Arguments<'a>,
    /// How often a `%` had no two hexadecimal digits after it: `URLENCODED_ERROR` when not 0.
    pub invalid_escapes: usize,
    /// The bound that was hit.
    pub fault: Option<UrlencodedFault>,
    /// What was not read, because of the fault.
    pub unread: &'a [u8],
}

/// Why a URL-encoded body was not read to its end.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum UrlencodedFault {
    /// Longer than [`Limits::body_bytes_max`].
    #[error("URL-encoded body longer than the limit")]
    TooLong,
    /// More than [`Limits::arguments_max`].
    #[error("more arguments than the limit")]
    TooManyArguments,
}

/// Takes `body` apart at each `separator`. Empty pairs (`a&&b`) are none.
#[must_use]
pub fn parse<'a>(body: &'a [u8], separator: u8, limits: &Limits) -> Urlencoded<'a> {
    let (raw, beyond) = limits.split(body);
    let mut form = Urlencoded {
        arguments: Arguments::of(raw),
        invalid_escapes: 0,
        fault: (!beyond.is_empty()).then_some(UrlencodedFault::TooLong),
        unread: beyond,
    };
    // A short argument has 16 bytes; more room is made when there are shorter ones.
    form.arguments.reserve((raw.len() / 16 + 4).min(limits.arguments_max), 0);
    let mut at = 0;
    while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
        let length = memchr::memchr(separator, rest).unwrap_or(rest.len());
        if length > 0 {
            if form.arguments.len() >= limits.arguments_max {
                form.fault = Some(UrlencodedFault::TooManyArguments);
                form.unread = body.get(at..).unwrap_or_default();
                break;
            }
            form.read_pair(raw, at, at + length);
        }
        at += length + 1;
    }
    form
}

impl Urlencoded<'_> {
    fn read_pair(&mut self, raw: &[u8], start: usize, end: usize) {
        let pair = raw.get(start..end).unwrap_or_default();
        let (name_end, value_start) = match memchr::memchr(b'=', pair) {
            Some(length) => (start + length, start + length + 1),
            None => (end, end),
        };
        let name = self.decode(raw, start, name_end);
        let value = self.decode(raw, value_start, end);
        self.arguments.push(name, value);
    }

    fn decode(&mut self, raw: &[u8], start: usize, end: usize) -> Span {
        let encoded = raw.get(start..end).unwrap_or_default();
        let Some(first) = encoded.iter().position(|byte| matches!(byte, b'%' | b'+')) else {
            return Arguments::raw_span(start, end);
        };
        let written = self.arguments.buffer();
        let place = written.len();
        let (plain, rest) = encoded.split_at(first);
        written.extend_from_slice(plain);
        self.invalid_escapes += decode_into(rest, b' ', written);
        self.arguments.written_since(place)
    }
}

/// Writes `encoded` decoded to `out`, with `+` as `plus`; the number of `%` that began no escape.
pub(crate) fn decode_into(encoded: &[u8], plus: u8, out: &mut Vec<u8>) -> usize {
    let mut invalid = 0;
    let mut rest = encoded;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'+', _) => out.push(plus),
            (b'%', [high, low, others @ ..]) => {
                if let (Some(high), Some(low)) = (hex(*high), hex(*low)) {
                    out.push(high << 4 | low);
                    rest = others;
                } else {
                    out.push(b'%');
                    invalid += 1;
                }
            }
            (b'%', _) => {
                out.push(b'%');
                invalid += 1;
            }
            (plain, _) => out.push(*plain),
        }
    }
    invalid
}

/// The value of a hexadecimal digit.
pub(super) const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(form: &Urlencoded<'_>) -> Vec<String> {
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        form.arguments.iter().map(|a| format!("{}={}", text(a.name), text(a.value))).collect()
    }

    #[track_caller]
    fn check(body: &[u8], expected: &[&str], invalid_escapes: usize) {
        let form = parse(body, SEPARATOR, &Limits::default());
        assert_eq!(pairs(&form), expected);
        assert_eq!(form.invalid_escapes, invalid_escapes);
        assert_eq!((form.fault, form.unread), (None, &b""[..]));
    }

    #[test]
    fn pairs_keep_order_and_duplicates_and_are_decoded_once() {
        check(b"a=1&b=2&a=3", &["a=1", "b=2", "a=3"], 0);
        check(b"a+b=%41%2b+%25%34%31", &["a b=A+ %41"], 0);
        check(b"a=b=c&=v&n", &["a=b=c", "=v", "n="], 0);
        check(b"&&a&=&==&", &["a=", "=", "=="], 0);
        check(b"", &[], 0);
        check(b"a;b=1;c=2", &["a;b=1;c=2"], 0);
        check(b"n%00l=%ff", &["n\\x00l=\\xff"], 0);
    }

    #[test]
    fn what_is_no_escape_stays_as_it_is() {
        check(b"a=100%&b=%zz%4&c=%%41%u0041", &["a=100%", "b=%zz%4", "c=%A%u0041"], 5);
    }

    #[test]
    fn the_separator_can_be_set() {
        let form = parse(b"a=1;b=2&c", b';', &Limits::default());
        assert_eq!(pairs(&form), ["a=1", "b=2&c"]);
    }

    #[test]
    fn bounds_leave_the_rest_unread() {
        let limits = Limits { arguments_max: 2, ..Limits::default() };
        let form = parse(b"a&b&c=1&d", SEPARATOR, &limits);
        assert_eq!(pairs(&form), ["a=", "b="]);
        assert_eq!(form.fault, Some(UrlencodedFault::TooManyArguments));
        assert_eq!(form.unread, b"c=1&d");
        let limits = Limits { body_bytes_max: 3, ..Limits::default() };
        let form = parse(b"a=1&b=2", SEPARATOR, &limits);
        assert_eq!(pairs(&form), ["a=1"]);
        assert_eq!((form.fault, form.unread), (Some(UrlencodedFault::TooLong), &b"&b=2"[..]));
    }

    fn encode(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("%{byte:02x}")).collect()
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(
            sent in prop::collection::vec((any::<Vec<u8>>(), any::<Vec<u8>>()), 0..8)
        ) {
            let body: Vec<String> =
                sent.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
            let body = body.join("&");
            let form = parse(body.as_bytes(), SEPARATOR, &Limits::default());
            let read: Vec<_> =
                form.arguments.iter().map(|a| (a.name.to_vec(), a.value.to_vec())).collect();
            prop_assert_eq!(read, sent);
        }

        #[test]
        fn any_bytes_are_read_and_never_grow(body in any::<Vec<u8>>()) {
            let form = parse(&body, SEPARATOR, &Limits::default());
            prop_assert!(form.arguments.combined_bytes() <= body.len());
        }

        #[test]
        fn any_bytes_of_the_alphabet_are_read(body in "[a%4=&+]{0,64}") {
            let form = parse(body.as_bytes(), SEPARATOR, &Limits::default());
            let filled = body.split('&').filter(|pair| !pair.is_empty()).count();
            prop_assert_eq!(form.arguments.len(), filled);
        }
    }
}
