//! `utf8toUnicode`, and where characters of UTF-8 begin and end.
//!
//! Each character beyond ASCII becomes `%u` and its code point in at least four hexadecimal digits,
//! which `urlDecodeUni` then folds to what it resembles. Overlong forms and surrogates become their
//! code point, too: a lenient server reads them so. ModSecurity does the same and leaves a stray
//! byte behind. What is no character stays as it is; ModSecurity loses the start of a cut one, and
//! Coraza writes U+FFFD, and either would hide bytes from the rules.

use super::hex;
use super::rewrite::rewrite;

/// The code point at the start and the bytes it takes, of any form that UTF-8's scheme allows:
/// overlong and surrogate, too, up to U+10FFFF. Nothing for ASCII.
pub(super) fn lenient(text: &[u8]) -> Option<(u32, usize)> {
    let (first, len) = match text.first()? {
        byte @ 0xc0..=0xdf => (byte & 0x1f, 2),
        byte @ 0xe0..=0xef => (byte & 0x0f, 3),
        byte @ 0xf0..=0xf7 => (byte & 0x07, 4),
        _ => return None,
    };
    let mut code = u32::from(first);
    for byte in text.get(1..len)? {
        if byte & 0xc0 != 0x80 {
            return None;
        }
        code = code << 6 | u32::from(byte & 0x3f);
    }
    (code <= 0x10_ffff).then_some((code, len))
}

/// `utf8toUnicode`.
pub(super) fn to_unicode(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(
        value,
        |rest| rest.iter().position(|byte| !byte.is_ascii()),
        |rest, out| match lenient(rest) {
            Some((code, len)) => {
                push_escape(code, out);
                len
            }
            None => {
                out.extend(rest.first());
                1
            }
        },
    )
}

/// Writes `%u` and the digits of a code point, four or as many as it has.
fn push_escape(code: u32, out: &mut Vec<u8>) {
    let [_, plane, row, cell] = code.to_be_bytes();
    out.extend_from_slice(b"%u");
    // Beyond the basic plane there are five digits, or six from U+100000 on.
    let [high, low] = hex::digits(plane);
    let beyond = [(plane > 0xf, high), (plane > 0, low)];
    out.extend(beyond.into_iter().filter(|(there, _)| *there).map(|(_, digit)| digit));
    out.extend_from_slice(&hex::digits(row));
    out.extend_from_slice(&hex::digits(cell));
}

/// Writes a code point as UTF-8, or U+FFFD where it is none.
pub(super) fn push(code: u32, out: &mut Vec<u8>) {
    let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}
