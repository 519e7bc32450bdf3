//! What the shells hold: the policy in force, the memory, and the two steps between them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use catalog::EndpointView;
use traffic::recording::{Line, Order, OrderLine};
use traffic::{
    CallerKind, Decision, DecisionId, DecisionKind, EndpointId, Entity, EventId, Exception,
    ExceptionId, Finding, HashKey, Hasher, Origin, Scope, Tally, Timestamp,
};

use crate::counts::{RuleHits, SiteCounts};
use crate::guard::{Guard, LayerFaults};
use crate::memory::{Memory, Overview};
use crate::policy::Policy;
use crate::record::Recorder;
use crate::rollup::{Rollup, RollupKey};
use crate::snapshot::{Restoring, Slices};
use crate::standing::Change;
use crate::welfare::Welfare;

/// The decision core of one installation.
#[derive(Debug)]
pub struct Engine {
    policy: ArcSwap<Policy>,
    policy_version: AtomicU64,
    hasher: Hasher,
    readings: caller::Readings,
    memory: Mutex<Memory>,
    guard: Guard,
    recorder: Option<Recorder>,
    freed: AtomicU64,
}

/// What is handed out of the memory at one time is not more than this, so that neither requests
/// nor the memory budget have to wait for it.
const TAKEN_MAX: usize = 256;

/// What an engine is made from.
#[derive(Debug)]
pub struct Settings {
    /// The policy to begin with.
    pub policy: Policy,
    /// The key of the installation's hashes.
    pub key: HashKey,
    /// Whether requests come from a recording, where `~kind:hash:length` stands for a secret.
    pub reads_redacted: bool,
    /// The most memory that tables may take, in bytes.
    pub table_bytes: usize,
    /// Where exchanges are recorded, when they are.
    pub recorder: Option<Recorder>,
}

impl Engine {
    /// An engine that has learnt nothing yet.
    pub fn new(settings: Settings) -> Self {
        let Settings { policy, key, reads_redacted, table_bytes, recorder } = settings;
        Self {
            policy: ArcSwap::from_pointee(policy),
            policy_version: AtomicU64::new(1),
            hasher: if reads_redacted { Hasher::for_recording(key) } else { Hasher::new(key) },
            readings: caller::Readings::with_room(),
            memory: Mutex::new(Memory::new(table_bytes)),
            guard: Guard::default(),
            recorder,
            freed: AtomicU64::new(0),
        }
    }

    /// The same engine, keeping no samples of honest exchanges: for whoever looks at findings only.
    #[must_use]
    pub fn without_samples(self) -> Self {
        self.memory().keeps_samples = false;
        self
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.load_full()
    }

    /// How many policies have been in force so far: the number that events carry.
    pub fn policy_version(&self) -> u64 {
        self.policy_version.load(Relaxed)
    }

    pub(crate) fn policy_in_force(&self) -> (Arc<Policy>, u64) {
        (self.policy.load_full(), self.policy_version())
    }

    /// Puts another policy in force. Requests on their way keep the one they began with. Gives the
    /// number of this step, so that a recording can say between which others it lies.
    pub fn set_policy(&self, policy: Policy) -> u64 {
        let mut memory = self.memory();
        self.policy.store(Arc::new(policy));
        self.policy_version.fetch_add(1, Relaxed);
        memory.next_seq()
    }

    /// The hasher of this installation.
    pub const fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// Counts up whenever an attempt at a secret was answered: a held request may try again.
    pub fn freed(&self) -> u64 {
        self.freed.load(Relaxed)
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        // Panics inside are caught by the guard before they reach the lock.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was read of tokens and user agents before; nothing in a replay.
    pub(crate) const fn readings(&self) -> &caller::Readings {
        &self.readings
    }

    pub(crate) const fn guard(&self) -> &Guard {
        &self.guard
    }

    pub(crate) const fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    pub(crate) fn note_freed(&self) {
        self.freed.fetch_add(1, Relaxed);
    }
}

// === operating ===

impl Engine {
    /// Sets a decision by an operator. Gives its number.
    pub fn decide_by_hand(
        &self,
        kind: DecisionKind,
        scope: Scope,
        reason: &str,
        author: &str,
        lasts: Option<Duration>,
        now: Timestamp,
    ) -> Decision {
        let decision = Decision {
            id: DecisionId(0),
            kind,
            scope,
            origin: Origin::Operator,
            detector: None,
            reason: reason.to_owned(),
            author: author.to_owned(),
            since: now,
            until: lasts.map(|lasts| now.after(lasts)),
            hits: 0,
        };
        let mut memory = self.memory();
        let id = memory.standing.insert(decision.clone());
        let decision = Decision { id, ..decision };
        self.ordered(memory, || Order::Decide(decision.clone()), now);
        decision
    }

    /// Carries out what was ordered before: by a recording, or by whoever takes a step back.
    pub fn carry_out(&self, order: Order, now: Timestamp) {
        match order {
            Order::Decide(decision) => {
                let mut memory = self.memory();
                memory.standing.insert(decision.clone());
                self.ordered(memory, || Order::Decide(decision), now);
            }
            Order::Undo(id) => {
                self.undo_decision(id, now);
            }
            Order::Except(exception) => {
                self.except(exception, now);
            }
            Order::Unexcept(id) => {
                self.unexcept(id, now);
            }
        }
    }

    /// An order changes what is decided from here on: it is a step of its own, so that a recording
    /// can say between which others it lies.
    fn ordered(
        &self,
        mut memory: MutexGuard<'_, Memory>,
        order: impl FnOnce() -> Order,
        now: Timestamp,
    ) {
        let seq = memory.next_seq();
        drop(memory);
        if let Some(recorder) = self.recorder() {
            let line = OrderLine { order: order(), time: now.to_string(), seq };
            (recorder.sink)(Line::Order(Box::new(line)));
        }
    }

    /// Puts back decisions and exceptions that were kept elsewhere.
    pub fn reinstate(&self, decisions: Vec<Decision>, exceptions: Vec<Exception>) {
        let mut memory = self.memory();
        for decision in decisions {
            memory.standing.insert(decision);
        }
        for exception in exceptions {
            memory.standing.except(exception);
        }
        memory.standing.take_changes(usize::MAX);
    }

    /// Numbers up to `last` were given before this start: none of them is given again.
    pub fn number_after(&self, last: u64) {
        self.memory().standing.number_after(last);
    }

    /// The last number that a decision or an exception was given.
    pub fn last_number(&self) -> u64 {
        self.memory().standing.last_number()
    }

    /// Takes a decision back. A block that evidence led to is forgiven with it: the entity's
    /// evidence is discounted for a week, or the next request would set the block again.
    pub fn undo_decision(&self, id: DecisionId, now: Timestamp) -> Option<Decision> {
        let mut memory = self.memory();
        let decision = memory.standing.remove(id)?;
        if decision.origin == Origin::Detector {
            let key = decision.scope.entity.digest(&self.hasher);
            memory.conduct.forgive(key, now);
        }
        self.ordered(memory, || Order::Undo(id), now);
        Some(decision)
    }

    /// Adds an exception. None when there are too many.
    pub fn except(&self, mut exception: Exception, now: Timestamp) -> Option<ExceptionId> {
        let mut memory = self.memory();
        exception.id = memory.standing.except(exception.clone())?;
        let id = exception.id;
        self.ordered(memory, || Order::Except(exception), now);
        Some(id)
    }

    /// Takes an exception back.
    pub fn unexcept(&self, id: ExceptionId, now: Timestamp) -> Option<Exception> {
        let mut memory = self.memory();
        let exception = memory.standing.unexcept(id)?;
        self.ordered(memory, || Order::Unexcept(id), now);
        Some(exception)
    }

    /// Decisions that hold at `now`.
    pub fn decisions(&self, now: Timestamp) -> Vec<Decision> {
        self.memory().standing.decisions(now).cloned().collect()
    }

    /// One decision.
    pub fn decision(&self, id: DecisionId) -> Option<Decision> {
        self.memory().standing.decision(id).cloned()
    }

    /// All exceptions.
    pub fn exceptions(&self) -> Vec<Exception> {
        self.memory().standing.exceptions().to_vec()
    }

    /// Decisions and exceptions that changed since the last call, for whoever persists them. Some
    /// at a time, as long as there are any.
    pub fn take_changes(&self, now: Timestamp) -> Vec<Change> {
        let mut memory = self.memory();
        memory.standing.sweep(now);
        memory.standing.take_changes(TAKEN_MAX)
    }

    /// Findings that changed since the last call. Some at a time, as long as there are any.
    pub fn take_findings(&self) -> Vec<Finding> {
        self.memory().findings.take_changed(TAKEN_MAX)
    }

    /// Refusals that came to an event after it was last told, when nothing followed them; with
    /// `all`, even within the second. Some at a time, as long as there are any.
    pub fn take_untold(&self, now: Timestamp, all: bool) -> Vec<(EventId, u32)> {
        self.memory().shared.take_untold(now, all, TAKEN_MAX)
    }

    /// All findings that are growing.
    pub fn findings(&self) -> Vec<Finding> {
        self.memory().findings.all().cloned().collect()
    }

    /// What kinds of exchange there were since the last call. Some at a time: whoever persists them
    /// asks until there are none.
    pub fn take_tallies(&self) -> Vec<Tally> {
        self.memory().tallies.take(TAKEN_MAX)
    }

    /// Counts of minutes that are over, with the labels of their endpoints; with `all`, of the
    /// running minute, too. Some at a time: whoever persists them asks until there are none.
    pub fn take_rollups(
        &self,
        now: Timestamp,
        all: bool,
    ) -> Vec<(RollupKey, Option<String>, Rollup)> {
        let mut memory = self.memory();
        let taken = memory.rollups.take(now, all, TAKEN_MAX);
        let label = |id: EndpointId| memory.catalog.label(id);
        taken.into_iter().map(|(key, rollup)| (key, key.endpoint.map(label), rollup)).collect()
    }
}

// === looking ===

impl Engine {
    /// Counts that [`Engine::take_tallies`] has not given yet.
    pub fn running_tallies(&self) -> Vec<Tally> {
        self.memory().tallies.running()
    }

    /// Counts that [`Engine::take_rollups`] has not given yet; of one endpoint, or of all.
    pub fn running_rollups(&self, endpoint: Option<&str>) -> Vec<(RollupKey, Rollup)> {
        let memory = self.memory();
        let is_meant = |key: &RollupKey| match (endpoint, key.endpoint) {
            (None, _) => true,
            (Some(label), Some(id)) => memory.catalog.label(id) == label,
            (Some(_), None) => false,
        };
        memory.rollups.running().filter(|(key, _)| is_meant(key)).collect()
    }

    /// What was counted since the start by site; under no name, of hosts that no site names.
    pub fn site_counts(&self) -> BTreeMap<Option<String>, SiteCounts> {
        self.memory().welfare.counts()
    }

    /// How often each rule matched since the start.
    pub fn rule_hits(&self) -> RuleHits {
        self.memory().rule_hits.clone()
    }

    /// How callers of a site fared from `from` to `to`, as far as the last half hour goes.
    pub fn welfare(&self, site: &str, from: Timestamp, to: Timestamp) -> Welfare {
        self.memory().welfare.sum(site, from, to)
    }

    /// The catalog's endpoints.
    pub fn endpoints(&self) -> Vec<EndpointView> {
        self.memory().catalog.endpoints()
    }

    /// An endpoint as `METHOD host-group /template`.
    pub fn label(&self, endpoint: EndpointId) -> String {
        self.memory().catalog.label(endpoint)
    }

    /// The catalog as an OpenAPI 3.1 document; with `host`, of that host group only.
    pub fn openapi(&self, host: Option<&str>) -> serde_json::Value {
        self.memory().catalog.openapi(host)
    }

    /// What is normal here, by detector and endpoint or host group.
    pub fn baselines(&self) -> Vec<conduct::BaselineView> {
        self.memory().conduct.baselines()
    }

    /// Rate limits that would spare the honest callers of each endpoint, where that is known.
    pub fn suggestions(&self, now: Timestamp) -> Vec<conduct::Suggestion> {
        self.memory().conduct.suggestions(now)
    }

    /// How often each kind of caller called an endpoint.
    pub fn callers_of(&self, endpoint: EndpointId) -> [(CallerKind, u32); 4] {
        self.memory().conduct.callers_of(endpoint)
    }

    /// Where sessions are found, as discovered.
    pub fn session_slots(&self) -> Vec<caller::SlotView> {
        self.memory().callers.session_slots()
    }

    /// How full the tables are.
    pub fn overview(&self) -> Overview {
        self.memory().overview()
    }

    /// Faults of layers since the start.
    pub fn layer_faults(&self, now: Timestamp) -> Vec<LayerFaults> {
        self.guard.faults(now)
    }

    /// Makes a layer fail from now on, or not any more: for tests of what happens then.
    #[cfg(feature = "faults")]
    pub fn fail_layer(&self, layer: traffic::Layer, fails: bool) {
        self.guard.fail(layer, fails);
    }

    /// The entity that a selector names.
    pub fn entity(&self, selector: &str) -> Result<Entity, traffic::entity::NotAnEntity> {
        Entity::parse(selector, &self.hasher)
    }
}

// === keeping ===

impl Engine {
    /// All learnt state in slices, each under the name of its part. A slice is taken when it is
    /// asked for, and requests wait for one slice at most.
    pub fn snapshot(self: &Arc<Self>) -> Slices {
        Slices::new(Arc::clone(self))
    }

    /// Makes the next step the one of number `seq`, for replays in sequence order.
    pub fn resume_at(&self, seq: u64) {
        self.memory().seq = seq.saturating_sub(1);
    }

    /// Begins to put learnt state back, slice by slice. Nothing else is done meanwhile.
    pub fn restore(&self, now: Timestamp) -> Restoring<'_> {
        Restoring::new(self.memory(), now)
    }
}
