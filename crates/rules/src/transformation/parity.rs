//! `parityEven7bit`, `parityOdd7bit` and `parityZero7bit`: bytes as a seven-bit line carries them.
//!
//! The eighth bit is set or cleared by the number of bits of the whole byte, the eighth included,
//! as ModSecurity does: a byte that has its parity bit already loses it.

use crate::byte_set::ByteSet;

/// The bytes that even parity changes.
pub(super) const EVEN_TRIGGERS: ByteSet = changed(0);
/// The bytes that odd parity changes.
pub(super) const ODD_TRIGGERS: ByteSet = changed(1);

const fn with_parity(byte: u8, odd: u32) -> u8 {
    if byte.count_ones() % 2 == odd { byte & 0x7f } else { byte | 0x80 }
}

const fn changed(odd: u32) -> ByteSet {
    let mut set = ByteSet::NONE;
    let mut byte = 0;
    loop {
        if with_parity(byte, odd) != byte {
            set = set.union(ByteSet::of(&[byte]));
        }
        if byte == u8::MAX {
            return set;
        }
        byte += 1;
    }
}

/// `parityEven7bit`.
pub(super) fn even(value: &[u8]) -> Option<Vec<u8>> {
    Some(value.iter().map(|byte| with_parity(*byte, 0)).collect())
}

/// `parityOdd7bit`.
pub(super) fn odd(value: &[u8]) -> Option<Vec<u8>> {
    Some(value.iter().map(|byte| with_parity(*byte, 1)).collect())
}

/// `parityZero7bit`.
pub(super) fn zero(value: &[u8]) -> Option<Vec<u8>> {
    Some(value.iter().map(|byte| byte & 0x7f).collect())
}
