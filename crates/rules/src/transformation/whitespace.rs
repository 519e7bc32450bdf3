//! `removeWhitespace`, `compressWhitespace` and the trims.
//!
//! White space is what C's `isspace` says, the white space of Unicode in UTF-8, and the byte 0xA0
//! (Latin-1's no-break space) where it is not part of a character. ModSecurity takes 0xA0 out of
//! the middle of characters or leaves it, by version; Coraza knows the white space of Unicode.
//! The trims know only that of ASCII, in all three.

use crate::byte_set::ByteSet;

use super::utf8;

/// The white space of ASCII: tab, line feed, vertical tab, form feed, carriage return, space.
pub(super) const ASCII: ByteSet = ByteSet::of(b"\t\n\x0b\x0c\r ");

/// The bytes with which white space can begin.
pub(super) const TRIGGERS: ByteSet = ASCII.union(ByteSet::of(b"\xa0\xc2\xe1\xe2\xe3"));

/// `removeWhitespace`.
pub(super) fn remove(value: &[u8]) -> Option<Vec<u8>> {
    let first = value.iter().position(|byte| needs_reading(*byte))?;
    Some(spaced(value, first, |_| {}))
}

/// `compressWhitespace`.
pub(super) fn compress(value: &[u8]) -> Option<Vec<u8>> {
    // A single space stays, and ordinary prose has nothing else.
    let mut blank = false;
    let first = value.iter().position(|byte| {
        let after_blank = blank;
        blank = *byte == b' ';
        if blank { after_blank } else { needs_reading(*byte) }
    })?;
    Some(spaced(value, first, |out| out.push(b' ')))
}

/// White space of ASCII, or the first byte of a character that has to be read: behind ASCII alone
/// a byte beyond it begins one, and is no part of one.
const fn needs_reading(byte: u8) -> bool {
    !byte.is_ascii() || ASCII.contains(byte)
}

/// Copies `value`, from `first` on with `separate` called once for each run of white space instead.
fn spaced(value: &[u8], first: usize, separate: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let (before, mut rest) = value.split_at_checked(first).unwrap_or((value, b""));
    let mut out = Vec::with_capacity(value.len());
    out.extend_from_slice(before);
    let mut blank = before.last() == Some(&b' ');
    while let Some((first, after)) = rest.split_first() {
        if first.is_ascii() && !ASCII.contains(*first) {
            out.push(*first);
            blank = false;
            rest = after;
            continue;
        }
        let (space, len) = classify(*first, rest);
        let (char, after) = rest.split_at_checked(len).unwrap_or((rest, b""));
        if !space {
            out.extend_from_slice(char);
        } else if !blank {
            separate(&mut out);
        }
        blank = space;
        rest = after;
    }
    out
}

/// Is the character at the start of `text`, whose first byte is `first`, white space, and how many
/// bytes has it?
fn classify(first: u8, text: &[u8]) -> (bool, usize) {
    if first.is_ascii() {
        return (ASCII.contains(first), 1);
    }
    match utf8::lenient(text) {
        // An overlong form of a blank is left for `@validateUtf8Encoding` to find.
        Some((code, len)) => {
            let char = char::from_u32(code).filter(|char| char.len_utf8() == len);
            (char.is_some_and(char::is_whitespace), len)
        }
        None => (first == 0xa0, 1),
    }
}

/// `trim`.
pub(super) fn trim(value: &[u8]) -> Option<Vec<u8>> {
    shorter(value, from_left(from_right(value)))
}

/// `trimLeft`.
pub(super) fn trim_left(value: &[u8]) -> Option<Vec<u8>> {
    shorter(value, from_left(value))
}

/// `trimRight`.
pub(super) fn trim_right(value: &[u8]) -> Option<Vec<u8>> {
    shorter(value, from_right(value))
}

fn shorter(value: &[u8], part: &[u8]) -> Option<Vec<u8>> {
    (part.len() < value.len()).then(|| part.to_vec())
}

fn from_left(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|byte| !ASCII.contains(*byte)).unwrap_or(value.len());
    value.get(start..).unwrap_or_default()
}

fn from_right(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|byte| !ASCII.contains(*byte)).map_or(0, |at| at + 1);
    value.get(..end).unwrap_or_default()
}
