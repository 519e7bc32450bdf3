//! One try in ten seconds for callers whom the evidence puts in doubt.
//!
//! Between "allow" and "block" lies a caller who may be an office with a bad morning. It keeps a
//! slow lane: enough for its people to log in and clear it, far too slow for a list of stolen
//! passwords.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use traffic::{Entity, Mode, Timestamp};

use crate::ladder::PACE_S;

/// More lanes than this are not kept: the one unused for longest makes room.
const LANES_MAX: usize = 8_192;

/// When each paced entity last had its try, in fact or as it would have had in `enforce`.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Pacing {
    lanes: BTreeMap<(Entity, Mode), Timestamp>,
}

impl Pacing {
    /// Takes the entity's try if it is due, in fact or as it would be in `enforce`; otherwise the
    /// seconds to wait.
    pub(crate) fn take(&mut self, entity: Entity, mode: Mode, now: Timestamp) -> Result<(), u32> {
        let pace = Duration::from_secs(u64::from(PACE_S));
        if let Some(last) = self.lanes.get(&(entity, mode)) {
            let passed = now.since(*last);
            if passed < pace {
                let left = pace.saturating_sub(passed).as_secs();
                return Err(u32::try_from(left).unwrap_or(PACE_S).max(1));
            }
        } else if self.lanes.len() >= LANES_MAX {
            self.lanes.retain(|_, last| now.since(*last) < pace);
            if self.lanes.len() >= LANES_MAX {
                return Err(PACE_S);
            }
        }
        self.lanes.insert((entity, mode), now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use traffic::Digest;

    use super::*;

    #[test]
    fn one_try_in_ten_seconds() {
        let mut pacing = Pacing::default();
        let who = Entity::Session(Digest(1));
        let at = |seconds: u64| Timestamp::from_micros(seconds * 1_000_000);
        assert_eq!(pacing.take(who, Mode::Enforce, at(100)), Ok(()));
        assert_eq!(pacing.take(who, Mode::Enforce, at(103)), Err(7));
        assert_eq!(pacing.take(who, Mode::Enforce, at(110)), Ok(()));
    }

    #[test]
    fn a_flood_of_entities_stays_bounded() {
        let mut pacing = Pacing::default();
        for n in 0..50_000 {
            let _ = pacing.take(
                Entity::Session(Digest(n)),
                Mode::Enforce,
                Timestamp::from_micros(1_000_000 + n),
            );
        }
        assert!(pacing.lanes.len() <= LANES_MAX);
    }
}
