//! Harm, and what only looks like it.

use super::*;

fn fates(answered: u64, wrong: u64, failed: u64, refused: u64) -> Fates {
    Fates { answered, wrong, failed, refused }
}

fn before(known: Fates, others: Fates, known_callers: u64) -> Before {
    Before { welfare: welfare(known, others), known_callers }
}

/// Of callers who are known there are fifty, all of whom meet the errors that there are.
fn welfare(known: Fates, others: Fates) -> Welfare {
    let known_erring = if known.wrong + known.failed > 40 { 50 } else { 5 };
    Welfare { known, others, known_callers: 50, known_erring }
}

#[test]
fn refusals_of_known_callers_are_harm_and_those_of_strangers_are_not() {
    let usual = before(fates(1_000, 20, 0, 0), fates(500, 10, 0, 0), 0);
    let honest = welfare(fates(300, 6, 0, 9), fates(100, 2, 0, 0));
    let reason = harm(&usual, &honest, 4).expect("harm");
    assert!(reason.starts_with("4 callers with an established session were refused, 2.9 %"));
    assert_eq!(harm(&usual, &honest, 2), None, "an attacker or two may have a session");
    let attack = welfare(fates(300, 6, 0, 0), fates(100, 900, 0, 9_000));
    assert_eq!(harm(&usual, &attack, 0), None);
    // A few among very many are what the bar allows for.
    let few = welfare(fates(9_000, 6, 0, 9), Fates::default());
    assert_eq!(harm(&usual, &few, 4), None);
}

#[test]
fn what_was_foreseen_is_no_jump() {
    let usual = before(fates(1_000, 0, 0, 0), Fates::default(), 20);
    let since = welfare(fates(300, 0, 0, 20), Fates::default());
    assert_eq!(harm(&usual, &since, 6), None, "20 in an hour had been told before the switch");
    assert!(harm(&usual, &since, 10).is_some());
    let refused_before = before(fates(900, 0, 0, 100), Fates::default(), 0);
    assert_eq!(harm(&refused_before, &since, 9), None, "another layer did that all along");
}

#[test]
fn a_jump_of_errors_is_harm_unless_an_attack_is_on() {
    let usual = before(fates(1_000, 20, 5, 0), fates(1_000, 50, 0, 0), 0);
    let broken = welfare(fates(200, 4, 60, 0), fates(200, 5, 60, 0));
    let reason = harm(&usual, &broken, 0).expect("harm");
    assert_eq!(reason, "errors told to known callers rose from 2.4 % to 24.2 %");
    let attacked = Welfare { others: fates(200, 5, 60, 900), ..broken };
    assert_eq!(harm(&usual, &attacked, 0), None);
    let strangers = before(Fates::default(), fates(1_000, 50, 0, 0), 0);
    let failing = welfare(Fates::default(), fates(200, 5, 60, 0));
    let reason = harm(&strangers, &failing, 0).expect("harm");
    assert_eq!(reason, "answers of 5xx rose from 0.0 % to 22.6 %");
    let scan = welfare(Fates::default(), fates(200, 900, 0, 0));
    assert_eq!(harm(&strangers, &scan, 0), None, "what strangers ask for may be wrong");
    let quiet = welfare(fates(3, 0, 9, 0), Fates::default());
    assert_eq!(harm(&usual, &quiet, 0), None, "too little to tell");
}

#[test]
fn a_few_accounts_of_an_attacker_take_nothing_back() {
    let usual = before(fates(1_000, 20, 0, 0), Fates::default(), 0);
    let crowd = |known_callers, known_erring| {
        let known = fates(9_000, 900, 0, 900);
        Welfare { known, others: Fates::default(), known_callers, known_erring }
    };
    let errors = |since: &Welfare| harm(&usual, since, 0);
    assert_eq!(harm(&usual, &crowd(1_000, 10), 9), None, "nine of a thousand who are about");
    assert!(harm(&usual, &crowd(1_000, 10), 10).is_some(), "one in a hundred");
    // One with an account asks for thousands of things that are not there.
    let seeker = Welfare { known: fates(9_000, 3_000, 0, 0), ..crowd(200, 1) };
    assert_eq!(errors(&seeker), None);
    let broken = Welfare { known_erring: 60, ..seeker };
    assert!(errors(&broken).is_some());
    // Where there is but one who is known, that one counts.
    let alone = Welfare { known_callers: 1, known_erring: 1, ..seeker };
    let usual =
        Before { welfare: Welfare { known_callers: 1, known_erring: 0, ..usual.welfare }, ..usual };
    assert!(harm(&usual, &alone, 0).is_some());
}
