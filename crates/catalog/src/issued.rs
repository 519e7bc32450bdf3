//! Credentials that answers handed out, until they are used: which outcome each of them proves.
//!
//! A fixed table of small sets. Digests are keyed hashes, so nobody can aim at a set; a full set
//! gives up its oldest entry. What is forgotten proves nothing, and that is all that it costs.

use serde::{Deserialize, Serialize};
use traffic::slices::{SliceReader, SliceWriter, Sliced};
use traffic::{Digest, EndpointId, Timestamp};

/// What a used credential proves: the answers of this cluster of this endpoint are successes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Proof {
    pub(crate) endpoint: EndpointId,
    pub(crate) cluster: u64,
}

/// The table.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    slots: Vec<Option<Entry>>,
    clock: u32,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Entry {
    credential: Digest,
    proof: Proof,
    was_used: bool,
    at: u32,
}

const WAYS: usize = 4;

/// Bytes of one place in the table.
pub(crate) const ENTRY_BYTES: usize = size_of::<Option<Entry>>();

impl Issued {
    pub(crate) fn new(capacity: usize) -> Self {
        let sets = (capacity / WAYS).max(1);
        Self { slots: vec![None; sets * WAYS], clock: 0 }
    }

    pub(crate) fn insert(&mut self, credential: Digest, proof: Proof) {
        self.clock = self.clock.wrapping_add(1);
        let at = self.clock;
        let Some(set) = self.set(credential) else { return };
        let mut victim = 0;
        let mut oldest = 0;
        for (way, slot) in set.iter().enumerate() {
            let age = match slot {
                Some(entry) if entry.credential == credential => u32::MAX,
                None => u32::MAX - 1,
                Some(entry) => at.wrapping_sub(entry.at).min(u32::MAX - 2),
            };
            if age > oldest {
                (victim, oldest) = (way, age);
            }
        }
        if let Some(slot) = set.get_mut(victim) {
            *slot = Some(Entry { credential, proof, was_used: false, at });
        }
    }

    /// What the use of `credential` proves, and whether it is its first. It counts once where no
    /// credential was needed, and once, and then no more, where one was.
    pub(crate) fn used(&mut self, credential: Digest, is_needed: bool) -> Option<(Proof, bool)> {
        let set = self.set(credential)?;
        let slot =
            set.iter_mut().find(|slot| slot.is_some_and(|entry| entry.credential == credential))?;
        let entry = slot.as_mut()?;
        let is_first = !std::mem::replace(&mut entry.was_used, true);
        let proof = entry.proof;
        if is_needed {
            *slot = None;
        }
        (is_first || is_needed).then_some((proof, is_first))
    }

    /// Puts an entry back to its place, or in a table of another size to that of an older one.
    fn admit(&mut self, way: usize, moved: Entry, is_same_size: bool) {
        let clock = self.clock;
        let age = |at: u32| clock.wrapping_sub(at);
        let Some(set) = self.set(moved.credential) else { return };
        let place = set.get_mut(way).filter(|slot| is_same_size && slot.is_none());
        let place = match place {
            Some(place) => Some(place),
            None => set.iter_mut().max_by_key(|slot| slot.map_or(u32::MAX, |entry| age(entry.at))),
        };
        if let Some(place) = place
            && place.is_none_or(|entry| age(entry.at) > age(moved.at))
        {
            *place = Some(moved);
        }
    }

    fn set(&mut self, credential: Digest) -> Option<&mut [Option<Entry>]> {
        let sets = u64::try_from(self.slots.len() / WAYS).ok().filter(|sets| *sets > 0)?;
        let start = usize::try_from(credential.0 % sets).ok()? * WAYS;
        self.slots.get_mut(start..start + WAYS)
    }
}

// === slices: the size of the table and its clock, and some sets without their empty places ===

impl Sliced for Issued {
    fn write_slice(&self, from: u64, slice: &mut SliceWriter) -> Option<u64> {
        slice.push(&(self.slots.len(), self.clock));
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        for (number, set) in self.slots.chunks(WAYS).enumerate().skip(from) {
            if slice.is_full() {
                return u64::try_from(number).ok();
            }
            for (way, slot) in set.iter().enumerate() {
                slice.pass();
                if let Some(entry) = slot {
                    slice.push(&(way, entry));
                }
            }
        }
        None
    }

    fn read_slice(&mut self, slice: &mut SliceReader<'_>, _: Timestamp) -> Option<()> {
        let length: usize;
        (length, self.clock) = slice.pull()?;
        while !slice.is_empty() {
            let (way, entry) = slice.pull()?;
            self.admit(way, entry, length == self.slots.len());
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(number: u64) -> Digest {
        Digest(number).then(Digest(9))
    }

    const PROOF: Proof = Proof { endpoint: EndpointId(3), cluster: 7 };

    #[test]
    fn a_credential_proves_once() {
        let mut issued = Issued::new(64);
        issued.insert(credential(1), PROOF);
        assert_eq!(issued.used(credential(2), true), None);
        assert_eq!(issued.used(credential(1), false), Some((PROOF, true)));
        assert_eq!(issued.used(credential(1), false), None);
        assert_eq!(issued.used(credential(1), true), Some((PROOF, false)));
        assert_eq!(issued.used(credential(1), true), None);
    }

    #[test]
    fn a_flood_stays_within_the_table_and_keeps_the_latest() {
        let mut issued = Issued::new(64);
        (0..100_000).for_each(|number| issued.insert(credential(number), PROOF));
        assert_eq!(issued.slots.len(), 64);
        assert!(issued.used(credential(1), true).is_none());
        let mut slice = SliceWriter::default();
        assert_eq!(issued.write_slice(0, &mut slice), None);
        let mut smaller = Issued::new(16);
        smaller
            .read_slice(&mut SliceReader::new(&slice.into_bytes()), Timestamp::EPOCH)
            .expect("whole");
        assert_eq!(smaller.slots.len(), 16);
        assert!(smaller.used(credential(99_999), true).is_some());
        assert!(issued.used(credential(99_999), true).is_some());
    }
}
