//! Tokens of the admin API on disk: a hash each, with what it may do and until when.
//!
//! The token itself is nowhere: what is stored recognises it and cannot be turned back into it. A
//! revoked token stays as a line, so that its number in the audit log can still be explained.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use traffic::Timestamp;

use crate::error::WriteError;
use crate::standing::json;

pub(crate) const SCHEMA: &str =
    "CREATE TABLE tokens (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;";

/// More tokens are not kept: each is a person or a program that somebody has to know.
pub const TOKENS_MAX: usize = 1_000;

/// A token as it is stored.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Token {
    /// Its public part, which also stands in the token.
    pub id: String,
    /// Who or what has it.
    pub name: String,
    /// What it may do, as a word of the admin API.
    pub scope: String,
    /// The hash of its secret part, with salt and costs (argon2id, in the PHC string format).
    pub hash: String,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: String,
    /// It is refused from then on; none is without an end.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

impl Token {
    /// Whether it counts at that time.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|end| now < end)
    }
}

/// Stores a token, or its newer state.
pub(crate) fn put(tx: &Connection, token: &Token) -> rusqlite::Result<Result<(), WriteError>> {
    let known = tx.prepare_cached("SELECT 1 FROM tokens WHERE id = ?")?.exists([&token.id])?;
    let count: i64 = tx.query_row("SELECT count(*) FROM tokens", [], |row| row.get(0))?;
    if !known && usize::try_from(count).unwrap_or(usize::MAX) >= TOKENS_MAX {
        return Ok(Err(WriteError::Refused(format!("there are {TOKENS_MAX} tokens already"))));
    }
    tx.prepare_cached("INSERT OR REPLACE INTO tokens VALUES (?, ?)")?
        .execute(params![token.id, json(token)?])?;
    Ok(Ok(()))
}

/// All tokens. A row that cannot be read is no token: it lets nobody in.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<Token>> {
    let mut statement = connection.prepare("SELECT record FROM tokens ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        let record = row.get_ref(0)?.as_str().ok();
        tokens.extend(record.and_then(|text| serde_json::from_str(text).ok()));
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: &str, expires: Option<u64>) -> Token {
        Token {
            id: id.to_owned(),
            name: "ci".to_owned(),
            scope: "read".to_owned(),
            hash: "$argon2id$…".to_owned(),
            created: Timestamp::EPOCH,
            created_by: "ada".to_owned(),
            expires: expires.map(Timestamp::from_micros),
            revoked: None,
        }
    }

    #[test]
    fn tokens_are_kept_replaced_and_bounded() {
        let main = Connection::open_in_memory().expect("opens");
        main.execute_batch(SCHEMA).expect("tables");
        for number in 0..TOKENS_MAX {
            put(&main, &token(&format!("{number:08x}"), None)).expect("ok").expect("stored");
        }
        put(&main, &token("ffffffff", None)).expect("ok").expect_err("one too many");
        let revoked = Token { revoked: Some(Timestamp::EPOCH), ..token("00000007", None) };
        put(&main, &revoked).expect("ok").expect("a newer state");
        let all = all(&main).expect("read");
        assert_eq!((all.len(), &all[7]), (TOKENS_MAX, &revoked));
    }

    #[test]
    fn what_has_ended_does_not_count() {
        let at = Timestamp::from_micros;
        assert!(token("a", None).is_valid(at(9)));
        assert!(token("a", Some(10)).is_valid(at(9)));
        assert!(!token("a", Some(10)).is_valid(at(10)));
        let revoked = Token { revoked: Some(at(1)), ..token("a", None) };
        assert!(!revoked.is_valid(at(9)));
    }
}
