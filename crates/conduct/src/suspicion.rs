//! What stands against a source that does one distinct thing after the other.
//!
//! Several detectors gather it in the same way: each distinct thing adds its evidence, all of it
//! fades together, and what is worth a line is told with the number of things it rests on. What the
//! things are, and what each of them says, is the detectors' own.

use serde::{Deserialize, Serialize};
use traffic::Digest;

use crate::act::{Act, Source};
use crate::cusum::Cusum;
use crate::nats;
use crate::pardon::Pardons;
use crate::table::{Line, Table};

/// Evidence below this is not worth a line in an explanation.
const SHOWN_NATS_MIN: f32 = 0.5;

/// Evidence, and how many distinct things it comes from.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Suspicion {
    evidence: Cusum,
    things: Cusum,
}

/// A line that holds what stands against one source.
pub(crate) trait Suspect: Line {
    /// After which half of it is forgotten.
    const HALF_LIFE_S: u32;

    /// What stands against it.
    fn suspicion(&self) -> Suspicion;

    /// The evidence that is left of it.
    fn nats(&self, now_s: u32) -> f32 {
        self.suspicion().evidence.at(now_s, Self::HALF_LIFE_S)
    }

    /// Of how many things that is, at least one.
    fn things(&self, now_s: u32) -> u32 {
        nats::count(self.suspicion().things.at(now_s, Self::HALF_LIFE_S)).max(1)
    }

    /// What a table loses with it, where it was last touched at `last_s`.
    fn worth_since(&self, last_s: u32, now_s: u32) -> f32 {
        let idle_s = now_s.saturating_sub(last_s);
        2.0 * self.nats(now_s) - nats::number(idle_s) / nats::number(Self::HALF_LIFE_S)
    }
}

impl Suspicion {
    /// Adds what one more thing says.
    pub(crate) fn add(&mut self, nats: f32, now_s: u32, half_life_s: u32) {
        self.evidence.add(nats, now_s, half_life_s);
        self.things.add(1.0, now_s, half_life_s);
    }

    /// Takes evidence away.
    pub(crate) fn take_back(&mut self, nats: f32, now_s: u32, half_life_s: u32) {
        self.evidence.add(-nats, now_s, half_life_s);
    }
}

/// What stands against the sources of `act`, less what an operator pardoned, where it is worth a
/// line.
pub(crate) fn against<L: Suspect>(
    table: &Table<L>,
    act: &Act,
    pardons: &Pardons,
    now_s: u32,
) -> impl Iterator<Item = (Source, L, f32)> {
    act.sources().filter_map(move |source| {
        let line = table.read(source.key)?;
        let nats = pardons.apply(source.key, line.nats(now_s), now_s);
        (nats >= SHOWN_NATS_MIN).then_some((source, line, nats))
    })
}

/// How suspected `address` is by what `table` holds.
pub(crate) fn of<L: Suspect>(table: &Table<L>, address: Digest, now_s: u32) -> f32 {
    table.read(address).map_or(0.0, |line| line.nats(now_s))
}
