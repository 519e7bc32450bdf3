//! The ledger as everybody else sees it: hand in, ask for a write, read.
//!
//! Handing in never blocks. [`Ledger::write`] blocks until the commit, so asynchronous callers use
//! [`Ledger::write_then`] or a thread where blocking is allowed. Reading opens a connection of its
//! own and ends at a deadline.

mod read;

pub use read::check_audit;

use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use traffic::{Event, EventId, HashKey, Hasher};

use crate::database::{
    Check, Durability, Fault, Format, OpenFault, has_tables, open_reader, open_writer,
};
use crate::error::{OpenError, WriteError};
use crate::folder::{Folder, move_aside};
use crate::health::{Health, Part, Vitals};
use crate::lane::Lane;
use crate::learnt::LearntState;
use crate::queue::{Ack, Entry, Item, Queue, Write};
use crate::recent::{Kept, Recent, Tail};
use crate::writer::Writer;
use crate::{audit, incidents, key, learnt, rollups, salvage, standing, tallies, tokens};

/// The format of `palisade.db`.
pub(crate) const MAIN_FORMAT: Format = Format {
    steps: &[
        &[standing::SCHEMA, audit::SCHEMA, learnt::SCHEMA, incidents::SCHEMA, rollups::SCHEMA],
        &[learnt::SLICES_SCHEMA],
        &[tallies::SCHEMA],
        &[tokens::SCHEMA],
    ],
};

/// How much is kept, and for how long.
#[derive(Clone, Debug)]
pub struct Options {
    /// Days of events older than this are thrown away.
    pub events_kept: Duration,
    /// Counts by day and findings older than this are thrown away.
    pub rollups_kept: Duration,
    /// When all files take more than this together, the oldest days of events go.
    pub disk_bytes_max: u64,
    /// Events that wait for the writer at most; as many again are held back while the disk fails.
    pub queue_events: usize,
    /// And so many bytes of them.
    pub queue_bytes: usize,
    /// Rows of findings, counts and changes that wait for the writer at most, and as many again
    /// that are held back while the disk fails. Each takes about [`Options::ROW_BYTES`].
    pub queue_rows: usize,
    /// The latest events that are kept in memory.
    pub recent_events: usize,
    /// And so many bytes of them.
    pub recent_bytes: usize,
}

impl Options {
    /// About what a row that waits takes: a finding or a decision with its texts.
    pub const ROW_BYTES: usize = 640;
}

impl Default for Options {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(86_400);
        Self {
            events_kept: DAY * 14,
            rollups_kept: DAY * 400,
            disk_bytes_max: 10 << 30,
            queue_events: 4_096,
            queue_bytes: 8 << 20,
            queue_rows: 16_384,
            recent_events: 2_048,
            recent_bytes: 4 << 20,
        }
    }
}

/// The ledger. Clones are the same ledger.
#[derive(Clone, Debug)]
pub struct Ledger {
    shared: Arc<Shared>,
}

/// What the ledger's clones and the writer share.
pub(crate) struct Shared {
    pub(crate) folder: Folder,
    pub(crate) options: Options,
    pub(crate) lane: Lane,
    pub(crate) queue: Queue,
    pub(crate) vitals: Arc<Vitals>,
    recent: Mutex<Recent>,
    key: HashKey,
}

impl Ledger {
    /// Takes the data folder, making what is missing, and starts the writer.
    pub fn open(folder: &Path, options: Options) -> Result<(Self, Writer), OpenError> {
        let folder = Folder::take(folder)?;
        let key = key::load_or_create(&folder.key_file())?;
        let vitals = Arc::new(Vitals::default());
        let main = open_or_repair(&folder, &vitals)?;
        let shared = Arc::new(Shared {
            lane: Lane::new(options.queue_events, options.queue_bytes),
            queue: Queue::new(options.queue_rows),
            recent: Mutex::new(Recent::new(options.recent_events, options.recent_bytes)),
            folder,
            options,
            vitals,
            key,
        });
        let writer = Writer::start(Arc::clone(&shared), main).map_err(|source| OpenError::Io {
            doing: "start the writer of",
            path: shared.folder.root().to_owned(),
            source,
        })?;
        Ok((Self { shared }, writer))
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.shared.folder.root()
    }

    /// The key of this installation's hashes.
    pub fn hash_key(&self) -> HashKey {
        self.shared.key
    }

    /// How the ledger is doing.
    pub fn health(&self) -> Health {
        self.shared.vitals.health(self.shared.lane.len() + self.shared.queue.len())
    }

    // === handing in ===

    /// Hands something in. Never waits: what does not fit is dropped, counted, and answered false.
    pub fn record(&self, entry: Entry) -> bool {
        let item = match entry {
            Entry::Event(event) => return self.record_event(*event),
            Entry::Finding(finding) => Item::Finding(finding),
            Entry::Rollups(rollups) if rollups.is_empty() => return true,
            Entry::Rollups(rollups) => Item::Rollups(rollups),
            Entry::Tallies(tallies) if tallies.is_empty() => return true,
            Entry::Tallies(tallies) => Item::Tallies(tallies),
            Entry::Change(change) => Item::Change(change),
        };
        let is_taken = self.shared.queue.push(item);
        self.count_dropped(is_taken)
    }

    /// Whether so many rows more would be taken in.
    pub fn has_room(&self, rows: usize) -> bool {
        self.shared.queue.has_room(rows)
    }

    /// Hands an event in, as [`Ledger::record`] does. It can be asked for at once.
    pub fn record_event(&self, mut event: Event) -> bool {
        event.nats = storable(event.nats);
        for signal in &mut event.signals {
            signal.nats = storable(signal.nats);
        }
        let event = Arc::new(event);
        self.recent().push(Arc::clone(&event));
        let is_taken = self.shared.lane.push(event);
        self.count_dropped(is_taken)
    }

    /// Stores `write` and waits until it is committed and synced, or refused. Blocks for a few
    /// milliseconds, longer when the disk is slow.
    pub fn write(&self, write: Write) -> Result<(), WriteError> {
        self.wait(|ack| self.shared.queue.write(write, ack))
    }

    /// As [`Ledger::write`], but calls `done` from the writer's thread instead of waiting. `done`
    /// must be quick and must not wait for the ledger.
    pub fn write_then(
        &self,
        write: Write,
        done: impl FnOnce(Result<(), WriteError>) + Send + 'static,
    ) {
        self.shared.queue.write(write, Box::new(done));
    }

    /// Saves learnt state and waits until it is the current one. Its slices are asked for by the
    /// writer's thread, one when the one before is written; giving one must not wait for the
    /// ledger. A state that is already waiting makes this one `Busy`.
    pub fn save_learnt(&self, state: LearntState) -> Result<(), WriteError> {
        self.wait(|ack| self.shared.queue.save(state, ack))
    }

    /// Waits until everything handed in before is on disk.
    pub fn flush(&self) -> Result<(), WriteError> {
        let events = self.wait(|ack| self.shared.lane.flush(ack));
        self.wait(|ack| self.shared.queue.flush(ack)).and(events)
    }

    // === following ===

    /// Where somebody begins who wants the events that come from now on.
    pub fn tail(&self) -> Tail {
        self.recent().tail()
    }

    /// Where somebody goes on who has seen the event of that ID; from now on, when it is long ago.
    pub fn tail_after(&self, id: EventId) -> Tail {
        let recent = self.recent();
        recent.tail_after(id).unwrap_or_else(|| recent.tail())
    }

    /// At most `max` events that `tail` has not seen, oldest first, and how many it was too slow
    /// for. An event that is counted on comes once.
    pub fn follow(&self, tail: &mut Tail, max: usize) -> (Vec<Event>, u64) {
        let (kept, missed) = self.recent().follow(tail, max);
        (kept.iter().map(Kept::whole).collect(), missed)
    }

    fn wait(&self, ask: impl FnOnce(Ack)) -> Result<(), WriteError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        ask(Box::new(move |outcome| {
            // Whoever asked may have gone.
            let _ = sender.send(outcome);
        }));
        receiver.recv().unwrap_or(Err(WriteError::Closed))
    }

    fn count_dropped(&self, is_taken: bool) -> bool {
        if !is_taken {
            self.shared.vitals.dropped_queue_full.fetch_add(1, Ordering::Relaxed);
        }
        is_taken
    }

    /// A ring whose reader or writer panicked is still a ring.
    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.shared.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// A new connection to `palisade.db`, after a fault of the one before.
    pub(crate) fn open_main(&self) -> Result<Connection, Fault> {
        let path = self.folder.main_file();
        open_writer(&path, &MAIN_FORMAT, Durability::Synced, Check::No).map_err(|fault| match fault
        {
            OpenFault::Sqlite(error) => Fault::from(error),
            OpenFault::Newer { found, .. } => Fault::Storage(format!("format {found}")),
        })
    }

    /// The name of the hash key, which learnt state depends on.
    pub(crate) fn key_id(&self) -> u64 {
        Hasher::new(self.key).key_id().0
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// JSON has no infinity and no NaN: a row with one could be written and never read again.
fn storable(nats: f32) -> f32 {
    if nats.is_nan() { 0.0 } else { nats.clamp(f32::MIN, f32::MAX) }
}

/// Opens `palisade.db`. A damaged one is moved aside, and what can be read of it is kept. None when
/// the disk takes nothing: what is there can be read, and the writer tries again.
fn open_or_repair(folder: &Folder, vitals: &Vitals) -> Result<Option<Connection>, OpenError> {
    let path = folder.main_file();
    let open = || open_writer(&path, &MAIN_FORMAT, Durability::Synced, Check::Whole);
    let error = match open() {
        Ok(connection) => return Ok(Some(connection)),
        Err(OpenFault::Newer { found, known }) => {
            return Err(OpenError::Newer { path, found, known });
        }
        Err(OpenFault::Sqlite(error)) => error,
    };
    let said = error.to_string();
    match Fault::from(error) {
        Fault::Corrupt(what) => repaired(&path, &what, vitals).map(Some),
        Fault::Storage(_) if open_reader(&path, soon()).is_ok_and(|main| has_tables_in(&main)) => {
            vitals.fault(Part::Main, &said);
            Ok(None)
        }
        Fault::Storage(what) | Fault::Row(what) => Err(OpenError::Storage { path, what }),
    }
}

/// Begins a new `palisade.db` with what can be read of the damaged one.
fn repaired(path: &Path, what: &str, vitals: &Vitals) -> Result<Connection, OpenError> {
    let aside = move_aside(path).map_err(|source| OpenError::Io {
        doing: "move aside",
        path: path.to_owned(),
        source,
    })?;
    let mut fresh = open_writer(path, &MAIN_FORMAT, Durability::Synced, Check::No)
        .map_err(|fault| not_opened(path, fault))?;
    let copied = salvage::copy_readable(&aside, &mut fresh)
        .map_err(|source| OpenError::Database { path: path.to_owned(), source })?;
    vitals.repaired(format!(
        "palisade.db was damaged ({what}); moved aside to {}, {copied} rows of decisions, \
         exceptions, audit and findings were saved, what was learnt was not",
        aside.display()
    ));
    Ok(fresh)
}

fn has_tables_in(main: &Connection) -> bool {
    has_tables(main).unwrap_or(false)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(2)
}

fn not_opened(path: &Path, fault: OpenFault) -> OpenError {
    match fault {
        OpenFault::Newer { found, known } => {
            OpenError::Newer { path: path.to_owned(), found, known }
        }
        OpenFault::Sqlite(source) => OpenError::Database { path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
