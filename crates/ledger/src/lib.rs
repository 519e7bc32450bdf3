//! What happened, kept on disk: events, findings, incidents, rollups, decisions, exceptions, the
//! audit log and learnt state, on SQLite.
//!
//! [`Ledger::open`] takes the data folder and gives two things: a [`Ledger`], which everybody may
//! clone (it hands events in, asks for writes and reads), and the [`Writer`], which owns the two
//! threads that write. `palisade.db` holds what must survive anything (each commit is synced);
//! `events/YYYY-MM-DD.db` holds the events of one UTC day, so that retention is unlinking a file
//! and a broken day costs that day only. No transaction spans two files.
//!
//! Invariant: handing something in never waits for a disk. What does not fit is dropped and
//! counted.
//! Invariant: what [`Ledger::write`] acknowledged is committed and synced.
//! Invariant: readers have connections of their own, a deadline and a limit on rows.
//! Invariant: nothing here knows a secret: events, findings and decisions carry none by type.
//!
//! Deliberately not here: deciding anything, exporting to other systems, and the clock of the
//! decision core. Only the writer thread looks at the wall clock, for retention.

mod audit;
mod backup;
#[cfg(test)]
mod compat;
mod database;
mod days;
mod error;
mod events;
mod examine;
mod filter;
mod folder;
mod health;
mod incidents;
mod key;
mod lane;
mod learnt;
mod ledger;
mod queue;
mod recent;
mod rollups;
mod salvage;
#[cfg(test)]
mod samples;
mod standing;
mod tallies;
mod tokens;
mod writer;

pub use audit::{AuditEntry, AuditFault, AuditHead, AuditLine};
pub use backup::{BackupError, Copied, back_up, restore};
pub use error::{OpenError, QueryError, WriteError};
pub use examine::{Examined, Part, examine};
pub use filter::{Cursor, EventFilter, EventPage};
pub use health::Health;
pub use incidents::{Incident, IncidentFilter, IncidentId, IncidentNote, IncidentState};
pub use learnt::{LearntSlice, LearntState};
pub use ledger::{Ledger, Options, check_audit};
pub use queue::{Change, Entry, Write};
pub use recent::Tail;
pub use rollups::{Grain, Rollup, RollupFilter, RollupSum};
pub use standing::LastIds;
pub use tokens::{TOKENS_MAX, Token};
pub use writer::Writer;
