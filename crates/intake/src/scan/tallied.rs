//! Kinds of exchange as they leave the engine, by the hour as long as there are not too many hours.

use std::collections::BTreeMap;

use shield::Engine;
use traffic::{Tally, TallyKey, Timestamp};

/// More counts than this are added up by the day: a year of hours has half a million.
const HOURLY_MAX: usize = 100_000;
/// And more than this are not told apart any more.
const DAILY_MAX: usize = 200_000;
const HOUR_S: u32 = 3_600;
const DAY_S: u32 = 86_400;

/// The counts so far.
#[derive(Debug, Default)]
pub(crate) struct Tallied {
    counts: BTreeMap<(u32, TallyKey), u64>,
    is_daily: bool,
}

impl Tallied {
    /// Takes what was counted out of the engine.
    pub(crate) fn take(&mut self, engine: &Engine) {
        loop {
            let taken = engine.take_tallies();
            if taken.is_empty() {
                return;
            }
            for tally in taken {
                self.add(tally.at.as_secs(), tally.key, tally.count);
            }
        }
    }

    /// Seconds that one count stands for.
    pub(crate) const fn grain_s(&self) -> u32 {
        if self.is_daily { DAY_S } else { HOUR_S }
    }

    /// All counts, the earliest first.
    pub(crate) fn into_tallies(self) -> Vec<Tally> {
        let at = |second: u32| Timestamp::from_micros(u64::from(second) * 1_000_000);
        let tally = |((second, key), count)| Tally { at: at(second), key, count };
        self.counts.into_iter().map(tally).collect()
    }

    fn add(&mut self, second: u32, key: TallyKey, count: u64) {
        let place = (second - second % self.grain_s(), key);
        let is_new = !self.counts.contains_key(&place);
        if is_new && !self.is_daily && self.counts.len() >= HOURLY_MAX {
            self.is_daily = true;
            for ((second, key), count) in std::mem::take(&mut self.counts) {
                *self.counts.entry((second - second % DAY_S, key)).or_default() += count;
            }
            return self.add(second, key, count);
        }
        if is_new && self.counts.len() >= DAILY_MAX {
            // Under the first day, so that the sums stay exact.
            let first = self.counts.keys().next().map_or(place.0, |(second, _)| *second);
            *self.counts.entry((first, key)).or_default() += count;
            return;
        }
        *self.counts.entry(place).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use traffic::{Cve, ExchangeKind};

    use super::*;

    #[test]
    fn long_stretches_are_told_by_the_day_and_nothing_is_lost() {
        let mut tallied = Tallied::default();
        let exchange = TallyKey::Exchange(ExchangeKind::default());
        let mut added = 0;
        for hour in 0..3_000_u32 {
            for number in 0..40 {
                let cve = Cve { year: 2020, number };
                tallied.add(hour * 3_600 + 7, TallyKey::Probe { cve, answered: false }, 2);
            }
            tallied.add(hour * 3_600, exchange, 1);
            added += 1;
        }
        assert_eq!(tallied.grain_s(), DAY_S);
        let tallies = tallied.into_tallies();
        assert!(tallies.len() <= HOURLY_MAX, "{}", tallies.len());
        let exchanges = tallies.iter().filter(|it| it.key == exchange);
        assert_eq!(exchanges.map(|it| it.count).sum::<u64>(), added);
    }
}
