//! Counts per minute and endpoint: what most honest exchanges leave behind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use traffic::{Action, EndpointId, Timestamp};

/// Buckets not yet fetched; beyond it exchanges are counted under no endpoint.
const BUCKETS_MAX: usize = 8_192;

/// Upper bounds of the latency classes, in microseconds; the last class is everything above.
pub const LATENCY_BOUNDS_US: [u64; 15] = [
    500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    2_000_000, 5_000_000, 10_000_000, 60_000_000,
];

/// What a bucket counts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct RollupKey {
    /// Minutes since the epoch.
    pub minute: u32,
    /// The endpoint; none for what matched none.
    pub endpoint: Option<EndpointId>,
    /// First digit of the status that the caller got.
    pub status_class: u8,
    /// What the evidence asked for.
    pub action: Action,
    /// Whether it was carried out.
    pub enforced: bool,
}

/// The counts of one bucket.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Rollup {
    /// Exchanges.
    pub count: u64,
    /// Bytes of answers.
    pub bytes: u64,
    /// Exchanges by latency class.
    pub latency: [u32; LATENCY_BOUNDS_US.len() + 1],
}

/// Buckets that the wiring has not fetched yet.
#[derive(Debug, Default)]
pub(crate) struct Rollups {
    buckets: BTreeMap<RollupKey, Rollup>,
}

impl Rollups {
    /// Counts one exchange.
    pub(crate) fn count(&mut self, mut key: RollupKey, bytes: u64, took_us: u64) {
        if self.buckets.len() >= BUCKETS_MAX && !self.buckets.contains_key(&key) {
            key.endpoint = None;
        }
        let bucket = self.buckets.entry(key).or_default();
        bucket.count += 1;
        bucket.bytes = bucket.bytes.saturating_add(bytes);
        let class = LATENCY_BOUNDS_US.partition_point(|bound| *bound < took_us);
        if let Some(place) = bucket.latency.get_mut(class) {
            *place = place.saturating_add(1);
        }
    }

    /// What was not fetched yet.
    pub(crate) fn running(&self) -> impl Iterator<Item = (RollupKey, Rollup)> {
        self.buckets.iter().map(|(key, rollup)| (*key, rollup.clone()))
    }

    /// All buckets of minutes that are over at `now`; with `all`, the running one, too.
    pub(crate) fn take(&mut self, now: Timestamp, all: bool) -> Vec<(RollupKey, Rollup)> {
        if all {
            return std::mem::take(&mut self.buckets).into_iter().collect();
        }
        let first_open = RollupKey {
            minute: now.minute(),
            endpoint: None,
            status_class: 0,
            action: Action::Allow,
            enforced: false,
        };
        let open = self.buckets.split_off(&first_open);
        std::mem::replace(&mut self.buckets, open).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_fetched_once_they_are_over() {
        let mut rollups = Rollups::default();
        let key = |minute| RollupKey {
            minute,
            endpoint: None,
            status_class: 2,
            action: Action::Allow,
            enforced: false,
        };
        rollups.count(key(10), 5, 700);
        rollups.count(key(11), 5, 700);
        let over = rollups.take(Timestamp::from_micros(11 * 60 * 1_000_000), false);
        assert_eq!(over.len(), 1);
        assert_eq!(over.first().map(|(key, rollup)| (key.minute, rollup.count)), Some((10, 1)));
        assert_eq!(rollups.take(Timestamp::EPOCH, true).len(), 1);
    }
}
