//! Known attacks: what rules found in this request, as evidence and as a reason to refuse it.
//!
//! A certain attack is refused, whoever sends it. One that is likely is refused unless its caller
//! is established, and what is merely odd never by itself. Only this request is refused: a rule
//! that errs must not lock anybody out. What a source attacks with, one thing after the other,
//! gathers against it (`conduct`), and that is what blocks.

use conduct::{Act, Certainty};
use traffic::{
    Action, AnswerFacts, Detector, Digest, Entity, ExceptionId, Layer, Mode, ParamKind, Reason,
    Signal, Timestamp, Verdict,
};

use crate::algebra;
use crate::inspection::Found;
use crate::ladder::BLOCK_NATS;
use crate::memory::Memory;
use crate::pass::Pass;
use crate::policy::Preset;

/// A certain attack: more than good standing takes off.
pub(super) const CERTAIN_NATS: f32 = 14.0;
/// A score at the threshold: just enough to refuse a stranger, too little for an established
/// caller.
const THRESHOLD_NATS: f32 = 9.3;
/// What the score adds for each time that it goes beyond the threshold once more.
const BEYOND_NATS: f32 = 3.0;
/// The most that uncertain rules say together: twice the threshold refuses an established caller.
const SCORE_NATS_MAX: f32 = 12.3;

/// From this status on an answer tells of a failure.
const FAILURES: u16 = 400;

/// The variable that holds the method.
const METHOD: &str = "REQUEST_METHOD";

/// Weighs what rules found, and notes it against its source. Gives an exception that silenced some
/// of it.
pub(super) fn weigh(
    memory: &mut Memory,
    pass: &Pass,
    act: &Act,
    now: Timestamp,
    signals: &mut Vec<Signal>,
) -> Option<ExceptionId> {
    let inspection = pass.inspection.as_deref()?;
    if pass.mode(Layer::Rules) == Mode::Off {
        return None;
    }
    let mut silenced = None;
    let request = &inspection.request;
    let counted: Vec<&Found> = request
        .found
        .iter()
        .filter(|found| {
            let exception = excepted(memory, act, found.rule, now);
            silenced = silenced.or(exception);
            let is_custom =
                found.certainty != Certainty::Certain && memory.conduct.is_custom(act, found.rule);
            exception.is_none() && !is_custom && !is_usual(memory, pass, act, found)
        })
        .collect();
    let order = request.order.filter(|rule| {
        let exception = excepted(memory, act, *rule, now);
        silenced = silenced.or(exception);
        let sums_up_nothing = counted.is_empty() && inspection.is_sum(*rule);
        exception.is_none() && !(sums_up_nothing && silenced.is_some())
    });
    let first = order.or_else(|| counted.first().map(|found| found.rule));
    let Some(rule) = first else { return silenced };
    // However many rules see it, it is one attack: the surest of them speaks for it.
    if let Some(found) = counted.first() {
        memory.conduct.attacked(act, Digest(found.rule), found.certainty, now);
    }
    // One request probes for one vulnerability, though rules for several may match it.
    if let Some((found, cve)) = counted.iter().find_map(|found| Some((found, found.cve()?))) {
        memory.conduct.probed(act, cve, found.certainty, now);
    }
    let others = counted.iter().filter(|found| found.rule != rule).count();
    signals.insert(
        0,
        Signal {
            detector: Detector::KnownAttack,
            entity: act.identity.session.map_or(act.identity.address_entity, Entity::Session),
            nats: if order.is_some() {
                CERTAIN_NATS
            } else {
                nats(inspection.threshold(), &counted)
            },
            reason: Reason::KnownAttack { rule, others: u16::try_from(others).unwrap_or(u16::MAX) },
        },
    );
    silenced
}

/// Is it what this endpoint is made for? A method that it is known to answer, where methods come
/// from the catalog; a number, an identifier or a date where nothing else was ever sent.
fn is_usual(memory: &Memory, pass: &Pass, act: &Act, found: &Found) -> bool {
    let Some(endpoint) = act.endpoint else { return false };
    if found.told.field == METHOD {
        return pass.policy.rules.preset.value == Preset::Api;
    }
    let is_typed =
        |(name, kind): &(String, ParamKind)| memory.catalog.is_typed(endpoint, name, *kind);
    !found.arguments.is_empty() && found.arguments.iter().all(is_typed)
}

/// Notes what was found in a request that was let pass and would have been, or that it was nothing.
pub(super) fn learn(
    memory: &mut Memory,
    pass: &Pass,
    act: &Act,
    answer: &AnswerFacts,
    now: Timestamp,
) {
    let Some(inspection) = pass.inspection.as_deref() else { return };
    let mut is_ordinary = answer.status < FAILURES;
    for found in inspection.all_found() {
        is_ordinary = false;
        memory.conduct.matched(act, found.rule, now);
    }
    if is_ordinary {
        memory.conduct.ordinary(act, now);
    }
}

/// Refuses the request, when what was found in it is enough.
pub(super) fn refuse(signals: &[Signal], counts: impl Fn(&Signal) -> bool, verdict: &mut Verdict) {
    let of = |detector| {
        let mine = signals.iter().filter(move |signal| signal.detector == detector);
        mine.filter(|signal| counts(signal)).map(|signal| signal.nats)
    };
    // One of the request, and perhaps one of its answer.
    let Some(attack) = of(Detector::KnownAttack).reduce(|sum, nats| sum + nats) else { return };
    let good = of(Detector::GoodStanding).next().unwrap_or_default();
    let nats = attack + good;
    if nats > verdict.nats {
        verdict.nats = nats;
        verdict.risk = algebra::risk(nats);
    }
    if nats >= BLOCK_NATS && verdict.action < Action::Deny {
        verdict.action = Action::Deny;
        verdict.layer = Some(Layer::Rules);
        verdict.retry_after_s = None;
    }
}

/// How strongly what was found speaks for an attack.
pub(super) fn nats(threshold: u32, found: &[&Found]) -> f32 {
    if found.iter().any(|found| found.certainty == Certainty::Certain) {
        return CERTAIN_NATS;
    }
    let points: f32 = found.iter().map(|found| found.points).sum();
    let share = points / number(threshold);
    let beyond = (share - 1.0).max(0.0) * BEYOND_NATS;
    (share.min(1.0) * THRESHOLD_NATS + beyond).min(SCORE_NATS_MAX)
}

pub(super) fn excepted(
    memory: &Memory,
    act: &Act,
    rule: u64,
    now: Timestamp,
) -> Option<ExceptionId> {
    if memory.standing.exceptions().is_empty() {
        return None;
    }
    let endpoint = act.endpoint.map(|id| memory.catalog.label(id));
    memory.standing.excepted(
        Detector::KnownAttack,
        Layer::Rules,
        Some(rule),
        endpoint.as_deref(),
        &act.identity,
        now,
    )
}

/// Thresholds are small numbers.
fn number(points: u32) -> f32 {
    f32::from(u16::try_from(points).unwrap_or(u16::MAX))
}
