//! Places are few, given back, and not taken from those who belong.

use traffic::Role;

use super::*;
use crate::scene::{Scene, time};

const AT_S: f64 = 1_000.0;

fn taken(admission: Admission) -> Option<Place> {
    match admission {
        Admission::Taken(place) => Some(place),
        Admission::Full { .. } => None,
        Admission::Free => panic!("a log-in tries a secret"),
    }
}

#[test]
fn a_source_has_four_places_and_gets_them_back() {
    let scene = Scene::new();
    let mut in_flight = InFlight::default();
    let mut places: Vec<Place> = (0..100)
        .filter_map(|account| taken(in_flight.admit(&scene.login(1, account), 0, time(AT_S))))
        .collect();
    assert_eq!(places.len(), 4);
    in_flight.release(&places.remove(0));
    assert!(taken(in_flight.admit(&scene.login(1, 200), 0, time(AT_S))).is_some());
    assert!(taken(in_flight.admit(&scene.login(1, 201), 0, time(AT_S))).is_none());
    assert!(taken(in_flight.admit(&scene.login(2, 202), 0, time(AT_S))).is_some());
}

#[test]
fn log_ins_that_succeed_make_room_for_more() {
    let scene = Scene::new();
    let mut in_flight = InFlight::default();
    let places = (0..100)
        .filter_map(|account| taken(in_flight.admit(&scene.login(1, account), 20, time(AT_S))));
    assert_eq!(places.count(), 40);
}

#[test]
fn an_account_has_four_places_and_its_owner_four_more() {
    let scene = Scene::new();
    let mut in_flight = InFlight::default();
    let strangers =
        (0..50).filter_map(|source| taken(in_flight.admit(&scene.login(source, 7), 0, time(AT_S))));
    assert_eq!(strangers.count(), 4);
    let mut owner = scene.login(1, 7);
    owner.identity.familiar = true;
    let own = (0..9).filter_map(|_| taken(in_flight.admit(&owner, 0, time(AT_S))));
    assert_eq!(own.count(), 4);
}

#[test]
fn what_tries_no_secret_needs_no_place() {
    let mut scene = Scene::new();
    let mut act = scene.login(1, 1);
    act.role = Role::Search;
    for _ in 0..100 {
        assert!(matches!(scene.conduct.admit(&act, time(AT_S)), Admission::Free));
    }
}

#[test]
fn places_are_bounded_for_all_and_do_not_stay_lost() {
    let scene = Scene::new();
    let mut in_flight = InFlight::default();
    let admitted = |in_flight: &mut InFlight, at_s: f64, from: u32| {
        (from..from + 20_000)
            .filter_map(|n| taken(in_flight.admit(&scene.login(n, n), 0, time(at_s))))
            .count()
    };
    let most = KEYS_MAX / 2;
    assert_eq!(admitted(&mut in_flight, AT_S, 0), most);
    let mut owner = scene.login(1, 1);
    owner.identity.familiar = true;
    assert!(taken(in_flight.admit(&owner, 0, time(AT_S))).is_some());
    assert_eq!(admitted(&mut in_flight, AT_S + 700.0, 50_000), most);
}
