//! The audit log: who changed what, each line chained to the one before by SHA-256.
//!
//! An edited, removed, inserted or reordered line breaks the chain from there on, and the number of
//! lines and the last hash are kept apart, so that a cut end shows, too. Whoever can rewrite the
//! whole file with this program's own code can forge it; what the chain proves is that nobody did
//! less. Against that, an [`AuditHead`] is kept elsewhere from time to time, as a checkpoint: up to
//! the last of them no line can be changed, removed or added without its showing.

use std::fmt;
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest as _, Sha256};
use traffic::Timestamp;

use crate::database::{loaded, stored};

pub(crate) const SCHEMA: &str = "
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        who TEXT NOT NULL,
        what TEXT NOT NULL,
        before TEXT,
        after TEXT,
        hash BLOB NOT NULL
    );
    CREATE TABLE audit_head (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        seq INTEGER NOT NULL,
        hash BLOB NOT NULL
    );
    INSERT INTO audit_head VALUES (1, 0, zeroblob(32));
";

/// What somebody did, before it has its place in the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditLine {
    /// When.
    pub at: Timestamp,
    /// Who: a user's name, or `palisade`.
    pub who: String,
    /// What, in words, with the object's ID.
    pub what: String,
    /// What stood before: a value, or the hash of a document.
    pub before: Option<String>,
    /// What stands since.
    pub after: Option<String>,
}

/// A line of the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditEntry {
    /// Its number, from 1 without gaps.
    pub seq: u64,
    /// What it says.
    pub line: AuditLine,
    /// Its hash, over this line and the hash of the one before, in hexadecimal.
    pub hash: String,
}

/// Where the log ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditHead {
    /// The number of its last line; 0 when it is empty.
    pub seq: u64,
    /// The hash of its last line, in hexadecimal.
    pub hash: String,
}

/// Where the log is not what was written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AuditFault {
    /// A number is missing or out of order.
    #[error("line {expected} of the audit log is missing")]
    Missing {
        /// The number that should have come.
        expected: u64,
    },
    /// A line does not match its hash.
    #[error("line {seq} of the audit log was changed")]
    Changed {
        /// Its number.
        seq: u64,
    },
    /// The chain is whole, and not the one that was there when a checkpoint was taken.
    #[error("the audit log was rewritten: line {seq} is not the one that the checkpoint names")]
    Rewritten {
        /// The checkpoint's line.
        seq: u64,
    },
    /// The log ends before it should.
    #[error("the audit log ends at line {found}, {expected} were written")]
    Cut {
        /// The last line there is.
        found: u64,
        /// The last line that was written.
        expected: u64,
    },
}

impl fmt::Display for AuditHead {
    /// As a checkpoint is written down: the number and the hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.hash)
    }
}

impl FromStr for AuditHead {
    type Err = String;

    /// Reads a checkpoint; what stands after number and hash is somebody's remark.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let seq = words.next().and_then(|word| word.parse().ok());
        let is_hash = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
        match (seq, words.next().filter(is_hash)) {
            (Some(seq), Some(hash)) => Ok(Self { seq, hash: hash.to_ascii_lowercase() }),
            _ => Err(format!("{text:?} is no checkpoint: a line's number and its hash")),
        }
    }
}

/// Adds a line at the end.
pub(crate) fn append(transaction: &Connection, line: &AuditLine) -> rusqlite::Result<()> {
    let (seq, before): (i64, Vec<u8>) = transaction
        .prepare_cached("SELECT seq, hash FROM audit_head")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let seq = seq.saturating_add(1);
    let hash = chained(&before, loaded(seq), line);
    transaction.prepare_cached("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)")?.execute(
        params![
            seq,
            stored(line.at.as_micros()),
            line.who,
            line.what,
            line.before,
            line.after,
            hash
        ],
    )?;
    transaction
        .prepare_cached("UPDATE audit_head SET seq = ?, hash = ?")?
        .execute(params![seq, hash])?;
    Ok(())
}

/// The last `limit` lines before number `before`, newest first.
pub(crate) fn lines(
    connection: &Connection,
    before: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<AuditEntry>> {
    let mut statement = connection.prepare(
        "SELECT seq, at, who, what, before, after, hash FROM audit
         WHERE seq < ? ORDER BY seq DESC LIMIT ?",
    )?;
    let rows = statement
        .query_map(params![stored(before.unwrap_or(u64::MAX)), stored(limit as u64)], entry)?;
    rows.collect()
}

/// Walks the whole log and holds it against checkpoints that were kept elsewhere; where it ends, or
/// where it is not what was written.
pub(crate) fn verify(
    connection: &Connection,
    kept: &[AuditHead],
) -> rusqlite::Result<Result<AuditHead, AuditFault>> {
    // One snapshot: lines that are written meanwhile must not look like a fault.
    let connection = connection.unchecked_transaction()?;
    let head: Option<(i64, Vec<u8>)> = connection
        .query_row("SELECT seq, hash FROM audit_head", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let mut statement = connection
        .prepare("SELECT seq, at, who, what, before, after, hash FROM audit ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut last = AuditHead { seq: 0, hash: hex(&[0; 32]) };
    let mut chain = vec![0_u8; 32];
    while let Some(row) = rows.next()? {
        let entry = entry(row)?;
        let expected = last.seq + 1;
        if entry.seq != expected {
            return Ok(Err(AuditFault::Missing { expected }));
        }
        chain = chained(&chain, entry.seq, &entry.line);
        if hex(&chain) != entry.hash {
            return Ok(Err(AuditFault::Changed { seq: entry.seq }));
        }
        last = AuditHead { seq: entry.seq, hash: entry.hash };
        let differs = |kept: &&AuditHead| kept.seq == last.seq && kept.hash != last.hash;
        if let Some(kept) = kept.iter().find(differs) {
            return Ok(Err(AuditFault::Rewritten { seq: kept.seq }));
        }
    }
    if let Some(expected) = kept.iter().map(|kept| kept.seq).max().filter(|seq| *seq > last.seq) {
        return Ok(Err(AuditFault::Cut { found: last.seq, expected }));
    }
    let (seq, hash) = head.unwrap_or_default();
    if loaded(seq) != last.seq {
        return Ok(Err(AuditFault::Cut { found: last.seq, expected: loaded(seq) }));
    }
    if hex(&hash) != last.hash {
        return Ok(Err(AuditFault::Changed { seq: last.seq }));
    }
    Ok(Ok(last))
}

fn entry(row: &rusqlite::Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        seq: loaded(row.get(0)?),
        line: AuditLine {
            at: Timestamp::from_micros(loaded(row.get(1)?)),
            who: row.get(2)?,
            what: row.get(3)?,
            before: row.get(4)?,
            after: row.get(5)?,
        },
        hash: hex(&row.get::<_, Vec<u8>>(6)?),
    })
}

/// The hash of a line. Each text goes in with its length, so that no two lines look alike.
fn chained(before: &[u8], seq: u64, line: &AuditLine) -> Vec<u8> {
    let mut sha = Sha256::new();
    sha.update(before);
    sha.update(seq.to_be_bytes());
    sha.update(line.at.as_micros().to_be_bytes());
    let texts = [Some(&line.who), Some(&line.what), line.before.as_ref(), line.after.as_ref()];
    for text in texts {
        match text {
            None => sha.update(u64::MAX.to_be_bytes()),
            Some(text) => {
                sha.update((text.len() as u64).to_be_bytes());
                sha.update(text.as_bytes());
            }
        }
    }
    sha.finalize().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
