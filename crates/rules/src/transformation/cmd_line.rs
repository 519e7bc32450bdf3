//! `cmdLine`: a command line as a shell reads it.
//!
//! Quotes, backslashes and carets go, commas and semicolons are white space, white space is one
//! space and none before `/` and `(`, letters are small.

use crate::byte_set::ByteSet;

/// The bytes it can act on; `/` and `(` only matter after one of them.
pub(super) const TRIGGERS: ByteSet =
    ByteSet::of(b"\"'\\^ ,;\t\r\n").union(ByteSet::range(b'A', b'Z'));

/// `cmdLine`.
pub(super) fn normalize(value: &[u8]) -> Option<Vec<u8>> {
    let (before, rest) = value.split_at_checked(first_change(value)?)?;
    let mut out = Vec::with_capacity(value.len());
    out.extend_from_slice(before);
    let mut blank = before.last() == Some(&b' ');
    for byte in rest {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => {
                if !blank {
                    out.push(b' ');
                }
                blank = true;
            }
            _ => {
                if blank && matches!(byte, b'/' | b'(') {
                    out.pop();
                }
                blank = false;
                out.push(byte.to_ascii_lowercase());
            }
        }
    }
    Some(out)
}

/// Where the first byte is that does not stay: ordinary prose has none, for all its spaces.
fn first_change(value: &[u8]) -> Option<usize> {
    let mut blank = false;
    value.iter().position(|byte| {
        let after_blank = blank;
        blank = *byte == b' ';
        match byte {
            b' ' | b'/' | b'(' => after_blank,
            _ => TRIGGERS.contains(*byte),
        }
    })
}
