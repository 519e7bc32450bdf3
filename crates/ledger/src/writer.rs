//! The one thread that writes.
//!
//! Every 200 ms, or when it is woken, it takes all that was handed in: first what belongs into
//! `palisade.db`, in one transaction with one sync for everybody who waits, then the events, then a
//! step of learnt state. When the disk does not take something, what nobody waits for is held back
//! within the bounds of memory and tried again, the oldest dropped and counted; whoever waits is
//! told. Nothing it does ever holds up those who hand in.

mod apply;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, TransactionBehavior};
use traffic::{Event, Timestamp};

use crate::database::Fault;
use crate::days::Days;
use crate::error::WriteError;
use crate::ledger::Shared;
use crate::queue::{Ack, Item, Taken};
use crate::{incidents, learnt, rollups, standing};

/// Events are on disk this long after they were handed in, at the latest, plus the write itself.
const FLUSH_EVERY: Duration = Duration::from_millis(200);
/// Between two looks at what is too old or too much.
const RETIRE_EVERY: Duration = Duration::from_secs(60);
/// Rows of findings and counts that are held back while the disk does not take them.
const HELD_ROWS_MAX: usize = 65_536;

/// Owns the writing thread. Closing (or dropping) it writes what is there and ends the thread.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// The thread's own state.
struct Work {
    shared: Arc<Shared>,
    main: Option<Connection>,
    days: Days,
    items: VecDeque<Item>,
    events: VecDeque<Arc<Event>>,
    saving: Option<(learnt::Saving, Ack)>,
    retired: Option<Instant>,
}

impl Writer {
    pub(crate) fn start(shared: Arc<Shared>, main: Connection) -> std::io::Result<Self> {
        let days = Days::new(shared.folder.events_folder(), Arc::clone(&shared.vitals));
        let work = Work {
            shared: Arc::clone(&shared),
            main: Some(main),
            days,
            items: VecDeque::new(),
            events: VecDeque::new(),
            saving: None,
            retired: None,
        };
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || work.run())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Writes what was handed in until now and ends the thread. Whatever is handed in later is
    /// dropped, and later writes are refused; reading goes on.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the ledger's writer ended by a panic");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

impl Work {
    fn run(mut self) {
        loop {
            let wait = if self.saving.is_some() {
                Duration::ZERO
            } else {
                FLUSH_EVERY
            };
            let Taken {
                events,
                items,
                learnt,
                flushes,
                is_closing,
            } = self.shared.queue.take(wait, self.saving.is_none());
            self.events.extend(events);
            self.items.extend(items);
            if let Some((state, ack)) = learnt {
                let key_id = self.shared.key_id();
                self.saving = Some((learnt::Saving::new(state, key_id), ack));
            }
            let main = self.write_items();
            let days = self.days.write(&mut self.events);
            self.step_saving();
            let outcome = self.settle(main.and(days));
            for ack in flushes {
                ack(outcome.clone());
            }
            if is_closing && self.saving.is_none() {
                break;
            }
            self.retire();
        }
        self.end();
    }

    /// Notes how a round went, and drops what is held back beyond the bounds.
    fn settle(&mut self, outcome: Result<(), Fault>) -> Result<(), WriteError> {
        let vitals = &self.shared.vitals;
        let mut dropped = 0;
        while self.events.len() > self.shared.options.queue_events {
            self.events.pop_front();
            dropped += 1;
        }
        let mut rows: usize = self.items.iter().map(Item::rows).sum();
        while rows > HELD_ROWS_MAX
            && let Some(item) = self.items.pop_front()
        {
            rows -= item.rows();
            dropped += item.rows() as u64;
        }
        vitals.dropped_storage.fetch_add(dropped, Ordering::Relaxed);
        vitals
            .held_back
            .store((self.events.len() + rows) as u64, Ordering::Relaxed);
        match outcome {
            Ok(()) => {
                vitals.recovered();
                Ok(())
            }
            Err(Fault::Corrupt(what) | Fault::Storage(what) | Fault::Row(what)) => {
                vitals.fault(&what);
                Err(WriteError::Storage(what))
            }
        }
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
                self.shared
                    .vitals
                    .dropped_unstorable
                    .fetch_add(unstorable, Ordering::Relaxed);
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
            let is_current = saving.step(&transaction)?;
            transaction.commit()?;
            Ok(is_current)
        });
        match outcome {
            Ok(true) => ack(Ok(())),
            Ok(false) => self.saving = Some((saving, ack)),
            Err(Fault::Corrupt(what) | Fault::Storage(what) | Fault::Row(what)) => {
                self.shared.vitals.fault(&what);
                ack(Err(WriteError::Storage(what)));
            }
        }
    }

    /// Throws away what is too old, once a minute.
    fn retire(&mut self) {
        let is_due = self
            .retired
            .is_none_or(|last| last.elapsed() >= RETIRE_EVERY);
        if !is_due || self.saving.is_some() {
            return;
        }
        self.retired = Some(Instant::now());
        let now = wall_clock();
        let options = self.shared.options.clone();
        self.days
            .retire(now, options.events_kept, options.events_bytes_max);
        let trimmed = self.with_main(|main| {
            let transaction = main.transaction_with_behavior(TransactionBehavior::Immediate)?;
            rollups::trim(&transaction, now, options.rollups_kept)?;
            incidents::trim(&transaction, now.before(options.rollups_kept))?;
            standing::trim(&transaction, now)?;
            Ok(transaction.commit()?)
        });
        if let Err(Fault::Corrupt(what) | Fault::Storage(what) | Fault::Row(what)) = trimmed {
            self.shared.vitals.fault(&what);
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

    /// What is still held back when the thread ends is lost, and said to be.
    fn end(mut self) {
        let lost = self.events.len() + self.items.iter().map(Item::rows).sum::<usize>();
        if lost > 0 {
            self.shared
                .vitals
                .dropped_storage
                .fetch_add(lost as u64, Ordering::Relaxed);
            tracing::error!(
                lost,
                "the disk took no more; events and findings were lost at the end"
            );
        }
        for item in self.items.drain(..) {
            if let Item::Write(_, ack) = item {
                ack(Err(WriteError::Closed));
            }
        }
        self.shared.vitals.held_back.store(0, Ordering::Relaxed);
    }
}

/// The time of day, for retention only.
fn wall_clock() -> Timestamp {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::EPOCH.after(since_epoch)
}
