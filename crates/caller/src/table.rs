//! A table of fixed capacity whose keys may be chosen by an attacker.
//!
//! Keys are keyed hashes, so where one lands cannot be aimed at. Within its set a newcomer takes
//! the place of what is worth least and was touched longest ago, and never that of something
//! worth more that is in use: a flood of made-up keys displaces other made-up keys. Room is taken
//! from memory as it is needed, up to the capacity.
//!
//! Invariant: content depends on the sequence of calls alone, in no way on the process.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use traffic::slices::{SliceReader, SliceWriter, Sliced};
use traffic::{Digest, Timestamp};

const WAYS: usize = 8;
const SETS_PER_SEGMENT: usize = 128;
/// What has not been touched for so long is not in use.
const IN_USE_S: u32 = 86_400;

/// What an entry is worth keeping against newcomers.
pub(crate) trait Worth {
    /// Higher is kept longer; a newcomer that proved nothing is worth 0.
    fn worth(&self) -> u8;
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
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

    /// Unlike a newcomer, an entry that moves here must be worth more than what it replaces, or as
    /// much and be touched later.
    fn admit(&mut self, moved: Entry<V>) {
        let (segment, start) = self.place(moved.key);
        let Some(segment) = self.segments.get_mut(segment).filter(|_| moved.key.0 != 0) else {
            return;
        };
        if segment.is_empty() {
            *segment = vec![Entry::default(); SETS_PER_SEGMENT * WAYS];
        }
        let set = segment.get_mut(start..start + WAYS).unwrap_or_default();
        if set.iter().any(|entry| entry.key == moved.key) {
            return;
        }
        let rank = |entry: &Entry<V>| (entry.key.0 != 0, entry.value.worth(), entry.touched_s);
        let least = set.iter_mut().min_by_key(|entry| rank(entry));
        if let Some(least) = least.filter(|least| rank(least) < rank(&moved)) {
            self.length += usize::from(least.key.0 == 0);
            *least = moved;
        }
    }

    /// Puts an entry at one place of its set, when that is free.
    fn put(&mut self, way: usize, moved: Entry<V>) -> bool {
        let (segment, start) = self.place(moved.key);
        let Some(segment) = self.segments.get_mut(segment) else { return false };
        if segment.is_empty() {
            *segment = vec![Entry::default(); SETS_PER_SEGMENT * WAYS];
        }
        let set = segment.get_mut(start..start + WAYS).unwrap_or_default();
        let is_new = set.iter().all(|entry| entry.key != moved.key);
        match set.get_mut(way).filter(|entry| is_new && entry.key.0 == 0) {
            Some(place) => {
                *place = moved;
                self.length += 1;
                true
            }
            None => false,
        }
    }

    /// The segment of a key, and where its set begins there.
    fn place(&self, key: Digest) -> (usize, usize) {
        let sets = (self.segments.len() * SETS_PER_SEGMENT) as u64;
        let set = usize::try_from(key.0 % sets).unwrap_or(0);
        (set / SETS_PER_SEGMENT, set % SETS_PER_SEGMENT * WAYS)
    }
}

// === slices: the table's capacity, and some sets without their empty places ===

impl<V: Clone + Copy + Default + Serialize + DeserializeOwned + Worth> Sliced for Table<V> {
    fn write_slice(&self, from: u64, slice: &mut SliceWriter) -> Option<u64> {
        slice.push(&self.capacity());
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        for set in from..self.segments.len() * SETS_PER_SEGMENT {
            if slice.is_full() {
                return u64::try_from(set).ok();
            }
            let start = set % SETS_PER_SEGMENT * WAYS;
            let segment = self.segments.get(set / SETS_PER_SEGMENT);
            slice.pass();
            let Some(entries) = segment.and_then(|entries| entries.get(start..start + WAYS)) else {
                continue;
            };
            for (way, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.key.0 != 0) {
                slice.push(&(way, entry));
            }
        }
        None
    }

    /// In a table of the same capacity each entry has the place that it had; in another one, what
    /// is worth least is lost.
    fn read_slice(&mut self, slice: &mut SliceReader<'_>, _: Timestamp) -> Option<()> {
        let capacity: usize = slice.pull()?;
        while !slice.is_empty() {
            let (way, moved): (usize, Entry<V>) = slice.pull()?;
            if capacity != self.capacity() || !self.put(way, moved) {
                self.admit(moved);
            }
        }
        Some(())
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

    fn copy(from: &Table<Rank>, to: &mut Table<Rank>) {
        let mut next = Some(0);
        while let Some(place) = next {
            let mut slice = SliceWriter::default();
            next = from.write_slice(place, &mut slice);
            let bytes = slice.into_bytes();
            to.read_slice(&mut SliceReader::new(&bytes), Timestamp::EPOCH).expect("whole");
        }
    }

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
        copy(&table, &mut large);
        assert_eq!(large.len(), table.len());
        let mut same = Table::<Rank>::new(SMALL);
        copy(&table, &mut same);
        assert_eq!(same.segments.concat(), table.segments.concat(), "each at its place");
        let mut small = Table::<Rank>::new(0);
        copy(&large, &mut small);
        assert!(small.len() <= small.capacity() && small.len() > 0);
    }

    #[test]
    fn no_key_is_never_there() {
        let mut table = Table::<Rank>::new(SMALL);
        assert!(table.enter(Digest(0), Rank(1), 1).is_none());
        assert!(table.find(Digest(0)).is_none() && table.touch(Digest(0), 1).is_none());
    }
}
