//! What is kept of one source that tries secrets: 64 bytes with its key.
//!
//! Counts are numbers that decay with the evidence, so that an explanation tells of the attempts
//! that the evidence rests on.

use serde::{Deserialize, Serialize};
use traffic::Digest;

use super::{HALF_LIFE_S, UNWASHABLE_FAILED, UNWASHABLE_NATS};
use crate::accounts::Credit;
use crate::act::Act;
use crate::baseline::Lessons;
use crate::cusum::Cusum;
use crate::nats;
use crate::table::Line;

/// Young accounts that may speak for a source at once …
const YOUNG_BURST: u32 = 300;
/// … and how long until there may be one more.
const YOUNG_EVERY_S: u32 = 10;

/// One source.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Login {
    suspicion: Cusum,
    /// Distinct accounts tried, and those of them that failed and were not made good.
    tried: f32,
    failed: f32,
    /// The part of the suspicion that attempts without an account added.
    blind: f32,
    counted_s: u32,
    /// When the allowance of young accounts is whole again.
    young_whole_s: u32,
    /// A part of the address's key; of one that is seen at several, `ROAMS`.
    home: u32,
    lessons: Lessons,
    minute: u32,
    in_minute: u16,
    in_last: u16,
}

const ROAMS: u32 = u32::MAX;

impl Login {
    pub(super) fn suspicion(&self, now_s: u32) -> f32 {
        self.suspicion.at(now_s, HALF_LIFE_S)
    }

    /// Accounts tried and failed.
    pub(super) fn counts(&self, now_s: u32) -> (u32, u32) {
        let aged = |count| nats::count(self.aged(count, now_s));
        (aged(self.tried), aged(self.failed))
    }

    /// Whether this source, a session, says more than its address: it came from several.
    pub(super) const fn is_shown(&self, act: &Act) -> bool {
        self.home == ROAMS || act.identity.established || act.identity.proven
    }

    pub(super) fn seen_at(&mut self, address: Digest) {
        let here = u32::try_from(address.0 >> 33).unwrap_or(0) | 1;
        if self.home == 0 {
            self.home = here;
        } else if self.home != here {
            self.home = ROAMS;
        }
    }

    pub(super) fn failed(&mut self, nats: f32, now_s: u32) {
        self.settle(now_s);
        self.tried += 1.0;
        self.failed += 1.0;
        self.suspicion.add(nats, now_s, HALF_LIFE_S);
        if self.failed >= UNWASHABLE_FAILED && self.failed > 0.5 * self.tried {
            self.suspicion.raise(UNWASHABLE_NATS, now_s, HALF_LIFE_S);
        }
    }

    pub(super) fn entered(&mut self, credit: Credit, nats: f32, now_s: u32) {
        self.settle(now_s);
        self.tried += 1.0;
        let counts = match credit {
            Credit::Full => {
                self.count_success(now_s);
                true
            }
            Credit::Young => self.suspicion(now_s) > 0.0 && self.take_young(now_s),
            Credit::Nothing => false,
        };
        if counts {
            self.suspicion.add(-nats, now_s, HALF_LIFE_S);
        }
    }

    /// An account that had failed was entered after all.
    pub(super) fn made_good(&mut self, nats: f32, now_s: u32) {
        self.settle(now_s);
        self.failed = (self.failed - 1.0).max(0.0);
        self.suspicion.add(-nats, now_s, HALF_LIFE_S);
    }

    /// An attempt whose account cannot be told. Successes give back what such attempts added, and
    /// no more. It is no first outcome of anything, hence false.
    pub(super) fn blind(&mut self, is_success: bool, nats: f32, now_s: u32) -> bool {
        self.settle(now_s);
        let nats = if is_success { -(4.0 * nats).min(self.blind) } else { nats };
        self.blind = (self.blind + nats).max(0.0);
        self.suspicion.add(nats, now_s, HALF_LIFE_S);
        false
    }

    pub(super) fn may_teach(&mut self, now_s: u32) -> bool {
        self.lessons.take(now_s)
    }

    pub(super) fn recent_successes(&self, now_s: u32) -> u32 {
        match (now_s / 60).saturating_sub(self.minute) {
            0 => u32::from(self.in_minute) + u32::from(self.in_last),
            1 => u32::from(self.in_minute),
            _ => 0,
        }
    }

    fn count_success(&mut self, now_s: u32) {
        let minute = now_s / 60;
        match minute.saturating_sub(self.minute) {
            0 => {}
            1 => (self.in_last, self.in_minute) = (self.in_minute, 0),
            _ => (self.in_last, self.in_minute) = (0, 0),
        }
        self.minute = self.minute.max(minute);
        self.in_minute = self.in_minute.saturating_add(1);
    }

    /// One of the young accounts that may speak for this source, while there are any.
    fn take_young(&mut self, now_s: u32) -> bool {
        let whole_s = self.young_whole_s.max(now_s).saturating_add(YOUNG_EVERY_S);
        let is_left = whole_s - now_s <= YOUNG_BURST * YOUNG_EVERY_S;
        if is_left {
            self.young_whole_s = whole_s;
        }
        is_left
    }

    fn settle(&mut self, now_s: u32) {
        self.tried = self.aged(self.tried, now_s);
        self.failed = self.aged(self.failed, now_s);
        self.blind = self.aged(self.blind, now_s);
        self.counted_s = self.counted_s.max(now_s);
    }

    fn aged(&self, count: f32, now_s: u32) -> f32 {
        nats::decayed(count, now_s.saturating_sub(self.counted_s), HALF_LIFE_S)
    }
}

impl Line for Login {
    /// Suspicion twice, what is known once, less its age.
    fn worth(&self, now_s: u32) -> f32 {
        let idle_s = now_s.saturating_sub(self.counted_s);
        let age = nats::number(idle_s) / nats::number(HALF_LIFE_S);
        let known = nats::ln(1.0 + self.aged(self.tried, now_s)) / std::f32::consts::LN_2;
        2.0 * self.suspicion(now_s) + known - age
    }
}
