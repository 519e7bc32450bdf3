//! `escapeSeqDecode`: the escapes of C's strings, as shells and PHP know them, too.
//!
//! It differs from `jsDecode` in that `\X` counts beside `\x`, that three octal digits are always
//! three and keep their low byte, and that there is no `\u`.

use super::hex;
use super::js::control;
use super::rewrite::rewrite;

/// `escapeSeqDecode`.
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
        [x @ (b'x' | b'X'), code @ ..] => hex::pair(code).map_or((*x, 1), |byte| (byte, 3)),
        [b'0'..=b'7', ..] => octal(text),
        [letter, ..] => (control(*letter).unwrap_or(*letter), 1),
    }
}

fn octal(text: &[u8]) -> (u8, usize) {
    let digits = text.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7'));
    // The ninth bit of `\777` is shifted out: a byte keeps the low eight.
    digits.fold((0, 0), |(value, count), digit| (value << 3 | (digit - b'0'), count + 1))
}
