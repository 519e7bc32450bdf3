//! Attackers that try one thing after the other, and honest callers that look like them.

use traffic::{Detector, Digest, EndpointId};

use super::*;
use crate::scene::{HOUR_S, Scene, time};

const SEARCH: u32 = 7;

fn attack(scene: &mut Scene, address: u32, what: u64, certainty: Certainty, at_s: f64) {
    let act = scene.page(address, "/v1/search", Some(SEARCH));
    scene.conduct.attacked(&act, Digest(what), certainty, time(at_s));
}

fn nats(scene: &mut Scene, address: u32, at_s: f64) -> f32 {
    let act = scene.page(address, "/v1/search", Some(SEARCH));
    let mut signals = Vec::new();
    scene.conduct.assess(traffic::Layer::Rules, &act, &[], time(at_s), &mut signals);
    signals.iter().map(|signal| signal.nats).fold(0.0, f32::max)
}

#[test]
fn distinct_attacks_add_up_to_a_block_and_are_forgotten() {
    for (certainty, needed) in
        [(Certainty::Certain, 3), (Certainty::Likely, 4), (Certainty::Odd, 10)]
    {
        let mut scene = Scene::new();
        for what in 0..needed {
            assert!(nats(&mut scene, 1, 0.0) < 9.2, "{certainty:?} after {what}");
            attack(&mut scene, 1, what * 31, certainty, 0.0);
        }
        assert!(nats(&mut scene, 1, 0.0) >= 9.2, "{certainty:?}");
        assert!(nats(&mut scene, 2, 0.0) < 0.1, "another source has nothing to do with it");
        assert!(nats(&mut scene, 1, 12.0 * HOUR_S) < 1.0, "{certainty:?}");
    }
}

#[test]
fn the_same_odd_value_a_thousand_times_is_one_odd_thing() {
    let mut scene = Scene::new();
    for second in 0..1_000 {
        attack(&mut scene, 1, 5, Certainty::Odd, f64::from(second));
    }
    assert!(nats(&mut scene, 1, 1_000.0) < 1.5);
}

#[test]
fn what_many_established_callers_send_is_the_custom_of_an_endpoint() {
    let mut scene = Scene::new();
    let of = |scene: &Scene, address: u32, established: bool| {
        let mut act = scene.page(address, "/v1/search", Some(SEARCH));
        act.identity.established = established;
        act.identity.session = Some(Digest(u64::from(address)));
        scene.keyed(act)
    };
    for address in 0..40 {
        let stranger = of(&scene, address, false);
        scene.conduct.matched(&stranger, 942_100, time(1.0));
    }
    let asked = of(&scene, 99, true);
    assert!(!scene.conduct.is_custom(&asked, 942_100), "strangers make no custom");
    for address in 0..12 {
        let known = of(&scene, address, true);
        scene.conduct.matched(&known, 942_100, time(2.0));
    }
    assert!(scene.conduct.is_custom(&asked, 942_100));
    assert!(!scene.conduct.is_custom(&asked, 942_101), "of that rule alone");
    let mut elsewhere = asked;
    elsewhere.endpoint = Some(EndpointId(8));
    assert!(!scene.conduct.is_custom(&elsewhere, 942_100), "at that endpoint alone");
}

#[test]
fn an_undo_takes_the_evidence_back() {
    let mut scene = Scene::new();
    for what in 0..3 {
        attack(&mut scene, 1, what * 17, Certainty::Certain, 0.0);
    }
    let act = scene.page(1, "/v1/search", Some(SEARCH));
    scene.conduct.forgive(act.keys.address, time(1.0));
    assert!(nats(&mut scene, 1, 2.0) < 9.2);
    let mut signals = Vec::new();
    scene.conduct.assess(traffic::Layer::Rules, &act, &[], time(2.0), &mut signals);
    assert!(signals.iter().all(|signal| signal.detector == Detector::AttackProbing));
}

/// Requests of one source, a second apart: each `of`th is an attack of its own, the rest is
/// ordinary. The highest evidence on the way.
fn padded(requests: u32, of: u32, certainty: Certainty) -> f32 {
    let mut scene = Scene::new();
    let mut highest = 0.0_f32;
    for second in 0..requests {
        let at = f64::from(second);
        if second % of == 0 {
            attack(&mut scene, 1, u64::from(second) * 31, certainty, at);
        } else {
            let act = scene.page(1, "/v1/orders", Some(SEARCH + 1));
            scene.conduct.ordinary(&act, time(at));
        }
        highest = highest.max(nats(&mut scene, 1, at));
    }
    highest
}

#[test]
fn a_rule_that_errs_once_in_a_while_blocks_no_office() {
    assert!(padded(3_000, 60, Certainty::Certain) < 4.0);
    assert!(padded(3_000, 40, Certainty::Likely) < 3.0);
    assert!(padded(3_000, 12, Certainty::Odd) < 2.0);
}

#[test]
fn ordinary_requests_in_between_hide_no_attacks_unless_there_are_many() {
    assert!(padded(100, 10, Certainty::Certain) >= 9.2);
    assert!(padded(100, 5, Certainty::Likely) >= 9.2);
    assert!(padded(100, 2, Certainty::Odd) >= 9.2);
}
