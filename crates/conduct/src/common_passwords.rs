//! The most common passwords, tried in vain (A4): whoever tries them at many accounts, or many of
//! them at one, has a list.
//!
//! A weak password is no attack: many people have one, so that the hit itself says nothing, and
//! whoever gets in with it meets nothing here. What says something is a log-in that *fails* with
//! one of them, at accounts that are each tried for the first time; nobody honest has that happen
//! at six accounts. Entering accounts takes it back as it does for stuffing, so that an office
//! where some have such a password and mistype another's stays what it is.
//!
//! Whether a password is one of them is for `caller` to say; here it is a fact of the act.

use serde::{Deserialize, Serialize};
use traffic::slices::Sliced;
use traffic::{Detector, Entity, Reason, Signal};

use crate::accounts::Credit;
use crate::act::Act;
use crate::pardon::Pardons;
use crate::seen::Seen;
use crate::stuffing::{self, Attempt};
use crate::suspicion::{self, Suspect, Suspicion};
use crate::table::{Line, Table};
use crate::view::TableView;

/// As for stuffing.
const HALF_LIFE_S: u32 = 12 * 3_600;
/// An account where one of them was wrong: six are more than a block takes (9.2).
const ACCOUNT_NATS: f32 = 1.8;
/// One more of them at the same account: people have several such passwords and forget which.
const PASSWORD_NATS: f32 = 1.2;
/// What entering an account takes back that is known for long, and one that is not.
const ESTABLISHED_NATS: f32 = 2.4;
const YOUNG_NATS: f32 = 1.8;

/// Sources by what they tried.
#[derive(Clone, Debug)]
pub(crate) struct CommonPasswords(Table<Trier>);

/// One source.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Trier {
    suspicion: Suspicion,
    seen: Seen,
    last_s: u32,
}

impl CommonPasswords {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Table::new(bytes))
    }

    /// What is kept over a restart.
    pub(crate) const fn part(&mut self) -> &mut dyn Sliced {
        &mut self.0
    }

    /// Appends that the password of `act` is one of them, and what stands against its sources.
    pub(crate) fn assess(
        &self,
        act: &Act,
        pardons: &Pardons,
        now_s: u32,
        signals: &mut Vec<Signal>,
    ) {
        if act.role.takes_a_password() && act.guess.is_common {
            let account = act.identity.attempted.or(act.identity.account);
            signals.push(Signal {
                detector: Detector::CommonPassword,
                entity: account.map_or(act.identity.address_entity, Entity::Account),
                nats: 0.0,
                reason: Reason::CommonPassword,
            });
        }
        if !act.role.tries_a_secret() || stuffing::is_spared(act) {
            return;
        }
        for (source, trier, nats) in suspicion::against(&self.0, act, pardons, now_s) {
            signals.push(Signal {
                detector: Detector::CommonPassword,
                entity: source.entity,
                nats,
                reason: Reason::CommonPasswords { wrong: trier.things(now_s) },
            });
        }
    }

    /// Learns how an attempt ended.
    pub(crate) fn learn(&mut self, act: &Act, attempt: Attempt, now_s: u32) {
        match attempt {
            Attempt::Failed if act.guess.is_common => self.failed(act, now_s),
            Attempt::Failed | Attempt::Entered(Credit::Nothing) => {}
            Attempt::Entered(Credit::Young) => self.entered(act, YOUNG_NATS, now_s),
            Attempt::Entered(Credit::Full) => self.entered(act, ESTABLISHED_NATS, now_s),
        }
    }

    /// How suspected the source with this key is.
    pub(crate) fn suspicion(&self, address: traffic::Digest, now_s: u32) -> f32 {
        suspicion::of(&self.0, address, now_s)
    }

    pub(crate) fn view(&self) -> TableView {
        TableView::of("sources of common passwords", &self.0)
    }

    fn failed(&mut self, act: &Act, now_s: u32) {
        let (Some(account), Some(password)) = (act.identity.attempted, act.guess.password) else {
            return;
        };
        for source in act.sources() {
            let mut trier = self.0.read(source.key).unwrap_or_default();
            let is_new_account = trier.seen.note(account, now_s);
            if !trier.seen.note(account.then(password), now_s) {
                continue;
            }
            let nats = if is_new_account { ACCOUNT_NATS } else { PASSWORD_NATS };
            trier.suspicion.add(nats, now_s, HALF_LIFE_S);
            trier.last_s = now_s;
            self.0.write(source.key, now_s, trier);
        }
    }

    fn entered(&mut self, act: &Act, nats: f32, now_s: u32) {
        for source in act.sources() {
            let Some(mut trier) = self.0.read(source.key) else { continue };
            trier.suspicion.take_back(nats, now_s, HALF_LIFE_S);
            self.0.write(source.key, now_s, trier);
        }
    }
}

impl Line for Trier {
    fn worth(&self, now_s: u32) -> f32 {
        self.worth_since(self.last_s, now_s)
    }
}

impl Suspect for Trier {
    const HALF_LIFE_S: u32 = HALF_LIFE_S;

    fn suspicion(&self) -> Suspicion {
        self.suspicion
    }
}

#[cfg(test)]
mod tests {
    use traffic::Digest;

    use super::*;
    use crate::scene::{HOUR_S, Scene, login_answer};

    /// Somebody at `address` tries a common password, by its number, at `account`.
    fn attempt(scene: &mut Scene, address: u32, account: u32, password: u64, at_s: f64) -> f32 {
        let mut act = scene.login(address, account);
        act.guess.is_common = true;
        act.guess.password = Some(Digest(password).tagged(1));
        let nats = scene.nats(&act, Detector::CommonPassword, at_s);
        scene.learn(&act, &login_answer(false), false, at_s);
        nats
    }

    #[test]
    fn one_of_them_at_a_few_accounts_is_a_list() {
        let mut scene = Scene::new();
        let nats: Vec<f32> =
            (0..7).map(|n| attempt(&mut scene, 5, n, 1, f64::from(n) * 60.0)).collect();
        assert!(nats[3] < 6.9 && nats[6] >= 9.2, "{nats:?}");
        let elsewhere = scene.login(6, 1);
        assert_eq!(scene.nats(&elsewhere, Detector::CommonPassword, 300.0), 0.0);
    }

    #[test]
    fn a_weak_memory_is_none() {
        let mut scene = Scene::new();
        for password in 0..3 {
            let nats = attempt(&mut scene, 5, 1, password, 10.0 * password as f64);
            assert!(nats < 6.9, "{nats}");
        }
        // The same one again and again is one, however often.
        for n in 0..50 {
            assert!(attempt(&mut scene, 5, 1, 2, 30.0 + f64::from(n)) < 6.9);
        }
    }

    #[test]
    fn whoever_gets_in_with_one_meets_nothing_but_its_mark() {
        let mut scene = Scene::new();
        let mut act = scene.login(5, 1);
        act.guess.is_common = true;
        scene.learn(&act, &login_answer(true), false, 1.0);
        let signals = scene.signals(&act, 2.0);
        let marks = signals.iter().filter(|it| it.reason == Reason::CommonPassword);
        assert_eq!(marks.count(), 1, "{signals:?}");
        assert!(signals.iter().all(|signal| signal.nats == 0.0), "{signals:?}");
    }

    #[test]
    fn an_office_takes_back_what_it_mistypes() {
        let mut scene = Scene::new();
        for n in 0..400 {
            let at_s = f64::from(n) * 20.0;
            if n % 40 == 0 {
                let nats = attempt(&mut scene, 5, n, 1, at_s);
                assert!(nats < 6.9, "{nats} after {n}");
            }
            let act = scene.login(5, n);
            scene.learn(&act, &login_answer(n % 5 != 0), false, at_s + 5.0);
        }
        assert!(attempt(&mut scene, 5, 1_000, 1, 3.0 * HOUR_S) < 3.0);
    }
}
