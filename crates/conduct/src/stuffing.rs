//! Credential stuffing from one source (A1): many accounts, each tried once, nearly all in vain.
//!
//! Counted is the first outcome of each account from a source. A failure adds to the source's
//! suspicion; entering the same account afterwards gives that back, as people who mistype do.
//! Entering an account takes suspicion away as far as [`crate::accounts`] lets it count, because
//! behind an office's address most tries succeed, and behind an attacker's nearly none do. Whoever
//! is familiar to the account is not counted, and not held to account for others.
//!
//! It does not look at passwords, nor at many sources together; those are other detectors.

use traffic::slices::Sliced;
use traffic::{AnswerFacts, Detector, Digest, EndpointId, Outcome, Reason, Role, Signal};

use crate::accounts::{Accounts, Credit};
use crate::act::{Act, Source};
use crate::baseline::{Baseline, Prior};
use crate::baselines::Baselines;
use crate::nats;
use crate::pairs::Pairs;
use crate::pardon::Pardons;
use crate::table::Table;
use crate::view::{BaselineView, TableView};

mod login;

use login::Login;

pub(crate) const HALF_LIFE_S: u32 = 12 * 3_600;

/// The share of first tries that fail without an attack, and how that is learnt.
pub(crate) static FIRST_TRIES: Prior = Prior { bad: 20.0, good: 80.0, least: 0.02, most: 0.5 };
/// The share that fails when stolen pairs are tried.
const STOLEN_FAIL: f32 = 0.985;
/// One failed account never says more than this. Sources differ more from each other than a learnt
/// share tells: where one in ten fails on average, there is an office where one in four does. With
/// this, eight accounts lead to the challenge and ten to the block, and not fewer.
const FAILURE_NATS_MAX: f32 = 0.97;
/// Evidence below this is not worth a line in an explanation.
const SHOWN_NATS_MIN: f32 = 0.5;
/// From here on a source is suspected and teaches nothing.
const SUSPECTED_NATS: f32 = 3.0;
/// A source that failed at this many accounts, more than half of what it tried, is suspected
/// beyond the block whatever it entered in between.
const UNWASHABLE_FAILED: f32 = 30.0;
const UNWASHABLE_NATS: f32 = 10.0;
/// What a failed attempt says that a form on another site's page may have sent, against one that
/// none has. Many failed accounts are suspect all the same ([`UNWASHABLE_FAILED`]).
const PROVOKED_SHARE: f32 = 0.1;
/// What a failed code says, against a failed password: people mistype the one they are sent more
/// often than the one they chose, and nobody steals lists of them. Behind one address many may be
/// about to type theirs again.
const CODE_SHARE: f32 = 0.5;
/// What a failed attempt says whose account cannot be told, against one whose can.
const BLIND_SHARE: f32 = 0.25;

/// Everything about attempts at secrets.
#[derive(Clone, Debug)]
pub(crate) struct Stuffing {
    logins: Table<Login>,
    pairs: Pairs,
    accounts: Accounts,
    first_tries: Baselines<EndpointId>,
}

/// How an attempt ended that counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Attempt {
    /// In vain.
    Failed,
    /// It got in; what that is worth.
    Entered(Credit),
}

/// What outcomes weigh on one endpoint.
#[derive(Clone, Copy, Debug)]
struct Weights {
    failure: f32,
    /// What entering an account takes away, as a multiple of `failure`.
    success: f32,
}

impl Stuffing {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            logins: Table::new(bytes / 2),
            pairs: Pairs::new(bytes / 4),
            accounts: Accounts::new(bytes / 4),
            first_tries: Baselines::default(),
        }
    }

    /// What is kept over a restart.
    pub(crate) fn parts(&mut self) -> [&mut dyn Sliced; 4] {
        [
            &mut self.logins,
            self.pairs.table_mut(),
            self.accounts.table_mut(),
            self.first_tries.part(),
        ]
    }

    /// Appends what stands against the sources of `act`.
    pub(crate) fn assess(
        &self,
        act: &Act,
        pardons: &Pardons,
        now_s: u32,
        signals: &mut Vec<Signal>,
    ) {
        if !act.role.is_sensitive() || is_spared(act) {
            return;
        }
        for source in counted_sources(act) {
            let Some(login) = self.logins.read(source.key) else {
                continue;
            };
            let nats = pardons.apply(source.key, login.suspicion(now_s), now_s);
            if nats < SHOWN_NATS_MIN || (source.is_personal && !login.is_shown(act)) {
                continue;
            }
            let normal = self.first_tries.at(act.endpoint);
            let (accounts, failed) = login.counts(now_s);
            signals.push(Signal {
                detector: Detector::CredentialStuffing,
                entity: source.entity,
                nats,
                reason: Reason::Stuffing {
                    accounts,
                    failed,
                    normal: normal.share(&FIRST_TRIES),
                    known_from: normal.observations(),
                },
            });
        }
    }

    /// Learns how an attempt ended, and says so where it counts.
    pub(crate) fn learn(&mut self, act: &Act, answer: &AnswerFacts, now_s: u32) -> Option<Attempt> {
        if answer.role == Role::Signup && answer.outcome == Outcome::Success {
            if let Some(account) = act.identity.attempted {
                self.accounts.minted(account, now_s);
            }
            return None;
        }
        let is_success = outcome(act, answer)?;
        if act.identity.familiar && !is_success {
            return None;
        }
        let credit = match act.identity.attempted {
            Some(account) if is_success => self.accounts.entered(account, now_s),
            _ => Credit::Nothing,
        };
        let mut weights = Weights::of(&self.first_tries.at(act.endpoint));
        if act.is_provoked {
            weights.failure *= PROVOKED_SHARE;
        }
        if act.role == Role::OtpVerify && act.identity.attempted.is_some() {
            weights.failure *= CODE_SHARE;
        }
        for source in counted_sources(act) {
            let mut login = self.logins.read(source.key).unwrap_or_default();
            login.seen_at(act.keys.address);
            let is_unsuspected = login.suspicion(now_s) < SUSPECTED_NATS;
            let is_first = match act.identity.attempted {
                Some(account) if is_success => {
                    self.success(&mut login, source.key, account, credit, weights, now_s)
                }
                Some(account) => self.failure(&mut login, source.key, account, weights, now_s),
                None => login.blind(is_success, weights.failure * BLIND_SHARE, now_s),
            };
            if is_first && is_unsuspected && !source.is_personal {
                self.teach(&mut login, act, !is_success, now_s);
            }
            self.logins.write(source.key, now_s, login);
        }
        Some(if is_success { Attempt::Entered(credit) } else { Attempt::Failed })
    }

    /// How many log-ins of established accounts the address of `act` had within the last minute.
    pub(crate) fn recent_successes(&self, act: &Act, now_s: u32) -> u32 {
        self.logins.read(act.keys.address).map_or(0, |login| login.recent_successes(now_s))
    }

    /// How suspected the address of `act` is.
    pub(crate) fn suspicion(&self, address: Digest, now_s: u32) -> f32 {
        self.logins.read(address).map_or(0.0, |login| login.suspicion(now_s))
    }

    pub(crate) fn baselines(&self) -> impl Iterator<Item = BaselineView> + '_ {
        self.first_tries.views(Detector::CredentialStuffing, &FIRST_TRIES)
    }

    pub(crate) fn tables(&self) -> [TableView; 3] {
        [
            TableView::of("log-in sources", &self.logins),
            TableView::of("accounts tried", self.pairs.table()),
            TableView::of("accounts entered", self.accounts.table()),
        ]
    }

    /// Notes a success; whether it is the first outcome of this account here.
    fn success(
        &mut self,
        login: &mut Login,
        source: Digest,
        account: Digest,
        credit: Credit,
        weights: Weights,
        now_s: u32,
    ) -> bool {
        match self.pairs.first_try(source, account, now_s) {
            Some(pair) => {
                let owed = pair.owed(now_s);
                if owed > 0.0 {
                    login.made_good(owed, now_s);
                    self.pairs.settle(source, account, pair, now_s);
                }
                false
            }
            None => {
                login.entered(credit, weights.failure * weights.success, now_s);
                self.pairs.note(source, account, 0.0, now_s);
                true
            }
        }
    }

    /// Notes a failure; whether it is the first outcome of this account here.
    fn failure(
        &mut self,
        login: &mut Login,
        source: Digest,
        account: Digest,
        weights: Weights,
        now_s: u32,
    ) -> bool {
        let is_first = self.pairs.first_try(source, account, now_s).is_none();
        if is_first {
            login.failed(weights.failure, now_s);
            self.pairs.note(source, account, weights.failure, now_s);
        }
        is_first
    }

    fn teach(&mut self, login: &mut Login, act: &Act, is_bad: bool, now_s: u32) {
        if !login.may_teach(now_s) {
            return;
        }
        let caller = act.identity.attempted.unwrap_or(act.keys.address);
        self.first_tries.learn(act.endpoint, &FIRST_TRIES, is_bad, caller, now_s);
    }
}

impl Weights {
    fn of(normal: &Baseline) -> Self {
        let upper = normal.upper(&FIRST_TRIES);
        let share = normal.share(&FIRST_TRIES);
        Self {
            failure: nats::ln(STOLEN_FAIL / upper).min(FAILURE_NATS_MAX),
            // Enough that honest tries take away half a failure each on average, however many of
            // them fail; not more, so that one lucky hit buys an attacker one account.
            success: ((share + 0.5) / (1.0 - share)).max(1.0),
        }
    }
}

/// Whether the attempt succeeded; none when the answer does not tell.
fn outcome(act: &Act, answer: &AnswerFacts) -> Option<bool> {
    if !answer.role.tries_a_secret() || answer.status == 429 {
        return None;
    }
    match answer.outcome {
        Outcome::Success => Some(true),
        Outcome::Failure => Some(false),
        // Some log-ins answer 404 to a name they do not know.
        Outcome::NotFound if act.endpoint_known => Some(false),
        Outcome::NotFound | Outcome::Unknown => None,
    }
}

/// Whom an attempt counts for. Somebody who is in and confirms a secret of their own (a password
/// change, a voucher) answers for it in person; whoever is on the way in, from where they come.
fn counted_sources(act: &Act) -> impl Iterator<Item = Source> + use<> {
    let is_inside = matches!(act.role, Role::PasswordChange | Role::Redeem);
    let person = act.person().filter(|_| is_inside && act.identity.established);
    let others = act.sources().chain(act.network());
    let others = others.take(if person.is_some() { 0 } else { usize::MAX });
    person.into_iter().chain(others)
}

/// Whether others' attempts from the same address are none of this caller's business.
pub(crate) fn is_spared(act: &Act) -> bool {
    act.identity.familiar || (act.identity.established && !act.role.tries_a_secret())
}

#[cfg(test)]
mod tests;
