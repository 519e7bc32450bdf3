//! All that is remembered of behaviour, and the two moments at which it is used: before a request
//! goes upstream, and when its answer is known.

use serde::{Deserialize, Serialize};
use traffic::{AnswerFacts, Digest, EndpointId, Layer, Signal, Timestamp};

use crate::act::Act;
use crate::browsing::Browsing;
use crate::in_flight::{Admission, InFlight, Place};
use crate::pace::Paces;
use crate::pardon::Pardons;
use crate::probing::{Certainty, Probing};
use crate::rate::{Allowances, Limit};
use crate::stuffing::Stuffing;
use crate::view::{BaselineView, Suggestion, TableView};

/// A source with more suspicion than this teaches no pace.
const SUSPECTED_NATS: f32 = 3.0;

/// The memory of behaviour.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Conduct {
    stuffing: Stuffing,
    browsing: Browsing,
    probing: Probing,
    allowances: Allowances,
    paces: Paces,
    pardons: Pardons,
    in_flight: InFlight,
}

impl Conduct {
    /// A memory that takes about `bytes_max`, all of it at once.
    pub fn new(bytes_max: usize) -> Self {
        let shares = Shares::of(bytes_max);
        Self {
            stuffing: Stuffing::new(shares.stuffing),
            browsing: Browsing::new(shares.browsing),
            probing: Probing::new(shares.probing),
            allowances: Allowances::new(shares.allowances),
            paces: Paces::new(shares.paces),
            pardons: Pardons::default(),
            in_flight: InFlight::default(),
        }
    }

    /// This memory in another size, for what was stored under another budget. In a smaller one,
    /// what is worth least is lost; in one of the same size, nothing changes.
    #[must_use]
    pub fn fitted(self, bytes_max: usize, now: Timestamp) -> Self {
        let (shares, now_s) = (Shares::of(bytes_max), now.as_secs());
        Self {
            stuffing: self.stuffing.fitted(shares.stuffing, now_s),
            browsing: self.browsing.fitted(shares.browsing, now_s),
            probing: self.probing.fitted(shares.probing, now_s),
            allowances: self.allowances.fitted(shares.allowances, now_s),
            paces: self.paces.fitted(shares.paces, now_s),
            ..self
        }
    }

    /// Takes a place among the unanswered attempts, where `act` tries a secret.
    pub fn admit(&mut self, act: &Act, now: Timestamp) -> Admission {
        if !act.role.tries_a_secret() {
            return Admission::Free;
        }
        let succeeded = self.stuffing.recent_successes(act, now.as_secs());
        self.in_flight.admit(act, succeeded, now)
    }

    /// Gives a place back, however the attempt ended.
    pub fn release(&mut self, place: Place) {
        self.in_flight.release(&place);
    }

    /// Appends the evidence that `layer` has against the entities of `act`; for the layer of rates
    /// this takes the request from the allowances of `limits`.
    ///
    /// A layer at a time, so that a fault in one leaves the others their say.
    pub fn assess(
        &mut self,
        layer: Layer,
        act: &Act,
        limits: &[Limit],
        now: Timestamp,
        signals: &mut Vec<Signal>,
    ) {
        let now_s = now.as_secs();
        match layer {
            Layer::Rate => self.allowances.assess(act, limits, now, signals),
            Layer::Takeover => self.stuffing.assess(act, &self.pardons, now_s, signals),
            Layer::Recon => self.browsing.assess(act, &self.pardons, now_s, signals),
            Layer::Rules => self.probing.assess(act, &self.pardons, now_s, signals),
            _ => {}
        }
    }

    /// Learns for `layer` from the answer to an exchange that was not refused and would not have
    /// been.
    pub fn learn(
        &mut self,
        layer: Layer,
        act: &Act,
        answer: &AnswerFacts,
        created_endpoint: bool,
        now: Timestamp,
    ) {
        let now_s = now.as_secs();
        match layer {
            Layer::Takeover => self.stuffing.learn(act, answer, now_s),
            Layer::Recon => self.browsing.learn(act, answer, created_endpoint, now_s),
            Layer::Rate => {
                if let Some(endpoint) = act.endpoint
                    && !self.is_suspected(act, now_s)
                {
                    self.paces.learn(endpoint, act.caller(), now);
                }
            }
            _ => {}
        }
    }

    /// Is it the custom of an endpoint that `rule` matches what established callers send there?
    pub fn is_custom(&self, act: &Act, rule: u64) -> bool {
        self.probing.is_custom(act, rule)
    }

    /// Notes that `rule` matched a request that was not refused and would not have been.
    pub fn matched(&mut self, act: &Act, rule: u64, now: Timestamp) {
        self.probing.matched(act, rule, now.as_secs());
    }

    /// Notes an attack by `act`. `what` tells one attack from another.
    pub fn attacked(&mut self, act: &Act, what: Digest, certainty: Certainty, now: Timestamp) {
        self.probing.attacked(act, what, certainty, now.as_secs());
    }

    /// An operator's undo: for a week, evidence against the entity of this key weighs six nats
    /// less.
    pub fn forgive(&mut self, entity: Digest, now: Timestamp) {
        self.pardons.grant(entity, now.as_secs());
    }

    /// What is normal, by detector and endpoint or host group.
    pub fn baselines(&self) -> Vec<BaselineView> {
        self.stuffing.baselines().chain(self.browsing.baselines()).collect()
    }

    /// The limit that would spare the honest callers of `endpoint`, once that is known.
    pub fn suggestion(&self, endpoint: EndpointId, now: Timestamp) -> Option<Suggestion> {
        self.paces.suggestion(endpoint, now)
    }

    /// All limits that can be suggested, by endpoint.
    pub fn suggestions(&self, now: Timestamp) -> Vec<Suggestion> {
        self.paces.suggestions(now)
    }

    /// How full each table is.
    pub fn tables(&self) -> Vec<TableView> {
        let others = [
            TableView::of("allowances", self.allowances.table()),
            TableView::of("paces", self.paces.table()),
        ];
        let stuffing = self.stuffing.tables().into_iter();
        let attacks = self.probing.tables();
        stuffing.chain(self.browsing.tables()).chain(attacks).chain(others).collect()
    }

    fn is_suspected(&self, act: &Act, now_s: u32) -> bool {
        let address = act.keys.address;
        self.browsing.suspicion(address, now_s) >= SUSPECTED_NATS
            || self.stuffing.suspicion(address, now_s) >= SUSPECTED_NATS
            || self.probing.suspicion(address, now_s) >= SUSPECTED_NATS
    }
}

/// How the memory is divided.
struct Shares {
    stuffing: usize,
    browsing: usize,
    probing: usize,
    allowances: usize,
    paces: usize,
}

impl Shares {
    const fn of(bytes_max: usize) -> Self {
        let part = bytes_max / 16;
        Self {
            stuffing: 5 * part,
            browsing: 5 * part,
            probing: part,
            allowances: 2 * part,
            paces: 3 * part,
        }
    }
}

#[cfg(test)]
mod tests;
