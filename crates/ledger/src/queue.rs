//! Between those who hand in what belongs into `palisade.db` and the thread that writes it.
//!
//! One order for all of it: what is handed in before an awaited write is stored before it. The
//! thread comes by itself every 200 ms, or when it is woken because somebody waits for an answer.
//! The queue has an end; beyond it things are dropped and counted, and whoever asks is told.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use traffic::{Decision, DecisionId, Event, Exception, ExceptionId, Finding, Tally};

use crate::audit::AuditLine;
use crate::error::WriteError;
use crate::incidents::{IncidentId, IncidentNote, IncidentState};
use crate::learnt::LearntState;
use crate::rollups::Rollup;
use crate::tokens::Token;

/// Writes that may wait for their answer.
const WRITES_MAX: usize = 256;

/// Something handed in without waiting for it.
#[derive(Clone, Debug)]
pub enum Entry {
    /// An exchange worth keeping. The same ID again adds its `count` to the event that is there.
    Event(Box<Event>),
    /// A finding, or the newer state of one.
    Finding(Box<Finding>),
    /// Counts to be added.
    Rollups(Vec<Rollup>),
    /// Counts of kinds of exchange to be added.
    Tallies(Vec<Tally>),
    /// A change that nobody waits for: a decision that a verdict set, a new hit count.
    Change(Box<Change>),
}

/// A change of what stands.
#[derive(Clone, Debug)]
pub enum Change {
    /// Stores a decision, or its newer state.
    PutDecision(Decision),
    /// Removes a decision.
    RemoveDecision(DecisionId),
    /// Stores an exception, or its newer state.
    PutException(Exception),
    /// Removes an exception.
    RemoveException(ExceptionId),
    /// Closes or opens an incident.
    SetIncident(IncidentId, IncidentState),
    /// Adds a note to an incident.
    AddNote(IncidentId, IncidentNote),
    /// Stores a token of the admin API, or its newer state.
    PutToken(Token),
}

/// Changes that are stored together or not at all, with their line in the audit log.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// The changes, in this order.
    pub changes: Vec<Change>,
    /// Who did it.
    pub audit: Option<AuditLine>,
}

/// Called once, with how it ended.
pub(crate) type Ack = Box<dyn FnOnce(Result<(), WriteError>) + Send>;

/// What goes into `palisade.db`, in the order it came.
pub(crate) enum Item {
    Finding(Box<Finding>),
    Rollups(Vec<Rollup>),
    Tallies(Vec<Tally>),
    Change(Box<Change>),
    Write(Write, Ack),
}

/// Everything that the writer takes at once.
#[derive(Default)]
pub(crate) struct Taken {
    /// Nothing comes after this.
    pub(crate) is_last: bool,
    pub(crate) items: VecDeque<Item>,
    pub(crate) learnt: Option<(LearntState, Ack)>,
    pub(crate) flushes: Vec<Ack>,
    pub(crate) is_closing: bool,
}

pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    rows_max: usize,
}

#[derive(Default)]
struct Waiting {
    taken: Taken,
    rows: usize,
    writes: usize,
    is_urgent: bool,
}

impl Item {
    /// Rows that it takes, for the lane's end.
    pub(crate) const fn rows(&self) -> usize {
        match self {
            Self::Rollups(rollups) => rollups.len(),
            Self::Tallies(tallies) => tallies.len(),
            Self::Finding(_) | Self::Change(_) | Self::Write(..) => 1,
        }
    }
}

impl Queue {
    /// A queue in which so many rows may wait.
    pub(crate) fn new(rows_max: usize) -> Self {
        Self { waiting: Mutex::default(), wake: Condvar::new(), rows_max }
    }

    /// Whether so many rows more would be taken in.
    pub(crate) fn has_room(&self, rows: usize) -> bool {
        self.waiting().rows.saturating_add(rows) <= self.rows_max
    }

    /// Hands something in; false when it was dropped.
    pub(crate) fn push(&self, item: Item) -> bool {
        let mut waiting = self.waiting();
        if waiting.rows.saturating_add(item.rows()) > self.rows_max || waiting.taken.is_closing {
            return false;
        }
        waiting.rows += item.rows();
        waiting.taken.items.push_back(item);
        true
    }

    /// Asks for a write; `ack` is called whatever happens.
    pub(crate) fn write(&self, write: Write, ack: Ack) {
        self.ask(ack, |waiting, ack| {
            if waiting.writes >= WRITES_MAX {
                return Err((ack, WriteError::Busy));
            }
            waiting.writes += 1;
            waiting.taken.items.push_back(Item::Write(write, ack));
            Ok(())
        });
    }

    /// Asks for learnt state to be saved.
    pub(crate) fn save(&self, state: LearntState, ack: Ack) {
        self.ask(ack, |waiting, ack| {
            if waiting.taken.learnt.is_some() {
                return Err((ack, WriteError::Busy));
            }
            waiting.taken.learnt = Some((state, ack));
            Ok(())
        });
    }

    /// Asks for an answer once everything handed in before is on disk.
    pub(crate) fn flush(&self, ack: Ack) {
        self.ask(ack, |waiting, ack| {
            if waiting.taken.flushes.len() >= WRITES_MAX {
                return Err((ack, WriteError::Busy));
            }
            waiting.taken.flushes.push(ack);
            Ok(())
        });
    }

    /// From now on nothing is taken in, and the writer ends after what is there.
    pub(crate) fn close(&self) {
        self.waiting().taken.is_closing = true;
        self.wake.notify_one();
    }

    /// Everything that was handed in, after at most `wait`. Saved state is taken only when
    /// `takes_learnt`: one is written at a time.
    pub(crate) fn take(&self, wait: Duration, takes_learnt: bool) -> Taken {
        let until = Instant::now() + wait;
        let mut waiting = self.waiting();
        while !waiting.is_urgent && !waiting.taken.is_closing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            waiting = match self.wake.wait_timeout(waiting, left) {
                Ok((waiting, _)) => waiting,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        let is_closing = waiting.taken.is_closing;
        let held_back = if takes_learnt { None } else { waiting.taken.learnt.take() };
        let mut taken = std::mem::take(&mut waiting.taken);
        taken.is_last = is_closing && held_back.is_none() && taken.learnt.is_none();
        *waiting = Waiting::default();
        waiting.taken.is_closing = is_closing;
        waiting.taken.learnt = held_back;
        taken
    }

    /// Throws away what is there. Whoever waits for an answer learns that there is no writer.
    pub(crate) fn abandon(&self) {
        let mut waiting = self.waiting();
        let taken = std::mem::take(&mut *waiting);
        waiting.taken.is_closing = true;
        drop(waiting);
        drop(taken);
    }

    /// How many things wait here.
    pub(crate) fn len(&self) -> usize {
        let waiting = self.waiting();
        waiting.rows + waiting.writes
    }

    fn ask(
        &self,
        ack: Ack,
        place: impl FnOnce(&mut Waiting, Ack) -> Result<(), (Ack, WriteError)>,
    ) {
        let mut waiting = self.waiting();
        let placed = if waiting.taken.is_closing {
            Err((ack, WriteError::Closed))
        } else {
            place(&mut waiting, ack)
        };
        match placed {
            Ok(()) => {
                waiting.is_urgent = true;
                drop(waiting);
                self.wake.notify_one();
            }
            Err((ack, error)) => {
                drop(waiting);
                ack(Err(error));
            }
        }
    }

    /// Nothing here leaves the waiting half changed, so a panic elsewhere does not spoil them.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
