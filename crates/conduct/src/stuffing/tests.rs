//! Stuffing, its evasions, and the offices that look like it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};

use traffic::Entity;

use super::*;
use crate::scene::{DAY_S, Dice, Fate, HOUR_S, Scene, answer, login_answer, time};
use crate::{Admission, Readiness};

const ATTACKER: u32 = 900_000;
const OFFICE: u32 = 800_000;
const STOLEN: u32 = 100_000;
const OWN: u32 = 200_000;
const SEEDS: u64 = 100;

/// A day of 500 honest callers at an address each; such a share of them mistypes first.
fn honest_day(scene: &mut Scene, dice: &mut Dice, fails: f64) {
    let mut tries: Vec<(f64, u32)> =
        (0..500).map(|caller| (dice.between(0.0, DAY_S - 100.0), caller)).collect();
    tries.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (at_s, caller) in tries {
        let act = scene.login(caller, caller);
        if dice.happens(fails) {
            scene.attempt(&act, false, at_s);
            scene.attempt(&act, true, at_s + dice.between(5.0, 40.0));
        } else {
            scene.attempt(&act, true, at_s);
        }
    }
}

/// Tries 2,000 stolen pairs, one a second; how many distinct accounts reached the upstream.
fn stuff(scene: &mut Scene, dice: &mut Dice) -> usize {
    let tries = (0..2_000).map(|pair| (STOLEN + pair, dice.happens(0.005)));
    reached(scene, tries.collect())
}

/// Tries accounts, one a second from one address; how many reached the upstream.
fn reached(scene: &mut Scene, tries: Vec<(u32, bool)>) -> usize {
    let mut reached = BTreeSet::new();
    for (second, (account, is_right)) in tries.into_iter().enumerate() {
        let act = scene.login(ATTACKER, account);
        if scene.attempt(&act, is_right, DAY_S + second as f64) == Fate::Passed {
            reached.insert(account);
        }
    }
    reached.len()
}

/// The value that 95 of 100 do not exceed.
fn p95(mut values: Vec<usize>) -> usize {
    values.sort_unstable();
    values[values.len() * 95 / 100 - 1]
}

/// When the people of an office come.
#[derive(Clone, Copy, Debug)]
enum Arrival {
    AroundTheClock,
    /// All within so many minutes from nine o'clock on.
    Rush(f64),
}

/// 500 people behind one address log in within a day. A quarter mistypes first and tries again;
/// some of those give up, others reset their password and come back. Whether anybody was turned
/// away.
fn office_is_turned_away(scene: &mut Scene, dice: &mut Dice, arrival: Arrival) -> bool {
    let mut tries: Vec<(f64, u32, bool)> = Vec::new();
    for caller in 0..500 {
        let mut at_s = DAY_S
            + match arrival {
                Arrival::AroundTheClock => dice.between(0.0, DAY_S),
                Arrival::Rush(minutes) => 9.0 * HOUR_S + dice.between(0.0, 60.0 * minutes),
            };
        let mut is_right = !dice.happens(0.25);
        tries.push((at_s, caller, is_right));
        while !is_right && !dice.happens(0.04) {
            let resets = dice.happens(0.04);
            at_s += if resets { dice.between(180.0, 600.0) } else { dice.between(5.0, 40.0) };
            is_right = resets || !dice.happens(0.25);
            tries.push((at_s, caller, is_right));
        }
    }
    tries.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut is_turned_away = false;
    for (at_s, caller, is_right) in tries {
        let act = scene.login(OFFICE, 50_000 + caller);
        is_turned_away |= scene.attempt(&act, is_right, at_s) != Fate::Passed;
    }
    is_turned_away
}

fn seeds(warm: Option<f64>) -> impl Iterator<Item = (Scene, Dice)> {
    (1..=SEEDS).map(move |seed| {
        let (mut scene, mut dice) = (Scene::new(), Dice::new(seed));
        if let Some(fails) = warm {
            honest_day(&mut scene, &mut dice, fails);
        }
        (scene, dice)
    })
}

#[test]
fn stolen_pairs_are_stopped_within_twelve_accounts() {
    for warm in [None, Some(0.05), Some(0.20)] {
        let reached: Vec<usize> =
            seeds(warm).map(|(mut scene, mut dice)| stuff(&mut scene, &mut dice)).collect();
        assert!(p95(reached.clone()) <= 12, "after a day of {warm:?}: {reached:?}");
        assert!(reached.iter().all(|reached| *reached >= 8), "after a day of {warm:?}");
    }
}

#[test]
fn an_office_is_let_in_whether_anything_was_learnt_or_not() {
    use Arrival::{AroundTheClock, Rush};
    for warm in [None, Some(0.10)] {
        for arrival in [AroundTheClock, Rush(60.0), Rush(30.0), Rush(10.0)] {
            let turned_away = seeds(warm)
                .filter_map(|(mut scene, mut dice)| {
                    office_is_turned_away(&mut scene, &mut dice, arrival).then_some(())
                })
                .count();
            assert!(turned_away <= 3, "{arrival:?} after a day of {warm:?}: {turned_away} of 100");
        }
    }
}

#[test]
fn guesses_sent_at_once_wait_for_each_others_answers() {
    let mut scene = Scene::new();
    let mut waiting: Vec<u32> = (0..200).rev().collect();
    let (mut upstream, mut reached, mut at_s) = (Vec::new(), 0, DAY_S);
    while let Some(pair) = waiting.last() {
        let act = scene.login(ATTACKER, STOLEN + pair);
        match scene.conduct.admit(&act, time(at_s)) {
            Admission::Taken(place) => {
                waiting.pop();
                if scene.fate(&act, at_s) == Fate::Passed {
                    reached += 1;
                    upstream.push((act, place));
                } else {
                    scene.conduct.release(place);
                }
            }
            Admission::Full { unanswered, allowed } => {
                assert_eq!((unanswered, allowed), (4, 4));
                at_s += 0.1;
                let (act, place) = upstream.remove(0);
                scene.conduct.release(place);
                scene.learn(&act, &login_answer(false), false, at_s);
            }
            Admission::Free => panic!("a log-in tries a secret"),
        }
    }
    assert!((8..=14).contains(&reached), "{reached}");
}

#[test]
fn entering_accounts_of_ones_own_buys_one_try_each_and_no_more() {
    // Ten own accounts, entered over and over between the stolen ones.
    let mut scene = Scene::new();
    let tries = (0..600).map(|n| match n % 2 {
        0 => (OWN + n / 2 % 10, true),
        _ => (STOLEN + n, false),
    });
    let stolen = reached(&mut scene, tries.collect()) - 10;
    assert!(stolen <= 20, "{stolen}");
}

#[test]
fn accounts_signed_up_for_the_purpose_buy_nothing() {
    let mut scene = Scene::new();
    for own in 0..50 {
        let mut act = scene.login(ATTACKER, OWN + own);
        act.role = Role::Signup;
        scene.learn(&act, &answer(201, Role::Signup), false, DAY_S - 100.0);
    }
    let tries = (0..100).map(|n| match n % 2 {
        0 => (OWN + n / 2, true),
        _ => (STOLEN + n, false),
    });
    let stolen = reached(&mut scene, tries.collect()) / 2;
    assert!(stolen <= 12, "{stolen}");
}

#[test]
fn no_number_of_own_accounts_hides_that_most_tries_fail() {
    let mut scene = Scene::new();
    let tries = (0..600).map(|n| match n % 3 {
        0 => (OWN + n, true),
        _ => (STOLEN + n, false),
    });
    let reached = reached(&mut scene, tries.collect());
    assert!(reached <= 50, "{reached}");
}

#[test]
fn one_account_counts_once_however_often_it_is_tried() {
    let mut scene = Scene::new();
    let act = scene.login(ATTACKER, 1);
    for second in 0..100 {
        assert_eq!(scene.attempt(&act, false, f64::from(second)), Fate::Passed);
    }
    let before = scene.nats(&act, Detector::CredentialStuffing, 100.0);
    assert!(before > 0.9 && before < 1.0, "{before}");
    scene.attempt(&act, true, 100.0);
    assert_eq!(scene.nats(&act, Detector::CredentialStuffing, 101.0), 0.0);
}

#[test]
fn familiar_callers_are_neither_counted_nor_turned_away() {
    let mut scene = Scene::new();
    stuff(&mut scene, &mut Dice::new(1));
    let at_s = DAY_S + 3_000.0;
    let mut owner = scene.login(ATTACKER, 7);
    assert_eq!(scene.fate(&owner, at_s), Fate::Refused);
    owner.identity.familiar = true;
    assert_eq!(scene.attempt(&owner, false, at_s), Fate::Passed);
    let (mut office, home) = (Scene::new(), 4);
    for account in 0..100 {
        let mut act = office.login(home, account);
        act.identity.familiar = true;
        office.attempt(&act, false, f64::from(account));
    }
    let stranger = office.login(home, 1_000);
    assert!(office.signals(&stranger, 100.0).is_empty());
}

#[test]
fn answers_that_judge_nobody_count_for_nothing() {
    let mut scene = Scene::new();
    for (number, status) in [429, 500, 503].into_iter().cycle().take(60).enumerate() {
        let act = scene.login(ATTACKER, STOLEN + number as u32);
        scene.learn(&act, &answer(status, Role::Login), false, DAY_S);
    }
    let act = scene.login(ATTACKER, 1);
    assert!(scene.signals(&act, DAY_S).is_empty());
    // Yet 404 from a known log-in is how some say "no such user".
    for number in 0..12 {
        let act = scene.login(ATTACKER, STOLEN + number);
        scene.learn(&act, &answer(404, Role::Login), false, DAY_S);
    }
    assert!(scene.nats(&act, Detector::CredentialStuffing, DAY_S) >= 9.2);
}

#[test]
fn guesses_without_an_account_count_less_and_are_forgiven_to_those_who_get_in() {
    let blind = |scene: &Scene| {
        let mut act = scene.login(ATTACKER, 0);
        act.identity.attempted = None;
        act.role = Role::OtpVerify;
        scene.keyed(act)
    };
    let mut scene = Scene::new();
    let act = blind(&scene);
    let mut code = answer(401, Role::OtpVerify);
    let mut guesses = 0;
    while scene.fate(&act, f64::from(guesses)) != Fate::Refused {
        scene.learn(&act, &code, false, f64::from(guesses));
        guesses += 1;
    }
    assert!((30..60).contains(&guesses), "{guesses}");
    let (mut office, mut dice) = (Scene::new(), Dice::new(3));
    for second in 0..3_000 {
        code = answer(if dice.happens(0.3) { 401 } else { 200 }, Role::OtpVerify);
        assert_eq!(office.fate(&act, f64::from(second)), Fate::Passed);
        office.learn(&act, &code, false, f64::from(second));
    }
}

#[test]
fn a_network_and_a_session_that_change_addresses_are_seen_as_one() {
    let mut scene = Scene::new();
    let hop = |scene: &Scene, number: u16| {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 7, number, 0, 0, 0, 1);
        let mut act = scene.login(0, STOLEN + u32::from(number));
        let moved = scene.act_from(IpAddr::V6(address)).identity;
        act.identity.address = moved.address;
        act.identity.address_entity = moved.address_entity;
        act.identity.net_entity = moved.net_entity;
        act.identity.session = Some(Digest(42));
        scene.keyed(act)
    };
    for number in 0..20 {
        let act = hop(&scene, number);
        scene.learn(&act, &login_answer(false), false, DAY_S);
    }
    let act = hop(&scene, 99);
    let signals = scene.signals(&act, DAY_S);
    let on = |entity| signals.iter().find(|signal| signal.entity == entity).map(|s| s.nats);
    assert!(on(act.identity.net_entity).is_some_and(|nats| nats > 11.5), "{signals:?}");
    assert!(on(Entity::Session(Digest(42))).is_some_and(|nats| nats > 11.5), "{signals:?}");
    assert_eq!(on(act.identity.address_entity), None);
}

#[test]
fn somebody_inside_answers_for_a_secret_in_person() {
    let mut scene = Scene::new();
    let voucher = |scene: &Scene, principal: u64| {
        let mut act = scene.act(OFFICE);
        act.role = Role::Redeem;
        act.identity.principal = Some(Digest(principal));
        act.identity.established = true;
        scene.keyed(act)
    };
    let guesser = voucher(&scene, 1);
    for second in 0..100 {
        scene.learn(&guesser, &answer(400, Role::Redeem), false, f64::from(second));
    }
    assert!(scene.nats(&guesser, Detector::CredentialStuffing, 100.0) > 9.2);
    let neighbour = voucher(&scene, 2);
    assert_eq!(scene.nats(&neighbour, Detector::CredentialStuffing, 100.0), 0.0);
}

#[test]
fn an_operators_undo_holds_for_a_week_and_makes_nobody_immune() {
    let mut scene = Scene::new();
    stuff(&mut scene, &mut Dice::new(1));
    let act = scene.login(ATTACKER, 7);
    let at_s = DAY_S + 2_100.0;
    assert_eq!(scene.fate(&act, at_s), Fate::Refused);
    scene.conduct.forgive(act.keys.address, time(at_s));
    assert_eq!(scene.fate(&act, at_s), Fate::Passed);
    let passed = (0..40)
        .take_while(|pair| {
            let act = scene.login(ATTACKER, STOLEN + 5_000 + pair);
            scene.attempt(&act, false, at_s + 10.0 * f64::from(1 + pair)) != Fate::Refused
        })
        .count();
    assert!((4..=8).contains(&passed), "{passed}");
}

#[test]
fn what_is_normal_is_learnt_from_the_many_and_told() {
    let (mut scene, mut dice) = (Scene::new(), Dice::new(9));
    for day in 0..3 {
        for caller in 0..400 {
            let act = scene.login(caller, caller);
            let at_s = f64::from(day) * DAY_S + f64::from(caller);
            scene.learn(&act, &login_answer(!dice.happens(0.1)), false, at_s);
        }
    }
    // One source cannot define it, however often it fails.
    for account in 0..3 {
        let act = scene.login(ATTACKER, account);
        scene.learn(&act, &login_answer(false), false, 3.0 * DAY_S);
    }
    let views = scene.conduct.baselines();
    let view = views.iter().find(|v| v.detector == Detector::CredentialStuffing).expect("one");
    assert_eq!(view.subject, crate::Subject::Endpoint(crate::scene::LOGIN));
    assert_eq!(view.readiness, Readiness::Warming);
    assert!((0.08..0.16).contains(&view.share), "{view:?}");
    let signals = scene.signals(&scene.login(ATTACKER, 9), 3.0 * DAY_S);
    let told = signals.first().expect("evidence").reason.to_string();
    assert!(
        told.starts_with("3 accounts tried from here, 3 of them failed (normal here 1"),
        "{told}"
    );
}
