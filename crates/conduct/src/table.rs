//! A table of fixed size: sets of eight places each, and a rule for who leaves.
//!
//! Memory is taken once and never grows, whatever keys come in. A key belongs to one set; when the
//! set is full, the line that is worth least makes room. A newcomer is worth little, so that a
//! flood of new keys evicts its own, and lines under suspicion, which are worth most, stay. Neither
//! the clock nor chance has a part in it: the same calls leave the same table.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use traffic::slices::{SliceReader, SliceWriter, Sliced};
use traffic::{Digest, Timestamp};

const WAYS: usize = 8;
/// No table has more sets than this, however large the budget.
const SETS_MAX: usize = 1 << 20;

/// What a table holds.
pub(crate) trait Line: Copy + Default + Serialize + DeserializeOwned {
    /// How much would be lost with this line; the least goes first.
    fn worth(&self, now_s: u32) -> f32;
}

/// Lines by key.
#[derive(Clone, Debug)]
pub(crate) struct Table<V> {
    slots: Vec<Slot<V>>,
    sets: usize,
    used: usize,
    evicted: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot<V> {
    /// Zero is an empty place; a key that is zero counts as one.
    key: u64,
    value: V,
}

impl<V: Line> Table<V> {
    /// A table that takes about `bytes`, and at least one set.
    pub(crate) fn new(bytes: usize) -> Self {
        let set_bytes = WAYS * size_of::<Slot<V>>();
        Self::with_sets((bytes / set_bytes).clamp(1, SETS_MAX))
    }

    /// The line of `key`.
    pub(crate) fn read(&self, key: Digest) -> Option<V> {
        let key = key.0.max(1);
        let start = self.start_of(key);
        let set = self.slots.get(start..start + WAYS)?;
        set.iter().find(|slot| slot.key == key).map(|slot| slot.value)
    }

    /// Puts a line in place of the one of that key, or of the one worth least.
    pub(crate) fn write(&mut self, key: Digest, now_s: u32, value: V) {
        let key = key.0.max(1);
        let start = self.start_of(key);
        let Some(set) = self.slots.get_mut(start..start + WAYS) else {
            return;
        };
        let place = set
            .iter()
            .position(|slot| slot.key == key)
            .or_else(|| set.iter().position(|slot| slot.key == 0))
            .unwrap_or_else(|| least_worth(set, now_s));
        let Some(slot) = set.get_mut(place) else {
            return;
        };
        if slot.key == 0 {
            self.used += 1;
        } else if slot.key != key {
            self.evicted = self.evicted.saturating_add(1);
        }
        *slot = Slot { key, value };
    }

    /// How many lines there are.
    pub(crate) const fn used(&self) -> usize {
        self.used
    }

    /// How many lines there can be.
    pub(crate) const fn capacity(&self) -> usize {
        self.sets * WAYS
    }

    /// How many lines were evicted so far.
    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Unlike a newcomer, a line that moves here must be worth more than what it replaces.
    fn admit(&mut self, moved: &Slot<V>, now_s: u32) {
        let start = self.start_of(moved.key);
        let Some(set) = self.slots.get_mut(start..start + WAYS) else {
            return;
        };
        let place = set.iter().position(|slot| slot.key == 0);
        let is_free = place.is_some();
        let place = place.unwrap_or_else(|| least_worth(set, now_s));
        let Some(slot) = set.get_mut(place) else {
            return;
        };
        if is_free || slot.value.worth(now_s) < moved.value.worth(now_s) {
            self.used += usize::from(is_free);
            *slot = *moved;
        }
    }

    fn with_sets(sets: usize) -> Self {
        Self { slots: vec![Slot::default(); sets * WAYS], sets, used: 0, evicted: 0 }
    }

    fn start_of(&self, key: u64) -> usize {
        let spread = u128::from(key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let set = (spread * self.sets as u128) >> 64;
        usize::try_from(set).unwrap_or(0) * WAYS
    }
}

fn least_worth<V: Line>(set: &[Slot<V>], now_s: u32) -> usize {
    let mut least = (0, f32::INFINITY);
    for (place, slot) in set.iter().enumerate() {
        let worth = slot.value.worth(now_s);
        if worth < least.1 {
            least = (place, worth);
        }
    }
    least.0
}

// === slices: the table's size and evictions, and some sets without their empty places ===

/// What a slice begins with.
#[derive(Deserialize, Serialize)]
struct Origin {
    sets: u32,
    evicted: u64,
}

impl<V: Line> Sliced for Table<V> {
    fn write_slice(&self, from: u64, slice: &mut SliceWriter) -> Option<u64> {
        let sets = u32::try_from(self.sets).unwrap_or(u32::MAX);
        slice.push(&Origin { sets, evicted: self.evicted });
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        for (set, slots) in self.slots.chunks(WAYS).enumerate().skip(from) {
            if slice.is_full() {
                return u64::try_from(set).ok();
            }
            for (way, slot) in slots.iter().enumerate() {
                slice.pass();
                if slot.key != 0 {
                    slice.push(&(set * WAYS + way, slot.key, &slot.value));
                }
            }
        }
        None
    }

    /// In a table of the same size each line has the place that it had; in another one, what is
    /// worth least is lost.
    fn read_slice(&mut self, slice: &mut SliceReader<'_>, now: Timestamp) -> Option<()> {
        let origin: Origin = slice.pull()?;
        self.evicted = self.evicted.max(origin.evicted);
        let is_same_size = usize::try_from(origin.sets).is_ok_and(|sets| sets == self.sets);
        while !slice.is_empty() {
            let (place, key, value): (usize, u64, V) = slice.pull()?;
            let moved = Slot { key: key.max(1), value };
            let is_its_set = place / WAYS * WAYS == self.start_of(moved.key);
            match self.slots.get_mut(place).filter(|_| is_same_size && is_its_set) {
                Some(slot) => {
                    self.used += usize::from(slot.key == 0);
                    *slot = moved;
                }
                None => self.admit(&moved, now.as_secs()),
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
