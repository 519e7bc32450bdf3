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
    if !value.iter().any(|byte| TRIGGERS.contains(*byte)) {
        return None;
    }
    let mut out = Vec::with_capacity(value.len());
    let mut blank = false;
    for byte in value {
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
