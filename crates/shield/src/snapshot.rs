//! Learnt state as slices of bytes, which are kept and restored one by one.
//!
//! No request waits longer than one slice takes to write, and no more than one slice is ever in
//! memory. A snapshot is therefore not of one moment: what each slice holds is as it was when the
//! slice was taken, between the snapshot's beginning and its end. That is enough, because what
//! belongs together (a line of a table; an endpoint with the way to it) is never cut, and what
//! refers to something that a slice of another moment does not have goes without it, as it does
//! when a table has evicted it. Without traffic a snapshot is exact, which is what a recording
//! begins with.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard};

use traffic::Timestamp;
use traffic::slices::{SliceReader, SliceWriter};

use crate::engine::Engine;
use crate::memory::Memory;

/// The version of the format: state of another version is not read.
const VERSION: u8 = 3;

/// No more parts are named as lost than this.
const LOST_MAX: usize = 32;

/// A part that could not be restored, or not in full.
#[derive(Debug, thiserror::Error)]
#[error("learnt state {part:?} is not restored: {why}")]
pub struct NotRestored {
    part: String,
    why: &'static str,
}

/// The slices of a snapshot, each taken when it is asked for.
#[derive(Debug)]
pub struct Slices {
    engine: Arc<Engine>,
    part: usize,
    from: u64,
}

impl Slices {
    pub(crate) const fn new(engine: Arc<Engine>) -> Self {
        Self { engine, part: 0, from: 0 }
    }
}

impl Iterator for Slices {
    /// The name of a part, and some bytes of it.
    type Item = (&'static str, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut slice = SliceWriter::beginning_with(VERSION);
        let mut memory = self.engine.memory();
        let (name, part) = memory.parts().nth(self.part)?;
        let next = part.write_slice(self.from, &mut slice);
        drop(memory);
        (self.part, self.from) = next.map_or((self.part + 1, 0), |from| (self.part, from));
        Some((name, slice.into_bytes()))
    }
}

/// Learnt state that is being put back, before there is any traffic.
#[derive(Debug)]
pub struct Restoring<'e> {
    memory: MutexGuard<'e, Memory>,
    now: Timestamp,
    named: BTreeSet<String>,
    lost: Vec<NotRestored>,
}

impl<'e> Restoring<'e> {
    pub(crate) const fn new(memory: MutexGuard<'e, Memory>, now: Timestamp) -> Self {
        Self { memory, now, named: BTreeSet::new(), lost: Vec::new() }
    }

    /// Puts a slice back. Tables keep the size they were made with; what fits is kept.
    pub fn put(&mut self, part: &str, bytes: &[u8]) {
        let Err(why) = self.try_put(part, bytes) else { return };
        let part: String = part.chars().take(32).collect();
        // All slices of a part fail alike; there may be thousands of them.
        if self.lost.len() < LOST_MAX && self.named.insert(part.clone()) {
            self.lost.push(NotRestored { part, why });
        }
    }

    /// What could not be put back.
    pub fn lost(self) -> Vec<NotRestored> {
        self.lost
    }

    fn try_put(&mut self, part: &str, bytes: &[u8]) -> Result<(), &'static str> {
        let bytes = match bytes.split_first() {
            Some((&VERSION, rest)) => rest,
            Some(_) => return Err("it was written by another version"),
            None => return Err("it is empty"),
        };
        let mut parts = self.memory.parts();
        let found = parts.find(|(known, _)| *known == part);
        let (_, part) = found.ok_or("there is no such part")?;
        part.read_slice(&mut SliceReader::new(bytes), self.now).ok_or("it is damaged")
    }
}
