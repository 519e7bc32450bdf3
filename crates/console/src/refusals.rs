//! What was refused, or would have been, over some time: the events that readiness and previews of
//! exceptions are made from.

use std::net::IpAddr;

use ledger::{EventFilter, Ledger, QueryError};
use traffic::{Action, Detector, Entity, Event, Exception, Timestamp};

/// Events fetched at a time.
const AT_ONCE: usize = 1_000;
/// More events than this are not looked at: the latest count.
const EVENTS_MAX: usize = 50_000;
/// Evidence that is left of this much still paces a caller.
const PACED_NATS: f32 = 6.9;
/// And of this much is worth a look.
const NOTABLE_NATS: f32 = 3.0;

/// What an exception would have made of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Effect {
    /// It is about something else.
    None,
    /// The request would have passed; whether what is left is still worth a look.
    LetThrough {
        /// It is.
        is_suspicious: bool,
    },
    /// Other evidence would have refused it all the same.
    StillRefused,
}

/// Hands the refusals since `from` to `each`, the latest first. Says whether these were all.
pub(crate) fn since(
    ledger: &Ledger,
    from: Timestamp,
    mut each: impl FnMut(&Event),
) -> Result<bool, QueryError> {
    let mut filter = EventFilter {
        from: Some(from),
        actions: vec![Action::Throttle, Action::Challenge, Action::Deny],
        limit: AT_ONCE,
        ..EventFilter::default()
    };
    let mut is_complete = true;
    for _ in 0..EVENTS_MAX / AT_ONCE {
        let page = ledger.events(&filter)?;
        is_complete &= page.is_complete;
        page.events.iter().for_each(&mut each);
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return Ok(is_complete),
        }
    }
    Ok(false)
}

/// What `exception` would have made of `event`, a refusal. What a standing block refuses it does
/// not let through: the evidence lies before.
pub(crate) fn effect(exception: &Exception, event: &Event) -> Effect {
    let is_there = exception.endpoint.is_none() || exception.endpoint == event.endpoint;
    let is_theirs = exception.entity.is_none_or(|entity| is_of(&entity, event));
    if !is_there || !is_theirs {
        return Effect::None;
    }
    let silences = |detector: &str| {
        Detector::named(detector).is_some_and(|named| {
            named.layer() == exception.layer
                && !matches!(named, Detector::GoodStanding | Detector::StandingDecision)
                && exception.detector.is_none_or(|only| only == named)
                && (named != Detector::KnownAttack || covers_rules(exception, event))
        })
    };
    let (gone, left): (Vec<_>, Vec<_>) =
        event.signals.iter().partition(|signal| silences(&signal.detector));
    if gone.is_empty() {
        return Effect::None;
    }
    let limits = |detector: &str| {
        matches!(Detector::named(detector), Some(Detector::RateLimit | Detector::StandingDecision))
    };
    let nats: f32 = left.iter().map(|signal| signal.nats).sum();
    if nats >= PACED_NATS || left.iter().any(|signal| limits(&signal.detector)) {
        return Effect::StillRefused;
    }
    Effect::LetThrough { is_suspicious: nats >= NOTABLE_NATS }
}

/// Whether it is silent about every rule that matched.
fn covers_rules(exception: &Exception, event: &Event) -> bool {
    exception.rules.is_empty() || event.rules.iter().all(|rule| exception.rules.contains(&rule.id))
}

fn is_of(entity: &Entity, event: &Event) -> bool {
    match entity {
        Entity::Net(net) => event.client.parse::<IpAddr>().is_ok_and(|it| net.contains(it)),
        _ => event.entities.contains(&entity.to_string()),
    }
}
