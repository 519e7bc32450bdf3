//! What is normal: how often something goes wrong when nobody attacks.
//!
//! A share is learnt from a prior and from what unsuspected callers do, forgetting over weeks.
//! Three guards keep an attacker from teaching it: only sources without suspicion count (the
//! detector sees to that), each of them only a few times a day, and the share rises by half a day
//! at most. What it does not do: judge anybody.

use serde::{Deserialize, Serialize};
use traffic::Digest;

use crate::linear_count::LinearCount;
use crate::nats::{self, decayed};

const HALF_LIFE_S: u32 = 7 * DAY_S;
pub(crate) const DAY_S: u32 = 86_400;
/// How far a share may rise within a day.
const RISE_PER_DAY_MAX: f32 = 1.5;
/// Standard errors above the mean that leave 5 % beyond.
const ONE_SIDED_95: f32 = 1.645;

/// How much a baseline rests on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Readiness {
    /// Fewer than 200 observations or 20 callers: the prior speaks.
    Cold,
    /// Fewer than 2,000 observations or 50 callers.
    Warming,
    /// Enough to rely on.
    Ready,
}

/// What is assumed before anything was seen, and the bounds that learning stays in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prior {
    pub(crate) bad: f32,
    pub(crate) good: f32,
    pub(crate) least: f32,
    pub(crate) most: f32,
}

/// A learnt share.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Baseline {
    bad: f32,
    all: f32,
    at_s: u32,
    observations: u32,
    callers: LinearCount,
    day: u32,
    /// The share when the day began; zero before the first observation.
    day_began: f32,
}

impl Baseline {
    /// Counts one observation of an unsuspected caller.
    pub(crate) fn learn(&mut self, prior: &Prior, is_bad: bool, caller: Digest, now_s: u32) {
        let day = now_s / DAY_S;
        if day > self.day || self.observations == 0 {
            self.day_began = self.share(prior);
            self.day = day;
        }
        let elapsed_s = now_s.saturating_sub(self.at_s);
        self.bad = decayed(self.bad, elapsed_s, HALF_LIFE_S) + if is_bad { 1.0 } else { 0.0 };
        self.all = decayed(self.all, elapsed_s, HALF_LIFE_S) + 1.0;
        self.at_s = self.at_s.max(now_s);
        self.observations = self.observations.saturating_add(1);
        self.callers.insert(caller);
    }

    /// The share that is normal, as far as is known.
    pub(crate) fn share(&self, prior: &Prior) -> f32 {
        let learnt = (prior.bad + self.bad) / (prior.bad + prior.good + self.all);
        let highest =
            if self.day_began > 0.0 { self.day_began * RISE_PER_DAY_MAX } else { f32::INFINITY };
        learnt.min(highest).min(prior.most)
    }

    /// The share that is exceeded in one of twenty worlds that look like this one: what a detector
    /// calculates with, because underrating what is normal is what makes false alarms.
    pub(crate) fn upper(&self, prior: &Prior) -> f32 {
        let share = self.share(prior);
        let weight = prior.bad + prior.good + self.all;
        let deviation = (share * (1.0 - share) / (weight + 1.0)).sqrt();
        (share + ONE_SIDED_95 * deviation).clamp(prior.least, prior.most)
    }

    /// How much it rests on.
    pub(crate) fn readiness(&self) -> Readiness {
        let callers = self.callers.estimate();
        if self.observations < 200 || callers < 20.0 {
            Readiness::Cold
        } else if self.observations < 2_000 || callers < 50.0 {
            Readiness::Warming
        } else {
            Readiness::Ready
        }
    }

    /// How many observations it rests on.
    pub(crate) const fn observations(&self) -> u32 {
        self.observations
    }

    /// How many callers it rests on, about.
    pub(crate) fn callers(&self) -> u32 {
        nats::count(self.callers.estimate())
    }
}

/// How often one source has taught today.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Lessons {
    day: u16,
    given: u8,
}

impl Lessons {
    /// One heavy caller must not define what is normal.
    const PER_DAY_MAX: u8 = 5;

    /// Takes one of the day's lessons, while there are any left.
    pub(crate) fn take(&mut self, now_s: u32) -> bool {
        let day = u16::try_from(now_s / DAY_S).unwrap_or(u16::MAX);
        if day != self.day {
            *self = Self { day, given: 0 };
        }
        let is_left = self.given < Self::PER_DAY_MAX;
        self.given += u8::from(is_left);
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIOR: Prior = Prior { bad: 20.0, good: 80.0, least: 0.02, most: 0.5 };

    fn caller(number: u32) -> Digest {
        Digest(u64::from(number)).tagged(3)
    }

    #[test]
    fn learns_what_is_normal_and_how_sure_that_is() {
        let mut baseline = Baseline::default();
        assert!((baseline.share(&PRIOR) - 0.2).abs() < 1e-6);
        assert!((0.26..0.28).contains(&baseline.upper(&PRIOR)));
        assert_eq!(baseline.readiness(), Readiness::Cold);
        for number in 0..3_000_u32 {
            baseline.learn(&PRIOR, number % 10 == 0, caller(number % 300), 60 * number);
        }
        assert!((0.09..0.12).contains(&baseline.share(&PRIOR)), "{}", baseline.share(&PRIOR));
        assert!(baseline.upper(&PRIOR) > baseline.share(&PRIOR));
        assert_eq!(baseline.readiness(), Readiness::Ready);
    }

    #[test]
    fn a_share_cannot_be_taught_up_within_days() {
        let mut baseline = Baseline::default();
        for day in 0..2 {
            for number in 0..10_000_u32 {
                baseline.learn(&PRIOR, true, caller(number), day * DAY_S + number);
            }
            let highest = 0.2 * if day == 0 { 1.5 } else { 2.25 };
            assert!(baseline.share(&PRIOR) <= highest + 1e-4, "day {day}");
        }
        for number in 0..10_000_u32 {
            baseline.learn(&PRIOR, true, caller(number), 9 * DAY_S + number);
        }
        assert!(baseline.upper(&PRIOR) <= PRIOR.most);
    }

    #[test]
    fn one_caller_gives_five_lessons_a_day() {
        let mut lessons = Lessons::default();
        assert_eq!((0..50).filter(|n| lessons.take(DAY_S + n)).count(), 5);
        assert!(lessons.take(2 * DAY_S));
    }
}
