//! `jsDecode`: the escapes of JavaScript's strings.
//!
//! Of `\uHHHH` the low byte is kept, of a full-width form the ASCII character it shows: that is
//! ModSecurity's reading, which the Core Rule Set's patterns expect. `\u{H…}` of one to six digits
//! is read in the same way, as Coraza does and every engine since ECMAScript 2015.

use super::hex;
use super::rewrite::rewrite;

/// `jsDecode`.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(
        value,
        |rest| memchr::memchr(b'\\', rest),
        |rest, out| {
            let (byte, taken) = escape(rest.get(1..).unwrap_or_default());
            out.push(byte);
            1 + taken
        },
    )
}

/// What the text after a backslash means, and how much of it was read.
fn escape(text: &[u8]) -> (u8, usize) {
    match text {
        [] => (b'\\', 0),
        [b'u', code @ ..] => unicode(code).map_or((b'u', 1), |(byte, len)| (byte, 1 + len)),
        [b'x', code @ ..] => hex::pair(code).map_or((b'x', 1), |byte| (byte, 3)),
        [b'0'..=b'7', ..] => octal(text),
        [letter, ..] => (control(*letter).unwrap_or(*letter), 1),
    }
}

fn unicode(text: &[u8]) -> Option<(u8, usize)> {
    let [b'{', braced @ ..] = text else {
        return Some((shown(u32::from(hex::four(text)?)), 4));
    };
    let (code, count) = hex::number(braced, 6);
    (count > 0 && braced.get(count) == Some(&b'}')).then_some((shown(code), count + 2))
}

fn shown(code: u32) -> u8 {
    let [.., low] = code.to_be_bytes();
    if (0xff01..=0xff5e).contains(&code) { low + 0x20 } else { low }
}

/// Up to three octal digits, only two where three would exceed a byte.
fn octal(text: &[u8]) -> (u8, usize) {
    let most = if matches!(text, [b'4'..=b'7', ..]) { 2 } else { 3 };
    let digits = text.iter().take(most).take_while(|byte| matches!(byte, b'0'..=b'7'));
    digits.fold((0, 0), |(value, count), digit| (value << 3 | (digit - b'0'), count + 1))
}

/// The control character that a letter after a backslash stands for, in JavaScript and in C.
pub(super) const fn control(letter: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        _ => return None,
    })
}
