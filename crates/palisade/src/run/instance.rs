//! The running instance: its policy, how that came about, and how it changes.
//!
//! Every new policy goes the same way, whoever asks for it: read, check, compile, and only then put
//! in force, in one step. A bad one changes nothing; why it was refused is kept for `status` and
//! said loudly.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alerts::{Outbox, Ready, SinkStanding, Tested};
use console::shell::quoted;
use console::wire::{Changed, ModeChange, Reloaded, Sink, SinkTest, TakenBack, Upstream};
use console::{Instance, InstanceStanding, Refused, Reloads, Served};
use gateway::{Certificates, Meters, Renewed, Site as Placed, Sites, Terms, UpstreamStanding};
use ledger::{AuditLine, Ledger, Write};
use shield::Engine;
use shield::policy::overlay::{self, ModeScope, ModeSwitch};
use shield::policy::{Policy, SetUp};
use traffic::{Layer, Mode, Timestamp, counted};

use super::layer_log;
use super::metered;
use super::probation::Guard;
use super::record::Recording;
use crate::configuration::{Compiled, Configuration, Stamp};

/// A certificate that is not renewed by then needs attention.
const RENEWED_BEFORE: Duration = Duration::from_secs(14 * 86_400);

/// A running instance.
pub(crate) struct RunningInstance {
    pub(super) engine: Arc<Engine>,
    pub(super) ledger: Ledger,
    recording: Option<Recording>,
    upstreams: Sites,
    certificates: Certificates,
    terms: Terms,
    meters: Meters,
    access_lost: Option<Arc<AtomicU64>>,
    outbox: Arc<Outbox>,
    started: Timestamp,
    started_with: SetUp,
    listeners: Vec<String>,
    /// Taken after `offered`, never before.
    pub(super) guard: Mutex<Guard>,
    offered: Mutex<Offered>,
}

/// What a policy names in other files, as they are now.
struct Around {
    sites: BTreeMap<String, Placed>,
    certificates: Renewed,
    sinks: Vec<Ready>,
}

/// What a switch of modes is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Intent<'a> {
    /// To be carried out.
    Switch,
    /// To tell what it would do.
    DryRun,
    /// To take one back that did harm, for this reason.
    TakeBack(&'a str),
}

/// The policy as it was offered last.
struct Offered {
    configuration: Configuration,
    /// What the files looked like when they were read last.
    read: Stamp,
    /// What they looked like at the last look: a file that still changes is not read yet.
    seen: Stamp,
    faults: Vec<String>,
    warnings: Vec<String>,
    /// The file's text when it was good last.
    good_file: Option<String>,
    /// The overlay's text, when the disk did not take it.
    unsaved: Option<String>,
    reloads: Reloads,
}

/// What a running instance is made of.
pub(crate) struct Parts {
    /// The decision core.
    pub(crate) engine: Arc<Engine>,
    /// What happened.
    pub(crate) ledger: Ledger,
    /// The recording, when there is one.
    pub(crate) recording: Option<Recording>,
    /// Where the policy comes from.
    pub(crate) configuration: Configuration,
    /// What the first policy was warned about.
    pub(crate) warnings: Vec<String>,
    /// The text of its file.
    pub(crate) file: Option<String>,
    /// Where it listens.
    pub(crate) listeners: Vec<String>,
    /// Where requests go.
    pub(crate) upstreams: Sites,
    /// What listeners show.
    pub(crate) certificates: Certificates,
    /// What callers are held to.
    pub(crate) terms: Terms,
    /// What workers count.
    pub(crate) meters: Meters,
    /// Lines of the access log that were lost, when there is one.
    pub(crate) access_lost: Option<Arc<AtomicU64>>,
    /// Who is told.
    pub(crate) outbox: Arc<Outbox>,
}

/// The time.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

impl RunningInstance {
    /// From its parts.
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            engine,
            ledger,
            recording,
            configuration,
            warnings,
            file,
            listeners,
            upstreams,
            certificates,
            terms,
            meters,
            access_lost,
            outbox,
        } = parts;
        let mut stamp = configuration.stamp();
        stamp.take_certificates(&engine.policy());
        let offered = Offered {
            configuration,
            read: stamp.clone(),
            seen: stamp,
            faults: Vec::new(),
            warnings,
            good_file: file,
            unsaved: None,
            reloads: Reloads { last: now(), ..Reloads::default() },
        };
        let offered = Mutex::new(offered);
        let guard = Mutex::new(Guard::resume(&ledger, &engine.policy(), now()));
        Self {
            guard,
            started_with: engine.policy().set_up(),
            engine,
            ledger,
            recording,
            upstreams,
            certificates,
            terms,
            meters,
            access_lost,
            outbox,
            started: now(),
            listeners,
            offered,
        }
    }

    /// Reads the files again when they changed and have come to rest.
    pub(crate) fn look_at_files(&self) {
        let is_due = {
            let mut offered = self.offered();
            let mut stamp = offered.configuration.stamp();
            stamp.take_certificates(&self.engine.policy());
            let is_due = stamp != offered.read && stamp == offered.seen;
            offered.seen = stamp;
            is_due
        };
        if is_due {
            // Told in the log already, either way.
            let _ = self.take_up("palisade (a file changed)");
        }
    }

    /// Reads the files again and puts what they say in force.
    pub(crate) fn take_up(&self, author: &str) -> Result<Reloaded, Vec<String>> {
        let mut offered = self.offered();
        let mut stamp = offered.configuration.stamp();
        stamp.take_certificates(&self.engine.policy());
        offered.read = stamp.clone();
        offered.seen = stamp;
        let compiled = offered.configuration.compile();
        let Offered { configuration, read, seen, .. } = &mut *offered;
        read.take_rules(&configuration.rules);
        seen.take_rules(&configuration.rules);
        if let Ok(compiled) = &compiled {
            // There may be others than before.
            read.take_certificates(&compiled.policy);
            seen.take_certificates(&compiled.policy);
        }
        let done = compiled.and_then(|compiled| {
            let around = self.read_around(&compiled.policy)?;
            Ok(self.put_in_force(&mut offered, compiled, Some(around), author))
        });
        match done {
            Ok(reloaded) => {
                offered.faults.clear();
                // What the overlay says on disk counts again.
                offered.unsaved = None;
                tracing::warn!(version = reloaded.policy_version, "another policy is in force");
                Ok(reloaded)
            }
            Err(faults) => {
                for fault in &faults {
                    tracing::error!("{fault}");
                }
                tracing::error!("the new policy is refused; the old one stays in force");
                offered.reloads.refused += 1;
                offered.faults.clone_from(&faults);
                Err(faults)
            }
        }
    }

    /// What [`Self::take_up`] would do.
    fn look_ahead(&self) -> Result<Reloaded, Vec<String>> {
        let Compiled { policy, mut warnings, .. } = self.offered().configuration.compile()?;
        self.read_around(&policy)?;
        for key in self.started_with.restart_needed(&policy) {
            warnings.push(format!("{key} changed; it takes effect after a restart"));
        }
        let policy_version = policy.version();
        Ok(Reloaded { schema: "palisade.v1.reloaded".to_owned(), policy_version, warnings })
    }

    /// Reads the files that a policy names.
    fn read_around(&self, policy: &Policy) -> Result<Around, Vec<String>> {
        let unusable = |error: gateway::SetupError| vec![error.to_string()];
        let sites = gateway::sites(policy).map_err(unusable)?;
        let certificates = self.certificates.read_again(policy).map_err(unusable)?;
        let sinks = alerts::ready(&policy.alerts)?;
        Ok(Around { sites, certificates, sinks })
    }

    /// The last step of every change, after all that can fail. A switch of modes leaves `around` as
    /// it is: it must not depend on what has become of other files.
    fn put_in_force(
        &self,
        offered: &mut Offered,
        compiled: Compiled,
        around: Option<Around>,
        author: &str,
    ) -> Reloaded {
        let Compiled { policy, mut warnings, recorded, file } = compiled;
        for key in self.started_with.restart_needed(&policy) {
            warnings.push(format!("{key} changed; it takes effect after a restart"));
        }
        if let Some(Around { sites, certificates, sinks }) = around {
            self.outbox.apply(sinks, policy.alerts.spool.value, now());
            self.upstreams.replace(sites);
            self.terms.put_under(&policy);
            certificates.show();
        }
        let seq = self.engine.set_policy(policy);
        let policy_version = self.engine.policy_version();
        if let (Some(recording), Some(recorded)) = (&self.recording, recorded) {
            recording.header(recorded.header(Some(seq)));
        }
        offered.good_file = file;
        offered.reloads.taken += 1;
        offered.reloads.last = now();
        offered.warnings.clone_from(&warnings);
        let mut guard = self.guard();
        if guard.log.take_in(&self.engine.policy(), now()) {
            guard.log.keep();
        }
        drop(guard);
        let what = format!("policy version {policy_version} is in force");
        self.note(author, what, None, None);
        Reloaded { schema: "palisade.v1.reloaded".to_owned(), policy_version, warnings }
    }

    /// Switches modes back that were switched before, for that reason.
    pub(super) fn switch_because(
        &self,
        change: &ModeChange,
        author: &str,
        reason: &str,
    ) -> Result<Changed, Refused> {
        self.switch(change, author, Intent::TakeBack(reason))
    }

    /// Switches modes: in the overlay's text, then as a policy, then on disk, then in force. A disk
    /// that takes nothing does not keep a switch from working: it may be the one that helps.
    fn switch(
        &self,
        change: &ModeChange,
        author: &str,
        intent: Intent<'_>,
    ) -> Result<Changed, Refused> {
        let mode = change.mode.as_deref().map(str::parse::<Mode>).transpose();
        let mode = mode.map_err(|error| Refused::wrong(error.to_string()))?;
        let layers: Result<Vec<Layer>, _> = change.layers.iter().map(|word| word.parse()).collect();
        let layers = layers.map_err(|error| Refused::wrong(error.to_string()))?;
        let policy = self.engine.policy();
        let scope = policy
            .scope(change.site.as_deref(), change.route.as_deref(), &layers)
            .map_err(|error| Refused::wrong(error.to_string()))?;
        let mut offered = self.offered();
        let path = offered.configuration.overlay.clone();
        let path = path.ok_or_else(|| Refused::conflict("there is no overlay to write to"))?;
        let before = match &offered.unsaved {
            Some(text) => text.clone(),
            None => read_overlay(&path)?,
        };
        let after = overlay::set_mode(&before, &scope, mode).map_err(|error| {
            let title = format!("{} cannot be edited", path.display());
            Refused::invalid(title, vec![error.to_string()])
        })?;
        let compiled = offered
            .configuration
            .compile_texts(offered.good_file.clone(), Some(&after))
            .map_err(|faults| Refused::invalid("the change is refused", faults))?;
        let way_back = overlay::way_back(&before, &after, &scope)
            .map_err(|error| Refused::invalid("the overlay", vec![error.to_string()]))?;
        let undo = way_back.iter().map(command).collect();
        let mut warnings = Vec::new();
        if let Some(mode) = mode {
            let left = compiled.policy.unswitched(&scope, mode);
            warnings.extend(left.iter().map(ToString::to_string));
        }
        let schema = "palisade.v1.changed".to_owned();
        let what = match intent {
            Intent::TakeBack(reason) => format!("taken back: {}, as {reason}", what(&scope, mode)),
            Intent::Switch | Intent::DryRun => what(&scope, mode),
        };
        let is_watched = mode == Some(Mode::Enforce) && !change.for_good;
        let policies = (&*policy, &compiled.policy);
        let fresh = is_watched.then(|| self.probation(&what, policies, &way_back)).flatten();
        let probation_until = fresh.as_ref().map(|fresh| fresh.until.to_string());
        if intent == Intent::DryRun {
            warnings.extend(compiled.warnings);
            return Ok(Changed { schema, what, undo, warnings, probation_until });
        }
        if intent == Intent::Switch {
            self.enter(&scope, fresh);
        }
        let reloaded = self.put_in_force(&mut offered, compiled, None, author);
        offered.unsaved = match replace_file(&path, &after) {
            Ok(()) => None,
            Err(error) => {
                tracing::error!(%error, "the overlay is not written");
                warnings.push(format!("in force, but a restart forgets it: {error}"));
                Some(after.clone())
            }
        };
        let stamp = offered.configuration.stamp();
        offered.read.take_overlay(&stamp);
        offered.seen.take_overlay(&stamp);
        drop(offered);
        self.note(author, what.clone(), Some(before), Some(after));
        warnings.extend(reloaded.warnings);
        Ok(Changed { schema, what, undo, warnings, probation_until })
    }

    /// Adds to the audit log. The change is in force and stored as a file already, so a log that
    /// cannot be written is an alarm, not a reason to take it back.
    fn note(&self, who: &str, what: String, before: Option<String>, after: Option<String>) {
        let line = AuditLine { at: now(), who: who.to_owned(), what, before, after };
        let write = Write { changes: Vec::new(), audit: Some(line) };
        if let Err(error) = self.ledger.write(write) {
            tracing::error!(%error, "a change is missing from the audit log");
        }
    }

    fn offered(&self) -> MutexGuard<'_, Offered> {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Instance for RunningInstance {
    fn now(&self) -> Timestamp {
        now()
    }

    fn standing(&self) -> InstanceStanding {
        let health = self.ledger.health();
        let mut alarms = health.repairs;
        if let Some(fault) = health.storage_fault {
            alarms.push(format!("the ledger cannot write: {fault}"));
        }
        alarms.extend(self.outbox.alarms());
        let mut counters = vec![
            ("events written", health.events_written),
            ("events waiting", health.waiting),
            ("dropped, queue full", health.dropped_queue_full),
            ("dropped, disk", health.dropped_storage),
            ("dropped, not storable", health.dropped_unstorable),
            ("bytes of events on disk", health.events_bytes),
        ];
        if let Some(recording) = &self.recording {
            counters.push(("recording, lines lost", recording.lost()));
        }
        if let Some(lost) = &self.access_lost {
            counters.push((console::ACCESS_LINES_LOST, lost.load(Relaxed)));
        }
        let upstreams = self.upstreams.standings();
        alarms.extend(upstreams.iter().flat_map(|(site, standings)| told(site, standings)));
        let shown = |standings: Vec<UpstreamStanding>| standings.into_iter().map(shown).collect();
        let upstreams = upstreams.into_iter().map(|(site, all)| (site, shown(all))).collect();
        let certificates = self.certificates.ends();
        alarms.extend(certificates.iter().filter_map(|(name, ends)| expiring(name, *ends)));
        let (offered, guard) = (self.offered(), self.guard());
        let taken_back = guard.log.taken_back(now());
        let taken_back: Vec<TakenBack> = taken_back.map(layer_log::TakenBack::told).collect();
        alarms.extend(taken_back.iter().map(|it| {
            let TakenBack { what, at, reason } = it;
            format!("enforcing was taken back at {at} ({what}): {reason}; see palisade readiness")
        }));
        InstanceStanding {
            version: env!("CARGO_PKG_VERSION"),
            started: self.started,
            data: self.ledger.folder().display().to_string(),
            listeners: self.listeners.clone(),
            policy_faults: offered.faults.clone(),
            policy_warnings: offered.warnings.clone(),
            counters,
            alarms,
            upstreams,
            sinks: self.outbox.standing().into_iter().map(sink).collect(),
            certificates,
            reloads: offered.reloads,
            watched: guard.log.watched(),
            probation: guard.log.probation.as_ref().map(layer_log::Probation::told),
            taken_back,
        }
    }

    fn served(&self) -> Served {
        metered::served(&self.meters)
    }

    fn change_modes(
        &self,
        change: &ModeChange,
        author: &str,
        dry_run: bool,
    ) -> Result<Changed, Refused> {
        self.switch(change, author, if dry_run { Intent::DryRun } else { Intent::Switch })
    }

    fn reload(&self, author: &str, dry_run: bool) -> Result<Reloaded, Refused> {
        let done = if dry_run { self.look_ahead() } else { self.take_up(author) };
        done.map_err(|faults| Refused::invalid("refused; the old policy stays in force", faults))
    }

    fn test_sinks(&self, dry_run: bool) -> Vec<SinkTest> {
        if dry_run {
            return self.outbox.standing().into_iter().map(untested).collect();
        }
        self.outbox.test(now()).into_iter().map(tested).collect()
    }
}

fn sink(standing: SinkStanding) -> Sink {
    let fault = |(at, fault): (Timestamp, String)| format!("{at}: {fault}");
    Sink {
        name: standing.name,
        kind: standing.kind.to_owned(),
        to: standing.to,
        sent: standing.sent,
        waiting: standing.waiting,
        waiting_bytes: standing.waiting_bytes,
        failed: standing.failed,
        dropped: standing.dropped,
        last_sent: standing.last_sent.map(|at| at.to_string()),
        last_fault: standing.last_fault.map(fault),
    }
}

fn tested(tested: Tested) -> SinkTest {
    let Tested { name, to, said, took } = tested;
    let arrived = said.is_ok();
    let said = said.unwrap_or_else(|fault| fault);
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    SinkTest { name, to, arrived, said, took_ms }
}

fn untested(standing: SinkStanding) -> SinkTest {
    let SinkStanding { name, to, .. } = standing;
    SinkTest { name, to, arrived: false, said: "nothing was sent".to_owned(), took_ms: 0 }
}

/// What needs attention about a certificate.
fn expiring(name: &str, ends: Timestamp) -> Option<String> {
    let left = ends.since(now());
    let days = left.as_secs() / 86_400;
    (left < RENEWED_BEFORE).then(|| match left.is_zero() {
        true => format!("certificate {name} ended at {ends}"),
        false => format!("certificate {name} ends in {}, at {ends}", counted(days, "day")),
    })
}

/// What needs attention about a site's upstreams.
fn told(site: &str, standings: &[UpstreamStanding]) -> Vec<String> {
    let is_alone = standings.len() == 1;
    let out: Vec<_> = standings.iter().filter(|standing| !standing.serves).collect();
    if !is_alone && !out.is_empty() && out.len() == standings.len() {
        return vec![format!("all upstreams of site {site} are out: all are used")];
    }
    let sentence = |standing: &&UpstreamStanding| {
        let note = standing.note.as_deref().unwrap_or("it does not serve");
        format!("upstream {} of site {site} is out: {note}", standing.upstream)
    };
    out.iter().map(sentence).collect()
}

fn shown(standing: UpstreamStanding) -> Upstream {
    let UpstreamStanding { upstream, serves, note, faults, ejections } = standing;
    Upstream { url: upstream, serves, note, faults, ejections }
}

fn read_overlay(path: &Path) -> Result<String, Refused> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Refused::failed("the overlay cannot be read", error)),
    }
}

/// Puts `text` in the place of a file: a crash leaves the old text or the new one, whole.
pub(super) fn replace_file(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file =
        fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    File::open(folder)?.sync_all()
}

/// The change in one sentence.
fn what(scope: &ModeScope, mode: Option<Mode>) -> String {
    let layers = match scope.layers.as_slice() {
        [] => "all layers".to_owned(),
        layers => layers.iter().map(|layer| layer.key()).collect::<Vec<_>>().join(", "),
    };
    let place = match (&scope.site, &scope.route) {
        (Some(site), Some(route)) => format!(" on `{route}` of site {site}"),
        (Some(site), None) => format!(" on site {site}"),
        (None, _) => String::new(),
    };
    match mode {
        Some(mode) => format!("{layers} in {mode} mode{place}"),
        None => format!("{layers} as file and flags say{place}"),
    }
}

/// The command of a switch.
fn command(switch: &ModeSwitch) -> String {
    let ModeSwitch { scope, mode } = switch;
    let mut command = mode.map_or("inherit", Mode::key).to_owned();
    if !scope.layers.is_empty() {
        let layers: Vec<&str> = scope.layers.iter().map(|layer| layer.key()).collect();
        command.push_str(&format!(" {}", layers.join(",")));
    }
    for (flag, value) in [("--site", &scope.site), ("--route", &scope.route)] {
        if let Some(value) = value {
            command.push_str(&format!(" {flag} {}", quoted(value)));
        }
    }
    command
}
