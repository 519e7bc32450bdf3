//! A small memory of what one source has seen: two generations of a Bloom filter.
//!
//! It answers "is this new for this source?" in 36 bytes. After a generation the older half is
//! forgotten; what is seen again stays. With ten things in it, one in fifty new things is taken for
//! an old one; nothing of the last hour is ever taken for new.

use serde::{Deserialize, Serialize};
use traffic::Digest;

/// How long a generation lasts, in seconds.
pub(crate) const GENERATION_S: u32 = 3_600;

/// Up to about forty things of the last one to two hours.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Seen {
    young: [u64; 2],
    old: [u64; 2],
    generation: u32,
}

impl Seen {
    /// Notes `thing`, and says whether it is new.
    pub(crate) fn note(&mut self, thing: Digest, now_s: u32) -> bool {
        self.turn(now_s / GENERATION_S);
        let spread = thing.tagged(0x5e).0;
        let mut is_new = false;
        for place in [spread >> 57, (spread >> 50) & 127] {
            let half = usize::from(place > 63);
            if let (Some(young), Some(old)) = (self.young.get_mut(half), self.old.get(half)) {
                let bit = 1_u64 << (place & 63);
                is_new |= (*young | *old) & bit == 0;
                *young |= bit;
            }
        }
        is_new
    }

    fn turn(&mut self, generation: u32) {
        match generation.saturating_sub(self.generation) {
            0 => return,
            1 => self.old = self.young,
            _ => self.old = [0; 2],
        }
        self.young = [0; 2];
        self.generation = generation;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_again_stays_and_the_rest_is_forgotten() {
        let mut seen = Seen::default();
        let (kept, left) = (Digest(1), Digest(2));
        assert!(seen.note(kept, 10) && seen.note(left, 10));
        assert!(!seen.note(kept, 20));
        for hour in 1..10 {
            assert!(!seen.note(kept, hour * GENERATION_S), "hour {hour}");
        }
        assert!(seen.note(left, 9 * GENERATION_S));
        assert!(seen.note(kept, 40 * GENERATION_S));
    }

    #[test]
    fn few_new_things_are_taken_for_old() {
        let mut new = 0;
        for source in 0..1_000_u64 {
            let mut seen = Seen::default();
            new += (0..10).filter(|n| seen.note(Digest(source).then(Digest(*n)), 5)).count();
        }
        assert!(new > 9_900, "{new} of 10000");
    }
}
