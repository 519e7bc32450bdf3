//! One that is told: its spool, what it was told, and the thread that sends.
//!
//! Whoever has something to tell adds it to the spool and goes on; the thread sends what waits, in
//! order, and tries again after a pause when it cannot. A sink that is down costs a try a minute.

mod channel;
mod http;
mod ready;
mod stream;

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use ledger::Incident;
use traffic::{Event, Timestamp};

use crate::alert::{Alert, Item, News};
use crate::backoff;
use crate::memory::Memory;
use crate::render::Sender;
use crate::spool::{NotTaken, Place, Spool, Waiting, replace};

pub use ready::{Ready, ready};

use channel::{Channel, Fault};

/// So many lines go over a connection of syslog at once.
const BATCH_LINES: usize = 64;
/// A message that the sink does not want is tried so often before it is left out.
const UNWANTED_MAX: u32 = 3;
const TOLD: &str = "told.json";

/// A sink, while it is in the policy.
pub struct Outlet {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    /// Something changed: more to send, another policy, the end.
    changed: Condvar,
    sender: Sender,
    folder: PathBuf,
}

struct State {
    ready: Arc<Ready>,
    spool: Spool,
    memory: Memory,
    count: Count,
    /// Grows when the sink changes or ends: whoever pauses looks again.
    version: u64,
    is_over: bool,
}

/// How a sink fares, since the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count {
    pub(crate) sent: u64,
    pub(crate) failed: u64,
    pub(crate) dropped: u64,
    pub(crate) last_sent: Option<Timestamp>,
    pub(crate) last_fault: Option<(Timestamp, String)>,
}

impl Outlet {
    /// Opens what waits in `folder` and begins to send it.
    pub(crate) fn begin(
        folder: &Path,
        ready: Ready,
        spool_bytes: u64,
        sender: Sender,
        now: Timestamp,
    ) -> io::Result<Self> {
        let spool = Spool::open(folder, spool_bytes)?;
        let told = fs::read(folder.join(TOLD)).unwrap_or_default();
        let memory = match serde_json::from_slice(&told) {
            Ok(memory) => memory,
            Err(_) => Memory::since(now),
        };
        let name = ready.name.clone();
        let state = State {
            ready: Arc::new(ready),
            spool,
            memory,
            count: Count::default(),
            version: 0,
            is_over: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            sender,
            folder: folder.to_owned(),
        });
        shared.keep_memory(&shared.state());
        let working = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name(format!("sink {}", name.chars().take(9).collect::<String>()))
            .spawn(move || working.work())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Takes over what another policy says of it. What waits goes to where it is now.
    pub(crate) fn change(&self, ready: Ready, spool_bytes: u64) {
        let mut state = self.shared.state();
        state.ready = Arc::new(ready);
        state.spool.limit(spool_bytes);
        state.version += 1;
        self.shared.changed.notify_all();
    }

    pub(crate) fn wants_incidents(&self) -> bool {
        self.shared.state().ready.wants_incidents
    }

    pub(crate) fn wants_events(&self) -> bool {
        self.shared.state().ready.wants_events
    }

    /// What is news for this sink about an incident.
    pub(crate) fn news(&self, incident: &Incident, now: Timestamp) -> Option<(News, u32)> {
        let mut state = self.shared.state();
        let rule = state.ready.rule;
        let news = state.memory.news(incident, rule, now)?;
        if state.memory.has_room(incident.id, now) {
            return Some(news);
        }
        state.fault(now, "more incidents at a time than can be told apart".to_owned());
        None
    }

    /// Tells of an incident. What the disk does not take is news again the next time.
    pub(crate) fn tell(&self, alert: Alert, incident: &Incident, times: u32, now: Timestamp) {
        let Ok(line) = serde_json::to_vec(&Item::Alert(Box::new(alert))) else { return };
        let mut state = self.shared.state();
        if state.is_over {
            return;
        }
        match state.spool.append(&[line]) {
            Ok(_) => {}
            Err(NotTaken::Full) => state.full(1, now),
            Err(NotTaken::Disk(error)) => return state.fault(now, format!("its spool: {error}")),
        }
        state.memory.note(incident, times, now);
        self.shared.keep_memory(&state);
        self.shared.changed.notify_all();
    }

    /// Tells of requests.
    pub(crate) fn tell_events(&self, events: &[Event], now: Timestamp) {
        let lines: Vec<Vec<u8>> = events
            .iter()
            .filter_map(|event| serde_json::to_vec(&Item::Event(Box::new(event.clone()))).ok())
            .collect();
        let mut state = self.shared.state();
        if state.is_over {
            return;
        }
        let taken = match state.spool.append(&lines) {
            Ok(taken) => taken,
            Err(NotTaken::Full) => 0,
            Err(NotTaken::Disk(error)) => {
                state.fault(now, format!("its spool: {error}"));
                state.count.dropped += lines.len() as u64;
                return;
            }
        };
        if taken < lines.len() {
            state.full((lines.len() - taken) as u64, now);
        }
        self.shared.changed.notify_all();
    }

    /// Counts what could not even be looked at.
    pub(crate) fn missed(&self, events: u64) {
        self.shared.state().count.dropped += events;
    }

    /// Sends `alert` at once, beside what waits, and tells what came back.
    pub(crate) fn test(&self, alert: Alert) -> Result<String, String> {
        let ready = Arc::clone(&self.shared.state().ready);
        let item = [Item::Alert(Box::new(alert))];
        match Channel::default().tell(&ready, &item, &self.shared.sender) {
            Ok((_, said)) => Ok(said),
            Err(Fault::Later { what, .. } | Fault::Unwanted(what)) => Err(what),
        }
    }

    /// What it is, how it fares, and how many messages and bytes wait.
    pub(crate) fn standing(&self) -> (Arc<Ready>, Count, u64, u64) {
        let state = self.shared.state();
        let (waiting, bytes) = (state.spool.waiting(), state.spool.bytes());
        (Arc::clone(&state.ready), state.count.clone(), waiting, bytes)
    }

    /// Tells the thread to end; what waits stays on disk.
    pub(crate) fn stop(&self) {
        let mut state = self.shared.state();
        state.is_over = true;
        state.version += 1;
        self.shared.changed.notify_all();
    }

    /// Whether the thread has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl State {
    fn fault(&mut self, now: Timestamp, what: String) {
        self.count.last_fault = Some((now, what));
    }

    fn full(&mut self, messages: u64, now: Timestamp) {
        if self.count.dropped == 0 {
            tracing::error!(sink = self.ready.name, "its spool is full; what comes is dropped");
        }
        self.count.dropped += messages;
        self.fault(now, "its spool is full".to_owned());
    }
}

impl Shared {
    fn work(&self) {
        let (mut channel, mut version, mut failures) = (Channel::default(), 0, 0);
        while let Some((ready, now_version, waiting)) = self.next() {
            if now_version != version {
                (channel, version, failures) = (Channel::default(), now_version, 0);
            }
            match self.send(&mut channel, &ready, &waiting, failures) {
                Ok(()) => failures = 0,
                Err(asked) => {
                    failures += 1;
                    let dice = RandomState::new().build_hasher().finish();
                    self.pause(backoff::pause(failures, asked, dice), version);
                }
            }
        }
    }

    /// Waits for something to send; none when it is over.
    fn next(&self) -> Option<(Arc<Ready>, u64, Vec<Waiting>)> {
        let mut state = self.state();
        loop {
            if state.is_over {
                return None;
            }
            let most = if state.ready.to.scheme.is_http() { 1 } else { BATCH_LINES };
            match state.spool.first(most) {
                Ok(waiting) if !waiting.is_empty() => {
                    return Some((Arc::clone(&state.ready), state.version, waiting));
                }
                Ok(_) => state = self.wait(state, Duration::from_secs(3_600)),
                Err(error) => {
                    state.fault(now(), format!("its spool: {error}"));
                    state = self.wait(state, Duration::from_secs(10));
                }
            }
        }
    }

    fn send(
        &self,
        channel: &mut Channel,
        ready: &Ready,
        waiting: &[Waiting],
        failures: u32,
    ) -> Result<(), Option<Duration>> {
        // A damaged line ends the batch, and is left out when it is the first.
        let items: Vec<Item> =
            waiting.iter().map_while(|it| serde_json::from_slice(&it.line).ok()).collect();
        if items.is_empty() {
            self.leave_out(waiting, 1);
            return Ok(());
        }
        match channel.tell(ready, &items, &self.sender) {
            Ok((told, _)) => {
                self.told(waiting, told);
                Ok(())
            }
            Err(Fault::Later { what, asked }) => {
                self.failed(ready, what, failures);
                Err(asked)
            }
            Err(Fault::Unwanted(what)) => {
                self.failed(ready, what, failures);
                if failures + 1 < UNWANTED_MAX {
                    return Err(None);
                }
                self.leave_out(waiting, 1);
                Ok(())
            }
        }
    }

    fn told(&self, waiting: &[Waiting], told: usize) {
        let mut state = self.state();
        let Some(end) = end_of(waiting, told) else { return };
        // Another may have opened the folder since: it sends this again.
        if state.is_over {
            return;
        }
        state.spool.sent(end, told as u64);
        state.count.sent += told as u64;
        state.count.last_sent = Some(now());
        if state.spool.waiting() == 0 && state.count.last_fault.take().is_some() {
            tracing::info!(sink = state.ready.name, "the sink has all that waited for it");
        }
    }

    fn failed(&self, ready: &Ready, what: String, failures: u32) {
        if failures == 0 {
            tracing::warn!(sink = ready.name, fault = what, "a sink cannot be told; trying on");
        }
        let mut state = self.state();
        state.count.failed += 1;
        state.fault(now(), what);
    }

    fn leave_out(&self, waiting: &[Waiting], lines: usize) {
        let mut state = self.state();
        let Some(end) = end_of(waiting, lines).filter(|_| !state.is_over) else { return };
        state.spool.sent(end, lines as u64);
        state.count.dropped += lines as u64;
    }

    fn pause(&self, pause: Duration, version: u64) {
        let until = Instant::now() + pause;
        let mut state = self.state();
        while state.version == version {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.wait(state, left);
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, most: Duration) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout(state, most);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn keep_memory(&self, state: &State) {
        let text = serde_json::to_vec(&state.memory).unwrap_or_default();
        if let Err(error) = replace(&self.folder.join(TOLD), &text) {
            tracing::debug!(%error, "after a restart a sink may be told what it knows");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end_of(waiting: &[Waiting], lines: usize) -> Option<Place> {
    waiting.get(lines.checked_sub(1)?).map(|it| it.end)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
