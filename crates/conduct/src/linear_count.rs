//! Linear counting: how many distinct things were seen, in 32 bytes.
//!
//! Each thing sets one of 256 bits; how many stay unset tells how many things there were, to about
//! 5 % up to 400. More are only known to be many, which is all that is asked here.

use serde::{Deserialize, Serialize};
use traffic::Digest;

use crate::nats;

const BITS: f32 = 256.0;

/// A count of distinct digests.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct LinearCount([u64; 4]);

impl LinearCount {
    /// Counts `thing`, when it was not counted before.
    pub(crate) fn insert(&mut self, thing: Digest) {
        let place = thing.tagged(0x1c).0 >> 56;
        let word = usize::try_from(place >> 6).unwrap_or(0);
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1 << (place & 63);
        }
    }

    /// How many bits are set: as many as there were things, or somewhat fewer.
    pub(crate) fn marks(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// How many distinct things were counted, about.
    pub(crate) fn estimate(&self) -> f32 {
        let unset = BITS - nats::number(self.marks().min(255));
        BITS * nats::ln(BITS / unset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_distinct_things_within_a_fifth() {
        for many in [1_u64, 5, 20, 50, 100, 200, 400] {
            let mut count = LinearCount::default();
            for round in 0..3 * many {
                count.insert(Digest((round % many).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            }
            let (found, many) = (count.estimate(), many as f32);
            assert!((found - many).abs() <= 1.0 + many * 0.2, "{many} counted as {found}");
        }
    }
}
