//! The files of the days: which event lies where, writing, asking, and throwing old days away.
//!
//! An event lies in the file of the UTC day on which its first exchange came in. Its ID tells that
//! (UUIDv7), so that an event that is counted on over midnight stays one event. A file that turns
//! out to be damaged is moved aside and begun anew: one day is lost to questions, and no more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Span;
use jiff::civil::Date;
use rusqlite::Connection;
use traffic::{Event, EventId, Timestamp};

use crate::database::{self, Check, Durability, Fault, OpenFault, log_bytes, open_writer};
use crate::events;
use crate::folder::{database_bytes, move_aside, unlink_database};
use crate::health::Vitals;

/// How long after its ID was made an event may still be counted on.
pub(crate) const COUNTED_ON_MAX: Duration = Duration::from_secs(600);
/// Files kept open: today, and yesterday around midnight.
const OPEN_MAX: usize = 2;
/// A write-ahead log of this size is brought into its file.
const LOG_BYTES_GROWN: u64 = 4 << 20;
/// Events removed at once from a day that is too large: more than come between two looks.
const THINNED_EVENTS_MAX: u64 = 60_000;
/// Events of one transaction.
const BATCH_EVENTS_MAX: usize = 10_000;

/// The first day that a timestamp can name.
const EPOCH: Date = Date::constant(1970, 1, 1);

/// A UTC day.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Day(Date);

/// The files as the writer has them.
pub(crate) struct Days {
    folder: PathBuf,
    open: BTreeMap<Day, Connection>,
    /// Days whose files were found whole.
    checked: BTreeSet<Day>,
    vitals: Arc<Vitals>,
}

// === impl Day ===

impl Day {
    pub(crate) fn of(at: Timestamp) -> Self {
        let days = i64::try_from(at.as_micros() / 86_400_000_000).unwrap_or(i64::MAX);
        let date = Span::new().try_days(days).and_then(|days| EPOCH.checked_add(days));
        Self(date.unwrap_or(Date::MAX))
    }

    /// The day whose file an event lies in.
    pub(crate) fn of_event(event: &Event) -> Self {
        match made_at(event.id) {
            Some(made) if made <= event.at && event.at.since(made) <= COUNTED_ON_MAX => {
                Self::of(made)
            }
            _ => Self::of(event.at),
        }
    }

    /// The day that an ID speaks of, if it is one that tells its time.
    pub(crate) fn of_id(id: EventId) -> Option<Self> {
        made_at(id).map(Self::of)
    }

    /// When it begins.
    pub(crate) fn start(self) -> Timestamp {
        let since_epoch = self.0.duration_since(EPOCH).as_secs();
        Timestamp::from_micros(u64::try_from(since_epoch).unwrap_or(0).saturating_mul(1_000_000))
    }

    fn named(file_name: &str) -> Option<Self> {
        let day = Self(file_name.strip_suffix(".db")?.parse().ok()?);
        (format!("{day}.db") == file_name).then_some(day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The files that there are, the latest day first.
pub(crate) fn files(folder: &Path) -> Vec<(Day, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<(Day, PathBuf)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((Day::named(entry.file_name().to_str()?)?, entry.path()))
        })
        .collect();
    files.sort();
    files.reverse();
    files
}

/// Brings logs that have grown into the files of their days.
pub(crate) fn checkpoint(folder: &Path) {
    for (day, path) in files(folder) {
        if log_bytes(&path) < LOG_BYTES_GROWN {
            continue;
        }
        if let Err(error) = database::checkpoint(&path) {
            tracing::debug!(%day, %error, "the log of a day is not brought into its file yet");
        }
    }
}

// === impl Days ===

impl Days {
    pub(crate) fn new(folder: PathBuf, vitals: Arc<Vitals>) -> Self {
        Self { folder, open: BTreeMap::new(), checked: BTreeSet::new(), vitals }
    }

    /// Writes `waiting` and takes what is written out of it. After a fault the rest is still there.
    pub(crate) fn write(&mut self, waiting: &mut VecDeque<Arc<Event>>) -> Result<(), Fault> {
        while !waiting.is_empty() {
            let batch = waiting.len().min(BATCH_EVENTS_MAX);
            let mut by_day: BTreeMap<Day, Vec<Arc<Event>>> = BTreeMap::new();
            for event in waiting.drain(..batch) {
                by_day.entry(Day::of_event(&event)).or_default().push(event);
            }
            let mut fault = None;
            for (day, events) in by_day {
                if fault.is_none() {
                    fault = self.write_day(day, &events).err();
                }
                if fault.is_some() {
                    waiting.extend(events);
                }
            }
            if let Some(fault) = fault {
                return Err(fault);
            }
        }
        Ok(())
    }

    /// Throws away days older than `kept`, and the oldest days while all together take more than
    /// `bytes_max`. When the latest day alone takes more, the oldest of its events go.
    pub(crate) fn retire(&mut self, now: Timestamp, kept: Duration, bytes_max: u64) {
        let oldest = Day::of(now.before(kept));
        let mut files = files(&self.folder);
        let mut bytes: u64 = files.iter().map(|(_, path)| database_bytes(path)).sum();
        while let Some((day, path)) = files.pop() {
            let is_latest = files.is_empty();
            if day >= oldest && bytes <= bytes_max {
                break;
            }
            if day >= oldest && is_latest {
                self.thin_out(day, bytes_max);
                break;
            }
            self.open.remove(&day);
            self.checked.remove(&day);
            match unlink_database(&path) {
                Ok(freed) => bytes = bytes.saturating_sub(freed),
                Err(error) => tracing::warn!(%day, %error, "cannot remove the events of a day"),
            }
        }
        self.vitals.events_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Removes the oldest events of a day that is too large: the share that it is beyond, and a
    /// tenth more, but not too many at a time. The file keeps its size, and what comes takes the
    /// place that became free.
    fn thin_out(&mut self, day: Day, bytes_max: u64) {
        let thinned = self.connection(day).and_then(|connection| {
            let used = events::bytes_used(connection)?;
            if used <= bytes_max {
                return Ok(0);
            }
            let beyond = used - bytes_max * 9 / 10;
            let all = u128::from(events::count(connection)?);
            let surplus = (all * u128::from(beyond)).div_ceil(u128::from(used));
            let surplus = u64::try_from(surplus).unwrap_or(u64::MAX).min(THINNED_EVENTS_MAX);
            Ok(events::remove_oldest(connection, surplus)?)
        });
        match thinned {
            Ok(0) => {}
            Ok(events) => {
                tracing::warn!(%day, events, "the oldest events of a large day were removed")
            }
            Err(fault) => tracing::warn!(%day, fault = fault.what(), "cannot remove old events"),
        }
    }

    fn write_day(&mut self, day: Day, events: &[Arc<Event>]) -> Result<(), Fault> {
        let first_try = self.try_day(day, events);
        let Err(Fault::Corrupt(what)) = first_try else {
            return first_try;
        };
        self.open.remove(&day);
        let aside =
            move_aside(&self.path(day)).map_err(|error| Fault::Storage(error.to_string()))?;
        self.vitals.repaired(format!(
            "the events of {day} cannot be added to ({what}); moved aside to {}, a new file was begun",
            aside.display()
        ));
        self.try_day(day, events)
    }

    fn try_day(&mut self, day: Day, events: &[Arc<Event>]) -> Result<(), Fault> {
        let outcome = self.connection(day).and_then(|connection| put_all(connection, events));
        match outcome {
            Ok(unstorable) => {
                let written = events.len() as u64 - unstorable;
                self.vitals.events_written.fetch_add(written, Ordering::Relaxed);
                self.vitals.dropped_unstorable.fetch_add(unstorable, Ordering::Relaxed);
                Ok(())
            }
            Err(fault) => {
                // After a fault of the disk a connection may be in any state; a new one is not.
                self.open.remove(&day);
                Err(fault)
            }
        }
    }

    fn connection(&mut self, day: Day) -> Result<&mut Connection, Fault> {
        if !self.open.contains_key(&day) {
            let check = if self.checked.insert(day) { Check::Whole } else { Check::No };
            let path = self.path(day);
            let connection = open_writer(&path, &events::FORMAT, Durability::Buffered, check)
                .map_err(|fault| match fault {
                    OpenFault::Sqlite(error) => Fault::from(error),
                    // Written by a newer program that was replaced by this one: left to it.
                    OpenFault::Newer { found, .. } => {
                        Fault::Corrupt(format!("a newer version wrote it, in format {found}"))
                    }
                })?;
            while self.open.len() >= OPEN_MAX {
                self.open.pop_first();
            }
            self.open.insert(day, connection);
        }
        self.open.get_mut(&day).ok_or_else(|| Fault::Storage("no connection".to_owned()))
    }

    fn path(&self, day: Day) -> PathBuf {
        self.folder.join(format!("{day}.db"))
    }
}

/// Writes events in one transaction; how many of them cannot be stored at all.
fn put_all(connection: &mut Connection, events: &[Arc<Event>]) -> Result<u64, Fault> {
    let transaction = connection.transaction()?;
    let mut unstorable = 0;
    for event in events {
        match events::put(&transaction, event).map_err(Fault::from) {
            Ok(()) => {}
            Err(Fault::Row(what)) => {
                tracing::warn!(event = %event.id, what, "an event cannot be stored");
                unstorable += 1;
            }
            Err(fault) => return Err(fault),
        }
    }
    transaction.commit()?;
    Ok(unstorable)
}

/// The time in a UUIDv7 (RFC 9562 §5.7): its first 48 bits, in milliseconds.
fn made_at(id: EventId) -> Option<Timestamp> {
    let version = (id.0 >> 76) & 0xf;
    let millis = u64::try_from(id.0 >> 80).ok()?;
    (version == 7).then(|| Timestamp::from_micros(millis.saturating_mul(1_000)))
}

#[cfg(test)]
mod tests;
