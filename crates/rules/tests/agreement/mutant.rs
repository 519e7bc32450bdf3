//! Requests made from others by small changes: what nearly matches, or matches elsewhere, is what
//! a look at all rules together could get wrong.

use crate::corpus::Draw;

/// Pieces that rules look for, cut short, joined and spelt as transformations undo it.
const PIECES: [&str; 48] = [
    "' or 1=1--",
    "union/**/select",
    "%u0027",
    "%2527",
    "\\u003cscript",
    "\\x3c",
    "&lt;script&gt;",
    "&#x3c",
    "<script>",
    "onerror=",
    "javascript:",
    "../../etc/passwd",
    "..%2f",
    "%00",
    "\0",
    "/*",
    "*/",
    "--",
    ";cat${IFS}",
    "$(id)",
    "`id`",
    "|whoami",
    "c^a^t",
    "w'h'o",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<?php",
    "O:8:\"stdClass\"",
    "__proto__",
    "%C0%AE",
    "\u{ff1c}",
    "\u{e9}",
    "%EF%BC%9C",
    "%",
    "+",
    "&a=",
    ";",
    "=",
    "\"",
    "\\",
    "\r\n",
    "http://127.0.0.1/",
    "file:///etc/",
    "=(select",
    "SELECT",
    "PHNjcmlwdD4=",
    "base64,",
    "%c3%28",
];

/// `raw` changed in one to four places behind its first word; `other` lends it pieces.
pub(crate) fn mutant(raw: &[u8], other: &[u8], draw: &mut Draw) -> Vec<u8> {
    let mut bytes = raw.to_vec();
    let first = bytes.iter().position(|byte| *byte == b' ').map_or(0, |at| at + 1);
    for _ in 0..=draw.below(4) {
        let at = first + draw.below(bytes.len().saturating_sub(first).max(1));
        let at = at.min(bytes.len());
        let end = (at + 1 + draw.below(12)).min(bytes.len());
        match draw.below(9) {
            0 | 1 => insert(&mut bytes, at, draw.one(&PIECES).as_bytes()),
            2 => {
                bytes.drain(at..end);
            }
            3 => {
                let from = draw.below(other.len().max(1)).min(other.len());
                let to = (from + 1 + draw.below(40)).min(other.len());
                insert(&mut bytes, at, &other[from..to]);
            }
            4 => bytes[at..end].iter_mut().for_each(|byte| *byte ^= case_bit(*byte)),
            5 => {
                let part: Vec<u8> = bytes.drain(at..end).collect();
                let encoded: String = part.iter().map(|byte| format!("%{byte:02x}")).collect();
                insert(&mut bytes, at, encoded.as_bytes());
            }
            6 => {
                let part = bytes[at..end].to_vec();
                insert(&mut bytes, end, &part);
            }
            7 => {
                let byte = u8::try_from(draw.below(256)).expect("a byte");
                insert(&mut bytes, at, &[byte]);
            }
            _ => bytes[at..end].iter_mut().for_each(|byte| {
                if *byte == b'+' {
                    *byte = b' ';
                }
            }),
        }
    }
    bytes
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

const fn case_bit(byte: u8) -> u8 {
    if byte.is_ascii_alphabetic() { 0x20 } else { 0 }
}
