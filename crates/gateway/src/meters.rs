//! What the workers count for whoever asks how the gateway fares.
//!
//! Each worker writes its own counters and nobody else does, so that counting is a load, an
//! addition and a store of a line that no other processor wants: no lock, no traffic between
//! processors. Whoever reads adds them up.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::framing::Refusal;

/// Upper bounds of the classes of time, in microseconds; the last class is everything above.
pub const TOOK_BOUNDS_US: [u64; 16] = [
    10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 1_000_000,
    10_000_000, 60_000_000,
];
const CLASSES: usize = TOOK_BOUNDS_US.len() + 1;

/// What the gateway does with an exchange, one after the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// A head is read by the engine: who sends, which path.
    Head,
    /// A body that was held is decoded and read.
    Body,
    /// Rules run, evidence is weighed, the verdict is found.
    Decision,
    /// It is with the upstream, until the head of the answer comes.
    Upstream,
    /// The answer is learnt from.
    Answer,
}

/// Why a request was not taken on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shed {
    /// Too many are under way.
    Requests,
    /// No memory is left to hold its body, which must not go on unread.
    Memory,
    /// Too many connections are open.
    Connections,
    /// So many of them that it is not even told: its connection is closed.
    Unheard,
}

impl Phase {
    /// All of them, in the order in which they come.
    pub const ALL: [Self; 5] =
        [Self::Head, Self::Body, Self::Decision, Self::Upstream, Self::Answer];

    /// Its word.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Body => "body",
            Self::Decision => "decision",
            Self::Upstream => "upstream",
            Self::Answer => "answer",
        }
    }
}

impl Shed {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Requests, Self::Memory, Self::Connections, Self::Unheard];

    /// Its word.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Memory => "memory",
            Self::Connections => "connections",
            Self::Unheard => "connections-unheard",
        }
    }
}

/// The counters of all workers.
#[derive(Clone, Debug)]
pub struct Meters(Arc<[Arc<Meter>]>);

/// What all workers have counted since the start.
#[derive(Clone, Debug, Default)]
pub struct Metered {
    /// How long each phase took, in the order of [`Phase::ALL`].
    pub took: [Took; Phase::ALL.len()],
    /// Requests that were not taken on, in the order of [`Shed::ALL`].
    pub shed: [u64; Shed::ALL.len()],
    /// Requests that were refused for their form, in the order of [`Refusal::ALL`].
    pub refused: Vec<u64>,
    /// Requests under way, those that wait for their turn among them.
    pub active: u64,
    /// Bytes of bodies that are held.
    pub held_bytes: u64,
}

/// How long something took.
#[derive(Clone, Debug, Default)]
pub struct Took {
    /// How often, by the classes of [`TOOK_BOUNDS_US`].
    pub counts: [u64; CLASSES],
    /// All together, in microseconds.
    pub sum_us: u64,
}

impl Meters {
    pub(crate) fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| Arc::default()).collect())
    }

    pub(crate) fn of(&self, worker: usize) -> Arc<Meter> {
        self.0.get(worker).map(Arc::clone).unwrap_or_default()
    }

    /// What was counted until now.
    #[must_use]
    pub fn read(&self) -> Metered {
        let mut sum = Metered { refused: vec![0; Refusal::ALL.len()], ..Metered::default() };
        for meter in self.0.iter() {
            for (sum, timer) in sum.took.iter_mut().zip(&meter.took) {
                add(&mut sum.counts, &timer.counts);
                sum.sum_us = sum.sum_us.saturating_add(timer.sum_us.load(Relaxed));
            }
            add(&mut sum.shed, &meter.shed);
            add(&mut sum.refused, &meter.refused.0);
            sum.active = sum.active.saturating_add(meter.active.load(Relaxed));
            sum.held_bytes = sum.held_bytes.saturating_add(meter.held_bytes.load(Relaxed));
        }
        sum
    }
}

fn add(sums: &mut [u64], counts: &[AtomicU64]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        *sum = sum.saturating_add(count.load(Relaxed));
    }
}

/// The counters of one worker: it alone writes them.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Meter {
    took: [Timer; Phase::ALL.len()],
    shed: [AtomicU64; Shed::ALL.len()],
    refused: Refusals,
    active: AtomicU64,
    held_bytes: AtomicU64,
}

#[derive(Debug)]
struct Refusals([AtomicU64; Refusal::ALL.len()]);

impl Default for Refusals {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::default()))
    }
}

#[derive(Debug, Default)]
struct Timer {
    counts: [AtomicU64; CLASSES],
    sum_us: AtomicU64,
}

impl Meter {
    pub(crate) fn took(&self, phase: Phase, us: u64) {
        let Some(timer) = self.took.get(phase as usize) else { return };
        let class = TOOK_BOUNDS_US.iter().take_while(|bound| **bound < us).count();
        if let Some(count) = timer.counts.get(class) {
            count.store(count.load(Relaxed).wrapping_add(1), Relaxed);
        }
        timer.sum_us.store(timer.sum_us.load(Relaxed).wrapping_add(us), Relaxed);
    }

    pub(crate) fn shed(&self, why: Shed) {
        if let Some(count) = self.shed.get(why as usize) {
            count.store(count.load(Relaxed).wrapping_add(1), Relaxed);
        }
    }

    pub(crate) fn refused(&self, why: Refusal, times: u32) {
        if let Some(count) = self.refused.0.get(why as usize) {
            count.store(count.load(Relaxed).wrapping_add(u64::from(times)), Relaxed);
        }
    }

    pub(crate) fn begins(&self) {
        self.active.store(self.active.load(Relaxed).saturating_add(1), Relaxed);
    }

    pub(crate) fn ended(&self) {
        self.active.store(self.active.load(Relaxed).saturating_sub(1), Relaxed);
    }

    pub(crate) fn holds(&self, bytes: usize) {
        self.held_bytes.store(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_workers_count_adds_up_and_times_fall_into_their_class() {
        let meters = Meters::new(2);
        for (worker, us) in [(0, 0), (0, 10), (1, 11), (1, u64::from(u32::MAX))] {
            meters.of(worker).took(Phase::Decision, us);
        }
        meters.of(0).begins();
        meters.of(1).begins();
        meters.of(1).ended();
        meters.of(1).shed(Shed::Memory);
        meters.of(0).refused(Refusal::BadHost, 1);
        meters.of(1).refused(Refusal::BadHost, 2);
        meters.of(0).holds(7);
        let sum = meters.read();
        let decision = &sum.took[Phase::Decision as usize];
        assert_eq!((decision.counts[0], decision.counts[1], decision.counts[16]), (2, 1, 1));
        assert_eq!(decision.sum_us, 21 + u64::from(u32::MAX));
        assert_eq!((sum.active, sum.held_bytes, sum.shed), (1, 7, [0, 1, 0, 0]));
        assert_eq!(sum.refused.iter().sum::<u64>(), 3);
        assert_eq!(sum.refused.get(Refusal::BadHost as usize), Some(&3));
    }
}
