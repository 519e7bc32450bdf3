//! One transaction of everything that goes into `palisade.db`.
//!
//! Each item has a savepoint of its own: one that cannot be stored is left out and the others go
//! in. A fault of the disk ends the whole transaction, and nothing of it is stored.

use std::collections::VecDeque;

use rusqlite::{Connection, TransactionBehavior};

use crate::database::Fault;
use crate::error::WriteError;
use crate::queue::{Change, Item, Write};
use crate::standing::News;
use crate::{audit, incidents, rollups, standing, tallies, tokens};

/// How one item fared in a transaction that was committed.
pub(super) type Outcome = Result<(), WriteError>;

/// Stores `items` in order; how each fared.
pub(super) fn all(main: &mut Connection, items: &VecDeque<Item>) -> Result<Vec<Outcome>, Fault> {
    let mut transaction = main.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let savepoint = transaction.savepoint()?;
        let outcome = match one(&savepoint, item) {
            Ok(Ok(())) => {
                savepoint.commit()?;
                Ok(())
            }
            // Dropping the savepoint takes back what the item did.
            Ok(Err(refused)) => Err(refused),
            Err(error) => match Fault::from(error) {
                Fault::Row(what) => Err(WriteError::Refused(what)),
                fault => return Err(fault),
            },
        };
        outcomes.push(outcome);
    }
    transaction.commit()?;
    Ok(outcomes)
}

/// Tells those who wait how their write fared; how many items that nobody waits for were left out.
pub(super) fn answer(items: VecDeque<Item>, outcomes: Vec<Outcome>) -> u64 {
    let mut unstorable = 0;
    for (item, outcome) in items.into_iter().zip(outcomes) {
        match (item, outcome) {
            (Item::Write(_, ack), outcome) => ack(outcome),
            (_, Ok(())) => {}
            (_, Err(error)) => {
                tracing::warn!(%error, "something cannot be stored and is left out");
                unstorable += 1;
            }
        }
    }
    unstorable
}

/// Tells those who wait that nothing was stored; what nobody waits for is given back.
pub(super) fn refuse(items: VecDeque<Item>, fault: &Fault) -> VecDeque<Item> {
    let mut kept = VecDeque::new();
    for item in items {
        match item {
            Item::Write(_, ack) => ack(Err(WriteError::Storage(fault.what().to_owned()))),
            item => kept.push_back(item),
        }
    }
    kept
}

fn one(connection: &Connection, item: &Item) -> rusqlite::Result<Outcome> {
    match item {
        Item::Finding(finding) => incidents::put(connection, finding).map(Ok),
        Item::Rollups(counts) => {
            counts.iter().try_for_each(|rollup| rollups::add(connection, rollup)).map(Ok)
        }
        Item::Tallies(counts) => {
            counts.iter().try_for_each(|tally| tallies::add(connection, tally)).map(Ok)
        }
        Item::Change(change) => changed(connection, change, News::Late),
        Item::Write(write, _) => written(connection, write),
    }
}

/// All changes of a write and its line in the audit log, or nothing.
fn written(connection: &Connection, write: &Write) -> rusqlite::Result<Outcome> {
    for change in &write.changes {
        if let Err(refused) = changed(connection, change, News::Awaited)? {
            return Ok(Err(refused));
        }
    }
    if let Some(line) = &write.audit {
        audit::append(connection, line)?;
    }
    Ok(Ok(()))
}

fn changed(connection: &Connection, change: &Change, news: News) -> rusqlite::Result<Outcome> {
    match change {
        Change::PutDecision(decision) => standing::put_decision(connection, decision, news).map(Ok),
        Change::RemoveDecision(id) => standing::remove_decision(connection, *id).map(Ok),
        Change::PutException(exception) => {
            standing::put_exception(connection, exception, news).map(Ok)
        }
        Change::RemoveException(id) => standing::remove_exception(connection, *id).map(Ok),
        Change::SetIncident(id, state) => incidents::set_state(connection, *id, *state),
        Change::AddNote(id, note) => incidents::add_note(connection, *id, note),
        Change::PutToken(token) => tokens::put(connection, token),
    }
}
