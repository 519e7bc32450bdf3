//! Values in which nothing was found, remembered.
//!
//! What is found in a value depends on the value and the rules alone, so that a value that comes
//! again need not be looked at again. Names of fields, tokens, paths and user agents do; values
//! that come once make room for each other.
//!
//! Nobody waits here: where two threads meet, one of them looks at its value anew. The hash has no
//! key, since the worst that a caller can do who knows it is to make the memory useless.

use std::sync::{Mutex, PoisonError, TryLockError};

/// Longer values are looked at each time.
const VALUE_BYTES_MAX: usize = 1_024;
/// Places that a value can be in.
const WAYS: usize = 4;
/// Sets of such places under one lock.
const SETS: usize = 64;
/// Locks.
const SHARDS: usize = 16;

/// The memory: 4,096 values of at most 1 KiB.
pub(super) struct Clean {
    shards: Box<[Mutex<Shard>]>,
}

#[derive(Default)]
struct Shard {
    entries: Vec<Entry>,
}

#[derive(Clone, Default)]
struct Entry {
    class: u32,
    /// It came again since somebody last looked for room.
    is_wanted: bool,
    value: Vec<u8>,
}

impl Default for Clean {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Clean {
    /// Was nothing found in this value before?
    pub(super) fn is_clean(&self, class: u32, value: &[u8]) -> bool {
        self.with_set(class, value, |set| {
            let known = set.iter_mut().find(|it| it.class == class && it.value == value);
            known.map(|entry| entry.is_wanted = true).is_some()
        })
    }

    /// Notes that nothing was found in this value.
    pub(super) fn note(&self, class: u32, value: &[u8]) {
        self.with_set(class, value, |set| {
            let Some(oldest) = set.iter().position(|it| !it.is_wanted) else {
                // All of them came again: they have to do so anew before the next one knocks.
                set.iter_mut().for_each(|it| it.is_wanted = false);
                return true;
            };
            // The newest stands last.
            if let Some(younger) = set.get_mut(oldest..) {
                younger.rotate_left(1);
            }
            if let Some(entry) = set.last_mut() {
                entry.class = class;
                entry.is_wanted = false;
                entry.value.clear();
                entry.value.extend_from_slice(value);
            }
            true
        });
    }

    /// Forgets every value.
    pub(super) fn forget(&self) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).entries.clear();
        }
    }

    fn with_set(&self, class: u32, value: &[u8], look: impl FnOnce(&mut [Entry]) -> bool) -> bool {
        if value.len() > VALUE_BYTES_MAX {
            return false;
        }
        let hash = hash(class, value);
        let Some(shard) = self.shards.get(hash as usize % SHARDS) else { return false };
        let mut shard = match shard.try_lock() {
            Ok(shard) => shard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        if shard.entries.is_empty() {
            shard.entries.resize(SETS * WAYS, Entry::default());
        }
        let start = (hash as usize / SHARDS) % SETS * WAYS;
        shard.entries.get_mut(start..start + WAYS).is_some_and(look)
    }
}

impl std::fmt::Debug for Clean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clean")
    }
}

/// Eight bytes at a time, each mixed in by a multiplication.
fn hash(class: u32, value: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * 0x9e37_79b9_7f4a_7c15;
        // Both halves, so that no bit of the product is lost.
        #[allow(clippy::cast_possible_truncation, reason = "the low half is meant")]
        let low = product as u64;
        low ^ u64::try_from(product >> 64).unwrap_or_default()
    };
    let mut hash = mix(u64::from(class), value.len() as u64);
    let mut chunks = value.chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        hash = mix(hash, word);
    }
    let rest = chunks.remainder().iter().fold(1, |word, byte| word << 8 | u64::from(*byte));
    mix(hash, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_in_its_class_alone() {
        let clean = Clean::default();
        assert!(!clean.is_clean(1, b"name"));
        clean.note(1, b"name");
        assert!(clean.is_clean(1, b"name"));
        assert!(!clean.is_clean(2, b"name"));
        assert!(!clean.is_clean(1, b"names"));
        clean.note(1, &[b'x'; VALUE_BYTES_MAX + 1]);
        assert!(!clean.is_clean(1, &[b'x'; VALUE_BYTES_MAX + 1]));
    }

    #[test]
    fn what_comes_again_outlives_a_flood_of_what_does_not() {
        let clean = Clean::default();
        let names: Vec<String> = (0..200).map(|it| format!("field_{it}")).collect();
        let mut known = 0;
        for round in 0..50 {
            for name in &names {
                if clean.is_clean(7, name.as_bytes()) {
                    known += 1;
                } else {
                    clean.note(7, name.as_bytes());
                }
                for fresh in 0..5 {
                    let fresh = format!("{round} {name} {fresh}");
                    assert!(!clean.is_clean(7, fresh.as_bytes()));
                    clean.note(7, fresh.as_bytes());
                }
            }
        }
        assert!(known > 9 * 50 * 200 / 10, "{known} of 10000");
    }
}
