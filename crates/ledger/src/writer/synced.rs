//! The thread that writes `palisade.db`.
//!
//! Every 200 ms, or when it is woken, it takes all that was handed in and stores it in one
//! transaction, with one sync for everybody who waits; then it does a step of saving learnt state.
//! When the disk does not take something, what nobody waits for is held back and tried again, and
//! whoever waits is told. It also does what may wait for the disk on behalf of the files of events.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::{FLUSH_EVERY, RETRY_EVERY, apply, wall_clock};
use crate::database::Fault;
use crate::days;
use crate::error::WriteError;
use crate::health::Part;
use crate::learnt::{self, Step};
use crate::ledger::Shared;
use crate::queue::{Ack, Item, Taken};
use crate::{incidents, rollups, standing, tallies};

/// Between two looks at what is too old: it takes a walk over all counts.
const TRIM_EVERY: Duration = Duration::from_secs(3_600);
/// Between two looks at the write-ahead logs of events.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// The thread's own state.
pub(super) struct Work {
    shared: Arc<Shared>,
    main: Option<Connection>,
    items: VecDeque<Item>,
    /// Whoever waits for it is answered once it is current; what comes after that is tidying.
    saving: Option<(learnt::Saving, Option<Ack>)>,
    trimmed: Option<Instant>,
    checkpointed: Instant,
    retry_at: Option<Instant>,
}

impl Drop for Work {
    /// However the thread ends, nobody waits for it from then on.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let what = "a writer ended by a panic; no decisions are stored any more";
            self.shared.vitals.fault(Part::Main, what);
        }
        self.shared.queue.abandon();
    }
}

impl Work {
    pub(super) fn new(shared: Arc<Shared>, main: Option<Connection>) -> Self {
        Self {
            shared,
            main,
            items: VecDeque::new(),
            saving: None,
            trimmed: None,
            checkpointed: Instant::now(),
            retry_at: None,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            let wait = if self.saving.is_some() { Duration::ZERO } else { FLUSH_EVERY };
            let taken = self.shared.queue.take(wait, self.saving.is_none());
            let is_last = taken.is_last;
            self.round(taken);
            if is_last && self.saving.is_none() {
                break;
            }
            self.trim();
            self.checkpoint_events();
        }
        self.end();
    }

    /// Writes what was taken and what is held back.
    fn round(&mut self, taken: Taken) {
        let is_awaited = taken.is_closing
            || !taken.flushes.is_empty()
            || taken.items.iter().any(|item| matches!(item, Item::Write(..)));
        self.items.extend(taken.items);
        if let Some((state, ack)) = taken.learnt {
            let key_id = self.shared.key_id();
            self.saving = Some((learnt::Saving::new(state, key_id), Some(ack)));
        }
        let may_try = self.retry_at.is_none_or(|at| Instant::now() >= at);
        let outcome = if may_try || is_awaited {
            let outcome = self.write_items();
            self.settle(outcome)
        } else {
            Ok(())
        };
        self.hold_back();
        self.step_saving();
        for ack in taken.flushes {
            ack(outcome.clone());
        }
    }

    /// Notes how a try went.
    fn settle(&mut self, outcome: Result<(), Fault>) -> Result<(), WriteError> {
        match outcome {
            Ok(()) => {
                self.retry_at = None;
                self.shared.vitals.recovered(Part::Main);
                Ok(())
            }
            Err(fault) => {
                self.retry_at = Some(Instant::now() + RETRY_EVERY);
                self.shared.vitals.fault(Part::Main, fault.what());
                Err(WriteError::Storage(fault.what().to_owned()))
            }
        }
    }

    /// Drops the oldest of what is held back beyond the bounds, and counts it.
    fn hold_back(&mut self) {
        let mut rows: usize = self.items.iter().map(Item::rows).sum();
        while rows > self.shared.options.queue_rows
            && let Some(item) = self.items.pop_front()
        {
            rows -= item.rows();
            let dropped = &self.shared.vitals.dropped_storage;
            dropped.fetch_add(item.rows() as u64, Ordering::Relaxed);
        }
        self.shared.vitals.holds_back(Part::Main, rows);
    }

    /// Writes findings, counts, changes and awaited writes in one transaction.
    fn write_items(&mut self) -> Result<(), Fault> {
        if self.items.is_empty() {
            return Ok(());
        }
        let items = std::mem::take(&mut self.items);
        match self.with_main(|main| apply::all(main, &items)) {
            Ok(outcomes) => {
                let unstorable = apply::answer(items, outcomes);
                self.shared.vitals.dropped_unstorable.fetch_add(unstorable, Ordering::Relaxed);
                Ok(())
            }
            Err(fault) => {
                self.items = apply::refuse(items, &fault);
                Err(fault)
            }
        }
    }

    fn step_saving(&mut self) {
        let Some((mut saving, ack)) = self.saving.take() else {
            return;
        };
        let outcome = self.with_main(|main| {
            let transaction = main.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let step = saving.step(&transaction)?;
            transaction.commit()?;
            Ok(step)
        });
        match outcome {
            Ok(Step::Written | Step::Removed) => self.saving = Some((saving, ack)),
            Ok(Step::Current) => {
                self.saving = Some((saving, None));
                ack.into_iter().for_each(|ack| ack(Ok(())));
            }
            Ok(Step::Done) => {}
            Err(fault) => {
                self.shared.vitals.fault(Part::Main, fault.what());
                let refused = WriteError::Storage(fault.what().to_owned());
                ack.into_iter().for_each(|ack| ack(Err(refused.clone())));
            }
        }
    }

    /// Throws away counts, findings, decisions and exceptions that are too old.
    fn trim(&mut self) {
        let is_due = self.trimmed.is_none_or(|last| last.elapsed() >= TRIM_EVERY);
        if !is_due || self.saving.is_some() || self.retry_at.is_some() {
            return;
        }
        self.trimmed = Some(Instant::now());
        let kept = self.shared.options.rollups_kept;
        let trimmed = self.with_main(|main| {
            let now = wall_clock();
            let transaction = main.transaction_with_behavior(TransactionBehavior::Immediate)?;
            rollups::trim(&transaction, now, kept)?;
            tallies::trim(&transaction, now, kept)?;
            incidents::trim(&transaction, now.before(kept))?;
            standing::trim(&transaction, now)?;
            Ok(transaction.commit()?)
        });
        if let Err(fault) = trimmed {
            self.shared.vitals.fault(Part::Main, fault.what());
        }
    }

    /// Does something with the connection to `palisade.db`, which is opened again after a fault:
    /// the old one may be in any state.
    fn with_main<T>(
        &mut self,
        act: impl FnOnce(&mut Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut main = match self.main.take() {
            Some(main) => main,
            None => self.shared.open_main()?,
        };
        let outcome = act(&mut main);
        if outcome.is_ok() {
            self.main = Some(main);
        }
        outcome
    }

    /// Brings the write-ahead logs of events into their files. It waits for the disk, which the
    /// thread that writes events should not; and it keeps nobody from writing or reading.
    fn checkpoint_events(&mut self) {
        if self.checkpointed.elapsed() >= CHECKPOINT_EVERY {
            days::checkpoint(&self.shared.folder.events_folder());
            self.checkpointed = Instant::now();
        }
    }

    /// What is still held back when the thread ends is lost, and said to be.
    fn end(mut self) {
        let lost: usize = self.items.iter().map(Item::rows).sum();
        if lost > 0 {
            self.shared.vitals.dropped_storage.fetch_add(lost as u64, Ordering::Relaxed);
            tracing::error!(
                lost,
                "the disk took no more; findings and counts were lost at the end"
            );
        }
        self.items.clear();
        self.shared.vitals.holds_back(Part::Main, 0);
    }
}
