//! All sinks of the policy, and what they were told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ledger::{Incident, Ledger};
use shield::policy::SinkKind;
use traffic::{Event, Hasher, Timestamp, counted};

use crate::alert::{Alert, Origin};
use crate::render::Sender;
use crate::sink::{Outlet, Ready};
use crate::spool::Spool;

/// The folder in the data folder.
const FOLDER: &str = "alerts";
/// At the end a message under way has so long to arrive; else it is sent again at the next start.
const LAST_MESSAGE_MAX: Duration = Duration::from_millis(500);
/// A machine has a name of its own only where somebody gave it one.
const MACHINE_FILE: &str = "/proc/sys/kernel/hostname";

/// All sinks.
pub struct Outbox {
    folder: PathBuf,
    origin: Origin,
    outlets: Mutex<Outlets>,
}

#[derive(Default)]
struct Outlets {
    /// In the order of the policy.
    all: Vec<(String, Arc<Outlet>)>,
    /// Messages for sinks that the policy no longer has, by their names.
    left: BTreeMap<String, u64>,
    faults: Vec<String>,
}

/// How a sink fares.
#[derive(Clone, Debug, Default)]
pub struct SinkStanding {
    /// Its name.
    pub name: String,
    /// What it understands.
    pub kind: &'static str,
    /// Where it is, as that may be shown.
    pub to: String,
    /// Messages that arrived since the start.
    pub sent: u64,
    /// Messages that wait.
    pub waiting: u64,
    /// And their bytes on disk.
    pub waiting_bytes: u64,
    /// Tries that failed since the start.
    pub failed: u64,
    /// Messages that were given up since the start.
    pub dropped: u64,
    /// When one arrived last.
    pub last_sent: Option<Timestamp>,
    /// What went wrong last, and when; none once all has arrived.
    pub last_fault: Option<(Timestamp, String)>,
}

/// What came back from a test.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The sink's name.
    pub name: String,
    /// Where it is, as that may be shown.
    pub to: String,
    /// What it said, or why it was not told.
    pub said: Result<String, String>,
    /// How long it took.
    pub took: Duration,
}

impl Outbox {
    /// Of the installation that `ledger` belongs to, without sinks.
    pub fn of(ledger: &Ledger) -> Self {
        let machine = fs::read_to_string(MACHINE_FILE).unwrap_or_default();
        let installation = format!("{:016x}", Hasher::new(ledger.hash_key()).key_id().0);
        Self {
            folder: ledger.folder().join(FOLDER),
            origin: Origin { installation, machine: machine.trim().to_owned() },
            outlets: Mutex::default(),
        }
    }

    /// Puts the sinks of another policy in the place of those that are there. What waits for one
    /// that stays is kept, wherever the sink is now; what waits for one that goes stays on disk,
    /// for when it comes back.
    pub fn apply(&self, sinks: Vec<Ready>, spool_bytes: u64, now: Timestamp) {
        let mut outlets = self.outlets();
        let mut before: BTreeMap<String, Arc<Outlet>> = outlets.all.drain(..).collect();
        outlets.faults.clear();
        for ready in sinks {
            let name = ready.name.clone();
            if let Some(outlet) = before.remove(&name) {
                outlet.change(ready, spool_bytes);
                outlets.all.push((name, outlet));
                continue;
            }
            let folder = self.folder.join(&name);
            match Outlet::begin(&folder, ready, spool_bytes, self.sender(), now) {
                Ok(outlet) => outlets.all.push((name, Arc::new(outlet))),
                Err(error) => {
                    let fault = format!("sink {name} is told nothing: its spool: {error}");
                    tracing::error!("{fault}");
                    outlets.faults.push(fault);
                }
            }
        }
        end_all(before.values());
        outlets.left = self.left(&outlets.all, spool_bytes);
    }

    /// Whether there is anybody to tell of requests.
    pub(crate) fn wants_events(&self) -> bool {
        self.all().iter().any(|(_, outlet)| outlet.wants_events())
    }

    /// Whether there is anybody to tell of incidents.
    pub(crate) fn wants_incidents(&self) -> bool {
        self.all().iter().any(|(_, outlet)| outlet.wants_incidents())
    }

    /// Tells whoever wants to know of requests; `missed` went by unseen.
    pub(crate) fn tell_events(&self, events: &[Event], missed: u64, now: Timestamp) {
        for (_, outlet) in self.all().iter().filter(|(_, outlet)| outlet.wants_events()) {
            outlet.missed(missed);
            if !events.is_empty() {
                outlet.tell_events(events, now);
            }
        }
    }

    /// Tells of an incident whoever has not heard of it; `whole` reads all there is to say.
    pub(crate) fn tell_incident(
        &self,
        incident: &Incident,
        now: Timestamp,
        whole: impl Fn() -> Option<Incident>,
    ) {
        let mut read = None;
        for (_, outlet) in self.all().iter().filter(|(_, outlet)| outlet.wants_incidents()) {
            let Some((news, times)) = outlet.news(incident, now) else { continue };
            let Some(whole) = read.get_or_insert_with(&whole) else { return };
            let alert = Alert::of(whole, (news, times), &self.origin, now);
            outlet.tell(alert, whole, times, now);
        }
    }

    /// How each sink fares.
    pub fn standing(&self) -> Vec<SinkStanding> {
        self.all().iter().map(|(name, outlet)| standing_of(name, outlet)).collect()
    }

    /// What needs attention, one sentence each.
    pub fn alarms(&self) -> Vec<String> {
        let outlets = self.outlets();
        let mut alarms = outlets.faults.clone();
        for (name, waiting) in &outlets.left {
            let waiting = counted(*waiting, "message");
            alarms.push(format!(
                "kept for sink {name}, which the configuration no longer has: {waiting}"
            ));
        }
        drop(outlets);
        for sink in self.standing() {
            if sink.dropped > 0 {
                let lost = counted(sink.dropped, "message");
                alarms.push(format!("lost for sink {}: {lost}", sink.name));
            }
            if let (Some((_, fault)), true) = (&sink.last_fault, sink.waiting > 0) {
                alarms.push(format!("sink {} cannot be told: {fault}", sink.name));
            }
        }
        alarms
    }

    /// Tells each sink that this is a test, all at the same time, and waits for what they say.
    pub fn test(&self, now: Timestamp) -> Vec<Tested> {
        let all = self.all();
        let alert = Alert::test(&self.origin, now);
        std::thread::scope(|scope| {
            let asked: Vec<_> = all
                .iter()
                .map(|(name, outlet)| {
                    let alert = alert.clone();
                    scope.spawn(move || {
                        let began = Instant::now();
                        let said = outlet.test(alert);
                        let (ready, ..) = outlet.standing();
                        let to = ready.shown.clone();
                        Tested { name: name.clone(), to, said, took: began.elapsed() }
                    })
                })
                .collect();
            asked.into_iter().filter_map(|asked| asked.join().ok()).collect()
        })
    }

    /// Ends all threads. What waits stays on disk.
    pub fn end(&self) {
        let all = std::mem::take(&mut self.outlets().all);
        end_all(all.iter().map(|(_, outlet)| outlet));
    }

    fn sender(&self) -> Sender {
        let machine = self.origin.machine.clone();
        Sender { machine, process: std::process::id() }
    }

    /// What waits for sinks that are not in the policy.
    fn left(&self, all: &[(String, Arc<Outlet>)], spool_bytes: u64) -> BTreeMap<String, u64> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return BTreeMap::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        names
            .filter(|name| !all.iter().any(|(known, _)| known == name))
            .filter_map(|name| Some((waiting_in(&self.folder.join(&name), spool_bytes)?, name)))
            .filter(|(waiting, _)| *waiting > 0)
            .map(|(waiting, name)| (name, waiting))
            .collect()
    }

    /// The sinks as they are now; nobody waits for the lock while one of them is told.
    fn all(&self) -> Vec<(String, Arc<Outlet>)> {
        self.outlets().all.clone()
    }

    fn outlets(&self) -> MutexGuard<'_, Outlets> {
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn waiting_in(folder: &Path, spool_bytes: u64) -> Option<u64> {
    Spool::open(folder, spool_bytes).ok().map(|spool| spool.waiting())
}

fn standing_of(name: &str, outlet: &Outlet) -> SinkStanding {
    let (ready, count, waiting, waiting_bytes) = outlet.standing();
    SinkStanding {
        name: name.to_owned(),
        kind: kind_of(&ready),
        to: ready.shown.clone(),
        sent: count.sent,
        waiting,
        waiting_bytes,
        failed: count.failed,
        dropped: count.dropped,
        last_sent: count.last_sent,
        last_fault: count.last_fault,
    }
}

const fn kind_of(ready: &Ready) -> &'static str {
    SinkKind::key(ready.kind)
}

fn end_all<'a>(outlets: impl Iterator<Item = &'a Arc<Outlet>> + Clone) {
    outlets.clone().for_each(|outlet| outlet.stop());
    let until = Instant::now() + LAST_MESSAGE_MAX;
    for outlet in outlets {
        while !outlet.has_ended() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}
