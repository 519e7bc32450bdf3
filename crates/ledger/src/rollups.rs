//! Counts by time, endpoint, status class and action: what most honest traffic leaves behind.
//!
//! Each row that comes in is added to its minute, its hour and its day at once, exactly, so that no
//! later job has to compact anything and a question over a year reads days only. Minutes are kept
//! for two days, hours for 90, days as long as the options say.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use traffic::{Action, Timestamp};

use crate::database::{loaded, stored};

pub(crate) const SCHEMA: &str = "
    CREATE TABLE labels (id INTEGER PRIMARY KEY, label TEXT NOT NULL UNIQUE);
    CREATE TABLE rollups (
        grain INTEGER NOT NULL,
        start INTEGER NOT NULL,
        label INTEGER NOT NULL,
        class INTEGER NOT NULL,
        action TEXT NOT NULL,
        enforced INTEGER NOT NULL,
        count INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        latency BLOB NOT NULL,
        PRIMARY KEY (grain, start, label, class, action, enforced)
    ) WITHOUT ROWID;
";

const MINUTES_KEPT: Duration = Duration::from_secs(48 * 3_600);
pub(crate) const HOURS_KEPT: Duration = Duration::from_secs(90 * 86_400);
/// Latency classes beyond this are not kept; the engine has sixteen.
const LATENCY_CLASSES_MAX: usize = 64;

/// How long one bucket is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Grain {
    /// 60 s, kept for two days.
    Minute,
    /// 3,600 s, kept for 90 days.
    Hour,
    /// 86,400 s (UTC), kept for 400 days unless the options say otherwise.
    Day,
}

/// Counts to be added.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rollup {
    /// A moment in the minute that was counted.
    pub at: Timestamp,
    /// The endpoint as `METHOD host-group /template`; none for what matched none.
    pub endpoint: Option<String>,
    /// First digit of the status that the caller got.
    pub status_class: u8,
    /// What the evidence asked for.
    pub action: Action,
    /// Whether it was carried out.
    pub enforced: bool,
    /// Exchanges.
    pub count: u64,
    /// Bytes of answers.
    pub bytes: u64,
    /// Exchanges by latency class, in the engine's order of classes.
    pub latency: Vec<u64>,
}

/// Which counts.
#[derive(Clone, Debug)]
pub struct RollupFilter {
    /// The length of a bucket.
    pub grain: Grain,
    /// From the bucket that holds this moment.
    pub from: Timestamp,
    /// Up to the bucket that holds this moment, included.
    pub to: Timestamp,
    /// Only of this endpoint.
    pub endpoint: Option<String>,
    /// At most so many rows, the latest first.
    pub limit: usize,
}

/// Counts of one bucket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RollupSum {
    /// When the bucket begins.
    pub start: Timestamp,
    /// The endpoint; none for what matched none.
    pub endpoint: Option<String>,
    /// First digit of the status that the caller got.
    pub status_class: u8,
    /// What the evidence asked for, as [`Action::key`].
    pub action: String,
    /// Whether it was carried out.
    pub enforced: bool,
    /// Exchanges.
    pub count: u64,
    /// Bytes of answers.
    pub bytes: u64,
    /// Exchanges by latency class.
    pub latency: Vec<u64>,
}

impl Grain {
    const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// Its length in seconds.
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }

    /// The finest grain that still has `from` at `now`, and not too many buckets in between.
    pub fn fitting(from: Timestamp, now: Timestamp) -> Self {
        match now.since(from) {
            span if span <= Duration::from_secs(6 * 3_600) => Self::Minute,
            span if span <= Duration::from_secs(14 * 86_400) => Self::Hour,
            _ => Self::Day,
        }
    }

    pub(crate) const fn start_s(self, at_s: u32) -> u32 {
        at_s - at_s % self.seconds()
    }
}

/// Adds `rollup` to its minute, hour and day.
pub(crate) fn add(tx: &Connection, rollup: &Rollup) -> rusqlite::Result<()> {
    let label = label(tx, rollup.endpoint.as_deref().unwrap_or_default())?;
    for grain in Grain::ALL {
        let place = params![
            grain.seconds(),
            grain.start_s(rollup.at.as_secs()),
            label,
            rollup.status_class,
            rollup.action.key(),
            rollup.enforced
        ];
        let known: Option<(i64, i64, Vec<u8>)> = tx
            .prepare_cached(
                "SELECT count, bytes, latency FROM rollups WHERE grain = ? AND start = ?
                 AND label = ? AND class = ? AND action = ? AND enforced = ?",
            )?
            .query_row(place, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let (count, bytes, latency) = known.unwrap_or_default();
        let latency = sum(&unpacked(&latency), &rollup.latency);
        tx.prepare_cached("INSERT OR REPLACE INTO rollups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?
            .execute(params![
                grain.seconds(),
                grain.start_s(rollup.at.as_secs()),
                label,
                rollup.status_class,
                rollup.action.key(),
                rollup.enforced,
                count.saturating_add(stored(rollup.count)),
                bytes.saturating_add(stored(rollup.bytes)),
                packed(&latency)
            ])?;
    }
    Ok(())
}

/// The counts that `filter` asks for, the latest first.
pub(crate) fn sums(
    connection: &Connection,
    filter: &RollupFilter,
) -> rusqlite::Result<Vec<RollupSum>> {
    let mut statement = connection.prepare(
        "SELECT r.start, l.label, r.class, r.action, r.enforced, r.count, r.bytes, r.latency
         FROM rollups r JOIN labels l ON l.id = r.label
         WHERE r.grain = ?1 AND r.start BETWEEN ?2 AND ?3 AND (?4 IS NULL OR l.label = ?4)
         ORDER BY r.start DESC, l.label, r.class, r.action, r.enforced LIMIT ?5",
    )?;
    let rows = statement.query_map(
        params![
            filter.grain.seconds(),
            filter.grain.start_s(filter.from.as_secs()),
            filter.grain.start_s(filter.to.as_secs()),
            filter.endpoint,
            stored(filter.limit as u64)
        ],
        read,
    )?;
    rows.collect()
}

/// When the first minute begins that is kept.
pub(crate) fn first_minute(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let start: Option<i64> = connection.query_row(
        "SELECT min(start) FROM rollups WHERE grain = ?",
        [Grain::Minute.seconds()],
        |row| row.get(0),
    )?;
    Ok(start.map(|start| Timestamp::from_micros(loaded(start).saturating_mul(1_000_000))))
}

/// Drops the buckets whose time has come, and labels that no bucket uses.
pub(crate) fn trim(tx: &Connection, now: Timestamp, days_kept: Duration) -> rusqlite::Result<()> {
    let kept = [
        (Grain::Minute, MINUTES_KEPT.min(days_kept)),
        (Grain::Hour, HOURS_KEPT.min(days_kept)),
        (Grain::Day, days_kept),
    ];
    for (grain, kept) in kept {
        tx.execute(
            "DELETE FROM rollups WHERE grain = ? AND start < ?",
            params![grain.seconds(), grain.start_s(now.before(kept).as_secs())],
        )?;
    }
    tx.execute("DELETE FROM labels WHERE id NOT IN (SELECT DISTINCT label FROM rollups)", [])?;
    Ok(())
}

fn label(tx: &Connection, label: &str) -> rusqlite::Result<i64> {
    let known = tx
        .prepare_cached("SELECT id FROM labels WHERE label = ?")?
        .query_row([label], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    tx.prepare_cached("INSERT INTO labels (label) VALUES (?)")?.execute([label])?;
    Ok(tx.last_insert_rowid())
}

fn read(row: &Row<'_>) -> rusqlite::Result<RollupSum> {
    let label: String = row.get(1)?;
    Ok(RollupSum {
        start: Timestamp::from_micros(loaded(row.get(0)?).saturating_mul(1_000_000)),
        endpoint: (!label.is_empty()).then_some(label),
        status_class: row.get(2)?,
        action: row.get(3)?,
        enforced: row.get(4)?,
        count: loaded(row.get(5)?),
        bytes: loaded(row.get(6)?),
        latency: unpacked(&row.get::<_, Vec<u8>>(7)?),
    })
}

fn sum(one: &[u64], other: &[u64]) -> Vec<u64> {
    let classes = one.len().max(other.len()).min(LATENCY_CLASSES_MAX);
    let at = |counts: &[u64], class: usize| counts.get(class).copied().unwrap_or(0);
    (0..classes).map(|class| at(one, class).saturating_add(at(other, class))).collect()
}

/// Counts as LEB128, because most are small or zero.
fn packed(counts: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(counts.len() * 2);
    for count in counts {
        let mut rest = *count;
        loop {
            let [low, ..] = rest.to_le_bytes();
            rest >>= 7;
            if rest == 0 {
                bytes.push(low & 0x7f);
                break;
            }
            bytes.push(low | 0x80);
        }
    }
    bytes
}

/// The counts that [`packed`] wrote. What is damaged reads as something, never as a failure.
fn unpacked(bytes: &[u8]) -> Vec<u64> {
    let mut counts = Vec::new();
    let (mut count, mut shift) = (0_u64, 0_u32);
    for byte in bytes {
        count |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            counts.push(count);
            (count, shift) = (0, 0);
            if counts.len() >= LATENCY_CLASSES_MAX {
                break;
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests;
