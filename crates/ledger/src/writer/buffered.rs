//! The thread that writes events.
//!
//! It commits without waiting for the disk (the operating system has what it wrote, which a kill of
//! this process does not take away), so that an event is never behind somebody else's sync. When
//! the disk takes nothing, events are held back within the bounds of memory, the oldest dropped and
//! counted, and tried again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use traffic::Event;

use super::{FLUSH_EVERY, RETRY_EVERY, wall_clock};
use crate::days::Days;
use crate::error::WriteError;
use crate::folder::database_bytes;
use crate::health::Part;
use crate::lane::TakenEvents;
use crate::ledger::Shared;
use crate::recent::weight;

/// Between two looks at what events take, and at which days are too old.
const RETIRE_EVERY: Duration = Duration::from_secs(60);
/// A look is taken earlier after so many events: a day may fill a disk.
const RETIRE_AFTER_EVENTS: u64 = 50_000;

/// The thread's own state.
pub(super) struct Work {
    shared: Arc<Shared>,
    days: Days,
    events: VecDeque<Arc<Event>>,
    retired: Option<(Instant, u64)>,
    retry_at: Option<Instant>,
}

impl Drop for Work {
    /// However the thread ends, nobody waits for it from then on.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let what = "a writer ended by a panic; no events are stored any more";
            self.shared.vitals.fault(Part::Events, what);
        }
        self.shared.lane.abandon();
    }
}

impl Work {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let days = Days::new(shared.folder.events_folder(), Arc::clone(&shared.vitals));
        Self { shared, days, events: VecDeque::new(), retired: None, retry_at: None }
    }

    pub(super) fn run(mut self) {
        loop {
            let TakenEvents { events, flushes, is_closing } = self.shared.lane.take(FLUSH_EVERY);
            self.events.extend(events);
            let may_try = self.retry_at.is_none_or(|at| Instant::now() >= at);
            let outcome =
                if may_try || is_closing || !flushes.is_empty() { self.write() } else { Ok(()) };
            self.hold_back();
            for ack in flushes {
                ack(outcome.clone());
            }
            if is_closing {
                break;
            }
            self.retire();
        }
        self.end();
    }

    fn write(&mut self) -> Result<(), WriteError> {
        match self.days.write(&mut self.events) {
            Ok(()) => {
                self.retry_at = None;
                self.shared.vitals.recovered(Part::Events);
                Ok(())
            }
            Err(fault) => {
                self.retry_at = Some(Instant::now() + RETRY_EVERY);
                self.shared.vitals.fault(Part::Events, fault.what());
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
        self.shared.vitals.dropped_storage.fetch_add(dropped, Ordering::Relaxed);
        self.shared.vitals.holds_back(Part::Events, self.events.len());
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
        // What is not events is bounded by itself, and goes first.
        let others = database_bytes(&self.shared.folder.main_file());
        let events_bytes_max = options.disk_bytes_max.saturating_sub(others);
        self.days.retire(wall_clock(), options.events_kept, events_bytes_max);
    }

    /// What is still held back when the thread ends is lost, and said to be.
    fn end(mut self) {
        let lost = self.events.len();
        if lost > 0 {
            self.shared.vitals.dropped_storage.fetch_add(lost as u64, Ordering::Relaxed);
            tracing::error!(lost, "the disk took no more; events were lost at the end");
        }
        self.events.clear();
        self.shared.vitals.holds_back(Part::Events, 0);
    }
}
