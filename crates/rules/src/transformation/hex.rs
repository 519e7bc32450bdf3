//! Hexadecimal: digits, `hexDecode`, `hexEncode` and `sqlHexDecode`.
//!
//! `hexDecode` decodes the pairs at the start and ends at the first that is none. ModSecurity reads
//! any byte as a digit and gives garbage, Coraza gives up on the whole value; where the value is
//! hexadecimal all three agree. An odd digit at the end is dropped, as in ModSecurity.

use super::rewrite::rewrite;

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// The value of a hexadecimal digit.
pub(super) const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The value of the two digits at the start.
pub(super) fn pair(text: &[u8]) -> Option<u8> {
    match text {
        [high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// The value of the four digits at the start.
pub(super) fn four(text: &[u8]) -> Option<u16> {
    Some(u16::from(pair(text)?) << 8 | u16::from(pair(text.get(2..)?)?))
}

/// The value of the digits at the start, `most` at most, and how many there are.
pub(super) fn number(text: &[u8], most: usize) -> (u32, usize) {
    let mut value = 0_u32;
    let mut count = 0;
    for digit in text.iter().take(most).map_while(|byte| digit(*byte)) {
        value = value.saturating_mul(16).saturating_add(u32::from(digit));
        count += 1;
    }
    (value, count)
}

/// The two digits of a byte.
pub(super) fn digits(byte: u8) -> [u8; 2] {
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    [digit(byte >> 4), digit(byte & 15)]
}

/// `hexDecode`.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    Some(value.chunks_exact(2).map_while(pair).collect())
}

/// `hexEncode`.
pub(super) fn encode(value: &[u8]) -> Option<Vec<u8>> {
    Some(value.iter().flat_map(|byte| digits(*byte)).collect())
}

/// `sqlHexDecode`: `0x` and pairs of digits; an odd digit stays.
pub(super) fn decode_sql(value: &[u8]) -> Option<Vec<u8>> {
    rewrite(
        value,
        |rest| memchr::memchr(b'0', rest),
        |rest, out| {
            let begun = out.len();
            if let [_, b'x' | b'X', literal @ ..] = rest {
                out.extend(literal.chunks_exact(2).map_while(pair));
            }
            if out.len() == begun {
                out.push(b'0');
                return 1;
            }
            2 + 2 * (out.len() - begun)
        },
    )
}
