//! Decisions and exceptions on disk.
//!
//! Who holds them in force is `shield`; here they only survive a restart, and what has ended is
//! kept for a while, because people ask afterwards. Numbers are never used twice: the highest ones
//! ever given are remembered, also when their decision is gone. What was removed stays removed:
//! news of it that is late (a hit counted a moment before) must not bring it back.

use std::time::Duration;

use rusqlite::{Connection, params};
use serde::de::DeserializeOwned;
use traffic::{Decision, DecisionId, Exception, ExceptionId, Timestamp};

use crate::database::{loaded, stored};

pub(crate) const SCHEMA: &str = "
    CREATE TABLE decisions (id INTEGER PRIMARY KEY, until INTEGER, record TEXT NOT NULL);
    CREATE TABLE exceptions (id INTEGER PRIMARY KEY, until INTEGER, record TEXT NOT NULL);
    CREATE TABLE removed (
        what TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (what, id)
    ) WITHOUT ROWID;
    CREATE TABLE last_ids (what TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
";

/// So many numbers back it is remembered what was removed.
const REMOVED_KEPT: i64 = 10_000;
/// What has ended is kept this long.
const ENDED_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// The highest numbers ever given.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LastIds {
    /// Of a decision.
    pub decision: u64,
    /// Of an exception.
    pub exception: u64,
}

/// Who brings a decision or an exception.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum News {
    /// Somebody who waits for it: it holds, whatever was before.
    Awaited,
    /// Nobody waits: it may be older than a removal that was faster.
    Late,
}

pub(crate) fn put_decision(
    tx: &Connection,
    decision: &Decision,
    news: News,
) -> rusqlite::Result<()> {
    put(tx, "decisions", decision.id.0, decision.until, &json(decision)?, news)
}

pub(crate) fn put_exception(
    tx: &Connection,
    exception: &Exception,
    news: News,
) -> rusqlite::Result<()> {
    put(tx, "exceptions", exception.id.0, exception.until, &json(exception)?, news)
}

pub(crate) fn remove_decision(tx: &Connection, id: DecisionId) -> rusqlite::Result<()> {
    remove(tx, "decisions", id.0)
}

pub(crate) fn remove_exception(tx: &Connection, id: ExceptionId) -> rusqlite::Result<()> {
    remove(tx, "exceptions", id.0)
}

/// All decisions, and how many rows could not be read.
pub(crate) fn decisions(connection: &Connection) -> rusqlite::Result<(Vec<Decision>, usize)> {
    records(connection, "SELECT record FROM decisions ORDER BY id")
}

/// All exceptions, and how many rows could not be read.
pub(crate) fn exceptions(connection: &Connection) -> rusqlite::Result<(Vec<Exception>, usize)> {
    records(connection, "SELECT record FROM exceptions ORDER BY id")
}

pub(crate) fn last_ids(connection: &Connection) -> rusqlite::Result<LastIds> {
    let mut ids = LastIds::default();
    let mut statement = connection.prepare("SELECT what, id FROM last_ids")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (what, id) = (row.get::<_, String>(0)?, loaded(row.get(1)?));
        match what.as_str() {
            "decisions" => ids.decision = id,
            "exceptions" => ids.exception = id,
            _ => {}
        }
    }
    Ok(ids)
}

/// Drops what ended long ago.
pub(crate) fn trim(tx: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let ended = stored(now.before(ENDED_KEPT).as_micros());
    tx.execute("DELETE FROM decisions WHERE until < ?", [ended])?;
    tx.execute("DELETE FROM exceptions WHERE until < ?", [ended])?;
    tx.execute(
        "DELETE FROM removed WHERE id + ?1 <
         (SELECT max(id) FROM removed AS later WHERE later.what = removed.what)",
        [REMOVED_KEPT],
    )?;
    Ok(())
}

fn put(
    tx: &Connection,
    table: &'static str,
    id: u64,
    until: Option<Timestamp>,
    record: &str,
    news: News,
) -> rusqlite::Result<()> {
    let place = params![table, stored(id)];
    let was_removed =
        tx.prepare_cached("SELECT 1 FROM removed WHERE what = ? AND id = ?")?.exists(place)?;
    if was_removed && news == News::Late {
        return Ok(());
    }
    if was_removed {
        tx.execute("DELETE FROM removed WHERE what = ? AND id = ?", place)?;
    }
    let until = until.map(|until| stored(until.as_micros()));
    tx.prepare_cached(&format!("INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)"))?
        .execute(params![stored(id), until, record])?;
    tx.prepare_cached(
        "INSERT INTO last_ids VALUES (?, ?) ON CONFLICT DO UPDATE SET id = max(id, excluded.id)",
    )?
    .execute(place)?;
    Ok(())
}

fn remove(tx: &Connection, table: &'static str, id: u64) -> rusqlite::Result<()> {
    tx.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?"))?.execute([stored(id)])?;
    tx.prepare_cached("INSERT OR IGNORE INTO removed VALUES (?, ?)")?
        .execute(params![table, stored(id)])?;
    Ok(())
}

/// One damaged row must not hide the others: they are still in force.
fn records<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
) -> rusqlite::Result<(Vec<T>, usize)> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let (mut read, mut damaged) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let record = row.get_ref(0)?.as_str().ok().and_then(|text| serde_json::from_str(text).ok());
        match record {
            Some(record) => read.push(record),
            None => damaged += 1,
        }
    }
    Ok((read, damaged))
}

pub(crate) fn json(record: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(record)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
