//! Guesses from many places, what hides them, and the people who look as if they guessed.

use traffic::Few;

use super::*;
use crate::Guess;
use crate::scene::{DAY_S, HOUR_S, Scene, answer, time};

const VICTIM: u32 = 7;

/// Somebody at `address` tries password number `password` of the victim's account.
fn password(scene: &Scene, address: u32, password: u64) -> Act {
    let mut act = scene.login(address, VICTIM);
    act.guess = Guess { password: Some(Digest(password)), count: 1, ..Guess::default() };
    act
}

fn code(scene: &Scene, address: u32) -> Act {
    let mut act = scene.login(address, VICTIM);
    act.role = Role::OtpVerify;
    act
}

/// How long it has to wait; none when it may go on.
fn wait_s(scene: &Scene, act: &Act, at_s: f64) -> Option<u32> {
    let mut signals = Vec::new();
    scene.conduct.guesses.assess(act, time(at_s), &mut signals);
    let waits = signals.iter().map(|signal| match signal.reason {
        Reason::Guesses { retry_after_s, .. } => retry_after_s,
        _ => 0,
    });
    waits.max().filter(|wait_s| *wait_s > 0)
}

/// One try that is answered at once with `status`; whether it reached the API.
fn attempt(scene: &mut Scene, act: &Act, status: u16, at_s: f64) -> bool {
    let passes = wait_s(scene, act, at_s).is_none();
    if passes {
        scene.conduct.forwarded(act, time(at_s));
        scene.conduct.guesses.learn(act, &answer(status, act.role), time(at_s));
    }
    passes
}

#[test]
fn an_account_has_one_allowance_for_all_strangers() {
    let mut scene = Scene::new();
    let mut reached = 0;
    for guess in 0..3_600_u32 {
        let act = password(&scene, guess % 500, u64::from(guess));
        reached += u32::from(attempt(&mut scene, &act, 401, f64::from(guess)));
    }
    assert!((17..=20).contains(&reached), "{reached}");
    // Another account is not concerned.
    let mut other = password(&scene, 1, 1);
    other.identity.attempted = Some(Digest(99));
    other.identity.named = other.identity.attempted.into();
    assert_eq!(wait_s(&scene, &other, HOUR_S), None);
}

#[test]
fn after_a_hundred_wrong_ones_there_is_one_an_hour() {
    let mut scene = Scene::new();
    let mut of_day = [0; 4];
    for guess in 0..4 * 1_440_u32 {
        let act = password(&scene, guess, u64::from(guess));
        if attempt(&mut scene, &act, 401, f64::from(guess) * 60.0) {
            of_day[usize::try_from(guess / 1_440).unwrap_or(0)] += 1;
        }
    }
    assert!(of_day[0] <= 130 && of_day[1] <= 25 && of_day[3] >= 20, "{of_day:?}");
}

#[test]
fn guesses_count_before_they_are_answered_and_when_nobody_waits_for_the_answer() {
    let mut scene = Scene::new();
    for guess in 0..8 {
        let act = password(&scene, guess, u64::from(guess));
        assert_eq!(wait_s(&scene, &act, 0.0), None, "{guess}");
        scene.conduct.forwarded(&act, time(0.0));
    }
    let act = password(&scene, 9, 9);
    assert_eq!(wait_s(&scene, &act, 0.0), Some(360));
}

#[test]
fn the_owner_is_outside_of_it_and_ends_the_row() {
    let mut scene = Scene::new();
    for guess in 0..50 {
        let act = password(&scene, guess, u64::from(guess));
        attempt(&mut scene, &act, 401, 1.0);
    }
    let mut owner = password(&scene, 900, 1_000);
    owner.identity.familiar = true;
    for wrong in 0..30 {
        owner.guess.password = Some(Digest(wrong));
        assert!(attempt(&mut scene, &owner, 401, 2.0));
    }
    assert!(attempt(&mut scene, &owner, 200, 3.0));
    let stranger = password(&scene, 1, 2_000);
    let mut signals = Vec::new();
    scene.conduct.guesses.assess(&stranger, time(4.0), &mut signals);
    let said = signals.first().map(|signal| signal.reason);
    assert!(matches!(said, Some(Reason::Guesses { wrong: 0, .. })), "{said:?}");
    assert!(wait_s(&scene, &stranger, 4.0).is_some(), "the allowance is as it was");
}

#[test]
fn one_wrong_password_is_one_guess_however_often_it_comes() {
    let mut scene = Scene::new();
    for minute in 0..1_440 {
        let act = password(&scene, 5, 77);
        assert!(attempt(&mut scene, &act, 401, f64::from(minute) * 60.0), "{minute}");
    }
    let other = password(&scene, 6, 78);
    for guess in 0..7 {
        let act = password(&scene, 6, 100 + guess);
        assert!(attempt(&mut scene, &act, 401, DAY_S), "{guess}");
    }
    assert!(wait_s(&scene, &other, DAY_S).is_none(), "one of eight is left");
}

#[test]
fn what_was_right_or_not_judged_is_given_back() {
    let mut scene = Scene::new();
    for (guess, status) in [200, 429, 500, 503].into_iter().cycle().take(100).enumerate() {
        let act = password(&scene, 5, guess as u64);
        assert!(attempt(&mut scene, &act, status, 1.0), "{guess}");
    }
}

#[test]
fn one_pair_sent_many_times_at_once_is_one_guess_and_is_given_back_once() {
    let mut scene = Scene::new();
    let basic = |scene: &Scene, address, guess| {
        let mut act = password(scene, address, guess);
        act.guess.is_basic = true;
        act
    };
    for guess in 1..=5 {
        let act = basic(&scene, 5, guess);
        assert!(attempt(&mut scene, &act, 401, 1.0));
    }
    let machine = basic(&scene, 6, 99);
    for _ in 0..40 {
        assert_eq!(wait_s(&scene, &machine, 2.0), None);
        scene.conduct.forwarded(&machine, time(2.0));
    }
    for _ in 0..40 {
        scene.conduct.guesses.learn(&machine, &answer(200, Role::Login), time(2.0));
    }
    let mut more = 0;
    for guess in 6..20 {
        let act = basic(&scene, 5, guess);
        more += u32::from(attempt(&mut scene, &act, 401, 3.0));
    }
    assert!((2..=4).contains(&more), "three of eight are left, not {more}");
}

#[test]
fn codes_are_counted_by_whatever_names_whose_they_are() {
    // By account, from new addresses and sessions each time.
    let mut scene = Scene::new();
    let mut reached = 0;
    for guess in 0..1_000_u32 {
        let mut act = code(&scene, guess);
        act.identity.session = Some(Digest(u64::from(guess) + 5));
        reached += u32::from(attempt(&mut scene, &act, 401, f64::from(guess) * 3.6));
    }
    assert!((6..=10).contains(&reached), "{reached}");
    // By transaction, by session, by address.
    let variants: [fn(&mut Act, u32); 3] = [
        |act, _| act.guess.transactions = Some(Digest(3)).into(),
        |act, _| act.identity.session = Some(Digest(4)),
        |act, _| act.keys.address = Digest(5),
    ];
    for (number, name) in variants.into_iter().enumerate() {
        let mut reached = 0;
        for guess in 0..1_000_u32 {
            let mut act = code(&scene, 10_000 + guess);
            (act.identity.attempted, act.identity.named) = (None, Few::default());
            name(&mut act, guess);
            reached += u32::from(attempt(&mut scene, &act, 401, DAY_S));
        }
        assert_eq!(reached, 6, "variant {number}");
    }
}

#[test]
fn whoever_knows_the_password_has_still_to_show_the_code() {
    let mut scene = Scene::new();
    let mut reached = 0;
    for _ in 0..100 {
        let mut act = code(&scene, 5);
        act.identity.familiar = true;
        reached += u32::from(attempt(&mut scene, &act, 401, 1.0));
    }
    assert_eq!(reached, 6);
    // The strangers' allowance is another: they cannot take the owner's.
    let stranger = code(&scene, 6);
    assert_eq!(wait_s(&scene, &stranger, 1.0), None);
}

#[test]
fn a_list_of_codes_is_as_many_guesses() {
    let mut scene = Scene::new();
    let mut act = code(&scene, 5);
    act.guess.count = 7;
    assert!(!attempt(&mut scene, &act, 401, 1.0));
    act.guess.count = 6;
    assert!(attempt(&mut scene, &act, 401, 1.0));
    act.guess.count = 1;
    assert!(!attempt(&mut scene, &act, 401, 1.0));
}

/// The same act with other identifiers beside the victim's.
fn beside(mut act: Act, others: impl IntoIterator<Item = u64>) -> Act {
    let victim = act.identity.attempted;
    act.identity.named = victim.into_iter().chain(others.into_iter().map(Digest)).collect();
    act.identity.attempted = act.identity.named.iter().reduce(Digest::then);
    act
}

#[test]
fn a_decoy_that_changes_with_each_guess_hides_no_account() {
    let mut scene = Scene::new();
    let mut reached = 0;
    for guess in 0..3_600_u32 {
        let act = password(&scene, guess % 500, u64::from(guess));
        let act = beside(act, [0x17 + u64::from(guess)]);
        reached += u32::from(attempt(&mut scene, &act, 401, f64::from(guess)));
    }
    assert!((17..=20).contains(&reached), "{reached}");
    let mut reached = 0;
    for guess in 0..100_u32 {
        let mut act = code(&scene, guess);
        act.identity.named = Few::default();
        act.guess.transactions = [3, 100 + u64::from(guess)].into_iter().map(Digest).collect();
        reached += u32::from(attempt(&mut scene, &act, 401, f64::from(guess)));
    }
    assert_eq!(reached, 6);
}

#[test]
fn colleagues_who_name_their_company_beside_themselves_do_not_lock_each_other_out() {
    let mut scene = Scene::new();
    let mut waited = 0;
    for person in 0..200_u32 {
        let mut act = password(&scene, person, u64::from(person));
        act.identity.attempted = Some(Digest(10_000 + u64::from(person)));
        let act = beside(act, [5]);
        let at_s = f64::from(person) * 10.0;
        // One in five types it wrong first.
        if person % 5 == 0 {
            waited += u32::from(!attempt(&mut scene, &act, 401, at_s));
        }
        waited += u32::from(!attempt(&mut scene, &act, 200, at_s + 5.0));
    }
    assert_eq!(waited, 0);
}

/// A guess at a password that nobody here can read.
fn unread(scene: &Scene, address: u32) -> Act {
    let mut act = password(scene, address, 0);
    (act.identity.attempted, act.identity.named) = (None, Few::default());
    act.guess = Guess { is_unread: true, count: 0, ..Guess::default() };
    act
}

#[test]
fn what_cannot_be_read_has_one_allowance_where_it_is_not_the_custom() {
    let mut scene = Scene::new();
    let mut reached = 0;
    for guess in 0..600_u32 {
        let act = unread(&scene, guess);
        reached += u32::from(attempt(&mut scene, &act, 401, f64::from(guess)));
    }
    assert!(reached <= 10, "{reached}");
    // An API whose log-ins nobody here can read is left in peace.
    let mut scene = Scene::new();
    let mut waited = 0;
    for person in 0..300_u32 {
        let act = unread(&scene, person);
        let status = if person % 5 == 4 { 401 } else { 200 };
        waited += u32::from(!attempt(&mut scene, &act, status, f64::from(person) * 10.0));
    }
    assert_eq!(waited, 0);
}

#[test]
fn what_cannot_be_read_is_next_to_nothing_where_all_get_in_with_what_can() {
    let mut scene = Scene::new();
    for person in 0..40_u32 {
        let act = password(&scene, 7_000 + person, u64::from(person));
        assert!(attempt(&mut scene, &act, 200, f64::from(person)));
    }
    let mut reached = 0;
    for guess in 0..720_u32 {
        let act = unread(&scene, guess);
        reached += u32::from(attempt(&mut scene, &act, 401, 100.0 + f64::from(guess) * 10.0));
    }
    assert_eq!(reached, 2, "one an hour for all together");
    // Who gets in with what cannot be read shows that it is a way in.
    let act = unread(&scene, 9_001);
    assert!(attempt(&mut scene, &act, 200, 8_000.0));
    for person in 0..6_u32 {
        let act = unread(&scene, 9_100 + person);
        assert!(attempt(&mut scene, &act, 401, 8_010.0 + f64::from(person)), "{person}");
    }
}
