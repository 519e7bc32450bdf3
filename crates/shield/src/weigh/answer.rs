//! What rules found in an answer, as a reason not to let it out.
//!
//! It is weighed with what the request itself looked like, and with whether its caller is
//! established, and decides on this answer alone. Nothing of it stands against the caller later: an
//! API that shows its stack traces shows them to everybody.

use conduct::Certainty;
use traffic::{Detector, Entity, Layer, Mode, Reason, Signal, Timestamp, Verdict};

use super::{GOOD_STANDING_NATS, known_attack};
use crate::inspection::Found;
use crate::memory::Memory;
use crate::pass::{Pass, Settled};

/// The verdict on an exchange whose answer is known; none when that changes nothing.
pub(crate) fn verdict(
    memory: &mut Memory,
    pass: &Pass,
    settled: &Settled,
    now: Timestamp,
) -> Option<Verdict> {
    let inspection = pass.inspection.as_deref()?;
    let (answer, act) = (&inspection.answer, &settled.act);
    let is_empty = answer.found.is_empty() && answer.order.is_none();
    if is_empty || pass.mode(Layer::Rules) == Mode::Off || settled.verdict.would_refuse() {
        return None;
    }
    let mut silenced = None;
    let mut counts = |rule: u64| {
        let exception = known_attack::excepted(memory, act, rule, now);
        silenced = silenced.or(exception);
        exception.is_none()
    };
    let order = answer.order.filter(|rule| counts(*rule));
    let mut counted: Vec<&Found> = answer.found.iter().filter(|found| counts(found.rule)).collect();
    counted.retain(|found| {
        found.certainty == Certainty::Certain || !memory.conduct.is_custom(act, found.rule)
    });
    let sums_up_nothing =
        |rule: &u64| counted.is_empty() && silenced.is_some() && inspection.is_sum(*rule);
    let order = order.filter(|rule| !sums_up_nothing(rule));
    let mut verdict = settled.verdict.clone();
    verdict.exception = silenced.or(verdict.exception);
    if let Some(id) = silenced {
        memory.standing.hit_exception(id, now);
    }
    let Some(rule) = order.or_else(|| counted.first().map(|found| found.rule)) else {
        return silenced.map(|_| verdict);
    };
    let others = counted.iter().filter(|found| found.rule != rule).count();
    let others = u16::try_from(others).unwrap_or(u16::MAX);
    let nats = match order {
        Some(_) => known_attack::CERTAIN_NATS,
        None => known_attack::nats(inspection.answer_threshold(), &counted),
    };
    let entity = act.identity.session.map_or(act.identity.address_entity, Entity::Session);
    let signal = |detector, nats, reason| Signal { detector, entity, nats, reason };
    let signals = &mut verdict.signals;
    signals.insert(0, signal(Detector::KnownAttack, nats, Reason::Answer { rule, others }));
    let has_standing = signals.iter().any(|it| it.detector == Detector::GoodStanding);
    if act.identity.established && !has_standing {
        signals.push(signal(Detector::GoodStanding, GOOD_STANDING_NATS, Reason::Established));
    }
    verdict.mode = pass.mode(Layer::Rules);
    let signals = verdict.signals.clone();
    known_attack::refuse(&signals, |_| true, &mut verdict);
    Some(verdict)
}
