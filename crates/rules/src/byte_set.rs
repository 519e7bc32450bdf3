//! A set of bytes in 256 bits.
//!
//! One set of a value's bytes, made once, answers for every transformation and pattern whether
//! anything they act on occurs at all.

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// The set of no byte.
    pub const NONE: Self = Self([0; 4]);
    /// The set of every byte.
    pub const ALL: Self = Self([u64::MAX; 4]);

    /// The bytes that `bytes` lists, in any order and number.
    #[must_use]
    pub const fn of(bytes: &[u8]) -> Self {
        let mut words = [0; 4];
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            words[(byte >> 6) as usize] |= 1 << (byte & 63);
            at += 1;
        }
        Self(words)
    }

    /// The bytes from `first` to `last`, both included.
    #[must_use]
    pub const fn range(first: u8, last: u8) -> Self {
        let mut words = [0; 4];
        let mut byte = first;
        while byte <= last {
            words[(byte >> 6) as usize] |= 1 << (byte & 63);
            if byte == u8::MAX {
                break;
            }
            byte += 1;
        }
        Self(words)
    }

    /// The bytes in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        Self([a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]])
    }

    /// The bytes that are not in the other set.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        let (a, b) = (self.0, other.0);
        Self([a[0] & !b[0], a[1] & !b[1], a[2] & !b[2], a[3] & !b[3]])
    }

    /// The bytes in neither.
    #[must_use]
    pub const fn complement(self) -> Self {
        let a = self.0;
        Self([!a[0], !a[1], !a[2], !a[3]])
    }

    /// Is `byte` in the set?
    #[must_use]
    pub const fn contains(self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] & (1 << (byte & 63)) != 0
    }

    /// Has the set a byte in common with `other`?
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        let (a, b) = (self.0, other.0);
        (a[0] & b[0]) | (a[1] & b[1]) | (a[2] & b[2]) | (a[3] & b[3]) != 0
    }

    /// The set of the bytes that occur in `value`.
    #[must_use]
    pub fn present(value: &[u8]) -> Self {
        let mut words = [0_u64; 4];
        for byte in value {
            words[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        Self(words)
    }

    /// How many bytes are in the set.
    #[must_use]
    pub const fn len(self) -> u32 {
        let a = self.0;
        a[0].count_ones() + a[1].count_ones() + a[2].count_ones() + a[3].count_ones()
    }

    /// The bytes of the set, from the smallest to the largest.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let (place, word) = left.iter_mut().enumerate().find(|(_, word)| **word != 0)?;
            let bit = word.trailing_zeros() as usize;
            *word &= *word - 1;
            u8::try_from(place * 64 + bit).ok()
        })
    }

    /// Is no byte in the set?
    #[must_use]
    pub const fn is_empty(self) -> bool {
        let a = self.0;
        (a[0] | a[1] | a[2] | a[3]) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_it_was_given_and_nothing_else() {
        let set = ByteSet::of(b"%+\xff").union(ByteSet::range(b'a', b'c'));
        let held: Vec<u8> = (0..=u8::MAX).filter(|byte| set.contains(*byte)).collect();
        assert_eq!(held, b"%+abc\xff");
        assert!((0..=u8::MAX).all(|byte| set.complement().contains(byte) != set.contains(byte)));
        assert_eq!(set.without(ByteSet::of(b"%ab")), ByteSet::of(b"+\xffc"));
        assert!(set.meets(ByteSet::of(b"xb")) && !set.meets(ByteSet::of(b"xyz")));
        assert_eq!(ByteSet::range(0, u8::MAX), ByteSet::ALL);
        assert!(ByteSet::NONE.is_empty());
    }
}
