//! Counts in fixed space: how many distinct callers, how long answers take.
//!
//! Both are for display and for suggestions, never for a verdict.

use serde::{Deserialize, Serialize};
use traffic::Digest;

/// A count of distinct values: exact while there are few, an estimate (±7 %) beyond.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Distinct {
    /// The values themselves, sorted, while they are few.
    few: Vec<u64>,
    /// HyperLogLog registers, once they are many.
    registers: Vec<u8>,
}

const FEW_MAX: usize = 24;
const REGISTER_BITS: u32 = 8;
const REGISTERS: usize = 1 << REGISTER_BITS;

/// Durations by logarithmic buckets, four to an octave: ±9 %.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Durations {
    counts: Vec<u32>,
    total: u32,
}

/// From below one microsecond to half a minute.
const BUCKETS: usize = 100;

// === impl Distinct ===

impl Distinct {
    pub(crate) fn insert(&mut self, value: Digest) {
        if !self.registers.is_empty() {
            self.note(value.0);
            return;
        }
        let Err(at) = self.few.binary_search(&value.0) else { return };
        if self.few.len() < FEW_MAX {
            self.few.insert(at, value.0);
            return;
        }
        self.spread();
        self.note(value.0);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for value in &other.few {
            self.insert(Digest(*value));
        }
        if !other.registers.is_empty() {
            self.spread();
            for (mine, theirs) in self.registers.iter_mut().zip(&other.registers) {
                *mine = (*mine).max(*theirs);
            }
        }
    }

    pub(crate) fn estimate(&self) -> u64 {
        if self.registers.is_empty() {
            return self.few.len() as u64;
        }
        let count = REGISTERS as f64;
        let sum: f64 = self.registers.iter().map(|rank| 0.5_f64.powi(i32::from(*rank))).sum();
        let raw = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
        let empty = self.registers.iter().filter(|rank| **rank == 0).count();
        // Few values leave many registers empty, and their number is the better estimate then.
        let estimate =
            if raw <= 2.5 * count && empty > 0 { count * (count / empty as f64).ln() } else { raw };
        estimate.round() as u64
    }

    fn spread(&mut self) {
        if self.registers.is_empty() {
            self.registers = vec![0; REGISTERS];
            for value in std::mem::take(&mut self.few) {
                self.note(value);
            }
        }
    }

    fn note(&mut self, value: u64) {
        // Digests are keyed hashes, but some are sums of others: mixing spreads them.
        let mixed = (value ^ (value >> 31)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let mixed = mixed ^ (mixed >> 32);
        let index = usize::try_from(mixed >> (64 - REGISTER_BITS)).unwrap_or(0);
        let rank = ((mixed << REGISTER_BITS) | (1 << (REGISTER_BITS - 1))).leading_zeros() + 1;
        if let Some(register) = self.registers.get_mut(index) {
            *register = (*register).max(u8::try_from(rank).unwrap_or(u8::MAX));
        }
    }
}

// === impl Durations ===

impl Durations {
    pub(crate) fn insert(&mut self, micros: u64) {
        if self.counts.is_empty() {
            self.counts = vec![0; BUCKETS];
        }
        if self.total == REMEMBERED_MAX {
            self.halve();
        }
        if let Some(count) = self.counts.get_mut(bucket(micros)) {
            *count += 1;
            self.total += 1;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if self.counts.is_empty() {
            self.counts = vec![0; BUCKETS];
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine = mine.saturating_add(*theirs);
        }
        self.total = self.counts.iter().sum();
        while self.total >= REMEMBERED_MAX {
            self.halve();
        }
    }

    /// The duration below which `percent` of all lie, in microseconds; none before the first.
    pub(crate) fn percentile(&self, percent: u32) -> Option<u64> {
        if self.total == 0 {
            return None;
        }
        let wanted = (u64::from(self.total) * u64::from(percent)).div_ceil(100).max(1);
        let mut passed = 0;
        for (at, count) in self.counts.iter().enumerate() {
            passed += u64::from(*count);
            if passed >= wanted {
                return Some(middle(at));
            }
        }
        None
    }

    /// Older durations lose weight, so that the percentiles are of these days.
    fn halve(&mut self) {
        for count in &mut self.counts {
            *count /= 2;
        }
        self.total = self.counts.iter().sum();
    }
}

/// So many durations are remembered before older ones lose half their weight.
const REMEMBERED_MAX: u32 = 1 << 16;

fn bucket(micros: u64) -> usize {
    let octave = micros.max(1).ilog2();
    let quarter = if octave >= 2 { (micros >> (octave - 2)) & 3 } else { 0 };
    (octave as usize * 4 + usize::try_from(quarter).unwrap_or(0)).min(BUCKETS - 1)
}

/// The middle of a bucket.
fn middle(bucket: usize) -> u64 {
    let (octave, quarter) = (bucket / 4, bucket as u64 % 4);
    let low = (1_u64 << octave) + quarter * (1 << octave) / 4;
    low + (1 << octave) / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(number: u64) -> Digest {
        Digest(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).then(Digest(number))
    }

    #[test]
    fn few_are_counted_exactly_and_many_closely() {
        for count in [0, 1, 24, 25, 100, 1_000, 50_000] {
            let mut distinct = Distinct::default();
            for number in (0..count).chain(0..count) {
                distinct.insert(value(number));
            }
            let estimate = distinct.estimate();
            let error = estimate.abs_diff(count) as f64 / (count.max(1)) as f64;
            assert!(error <= if count <= 24 { 0.0 } else { 0.2 }, "{count}: {estimate}");
        }
    }

    #[test]
    fn unions_count_what_is_common_once() {
        let (mut a, mut b) = (Distinct::default(), Distinct::default());
        (0..600).for_each(|number| a.insert(value(number)));
        (300..310).for_each(|number| b.insert(value(number)));
        a.merge(&b);
        b.merge(&a);
        assert!(a.estimate().abs_diff(600) < 90, "{}", a.estimate());
        assert_eq!(a.estimate(), b.estimate());
    }

    #[test]
    fn percentiles_are_close() {
        let mut durations = Durations::default();
        (1..=100_000).for_each(|micros| durations.insert(micros));
        for percent in [1_u32, 50, 95, 99] {
            let found = durations.percentile(percent).expect("a percentile") as f64;
            // The later half of the durations weighs more: older ones fade.
            assert!(found > f64::from(percent) * 900.0, "{percent}: {found}");
        }
        let mut one = Durations::default();
        one.insert(1_000);
        assert!(one.percentile(50).expect("one").abs_diff(1_000) < 130);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
