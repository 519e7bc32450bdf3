//! Counts of exchanges since the start, for metrics.
//!
//! The engine counts each exchange once, by minute and endpoint, where it holds its lock anyway;
//! counting for metrics adds nothing to a request. Minutes that are over go from there to the
//! ledger and are added up here; the running minute is read where it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use shield::{Engine, LATENCY_BOUNDS_US, Rollup, RollupKey};

/// Endpoints that have a counter of their own; the others share one.
const ENDPOINTS_MAX: usize = 500;

/// Counts since the start. Clones are the same counts.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    over: Arc<Mutex<Sum>>,
}

/// Counts of exchanges.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sum {
    /// By class of the status: exchanges by latency class.
    pub(crate) latency: BTreeMap<u8, [u64; LATENCY_BOUNDS_US.len() + 1]>,
    /// By endpoint.
    pub(crate) endpoints: BTreeMap<String, u64>,
    /// Exchanges of endpoints that have no counter of their own.
    pub(crate) other_endpoints: u64,
    /// Bytes of answers.
    pub(crate) bytes: u64,
}

/// Exchanges of a minute, as the engine gives them away: key, endpoint, counts.
pub type Taken = Vec<(RollupKey, Option<String>, Rollup)>;

impl Totals {
    /// Takes from the engine what its minutes have counted, and adds it up before anybody looks.
    pub fn take(&self, take: impl FnOnce() -> Taken) -> Taken {
        let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = take();
        for (key, endpoint, rollup) in &taken {
            over.add(key, endpoint.as_deref(), rollup);
        }
        taken
    }

    /// All that was counted until now.
    pub(crate) fn now(&self, engine: &Engine) -> Sum {
        // Held until the running minute is read: what is on its way is in one of the two.
        let over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sum = over.clone();
        for (key, rollup) in engine.running_rollups(None) {
            let endpoint = key.endpoint.map(|endpoint| engine.label(endpoint));
            sum.add(&key, endpoint.as_deref(), &rollup);
        }
        sum
    }
}

impl Sum {
    fn add(&mut self, key: &RollupKey, endpoint: Option<&str>, rollup: &Rollup) {
        let latency = self.latency.entry(key.status_class).or_default();
        for (sum, count) in latency.iter_mut().zip(rollup.latency) {
            *sum += u64::from(count);
        }
        self.bytes = self.bytes.saturating_add(rollup.bytes);
        match endpoint {
            Some(endpoint) if self.endpoints.contains_key(endpoint) => {
                *self.endpoints.entry(endpoint.to_owned()).or_default() += rollup.count;
            }
            Some(endpoint) if self.endpoints.len() < ENDPOINTS_MAX => {
                self.endpoints.insert(endpoint.to_owned(), rollup.count);
            }
            _ => self.other_endpoints += rollup.count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traffic::Action;

    #[test]
    fn endpoints_beyond_the_bound_share_a_counter() {
        let totals = Totals::default();
        let key = RollupKey {
            minute: 1,
            endpoint: None,
            status_class: 2,
            action: Action::Allow,
            enforced: false,
        };
        let rollup = Rollup { count: 2, bytes: 5, ..Rollup::default() };
        let row = |number: usize| (key, Some(format!("GET shop.test /{number}")), rollup.clone());
        totals.take(|| (0..ENDPOINTS_MAX + 100).map(row).collect());
        totals.take(|| vec![row(3), row(ENDPOINTS_MAX + 7)]);
        let sum = totals.over.lock().expect("the sum").clone();
        assert_eq!(sum.endpoints.len(), ENDPOINTS_MAX);
        assert_eq!(sum.endpoints["GET shop.test /3"], 4);
        assert_eq!(sum.other_endpoints, 202);
        assert_eq!(sum.bytes, 5 * 602);
    }
}
