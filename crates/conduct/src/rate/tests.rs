//! Limits hold exactly, cost nothing when refused, and leave people alone.

use traffic::{EndpointId, Role};

use super::*;
use crate::scene::{DAY_S, Scene, answer};

const TEN_A_MINUTE: Limit =
    Limit { id: Digest(1), per: Per::Source, amount: 10, window_s: 60, burst: 10, of: None };

fn granted(scene: &mut Scene, act: &Act, calls: u32, every_s: f64) -> usize {
    (0..calls)
        .filter(|call| scene.signals(act, DAY_S + f64::from(*call) * every_s).is_empty())
        .count()
}

#[test]
fn a_limit_holds_exactly_and_says_when_to_come_back() {
    let mut scene = Scene::new();
    scene.limits = vec![TEN_A_MINUTE];
    let act = scene.act(1);
    assert_eq!(granted(&mut scene, &act, 601, 1.0), 10 + 100);
    let signals = scene.signals(&act, DAY_S + 600.0);
    assert_eq!(signals.len(), 1);
    assert_eq!(signals[0].detector.name(), "rate-limit");
    assert_eq!(signals[0].nats, RATE_NATS);
    let Reason::Rate { per_minute, burst, retry_after_s } = signals[0].reason else {
        panic!("another reason: {}", signals[0].reason)
    };
    assert_eq!((per_minute, burst), (10, 10));
    let later_s = DAY_S + 600.0 + f64::from(retry_after_s);
    assert!(scene.signals(&act, later_s).is_empty());
    let other = scene.act(2);
    assert_eq!(granted(&mut scene, &other, 10, 0.0), 10, "others are others");
}

#[test]
fn what_one_limit_refuses_is_not_taken_from_another() {
    let mut scene = Scene::new();
    let per_hour = Limit { id: Digest(2), amount: 20, window_s: 3_600, burst: 20, ..TEN_A_MINUTE };
    scene.limits = vec![TEN_A_MINUTE, per_hour];
    let act = scene.act(1);
    assert_eq!(granted(&mut scene, &act, 500, 0.0), 10);
    // A minute later the ten that are left of the hour are all there.
    scene.limits = vec![per_hour];
    let later = (0..100).filter(|_| scene.signals(&act, DAY_S + 60.0).is_empty()).count();
    assert_eq!(later, 10);
}

#[test]
fn dropping_a_credential_does_not_drop_the_limit() {
    for per in [Per::Session, Per::Principal, Per::Account] {
        let mut scene = Scene::new();
        scene.limits = vec![Limit { per, ..TEN_A_MINUTE }];
        let anonymous = scene.act(1);
        assert_eq!(granted(&mut scene, &anonymous, 50, 0.0), 10, "{per:?}");
        let mut known = scene.act(1);
        known.identity.session = Some(Digest(1));
        known.identity.principal = Some(Digest(2));
        known.identity.account = Some(Digest(3));
        let known = scene.keyed(known);
        assert_eq!(granted(&mut scene, &known, 50, 0.0), 10, "{per:?}");
        let mut moved = scene.act(2);
        moved.identity = traffic::Identity { address: moved.identity.address, ..known.identity };
        let moved = scene.keyed(moved);
        assert_eq!(granted(&mut scene, &moved, 50, 0.0), 0, "{per:?}: the same person elsewhere");
    }
}

#[test]
fn a_flood_from_one_source_is_cut_and_a_busy_page_is_not() {
    let mut scene = Scene::new();
    let flood = scene.act(1);
    let passed = granted(&mut scene, &flood, 20_000, 0.001);
    assert!((3_900..4_100).contains(&passed), "{passed} of 20000 within 20 s");
    scene.limits = vec![Limit { id: Digest(9), per: Per::Session, ..Limit::PER_SOURCE }];
    let flood = scene.act(4);
    assert!(granted(&mut scene, &flood, 20_000, 0.001) < 4_100, "another limit lifts nothing");
    scene.limits = vec![Limit { id: Digest(9), amount: 600_000, ..Limit::PER_SOURCE }];
    let flood = scene.act(5);
    assert_eq!(granted(&mut scene, &flood, 20_000, 0.001), 20_000, "it is the policy that says");
    scene.limits.clear();
    let browser = scene.act(2);
    assert_eq!(granted(&mut scene, &browser, 400, 0.005), 400);
    let mut office = scene.act(3);
    office.identity.neighbours = 500;
    assert_eq!(granted(&mut scene, &office, 20_000, 0.001), 20_000);
}

#[test]
fn a_limit_that_makes_no_sense_still_divides_by_nothing() {
    let mut scene = Scene::new();
    let nothing =
        Limit { id: Digest(3), per: Per::Source, amount: 0, window_s: 0, burst: 0, of: None };
    let endless = Limit { amount: u32::MAX, window_s: 1, burst: u32::MAX, ..nothing };
    scene.limits = vec![nothing, endless];
    let act = scene.act(1);
    assert!(scene.signals(&act, DAY_S).is_empty());
    let mut learnt = act;
    learnt.endpoint = Some(EndpointId(1));
    scene.learn(&learnt, &answer(200, Role::Other), false, DAY_S);
}
