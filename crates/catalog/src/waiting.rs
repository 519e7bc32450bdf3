//! What was asked for and refused, waiting for a second source to ask for it.
//!
//! An API that answers 401 before it looks at the path would otherwise let one scan fill the
//! catalog. A fixed table of small sets; a full set gives up its oldest entry, which then waits
//! anew.

use serde::{Deserialize, Serialize};
use traffic::slices::{SliceReader, SliceWriter, Sliced};
use traffic::{Digest, Timestamp};

/// The table.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    slots: Vec<Entry>,
    clock: u32,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Entry {
    key: Digest,
    source: Digest,
    at: u32,
}

const WAYS: usize = 4;

/// Bytes of one place in the table.
pub(crate) const ENTRY_BYTES: usize = size_of::<Entry>();

impl Waiting {
    pub(crate) fn new(capacity: usize) -> Self {
        let sets = (capacity / WAYS).max(1);
        Self { slots: vec![Entry::default(); sets * WAYS], clock: 0 }
    }

    /// Whether another source than this one asked for `key` before. If not, it waits from now on.
    pub(crate) fn is_second(&mut self, key: Digest, source: Digest) -> bool {
        self.clock = self.clock.wrapping_add(1);
        let at = self.clock;
        let Ok(sets) = u64::try_from((self.slots.len() / WAYS).max(1)) else { return false };
        let start = usize::try_from(key.0 % sets).unwrap_or(0) * WAYS;
        let Some(set) = self.slots.get_mut(start..start + WAYS) else { return false };
        if let Some(entry) = set.iter_mut().find(|entry| entry.key == key && entry.at != 0) {
            entry.at = at;
            return entry.source != source;
        }
        let oldest = set
            .iter_mut()
            .max_by_key(|entry| if entry.at == 0 { u32::MAX } else { at.wrapping_sub(entry.at) });
        if let Some(slot) = oldest {
            *slot = Entry { key, source, at };
        }
        false
    }
}

// === slices: the size of the table and its clock, and some places with what waits there ===

impl Sliced for Waiting {
    fn write_slice(&self, from: u64, slice: &mut SliceWriter) -> Option<u64> {
        slice.push(&(self.slots.len(), self.clock));
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        for (place, entry) in self.slots.iter().enumerate().skip(from) {
            if slice.is_full() {
                return u64::try_from(place).ok();
            }
            slice.pass();
            if entry.at != 0 {
                slice.push(&(place, entry));
            }
        }
        None
    }

    /// A table of another size begins anew: what waited in it asks again.
    fn read_slice(&mut self, slice: &mut SliceReader<'_>, _: Timestamp) -> Option<()> {
        let (length, clock): (usize, u32) = slice.pull()?;
        if length != self.slots.len() {
            return Some(());
        }
        self.clock = clock;
        while !slice.is_empty() {
            let (place, entry): (usize, Entry) = slice.pull()?;
            *self.slots.get_mut(place)? = entry;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_is_not_two() {
        let mut waiting = Waiting::new(16);
        let (key, a, b) = (Digest(5), Digest(1), Digest(2));
        assert!(!waiting.is_second(key, a));
        assert!(!waiting.is_second(key, a));
        assert!(waiting.is_second(key, b));
        (10..10_000)
            .for_each(|key| assert!(!waiting.is_second(Digest(key).then(key.into_digest()), a)));
    }

    trait IntoDigest {
        fn into_digest(self) -> Digest;
    }

    impl IntoDigest for u64 {
        fn into_digest(self) -> Digest {
            Digest(self.wrapping_mul(31))
        }
    }
}
