//! Version walks and forgotten endpoints (D2): one source asks for other versions and copies of
//! what there is.
//!
//! A client knows which version it was written for. Whoever tries `/v1`, `/v3`, `/beta` and `.bak`
//! of an endpoint that honest callers use looks for what was left behind. Counted are distinct
//! marks from a source, not paths, so that an old app that asks for all of a version that is gone
//! does one thing, and only where the base is in use, so that a word list is D1's alone. A mark
//! that is answered counts like one that is missed: it is what was looked for, and then the
//! endpoint has a finding of its own.

use serde::{Deserialize, Serialize};
use traffic::slices::Sliced;
use traffic::{AnswerFacts, Detector, Digest, Outcome, Reason, ServiceId, Signal};

use crate::act::Act;
use crate::baseline::DAY_S;
use crate::baselines::Placed as _;
use crate::browsing;
use crate::nats;
use crate::pardon::Pardons;
use crate::seen::Seen;
use crate::suspicion::{self, Suspect, Suspicion};
use crate::table::{Line, Table};
use crate::view::TableView;
use crate::wanted::Wanted;

/// Walkers take their time.
const HALF_LIFE_S: u32 = 12 * 3_600;
/// One mark: a few of them, with what the misses say by themselves, are more than a block takes
/// (9.2). Apps fall back from version to version all day long, and forget that they did.
const MARK_NATS: f32 = 1.0;
/// An endpoint that nobody used for long, found by a stranger.
const FORGOTTEN_NATS: f32 = 2.0;
/// Nobody used it for so many days: then it is forgotten.
const FORGOTTEN_DAYS: u32 = 30;
/// A base that nobody used for so long is not in use.
const IN_USE_S: u32 = 30 * DAY_S;
/// How often it is written down that a base is in use.
const NOTED_EVERY_S: u32 = 3_600;

/// Sources that walk, and bases that are in use.
#[derive(Clone, Debug)]
pub(crate) struct Walks {
    walkers: Table<Walker>,
    bases: Table<Base>,
}

/// One source.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Walker {
    suspicion: Suspicion,
    seen: Seen,
    last_s: u32,
}

/// What variants are of, as honest callers use it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Base {
    first_s: u32,
    last_s: u32,
    /// The highest version in use.
    newest: u16,
}

impl Walks {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { walkers: Table::new(bytes / 2), bases: Table::new(bytes / 2) }
    }

    /// What is kept over a restart: sources, and bases.
    pub(crate) fn parts(&mut self) -> [&mut dyn Sliced; 2] {
        [&mut self.walkers, &mut self.bases]
    }

    /// Appends what stands against the sources of `act`.
    pub(crate) fn assess(
        &self,
        act: &Act,
        pardons: &Pardons,
        now_s: u32,
        signals: &mut Vec<Signal>,
    ) {
        for (source, walker, nats) in suspicion::against(&self.walkers, act, pardons, now_s) {
            signals.push(Signal {
                detector: Detector::VersionWalk,
                entity: source.entity,
                nats,
                reason: Reason::Walk { variants: walker.things(now_s) },
            });
        }
    }

    /// Whether `act`, answered like this, found an endpoint that was forgotten: before it is
    /// learnt.
    pub(crate) fn finds(&self, act: &Act, answer: &AnswerFacts, now_s: u32) -> Option<Signal> {
        if act.identity.established || act.wanted != Wanted::Resource || !is_served(answer) {
            return None;
        }
        let is_found = if act.endpoint_known {
            act.unused_days >= FORGOTTEN_DAYS
        } else {
            self.is_left_behind(act, now_s)
        };
        is_found.then_some(Signal {
            detector: Detector::ForgottenEndpoint,
            entity: act.identity.address_entity,
            nats: FORGOTTEN_NATS,
            reason: Reason::Forgotten { days: act.unused_days },
        })
    }

    /// Learns what a visit found.
    pub(crate) fn learn(&mut self, act: &Act, answer: &AnswerFacts, now_s: u32) {
        if act.wanted != Wanted::Resource {
            return;
        }
        let is_found = self.finds(act, answer, now_s).is_some();
        if act.endpoint_known && is_found {
            let place = act.endpoint.map_or(act.path_shape, |id| Digest(u64::from(id.0)));
            self.walked(act, place, FORGOTTEN_NATS, now_s);
        } else if let Some(mark) = act.variant.mark
            && (is_found || browsing::is_miss(act, answer))
            && self.base_in_use(act, now_s).is_some()
        {
            self.walked(act, mark, MARK_NATS, now_s);
        }
    }

    /// Whether an answer shows a base in use and that is worth writing down: nearly always it is
    /// written already. To be asked before [`Self::learn`].
    pub(crate) fn is_new_use(&self, act: &Act, answer: &AnswerFacts, now_s: u32) -> bool {
        if act.endpoint.is_none() || !is_served(answer) {
            return false;
        }
        let version = act.variant.version.unwrap_or_default();
        let is_noted = self.bases.read(base_key(act)).is_some_and(|base| {
            now_s.saturating_sub(base.last_s) < NOTED_EVERY_S && version <= base.newest
        });
        !is_noted && self.finds(act, answer, now_s).is_none()
    }

    /// Writes down that the base of `act` is in use.
    pub(crate) fn note_use(&mut self, act: &Act, now_s: u32) {
        let key = base_key(act);
        let before = self.bases.read(key).unwrap_or(Base { first_s: now_s, ..Base::default() });
        let newest = before.newest.max(act.variant.version.unwrap_or_default());
        self.bases.write(key, now_s, Base { last_s: now_s, newest, ..before });
    }

    /// How suspected `address` is.
    pub(crate) fn suspicion(&self, address: Digest, now_s: u32) -> f32 {
        suspicion::of(&self.walkers, address, now_s)
    }

    pub(crate) fn tables(&self) -> [TableView; 2] {
        [
            TableView::of("sources of version walks", &self.walkers),
            TableView::of("paths in use, without their version", &self.bases),
        ]
    }

    /// Whether `act` asks for what was left behind of something in use: an older version, a copy,
    /// one for testers; a newer version only where its source has tried others before.
    fn is_left_behind(&self, act: &Act, now_s: u32) -> bool {
        let (Some(base), Some(_)) = (self.base_in_use(act, now_s), act.variant.mark) else {
            return false;
        };
        let is_older = act.variant.version.is_none_or(|version| version < base.newest);
        let mut sources = act.sources();
        is_older || sources.any(|source| suspicion::of(&self.walkers, source.key, now_s) > 0.5)
    }

    fn base_in_use(&self, act: &Act, now_s: u32) -> Option<Base> {
        let base = self.bases.read(base_key(act))?;
        (now_s.saturating_sub(base.last_s) < IN_USE_S).then_some(base)
    }

    fn walked(&mut self, act: &Act, thing: Digest, nats: f32, now_s: u32) {
        for source in act.sources() {
            let mut walker = self.walkers.read(source.key).unwrap_or_default();
            if !walker.seen.note(thing, now_s) {
                continue;
            }
            walker.suspicion.add(nats, now_s, HALF_LIFE_S);
            walker.last_s = now_s;
            self.walkers.write(source.key, now_s, walker);
        }
    }
}

/// Whether something is there that did what was asked.
fn is_served(answer: &AnswerFacts) -> bool {
    answer.is_2xx() && matches!(answer.outcome, Outcome::Success | Outcome::Unknown)
}

fn base_key(act: &Act) -> Digest {
    let service = act.service.unwrap_or(ServiceId::SHARED);
    act.variant.base.then(Digest(u64::from(service.0))).tagged(0xba)
}

impl Line for Walker {
    fn worth(&self, now_s: u32) -> f32 {
        self.worth_since(self.last_s, now_s)
    }
}

impl Suspect for Walker {
    const HALF_LIFE_S: u32 = HALF_LIFE_S;

    fn suspicion(&self) -> Suspicion {
        self.suspicion
    }
}

impl Line for Base {
    /// What was in use for long and lately.
    fn worth(&self, now_s: u32) -> f32 {
        let days = |since_s: u32| nats::number(now_s.saturating_sub(since_s)) / DAY_S as f32;
        days(self.first_s).min(7.0) - days(self.last_s)
    }
}

#[cfg(test)]
mod tests;
