//! What a load came to: outcomes, and how long the right answers took.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use super::wire::Outcome;

/// The outcomes of a load.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Answered 200 with the request's own number.
    pub right: u64,
    /// Answered 503 with `Retry-After`.
    pub told_to_wait: u64,
    /// Answered with another request's number, or twice.
    pub mixed_up: u64,
    /// Answered in any other way.
    pub other: u64,
    /// Reset, refused, or left without an answer by the connection.
    pub broken: u64,
    /// Still without an answer when the load was over.
    pub unanswered: u64,
    /// Never sent, for want of a free connection.
    pub unsent: u64,
    /// Right answers that came while requests were being sent.
    right_in_time: u64,
    /// A status among `other`.
    odd_status: Option<u16>,
    /// When those were due that got no right answer, from the beginning.
    wrong_at: Vec<Duration>,
    /// Of right answers: when they were due, from the beginning, and how long they took.
    took: Vec<(Duration, Duration)>,
    slowest: Duration,
    /// When the slowest right answer came, from the beginning.
    slowest_at: Duration,
    began: Option<Instant>,
    sent_for: Option<Duration>,
}

/// How long right answers took, from the moment at which their requests were due.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Latency {
    /// Half of them took no longer.
    pub p50_us: u32,
    /// Of a hundred, ninety-nine.
    pub p99_us: u32,
    /// The slowest.
    pub max_us: u32,
}

impl Counts {
    pub(super) fn begin() -> Self {
        Self { began: Some(Instant::now()), ..Self::default() }
    }

    pub(super) fn sending_ended(&mut self) {
        self.sent_for = self.began.map(|began| began.elapsed());
        self.right_in_time = self.right;
    }

    pub(super) fn count(&mut self, outcome: Outcome, due: Instant, warm_up: Duration) {
        if outcome != Outcome::Right
            && let Some(began) = self.began
        {
            self.wrong_at.push(due.duration_since(began));
        }
        match outcome {
            Outcome::Right => {
                self.right += 1;
                let due_at = self.began.map_or(warm_up, |began| due.duration_since(began));
                if due_at >= warm_up {
                    self.note_latency(due_at, due.elapsed());
                }
            }
            Outcome::ToldToWait => self.told_to_wait += 1,
            Outcome::MixedUp => self.mixed_up += 1,
            Outcome::Other(status) => {
                self.other += 1;
                self.odd_status = Some(status);
            }
            Outcome::Broken => self.broken += 1,
        }
    }

    fn note_latency(&mut self, due_at: Duration, took: Duration) {
        self.took.push((due_at, took));
        if took > self.slowest {
            self.slowest = took;
            self.slowest_at = self.began.map(|began| began.elapsed()).unwrap_or_default();
        }
    }

    /// All requests that were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.right + self.told_to_wait + self.failed()
    }

    /// Requests that got neither their answer nor a 503 with `Retry-After`.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.mixed_up + self.other + self.broken + self.unanswered
    }

    /// How many of those that were due in this span got no right answer, from the beginning.
    #[must_use]
    pub fn wrong_in(&self, span: std::ops::Range<Duration>) -> usize {
        self.wrong_at.iter().filter(|at| span.contains(at)).count()
    }

    /// Requests a second that were due.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn due_per_s(&self) -> f64 {
        (self.sent() + self.unsent) as f64 / self.seconds()
    }

    /// Right answers a second, of those that came while requests were being sent.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn right_per_s(&self) -> f64 {
        self.right_in_time as f64 / self.seconds()
    }

    fn seconds(&self) -> f64 {
        self.sent_for.map_or(1.0, |lasting| lasting.as_secs_f64().max(0.001))
    }

    /// How long right answers took.
    #[must_use]
    pub fn latency(&self) -> Latency {
        Latency::of(self.took.iter().map(|(_, took)| *took))
    }

    /// The 99th percentile of each span of so long in which requests were due.
    #[must_use]
    pub fn p99_of_each(&self, span: Duration) -> Vec<u32> {
        let mut spans: BTreeMap<u128, Vec<Duration>> = BTreeMap::new();
        for (due_at, took) in &self.took {
            spans.entry(due_at.as_nanos() / span.as_nanos().max(1)).or_default().push(*took);
        }
        spans.into_values().map(|took| Latency::of(took.into_iter()).p99_us).collect()
    }
}

impl Latency {
    fn of(took: impl Iterator<Item = Duration>) -> Self {
        let micros = took.map(|took| u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        let mut micros: Vec<u32> = micros.collect();
        micros.sort_unstable();
        let at = |percent: usize| {
            let rank = (micros.len() * percent).div_ceil(100).saturating_sub(1);
            micros.get(rank).copied().unwrap_or(0)
        };
        Self { p50_us: at(50), p99_us: at(99), max_us: at(100) }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency { p50_us, p99_us, max_us } = self.latency();
        write!(
            f,
            "due {:.0}/s, sent {}, unsent {}, right {} ({:.0}/s), 503 {}, mixed up {}, other {}, broken {}, \
             unanswered {}; p50 {p50_us} us, p99 {p99_us} us, max {max_us} us at {:.2} s",
            self.due_per_s(),
            self.sent(),
            self.unsent,
            self.right,
            self.right_per_s(),
            self.told_to_wait,
            self.mixed_up,
            self.other,
            self.broken,
            self.unanswered,
            self.slowest_at.as_secs_f64(),
        )?;
        match self.odd_status {
            Some(status) => write!(f, "; a status was {status}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_and_percentiles_are_told_apart() {
        let mut counts = Counts::begin();
        for millis in 1..=100 {
            counts.right += 1;
            counts.note_latency(Duration::from_millis(millis), Duration::from_millis(millis));
        }
        for outcome in [Outcome::ToldToWait, Outcome::MixedUp, Outcome::Other(500), Outcome::Broken]
        {
            counts.count(outcome, Instant::now(), Duration::ZERO);
        }
        counts.sending_ended();
        assert_eq!((counts.sent(), counts.failed()), (104, 3));
        let latency = Latency { p50_us: 50_000, p99_us: 99_000, max_us: 100_000 };
        assert_eq!(counts.latency(), latency);
        let quarters = counts.p99_of_each(Duration::from_millis(25));
        assert_eq!(quarters, [24_000, 49_000, 74_000, 99_000, 100_000]);
        assert!(counts.to_string().ends_with("a status was 500"), "{counts}");
    }
}
