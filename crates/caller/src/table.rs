//! A table of fixed capacity whose keys may be chosen by an attacker.
//!
//! Keys are keyed hashes, so where one lands cannot be aimed at. Within its set a newcomer takes
//! the place of what is worth least and was touched longest ago, and never that of something
//! worth more that is in use: a flood of made-up keys displaces other made-up keys. Room is taken
//! from memory as it is needed, up to the capacity.
//!
//! Invariant: content depends on the sequence of calls alone, in no way on the process.

use serde::{Deserialize, Serialize};
use traffic::Digest;

const WAYS: usize = 8;
const SETS_PER_SEGMENT: usize = 128;
/// What has not been touched for so long is not in use.
const IN_USE_S: u32 = 86_400;

/// What an entry is worth keeping against newcomers.
pub(crate) trait Worth {
    /// Higher is kept longer; a newcomer that proved nothing is worth 0.
    fn worth(&self) -> u8;
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Entry<V> {
    /// Zero: no entry.
    key: Digest,
    touched_s: u32,
    value: V,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Table<V> {
    /// Empty until something lands there.
    segments: Vec<Vec<Entry<V>>>,
    length: usize,
}

/// A table as it is stored: what is in it, without the gaps.
#[derive(Deserialize, Serialize)]
struct Stored<V> {
    capacity: u64,
    entries: Vec<Entry<V>>,
}

impl<V: Clone + Copy + Default + Worth> Table<V> {
    /// A table that never takes more than about `bytes_max`.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self::with_capacity(bytes_max / size_of::<Entry<V>>())
    }

    fn with_capacity(capacity: usize) -> Self {
        let segments = (capacity / (WAYS * SETS_PER_SEGMENT)).max(1);
        Self { segments: vec![Vec::new(); segments], length: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn capacity(&self) -> usize {
        self.segments.len() * SETS_PER_SEGMENT * WAYS
    }

    pub(crate) fn find(&self, key: Digest) -> Option<&V> {
        let (segment, start) = self.place(key);
        let set = self.segments.get(segment)?.get(start..start + WAYS)?;
        set.iter().find(|entry| entry.key == key && key.0 != 0).map(|entry| &entry.value)
    }

    /// The value of `key`, now in use.
    pub(crate) fn touch(&mut self, key: Digest, now_s: u32) -> Option<&mut V> {
        let (segment, start) = self.place(key);
        let set = self.segments.get_mut(segment)?.get_mut(start..start + WAYS)?;
        let entry = set.iter_mut().find(|entry| entry.key == key && key.0 != 0)?;
        entry.touched_s = entry.touched_s.max(now_s);
        Some(&mut entry.value)
    }

    /// The value of `key`, entered as `newcomer` when there is none and there is room for its
    /// worth.
    pub(crate) fn enter(&mut self, key: Digest, newcomer: V, now_s: u32) -> Option<&mut V> {
        if key.0 == 0 {
            return None;
        }
        let (segment, start) = self.place(key);
        let segment = self.segments.get_mut(segment)?;
        if segment.is_empty() {
            *segment = vec![Entry::default(); SETS_PER_SEGMENT * WAYS];
        }
        let set = segment.get_mut(start..start + WAYS)?;
        if let Some(at) = set.iter().position(|entry| entry.key == key) {
            let entry = set.get_mut(at)?;
            entry.touched_s = entry.touched_s.max(now_s);
            return Some(&mut entry.value);
        }
        let (_, victim) = set.iter_mut().enumerate().min_by_key(|(at, entry)| {
            (entry.key.0 != 0, entry.value.worth(), entry.touched_s, *at)
        })?;
        let in_use = victim.key.0 != 0 && now_s.saturating_sub(victim.touched_s) < IN_USE_S;
        if in_use && victim.value.worth() > newcomer.worth() {
            return None;
        }
        self.length += usize::from(victim.key.0 == 0);
        *victim = Entry { key, touched_s: now_s, value: newcomer };
        Some(&mut victim.value)
    }

    /// Takes in what another table held; what was touched last has the first claim to the room.
    pub(crate) fn absorb(&mut self, other: &Self) {
        let mut entries = other.entries();
        entries.sort_by_key(|entry| (entry.touched_s, entry.key));
        for entry in entries {
            self.enter(entry.key, entry.value, entry.touched_s);
        }
    }

    fn entries(&self) -> Vec<Entry<V>> {
        self.segments.iter().flatten().filter(|entry| entry.key.0 != 0).copied().collect()
    }

    /// The segment of a key, and where its set begins there.
    fn place(&self, key: Digest) -> (usize, usize) {
        let sets = (self.segments.len() * SETS_PER_SEGMENT) as u64;
        let set = usize::try_from(key.0 % sets).unwrap_or(0);
        (set / SETS_PER_SEGMENT, set % SETS_PER_SEGMENT * WAYS)
    }
}

impl<V: Clone + Copy + Default + Serialize + Worth> Serialize for Table<V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let capacity = self.capacity() as u64;
        Stored { capacity, entries: self.entries() }.serialize(serializer)
    }
}

impl<'de, V: Clone + Copy + Default + Deserialize<'de> + Worth> Deserialize<'de> for Table<V> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::<V>::deserialize(deserializer)?;
        // No more room than what is there can fill, whatever the file says.
        let capacity = usize::try_from(stored.capacity).unwrap_or(usize::MAX);
        let mut table = Self::with_capacity(capacity.min(1 << 26));
        for entry in stored.entries {
            table.enter(entry.key, entry.value, entry.touched_s);
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
    struct Rank(u8);

    impl Worth for Rank {
        fn worth(&self) -> u8 {
            self.0
        }
    }

    const SMALL: usize = 64 * 1024;

    #[test]
    fn a_flood_of_newcomers_displaces_newcomers_only() {
        let mut table = Table::<Rank>::new(SMALL);
        for key in 1..=500_u64 {
            table.enter(Digest(key.wrapping_mul(0x9e37_79b9_7f4a_7c15)), Rank(2), 1_000);
        }
        let known = table.len();
        for key in 1..=200_000_u64 {
            table.enter(Digest(key.wrapping_mul(0xd1b5_4a32_d192_ed03)), Rank(0), 2_000);
        }
        assert!(table.len() <= table.capacity());
        let kept = (1..=500_u64)
            .filter(|key| table.find(Digest(key.wrapping_mul(0x9e37_79b9_7f4a_7c15))).is_some());
        assert_eq!(kept.count(), known);
    }

    #[test]
    fn what_is_long_unused_gives_way_even_to_newcomers() {
        let mut table = Table::<Rank>::new(0);
        let capacity = table.capacity() as u64;
        for key in 1..=capacity {
            table.enter(Digest(key), Rank(2), 10);
        }
        assert!(table.enter(Digest(capacity + 1), Rank(0), 10 + IN_USE_S).is_some());
    }

    #[test]
    fn moving_keeps_what_fits() {
        let mut table = Table::<Rank>::new(SMALL);
        for key in 1..=1_000_u64 {
            table.enter(Digest(key.wrapping_mul(0x9e37_79b9_7f4a_7c15)), Rank(1), 5);
        }
        let mut large = Table::<Rank>::new(SMALL * 16);
        large.absorb(&table);
        assert_eq!(large.len(), table.len());
        let mut small = Table::<Rank>::new(0);
        small.absorb(&large);
        assert!(small.len() <= small.capacity() && small.len() > 0);
    }

    #[test]
    fn no_key_is_never_there() {
        let mut table = Table::<Rank>::new(SMALL);
        assert!(table.enter(Digest(0), Rank(1), 1).is_none());
        assert!(table.find(Digest(0)).is_none() && table.touch(Digest(0), 1).is_none());
    }
}
