//! `cssDecode`: the escapes of CSS (CSS Syntax Module 3, 4.3.7).
//!
//! An escape of one to six hexadecimal digits is a code point, written as UTF-8, and takes one
//! white space after it along; Coraza reads it so, while ModSecurity keeps the last two digits and
//! would see a letter where no browser does. Full-width forms become the ASCII character they show.
//! Zero is a NUL byte, as in ModSecurity, so that `removeNulls` after it joins what it cut.

use super::hex;
use super::rewrite::rewrite;
use super::utf8;

/// `cssDecode`.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(
        value,
        |rest| memchr::memchr(b'\\', rest),
        |rest, out| 1 + escape(rest.get(1..).unwrap_or_default(), out),
    )
}

/// Writes what the text after a backslash means, and says how much of it was read.
fn escape(text: &[u8], out: &mut Vec<u8>) -> usize {
    let (code, count) = hex::number(text, 6);
    if count == 0 {
        // A line that a backslash ends goes on in the next; at the end of all it means nothing.
        out.extend(text.first().filter(|byte| **byte != b'\n'));
        return 1;
    }
    utf8::push(if (0xff01..=0xff5e).contains(&code) { code - 0xfee0 } else { code }, out);
    let blank = matches!(text.get(count), Some(b' ' | b'\t'..=b'\r'));
    count + usize::from(blank)
}
