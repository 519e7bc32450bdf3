//! Learnt state on disk: opaque slices in generations, of which exactly one is current.
//!
//! A state of many megabytes comes slice by slice, each taken when the one before is written, so
//! that it is never in memory as a whole; and it is written in steps, so that a decision that an
//! operator waits for is never behind it. One transaction makes the new generation current: after a
//! crash there is the old state or the new one, never a mixture. The old one is removed in steps,
//! too. A generation carries the SHA-256 of all its slices, because a state that was damaged on
//! disk must not be believed.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest as _, Sha256};
use traffic::Timestamp;

use crate::database::{loaded, stored};

pub(crate) const SCHEMA: &str = "
    CREATE TABLE learnt_generations (
        generation INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        key_id INTEGER NOT NULL,
        is_current INTEGER NOT NULL
    );
    CREATE TABLE learnt_parts (
        generation INTEGER NOT NULL,
        part TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        sha256 BLOB NOT NULL,
        PRIMARY KEY (generation, part)
    ) WITHOUT ROWID;
    CREATE TABLE learnt_chunks (
        id INTEGER PRIMARY KEY,
        generation INTEGER NOT NULL,
        part TEXT NOT NULL,
        number INTEGER NOT NULL,
        bytes BLOB NOT NULL
    );
    CREATE UNIQUE INDEX learnt_chunks_place ON learnt_chunks (generation, part, number);
";

/// What was learnt under the first format is forgotten: the engine that could read it is gone.
pub(crate) const SLICES_SCHEMA: &str = "
    DROP TABLE learnt_chunks;
    DROP TABLE learnt_parts;
    DROP TABLE learnt_generations;
    CREATE TABLE learnt_generations (
        generation INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        key_id INTEGER NOT NULL,
        is_current INTEGER NOT NULL,
        slices INTEGER NOT NULL,
        sha256 BLOB NOT NULL
    );
    CREATE TABLE learnt_slices (
        id INTEGER PRIMARY KEY,
        generation INTEGER NOT NULL,
        number INTEGER NOT NULL,
        part TEXT NOT NULL,
        bytes BLOB NOT NULL
    );
    CREATE UNIQUE INDEX learnt_slices_place ON learnt_slices (generation, number);
";

/// What one step writes at most, but for the slice that goes beyond it.
const STEP_BYTES: usize = 1 << 20;
/// Slices that one step removes at most.
const STEP_REMOVES: i64 = 64;

/// Some bytes of a part of learnt state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LearntSlice {
    /// Of which part.
    pub part: String,
    /// The bytes, which mean nothing here.
    pub bytes: Vec<u8>,
}

/// Learnt state that is to be kept.
pub struct LearntState {
    /// When it began to be taken: nothing in it is older.
    pub at: Timestamp,
    /// Its slices, in the order in which they are to be read. Each is asked for by the writer's
    /// thread when it is to be written.
    pub slices: Box<dyn Iterator<Item = LearntSlice> + Send>,
}

/// How far a state has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// It is still being written.
    Written,
    /// With the commit of this step it is the current one.
    Current,
    /// It was the current one before this step, which removed some of older ones.
    Removed,
    /// Nothing is left to be done.
    Done,
}

/// A state that is being written.
#[derive(Debug)]
pub(crate) struct Saving {
    state: LearntState,
    key_id: u64,
    generation: Option<i64>,
    slices: u64,
    sha256: Sha256,
    is_current: bool,
}

impl fmt::Debug for LearntState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LearntState").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Saving {
    pub(crate) fn new(state: LearntState, key_id: u64) -> Self {
        let sha256 = Sha256::new();
        Self { state, key_id, generation: None, slices: 0, sha256, is_current: false }
    }

    /// Does the next step in the transaction `tx`.
    pub(crate) fn step(&mut self, tx: &Connection) -> rusqlite::Result<Step> {
        let Some(generation) = self.generation else {
            // What a crash left half written goes first.
            let current = current(tx)?.map_or(-1, |current| current.generation);
            if remove_others(tx, current)? {
                self.generation = Some(self.begin(tx)?);
            }
            return Ok(Step::Written);
        };
        if self.is_current {
            let is_done = remove_others(tx, generation)?;
            return Ok(if is_done { Step::Done } else { Step::Removed });
        }
        let mut written = 0;
        while written < STEP_BYTES {
            let Some(slice) = self.state.slices.next() else {
                self.make_current(tx, generation)?;
                self.is_current = true;
                return Ok(Step::Current);
            };
            self.put(tx, generation, &slice)?;
            written += slice.bytes.len();
        }
        Ok(Step::Written)
    }

    fn begin(&self, tx: &Connection) -> rusqlite::Result<i64> {
        tx.execute(
            "INSERT INTO learnt_generations (at, key_id, is_current, slices, sha256)
             VALUES (?, ?, 0, 0, x'')",
            // The id of the key uses all 64 bits.
            params![stored(self.state.at.as_micros()), self.key_id.cast_signed()],
        )?;
        Ok(tx.last_insert_rowid())
    }

    fn put(
        &mut self,
        tx: &Connection,
        generation: i64,
        slice: &LearntSlice,
    ) -> rusqlite::Result<()> {
        tx.prepare_cached(
            "INSERT INTO learnt_slices (generation, number, part, bytes) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![generation, stored(self.slices), slice.part, slice.bytes])?;
        digest(&mut self.sha256, &slice.part, &slice.bytes);
        self.slices += 1;
        Ok(())
    }

    fn make_current(&self, tx: &Connection, generation: i64) -> rusqlite::Result<()> {
        let sha256 = self.sha256.clone().finalize().to_vec();
        tx.execute(
            "UPDATE learnt_generations SET slices = ?, sha256 = ? WHERE generation = ?",
            params![stored(self.slices), sha256, generation],
        )?;
        tx.execute("UPDATE learnt_generations SET is_current = (generation = ?)", [generation])?;
        Ok(())
    }
}

/// What was found of a learnt state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Loaded {
    Nothing,
    OtherKey,
    Damaged,
    /// A state of this time, whose slices have been handed over.
    State(Timestamp),
}

/// Hands over the slices of the current state, unless its key is another one or it is damaged. It
/// is read twice: nothing of it is handed over before all of it was found whole.
pub(crate) fn load(
    connection: &Connection,
    key_id: u64,
    mut take: impl FnMut(&str, &[u8]),
) -> rusqlite::Result<Loaded> {
    let Some(current) = current(connection)? else {
        return Ok(Loaded::Nothing);
    };
    if current.key_id != key_id {
        return Ok(Loaded::OtherKey);
    }
    let (mut slices, mut sha256) = (0, Sha256::new());
    each_slice(connection, current.generation, |part, bytes| {
        slices += 1;
        digest(&mut sha256, part, bytes);
    })?;
    if slices != current.slices || sha256.finalize().to_vec() != current.sha256 {
        return Ok(Loaded::Damaged);
    }
    each_slice(connection, current.generation, &mut take)?;
    Ok(Loaded::State(current.at))
}

struct Current {
    generation: i64,
    at: Timestamp,
    key_id: u64,
    slices: u64,
    sha256: Vec<u8>,
}

fn current(connection: &Connection) -> rusqlite::Result<Option<Current>> {
    connection
        .query_row(
            "SELECT generation, at, key_id, slices, sha256 FROM learnt_generations
             WHERE is_current = 1 ORDER BY generation DESC LIMIT 1",
            [],
            |row| {
                Ok(Current {
                    generation: row.get(0)?,
                    at: Timestamp::from_micros(loaded(row.get(1)?)),
                    key_id: row.get::<_, i64>(2)?.cast_unsigned(),
                    slices: loaded(row.get(3)?),
                    sha256: row.get(4)?,
                })
            },
        )
        .optional()
}

fn each_slice(
    connection: &Connection,
    generation: i64,
    mut act: impl FnMut(&str, &[u8]),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT part, bytes FROM learnt_slices WHERE generation = ? ORDER BY number",
    )?;
    let mut rows = statement.query([generation])?;
    while let Some(row) = rows.next()? {
        let part = row.get_ref(0)?.as_str()?;
        act(part, row.get_ref(1)?.as_blob()?);
    }
    Ok(())
}

/// Removes some slices of other generations than `kept`; true when none are left.
fn remove_others(tx: &Connection, kept: i64) -> rusqlite::Result<bool> {
    for sql in [
        "DELETE FROM learnt_slices WHERE id IN
         (SELECT id FROM learnt_slices WHERE generation < ? LIMIT ?)",
        "DELETE FROM learnt_slices WHERE id IN
         (SELECT id FROM learnt_slices WHERE generation > ? LIMIT ?)",
    ] {
        if tx.prepare_cached(sql)?.execute([kept, STEP_REMOVES])? > 0 {
            return Ok(false);
        }
    }
    tx.execute("DELETE FROM learnt_generations WHERE generation <> ?", [kept])?;
    Ok(true)
}

/// Lengths stand before names and bytes, so that no two rows of slices are the same to it.
fn digest(sha256: &mut Sha256, part: &str, bytes: &[u8]) {
    for piece in [part.as_bytes(), bytes] {
        sha256.update((piece.len() as u64).to_be_bytes());
        sha256.update(piece);
    }
}

#[cfg(test)]
mod tests;
