//! A table of fixed size: sets of eight places each, and a rule for who leaves.
//!
//! Memory is taken as keys come in, up to the table's size and no further, whatever keys these are.
//! A key belongs to one set; when the set is full, the line that is worth least makes room. A
//! newcomer is worth little, so that a flood of new keys evicts its own, and lines under suspicion,
//! which are worth most, stay. Neither the clock nor chance has a part in it: the same calls leave
//! the same table.

mod sets;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use traffic::slices::{SliceReader, SliceWriter, Sliced};
use traffic::{Digest, Timestamp};

use sets::{Set, Sets, Slot, WAYS};

/// No table has more sets than this, however large the budget.
const SETS_MAX: usize = 1 << 20;

/// What a table holds.
pub(crate) trait Line: Copy + Default + Serialize + DeserializeOwned {
    /// How much would be lost with this line; the least goes first.
    fn worth(&self, now_s: u32) -> f32;
}

/// Lines by key; a key that is zero counts as one.
#[derive(Clone, Debug)]
pub(crate) struct Table<V> {
    sets: Sets<V>,
    used: usize,
    evicted: u64,
}

impl<V: Line> Table<V> {
    /// A table that takes about `bytes`, and at least one set.
    pub(crate) fn new(bytes: usize) -> Self {
        let sets = (bytes / size_of::<Set<V>>()).clamp(1, SETS_MAX);
        Self { sets: Sets::new(sets), used: 0, evicted: 0 }
    }

    /// The line of `key`.
    pub(crate) fn read(&self, key: Digest) -> Option<V> {
        let key = key.0.max(1);
        let set = self.sets.get(self.set_of(key))?;
        set.iter().find(|slot| slot.key == key).map(|slot| slot.value)
    }

    /// Puts a line in place of the one of that key, or of the one worth least.
    pub(crate) fn write(&mut self, key: Digest, now_s: u32, value: V) {
        let key = key.0.max(1);
        let Some(set) = self.sets.get_mut(self.set_of(key)) else {
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
        self.sets.count() * WAYS
    }

    /// How many lines were evicted so far.
    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Unlike a newcomer, a line that moves here must be worth more than what it replaces.
    fn admit(&mut self, moved: &Slot<V>, now_s: u32) {
        let Some(set) = self.sets.get_mut(self.set_of(moved.key)) else {
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

    fn set_of(&self, key: u64) -> usize {
        let spread = u128::from(key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let set = (spread * self.sets.count() as u128) >> 64;
        usize::try_from(set).unwrap_or(0)
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
        let sets = u32::try_from(self.sets.count()).unwrap_or(u32::MAX);
        slice.push(&Origin { sets, evicted: self.evicted });
        let mut from = usize::try_from(from).unwrap_or(usize::MAX);
        while let Some(set) = self.sets.next_taken(from) {
            if slice.is_full() {
                return u64::try_from(set).ok();
            }
            for (way, slot) in self.sets.get(set).into_iter().flatten().enumerate() {
                slice.pass();
                if slot.key != 0 {
                    slice.push(&(set * WAYS + way, slot.key, &slot.value));
                }
            }
            from = set + 1;
        }
        None
    }

    /// In a table of the same size each line has the place that it had; in another one, what is
    /// worth least is lost.
    fn read_slice(&mut self, slice: &mut SliceReader<'_>, now: Timestamp) -> Option<()> {
        let origin: Origin = slice.pull()?;
        self.evicted = self.evicted.max(origin.evicted);
        let is_same_size = usize::try_from(origin.sets).is_ok_and(|sets| sets == self.sets.count());
        while !slice.is_empty() {
            let (place, key, value): (usize, u64, V) = slice.pull()?;
            let moved = Slot { key: key.max(1), value };
            let set = self.set_of(moved.key);
            let is_its_place = is_same_size && place / WAYS == set;
            let slot = self.sets.get_mut(set).and_then(|set| set.get_mut(place % WAYS));
            match slot.filter(|_| is_its_place) {
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
