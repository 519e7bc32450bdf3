//! A fault in one layer is that layer's alone.
//!
//! Each call into a layer is guarded: a panic is caught and counted, the layer gives no signal
//! for that request ("no signal", never "score 0"), and after five faults in a minute it is left
//! alone for thirty seconds and then tried again. Faults open: the request goes on, unless its
//! route says `on_error = "closed"`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use traffic::{Layer, Timestamp};

/// Faults within [`FAULT_WINDOW`] that take a layer out.
const FAULTS_MAX: u64 = 5;
const FAULT_WINDOW: Duration = Duration::from_secs(60);
/// How long a layer is left alone before it is tried again.
const QUARANTINE: Duration = Duration::from_secs(30);

/// Counts of faults, a place for each layer.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    layers: [Watch; Layer::ALL.len()],
    /// Layers that a test makes fail, a bit for each.
    #[cfg(feature = "faults")]
    failing: AtomicU64,
}

#[derive(Debug, Default)]
struct Watch {
    total: AtomicU64,
    in_window: AtomicU64,
    window_began: AtomicU64,
    quarantined_until: AtomicU64,
}

/// What a layer's guard has seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LayerFaults {
    /// The layer.
    pub layer: Layer,
    /// Panics caught since the start.
    pub faults: u64,
    /// Whether it is being left alone at the moment.
    pub is_quarantined: bool,
}

/// The layer gave no signal: it failed, or is being left alone after failing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NoSignal;

impl Guard {
    /// Runs `work` of `layer`.
    pub(crate) fn run<T>(
        &self,
        layer: Layer,
        now: Timestamp,
        work: impl FnOnce() -> T,
    ) -> Result<T, NoSignal> {
        let Some(watch) = self.layers.get(layer.index()) else { return Err(NoSignal) };
        if now.as_micros() < watch.quarantined_until.load(Relaxed) {
            return Err(NoSignal);
        }
        // The layer's state may be half changed after a panic. It is evidence, not money: what is
        // wrong in it decays, and every table keeps its bounds in each single step.
        let guarded = || {
            #[cfg(feature = "faults")]
            assert!(!self.is_failing(layer), "layer {layer} fails because a test wants it to");
            work()
        };
        catch_unwind(AssertUnwindSafe(guarded)).map_err(|_panic| {
            watch.count(now);
            NoSignal
        })
    }

    /// Makes a layer fail from now on, or not any more.
    #[cfg(feature = "faults")]
    pub(crate) fn fail(&self, layer: Layer, fails: bool) {
        let bit = 1 << layer.index();
        if fails {
            self.failing.fetch_or(bit, Relaxed);
        } else {
            self.failing.fetch_and(!bit, Relaxed);
        }
    }

    #[cfg(feature = "faults")]
    fn is_failing(&self, layer: Layer) -> bool {
        self.failing.load(Relaxed) & (1 << layer.index()) != 0
    }

    /// What each layer's guard has seen.
    pub(crate) fn faults(&self, now: Timestamp) -> Vec<LayerFaults> {
        Layer::ALL
            .into_iter()
            .zip(&self.layers)
            .map(|(layer, watch)| LayerFaults {
                layer,
                faults: watch.total.load(Relaxed),
                is_quarantined: now.as_micros() < watch.quarantined_until.load(Relaxed),
            })
            .collect()
    }
}

impl Watch {
    fn count(&self, now: Timestamp) {
        self.total.fetch_add(1, Relaxed);
        let began = Timestamp::from_micros(self.window_began.load(Relaxed));
        if now.since(began) > FAULT_WINDOW {
            self.window_began.store(now.as_micros(), Relaxed);
            self.in_window.store(0, Relaxed);
        }
        if self.in_window.fetch_add(1, Relaxed) + 1 >= FAULTS_MAX {
            self.quarantined_until.store(now.after(QUARANTINE).as_micros(), Relaxed);
            self.in_window.store(0, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_layer_is_left_alone_and_tried_again() {
        let guard = Guard::default();
        let at = |seconds: u64| Timestamp::from_micros(1_700_000_000_000_000 + seconds * 1_000_000);
        for _ in 0..FAULTS_MAX {
            assert_eq!(
                guard.run(Layer::Recon, at(0), || -> u8 { panic!("a fault") }),
                Err(NoSignal)
            );
        }
        assert_eq!(guard.run(Layer::Recon, at(1), || 1), Err(NoSignal), "left alone");
        assert_eq!(guard.run(Layer::Rate, at(1), || 1), Ok(1), "others go on");
        assert_eq!(guard.run(Layer::Recon, at(31), || 1), Ok(1), "tried again");
        let faults = guard.faults(at(31));
        assert!(faults.iter().any(|seen| seen.layer == Layer::Recon
            && seen.faults == FAULTS_MAX
            && !seen.is_quarantined));
    }
}
