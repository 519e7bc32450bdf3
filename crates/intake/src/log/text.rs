//! Words and quoted texts, and their escapes undone: `\x22` of nginx and Apache, `\"` and `\n` of
//! Apache.

use std::borrow::Cow;

/// `text` without its escapes. A backslash that begins none stands for itself.
pub(crate) fn undone(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(b'\\', text) else { return Cow::Borrowed(text) };
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut next = Some(first);
    while let Some((before, from)) = next.and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(before);
        rest = match from {
            [_, b'x' | b'X', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                out.push(hex(*high) << 4 | hex(*low));
                after
            }
            [_, b'n', after @ ..] => pushed(&mut out, b'\n', after),
            [_, b'r', after @ ..] => pushed(&mut out, b'\r', after),
            [_, b't', after @ ..] => pushed(&mut out, b'\t', after),
            [_, b'v', after @ ..] => pushed(&mut out, 0x0b, after),
            [_, b'f', after @ ..] => pushed(&mut out, 0x0c, after),
            [_, b'b', after @ ..] => pushed(&mut out, 0x08, after),
            [_, byte @ (b'"' | b'\\'), after @ ..] => pushed(&mut out, *byte, after),
            [backslash, after @ ..] => pushed(&mut out, *backslash, after),
            [] => rest,
        };
        next = memchr::memchr(b'\\', rest);
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// The text up to the next space, and what follows it.
pub(crate) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', text) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default()),
        None => (text, &[]),
    }
}

/// Where the quoted text ends that `text` begins with: at the first quote no backslash precedes.
pub(crate) fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', text.get(from..)?)?;
        match text.get(at)? {
            b'"' => return Some(at),
            // Whatever follows the backslash is not an end.
            _ => from = at + 2,
        }
    }
}

fn pushed<'a>(out: &mut Vec<u8>, byte: u8, after: &'a [u8]) -> &'a [u8] {
    out.push(byte);
    after
}

const fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        for (text, plain) in [
            (&b"plain"[..], &b"plain"[..]),
            (br"\x16\x03\x01", b"\x16\x03\x01"),
            (br#"a\"b\\c"#, br#"a"b\c"#),
            (br"\n\t\q\", b"\n\t\\q\\"),
            (br"\x2", br"\x2"),
        ] {
            assert_eq!(undone(text).as_ref(), plain, "{text:?}");
        }
    }

    #[test]
    fn quotes_end_where_no_backslash_stands() {
        assert_eq!(closing_quote(br#"a b" c"#), Some(3));
        assert_eq!(closing_quote(br#"a\" b" c"#), Some(5));
        assert_eq!(closing_quote(br#"a\\" c"#), Some(3));
        assert_eq!(closing_quote(br"a\"), None);
    }
}
