//! Counts of kinds of exchange, by hour and by day: what reports are made of.
//!
//! As with rollups each count is added to its hour and its day at once. Hours are kept for 90 days,
//! days as long as the options say. The keys are few, so they stand in a table of their own.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use traffic::{Tally, Timestamp};

use crate::database::{loaded, stored};
use crate::rollups::{Grain, HOURS_KEPT};

pub(crate) const SCHEMA: &str = "
    CREATE TABLE tally_keys (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
    CREATE TABLE tallies (
        grain INTEGER NOT NULL,
        start INTEGER NOT NULL,
        key INTEGER NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (grain, start, key)
    ) WITHOUT ROWID;
";

/// More rows than this are not given: 90 days of hours with a hundred kinds of exchange each.
const ROWS_MAX: u64 = 250_000;

/// Adds `tally` to its hour and day.
pub(crate) fn add(tx: &Connection, tally: &Tally) -> rusqlite::Result<()> {
    let key = key(tx, &tally.key.to_string())?;
    for grain in [Grain::Hour, Grain::Day] {
        tx.prepare_cached(
            "INSERT INTO tallies VALUES (?, ?, ?, ?)
             ON CONFLICT (grain, start, key) DO UPDATE SET count = count + excluded.count",
        )?
        .execute(params![
            grain.seconds(),
            grain.start_s(tally.at.as_secs()),
            key,
            stored(tally.count)
        ])?;
    }
    Ok(())
}

/// The counts of the buckets that begin from `from` on and before `to`, the earliest first. Keys
/// that this program does not know (of a newer one) are left out.
pub(crate) fn between(
    connection: &Connection,
    grain: Grain,
    from: Timestamp,
    to: Timestamp,
) -> rusqlite::Result<Vec<Tally>> {
    let mut statement = connection.prepare(
        "SELECT t.start, k.key, t.count FROM tallies t JOIN tally_keys k ON k.id = t.key
         WHERE t.grain = ?1 AND t.start >= ?2 AND t.start < ?3
         ORDER BY t.start, k.key LIMIT ?4",
    )?;
    let places = params![
        grain.seconds(),
        from.as_secs(),
        stored(to.as_micros().div_ceil(1_000_000)),
        stored(ROWS_MAX)
    ];
    let rows = statement.query_map(places, |row| {
        let start: i64 = row.get(0)?;
        Ok((start, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
    })?;
    let mut tallies = Vec::new();
    for row in rows {
        let (start, key, count) = row?;
        let Ok(key) = key.parse() else { continue };
        let at = Timestamp::from_micros(loaded(start).saturating_mul(1_000_000));
        tallies.push(Tally { at, key, count: loaded(count) });
    }
    Ok(tallies)
}

/// When the first bucket of that grain begins.
pub(crate) fn first(connection: &Connection, grain: Grain) -> rusqlite::Result<Option<Timestamp>> {
    let start: Option<i64> = connection.query_row(
        "SELECT min(start) FROM tallies WHERE grain = ?",
        [grain.seconds()],
        |row| row.get(0),
    )?;
    Ok(start.map(|start| Timestamp::from_micros(loaded(start).saturating_mul(1_000_000))))
}

/// Drops the buckets whose time has come, and keys that no bucket uses.
pub(crate) fn trim(tx: &Connection, now: Timestamp, days_kept: Duration) -> rusqlite::Result<()> {
    for (grain, kept) in [(Grain::Hour, HOURS_KEPT.min(days_kept)), (Grain::Day, days_kept)] {
        tx.execute(
            "DELETE FROM tallies WHERE grain = ? AND start < ?",
            params![grain.seconds(), grain.start_s(now.before(kept).as_secs())],
        )?;
    }
    tx.execute("DELETE FROM tally_keys WHERE id NOT IN (SELECT DISTINCT key FROM tallies)", [])?;
    Ok(())
}

fn key(tx: &Connection, key: &str) -> rusqlite::Result<i64> {
    let known = tx
        .prepare_cached("SELECT id FROM tally_keys WHERE key = ?")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    tx.prepare_cached("INSERT INTO tally_keys (key) VALUES (?)")?.execute([key])?;
    Ok(tx.last_insert_rowid())
}

#[cfg(test)]
mod tests {
    use traffic::{ExchangeKind, Fate, Surface, TallyKey};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const DAY: Duration = Duration::from_secs(86_400);

    fn exchange(surface: Surface, fate: Fate) -> TallyKey {
        TallyKey::Exchange(ExchangeKind { surface, fate, ..ExchangeKind::default() })
    }

    #[test]
    fn counts_add_up_by_hour_and_by_day_and_old_ones_go() {
        let connection = Connection::open_in_memory().expect("opens");
        connection.execute_batch(SCHEMA).expect("tables");
        let day = Timestamp::from_micros(20_000 * 86_400_000_000);
        let api = exchange(Surface::Api, Fate::Passed);
        let refused = exchange(Surface::Api, Fate::Refused);
        for hour in 0..48 {
            let at = day.after(HOUR * hour).after(Duration::from_secs(70));
            add(&connection, &Tally { at, key: api, count: 2 }).expect("added");
            add(&connection, &Tally { at, key: api, count: 3 }).expect("added");
        }
        add(&connection, &Tally { at: day, key: refused, count: 1 }).expect("added");
        let all = |grain| between(&connection, grain, day, day.after(DAY * 2)).expect("an answer");
        assert_eq!(all(Grain::Hour).iter().map(|it| it.count).sum::<u64>(), 48 * 5 + 1);
        let days = all(Grain::Day);
        let counted: Vec<_> = days.iter().map(|it| (it.at, it.key, it.count)).collect();
        let next = day.after(DAY);
        assert_eq!(counted, [(day, api, 120), (day, refused, 1), (next, api, 120)]);
        let second = between(&connection, Grain::Hour, next, next.after(HOUR)).expect("an answer");
        assert_eq!(second.len(), 1, "the end is excluded");
        assert_eq!(first(&connection, Grain::Hour).expect("an answer"), Some(day));

        trim(&connection, day.after(DAY * 91), DAY * 400).expect("trimmed");
        assert_eq!(first(&connection, Grain::Hour).expect("an answer"), Some(next));
        assert_eq!(first(&connection, Grain::Day).expect("an answer"), Some(day));
        trim(&connection, day.after(DAY * 500), DAY * 400).expect("trimmed");
        assert_eq!(first(&connection, Grain::Day).expect("an answer"), None);
        let keys: i64 = connection
            .query_row("SELECT count(*) FROM tally_keys", [], |row| row.get(0))
            .expect("an answer");
        assert_eq!(keys, 0);
    }

    #[test]
    fn keys_of_a_newer_program_do_not_hide_the_others() {
        let connection = Connection::open_in_memory().expect("opens");
        connection.execute_batch(SCHEMA).expect("tables");
        let at = Timestamp::from_micros(20_000 * 86_400_000_000);
        let api = exchange(Surface::Api, Fate::Passed);
        add(&connection, &Tally { at, key: api, count: 2 }).expect("added");
        connection
            .execute_batch(
                "INSERT INTO tally_keys VALUES (9, 'exchange hologram');
                 INSERT INTO tallies SELECT grain, start, 9, 7 FROM tallies;",
            )
            .expect("a row of the future");
        let read = between(&connection, Grain::Day, at, at.after(DAY)).expect("an answer");
        assert_eq!(read, [Tally { at, key: api, count: 2 }]);
    }
}
