//! Whether the workers still turn: each leaves a mark with every tick of its clock.
//!
//! A worker that waits for something that never comes would serve nobody and look alive from
//! outside. Whoever watches over the process asks here.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// The marks of all workers.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    beats_ms: Vec<AtomicU64>,
}

impl Pulse {
    pub(crate) fn new(workers: usize) -> Self {
        let beats_ms = (0..workers).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Inner { began: Instant::now(), beats_ms }))
    }

    pub(crate) fn beat(&self, worker: usize) {
        if let Some(beat) = self.0.beats_ms.get(worker) {
            beat.store(self.now_ms(), Relaxed);
        }
    }

    /// Whether each worker has left a mark lately.
    #[must_use]
    pub fn is_felt_within(&self, lately: Duration) -> bool {
        let lately_ms = u64::try_from(lately.as_millis()).unwrap_or(u64::MAX);
        let since_ms = |beat: &AtomicU64| self.now_ms().saturating_sub(beat.load(Relaxed));
        self.0.beats_ms.iter().all(|beat| since_ms(beat) <= lately_ms)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_worker_that_stands_still_is_felt() {
        let pulse = Pulse::new(2);
        std::thread::sleep(Duration::from_millis(30));
        pulse.beat(0);
        assert!(!pulse.is_felt_within(Duration::from_millis(20)));
        pulse.beat(1);
        assert!(pulse.is_felt_within(Duration::from_secs(5)));
    }
}
