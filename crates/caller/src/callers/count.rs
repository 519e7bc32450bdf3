//! How many distinct values there were, without keeping them: linear counting.
//!
//! A value sets one bit, and the share of bits still clear tells how many came. Small errors,
//! fixed size, and nothing in it leads back to a value.

use serde::{Deserialize, Serialize};
use traffic::Digest;

/// Counts to some thousands.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Distinct {
    words: [u64; 32],
}

/// Counts to some hundreds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct DistinctFew(u128);

impl Distinct {
    pub(super) fn note(&mut self, value: Digest) {
        let bit = value.0 % 2_048;
        let word = usize::try_from(bit / 64).unwrap_or(0);
        if let Some(word) = self.words.get_mut(word) {
            *word |= 1 << (bit % 64);
        }
    }

    pub(super) fn estimate(&self) -> u32 {
        estimate(2_048, self.words.iter().map(|word| word.count_zeros()).sum())
    }
}

impl DistinctFew {
    pub(super) fn note(&mut self, value: Digest) {
        self.0 |= 1 << (value.0 % 128);
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn estimate(self) -> u32 {
        estimate(128, self.0.count_zeros())
    }
}

fn estimate(bits: u32, clear: u32) -> u32 {
    let bits = f64::from(bits);
    let estimate = bits * (bits / f64::from(clear.max(1))).ln();
    // At most bits·ln(bits), far within the range, and never negative.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    let rounded = estimate.round() as u32;
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(number: u64) -> Digest {
        Digest(number).tagged(1)
    }

    #[test]
    fn estimates_are_near_and_repeats_do_not_count() {
        let (mut many, mut few) = (Distinct::default(), DistinctFew::default());
        for number in 0..3_000 {
            many.note(value(number % 1_000));
            few.note(value(number % 40));
        }
        assert!(many.estimate().abs_diff(1_000) <= 60, "{}", many.estimate());
        assert!(few.estimate().abs_diff(40) <= 8, "{}", few.estimate());
        assert_eq!(DistinctFew::default().estimate(), 0);
        assert_eq!(few.with(DistinctFew::default()).estimate(), few.estimate());
    }

    #[test]
    fn a_full_map_is_no_infinity() {
        assert!(DistinctFew(u128::MAX).estimate() < 1_000);
    }
}
