//! From everything known about a request to one verdict.
//!
//! In this order: what stands decided; a place among the unanswered attempts; limits and evidence
//! of each layer, each guarded; exceptions; and the ladder, first over the layers that enforce
//! and, when those let it pass, over all that look.

pub(crate) mod answer;
mod known_attack;

use std::borrow::Cow;

use conduct::{Act, Admission};
use traffic::{
    Action, AnswerFacts, Decision, DecisionKind, Detector, EndpointId, Layer, Mode, Origin,
    Outcome, Reason, Role, Signal, Timestamp, Verdict,
};

use crate::algebra::{self, Sum};
use crate::guard::Guard;
use crate::ladder::{self, Step};
use crate::memory::Memory;
use crate::pass::{Pass, Patience};
use crate::policy::OnError;

/// A verdict and what came with it.
pub(crate) struct Weighed {
    pub(crate) verdict: Verdict,
    /// Its place among the unanswered attempts.
    pub(crate) ticket: Option<conduct::Place>,
    /// It is refused because a layer failed and its route faults closed.
    pub(crate) is_fault: bool,
}

impl From<Verdict> for Weighed {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, ticket: None, is_fault: false }
    }
}

/// The layers that have detectors, cheapest first.
const LAYERS: [Layer; 5] =
    [Layer::Rate, Layer::Recon, Layer::Takeover, Layer::Rules, Layer::Automation];

/// What good standing takes off, in nats.
const GOOD_STANDING_NATS: f32 = -2.0;

/// The verdict on one request; none when it is to be held.
pub(crate) fn verdict(
    memory: &mut Memory,
    guard: &Guard,
    pass: &Pass,
    act: &Act,
    now: Timestamp,
    patience: Patience,
) -> Option<Weighed> {
    if let Some(verdict) = standing(memory, pass, act, now) {
        return Some(verdict.into());
    }
    let ticket = match place_attempt(memory, pass, act, now) {
        Admission::Free => None,
        Admission::Taken(ticket) => Some(ticket),
        Admission::Full { .. } if patience == Patience::Waiting => return None,
        Admission::Full { unanswered, allowed } => {
            return Some(crowded_out(act, unanswered, allowed).into());
        }
    };
    let mut signals = Vec::new();
    let faulted = gather(memory, guard, pass, act, now, &mut signals);
    if act.is_provoked && act.decoy.is_some() && pass.mode(Layer::Recon) != Mode::Off {
        memory.conduct.attacked(act, act.path_shape, conduct::Certainty::Odd, now);
    }
    let silenced = known_attack::weigh(memory, pass, act, now, &mut signals);
    let exception = apply_exceptions(memory, act, now, &mut signals).or(silenced);
    let mut verdict = decide(memory, pass, act, &signals, now);
    verdict.signals = signals;
    if let Some(id) = exception {
        verdict.exception = Some(id);
        memory.standing.hit_exception(id, now);
    }
    let mut is_fault = false;
    if let Some(layer) = faulted
        && !verdict.is_refusal()
        && pass.mode(layer) == Mode::Enforce
        && pass.policy.on_error(&pass.route) == OnError::Closed
    {
        is_fault = true;
        verdict =
            Verdict { action: Action::Deny, mode: Mode::Enforce, layer: Some(layer), ..verdict };
    }
    if !verdict.would_refuse() && pass.mode(Layer::Takeover) != Mode::Off {
        // A fault is counted by the guard.
        let _ = guard.run(Layer::Takeover, now, || memory.conduct.forwarded(act, now));
    }
    let ticket = ticket.and_then(|ticket| {
        if verdict.is_refusal() {
            memory.conduct.release(ticket);
            return None;
        }
        Some(ticket)
    });
    Some(Weighed { verdict, ticket, is_fault })
}

/// What an exchange has to teach.
pub(crate) struct Lesson<'a> {
    pub(crate) facts: &'a AnswerFacts,
    pub(crate) endpoint: Option<EndpointId>,
    pub(crate) created: bool,
}

/// What an exchange teaches the layers. Gives a forgotten endpoint that came to light by it.
pub(crate) fn learn(
    memory: &mut Memory,
    guard: &Guard,
    pass: &Pass,
    act: &mut Act,
    lesson: &Lesson<'_>,
    now: Timestamp,
) -> Option<Signal> {
    // For as long as it teaches, it is what the answer shows it to be.
    let decided_on = (act.role, act.endpoint);
    (act.role, act.endpoint) = (lesson.facts.role, lesson.endpoint);
    let found = learn_each(memory, guard, pass, act, lesson, now);
    (act.role, act.endpoint) = decided_on;
    found
}

fn learn_each(
    memory: &mut Memory,
    guard: &Guard,
    pass: &Pass,
    act: &mut Act,
    lesson: &Lesson<'_>,
    now: Timestamp,
) -> Option<Signal> {
    let attempt = attempt(memory, pass, act, lesson.facts);
    known_attack::learn(memory, pass, act, lesson.facts, now);
    let mut found = None;
    if pass.mode(Layer::Recon) != Mode::Off {
        let finds = || memory.conduct.finds(act, lesson.facts, now);
        found = guard.run(Layer::Recon, now, finds).ok().flatten();
    }
    for layer in LAYERS {
        if pass.mode(layer) != Mode::Off {
            // A fault here is counted by the guard; what the layer missed, it missed. What came to
            // light is in the findings, which see evidence and outcome of every exchange.
            let facts = if layer == Layer::Takeover { &*attempt } else { lesson.facts };
            act.role = facts.role;
            let _ = guard
                .run(layer, now, || memory.conduct.learn(layer, act, facts, lesson.created, now));
        }
    }
    found
}

/// How an attempt at a secret ended: as the endpoint's role has it; of a name and a password in the
/// head (HTTP Basic), as every endpoint says it. That one is served speaks for it only where others
/// are turned away.
pub(crate) fn attempt<'a>(
    memory: &Memory,
    pass: &Pass,
    act: &Act,
    facts: &'a AnswerFacts,
) -> Cow<'a, AnswerFacts> {
    if !act.guess.is_basic {
        return Cow::Borrowed(facts);
    }
    let outcome = match facts.status {
        401 => Outcome::Failure,
        200..=299 if memory.callers.is_closed(&pass.sighting) => Outcome::Success,
        _ => Outcome::Unknown,
    };
    let status = facts.status;
    Cow::Owned(AnswerFacts { status, outcome, role: Role::Login, ..AnswerFacts::default() })
}

/// The verdict that a standing decision settles, if one does.
fn standing(memory: &mut Memory, pass: &Pass, act: &Act, now: Timestamp) -> Option<Verdict> {
    let decision = memory.standing.applying(&act.identity, act.role, now)?;
    let Decision { id, kind, scope, origin, detector, until, .. } = *decision;
    if origin == Origin::Detector && act.is_proxy && is_of_place(scope.entity) {
        return None;
    }
    let layer = detector.map(Detector::layer);
    // A person's decision is a plain limit: it holds as far as that layer goes.
    let mode = pass.mode(layer.filter(|_| origin == Origin::Detector).unwrap_or(Layer::Rate));
    if mode == Mode::Off {
        return None;
    }
    memory.standing.hit(id);
    if kind == DecisionKind::Allow {
        return Some(Verdict { decision: Some(id), ..Verdict::default() });
    }
    let until_s = until.map_or(u32::MAX, Timestamp::as_secs);
    let signal = Signal {
        detector: Detector::StandingDecision,
        entity: scope.entity,
        nats: 0.0,
        reason: Reason::Standing { until_s },
    };
    // A block of ours rests on evidence that stood at 9.2 nats or more when it was set.
    let nats = if origin == Origin::Detector { ladder::BLOCK_NATS } else { 0.0 };
    Some(Verdict {
        action: Action::Deny,
        mode,
        risk: algebra::risk(nats),
        nats,
        layer,
        signals: vec![signal],
        scope: Some(scope),
        decision: Some(id),
        exception: None,
        retry_after_s: None,
    })
}

/// Asks every layer that is on for its evidence. Gives a layer that failed.
fn gather(
    memory: &mut Memory,
    guard: &Guard,
    pass: &Pass,
    act: &Act,
    now: Timestamp,
    signals: &mut Vec<Signal>,
) -> Option<Layer> {
    let mut faulted = None;
    let limits = pass.policy.limits(&pass.route);
    for layer in LAYERS {
        if pass.mode(layer) == Mode::Off {
            continue;
        }
        let before = signals.len();
        if guard
            .run(layer, now, || memory.conduct.assess(layer, act, limits, now, signals))
            .is_err()
        {
            signals.truncate(before);
            faulted = Some(layer);
        }
    }
    if act.is_proxy && !pass.is_hidden() {
        // Whoever called through it, and left no trace of it, is not the proxy.
        let is_kept = |it: &Signal| it.detector == Detector::Decoy || !is_of_place(it.entity);
        signals.retain(|it| is_kept(it) || !algebra::is_evidence(it.detector));
    }
    let speaks = |signal: &Signal| signal.nats > 0.0;
    if act.identity.established && (signals.iter().any(speaks) || pass.is_suspicious()) {
        let entity =
            act.identity.session.map_or(act.identity.address_entity, traffic::Entity::Session);
        signals.push(Signal {
            detector: Detector::GoodStanding,
            entity,
            nats: GOOD_STANDING_NATS,
            reason: Reason::Established,
        });
    }
    signals.sort_by(|a, b| {
        b.nats.total_cmp(&a.nats).then(a.detector.cmp(&b.detector)).then(a.entity.cmp(&b.entity))
    });
    faulted
}

/// Takes out the evidence that an exception silences; the exception, if one did.
fn apply_exceptions(
    memory: &Memory,
    act: &Act,
    now: Timestamp,
    signals: &mut Vec<Signal>,
) -> Option<traffic::ExceptionId> {
    if memory.standing.exceptions().is_empty() || signals.is_empty() {
        return None;
    }
    let endpoint = act.endpoint.map(|id| memory.catalog.label(id));
    let mut applied = None;
    signals.retain(|signal| {
        let detector = signal.detector;
        let found = memory.standing.excepted(
            detector,
            detector.layer(),
            None,
            endpoint.as_deref(),
            &act.identity,
            now,
        );
        applied = applied.or(found);
        found.is_none()
    });
    applied
}

/// Limits and evidence to an action: first what is enforced, then what is only watched.
fn decide(
    memory: &mut Memory,
    pass: &Pass,
    act: &Act,
    signals: &[Signal],
    now: Timestamp,
) -> Verdict {
    if signals.is_empty() {
        return Verdict::default();
    }
    let enforces = |signal: &Signal| {
        signal.detector == Detector::GoodStanding
            || pass.mode(signal.detector.layer()) == Mode::Enforce
    };
    // Where all layers agree there is one climb, for each climb leaves its traces.
    if signals.iter().all(enforces) {
        return climb(memory, act, signals, Mode::Enforce, now, |_| true);
    }
    let carried_out = climb(memory, act, signals, Mode::Enforce, now, enforces);
    if carried_out.action.refuses() {
        return carried_out;
    }
    climb(memory, act, signals, Mode::Monitor, now, |_| true)
}

/// The ladder over the signals that count.
fn climb(
    memory: &mut Memory,
    act: &Act,
    signals: &[Signal],
    mode: Mode,
    now: Timestamp,
    counts: impl Fn(&Signal) -> bool,
) -> Verdict {
    let sum = algebra::sum(signals, &act.identity, act.role, &counts);
    let mut verdict = Verdict { mode, risk: sum.risk(), nats: sum.nats, ..Verdict::default() };
    let limit =
        signals.iter().filter(|signal| counts(signal)).find_map(|signal| match signal.reason {
            Reason::Rate { retry_after_s, .. } => Some((signal.detector.layer(), retry_after_s)),
            Reason::Guesses { retry_after_s, .. } if retry_after_s > 0 => {
                Some((signal.detector.layer(), retry_after_s))
            }
            _ => None,
        });
    evidence(memory, act, &sum, &mut verdict, now);
    known_attack::refuse(signals, &counts, &mut verdict);
    refuse_decoy(act, signals, &counts, &mut verdict);
    if let Some((layer, retry_after_s)) = limit
        && !verdict.action.refuses()
    {
        verdict.action = Action::Throttle;
        verdict.layer = Some(layer);
        verdict.retry_after_s = Some(retry_after_s.max(1));
    }
    verdict
}

/// Refuses a request for a decoy, also where its caller is not to be blocked for it: somebody
/// else's neighbour, somebody known, or the visitor of a page that asked for it.
fn refuse_decoy(
    act: &Act,
    signals: &[Signal],
    counts: impl Fn(&Signal) -> bool,
    verdict: &mut Verdict,
) {
    let touched = signals.iter().find(|it| it.detector == Detector::Decoy && counts(it));
    let is_enough = |touched: &&Signal| touched.nats >= ladder::BLOCK_NATS || act.is_provoked;
    if let Some(touched) = touched.filter(is_enough)
        && verdict.action < Action::Deny
    {
        verdict.action = Action::Deny;
        verdict.layer = Some(Detector::Decoy.layer());
        verdict.retry_after_s = None;
        verdict.nats = verdict.nats.max(touched.nats);
        verdict.risk = algebra::risk(verdict.nats);
    }
}

fn evidence(memory: &mut Memory, act: &Act, sum: &Sum, verdict: &mut Verdict, now: Timestamp) {
    let step = ladder::step(sum, &act.identity, act.role);
    let Some(strongest) = sum.strongest else { return };
    match step {
        Step::Pass => {}
        Step::Pace => {
            let entity = sum.narrowest.unwrap_or(strongest.entity);
            if let Err(wait_s) = memory.pacing.take(entity, verdict.mode, now) {
                verdict.action = ladder::action(&step);
                verdict.layer = Some(strongest.detector.layer());
                verdict.retry_after_s = Some(wait_s);
                verdict.scope = Some(traffic::Scope::whole(entity));
            }
        }
        Step::Block(scope, first) => {
            let reason = strongest.reason.to_string();
            verdict.action = ladder::action(&step);
            verdict.layer = Some(strongest.detector.layer());
            if act.is_proxy && is_of_place(scope.entity) {
                // This request alone: the proxy speaks for many.
                return;
            }
            verdict.scope = Some(scope);
            verdict.decision =
                Some(memory.standing.block(scope, strongest.detector, reason, first, now));
        }
    }
}

/// Whether an entity is a place that callers come from, and none of them.
const fn is_of_place(entity: traffic::Entity) -> bool {
    matches!(entity, traffic::Entity::Address(_) | traffic::Entity::Net(_))
}

/// Gives an attempt at a secret its place among the unanswered ones. Only where takeover
/// enforces: holding a request is something that its caller can notice. Changes nothing when
/// there is no place.
fn place_attempt(memory: &mut Memory, pass: &Pass, act: &Act, now: Timestamp) -> Admission {
    if pass.mode(Layer::Takeover) != Mode::Enforce {
        return Admission::Free;
    }
    memory.conduct.admit(act, now)
}

/// What a caller is told that waited for a place and found none. This scores nothing.
fn crowded_out(act: &Act, unanswered: u32, allowed: u32) -> Verdict {
    let signal = Signal {
        detector: Detector::InFlight,
        entity: act.identity.address_entity,
        nats: 0.0,
        reason: Reason::InFlight { unanswered, allowed },
    };
    Verdict {
        action: Action::Throttle,
        mode: Mode::Enforce,
        layer: Some(Layer::Takeover),
        retry_after_s: Some(IN_FLIGHT_RETRY_S),
        signals: vec![signal],
        ..Verdict::default()
    }
}

/// Seconds after which another try makes sense.
const IN_FLIGHT_RETRY_S: u32 = 2;
