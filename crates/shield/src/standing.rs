//! Standing decisions and exceptions, in memory.
//!
//! A decision is found by the digest of its entity: one probe for each entity of a caller. The
//! table is bounded: when it is full, automatic decisions that end soonest make room; what an
//! operator decided stays. The wiring persists every change; nothing here waits for that.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use traffic::{
    Decision, DecisionId, DecisionKind, Detector, Entity, Exception, ExceptionId, Identity, Layer,
    Origin, Role, Scope, Timestamp,
};

use crate::ladder::{BLOCK_MAX, prolonged};

/// What a decision takes, with its texts and its places in the maps.
const DECISION_BYTES: usize = 640;
/// However much memory there is, no more automatic decisions are kept than this, …
const DECISIONS_MAX: usize = 16_384;
/// … and however little there is, so many.
const DECISIONS_MIN: usize = 1_024;
/// More exceptions than this are refused.
const EXCEPTIONS_MAX: usize = 4_096;
/// Blocks that ended are remembered this long, to make the next one longer.
const REPEAT_WINDOW: Duration = BLOCK_MAX;

/// All standing decisions and exceptions.
#[derive(Debug)]
pub(crate) struct Standing {
    decisions_max: usize,
    decisions: BTreeMap<DecisionId, Decision>,
    by_entity: BTreeMap<Entity, Vec<DecisionId>>,
    blocks: Vec<DecisionId>,
    exceptions: Vec<Exception>,
    last_id: u64,
    /// Decisions and exceptions that changed since the wiring last asked.
    changed: Vec<Change>,
}

/// A change that the wiring persists.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Change {
    /// A decision was made or applied again.
    Decision(DecisionId),
    /// A decision ended or was taken back.
    DecisionGone(DecisionId),
    /// An exception was made or kept an action from being taken.
    Exception(ExceptionId),
}

impl Standing {
    /// Nothing stands yet; automatic decisions take no more than about `bytes_max`.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            decisions_max: (bytes_max / DECISION_BYTES).clamp(DECISIONS_MIN, DECISIONS_MAX),
            decisions: BTreeMap::new(),
            by_entity: BTreeMap::new(),
            blocks: Vec::new(),
            exceptions: Vec::new(),
            last_id: 0,
            changed: Vec::new(),
        }
    }

    /// The decision that settles a request of `identity`: an allow before a block, an operator's
    /// before a detector's.
    pub(crate) fn applying(
        &self,
        identity: &Identity,
        role: Role,
        now: Timestamp,
    ) -> Option<&Decision> {
        if self.decisions.is_empty() {
            return None;
        }
        let entities = entities(identity).into_iter().flatten().chain(named(identity));
        let exact = entities.filter_map(|entity| self.by_entity.get(&entity)).flatten();
        exact
            .chain(&self.blocks)
            .filter_map(|id| self.decisions.get(id))
            .filter(|decision| decision.holds(now) && covers(decision, identity, role))
            .max_by_key(|decision| {
                (
                    decision.kind == DecisionKind::Allow,
                    decision.origin == Origin::Operator,
                    decision.id,
                )
            })
    }

    /// Counts that `id` was applied.
    pub(crate) fn hit(&mut self, id: DecisionId) {
        if let Some(decision) = self.decisions.get_mut(&id) {
            decision.hits += 1;
            self.note(Change::Decision(id));
        }
    }

    /// Sets a block that a verdict asks for, or finds the one that stands. Each block that follows
    /// others on its scope within a day lasts longer.
    pub(crate) fn block(
        &mut self,
        scope: Scope,
        detector: Detector,
        reason: String,
        first: Duration,
        now: Timestamp,
    ) -> DecisionId {
        let mut earlier = 0;
        for id in self.by_entity.get(&scope.entity).into_iter().flatten() {
            let Some(decision) = self.decisions.get(id) else { continue };
            if decision.scope != scope || decision.origin != Origin::Detector {
                continue;
            }
            if decision.holds(now) {
                return *id;
            }
            earlier +=
                u32::from(decision.until.is_some_and(|until| now.since(until) < REPEAT_WINDOW));
        }
        self.make_room(now);
        let id = DecisionId(self.next_id());
        self.insert(Decision {
            id,
            kind: DecisionKind::Block,
            scope,
            origin: Origin::Detector,
            detector: Some(detector),
            reason,
            author: "palisade".to_owned(),
            since: now,
            until: Some(now.after(prolonged(first, earlier))),
            hits: 0,
        });
        id
    }

    /// Adds a decision, giving it a number when it has none (0).
    pub(crate) fn insert(&mut self, mut decision: Decision) -> DecisionId {
        if decision.id.0 == 0 {
            decision.id = DecisionId(self.next_id());
        }
        let id = decision.id;
        self.last_id = self.last_id.max(id.0);
        self.forget(id);
        if let Entity::Net(_) = decision.scope.entity {
            self.blocks.push(id);
        } else {
            self.by_entity.entry(decision.scope.entity).or_default().push(id);
        }
        self.decisions.insert(id, decision);
        self.note(Change::Decision(id));
        id
    }

    /// Takes a decision back.
    pub(crate) fn remove(&mut self, id: DecisionId) -> Option<Decision> {
        let gone = self.decisions.get(&id).cloned();
        self.forget(id);
        if gone.is_some() {
            self.note(Change::DecisionGone(id));
        }
        gone
    }

    /// Decisions that hold at `now`.
    pub(crate) fn decisions(&self, now: Timestamp) -> impl Iterator<Item = &Decision> {
        self.decisions.values().filter(move |decision| decision.holds(now))
    }

    /// One decision, whether it holds or not.
    pub(crate) fn decision(&self, id: DecisionId) -> Option<&Decision> {
        self.decisions.get(&id)
    }

    /// Adds an exception; none when there are too many.
    pub(crate) fn except(&mut self, mut exception: Exception) -> Option<ExceptionId> {
        if exception.id.0 == 0 {
            exception.id = ExceptionId(self.next_id());
        }
        let id = exception.id;
        self.last_id = self.last_id.max(id.0);
        self.exceptions.retain(|other| other.id != id);
        if self.exceptions.len() >= EXCEPTIONS_MAX {
            return None;
        }
        self.exceptions.push(exception);
        self.note(Change::Exception(id));
        Some(id)
    }

    /// Takes an exception back.
    pub(crate) fn unexcept(&mut self, id: ExceptionId) -> Option<Exception> {
        let at = self.exceptions.iter().position(|exception| exception.id == id)?;
        Some(self.exceptions.remove(at))
    }

    /// All exceptions.
    pub(crate) fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// The exception that silences `detector` for a request, if one does.
    pub(crate) fn excepted(
        &self,
        detector: Detector,
        layer: Layer,
        rule: Option<u64>,
        endpoint: Option<&str>,
        identity: &Identity,
        now: Timestamp,
    ) -> Option<ExceptionId> {
        self.exceptions
            .iter()
            .find(|exception| {
                exception.holds(now)
                    && exception.layer == layer
                    && exception.detector.is_none_or(|only| only == detector)
                    && (exception.rules.is_empty()
                        || rule.is_some_and(|rule| exception.rules.contains(&rule)))
                    && exception.endpoint.as_deref().is_none_or(|only| endpoint == Some(only))
                    && exception.entity.is_none_or(|only| is_of(&only, identity))
            })
            .map(|exception| exception.id)
    }

    /// Counts that an exception kept an action from being taken.
    pub(crate) fn hit_exception(&mut self, id: ExceptionId, now: Timestamp) {
        if let Some(exception) = self.exceptions.iter_mut().find(|exception| exception.id == id) {
            exception.hits += 1;
            exception.last_hit = Some(now);
            self.note(Change::Exception(id));
        }
    }

    /// Numbers up to `last` were given before, also to what is gone: none is given twice.
    pub(crate) const fn number_after(&mut self, last: u64) {
        if last > self.last_id {
            self.last_id = last;
        }
    }

    /// The last number that was given.
    pub(crate) const fn last_number(&self) -> u64 {
        self.last_id
    }

    /// What changed since the last call, the first changes first and not more than `most`.
    pub(crate) fn take_changes(&mut self, most: usize) -> Vec<Change> {
        self.changed.drain(..most.min(self.changed.len())).collect()
    }

    /// Drops what ended more than a day ago.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        let over: Vec<DecisionId> = self
            .decisions
            .values()
            .filter(|decision| decision.until.is_some_and(|until| now.since(until) > REPEAT_WINDOW))
            .map(|decision| decision.id)
            .collect();
        for id in over {
            self.remove(id);
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn forget(&mut self, id: DecisionId) {
        let Some(old) = self.decisions.remove(&id) else { return };
        self.blocks.retain(|other| *other != id);
        if let Some(ids) = self.by_entity.get_mut(&old.scope.entity) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_entity.remove(&old.scope.entity);
            }
        }
    }

    fn make_room(&mut self, now: Timestamp) {
        if self.decisions.len() < self.decisions_max {
            return;
        }
        let soonest = self
            .decisions
            .values()
            .filter(|decision| decision.origin == Origin::Detector)
            .min_by_key(|decision| (decision.holds(now), decision.until, decision.id))
            .map(|decision| decision.id);
        if let Some(id) = soonest {
            self.remove(id);
        }
    }

    /// A decision that is applied thousands of times a second is noted once between two calls.
    fn note(&mut self, change: Change) {
        if self.changed.len() < DECISIONS_MAX && !self.changed.contains(&change) {
            self.changed.push(change);
        }
    }
}

/// The entities of a caller that a decision can name exactly.
fn entities(identity: &Identity) -> [Option<Entity>; 9] {
    [
        Some(identity.address_entity),
        identity.ja4.map(Entity::Ja4),
        Some(Entity::Device(identity.device)),
        identity.session.map(Entity::Session),
        identity.principal.map(Entity::Principal),
        identity.account.map(Entity::Account),
        identity.attempted.map(Entity::Account),
        identity.application.map(Entity::Principal),
        identity.application.map(Entity::Session),
    ]
}

/// The accounts that a request names, each by itself.
fn named(identity: &Identity) -> impl Iterator<Item = Entity> + use<'_> {
    identity.named.iter().map(Entity::Account)
}

/// Whether `entity` is one of the caller's.
pub(crate) fn is_of(entity: &Entity, identity: &Identity) -> bool {
    match entity {
        Entity::Net(net) => net.contains(identity.address),
        _ => entities(identity).contains(&Some(*entity)) || named(identity).any(|it| it == *entity),
    }
}

fn covers(decision: &Decision, identity: &Identity, role: Role) -> bool {
    let scope = &decision.scope;
    // A detector that blocked a key before many were seen to use it meant one of them.
    let is_of_many = match scope.entity {
        Entity::Session(of) | Entity::Principal(of) => identity.application == Some(of),
        _ => false,
    };
    if is_of_many && decision.origin == Origin::Detector {
        return false;
    }
    // Who is let pass for one account may not add its name to guesses at another.
    let is_only_named = matches!(scope.entity, Entity::Account(of)
        if identity.account != Some(of) && identity.attempted != Some(of));
    if is_only_named && decision.kind == DecisionKind::Allow {
        return false;
    }
    is_of(&scope.entity, identity)
        && scope.role.is_none_or(|only| only == role)
        && scope.device.is_none_or(|only| only == identity.device)
        && !(scope.spares_known && identity.is_known(role))
}
