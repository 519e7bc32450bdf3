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

/// Which of the two threads, that write different files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// `palisade.db`.
    Main,
    /// The files of the days.
    Events,
}

/// What writers and readers note down.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    pub(crate) events_written: AtomicU64,
    pub(crate) dropped_queue_full: AtomicU64,
    pub(crate) dropped_storage: AtomicU64,
    pub(crate) dropped_unstorable: AtomicU64,
    pub(crate) events_bytes: AtomicU64,
    held_back: [AtomicU64; 2],
    storage_faults: Mutex<[Option<String>; 2]>,
    repairs: Mutex<Vec<String>>,
}

impl Vitals {
    /// The disk did not take something. Said loudly once, not at each try.
    pub(crate) fn fault(&self, part: Part, what: &str) {
        let Ok(mut faults) = self.storage_faults.lock() else { return };
        let [main, events] = &mut *faults;
        let fault = if part == Part::Main { main } else { events };
        if fault.is_none() {
            tracing::error!(
                ?part,
                fault = what,
                "the ledger cannot write; traffic is not affected"
            );
        }
        *fault = Some(what.to_owned());
    }

    /// The disk took something.
    pub(crate) fn recovered(&self, part: Part) {
        let Ok(mut faults) = self.storage_faults.lock() else { return };
        let [main, events] = &mut *faults;
        let fault = if part == Part::Main { main } else { events };
        if fault.take().is_some() {
            let dropped = self.dropped_storage.load(Ordering::Relaxed);
            tracing::info!(?part, dropped, "the ledger writes again");
        }
    }

    /// How much a thread could not write yet.
    pub(crate) fn holds_back(&self, part: Part, count: usize) {
        let [main, events] = &self.held_back;
        let held = if part == Part::Main { main } else { events };
        held.store(count as u64, Ordering::Relaxed);
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
            storage_fault: self
                .storage_faults
                .lock()
                .ok()
                .and_then(|faults| faults.iter().flatten().next().cloned()),
            events_written: read(&self.events_written),
            dropped_queue_full: read(&self.dropped_queue_full),
            dropped_storage: read(&self.dropped_storage),
            dropped_unstorable: read(&self.dropped_unstorable),
            waiting: self.held_back.iter().map(read).sum::<u64>().saturating_add(queued as u64),
            events_bytes: read(&self.events_bytes),
            repairs: self.repairs.lock().map(|repairs| repairs.clone()).unwrap_or_default(),
        }
    }
}
