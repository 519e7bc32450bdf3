//! What is kept of one source that browses.

use serde::{Deserialize, Serialize};
use traffic::{Digest, EndpointId};

use super::{HALF_LIFE_S, SHARED_NEIGHBOURS};
use crate::act::Act;
use crate::baseline::Lessons;
use crate::cusum::Cusum;
use crate::nats;
use crate::seen::{GENERATION_S, Seen};
use crate::table::Line;

/// What a known endpoint that is new to the source takes away, and how often in an hour. Four times
/// one nat hide two misses, however many known pages are asked for.
const HIT_NATS: f32 = 1.0;
const HITS_PER_HOUR: u8 = 4;
/// What a missing part of a page says: little, and for one page's worth of them at most this much.
const SOFT_NATS: f32 = 0.3;
const SOFT_NATS_MAX: f32 = 4.0;
/// Beyond so many distinct ones it is not one page any more.
const SOFT_MISSES: f32 = 20.0;
const SOFT_NATS_BEYOND: f32 = 0.5;
/// So many parts of a page are believed to be such because the headers say so.
const CLAIMS_BELIEVED: f32 = 12.0;
/// So many names below `/.well-known/` are asked for out of custom.
const WELL_KNOWN_MAX: u8 = 6;

/// One source.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Visitor {
    hard: Cusum,
    soft: Cusum,
    misses: f32,
    soft_misses: f32,
    counted_s: u32,
    shapes: Seen,
    endpoints: Seen,
    hour: u32,
    hits: u8,
    well_known: u8,
    lessons: Lessons,
    /// A part of the address's key; of one that is seen at several, `ROAMS`.
    home: u32,
}

const ROAMS: u32 = u32::MAX;

impl Visitor {
    pub(super) fn suspicion(&self, now_s: u32) -> f32 {
        self.hard.at(now_s, HALF_LIFE_S) + self.soft.at(now_s, HALF_LIFE_S)
    }

    pub(super) fn misses(&self, now_s: u32) -> f32 {
        self.aged(self.misses, now_s)
    }

    pub(super) fn soft_misses(&self, now_s: u32) -> f32 {
        self.aged(self.soft_misses, now_s)
    }

    /// Whether this source, a session, says more than its address: it came from several, shares
    /// its address with others, or is spared what is held against the address.
    pub(super) const fn is_shown(&self, act: &Act) -> bool {
        let identity = &act.identity;
        self.home == ROAMS
            || identity.neighbours >= SHARED_NEIGHBOURS
            || identity.established
            || identity.proven
    }

    pub(super) fn seen_at(&mut self, address: Digest) {
        let here = u32::try_from(address.0 >> 33).unwrap_or(0) | 1;
        if self.home == 0 {
            self.home = here;
        } else if self.home != here {
            self.home = ROAMS;
        }
    }

    /// Notes a known endpoint, and says whether it is new to this source.
    pub(super) fn hit(&mut self, endpoint: EndpointId, now_s: u32) -> bool {
        let is_new = self.endpoints.note(Digest(u64::from(endpoint.0)), now_s);
        self.turn(now_s);
        if is_new && self.hits < HITS_PER_HOUR && self.hard.at(now_s, HALF_LIFE_S) > 0.0 {
            self.hits += 1;
            self.hard.add(-HIT_NATS, now_s, HALF_LIFE_S);
        }
        is_new
    }

    pub(super) fn is_new_shape(&mut self, shape: Digest, now_s: u32) -> bool {
        self.shapes.note(shape, now_s)
    }

    pub(super) fn missed(&mut self, nats: f32, now_s: u32) {
        self.settle(now_s);
        self.misses += 1.0;
        self.hard.add(nats, now_s, HALF_LIFE_S);
    }

    pub(super) fn missed_softly(&mut self, weight: f32, now_s: u32) {
        self.settle(now_s);
        let soft = self.soft.at(now_s, HALF_LIFE_S);
        let nats = if self.soft_misses < SOFT_MISSES {
            SOFT_NATS.min(SOFT_NATS_MAX - soft).max(0.0)
        } else {
            SOFT_NATS_BEYOND
        };
        self.soft_misses += 1.0;
        self.soft.add(weight * nats, now_s, HALF_LIFE_S);
    }

    /// Whether what the headers claim is still believed.
    pub(super) fn believes_claims(&self, now_s: u32) -> bool {
        self.soft_misses(now_s) < CLAIMS_BELIEVED
    }

    /// Whether one more name below `/.well-known/` is within custom.
    pub(super) fn is_curious(&mut self, now_s: u32) -> bool {
        self.turn(now_s);
        self.well_known = self.well_known.saturating_add(1);
        self.well_known <= WELL_KNOWN_MAX
    }

    pub(super) fn may_teach(&mut self, now_s: u32) -> bool {
        self.lessons.take(now_s)
    }

    fn turn(&mut self, now_s: u32) {
        let hour = now_s / GENERATION_S;
        if hour > self.hour {
            (self.hour, self.hits, self.well_known) = (hour, 0, 0);
        }
    }

    fn settle(&mut self, now_s: u32) {
        self.misses = self.aged(self.misses, now_s);
        self.soft_misses = self.aged(self.soft_misses, now_s);
        self.counted_s = self.counted_s.max(now_s);
    }

    fn aged(&self, count: f32, now_s: u32) -> f32 {
        nats::decayed(count, now_s.saturating_sub(self.counted_s), HALF_LIFE_S)
    }
}

impl Line for Visitor {
    /// Suspicion twice, less the age of it. Who has none is worth the little that relearning costs.
    fn worth(&self, now_s: u32) -> f32 {
        let idle_s = now_s.saturating_sub(self.counted_s.max(self.hour.saturating_mul(3_600)));
        2.0 * self.suspicion(now_s) - nats::number(idle_s) / nats::number(HALF_LIFE_S)
    }
}
