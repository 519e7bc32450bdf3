//! Learnt state as bytes, slice by slice.
//!
//! State of many megabytes is written down while traffic changes it, and neither may wait for the
//! other. So each part of it is a row of things in a fixed order (lines of a table, endpoints by
//! number), and a slice is some things that follow one another: few enough that requests may wait
//! while they are written, and complete enough that they can be read without any other slice.
//!
//! Things in one slice are of one moment, slices are of different moments. What goes with what is
//! therefore settled by whoever reads: a thing that no longer fits beside the others is left out.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::facts::{EndpointId, ServiceId};
use crate::hash::Digest;
use crate::time::Timestamp;

/// A slice is full once it has so many bytes: some tens of microseconds of writing.
const SLICE_BYTES: usize = 32 << 10;
/// Looking at so many places of a table ends a slice, too, however empty they are.
const PLACES_MAX: usize = 4_096;
/// Things of a map beyond so many are not read back: no map of ours holds as many.
const MAP_THINGS_MAX: usize = 1 << 16;

/// A part of learnt state that is written and read in slices.
pub trait Sliced {
    /// Writes things from place `from` on until the slice is full. Gives the place at which the
    /// next slice begins; none after the last thing.
    fn write_slice(&self, from: u64, slice: &mut SliceWriter) -> Option<u64>;

    /// Adds the things of a slice to what is there, as far as there is room. None when the slice
    /// is damaged.
    fn read_slice(&mut self, slice: &mut SliceReader<'_>, now: Timestamp) -> Option<()>;
}

/// A slice that is being written.
#[derive(Debug, Default)]
pub struct SliceWriter {
    bytes: Vec<u8>,
    places: usize,
}

/// A slice that is being read.
#[derive(Debug)]
pub struct SliceReader<'a> {
    rest: &'a [u8],
}

impl SliceWriter {
    /// A slice that begins with `head`.
    pub fn beginning_with(head: u8) -> Self {
        let mut bytes = Vec::with_capacity(SLICE_BYTES + SLICE_BYTES / 4);
        bytes.push(head);
        Self { bytes, places: 0 }
    }

    /// Writes one thing.
    pub fn push<T: Serialize + ?Sized>(&mut self, thing: &T) {
        let before = self.bytes.len();
        if postcard::to_io(thing, &mut self.bytes).is_err() {
            // No type of ours is refused by the format; one that was would be left out whole.
            self.bytes.truncate(before);
        }
    }

    /// Counts a place that was looked at.
    pub const fn pass(&mut self) {
        self.places += 1;
    }

    /// Whether no more should be written.
    pub const fn is_full(&self) -> bool {
        self.bytes.len() >= SLICE_BYTES || self.places >= PLACES_MAX
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl<'a> SliceReader<'a> {
    /// Reads `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next thing; none when there is none or it is damaged.
    pub fn pull<T: DeserializeOwned>(&mut self) -> Option<T> {
        let (thing, rest) = postcard::take_from_bytes(self.rest).ok()?;
        self.rest = rest;
        Some(thing)
    }
}

/// What a map goes by, as a number.
pub trait Key: Copy + Ord {
    /// The key of that number; numbers beyond the last key give the last key.
    fn of_number(number: u64) -> Self;
    /// Its number.
    fn number(self) -> u64;
}

impl Key for Digest {
    fn of_number(number: u64) -> Self {
        Self(number)
    }

    fn number(self) -> u64 {
        self.0
    }
}

impl Key for EndpointId {
    fn of_number(number: u64) -> Self {
        Self(u32::try_from(number).unwrap_or(u32::MAX))
    }

    fn number(self) -> u64 {
        u64::from(self.0)
    }
}

impl Key for ServiceId {
    fn of_number(number: u64) -> Self {
        Self(u32::try_from(number).unwrap_or(u32::MAX))
    }

    fn number(self) -> u64 {
        u64::from(self.0)
    }
}

impl<K, V> Sliced for BTreeMap<K, V>
where
    K: Key + Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
    fn write_slice(&self, from: u64, slice: &mut SliceWriter) -> Option<u64> {
        for (key, value) in self.range(K::of_number(from)..) {
            if slice.is_full() {
                return Some(key.number());
            }
            slice.push(&(key, value));
        }
        None
    }

    fn read_slice(&mut self, slice: &mut SliceReader<'_>, _: Timestamp) -> Option<()> {
        while !slice.is_empty() {
            let (key, value) = slice.pull()?;
            if self.len() < MAP_THINGS_MAX {
                self.insert(key, value);
            }
        }
        Some(())
    }
}

impl Sliced for u64 {
    fn write_slice(&self, _: u64, slice: &mut SliceWriter) -> Option<u64> {
        slice.push(self);
        None
    }

    fn read_slice(&mut self, slice: &mut SliceReader<'_>, _: Timestamp) -> Option<()> {
        *self = slice.pull()?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slices(part: &dyn Sliced) -> Vec<Vec<u8>> {
        let mut from = Some(0);
        std::iter::from_fn(|| {
            let mut slice = SliceWriter::default();
            from = part.write_slice(from?, &mut slice);
            Some(slice.into_bytes())
        })
        .collect()
    }

    #[test]
    fn a_map_comes_back_from_its_slices() {
        let text = "x".repeat(1_000);
        let map: BTreeMap<Digest, String> = (0..100_u64)
            .map(|n| (Digest(n.wrapping_mul(u64::MAX / 99)), format!("{text}{n}")))
            .collect();
        let slices = slices(&map);
        assert!((3..6).contains(&slices.len()), "{}", slices.len());
        assert!(slices.iter().all(|slice| slice.len() < SLICE_BYTES + 2_000));
        let mut again = BTreeMap::new();
        for slice in &slices {
            again.read_slice(&mut SliceReader::new(slice), Timestamp::EPOCH).expect("whole");
        }
        assert_eq!(again, map);
    }

    #[test]
    fn a_damaged_slice_is_said_to_be() {
        let map = BTreeMap::from([(EndpointId(7), "name".to_owned())]);
        let slice = slices(&map).concat();
        for cut in 1..slice.len() {
            let mut again: BTreeMap<EndpointId, String> = BTreeMap::new();
            let mut reader = SliceReader::new(&slice[..cut]);
            assert_eq!(again.read_slice(&mut reader, Timestamp::EPOCH), None, "{cut}");
        }
    }
}
