//! Learnt state on disk: opaque parts in generations, of which exactly one is current.
//!
//! A state of many megabytes is written in steps, so that a decision that an operator waits for is
//! never behind it. The last step makes the new generation current and drops the old one in a
//! single transaction: after a crash there is the old state or the new one, never a mixture. Each
//! part carries its SHA-256, because a state that was damaged on disk must not be believed.

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

/// A chunk: large enough to be quick, small enough to step between.
const CHUNK_BYTES: usize = 256 << 10;
/// What one step writes at most.
const STEP_BYTES: usize = 2 << 20;

/// One part of the learnt state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LearntPart {
    /// What it is: `engine`.
    pub name: String,
    /// Its bytes, which mean nothing here.
    pub bytes: Vec<u8>,
}

/// The learnt state of one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LearntState {
    /// When it was taken.
    pub at: Timestamp,
    /// Its parts.
    pub parts: Vec<LearntPart>,
}

/// A state that is being written.
#[derive(Debug)]
pub(crate) struct Saving {
    state: LearntState,
    key_id: u64,
    generation: Option<i64>,
    part: usize,
    chunk: usize,
}

impl Saving {
    pub(crate) const fn new(state: LearntState, key_id: u64) -> Self {
        Self { state, key_id, generation: None, part: 0, chunk: 0 }
    }

    /// Writes the next step; true when the state is current with the commit of `tx`.
    pub(crate) fn step(&mut self, tx: &Connection) -> rusqlite::Result<bool> {
        let generation = match self.generation {
            Some(generation) => generation,
            None => {
                drop_unfinished(tx)?;
                tx.execute(
                    "INSERT INTO learnt_generations (at, key_id, is_current) VALUES (?, ?, 0)",
                    // The id of the key uses all 64 bits.
                    params![stored(self.state.at.as_micros()), self.key_id.cast_signed()],
                )?;
                tx.last_insert_rowid()
            }
        };
        self.generation = Some(generation);
        let mut written = 0;
        while let Some(part) = self.state.parts.get(self.part) {
            let from = self.chunk.saturating_mul(CHUNK_BYTES).min(part.bytes.len());
            let to = from.saturating_add(CHUNK_BYTES).min(part.bytes.len());
            let chunk = part.bytes.get(from..to).unwrap_or_default();
            if chunk.is_empty() {
                put_part(tx, generation, part)?;
                self.part += 1;
                self.chunk = 0;
                continue;
            }
            if written >= STEP_BYTES {
                return Ok(false);
            }
            tx.prepare_cached(
                "INSERT INTO learnt_chunks (generation, part, number, bytes) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![
                generation,
                part.name,
                stored(self.chunk as u64),
                chunk
            ])?;
            written += chunk.len();
            self.chunk += 1;
        }
        make_current(tx, generation)?;
        Ok(true)
    }
}

/// The current state, or none when there is none, its key is another one, or it is damaged.
pub(crate) fn load(connection: &Connection, key_id: u64) -> rusqlite::Result<Loaded> {
    let current: Option<(i64, i64, i64)> = connection
        .query_row(
            "SELECT generation, at, key_id FROM learnt_generations
             WHERE is_current = 1 ORDER BY generation DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    let Some((generation, at, stored_key)) = current else {
        return Ok(Loaded::Nothing);
    };
    if stored_key.cast_unsigned() != key_id {
        return Ok(Loaded::OtherKey);
    }
    let mut parts_statement = connection.prepare(
        "SELECT part, bytes, sha256 FROM learnt_parts WHERE generation = ? ORDER BY part",
    )?;
    let mut rows = parts_statement.query([generation])?;
    let mut parts = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, length, sha256) = (row.get::<_, String>(0)?, row.get(1)?, row.get(2)?);
        match read_part(connection, generation, &name, loaded(length), sha256)? {
            Some(bytes) => parts.push(LearntPart { name, bytes }),
            None => return Ok(Loaded::Damaged),
        }
    }
    let at = Timestamp::from_micros(loaded(at));
    Ok(Loaded::State(LearntState { at, parts }))
}

/// What was found of a learnt state.
pub(crate) enum Loaded {
    Nothing,
    OtherKey,
    Damaged,
    State(LearntState),
}

/// Removes what a crash left half written.
fn drop_unfinished(tx: &Connection) -> rusqlite::Result<()> {
    for table in ["learnt_chunks", "learnt_parts", "learnt_generations"] {
        tx.execute(
            &format!(
                "DELETE FROM {table} WHERE generation NOT IN
                 (SELECT generation FROM learnt_generations WHERE is_current = 1)"
            ),
            [],
        )?;
    }
    Ok(())
}

fn make_current(tx: &Connection, generation: i64) -> rusqlite::Result<()> {
    tx.execute("UPDATE learnt_generations SET is_current = (generation = ?)", [generation])?;
    drop_unfinished(tx)
}

fn put_part(tx: &Connection, generation: i64, part: &LearntPart) -> rusqlite::Result<()> {
    let sha256 = Sha256::digest(&part.bytes).to_vec();
    tx.execute(
        "INSERT INTO learnt_parts VALUES (?, ?, ?, ?)",
        params![generation, part.name, stored(part.bytes.len() as u64), sha256],
    )?;
    Ok(())
}

fn read_part(
    connection: &Connection,
    generation: i64,
    part: &str,
    length: u64,
    sha256: Vec<u8>,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached(
        "SELECT bytes FROM learnt_chunks WHERE generation = ? AND part = ? ORDER BY number",
    )?;
    let mut rows = statement.query(params![generation, part])?;
    let mut bytes = Vec::new();
    while let Some(row) = rows.next()? {
        let chunk = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        bytes.extend_from_slice(chunk);
    }
    let is_whole = bytes.len() as u64 == length && Sha256::digest(&bytes).to_vec() == sha256;
    Ok(is_whole.then_some(bytes))
}

#[cfg(test)]
mod tests;
