//! Dice with a seed: the same drill twice makes the same calls.
//!
//! SplitMix64 (Steele, Lea and Flood, 2014): one word of state, and good enough to choose products.

/// A stream of random choices.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// Dice of this drill (`seed`) for this caller (`stream`).
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self { state: seed };
        dice.state = dice.next().wrapping_add(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        dice
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(((self.next() >> 32) * u64::from(bound)) >> 32).unwrap_or(0)
    }

    /// True in `percent` of a hundred throws.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// A waiting time around `mean_ms`, between a third and three times of it.
    pub fn around_ms(&mut self, mean_ms: u32) -> u64 {
        let unit = f64::from(self.below(1 << 20) + 1) / f64::from(1 << 20);
        let mean = f64::from(mean_ms);
        // Exponential, as times between clicks are; cut at both ends to keep drills short.
        (-unit.ln() * mean).clamp(mean / 3.0, mean * 3.0) as u64
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same_and_streams_differ() {
        let throws = |seed, stream| {
            let mut dice = Dice::new(seed, stream);
            (0..8).map(|_| dice.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(throws(7, 1), throws(7, 1));
        assert_ne!(throws(7, 1), throws(7, 2));
        assert_ne!(throws(7, 1), throws(8, 1));
    }

    #[test]
    fn throws_stay_in_bounds_and_spread() {
        let mut dice = Dice::new(1, 1);
        let hits = (0..10_000).filter(|_| dice.percent(25)).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
        assert!((0..1_000).all(|_| (33..=300).contains(&dice.around_ms(100))));
        assert_eq!(dice.below(0), 0);
    }
}
