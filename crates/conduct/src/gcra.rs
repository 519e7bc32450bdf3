//! The generic cell rate algorithm: an exact rate limit in one number.
//!
//! The number is the time at which the allowance would be whole again (the theoretical arrival
//! time). There is no window whose edge could be played on.

use serde::{Deserialize, Serialize};
use traffic::Timestamp;

use crate::table::Line;

/// One caller's account under one limit.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Bucket {
    whole_us: u64,
}

/// A rate, as the algorithm needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    /// The time that one request costs.
    pub(crate) cost_us: u64,
    /// How many requests may come at once.
    pub(crate) burst: u64,
}

impl Bucket {
    /// The account after one more request, or the microseconds until one is allowed.
    pub(crate) fn take(self, rate: Rate, now: Timestamp) -> Result<Self, u64> {
        self.take_many(rate, 1, now)
    }

    /// The same for `count` requests at once: all of them, or none.
    pub(crate) fn take_many(self, rate: Rate, count: u16, now: Timestamp) -> Result<Self, u64> {
        let now_us = now.as_micros();
        let cost_us = rate.cost_us.saturating_mul(u64::from(count));
        let whole_us = self.whole_us.max(now_us).saturating_add(cost_us);
        let earliest_us = whole_us.saturating_sub(rate.burst.saturating_mul(rate.cost_us));
        match earliest_us.checked_sub(now_us) {
            Some(wait_us) if wait_us > 0 => Err(wait_us),
            _ => Ok(Self { whole_us }),
        }
    }
}

impl Bucket {
    /// The account after `count` requests were given back.
    pub(crate) const fn give_back(self, rate: Rate, count: u16) -> Self {
        let cost_us = rate.cost_us.saturating_mul(count as u64);
        Self { whole_us: self.whole_us.saturating_sub(cost_us) }
    }
}

impl Line for Bucket {
    /// The emptier the allowance, the more is lost with its memory.
    fn worth(&self, now_s: u32) -> f32 {
        let now_us = u64::from(now_s) * 1_000_000;
        self.whole_us.saturating_sub(now_us) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(rate: Rate, gaps_us: impl IntoIterator<Item = u64>) -> usize {
        let (mut bucket, mut now_us, mut granted) = (Bucket::default(), 1_000_000_000, 0);
        for gap_us in gaps_us {
            now_us += gap_us;
            if let Ok(next) = bucket.take(rate, Timestamp::from_micros(now_us)) {
                (bucket, granted) = (next, granted + 1);
            }
        }
        granted
    }

    #[test]
    fn the_burst_passes_at_once_and_then_the_rate_holds() {
        let ten_a_minute = Rate { cost_us: 6_000_000, burst: 10 };
        assert_eq!(granted(ten_a_minute, [0; 50]), 10);
        assert_eq!(granted(ten_a_minute, [6_000_000; 50]), 50);
        let seconds = [1_000_000; 600];
        assert_eq!(granted(ten_a_minute, seconds), 10 + 99);
    }

    #[test]
    fn the_wait_it_names_is_the_wait_it_needs() {
        let rate = Rate { cost_us: 1_000_000, burst: 1 };
        let now = Timestamp::from_micros(5_000_000);
        let bucket = Bucket::default().take(rate, now).expect("the first");
        let wait_us = bucket.take(rate, now).expect_err("the second");
        assert_eq!(wait_us, 1_000_000);
        let later = Timestamp::from_micros(now.as_micros() + wait_us);
        assert!(bucket.take(rate, later).is_ok());
    }
}
