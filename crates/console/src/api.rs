//! The routes under `/api/v1`, and what they work with.
//!
//! Reads come from the engine's views and the ledger's queries. A mutation is put in force, written
//! down together with its audit line, and answered once that is committed; when it cannot be
//! written down it is taken back.

mod alerts;
mod apis;
mod audit;
mod decisions;
mod events;
mod exceptions;
mod explain;
mod figures;
mod incidents;
mod modes;
mod report;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use apis::endpoint;
pub use explain::explained;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, patch, post};
use ledger::Ledger;
use shield::Engine;
use traffic::Timestamp;

use crate::refused::Refused;
use crate::wire::{Changed, ModeChange, Reloaded, Sink, SinkTest, Upstream};

/// Larger orders than this are nobody's.
const ORDER_BYTES_MAX: usize = 64 * 1024;

/// A running instance, as far as only its wiring knows it.
pub trait Instance: Send + Sync {
    /// The time.
    fn now(&self) -> Timestamp;

    /// Process, place and policy: what it was started with and how its policy fares.
    fn standing(&self) -> InstanceStanding;

    /// Changes modes in the overlay and puts the policy that results in force.
    fn change_modes(&self, change: &ModeChange, author: &str) -> Result<Changed, Refused>;

    /// Reads the configuration again.
    fn reload(&self, author: &str) -> Result<Reloaded, Refused>;

    /// Tells each sink that this is a test, and waits for what they say.
    fn test_sinks(&self) -> Vec<SinkTest>;
}

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
}

/// All routes.
pub fn routes(console: Console) -> Router {
    let v1 = Router::new()
        .route("/status", get(status::status))
        .route("/layers", get(status::layers))
        .route("/modes", patch(modes::change))
        .route("/reload", post(modes::reload))
        .route("/alerts/test", post(alerts::test))
        .route("/explain", get(explain::explain))
        .route("/apis", get(apis::list))
        .route("/apis/export", get(apis::export))
        .route("/apis/{endpoint}", get(apis::one))
        .route("/events", get(events::list))
        .route("/events/stream", get(events::stream))
        .route("/events/{id}", get(events::one))
        .route("/incidents", get(incidents::list))
        .route("/incidents/{id}", get(incidents::one).patch(incidents::change))
        .route("/decisions", get(decisions::list).post(decisions::make))
        .route("/decisions/{id}", delete(decisions::remove))
        .route("/exceptions", get(exceptions::list).post(exceptions::make))
        .route("/exceptions/{id}", get(exceptions::one).delete(exceptions::remove))
        .route("/report", get(report::make))
        .route("/audit", get(audit::list));
    Router::new()
        .nest("/api/v1", v1)
        .fallback(|| async { Refused::missing("there is nothing here; the API is under /api/v1") })
        .layer(DefaultBodyLimit::max(ORDER_BYTES_MAX))
        .with_state(console)
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
