//! The states that patterns have met, lent to one phase of one exchange at a time.
//!
//! As many phases as run at once have such a memory each, whatever thread they are on, so that there
//! are no more of them than processors are busy.

use std::sync::{Mutex, PoisonError};

use crate::pattern::Memory;

/// So many are kept while nobody uses them.
const IDLE_MAX: usize = 16;

/// Memories that nobody uses.
#[derive(Debug)]
pub(super) struct Pool {
    idle: Mutex<Vec<Memory>>,
    patterns: usize,
}

impl Pool {
    /// For so many patterns.
    pub(super) fn new(patterns: usize) -> Self {
        Self { idle: Mutex::default(), patterns }
    }

    /// One that nobody uses.
    pub(super) fn take(&self) -> Memory {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| Memory::new(self.patterns))
    }

    /// It is no longer used.
    pub(super) fn give(&self, memory: Memory) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(memory);
        }
    }

    /// How much memory those take that nobody uses.
    pub(super) fn bytes(&self) -> usize {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.iter().map(Memory::bytes).sum()
    }
}
