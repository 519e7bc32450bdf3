//! What has to be done from time to time while traffic flows: keeping on disk what memory decided.
//!
//! One thread, so that nothing here needs a lock of its own and nothing here is ever on the way of
//! a request. Each chore has its own pace; the last round runs after the gateway has drained, so
//! that an orderly end loses nothing.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use console::Totals;
use ledger::{Change as Keep, Entry, LearntSlice, LearntState, Ledger, Rollup};
use shield::{Change, Engine};
use traffic::{Event, ExceptionId};

use super::instance::{RunningInstance, now};

/// How often decisions, exceptions and their hits are kept.
const KEEP_EVERY: Duration = Duration::from_millis(200);
/// How often findings are kept.
const FINDINGS_EVERY: Duration = Duration::from_millis(500);
/// How often counts of minutes that are over are kept.
const ROLLUPS_EVERY: Duration = Duration::from_secs(5);
/// How often counts of kinds of exchange are kept: some dozens of rows each time.
const TALLIES_EVERY: Duration = Duration::from_secs(60);
/// From the beginning of one snapshot of learnt state to the end of the next: a crash may lose half
/// a minute of it, of which the rest is for a machine that is busier than it was the last time.
const SNAPSHOTS_WITHIN: Duration = Duration::from_secs(27);
/// A machine that takes longer than this for a snapshot is not kept busy with nothing else.
const SNAPSHOT_REST: Duration = Duration::from_secs(5);
/// The engine hands out no more changes or counts than this at one time.
const ROWS_AT_ONCE: usize = 256;
/// At the end so many times what the ledger has room for is written before the rest is given up.
const LAST_ROUNDS: usize = 16;
/// How often the files of the policy are looked at, and what is on probation.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The thread that does the chores.
pub(crate) struct Chores {
    stop: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

/// What the chores work on.
struct Round {
    engine: Arc<Engine>,
    ledger: Ledger,
    instance: Arc<RunningInstance>,
    totals: Totals,
}

/// When something is due again.
struct Due {
    every: Duration,
    next: Instant,
}

impl Chores {
    /// Begins.
    pub(crate) fn begin(
        engine: Arc<Engine>,
        ledger: Ledger,
        instance: Arc<RunningInstance>,
        totals: Totals,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = sync_channel(1);
        let round = Round { engine, ledger, instance, totals };
        let thread = std::thread::Builder::new()
            .name("chores".to_owned())
            .spawn(move || round.work(&stopped))?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Does everything a last time, and ends.
    pub(crate) fn end(mut self) {
        let _ = self.stop.try_send(());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the chores ended by a panic; what was learnt last may be lost");
        }
    }
}

impl Round {
    fn work(&self, stopped: &Receiver<()>) {
        let mut findings = Due::every(FINDINGS_EVERY);
        let mut rollups = Due::every(ROLLUPS_EVERY);
        let mut tallies = Due::every(TALLIES_EVERY);
        let mut snapshot = Due::every(SNAPSHOTS_WITHIN);
        let mut look = Due::every(LOOK_EVERY);
        let mut kept = Some(self.engine.overview().seq);
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(KEEP_EVERY) {
            self.keep_changes(&mut kept);
            if findings.is_due() {
                self.keep_findings();
                self.keep_untold(false);
            }
            if rollups.is_due() {
                self.keep_rollups(false);
            }
            if tallies.is_due() {
                self.keep_tallies();
            }
            if look.is_due() {
                self.instance.look_at_files();
                self.instance.look_at_probation();
            }
            if snapshot.is_due() {
                let began = Instant::now();
                self.keep_snapshot(&mut kept);
                let took = began.elapsed();
                // The next one must be done by then, and may take as long.
                let next = SNAPSHOTS_WITHIN.saturating_sub(took * 2);
                snapshot.next = Instant::now() + next.max(SNAPSHOT_REST);
            }
        }
        for _ in 0..LAST_ROUNDS {
            self.keep_changes(&mut kept);
            self.keep_findings();
            self.keep_untold(true);
            self.keep_rollups(true);
            self.keep_tallies();
            if self.ledger.flush().is_err() {
                break;
            }
        }
        self.keep_snapshot(&mut kept);
    }

    /// Decisions that verdicts set, and how often decisions and exceptions were applied. What an
    /// operator changed is kept by the console before it answers. Who takes a block back also
    /// forgives, which is learnt state without a step of its own: `kept` counts as outdated.
    fn keep_changes(&self, kept: &mut Option<u64>) {
        while self.ledger.has_room(ROWS_AT_ONCE) {
            let changes = self.engine.take_changes(now());
            if changes.is_empty() {
                return;
            }
            *kept = None;
            self.keep_all(changes);
        }
    }

    fn keep_all(&self, changes: Vec<Change>) {
        let exceptions = self.engine.exceptions();
        for change in changes {
            let keep = match change {
                Change::Decision(id) => self.engine.decision(id).map(Keep::PutDecision),
                Change::DecisionGone(id) => Some(Keep::RemoveDecision(id)),
                Change::Exception(id) => exceptions
                    .iter()
                    .find(|exception| exception.id == id)
                    .map(|exception| Keep::PutException(exception.clone())),
            };
            if let Some(keep) = keep {
                self.ledger.record(Entry::Change(Box::new(keep)));
            }
            if let Change::Exception(id) = change {
                self.drop_removed(id);
            }
        }
    }

    /// Somebody may have removed an exception between the look at it and its keeping: then it was
    /// kept too late and must go again. (Decisions that go are a change of their own.)
    fn drop_removed(&self, id: ExceptionId) {
        if !self.engine.exceptions().iter().any(|exception| exception.id == id) {
            self.ledger.record(Entry::Change(Box::new(Keep::RemoveException(id))));
        }
    }

    fn keep_findings(&self) {
        while self.ledger.has_room(ROWS_AT_ONCE) {
            let findings = self.engine.take_findings();
            if findings.is_empty() {
                return;
            }
            for finding in findings {
                self.ledger.record(Entry::Finding(Box::new(finding)));
            }
        }
    }

    /// An event handed in again is counted on.
    fn keep_untold(&self, all: bool) {
        while self.ledger.has_room(ROWS_AT_ONCE) {
            let untold = self.engine.take_untold(now(), all);
            if untold.is_empty() {
                return;
            }
            for (id, count) in untold {
                if let Ok(Some(event)) = self.ledger.event(&id.to_string()) {
                    self.ledger.record_event(Event { count, ..event });
                }
            }
        }
    }

    /// What the ledger has no room for stays where it is until the next time.
    fn keep_rollups(&self, all: bool) {
        while self.ledger.has_room(ROWS_AT_ONCE) && self.keep_some_rollups(all) {}
    }

    fn keep_some_rollups(&self, all: bool) -> bool {
        let taken = self.totals.take(|| self.engine.take_rollups(now(), all));
        if taken.is_empty() {
            return false;
        }
        let rows = taken.into_iter().map(|(key, endpoint, rollup)| Rollup {
            at: traffic::Timestamp::from_micros(u64::from(key.minute) * 60_000_000),
            endpoint,
            status_class: key.status_class,
            action: key.action,
            enforced: key.enforced,
            count: rollup.count,
            bytes: rollup.bytes,
            latency: rollup.latency.iter().map(|count| u64::from(*count)).collect(),
        });
        self.ledger.record(Entry::Rollups(rows.collect()));
        true
    }

    /// The ledger adds up, so that a running hour may be kept piece by piece.
    fn keep_tallies(&self) {
        while self.ledger.has_room(ROWS_AT_ONCE) {
            let taken = self.engine.take_tallies();
            if taken.is_empty() {
                return;
            }
            self.ledger.record(Entry::Tallies(taken));
        }
    }

    /// Keeps learnt state, unless nothing was learnt since step `kept`.
    fn keep_snapshot(&self, kept: &mut Option<u64>) {
        let seq = self.engine.overview().seq;
        if *kept == Some(seq) {
            return;
        }
        let slices = self.engine.snapshot();
        let slices = slices.map(|(part, bytes)| LearntSlice { part: part.to_owned(), bytes });
        match self.ledger.save_learnt(LearntState { at: now(), slices: Box::new(slices) }) {
            Ok(()) => *kept = Some(seq),
            Err(error) => tracing::warn!(%error, "learnt state is not kept this time"),
        }
    }
}

impl Due {
    fn every(every: Duration) -> Self {
        Self { every, next: Instant::now() + every }
    }

    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let is_due = now >= self.next;
        if is_due {
            self.next = now + self.every;
        }
        is_due
    }
}
