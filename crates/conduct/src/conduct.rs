//! All that is remembered of behaviour, and the two moments at which it is used: before a request
//! goes upstream, and when its answer is known.

use traffic::slices::Sliced;
use traffic::{AnswerFacts, CallerKind, Cve, Digest, EndpointId, Layer, Signal, Timestamp};

use crate::act::Act;
use crate::browsing::Browsing;
use crate::common_passwords::CommonPasswords;
use crate::cves::Cves;
use crate::decoy;
use crate::guesses::Guesses;
use crate::in_flight::{Admission, InFlight, Place};
use crate::pace::Paces;
use crate::pardon::Pardons;
use crate::probing::{Certainty, Probing};
use crate::programs::Programs;
use crate::rate::{Allowances, Limit};
use crate::stuffing::Stuffing;
use crate::view::{BaselineView, Suggestion, TableView};
use crate::walks::Walks;

/// A source with more suspicion than this teaches no pace.
const SUSPECTED_NATS: f32 = 3.0;

/// The memory of behaviour.
#[derive(Clone, Debug)]
pub struct Conduct {
    stuffing: Stuffing,
    common_passwords: CommonPasswords,
    pub(crate) guesses: Guesses,
    browsing: Browsing,
    walks: Walks,
    programs: Programs,
    pub(crate) probing: Probing,
    pub(crate) cves: Cves,
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
            common_passwords: CommonPasswords::new(shares.common_passwords),
            guesses: Guesses::new(shares.guesses),
            browsing: Browsing::new(shares.browsing),
            walks: Walks::new(shares.walks),
            programs: Programs::new(shares.programs),
            probing: Probing::new(shares.probing),
            cves: Cves::new(shares.cves),
            allowances: Allowances::new(shares.allowances),
            paces: Paces::new(shares.paces),
            pardons: Pardons::default(),
            in_flight: InFlight::default(),
        }
    }

    /// All that is kept over a restart, by name, to be written and to be read. Attempts under way
    /// are not, as their requests are gone by then.
    pub fn parts(&mut self) -> [(&'static str, &mut dyn Sliced); 20] {
        let [logins, pairs, accounts, first_tries] = self.stuffing.parts();
        let [visitors, missed, first_visits] = self.browsing.parts();
        let [probers, customs] = self.probing.parts();
        let [running, paces] = self.paces.parts();
        let [walkers, bases] = self.walks.parts();
        let [prints, mixes] = self.programs.parts();
        [
            ("conduct.logins", logins),
            ("conduct.pairs", pairs),
            ("conduct.accounts", accounts),
            ("conduct.first-tries", first_tries),
            ("conduct.visitors", visitors),
            ("conduct.missed", missed),
            ("conduct.first-visits", first_visits),
            ("conduct.probers", probers),
            ("conduct.customs", customs),
            ("conduct.allowances", self.allowances.table_mut()),
            ("conduct.running", running),
            ("conduct.paces", paces),
            ("conduct.pardons", self.pardons.part()),
            ("conduct.guesses", self.guesses.part()),
            ("conduct.cves", self.cves.part()),
            ("conduct.common-passwords", self.common_passwords.part()),
            ("conduct.walkers", walkers),
            ("conduct.bases", bases),
            ("conduct.prints", prints),
            ("conduct.mixes", mixes),
        ]
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
            Layer::Takeover => {
                self.stuffing.assess(act, &self.pardons, now_s, signals);
                self.guesses.assess(act, now, signals);
                self.common_passwords.assess(act, &self.pardons, now_s, signals);
            }
            Layer::Recon => {
                self.browsing.assess(act, &self.pardons, now_s, signals);
                self.walks.assess(act, &self.pardons, now_s, signals);
                decoy::assess(act, &self.pardons, now_s, signals);
            }
            Layer::Rules => {
                self.probing.assess(act, &self.pardons, now_s, signals);
                self.cves.assess(act, &self.pardons, now_s, signals);
            }
            Layer::Automation => self.programs.assess(act, &self.pardons, now_s, signals),
            _ => {}
        }
    }

    /// Notes that a request goes upstream, or would in `enforce`: from here on its guess counts,
    /// whether an answer comes or not.
    pub fn forwarded(&mut self, act: &Act, now: Timestamp) {
        self.guesses.forwarded(act, now);
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
            Layer::Takeover => {
                if let Some(attempt) = self.stuffing.learn(act, answer, now_s) {
                    self.common_passwords.learn(act, attempt, now_s);
                }
                self.guesses.learn(act, answer, now);
            }
            Layer::Recon => {
                if self.walks.is_new_use(act, answer, now_s) && !self.is_suspected(act, now_s) {
                    self.walks.note_use(act, now_s);
                }
                self.walks.learn(act, answer, now_s);
                self.browsing.learn(act, answer, created_endpoint, now_s);
            }
            Layer::Rate => {
                if let Some(endpoint) = act.endpoint
                    && !self.is_suspected(act, now_s)
                {
                    self.paces.learn(endpoint, act.caller(), now);
                }
            }
            Layer::Automation => self.programs.learn(act, now_s),
            _ => {}
        }
    }

    /// Whether `act`, answered like this, found an endpoint that was forgotten. To be asked before
    /// it is learnt.
    pub fn finds(&self, act: &Act, answer: &AnswerFacts, now: Timestamp) -> Option<Signal> {
        self.walks.finds(act, answer, now.as_secs())
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

    /// Notes a request by `act` in which rules found nothing, and that was answered with success.
    pub fn ordinary(&mut self, act: &Act, now: Timestamp) {
        self.probing.ordinary(act, now.as_secs());
    }

    /// Notes that `act` probes for a published vulnerability.
    pub fn probed(&mut self, act: &Act, cve: Cve, certainty: Certainty, now: Timestamp) {
        self.cves.probed(act, cve, certainty, now.as_secs());
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

    /// How often each kind of caller called `endpoint`.
    pub fn callers_of(&self, endpoint: EndpointId) -> [(CallerKind, u32); 4] {
        self.programs.callers_of(endpoint)
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
            self.common_passwords.view(),
            self.guesses.view(),
            self.cves.view(),
        ];
        let stuffing = self.stuffing.tables().into_iter();
        let attacks = self.probing.tables();
        let browsing = self.browsing.tables().into_iter().chain(self.walks.tables());
        let browsing = browsing.chain(self.programs.tables());
        stuffing.chain(browsing).chain(attacks).chain(others).collect()
    }

    fn is_suspected(&self, act: &Act, now_s: u32) -> bool {
        let address = act.keys.address;
        self.browsing.suspicion(address, now_s) >= SUSPECTED_NATS
            || self.stuffing.suspicion(address, now_s) >= SUSPECTED_NATS
            || self.walks.suspicion(address, now_s) >= SUSPECTED_NATS
            || self.probing.suspicion(address, now_s) >= SUSPECTED_NATS
            || self.cves.suspicion(address, now_s) >= SUSPECTED_NATS
            || self.common_passwords.suspicion(address, now_s) >= SUSPECTED_NATS
    }
}

/// How the memory is divided.
struct Shares {
    stuffing: usize,
    common_passwords: usize,
    guesses: usize,
    browsing: usize,
    walks: usize,
    programs: usize,
    probing: usize,
    cves: usize,
    allowances: usize,
    paces: usize,
}

impl Shares {
    const fn of(bytes_max: usize) -> Self {
        let part = bytes_max / 32;
        Self {
            stuffing: 9 * part,
            common_passwords: part,
            guesses: 2 * part,
            browsing: 9 * part,
            walks: part,
            programs: part,
            probing: 2 * part,
            cves: part,
            allowances: 4 * part,
            paces: 2 * part,
        }
    }
}

#[cfg(test)]
mod tests;
