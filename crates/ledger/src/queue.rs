//! Between those who hand something in and the one thread that writes.
//!
//! Handing in takes a lock for moments and makes no system call: the writer comes by itself every
//! 200 ms, or when it is woken because somebody waits for an answer or a lane is half full. Events
//! have a lane of their own, so that a flood of them never keeps out a finding or a decision. Each
//! lane has an end; beyond it things are dropped and counted.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use traffic::{Decision, DecisionId, Event, Exception, ExceptionId, Finding};

use crate::audit::AuditLine;
use crate::error::WriteError;
use crate::incidents::{IncidentId, IncidentNote, IncidentState};
use crate::learnt::LearntState;
use crate::recent::weight;
use crate::rollups::Rollup;

/// Rows that may wait in the lane of everything but events.
const ROWS_MAX: usize = 65_536;
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
    Change(Box<Change>),
    Write(Write, Ack),
}

/// Everything that the writer takes at once.
#[derive(Default)]
pub(crate) struct Taken {
    /// Nothing comes after this.
    pub(crate) is_last: bool,
    pub(crate) events: VecDeque<Arc<Event>>,
    pub(crate) items: VecDeque<Item>,
    pub(crate) learnt: Option<(LearntState, Ack)>,
    pub(crate) flushes: Vec<Ack>,
    pub(crate) is_closing: bool,
}

pub(crate) struct Queue {
    lanes: Mutex<Lanes>,
    wake: Condvar,
    events_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct Lanes {
    taken: Taken,
    bytes: usize,
    rows: usize,
    writes: usize,
    is_urgent: bool,
}

impl Item {
    /// Rows that it takes, for the lane's end.
    pub(crate) const fn rows(&self) -> usize {
        match self {
            Self::Rollups(rollups) => rollups.len(),
            Self::Finding(_) | Self::Change(_) | Self::Write(..) => 1,
        }
    }
}

impl Queue {
    pub(crate) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self {
            lanes: Mutex::default(),
            wake: Condvar::new(),
            events_max: events_max.max(1),
            bytes_max,
        }
    }

    /// Hands an event in; false when it was dropped.
    pub(crate) fn push_event(&self, event: Arc<Event>) -> bool {
        let bytes = weight(&event);
        let mut lanes = self.lanes();
        let is_full = lanes.taken.events.len() >= self.events_max
            || lanes.bytes.saturating_add(bytes) > self.bytes_max;
        if is_full || lanes.taken.is_closing {
            return false;
        }
        lanes.taken.events.push_back(event);
        lanes.bytes += bytes;
        let is_half_full = lanes.taken.events.len() >= self.events_max.div_ceil(2)
            || lanes.bytes >= self.bytes_max / 2;
        let is_first_alarm = is_half_full && !lanes.is_urgent;
        lanes.is_urgent |= is_half_full;
        drop(lanes);
        if is_first_alarm {
            self.wake.notify_one();
        }
        true
    }

    /// Hands something else in; false when it was dropped.
    pub(crate) fn push(&self, item: Item) -> bool {
        let mut lanes = self.lanes();
        if lanes.rows.saturating_add(item.rows()) > ROWS_MAX || lanes.taken.is_closing {
            return false;
        }
        lanes.rows += item.rows();
        lanes.taken.items.push_back(item);
        true
    }

    /// Asks for a write; `ack` is called whatever happens.
    pub(crate) fn write(&self, write: Write, ack: Ack) {
        self.ask(ack, |lanes, ack| {
            if lanes.writes >= WRITES_MAX {
                return Err((ack, WriteError::Busy));
            }
            lanes.writes += 1;
            lanes.taken.items.push_back(Item::Write(write, ack));
            Ok(())
        });
    }

    /// Asks for learnt state to be saved.
    pub(crate) fn save(&self, state: LearntState, ack: Ack) {
        self.ask(ack, |lanes, ack| {
            if lanes.taken.learnt.is_some() {
                return Err((ack, WriteError::Busy));
            }
            lanes.taken.learnt = Some((state, ack));
            Ok(())
        });
    }

    /// Asks for an answer once everything handed in before is on disk.
    pub(crate) fn flush(&self, ack: Ack) {
        self.ask(ack, |lanes, ack| {
            if lanes.taken.flushes.len() >= WRITES_MAX {
                return Err((ack, WriteError::Busy));
            }
            lanes.taken.flushes.push(ack);
            Ok(())
        });
    }

    /// From now on nothing is taken in, and the writer ends after what is there.
    pub(crate) fn close(&self) {
        self.lanes().taken.is_closing = true;
        self.wake.notify_one();
    }

    /// Everything that was handed in, after at most `wait`. Saved state is taken only when
    /// `takes_learnt`: one is written at a time.
    pub(crate) fn take(&self, wait: Duration, takes_learnt: bool) -> Taken {
        let until = Instant::now() + wait;
        let mut lanes = self.lanes();
        while !lanes.is_urgent && !lanes.taken.is_closing {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            lanes = match self.wake.wait_timeout(lanes, left) {
                Ok((lanes, _)) => lanes,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        let is_closing = lanes.taken.is_closing;
        let held_back = if takes_learnt { None } else { lanes.taken.learnt.take() };
        let mut taken = std::mem::take(&mut lanes.taken);
        taken.is_last = is_closing && held_back.is_none() && taken.learnt.is_none();
        *lanes = Lanes::default();
        lanes.taken.is_closing = is_closing;
        lanes.taken.learnt = held_back;
        taken
    }

    /// Throws away what is there. Whoever waits for an answer learns that there is no writer.
    pub(crate) fn abandon(&self) {
        let mut lanes = self.lanes();
        let taken = std::mem::take(&mut *lanes);
        lanes.taken.is_closing = true;
        drop(lanes);
        drop(taken);
    }

    /// How many things wait here.
    pub(crate) fn len(&self) -> usize {
        let lanes = self.lanes();
        lanes.taken.events.len() + lanes.rows + lanes.writes
    }

    fn ask(&self, ack: Ack, place: impl FnOnce(&mut Lanes, Ack) -> Result<(), (Ack, WriteError)>) {
        let mut lanes = self.lanes();
        let placed = if lanes.taken.is_closing {
            Err((ack, WriteError::Closed))
        } else {
            place(&mut lanes, ack)
        };
        match placed {
            Ok(()) => {
                lanes.is_urgent = true;
                drop(lanes);
                self.wake.notify_one();
            }
            Err((ack, error)) => {
                drop(lanes);
                ack(Err(error));
            }
        }
    }

    /// Nothing here leaves the lanes half changed, so a panic elsewhere does not spoil them.
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
