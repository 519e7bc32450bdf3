//! What was told lately of readiness, so that asking often costs little.
//!
//! It is made from the events of a day, up to tens of thousands of them. Whoever polls `status`
//! would read them again and again; so what was told is told again for twenty times as long as it
//! took to find out, a minute at the most. Where there is little to read that is no time at all,
//! and where a policy, an exception or a fault is new it is found out anew at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ledger::QueryError;
use traffic::ExceptionId;

use crate::wire::Readiness;

/// Of all time, one part in so many may be spent on it.
const ONE_PART_IN: u32 = 20;
/// Nothing is told again that is older.
const LASTS_MAX: Duration = Duration::from_secs(60);
/// Spans of different lengths that are remembered.
const SPANS_MAX: usize = 8;

/// What was told, by the span that it is about. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Lately(Arc<Mutex<Vec<Told>>>);

/// What changes a verdict besides the events.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Grounds {
    /// The span that is looked at.
    pub(super) last: Duration,
    pub(super) policy_version: u64,
    /// The exceptions that hold.
    pub(super) exceptions: Vec<ExceptionId>,
    /// Faults of layers since the start.
    pub(super) faults: u64,
}

#[derive(Debug)]
struct Told {
    grounds: Grounds,
    readiness: Readiness,
    since: Instant,
    lasts: Duration,
}

impl Lately {
    /// What was told on these grounds, or what `find_out` says. Whoever asks meanwhile waits for
    /// the same answer.
    pub(super) fn of(
        &self,
        grounds: Grounds,
        find_out: impl FnOnce() -> Result<Readiness, QueryError>,
    ) -> Result<Readiness, QueryError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|told| told.since.elapsed() < told.lasts);
        if let Some(told) = all.iter().find(|told| told.grounds == grounds) {
            return Ok(told.readiness.clone());
        }
        all.retain(|told| told.grounds.last != grounds.last);
        let began = Instant::now();
        let readiness = find_out()?;
        let lasts = began.elapsed().saturating_mul(ONE_PART_IN).min(LASTS_MAX);
        if all.len() >= SPANS_MAX {
            all.remove(0);
        }
        let since = Instant::now();
        all.push(Told { grounds, readiness: readiness.clone(), since, lasts });
        Ok(readiness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grounds(policy_version: u64, last_s: u64) -> Grounds {
        let last = Duration::from_secs(last_s);
        Grounds { last, policy_version, exceptions: Vec::new(), faults: 0 }
    }

    #[test]
    fn what_took_long_is_told_again_until_its_grounds_change() {
        let lately = Lately::default();
        let mut found_out = 0;
        let mut ask = |grounds: Grounds, takes_ms: u64| {
            let found = lately.of(grounds, || {
                found_out += 1;
                std::thread::sleep(Duration::from_millis(takes_ms));
                Ok(Readiness::default())
            });
            found.expect("told");
            found_out
        };
        assert_eq!((ask(grounds(1, 60), 500), ask(grounds(1, 60), 500)), (1, 1));
        assert_eq!(ask(grounds(2, 60), 500), 2, "another policy");
        assert_eq!(ask(grounds(2, 90), 500), 3, "another span");
        assert_eq!(ask(grounds(2, 60), 500), 3, "which does not displace the first");
        let quick = (ask(grounds(3, 60), 0), std::thread::sleep(Duration::from_millis(50)));
        assert_eq!((quick.0, ask(grounds(3, 60), 0)), (4, 5), "what is cheap is always new");
        for last_s in 100..200 {
            ask(grounds(3, last_s), 1);
        }
        let all = lately.0.lock().expect("unpoisoned").len();
        assert!(all <= SPANS_MAX, "{all}");
    }
}
