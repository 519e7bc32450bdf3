//! Harm, and what only looks like it.

use super::*;

fn fates(answered: u64, wrong: u64, failed: u64, refused: u64) -> Fates {
    Fates { answered, wrong, failed, refused }
}

fn before(known: Fates, others: Fates, known_callers: u64) -> Before {
    Before { welfare: Welfare { known, others }, known_callers }
}

#[test]
fn refusals_of_known_callers_are_harm_and_those_of_strangers_are_not() {
    let usual = before(fates(1_000, 20, 0, 0), fates(500, 10, 0, 0), 0);
    let honest = Welfare { known: fates(300, 6, 0, 9), others: fates(100, 2, 0, 0) };
    let reason = harm(&usual, &honest, 4).expect("harm");
    assert!(reason.starts_with("4 callers with an established session were refused, 2.9 %"));
    assert_eq!(harm(&usual, &honest, 2), None, "an attacker or two may have a session");
    let attack = Welfare { known: fates(300, 6, 0, 0), others: fates(100, 900, 0, 9_000) };
    assert_eq!(harm(&usual, &attack, 0), None);
    // A few among very many are what the bar allows for.
    let few = Welfare { known: fates(9_000, 6, 0, 9), others: Fates::default() };
    assert_eq!(harm(&usual, &few, 4), None);
}

#[test]
fn what_was_foreseen_is_no_jump() {
    let usual = before(fates(1_000, 0, 0, 0), Fates::default(), 20);
    let since = Welfare { known: fates(300, 0, 0, 20), others: Fates::default() };
    assert_eq!(harm(&usual, &since, 6), None, "20 in an hour had been told before the switch");
    assert!(harm(&usual, &since, 10).is_some());
    let refused_before = before(fates(900, 0, 0, 100), Fates::default(), 0);
    assert_eq!(harm(&refused_before, &since, 9), None, "another layer did that all along");
}

#[test]
fn a_jump_of_errors_is_harm_unless_an_attack_is_on() {
    let usual = before(fates(1_000, 20, 5, 0), fates(1_000, 50, 0, 0), 0);
    let broken = Welfare { known: fates(200, 4, 60, 0), others: fates(200, 5, 60, 0) };
    let reason = harm(&usual, &broken, 0).expect("harm");
    assert_eq!(reason, "errors told to known callers rose from 2.4 % to 24.2 %");
    let attacked = Welfare { others: fates(200, 5, 60, 900), ..broken };
    assert_eq!(harm(&usual, &attacked, 0), None);
    let strangers = before(Fates::default(), fates(1_000, 50, 0, 0), 0);
    let failing = Welfare { known: Fates::default(), others: fates(200, 5, 60, 0) };
    let reason = harm(&strangers, &failing, 0).expect("harm");
    assert_eq!(reason, "answers of 5xx rose from 0.0 % to 22.6 %");
    let scan = Welfare { known: Fates::default(), others: fates(200, 900, 0, 0) };
    assert_eq!(harm(&strangers, &scan, 0), None, "what strangers ask for may be wrong");
    let quiet = Welfare { known: fates(3, 0, 9, 0), others: Fates::default() };
    assert_eq!(harm(&usual, &quiet, 0), None, "too little to tell");
}
