//! Events in the file of one day.
//!
//! The whole event stands in one JSON column; beside it are the columns that questions narrow by.
//! The count has a column of its own, because it grows while the rest stays.

use rusqlite::{Connection, OptionalExtension, params, params_from_iter, types::Value};
use traffic::{Event, EventId};

use crate::database::{Format, hit_deadline, loaded, stored};
use crate::filter::EventFilter;
use crate::standing::json;

pub(crate) const FORMAT: Format = Format {
    steps: &[&["
        CREATE TABLE events (
            id BLOB PRIMARY KEY,
            at INTEGER NOT NULL,
            request_id TEXT NOT NULL,
            site TEXT NOT NULL,
            action TEXT NOT NULL,
            layer TEXT,
            client TEXT NOT NULL,
            endpoint TEXT,
            is_sample INTEGER NOT NULL,
            count INTEGER NOT NULL,
            record TEXT NOT NULL
        );
        CREATE INDEX events_by_time ON events (at);
        CREATE INDEX events_by_request ON events (request_id);
        CREATE INDEX events_by_client ON events (client, at);
    "]],
};

/// What a question to one file brought.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) events: Vec<Event>,
    pub(crate) is_complete: bool,
}

/// Stores an event, or adds to the count of the one with its ID.
pub(crate) fn put(connection: &Connection, event: &Event) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET count = count + excluded.count",
        )?
        .execute(params![
            event.id.0.to_be_bytes(),
            stored(event.at.as_micros()),
            event.request_id,
            event.site,
            event.action.key(),
            event.layer.map(traffic::Layer::key),
            event.client,
            event.endpoint,
            event.is_sample,
            event.count,
            json(event)?,
        ])?;
    Ok(())
}

pub(crate) fn by_id(connection: &Connection, id: EventId) -> rusqlite::Result<Option<Event>> {
    one(connection, "SELECT record, count FROM events WHERE id = ?", id.0.to_be_bytes())
}

/// The latest event of a request.
pub(crate) fn by_request(
    connection: &Connection,
    request_id: &str,
) -> rusqlite::Result<Option<Event>> {
    one(
        connection,
        "SELECT record, count FROM events WHERE request_id = ? ORDER BY at DESC LIMIT 1",
        request_id,
    )
}

/// The latest events of this file that `filter` matches. Time running out is not a failure: what
/// was found until then is given.
pub(crate) fn matching(connection: &Connection, filter: &EventFilter) -> rusqlite::Result<Found> {
    let (sql, values) = narrowed(filter);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Found { events: Vec::new(), is_complete: true };
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(found),
            Err(error) if hit_deadline(&error) => {
                found.is_complete = false;
                return Ok(found);
            }
            Err(error) => return Err(error),
        };
        match event(row)? {
            Some(event) if filter.matches(&event) => found.events.push(event),
            Some(_) => {}
            None => found.is_complete = false,
        }
        if found.events.len() >= filter.rows_max() {
            return Ok(found);
        }
    }
}

/// Bytes of the file that hold something.
pub(crate) fn bytes_used(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name: &str| -> rusqlite::Result<u64> {
        connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).map(loaded)
    };
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(pages.saturating_mul(pragma("page_size")?))
}

/// How many there are.
pub(crate) fn count(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0)).map(loaded)
}

/// Removes the oldest events; how many.
pub(crate) fn remove_oldest(connection: &Connection, events_max: u64) -> rusqlite::Result<usize> {
    connection.execute(
        "DELETE FROM events WHERE rowid IN (SELECT rowid FROM events ORDER BY at LIMIT ?)",
        [stored(events_max)],
    )
}

/// What the columns can tell of a filter, in SQL; [`EventFilter::matches`] has the last word.
fn narrowed(filter: &EventFilter) -> (String, Vec<Value>) {
    let mut sql = "SELECT record, count FROM events WHERE 1".to_owned();
    let mut values = Vec::new();
    let mut narrow = |condition: &str, of: Vec<Value>| {
        sql.push_str(condition);
        values.extend(of);
    };
    if let Some(from) = filter.from {
        narrow(" AND at >= ?", vec![Value::Integer(stored(from.as_micros()))]);
    }
    if let Some(to) = filter.to {
        narrow(" AND at < ?", vec![Value::Integer(stored(to.as_micros()))]);
    }
    if let Some(after) = filter.after {
        narrow(" AND at <= ?", vec![Value::Integer(stored(after.at.as_micros()))]);
    }
    if !filter.actions.is_empty() {
        let places = vec!["?"; filter.actions.len()].join(", ");
        let keys = filter.actions.iter().map(|action| Value::Text(action.key().to_owned()));
        narrow(&format!(" AND action IN ({places})"), keys.collect());
    }
    if let Some(layer) = filter.layer {
        narrow(" AND layer = ?", vec![Value::Text(layer.key().to_owned())]);
    }
    let texts = [
        (" AND site = ?", &filter.site),
        (" AND client = ?", &filter.client),
        (" AND endpoint = ?", &filter.endpoint),
    ];
    for (condition, text) in texts {
        if let Some(text) = text {
            narrow(condition, vec![Value::Text(text.clone())]);
        }
    }
    if !filter.with_samples {
        sql.push_str(" AND is_sample = 0");
    }
    sql.push_str(" ORDER BY at DESC, id DESC");
    (sql, values)
}

fn one(
    connection: &Connection,
    sql: &str,
    key: impl rusqlite::ToSql,
) -> rusqlite::Result<Option<Event>> {
    connection.prepare(sql)?.query_row([key], event).optional().map(Option::flatten)
}

/// The event of a row; none when its record is damaged.
fn event(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Event>> {
    let record = row.get_ref(0)?.as_str()?;
    let Ok(mut event) = serde_json::from_str::<Event>(record) else {
        tracing::warn!("a stored event is damaged and left out");
        return Ok(None);
    };
    event.count = u32::try_from(row.get::<_, i64>(1)?).unwrap_or(u32::MAX);
    Ok(Some(event))
}
