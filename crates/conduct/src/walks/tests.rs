//! Walkers, and those who only look like one.

use traffic::{Detector, HashKey, Hasher, Path, Reason, Role};

use super::*;
use crate::scene::{DAY_S, HOUR_S, Scene, answer};
use crate::variant::Variant;

/// Somebody at `address` asks for `path`, which the catalog knows as `endpoint` or not at all.
fn page(scene: &Scene, address: u32, path: &str, endpoint: Option<u32>) -> Act {
    let mut act = scene.page(address, path, endpoint);
    let hasher = Hasher::new(HashKey::new([5; 16]));
    act.variant = Variant::of(&Path::parse(path.as_bytes(), &hasher), &hasher);
    act
}

fn visit(scene: &mut Scene, act: &Act, status: u16, at_s: f64) {
    scene.learn(act, &answer(status, Role::Other), false, at_s);
}

/// A town that has used `/api/v2/orders` and `/api/v2/products` for a while.
fn in_use() -> Scene {
    let mut scene = Scene::new();
    for n in 0..50 {
        let orders = page(&scene, 100 + n, "/api/v2/orders", Some(1));
        visit(&mut scene, &orders, 200, f64::from(n) * 100.0);
        let products = page(&scene, 100 + n, "/api/v2/products", Some(2));
        visit(&mut scene, &products, 200, f64::from(n) * 100.0);
    }
    scene
}

fn nats(scene: &mut Scene, address: u32, at_s: f64) -> f32 {
    let act = page(scene, address, "/api/v2/orders", Some(1));
    scene.nats(&act, Detector::VersionWalk, at_s)
}

#[test]
fn other_versions_and_copies_add_up_wherever_they_stand() {
    let mut scene = in_use();
    for (n, path) in
        ["/api/v1/orders", "/api/v3/products", "/beta/api/orders", "/api/v2/orders.bak"]
            .into_iter()
            .enumerate()
    {
        let act = page(&scene, 5, path, None);
        visit(&mut scene, &act, 404, 2.0 * HOUR_S + n as f64);
    }
    assert!(nats(&mut scene, 5, 2.0 * HOUR_S + 10.0) >= 3.9);
    assert_eq!(nats(&mut scene, 6, 2.0 * HOUR_S + 10.0), 0.0);
}

#[test]
fn an_old_app_that_asks_for_a_version_that_is_gone_does_one_thing() {
    let mut scene = in_use();
    for n in 0..100 {
        let path = if n % 2 == 0 { "/api/v1/orders" } else { "/api/v1/products" };
        let act = page(&scene, 5, path, None);
        visit(&mut scene, &act, 404, 2.0 * HOUR_S + f64::from(n));
    }
    assert!(nats(&mut scene, 5, 2.0 * HOUR_S + 200.0) < 3.0);
}

#[test]
fn what_nobody_uses_has_no_versions_to_walk_through() {
    let mut scene = in_use();
    for n in 1..9 {
        let act = page(&scene, 5, &format!("/v{n}/admin"), None);
        visit(&mut scene, &act, 404, 2.0 * HOUR_S + f64::from(n));
    }
    assert_eq!(nats(&mut scene, 5, 2.0 * HOUR_S + 10.0), 0.0);
}

#[test]
fn an_old_version_that_answers_is_found_once_and_a_new_one_is_none() {
    let mut scene = in_use();
    let found = |scene: &Scene, path: &str, at_s: f64| {
        let act = page(scene, 5, path, None);
        scene.conduct.finds(&act, &answer(200, Role::Other), crate::scene::time(at_s))
    };
    let at_s = 2.0 * HOUR_S;
    for path in ["/api/v1/orders", "/api/internal/orders", "/api/orders.old"] {
        let signal = found(&scene, path, at_s).expect(path);
        assert_eq!(signal.reason, Reason::Forgotten { days: 0 });
    }
    assert_eq!(found(&scene, "/api/v3/orders", at_s), None, "a release");
    assert_eq!(found(&scene, "/api/v2/carts", at_s), None, "a new endpoint");
    let act = page(&scene, 5, "/api/v7/orders", None);
    visit(&mut scene, &act, 404, at_s);
    assert!(found(&scene, "/api/v3/orders", at_s + 1.0).is_some(), "after another was tried");
}

#[test]
fn an_endpoint_that_nobody_used_for_long_is_found_by_a_stranger() {
    let mut scene = in_use();
    let mut act = page(&scene, 5, "/export", Some(9));
    act.unused_days = 41;
    let now = crate::scene::time(50.0 * DAY_S);
    let signal = scene.conduct.finds(&act, &answer(200, Role::Other), now).expect("found");
    assert_eq!(signal.reason.to_string(), "it answers, and nobody used it for 41 days");
    assert_eq!(scene.conduct.finds(&act, &answer(404, Role::Other), now), None);
    visit(&mut scene, &act, 200, 50.0 * DAY_S);
    assert!(scene.nats(&act, Detector::VersionWalk, 50.0 * DAY_S + 1.0) >= 1.9);
    act.identity.established = true;
    assert_eq!(scene.conduct.finds(&act, &answer(200, Role::Other), now), None);
}
