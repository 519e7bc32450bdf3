//! Known attacks, one after the other: what rules find in the requests of one source adds up.
//!
//! One attack is refused by itself where it is certain. What is not certain, and what a caller
//! tries after it was refused, is evidence against its source. Only distinct attacks count: a
//! client that sends the same odd value a thousand times does one odd thing. What many
//! established callers do at one endpoint is how this API is used, whatever a rule thinks of it,
//! and counts nothing, unless the rule is certain. And what an office sends in a day has a few such
//! matches in it, among hundreds of requests in which nothing is odd: each of these speaks for the
//! source.

use serde::{Deserialize, Serialize};
use traffic::slices::Sliced;
use traffic::{Detector, Digest, Reason, Signal};

use crate::act::Act;
use crate::linear_count::LinearCount;
use crate::nats;
use crate::pardon::Pardons;
use crate::seen::Seen;
use crate::suspicion::{self, Suspect, Suspicion};
use crate::table::{Line, Table};
use crate::view::TableView;

/// Attackers come back the same day; honest mistakes are mended by then.
const HALF_LIFE_S: u32 = 2 * 3_600;
/// A certain attack: three of them, distinct, are more than a block takes (9.2).
const CERTAIN_NATS: f32 = 3.5;
/// An attack that is likely: four of them are.
const LIKELY_NATS: f32 = 2.4;
/// What a rule finds odd: ten of them, each another, are.
const ODD_NATS: f32 = 1.0;
/// Any of them that the page of another site may have sent: twenty, distinct, are.
const PROVOKED_NATS: f32 = 0.5;
/// What an ordinary request takes away again. Tools that attack find something to attack with in a
/// third of their requests and more, people and their programs with one or two in a hundred, where
/// a rule errs. Who sends ten ordinary requests for each attack gains nothing.
const ORDINARY_NATS: f32 = 0.2;
/// So many established callers make a match the custom of an endpoint.
const CUSTOMARY_CALLERS: f32 = 8.0;
/// What was not seen for so long is no custom any more.
const CUSTOM_HALF_LIFE_S: u32 = 7 * 86_400;

/// How sure a rule is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Certainty {
    /// Ordinary requests have such values, too.
    Odd,
    /// An attack more often than not.
    Likely,
    /// Nothing but an attack looks like this.
    Certain,
}

/// Sources that attacked, and matches that are the custom of an endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Probing {
    probers: Table<Prober>,
    customs: Table<Custom>,
}

/// One source.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Prober {
    suspicion: Suspicion,
    seen: Seen,
    last_s: u32,
}

/// One rule that matches at one endpoint.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Custom {
    callers: LinearCount,
    last_s: u32,
}

impl Probing {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { probers: Table::new(bytes / 8 * 6), customs: Table::new(bytes / 8 * 2) }
    }

    /// What is kept over a restart: sources, and matches that are custom.
    pub(crate) fn parts(&mut self) -> [&mut dyn Sliced; 2] {
        [&mut self.probers, &mut self.customs]
    }

    /// Appends what stands against the sources of `act`.
    pub(crate) fn assess(
        &self,
        act: &Act,
        pardons: &Pardons,
        now_s: u32,
        signals: &mut Vec<Signal>,
    ) {
        for (source, prober, nats) in suspicion::against(&self.probers, act, pardons, now_s) {
            signals.push(Signal {
                detector: Detector::AttackProbing,
                entity: source.entity,
                nats,
                reason: Reason::Probing { attacks: prober.things(now_s) },
            });
        }
    }

    /// Is it the custom of the endpoint of `act` that `rule` matches?
    pub(crate) fn is_custom(&self, act: &Act, rule: u64) -> bool {
        let custom = custom_key(act, rule).and_then(|key| self.customs.read(key));
        custom.is_some_and(|custom| custom.callers.estimate() >= CUSTOMARY_CALLERS)
    }

    /// Notes that `rule` matched a request that was let pass, for what is custom here.
    pub(crate) fn matched(&mut self, act: &Act, rule: u64, now_s: u32) {
        let Some(key) = custom_key(act, rule).filter(|_| act.identity.established) else { return };
        let mut custom = self.customs.read(key).unwrap_or_default();
        let before = custom;
        custom.callers.insert(act.caller());
        custom.last_s = now_s;
        if custom.callers != before.callers || now_s.saturating_sub(before.last_s) > 3_600 {
            self.customs.write(key, now_s, custom);
        }
    }

    /// Adds an attack by `act` to what stands against its sources. `what` tells attacks apart.
    pub(crate) fn attacked(&mut self, act: &Act, what: Digest, certainty: Certainty, now_s: u32) {
        let nats = match certainty {
            _ if act.is_provoked => PROVOKED_NATS,
            Certainty::Odd => ODD_NATS,
            Certainty::Likely => LIKELY_NATS,
            Certainty::Certain => CERTAIN_NATS,
        };
        let what = what.then(act.path_shape);
        for source in act.sources() {
            let mut prober = self.probers.read(source.key).unwrap_or_default();
            if !prober.seen.note(what, now_s) {
                continue;
            }
            prober.suspicion.add(nats, now_s, HALF_LIFE_S);
            prober.last_s = now_s;
            self.probers.write(source.key, now_s, prober);
        }
    }

    /// Notes a request in which rules found nothing, and that was answered with success.
    pub(crate) fn ordinary(&mut self, act: &Act, now_s: u32) {
        for source in act.sources() {
            let Some(mut prober) = self.probers.read(source.key) else { continue };
            if prober.nats(now_s) > 0.0 {
                prober.suspicion.take_back(ORDINARY_NATS, now_s, HALF_LIFE_S);
                self.probers.write(source.key, now_s, prober);
            }
        }
    }

    /// How suspected `address` is.
    pub(crate) fn suspicion(&self, address: Digest, now_s: u32) -> f32 {
        suspicion::of(&self.probers, address, now_s)
    }

    pub(crate) fn tables(&self) -> [TableView; 2] {
        [
            TableView::of("sources of attacks", &self.probers),
            TableView::of("matches that are custom", &self.customs),
        ]
    }
}

fn custom_key(act: &Act, rule: u64) -> Option<Digest> {
    act.endpoint.map(|endpoint| Digest(u64::from(endpoint.0)).then(Digest(rule)))
}

impl Line for Prober {
    fn worth(&self, now_s: u32) -> f32 {
        self.worth_since(self.last_s, now_s)
    }
}

impl Suspect for Prober {
    const HALF_LIFE_S: u32 = HALF_LIFE_S;

    fn suspicion(&self) -> Suspicion {
        self.suspicion
    }
}

impl Line for Custom {
    fn worth(&self, now_s: u32) -> f32 {
        let idle_s = now_s.saturating_sub(self.last_s);
        nats::decayed(self.callers.estimate(), idle_s, CUSTOM_HALF_LIFE_S)
    }
}

#[cfg(test)]
mod tests;
