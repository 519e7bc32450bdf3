//! What can be saved of a damaged `palisade.db`.
//!
//! SQLite survives kills and full disks by itself; this is for what breaks files from outside. The
//! damaged file is moved aside and never changed again; whatever rows can still be read of what
//! people decided goes into the new one. Learnt state is not saved: half of it would mislead.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::database::open_reader;

/// What people decided and what was found, the most important first.
const TABLES: [&str; 10] = [
    "decisions",
    "exceptions",
    "last_ids",
    "removed",
    "audit",
    "audit_head",
    "incidents",
    "findings",
    "incident_notes",
    "tokens",
];

/// Starting must not take longer for it.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Copies the rows that can be read from `damaged` into `fresh`; how many there were.
pub(crate) fn copy_readable(damaged: &Path, fresh: &mut Connection) -> rusqlite::Result<usize> {
    let Ok(source) = open_reader(damaged, Instant::now() + TIME_MAX) else {
        return Ok(0);
    };
    let transaction = fresh.transaction()?;
    let mut copied = 0;
    for table in TABLES {
        copied += copy_table(&source, &transaction, table);
    }
    transaction.commit()?;
    Ok(copied)
}

/// Rows of one table until the first that cannot be read. Failing is what damaged files do.
fn copy_table(source: &Connection, into: &Connection, table: &'static str) -> usize {
    let Ok(mut statement) = source.prepare(&format!("SELECT * FROM {table}")) else {
        return 0;
    };
    let columns = statement.column_count();
    let places = vec!["?"; columns].join(", ");
    let Ok(mut insert) = into.prepare(&format!("INSERT OR REPLACE INTO {table} VALUES ({places})"))
    else {
        return 0;
    };
    let Ok(mut rows) = statement.query([]) else {
        return 0;
    };
    let mut copied = 0;
    while let Ok(Some(row)) = rows.next() {
        let values: rusqlite::Result<Vec<Value>> =
            (0..columns).map(|column| row.get(column)).collect();
        if let Ok(values) = values
            && insert.execute(params_from_iter(values)).is_ok()
        {
            copied += 1;
        }
    }
    copied
}
