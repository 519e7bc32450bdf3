//! What can go wrong, in sentences that name the file and what to do.
//!
//! Small on purpose: callers tell apart only what they would answer differently. No error carries
//! the content of a row.

use std::path::PathBuf;

/// The data folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another instance has it.
    #[error(
        "the data folder {} is in use by {}; stop that instance or choose another folder with --data",
        folder.display(),
        holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// The process that holds it, when it said so.
        holder: Option<u32>,
    },
    /// A file or folder cannot be made, read or locked.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The hash key is damaged. It is never replaced silently: all that is stored depends on it.
    #[error(
        "{} is not a key of 32 hexadecimal digits; restore it from a backup, or move it away to begin \
         with a new one (what was learnt will be forgotten)",
        path.display()
    )]
    BadKey {
        /// The key file.
        path: PathBuf,
    },
    /// A newer program wrote this file.
    #[error(
        "{} was written by a newer version of palisade (format {found}, this one knows {known})",
        path.display()
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The format of this program.
        known: i64,
    },
    /// The disk does not take what a new database needs.
    #[error("cannot open {}, the disk does not take it: {what}", path.display())]
    Storage {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        what: String,
    },
    /// The database does not answer as it should.
    #[error("cannot open {}: {source}", path.display())]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// A question that got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// It would have taken too long.
    #[error("the query took longer than {0} ms; ask for a shorter time")]
    Deadline(u128),
    /// The database cannot be read.
    #[error("cannot read the ledger: {0}")]
    Database(rusqlite::Error),
    /// A stored row does not read as what it should be.
    #[error("a stored {what} is damaged")]
    Damaged {
        /// What sort of row.
        what: &'static str,
    },
}

/// A write that was not carried out.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The disk is full or failing: nothing was stored.
    #[error("not stored, the disk does not take it: {0}")]
    Storage(String),
    /// The change itself cannot be stored.
    #[error("not stored: {0}")]
    Refused(String),
    /// There is no such thing to change.
    #[error("there is no {0}")]
    NoSuch(String),
    /// Too many writes are waiting.
    #[error("not stored, too many writes are waiting")]
    Busy,
    /// The writer has ended.
    #[error("not stored, the ledger is closed")]
    Closed,
}
