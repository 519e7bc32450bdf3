//! What the gateway's workers counted, in the words of the admin API.

use console::{Served, Timed};
use gateway::framing::Refusal;
use gateway::{Meters, Phase, Shed, TOOK_BOUNDS_US, Took};

/// What was counted until now.
pub(super) fn served(meters: &Meters) -> Served {
    let read = meters.read();
    let mut phases: Vec<_> = Phase::ALL.into_iter().zip(read.took).collect();
    let upstream = phases.iter().position(|(phase, _)| *phase == Phase::Upstream);
    let upstream = upstream.map(|place| timed(phases.remove(place).1)).unwrap_or_default();
    Served {
        bounds_us: &TOOK_BOUNDS_US,
        phases: phases.into_iter().map(|(phase, took)| (phase.key(), timed(took))).collect(),
        upstream,
        shed: Shed::ALL.into_iter().map(Shed::key).zip(read.shed).collect(),
        refused: Refusal::ALL.into_iter().map(Refusal::name).zip(read.refused).collect(),
        active: read.active,
        held_bytes: read.held_bytes,
    }
}

fn timed(took: Took) -> Timed {
    Timed { counts: took.counts.to_vec(), sum_us: took.sum_us }
}
