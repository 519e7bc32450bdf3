//! From the sum of evidence to an action.
//!
//! | nats | risk | on roles that matter | elsewhere |
//! |---|---|---|---|
//! | below 6.9 | below 50 | allow | allow |
//! | 6.9 to 9.2 | 50 to 91 | paced: one try in ten seconds, the rest 429 | allow, finding |
//! | 9.2 to 11.5 | 91 to 99 | block for ten minutes | the same |
//! | from 11.5 | from 99 | block for an hour, each time four times as long | the same |
//!
//! Many callers share an address with five or more established principals: there, nothing below
//! 11.5 blocks. Known callers are spared by every block that falls on an address.

use std::time::Duration;

use traffic::{Action, Detector, Entity, Identity, Role, Scope};

use crate::algebra::Sum;

/// From here a finding is made where secrets are tried.
pub(crate) const NOTABLE_NATS: f32 = 5.2;
/// From here tries are paced.
pub(crate) const CHALLENGE_NATS: f32 = 6.9;
/// From here a caller is blocked.
pub(crate) const BLOCK_NATS: f32 = 9.2;
/// From here it is blocked for long.
pub(crate) const CERTAIN_NATS: f32 = 11.5;

/// Where this many established principals share an address, only certainty blocks it.
pub(crate) const SHARED_FROM: u16 = 5;

/// Seconds between two tries that a paced caller is allowed.
pub(crate) const PACE_S: u32 = 10;

/// How long the first block lasts, below and from certainty.
pub(crate) const BLOCK_SHORT: Duration = Duration::from_secs(600);
/// How long a block on certain evidence lasts at first.
pub(crate) const BLOCK_LONG: Duration = Duration::from_secs(3_600);
/// No automatic block lasts longer.
pub(crate) const BLOCK_MAX: Duration = Duration::from_secs(24 * 3_600);

/// What the evidence alone asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// Nothing.
    Pass,
    /// Pace this caller's tries.
    Pace,
    /// Block this scope for so long.
    Block(Scope, Duration),
}

/// The step for one request.
pub(crate) fn step(sum: &Sum, identity: &Identity, role: Role) -> Step {
    let Some(strongest) = sum.strongest else { return Step::Pass };
    let entity = sum.narrowest.unwrap_or(strongest.entity);
    let is_wide = matches!(entity, Entity::Address(_) | Entity::Net(_) | Entity::Ja4(_));
    if is_wide && identity.is_known(role) {
        return Step::Pass;
    }
    let block_from =
        if is_wide && identity.neighbours >= SHARED_FROM { CERTAIN_NATS } else { BLOCK_NATS };
    if sum.nats >= block_from {
        let long = sum.nats >= CERTAIN_NATS;
        return Step::Block(
            scope(entity, strongest.detector, role),
            if long { BLOCK_LONG } else { BLOCK_SHORT },
        );
    }
    if sum.nats >= CHALLENGE_NATS && role.is_sensitive() { Step::Pace } else { Step::Pass }
}

/// How much longer a block lasts that follows `earlier` others on the same scope within a day.
pub(crate) fn prolonged(first: Duration, earlier: u32) -> Duration {
    first.saturating_mul(4_u32.saturating_pow(earlier.min(6))).min(BLOCK_MAX)
}

/// The narrowest scope that stops what was seen: guessing is stopped where secrets are tried.
fn scope(entity: Entity, detector: Detector, role: Role) -> Scope {
    let role = match detector {
        Detector::CredentialStuffing | Detector::InFlight | Detector::CommonPassword => Some(role),
        _ => None,
    };
    let spares_known = matches!(entity, Entity::Address(_) | Entity::Net(_) | Entity::Ja4(_));
    Scope { entity, role, device: None, spares_known }
}

/// The action that carries out a step.
pub(crate) const fn action(step: &Step) -> Action {
    match step {
        Step::Pass => Action::Allow,
        Step::Pace => Action::Challenge,
        Step::Block(..) => Action::Deny,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_grow_and_stop_at_a_day() {
        assert_eq!(prolonged(BLOCK_SHORT, 0), BLOCK_SHORT);
        assert_eq!(prolonged(BLOCK_SHORT, 1), BLOCK_SHORT * 4);
        assert_eq!(prolonged(BLOCK_LONG, 9), BLOCK_MAX);
    }
}
