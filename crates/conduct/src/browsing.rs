//! Forced browsing (D1): one source asks for many distinct things that do not exist.
//!
//! A miss is a path of a new shape that no endpoint answers to; walking identifiers is one shape. A
//! missing object of a known endpoint is no evidence. Misses that honest callers share weigh little
//! or nothing: parts of pages, what browsers ask for unbidden, and links that many follow in vain.
//! Finding known endpoints takes suspicion away, but only a few times an hour, because an attacker
//! can ask for those as well.

use serde::{Deserialize, Serialize};
use traffic::slices::Sliced;
use traffic::{AnswerFacts, Detector, Digest, Outcome, Reason, ServiceId, Signal};

use crate::act::{Act, Source};
use crate::baseline::{Prior, Readiness};
use crate::baselines::{Baselines, Placed};
use crate::linear_count::LinearCount;
use crate::nats;
use crate::pardon::Pardons;
use crate::table::{Line, Table};
use crate::view::{BaselineView, TableView};
use crate::wanted::Wanted;

mod visitor;

use visitor::Visitor;

pub(crate) const HALF_LIFE_S: u32 = 2 * 3_600;

/// The share of first visits that miss without an attack, and how that is learnt.
pub(crate) static FIRST_VISITS: Prior = Prior { bad: 5.0, good: 95.0, least: 0.10, most: 0.20 };
/// The share of a word list that misses.
const SCAN_MISSES: f32 = 0.9;
/// A path that so many sources missed is a broken link.
const BROKEN_LINK_SOURCES: f32 = 20.0;
/// Evidence below this is not worth a line in an explanation.
const SHOWN_NATS_MIN: f32 = 0.5;
/// From here on a source is suspected and teaches nothing.
const SUSPECTED_NATS: f32 = 3.0;
/// While nobody knows what is normal, evidence stays below the block (9.2) …
const COLD_NATS_MAX: f32 = 9.1;
/// … until so many distinct misses (less what they have decayed by) leave no doubt.
const COLD_MISSES: f32 = 8.5;
/// An address with at least so many established callers is shared.
const SHARED_NEIGHBOURS: u16 = 5;

/// Everything about first visits.
#[derive(Clone, Debug)]
pub(crate) struct Browsing {
    visitors: Table<Visitor>,
    missed: Table<Missed>,
    first_visits: Baselines<ServiceId>,
}

/// A path that does not exist, and how many sources asked for it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Missed {
    sources: LinearCount,
    last_s: u32,
}

/// What one exchange says about who browses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Visit {
    /// A known endpoint answered.
    Hit,
    /// Nothing is there, and somebody meant to ask for it.
    Miss,
    /// Nothing is there, and a page may have asked for it.
    SoftMiss,
    /// Neither.
    Neutral,
}

impl Browsing {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            visitors: Table::new(bytes / 8 * 7),
            missed: Table::new(bytes / 8),
            first_visits: Baselines::default(),
        }
    }

    /// What is kept over a restart.
    pub(crate) fn parts(&mut self) -> [&mut dyn Sliced; 3] {
        [&mut self.visitors, &mut self.missed, self.first_visits.part()]
    }

    /// Appends what stands against the sources of `act`.
    pub(crate) fn assess(
        &self,
        act: &Act,
        pardons: &Pardons,
        now_s: u32,
        signals: &mut Vec<Signal>,
    ) {
        for source in act.sources() {
            let Some(visitor) = self.visitors.read(source.key) else {
                continue;
            };
            let suspicion = visitor.suspicion(now_s);
            if suspicion < SHOWN_NATS_MIN || (source.is_personal && !visitor.is_shown(act)) {
                continue;
            }
            let normal = self.first_visits.at(act.service);
            let misses = visitor.misses(now_s);
            let is_doubtful = normal.readiness() == Readiness::Cold && misses < COLD_MISSES;
            let most = if is_doubtful { COLD_NATS_MAX } else { f32::INFINITY };
            let nats = pardons.apply(source.key, suspicion.min(most), now_s);
            if nats < SHOWN_NATS_MIN {
                continue;
            }
            signals.push(Signal {
                detector: Detector::ForcedBrowsing,
                entity: source.entity,
                nats,
                reason: Reason::Browsing {
                    misses: nats::count(misses + visitor.soft_misses(now_s)),
                    normal: normal.share(&FIRST_VISITS),
                    known_from: normal.observations(),
                },
            });
        }
    }

    /// Learns what a visit found.
    pub(crate) fn learn(
        &mut self,
        act: &Act,
        answer: &AnswerFacts,
        created_endpoint: bool,
        now_s: u32,
    ) {
        let is_cold = self.first_visits.at(act.service).readiness() == Readiness::Cold;
        let visit = visit(act, answer, created_endpoint, is_cold);
        if visit == Visit::Neutral {
            return;
        }
        let is_miss = visit != Visit::Hit;
        if is_miss && self.is_broken_link(act, now_s) {
            return;
        }
        for source in act.sources() {
            let known = self.visitors.read(source.key);
            // A session that misses nothing needs no line of its own.
            if known.is_none() && source.is_personal && !is_miss {
                continue;
            }
            let mut visitor = known.unwrap_or_default();
            visitor.seen_at(act.keys.address);
            if is_miss {
                self.miss(&mut visitor, act, &source, visit, now_s);
            } else {
                self.hit(&mut visitor, act, &source, now_s);
            }
            // Most visits find what the source found before: nothing to write then.
            if known != Some(visitor) {
                self.visitors.write(source.key, now_s, visitor);
            }
        }
    }

    /// How suspected `address` is.
    pub(crate) fn suspicion(&self, address: Digest, now_s: u32) -> f32 {
        self.visitors.read(address).map_or(0.0, |visitor| visitor.suspicion(now_s))
    }

    pub(crate) fn baselines(&self) -> impl Iterator<Item = BaselineView> + '_ {
        self.first_visits.views(Detector::ForcedBrowsing, &FIRST_VISITS)
    }

    pub(crate) fn tables(&self) -> [TableView; 2] {
        [
            TableView::of("visitors", &self.visitors),
            TableView::of("paths that do not exist", &self.missed),
        ]
    }

    fn hit(&mut self, visitor: &mut Visitor, act: &Act, source: &Source, now_s: u32) {
        let Some(endpoint) = act.endpoint else { return };
        let is_unsuspected = visitor.suspicion(now_s) < SUSPECTED_NATS;
        let is_first = visitor.hit(endpoint, now_s);
        if is_first && is_unsuspected {
            self.teach(visitor, act, source, false, now_s);
        }
    }

    fn miss(
        &mut self,
        visitor: &mut Visitor,
        act: &Act,
        source: &Source,
        visit: Visit,
        now_s: u32,
    ) {
        if !visitor.is_new_shape(act.path_shape, now_s) {
            return;
        }
        let is_soft = match act.wanted {
            Wanted::ClaimedAsset => visit == Visit::SoftMiss && visitor.believes_claims(now_s),
            Wanted::WellKnown => visit == Visit::SoftMiss && visitor.is_curious(now_s),
            _ => visit == Visit::SoftMiss,
        };
        let weight = weight(act, source);
        if is_soft {
            visitor.missed_softly(weight, now_s);
            return;
        }
        let upper = self.first_visits.at(act.service).upper(&FIRST_VISITS);
        let is_unsuspected = visitor.suspicion(now_s) < SUSPECTED_NATS;
        visitor.missed(weight * nats::ln(SCAN_MISSES / upper), now_s);
        if is_unsuspected {
            self.teach(visitor, act, source, true, now_s);
        }
    }

    fn teach(
        &mut self,
        visitor: &mut Visitor,
        act: &Act,
        source: &Source,
        is_bad: bool,
        now_s: u32,
    ) {
        if source.is_personal || !visitor.may_teach(now_s) {
            return;
        }
        self.first_visits.learn(act.service, &FIRST_VISITS, is_bad, source.key, now_s);
    }

    /// Counts this source among those who missed the path, and says whether they are many.
    fn is_broken_link(&mut self, act: &Act, now_s: u32) -> bool {
        let service = Digest(u64::from(act.service.unwrap_or(ServiceId::SHARED).0));
        let key = act.path_shape.then(service);
        let mut missed = self.missed.read(key).unwrap_or_default();
        // A host of IPv6 has addresses without end, but rarely more than one network.
        let is_v6 = act.identity.address.to_canonical().is_ipv6();
        missed.sources.insert(if is_v6 { act.keys.net } else { act.keys.address });
        missed.last_s = missed.last_s.max(now_s);
        self.missed.write(key, now_s, missed);
        missed.sources.estimate() >= BROKEN_LINK_SOURCES
    }
}

impl Line for Missed {
    /// What many missed lately is worth keeping; a word of a word list is missed once.
    fn worth(&self, now_s: u32) -> f32 {
        let idle_s = now_s.saturating_sub(self.last_s);
        nats::number(self.sources.marks()).min(BROKEN_LINK_SOURCES) - nats::number(idle_s) / 3_600.0
    }
}

fn visit(act: &Act, answer: &AnswerFacts, created_endpoint: bool, is_cold: bool) -> Visit {
    if created_endpoint || act.wanted == Wanted::Customary {
        return Visit::Neutral;
    }
    if act.endpoint_known {
        let is_answered = answer.status < 400 && answer.outcome != Outcome::NotFound;
        return if is_answered { Visit::Hit } else { Visit::Neutral };
    }
    match act.wanted {
        _ if !is_miss(act, answer) => Visit::Neutral,
        Wanted::Asset | Wanted::ClaimedAsset | Wanted::WellKnown | Wanted::Preflight => {
            Visit::SoftMiss
        }
        // An API that asks everybody for credentials first, met by a client whose session ran out
        // before the catalog has seen its endpoints.
        _ if answer.status == 401 && is_cold => Visit::SoftMiss,
        _ => Visit::Miss,
    }
}

/// Whether nothing is there that the catalog knows, or that wants to be known.
pub(crate) fn is_miss(act: &Act, answer: &AnswerFacts) -> bool {
    let is_refused = matches!(answer.status, 400 | 401 | 403 | 404 | 405);
    !act.endpoint_known && (answer.outcome == Outcome::NotFound || is_refused)
}

/// A shared address has the misses of all who share it; a person has only its own.
fn weight(act: &Act, source: &Source) -> f32 {
    let neighbours = act.identity.neighbours;
    if source.is_personal || neighbours < SHARED_NEIGHBOURS {
        return 1.0;
    }
    1.0 / (1.0 + nats::ln(f32::from(neighbours)))
}

#[cfg(test)]
mod tests;
