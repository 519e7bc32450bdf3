//! A decaying sum of log-likelihood ratios that never falls below zero.
//!
//! This is the one statistic behind the detectors: each observation adds what it speaks for an
//! attack or takes away what it speaks against one, and age takes away the rest. Not falling below
//! zero means that good behaviour cannot be saved up for later.

use serde::{Deserialize, Serialize};

use crate::nats::decayed;

/// No sum grows beyond this, so that it can fall again within a day or two. It lies above the
/// hardest threshold (11.5) by more than a decay of some hours.
pub(crate) const NATS_MAX: f32 = 16.0;

/// The sum, as it was when last touched.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Cusum {
    nats: f32,
    at_s: u32,
}

impl Cusum {
    /// The sum now.
    pub(crate) fn at(self, now_s: u32, half_life_s: u32) -> f32 {
        decayed(self.nats, now_s.saturating_sub(self.at_s), half_life_s)
    }

    /// Adds an observation.
    pub(crate) fn add(&mut self, nats: f32, now_s: u32, half_life_s: u32) {
        let sum = self.at(now_s, half_life_s) + nats;
        *self = Self { nats: sum.clamp(0.0, NATS_MAX), at_s: self.at_s.max(now_s) };
    }

    /// Raises the sum to at least `nats`.
    pub(crate) fn raise(&mut self, nats: f32, now_s: u32, half_life_s: u32) {
        let missing = nats - self.at(now_s, half_life_s);
        if missing > 0.0 {
            self.add(missing, now_s, half_life_s);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_behaviour_cannot_be_saved_up() {
        let mut sum = Cusum::default();
        sum.add(-50.0, 10, 60);
        sum.add(2.0, 10, 60);
        assert_eq!(sum.at(10, 60), 2.0);
    }

    #[test]
    fn it_forgets_and_has_a_ceiling() {
        let mut sum = Cusum::default();
        sum.add(100.0, 0, 60);
        assert_eq!(sum.at(0, 60), NATS_MAX);
        assert!(sum.at(600, 60) < 0.1);
        sum.raise(9.0, 600, 60);
        assert!((sum.at(600, 60) - 9.0).abs() < 1e-4);
        sum.raise(1.0, 600, 60);
        assert!((sum.at(600, 60) - 9.0).abs() < 1e-4);
    }

    #[test]
    fn a_clock_that_steps_back_takes_nothing_away() {
        let mut sum = Cusum::default();
        sum.add(4.0, 100, 60);
        sum.add(1.0, 90, 60);
        assert_eq!(sum.at(100, 60), 5.0);
    }
}
