//! Strings and numbers of JSON, as bytes.
//!
//! A string without escapes is not copied: where it ends is all that is said. Whether its bytes are
//! UTF-8 is not asked, since rules look at bytes.

use super::JsonFault;
use crate::body::urlencoded::hex;

/// What was read of a string.
pub(super) struct Read {
    /// Where the string ends if it means what it says; otherwise it was written, decoded.
    pub(super) plain_end: Option<usize>,
    /// Behind the closing quote, or the end of the body.
    pub(super) after: usize,
    pub(super) is_closed: bool,
    pub(super) fault: Option<JsonFault>,
}

/// Reads the string whose first byte is at `start`. If it has escapes, it is appended to `out`.
pub(super) fn read(raw: &[u8], start: usize, out: &mut Vec<u8>) -> Read {
    let mut fault = None;
    let mut at = start;
    loop {
        let Some(found) = next_special(raw, at) else {
            let end = raw.len();
            return Read { plain_end: Some(end), after: end, is_closed: false, fault };
        };
        match raw.get(found) {
            Some(b'"') => {
                return Read { plain_end: Some(found), after: found + 1, is_closed: true, fault };
            }
            Some(b'\\') => {
                out.extend_from_slice(raw.get(start..found).unwrap_or_default());
                return read_escaped(raw, found, fault, out);
            }
            _ => {
                fault.get_or_insert(JsonFault::ControlCharacter);
                at = found + 1;
            }
        }
    }
}

/// The rest of a string, from its first backslash.
fn read_escaped(
    raw: &[u8],
    backslash: usize,
    mut fault: Option<JsonFault>,
    out: &mut Vec<u8>,
) -> Read {
    let mut at = backslash;
    loop {
        match raw.get(at) {
            None => return Read { plain_end: None, after: raw.len(), is_closed: false, fault },
            Some(b'"') => return Read { plain_end: None, after: at + 1, is_closed: true, fault },
            Some(b'\\') => match escape(raw.get(at + 1..).unwrap_or_default()) {
                Some((character, length)) => {
                    let mut buffer = [0; 4];
                    out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                    at += 1 + length;
                }
                None => {
                    fault.get_or_insert(JsonFault::InvalidEscape);
                    out.push(b'\\');
                    at += 1;
                }
            },
            Some(byte) => {
                if *byte < b' ' {
                    fault.get_or_insert(JsonFault::ControlCharacter);
                    out.push(*byte);
                    at += 1;
                }
                let end = next_special(raw, at).unwrap_or(raw.len());
                out.extend_from_slice(raw.get(at..end).unwrap_or_default());
                at = end;
            }
        }
    }
}

/// What stands behind a backslash: the character it means, and how many bytes that takes.
fn escape(rest: &[u8]) -> Option<(char, usize)> {
    let plain = match rest.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(rest.get(1..)?).map(|(character, length)| (character, length + 1)),
        _ => return None,
    };
    Some((plain, 1))
}

/// `XXXX`, or `XXXX\uXXXX` for a surrogate pair; a lone surrogate becomes U+FFFD, as most parsers
/// have it.
fn unicode(rest: &[u8]) -> Option<(char, usize)> {
    let first = hex4(rest)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 4));
    }
    let second = rest.get(4..).and_then(|rest| hex4(rest.strip_prefix(b"\\u")?));
    match second {
        Some(second @ 0xdc00..=0xdfff) if first < 0xdc00 => {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            Some((char::from_u32(code)?, 10))
        }
        _ => Some((char::REPLACEMENT_CHARACTER, 4)),
    }
}

fn hex4(rest: &[u8]) -> Option<u32> {
    rest.get(..4)?.iter().try_fold(0, |code, digit| Some(code << 4 | u32::from(hex(*digit)?)))
}

/// Is it a number as RFC 8259 writes them?
pub(super) fn is_number(word: &[u8]) -> bool {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let (whole, rest) = split_digits(digits);
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with(b"0")) {
        return false;
    }
    let rest = match rest.strip_prefix(b".").map(split_digits) {
        None => rest,
        Some(([], _)) => return false,
        Some((_, rest)) => rest,
    };
    let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else {
        return rest.is_empty();
    };
    let exponent =
        exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
    matches!(split_digits(exponent), ([_, ..], []))
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let length = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or((text, &[]))
}

/// Where the next quote, backslash or byte below 32 stands, from `at` on.
///
/// Eight bytes in one step, without a table: names and values are short, and a wide search costs
/// more to begin than they take.
fn next_special(raw: &[u8], mut at: usize) -> Option<usize> {
    while let Some(eight) = raw.get(at..at + 8).and_then(|eight| eight.try_into().ok()) {
        let word = u64::from_le_bytes(eight);
        let found = zero_bytes(word ^ QUOTES) | zero_bytes(word ^ BACKSLASHES) | controls(word);
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    Some(at + raw.get(at..)?.iter().position(is_special)?)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;
const QUOTES: u64 = ONES * b'"' as u64;
const BACKSLASHES: u64 = ONES * b'\\' as u64;

/// The high bit of the lowest zero byte of `word`; bytes above that one may be marked wrongly.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The same for the lowest byte below 32.
const fn controls(word: u64) -> u64 {
    word.wrapping_sub(ONES * b' ' as u64) & !word & HIGHS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_told_from_what_looks_like_them() {
        for number in
            ["0", "-0", "10", "-1.50", "1e5", "2E+10", "3.25e-07", "123456789012345678901"]
        {
            assert!(is_number(number.as_bytes()), "{number}");
        }
        for other in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x10", "1.2.3", "1e5e5", "NaN"]
        {
            assert!(!is_number(other.as_bytes()), "{other}");
        }
    }

    proptest! {
        #[test]
        fn the_wide_step_finds_what_a_plain_search_finds(
            bytes in prop::collection::vec(
                prop_oneof![
                    8 => any::<u8>().prop_map(|byte| byte | 0x80),
                    8 => 0x20_u8..0x7f,
                    1 => any::<u8>(),
                ],
                0..40,
            ),
            at in 0_usize..8,
        ) {
            let plain = bytes.iter().enumerate().skip(at)
                .find(|(_, byte)| matches!(byte, b'"' | b'\\' | ..b' '))
                .map(|(place, _)| place);
            prop_assert_eq!(next_special(&bytes, at), plain);
        }
    }
}
