//! `base64Decode`, `base64DecodeExt` and `base64Encode` (RFC 4648).
//!
//! Decoding never fails. `base64Decode` passes over line ends, stops at the first byte that is not
//! of the alphabet and keeps what it has by then, as Coraza does; ModSecurity 3 gives nothing for
//! such a value, and a blank would hide what stands before it. `base64DecodeExt` passes over what
//! is not of the alphabet, padding included, and reads `-` and `_` of the URL form, too.

const ALPHABET: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// `base64Decode`.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    let text = value.iter().filter(|byte| !matches!(byte, b'\r' | b'\n'));
    Some(joined(text.map_while(|byte| sextet(*byte)), value.len()))
}

/// `base64DecodeExt`.
pub(super) fn decode_ext(value: &[u8]) -> Option<Vec<u8>> {
    let sextets = value.iter().filter_map(|byte| match byte {
        b'-' => Some(62),
        b'_' => Some(63),
        _ => sextet(*byte),
    });
    Some(joined(sextets, value.len()))
}

/// The bytes that sextets make up. Bits left over at the end are padding, and dropped.
fn joined(sextets: impl Iterator<Item = u8>, len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len / 4 * 3 + 3);
    let (mut bits, mut held) = (0_u16, 0_u8);
    for sextet in sextets {
        bits = bits << 6 | u16::from(sextet);
        held += 6;
        if held >= 8 {
            held -= 8;
            let [_, byte] = (bits >> held).to_be_bytes();
            out.push(byte);
        }
    }
    out
}

/// `base64Encode`.
pub(super) fn encode(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len().div_ceil(3) * 4);
    for group in value.chunks(3) {
        let mut bytes = [0; 4];
        for (place, byte) in bytes.iter_mut().skip(1).zip(group) {
            *place = *byte;
        }
        let bits = u32::from_be_bytes(bytes);
        for at in 0..4_usize {
            let sextet = (bits >> (18 - 6 * at)) & 63;
            let letter = usize::try_from(sextet).ok().and_then(|index| ALPHABET.get(index));
            out.push(if at > group.len() { b'=' } else { *letter.unwrap_or(&b'=') });
        }
    }
    Some(out)
}
