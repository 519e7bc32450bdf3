//! What was found in values, remembered.
//!
//! It depends on the value and the rules alone, so that a value that comes again need not be looked
//! at again. Names of fields, tokens, paths and user agents do; values that come once make room for
//! each other.
//!
//! Nobody waits here: where two threads meet, one of them looks at its value anew. The hash has no
//! key, since the worst that a caller can do who knows it is to make the memory useless.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, TryLockError};

use crate::hash::hash;

/// Places that a value can be in.
const WAYS: usize = 4;
/// Locks.
const SHARDS: usize = 16;
/// Values of so many bytes are short.
const SHORT_BYTES_MAX: usize = 96;
/// Longer values are looked at each time.
const LONG_BYTES_MAX: usize = 1_024;
/// Sets of places for short and for long values under one lock.
const SHORT_SETS: usize = 64;
const LONG_SETS: usize = 4;
/// Of a value in which more is found, it is not remembered.
const MET_MAX: usize = 6;

/// Any odd number whose bits are mixed.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// The memory: 4,096 short values and 256 long ones, some 700 KB.
pub(crate) struct Seen {
    shards: Box<[Mutex<Shard>]>,
    next_class: AtomicU32,
}

#[derive(Default)]
struct Shard {
    short: Vec<Entry>,
    long: Vec<Entry>,
}

/// The tests that a value satisfies, and what it took to find out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Met {
    tests: [u16; MET_MAX],
    length: u8,
    work: u32,
}

#[derive(Clone, Default)]
struct Entry {
    class: u32,
    met: Met,
    /// It came again since somebody last looked for room.
    is_wanted: bool,
    value: Vec<u8>,
}

impl Met {
    /// The tests, if they are few enough, and the work.
    pub(super) fn of(all: &[u16], work: u64) -> Option<Self> {
        let (length, work) = (u8::try_from(all.len()).ok()?, u32::try_from(work).ok()?);
        let mut met = Self { length, work, ..Self::default() };
        met.tests.get_mut(..all.len())?.copy_from_slice(all);
        Some(met)
    }

    pub(super) fn tests(&self) -> &[u16] {
        self.tests.get(..usize::from(self.length)).unwrap_or_default()
    }

    pub(super) const fn work(&self) -> usize {
        self.work as usize
    }
}

impl Default for Seen {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, next_class: AtomicU32::new(1) }
    }
}

impl Seen {
    /// A class of tests unlike any other, and not 0.
    pub(super) fn new_class(&self) -> u32 {
        self.next_class.fetch_add(1, Relaxed)
    }

    /// What was found in this value before, if it is remembered.
    pub(super) fn look(&self, class: u32, value: &[u8]) -> Option<Met> {
        self.with_set(class, value, |set| {
            let known = set.iter_mut().find(|it| it.class == class && it.value == value)?;
            known.is_wanted = true;
            Some(known.met)
        })
    }

    /// Notes what was found in this value.
    pub(super) fn note(&self, class: u32, value: &[u8], met: Met) {
        self.with_set(class, value, |set| {
            let Some(oldest) = set.iter().position(|it| !it.is_wanted) else {
                // All of them came again: they have to do so anew before the next one knocks.
                set.iter_mut().for_each(|it| it.is_wanted = false);
                return None;
            };
            // The newest stands last.
            if let Some(younger) = set.get_mut(oldest..) {
                younger.rotate_left(1);
            }
            if let Some(entry) = set.last_mut() {
                (entry.class, entry.met, entry.is_wanted) = (class, met, false);
                entry.value.clear();
                entry.value.reserve_exact(value.len());
                entry.value.extend_from_slice(value);
            }
            Some(met)
        });
    }

    /// Forgets every value, and keeps the room.
    pub(crate) fn forget(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let Shard { short, long } = &mut *shard;
            for entry in short.iter_mut().chain(long) {
                (entry.class, entry.is_wanted) = (0, false);
            }
        }
    }

    fn with_set(
        &self,
        class: u32,
        value: &[u8],
        look: impl FnOnce(&mut [Entry]) -> Option<Met>,
    ) -> Option<Met> {
        if value.len() > LONG_BYTES_MAX {
            return None;
        }
        let hash = hash(u64::from(class), FACTOR, value);
        let shard = self.shards.get(hash as usize % SHARDS)?;
        let mut shard = match shard.try_lock() {
            Ok(shard) => shard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let is_short = value.len() <= SHORT_BYTES_MAX;
        let sets = if is_short { SHORT_SETS } else { LONG_SETS };
        let entries = if is_short { &mut shard.short } else { &mut shard.long };
        if entries.is_empty() {
            entries.resize(sets * WAYS, Entry::default());
        }
        let start = (hash as usize / SHARDS) % sets * WAYS;
        look(entries.get_mut(start..start + WAYS)?)
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seen")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_in_its_class_alone() {
        let seen = Seen::default();
        let met = Met::of(&[3, 700], 9).unwrap();
        assert_eq!(seen.look(1, b"name"), None);
        seen.note(1, b"name", met);
        assert_eq!(seen.look(1, b"name"), Some(met));
        assert_eq!(met.tests(), [3, 700]);
        assert_eq!(seen.look(2, b"name"), None);
        assert_eq!(seen.look(1, b"names"), None);
        seen.note(1, &[b'x'; LONG_BYTES_MAX + 1], met);
        assert_eq!(seen.look(1, &[b'x'; LONG_BYTES_MAX + 1]), None);
        assert_eq!(Met::of(&[1; MET_MAX + 1], 9), None);
    }

    #[test]
    fn what_comes_again_outlives_a_flood_of_what_does_not() {
        let seen = Seen::default();
        let names: Vec<String> = (0..200).map(|it| format!("field_{it}")).collect();
        let mut known = 0;
        for round in 0..50 {
            for name in &names {
                match seen.look(7, name.as_bytes()) {
                    Some(_) => known += 1,
                    None => seen.note(7, name.as_bytes(), Met::default()),
                }
                for fresh in 0..5 {
                    let fresh = format!("{round} {name} {fresh}");
                    assert_eq!(seen.look(7, fresh.as_bytes()), None);
                    seen.note(7, fresh.as_bytes(), Met::default());
                }
            }
        }
        assert!(known > 9 * 50 * 200 / 10, "{known} of 10000");
    }
}
