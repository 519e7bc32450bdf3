//! The routes under `/api/v1`, and what they work with.
//!
//! Reads come from the engine's views and the ledger's queries. A mutation is put in force, written
//! down together with its audit line, and answered once that is committed; when it cannot be
//! written down it is taken back.

pub(crate) mod alerts;
pub(crate) mod apis;
pub(crate) mod audit;
pub(crate) mod decisions;
pub(crate) mod described;
pub(crate) mod events;
pub(crate) mod exceptions;
pub(crate) mod explain;
mod figures;
pub(crate) mod incidents;
pub(crate) mod metrics;
pub(crate) mod modes;
pub(crate) mod page;
pub(crate) mod readiness;
pub(crate) mod report;
pub(crate) mod session;
pub(crate) mod status;
pub(crate) mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use apis::endpoint;
pub use explain::explained;
pub use tokens::new_token;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use ledger::Ledger;
use shield::Engine;
use traffic::{Layer, Timestamp};

use crate::gate;
use crate::idempotency::Repeats;
use crate::keyring::Keyring;
use crate::operations;
use crate::readiness::Lately;
use crate::refused::Refused;
use crate::scope::Scope;
use crate::session::Sessions;
use crate::totals::Totals;
use crate::wire::{Changed, ModeChange, Probation, Reloaded, Sink, SinkTest, TakenBack, Upstream};

/// Larger orders than this are nobody's.
const ORDER_BYTES_MAX: usize = 64 * 1024;

/// A running instance, as far as only its wiring knows it.
pub trait Instance: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Process, place and policy: what it was started with and how its policy fares.
    fn standing(&self) -> InstanceStanding;
    /// What was counted on the way of requests.
    fn served(&self) -> Served;

    /// Changes modes in the overlay and puts the policy that results in force, or only tells what
    /// that would do.
    fn change_modes(
        &self,
        change: &ModeChange,
        author: &str,
        dry_run: bool,
    ) -> Result<Changed, Refused>;

    /// Reads the configuration again, or only tells what that would do.
    fn reload(&self, author: &str, dry_run: bool) -> Result<Reloaded, Refused>;

    /// Tells each sink that this is a test, and waits for what they say; or only names them.
    fn test_sinks(&self, dry_run: bool) -> Vec<SinkTest>;
}

/// The counter of access log lines that were lost.
pub const ACCESS_LINES_LOST: &str = "access log, lines lost";

/// How an instance was started and how its policy fares.
#[derive(Clone, Debug, Default)]
pub struct InstanceStanding {
    /// Version of the program.
    pub version: &'static str,
    /// Since when it runs.
    pub started: Timestamp,
    /// The data folder.
    pub data: String,
    /// Where it listens.
    pub listeners: Vec<String>,
    /// Why the newest policy that was offered is not in force.
    pub policy_faults: Vec<String>,
    /// What the policy in force was warned about.
    pub policy_warnings: Vec<String>,
    /// Counters of the wiring, by name.
    pub counters: Vec<(&'static str, u64)>,
    /// What needs attention.
    pub alarms: Vec<String>,
    /// How the upstreams of each site stand.
    pub upstreams: BTreeMap<String, Vec<Upstream>>,
    /// Who is told of attacks, and how that goes.
    pub sinks: Vec<Sink>,
    /// Until when each certificate is valid.
    pub certificates: BTreeMap<String, Timestamp>,
    /// Policies that were offered since the start, those that were taken and those refused.
    pub reloads: Reloads,
    /// Since when layers look at traffic.
    pub watched: Vec<Watched>,
    /// The switch to enforcing that is watched at the moment.
    pub probation: Option<Probation>,
    /// Those that were taken back lately, the latest first.
    pub taken_back: Vec<TakenBack>,
}

/// What the gateway's workers have counted since the start.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// Upper bounds of the classes of time, in microseconds.
    pub bounds_us: &'static [u64],
    /// How long each phase of the work on an exchange took, by its word.
    pub phases: Vec<(&'static str, Timed)>,
    /// How long upstreams took to begin an answer.
    pub upstream: Timed,
    /// Requests that were not taken on, by reason.
    pub shed: Vec<(&'static str, u64)>,
    /// Requests that were refused for their form, by the name of what is wrong.
    pub refused: Vec<(&'static str, u64)>,
    /// Requests under way.
    pub active: u64,
    /// Bytes of bodies that are held.
    pub held_bytes: u64,
}

/// How long something took.
#[derive(Clone, Debug, Default)]
pub struct Timed {
    /// How often, by class of time; the last one is above all bounds.
    pub counts: Vec<u64>,
    /// All together, in microseconds.
    pub sum_us: u64,
}

/// What became of policies that were offered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reloads {
    /// So many came into force.
    pub taken: u64,
    /// So many were refused.
    pub refused: u64,
    /// When the last one came into force; the start counts.
    pub last: Timestamp,
}

/// Since when a layer looks at a site's traffic.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The site.
    pub site: String,
    /// The layer.
    pub layer: Layer,
    /// Since when.
    pub since: Timestamp,
}

/// What the routes work with.
#[derive(Clone)]
pub struct Console {
    /// The decision core.
    pub engine: Arc<Engine>,
    /// What happened.
    pub ledger: Ledger,
    /// The rest of the program.
    pub instance: Arc<dyn Instance>,
    /// Who may come in over the network.
    pub keyring: Keyring,
    /// Browsers that have logged in.
    pub sessions: Sessions,
    /// What was answered to changes that may come again.
    pub repeats: Repeats,
    /// What was counted since the start.
    pub totals: Totals,
    /// What was told lately of readiness.
    pub lately: Lately,
    /// Whose turn it is to change something.
    pub turn: Arc<tokio::sync::Mutex<()>>,
    /// Names by which the API is asked over the network, besides addresses and `localhost`.
    pub hosts: Arc<[String]>,
}

/// All routes.
pub fn routes(console: Console) -> Router {
    let nothing = || async { Refused::missing("there is nothing here; the API is under /api/v1") };
    let wrong_method =
        || async { Refused::of(StatusCode::METHOD_NOT_ALLOWED, "this cannot be done here") };
    let scraped = from_fn_with_state(Scope::Read, gate::permit);
    Router::new()
        .nest("/api/v1", operations::routes(&console))
        .route("/metrics", get(metrics::metrics).route_layer(scraped))
        .route("/livez", get(described::live))
        .route("/readyz", get(described::ready))
        .fallback(nothing)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(ORDER_BYTES_MAX))
        .layer(from_fn_with_state(console.clone(), gate::identify))
        .with_state(console)
}

/// Ten years, and then some: what is meant to hold longer is meant to hold for ever.
const LASTS_S_MAX: u64 = 316_224_000;

/// How long something lasts that is said in seconds, by the name `named`.
fn lasting(named: &str, seconds: Option<u64>) -> Result<Option<Duration>, Refused> {
    match seconds {
        None => Ok(None),
        Some(seconds @ 1..=LASTS_S_MAX) => Ok(Some(Duration::from_secs(seconds))),
        Some(_) => Err(Refused::wrong(format!("`{named}` is 1 second to 10 years"))),
    }
}

/// Lists are no longer than this.
const LIMIT_MAX: usize = 10_000;

/// How long a list may be.
fn limited(limit: Option<usize>) -> Result<usize, Refused> {
    match limit {
        None => Ok(100),
        Some(limit @ 1..=LIMIT_MAX) => Ok(limit),
        Some(_) => Err(Refused::wrong(format!("`limit` is 1 to {LIMIT_MAX}"))),
    }
}

/// Runs `work`, which may wait for a disk, where waiting is allowed.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Refused::failed("the question could not be worked on", error)),
    }
}

/// Writes `change` down with its audit line, and comes back once that is committed.
fn written(
    console: &Console,
    change: ledger::Change,
    author: &str,
    what: String,
) -> Result<(), Refused> {
    written_all(console, vec![change], author, what)
}

/// The same for several changes that belong together.
fn written_all(
    console: &Console,
    changes: Vec<ledger::Change>,
    author: &str,
    what: String,
) -> Result<(), Refused> {
    let audit = ledger::AuditLine {
        at: console.instance.now(),
        who: author.to_owned(),
        what,
        before: None,
        after: None,
    };
    console
        .ledger
        .write(ledger::Write { changes, audit: Some(audit) })
        .map_err(|error| Refused::failed("nothing was changed", error))
}
