//! How a database file is opened: pragmas, format versions, deadlines, and what an error means.
//!
//! Each file carries an application id and a format version, is brought to the present format step
//! by step, and is refused when a newer program wrote it. SQL itself stands beside what it stores.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::folder::{database_bytes, make_private_file};

/// "PALS": says whose files these are to `file` and to us.
const APPLICATION_ID: i64 = 0x5041_4c53;
/// Larger files are not walked whole when they are opened: starting must not take seconds.
const CHECKED_BYTES_MAX: u64 = 16 << 20;
/// Readers and the writer meet only for moments.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Virtual machine steps between two looks at the clock.
const STEPS_PER_LOOK: i32 = 2_000;
/// The write-ahead log is cut back to this after it grew beyond.
const WAL_BYTES_KEPT: i64 = 16 << 20;

/// What a connection keeps of its file in memory. The operating system keeps more of it, and not at
/// the expense of the program's own budget.
const CACHE_KIB: i64 = 1024;
/// Should nobody else bring the log into the file for so long (128 MiB), the writer does it itself.
const PAGES_UNTIL_OWN_CHECKPOINT: i64 = 32_768;

/// The format of one sort of file: step *n*, a list of SQL scripts, brings version *n* to *n* + 1.
pub(crate) struct Format {
    pub(crate) steps: &'static [&'static [&'static str]],
}

/// When a commit counts as done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Durability {
    /// After it is on the disk: survives a power cut.
    Synced,
    /// After the operating system has it: survives a crash of the program.
    Buffered,
}

/// Why a database was not opened.
#[derive(Debug)]
pub(crate) enum OpenFault {
    Newer { found: i64, known: i64 },
    Sqlite(rusqlite::Error),
}

/// What an error of SQLite calls for.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The file is damaged: move it aside.
    Corrupt(String),
    /// The disk is full, failing or not writable: keep and try again.
    Storage(String),
    /// This one row cannot be stored: drop it, or the rest would wait for ever.
    Row(String),
}

impl From<rusqlite::Error> for OpenFault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Fault {
    /// What SQLite, or the operating system, says.
    pub(crate) fn what(&self) -> &str {
        let (Self::Corrupt(what) | Self::Storage(what) | Self::Row(what)) = self;
        what
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        let what = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(what),
            Some(
                ErrorCode::ConstraintViolation
                | ErrorCode::TooBig
                | ErrorCode::TypeMismatch
                | ErrorCode::ParameterOutOfRange,
            ) => Self::Row(what),
            // Anything else that SQLite reports (full, I/O, read-only, locked, no memory) may pass.
            Some(_) => Self::Storage(what),
            // And what our own conversions report will not.
            None => Self::Row(what),
        }
    }
}

/// Whether a file is walked whole when it is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Check {
    /// The first time, when it is of moderate size.
    Whole,
    /// It was, a moment ago.
    No,
}

/// Opens a file for writing: made when missing, private, checked, and in the present format.
pub(crate) fn open_writer(
    path: &Path,
    format: &Format,
    durability: Durability,
    check: Check,
) -> Result<Connection, OpenFault> {
    make_private_file(path).map_err(|error| cannot_open(&error.to_string()))?;
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // A negative number counts KiB, a positive one pages.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(
        None,
        "synchronous",
        match durability {
            Durability::Synced => "FULL",
            Durability::Buffered => "NORMAL",
        },
    )?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    if durability == Durability::Buffered {
        // Somebody else does that, because it waits for the disk.
        connection.pragma_update(None, "wal_autocheckpoint", PAGES_UNTIL_OWN_CHECKPOINT)?;
    }
    if check == Check::Whole {
        check_whole(&connection, path)?;
    }
    bring_up_to_date(&mut connection, format)?;
    Ok(connection)
}

/// Brings the write-ahead log of a file into it, as far as nobody is using it.
pub(crate) fn checkpoint(path: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// The bytes of a file's write-ahead log.
pub(crate) fn log_bytes(path: &Path) -> u64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    std::fs::metadata(log).map_or(0, |metadata| metadata.len())
}

/// Opens a file for reading; whatever is asked through it ends at `deadline`.
///
/// Even reading needs a companion file of 32 KiB, which a full disk does not take. A file that was
/// closed in good order is complete without one, and is then read as it stands.
pub(crate) fn open_reader(path: &Path, deadline: Instant) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let is_refused = format_of(&connection).err().is_some_and(|error| {
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::CannotOpen | ErrorCode::DiskFull | ErrorCode::SystemIoFailure)
        )
    });
    // Any other error is met again at the question that it concerns.
    if is_refused && log_bytes(path) == 0 {
        let uri = OpenFlags::SQLITE_OPEN_URI;
        return limited(Connection::open_with_flags(unchanging(path), flags | uri)?, deadline);
    }
    limited(connection, deadline)
}

fn limited(mut connection: Connection, deadline: Instant) -> rusqlite::Result<Connection> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.progress_handler(STEPS_PER_LOOK, Some(move || Instant::now() >= deadline))?;
    Ok(connection)
}

/// The URI that asks SQLite to take a file for one that nobody changes.
fn unchanging(path: &Path) -> String {
    let path = path.to_string_lossy();
    let path = path.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?immutable=1")
}

fn format_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Whether a file has its tables yet: it may have been made this very moment.
pub(crate) fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(format_of(connection)? > 0)
}

/// Whether a query was ended by its deadline.
pub(crate) fn hit_deadline(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

/// An unsigned number as SQLite keeps it. What does not fit (beyond the year 292,000) is capped.
pub(crate) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The number that [`stored`] wrote.
pub(crate) fn loaded(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Walks a file of moderate size once, so that damage is met here and not in the middle of a day.
fn check_whole(connection: &Connection, path: &Path) -> Result<(), OpenFault> {
    if database_bytes(path) > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if said == "ok" {
        return Ok(());
    }
    Err(OpenFault::Sqlite(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        Some(said),
    )))
}

fn bring_up_to_date(connection: &mut Connection, format: &Format) -> Result<(), OpenFault> {
    let known = i64::try_from(format.steps.len()).unwrap_or(i64::MAX);
    let found = format_of(connection)?;
    if found > known {
        return Err(OpenFault::Newer { found, known });
    }
    if found == known {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in format.steps.iter().skip(usize::try_from(found).unwrap_or(0)) {
        for script in *step {
            transaction.execute_batch(script)?;
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

fn cannot_open(why: &str) -> OpenFault {
    OpenFault::Sqlite(rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
        Some(why.to_owned()),
    ))
}
