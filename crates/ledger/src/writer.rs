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
use crate::recent::weight;
use crate::{incidents, learnt, rollups, standing};

/// Events are on disk this long after they were handed in, at the latest, plus the write itself.
const FLUSH_EVERY: Duration = Duration::from_millis(200);
/// Between two looks at what events take, and at which days are too old.
const RETIRE_EVERY: Duration = Duration::from_secs(60);
/// A look is taken earlier after so many events: a day may fill a disk.
const RETIRE_AFTER_EVENTS: u64 = 50_000;
/// Between two looks at what else is too old: it takes a walk over all counts.
const TRIM_EVERY: Duration = Duration::from_secs(3_600);
/// While the disk takes nothing, it is asked again this often, unless somebody waits.
const RETRY_EVERY: Duration = Duration::from_secs(1);
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
    retired: Option<(Instant, u64)>,
    trimmed: Option<Instant>,
    retry_at: Option<Instant>,
}

impl Writer {
    pub(crate) fn start(shared: Arc<Shared>, main: Option<Connection>) -> std::io::Result<Self> {
        let days = Days::new(shared.folder.events_folder(), Arc::clone(&shared.vitals));
        let work = Work {
            shared: Arc::clone(&shared),
            main,
            days,
            items: VecDeque::new(),
            events: VecDeque::new(),
            saving: None,
            retired: None,
            trimmed: None,
            retry_at: None,
        };
        let thread =
            std::thread::Builder::new().name("ledger".to_owned()).spawn(move || work.run())?;
        Ok(Self { shared, thread: Some(thread) })
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

impl Drop for Work {
    /// However the thread ends, nobody waits for it from then on.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.vitals.fault("the writer ended by a panic; nothing is written any more");
        }
        self.shared.queue.abandon();
    }
}

impl Work {
    fn run(mut self) {
        loop {
            let wait = if self.saving.is_some() { Duration::ZERO } else { FLUSH_EVERY };
            let taken = self.shared.queue.take(wait, self.saving.is_none());
            let is_last = taken.is_last;
            self.round(taken);
            if is_last && self.saving.is_none() {
                break;
            }
            self.retire();
            self.trim();
        }
        self.end();
    }

    /// Writes what was taken and what is held back.
    fn round(&mut self, taken: Taken) {
        let is_awaited = taken.is_closing
            || !taken.flushes.is_empty()
            || taken.items.iter().any(|item| matches!(item, Item::Write(..)));
        self.events.extend(taken.events);
        self.items.extend(taken.items);
        if let Some((state, ack)) = taken.learnt {
            let key_id = self.shared.key_id();
            self.saving = Some((learnt::Saving::new(state, key_id), ack));
        }
        let may_try = self.retry_at.is_none_or(|at| Instant::now() >= at);
        let outcome = if may_try || is_awaited {
            let main = self.write_items();
            let days = self.days.write(&mut self.events);
            self.settle(main.and(days))
        } else {
            self.hold_back();
            Ok(())
        };
        self.step_saving();
        for ack in taken.flushes {
            ack(outcome.clone());
        }
    }

    /// Notes how a try went.
    fn settle(&mut self, outcome: Result<(), Fault>) -> Result<(), WriteError> {
        self.hold_back();
        match outcome {
            Ok(()) => {
                self.retry_at = None;
                self.shared.vitals.recovered();
                Ok(())
            }
            Err(fault) => {
                self.retry_at = Some(Instant::now() + RETRY_EVERY);
                self.shared.vitals.fault(fault.what());
                Err(WriteError::Storage(fault.what().to_owned()))
            }
        }
    }

    /// Drops the oldest of what is held back beyond the bounds, and counts it.
    fn hold_back(&mut self) {
        let options = &self.shared.options;
        let mut dropped = 0;
        let mut bytes: usize = self.events.iter().map(|event| weight(event)).sum();
        while (self.events.len() > options.queue_events || bytes > options.queue_bytes)
            && let Some(event) = self.events.pop_front()
        {
            bytes -= weight(&event);
            dropped += 1;
        }
        let mut rows: usize = self.items.iter().map(Item::rows).sum();
        while rows > HELD_ROWS_MAX
            && let Some(item) = self.items.pop_front()
        {
            rows -= item.rows();
            dropped += item.rows() as u64;
        }
        let vitals = &self.shared.vitals;
        vitals.dropped_storage.fetch_add(dropped, Ordering::Relaxed);
        vitals.held_back.store((self.events.len() + rows) as u64, Ordering::Relaxed);
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
            let is_current = saving.step(&transaction)?;
            transaction.commit()?;
            Ok(is_current)
        });
        match outcome {
            Ok(true) => ack(Ok(())),
            Ok(false) => self.saving = Some((saving, ack)),
            Err(fault) => {
                self.shared.vitals.fault(fault.what());
                ack(Err(WriteError::Storage(fault.what().to_owned())));
            }
        }
    }

    /// Throws away days that are too old or too much.
    fn retire(&mut self) {
        let written = self.shared.vitals.events_written.load(Ordering::Relaxed);
        let is_due = self.retired.is_none_or(|(at, until)| {
            at.elapsed() >= RETIRE_EVERY || written - until >= RETIRE_AFTER_EVENTS
        });
        if !is_due || self.retry_at.is_some() {
            return;
        }
        self.retired = Some((Instant::now(), written));
        let options = &self.shared.options;
        self.days.retire(wall_clock(), options.events_kept, options.events_bytes_max);
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
            incidents::trim(&transaction, now.before(kept))?;
            standing::trim(&transaction, now)?;
            Ok(transaction.commit()?)
        });
        if let Err(fault) = trimmed {
            self.shared.vitals.fault(fault.what());
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
            self.shared.vitals.dropped_storage.fetch_add(lost as u64, Ordering::Relaxed);
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
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::EPOCH.after(since_epoch)
}
