//! How the ledger itself is doing: for `status`, and to say it once in the log when it changes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How the ledger is doing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Health {
    /// Why the disk does not take what is handed in; none when it does.
    pub storage_fault: Option<String>,
    /// Events written since the start, each hand-in counted.
    pub events_written: u64,
    /// Events, findings and rollups dropped because the queue was full.
    pub dropped_queue_full: u64,
    /// Dropped because the disk did not take them for too long.
    pub dropped_storage: u64,
    /// Dropped because they cannot be stored at all.
    pub dropped_unstorable: u64,
    /// Handed in and not yet on disk.
    pub waiting: u64,
    /// Bytes of all event files.
    pub events_bytes: u64,
    /// What was found damaged since the start, and what was done about it.
    pub repairs: Vec<String>,
}

/// More repairs than this are not listed.
const REPAIRS_MAX: usize = 32;

/// What writer and readers note down.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    pub(crate) events_written: AtomicU64,
    pub(crate) dropped_queue_full: AtomicU64,
    pub(crate) dropped_storage: AtomicU64,
    pub(crate) dropped_unstorable: AtomicU64,
    pub(crate) held_back: AtomicU64,
    pub(crate) events_bytes: AtomicU64,
    storage_fault: Mutex<Option<String>>,
    repairs: Mutex<Vec<String>>,
}

impl Vitals {
    /// The disk did not take something. Said loudly once, not at each try.
    pub(crate) fn fault(&self, what: &str) {
        let Ok(mut fault) = self.storage_fault.lock() else {
            return;
        };
        if fault.is_none() {
            tracing::error!(fault = what, "the ledger cannot write; traffic is not affected");
        }
        *fault = Some(what.to_owned());
    }

    /// The disk took something.
    pub(crate) fn recovered(&self) {
        let Ok(mut fault) = self.storage_fault.lock() else {
            return;
        };
        if fault.take().is_some() {
            tracing::info!(
                dropped = self.dropped_storage.load(Ordering::Relaxed),
                "the ledger writes again"
            );
        }
    }

    /// Something was damaged and dealt with.
    pub(crate) fn repaired(&self, what: String) {
        tracing::error!(what, "the ledger was damaged");
        if let Ok(mut repairs) = self.repairs.lock()
            && repairs.len() < REPAIRS_MAX
        {
            repairs.push(what);
        }
    }

    pub(crate) fn health(&self, queued: usize) -> Health {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Health {
            storage_fault: self.storage_fault.lock().ok().and_then(|fault| fault.clone()),
            events_written: read(&self.events_written),
            dropped_queue_full: read(&self.dropped_queue_full),
            dropped_storage: read(&self.dropped_storage),
            dropped_unstorable: read(&self.dropped_unstorable),
            waiting: read(&self.held_back).saturating_add(queued as u64),
            events_bytes: read(&self.events_bytes),
            repairs: self.repairs.lock().map(|repairs| repairs.clone()).unwrap_or_default(),
        }
    }
}
