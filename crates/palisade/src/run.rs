//! `run`: everything put together, in front of an API, until it is told to end.
//!
//! The order of the start is the order of what can go wrong: the configuration is checked before
//! anything is opened, the data folder is taken before anything is decided, and the sockets are
//! opened last, when everything behind them is ready. The end is the same backwards.

mod access_log;
mod admin;
mod banner;
mod chores;
mod follow;
pub(crate) mod instance;
mod layer_log;
mod metered;
mod probation;
pub(crate) mod record;
mod service;
mod signals;
mod telling;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use alerts::Outbox;
use console::{Console, Door, Totals};
use gateway::{Gateway, Sites};
use ledger::{Ledger, Options};
use shield::policy::{Flags, Policy};
use shield::{Budget, Engine, Recorder};

use crate::args::{Global, ModeWord, Run};
use crate::configuration::{Compiled, Configuration, OVERLAY_NAME};
use crate::failure::Failure;
use crate::output::{Clock, say};
use access_log::AccessLog;
use admin::Admin;
use chores::Chores;
pub(crate) use instance::now;
use instance::{Parts, RunningInstance};
use record::Unbegun;
use service::Service;
use signals::Signals;
use telling::Telling;

/// Starts, serves, and ends in order.
pub(crate) fn run(global: &Global, run: &Run) -> Result<(), Failure> {
    crate::logging::begin(global);
    refuse_huge_pages();
    let flags = flags(global, run);
    let file = run.config.clone();
    let mut configuration = Configuration { file, flags, ..Configuration::default() };
    let first = configuration.compile().map_err(Failure::of_policy)?;
    let data = first.policy.store.path.value.clone();
    // Before anybody could believe that it runs: a signal that comes early must not just kill it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = runtime.block_on(async { Signals::new() })?;
    let (ledger, writer) = open_ledger(&data, &first.policy)?;
    configuration.overlay = Some(data.join(OVERLAY_NAME));
    let compiled = configuration.compile().map_err(Failure::of_policy)?;
    compiled.warnings.iter().for_each(|warning| say(&format!("warning: {warning}")));
    let mut running = Running::start(run, configuration, compiled, ledger)?;
    let door = Door::open(&data).map_err(|error| Failure::of("cannot open the socket", error))?;
    running.greet(global, &data);
    let lines = Lines::begin(global, &running.ledger)?;
    let service = Service::find();
    let ended = running.serve(door, &runtime, signals, service);
    lines.end();
    if let Some(access_log) = running.access_log {
        access_log.end();
    }
    running.chores.end();
    running.telling.end();
    drop(running.instance);
    writer.close();
    ended
}

/// Tables are touched here and there: a huge page for each place that is touched would have the
/// program take a third more than its tables do.
fn refuse_huge_pages() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "the system may back memory with huge pages");
    }
}

/// Everything that runs.
struct Running {
    engine: Arc<Engine>,
    ledger: Ledger,
    instance: Arc<RunningInstance>,
    chores: Chores,
    telling: Telling,
    gateway: Option<Gateway>,
    admin: Admin,
    totals: Totals,
    access_log: Option<AccessLog>,
    urls: Vec<String>,
}

impl Running {
    fn start(
        run: &Run,
        configuration: Configuration,
        compiled: Compiled,
        ledger: Ledger,
    ) -> Result<Self, Failure> {
        let Compiled { policy, warnings, recorded, file } = compiled;
        let unusable = |error: gateway::SetupError| match error {
            gateway::SetupError::Listen { .. } => Failure::Failed(error.to_string()),
            _ => Failure::Configuration(vec![error.to_string()]),
        };
        let upstreams = Sites::new(gateway::sites(&policy).map_err(unusable)?);
        let (listeners, mut certificates) =
            gateway::listeners(&policy, service::inherited()?).map_err(unusable)?;
        let admin = Admin::open(&policy, &mut certificates, &ledger)?;
        let sinks = alerts::ready(&policy.alerts).map_err(Failure::Configuration)?;
        let spool_bytes = policy.alerts.spool.value;
        let unbegun = run.record.as_deref().map(Unbegun::open).transpose()?;
        let budget = Budget::of(policy.server.memory_budget.value, &policy.rules);
        let engine = engine(policy, &ledger, unbegun.as_ref(), run.record_secrets);
        restore(&engine, &ledger)?;
        let header = recorded.map(|recorded| recorded.header(None)).unwrap_or_default();
        let begin = |unbegun: Unbegun| unbegun.begin(header, &engine, run.record_secrets);
        let recording = unbegun.map(begin).transpose()?;
        let mut settings = settings(&engine, &ledger, upstreams.clone(), budget);
        let to = engine.policy().server.access_log.value.clone();
        let access_log = to.as_ref().map(AccessLog::begin).transpose()?;
        settings.access = access_log.as_ref().map(AccessLog::sink);
        let (gateway, urls) = open(listeners, settings)?;
        let outbox = Arc::new(Outbox::of(&ledger));
        outbox.apply(sinks, spool_bytes, now());
        let telling = Telling::begin(ledger.clone(), Arc::clone(&outbox))?;
        let instance = Arc::new(RunningInstance::new(Parts {
            engine: Arc::clone(&engine),
            ledger: ledger.clone(),
            recording,
            configuration,
            warnings,
            file,
            listeners: urls.clone(),
            upstreams,
            certificates,
            terms: gateway.terms().clone(),
            meters: gateway.meters().clone(),
            access_lost: access_log.as_ref().map(AccessLog::lost),
            outbox,
        }));
        let totals = Totals::default();
        let chores = Chores::begin(
            Arc::clone(&engine),
            ledger.clone(),
            Arc::clone(&instance),
            totals.clone(),
        )?;
        let gateway = Some(gateway);
        Ok(Self {
            engine,
            ledger,
            instance,
            chores,
            telling,
            gateway,
            admin,
            totals,
            access_log,
            urls,
        })
    }

    fn greet(&self, global: &Global, data: &Path) {
        let banner = banner::Banner {
            policy: &self.engine.policy(),
            listeners: &self.urls,
            admin: self.admin.url(),
            data: &data.display().to_string(),
            names_data: data != Path::new(crate::commands::DATA_DEFAULT),
        };
        banner::show(global, &banner);
    }

    /// Answers on the socket until a signal comes, then lets the gateway drain.
    fn serve(
        &mut self,
        door: Door,
        runtime: &tokio::runtime::Runtime,
        signals: Signals,
        service: Service,
    ) -> Result<(), Failure> {
        let console = Console {
            engine: Arc::clone(&self.engine),
            ledger: self.ledger.clone(),
            instance: Arc::clone(&self.instance) as Arc<dyn console::Instance>,
            keyring: self.admin.keyring(),
            sessions: console::Sessions::default(),
            repeats: console::Repeats::default(),
            totals: self.totals.clone(),
            lately: console::Lately::default(),
            turn: Arc::default(),
            hosts: self.engine.policy().admin.hosts.value.clone().into(),
        };
        let network = self.admin.take_network();
        let gateway = self.gateway.take();
        let pulse = gateway.as_ref().map(|gateway| gateway.pulse().clone());
        let instance = Arc::clone(&self.instance);
        runtime.block_on(async move {
            let (close, closed) = tokio::sync::oneshot::channel::<()>();
            let stop = async {
                // A dropped sender is an order to stop as well.
                let _ = closed.await;
            };
            let routes = console::routes(console);
            let networked = network.map(|network| tokio::spawn(network.serve(routes.clone())));
            let answering = tokio::spawn(door.serve(routes, stop));
            service.is_ready();
            let ended = tokio::select! {
                ended = signals::until_told(&instance, gateway, signals, &service) => ended,
                () = service.keep_watch(pulse) => Ok(()),
            };
            let _ = close.send(());
            // Somebody who follows events must not keep the program from ending.
            let patience = Duration::from_millis(500);
            let _ = tokio::time::timeout(patience, answering).await;
            if let Some(networked) = networked {
                networked.abort();
            }
            ended
        })
    }
}

/// Begins to serve; the URLs under which that is.
fn open(
    listeners: Vec<gateway::Listener>,
    settings: gateway::Settings,
) -> Result<(Gateway, Vec<String>), Failure> {
    let has_tls: Vec<bool> = listeners.iter().map(|listener| listener.tls.is_some()).collect();
    let gateway = Gateway::start(listeners, settings)?;
    let url = |(address, has_tls): (&SocketAddr, &bool)| {
        format!("{}://{address}", if *has_tls { "https" } else { "http" })
    };
    let urls = gateway.addresses().iter().zip(&has_tls).map(url).collect();
    Ok((gateway, urls))
}

fn flags(global: &Global, run: &Run) -> Flags {
    Flags {
        to: run.to.clone(),
        listen: run.listen.clone(),
        mode: run.mode.map(ModeWord::mode),
        data: global.data.clone(),
        workers: run.workers,
        crs: run.crs.clone(),
    }
}

fn open_ledger(data: &Path, policy: &Policy) -> Result<(Ledger, ledger::Writer), Failure> {
    let budget = Budget::of(policy.server.memory_budget.value, &policy.rules);
    let options = Options {
        events_kept: policy.store.events.value,
        rollups_kept: policy.store.rollups.value,
        disk_bytes_max: policy.store.max_disk.value,
        queue_bytes: budget.waiting_events(),
        queue_rows: budget.waiting_rows() / Options::ROW_BYTES,
        recent_bytes: budget.recent_events(),
        ..Options::default()
    };
    Ledger::open(data, options).map_err(|error| Failure::Failed(error.to_string()))
}

fn engine(
    policy: Policy,
    ledger: &Ledger,
    recording: Option<&Unbegun>,
    keeps_secrets: bool,
) -> Arc<Engine> {
    let table_bytes = Budget::of(policy.server.memory_budget.value, &policy.rules).tables();
    let recorder = recording.map(|recording| Recorder { keeps_secrets, sink: recording.sink() });
    let key = ledger.hash_key();
    let reads_redacted = false;
    Arc::new(Engine::new(shield::Settings { policy, key, reads_redacted, table_bytes, recorder }))
}

/// Puts back what was learnt and decided before.
pub(crate) fn restore(engine: &Engine, ledger: &Ledger) -> Result<(), Failure> {
    let unreadable = |error| Failure::of("the data folder cannot be read", error);
    let mut restoring = engine.restore(now());
    ledger.learnt(|part, bytes| restoring.put(part, bytes)).map_err(unreadable)?;
    for lost in restoring.lost() {
        say(&format!("warning: {lost}"));
    }
    let decisions = ledger.decisions().map_err(unreadable)?;
    let exceptions = ledger.exceptions().map_err(unreadable)?;
    engine.reinstate(decisions, exceptions);
    let last = ledger.last_ids().map_err(unreadable)?;
    engine.number_after(last.decision.max(last.exception));
    Ok(())
}

fn settings(
    engine: &Arc<Engine>,
    ledger: &Ledger,
    upstreams: Sites,
    budget: Budget,
) -> gateway::Settings {
    let ledger = ledger.clone();
    let events = Arc::new(move |event| {
        // What does not fit is counted by the ledger.
        ledger.record_event(event);
    });
    let policy = engine.policy();
    let mut settings = gateway::Settings::new(Arc::clone(engine), events, upstreams).under(&policy);
    settings.held_bytes_max = budget.held_bodies() / settings.workers.max(1);
    settings
}

/// The lines that a terminal shows.
struct Lines {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Lines {
    fn begin(global: &Global, ledger: &Ledger) -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let is_wanted = !global.quiet && std::io::stderr().is_terminal();
        let (ledger, clock, stopped) = (ledger.clone(), Clock::new(global.utc), Arc::clone(&stop));
        let show = move || follow::follow(&ledger, &clock, &stopped);
        let named = || std::thread::Builder::new().name("lines".to_owned());
        let thread = is_wanted.then(|| named().spawn(show)).transpose()?;
        Ok(Self { stop, thread })
    }

    fn end(self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread {
            // A thread that panicked has been reported by the panic itself.
            let _ = thread.join();
        }
    }
}
