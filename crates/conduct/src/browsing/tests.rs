//! Scans, their evasions, and the broken pages that look like them.

use std::net::{IpAddr, Ipv6Addr};

use traffic::{EndpointId, Entity, Role};

use super::*;
use crate::scene::{DAY_S, Dice, Fate, Scene, answer};

const SCANNER: u32 = 900_000;
const OFFICE: u32 = 800_000;

/// A day of 500 honest callers, who now and then ask for something that is not there.
fn honest_day(scene: &mut Scene, dice: &mut Dice) {
    for caller in 0..500 {
        let begin_s = f64::from(caller) * 150.0;
        for step in 0..6 {
            let endpoint = (dice.part() * 12.0) as u32;
            let act = scene.page(caller, &format!("/page{endpoint}"), Some(endpoint));
            scene.visit(&act, 200, begin_s + f64::from(step));
        }
        if dice.happens(0.1) {
            let act = scene.page(caller, &format!("/old-page-{caller}-x"), None);
            scene.visit(&act, 404, begin_s + 10.0);
        }
    }
}

fn warm() -> Scene {
    let mut scene = Scene::new();
    honest_day(&mut scene, &mut Dice::new(2));
    scene
}

/// Tries words, ten a second, with known pages in between; how many misses reached the upstream.
fn scan(scene: &mut Scene, wanted: Wanted, ending: &str, known_between: u32) -> usize {
    let mut missed = 0;
    for word in 0..10_000_u32 {
        let at_s = DAY_S + f64::from(word) / 10.0;
        for page in 0..known_between {
            let number = (word * known_between + page) % 40;
            let act = scene.page(SCANNER, &format!("/page{number}"), Some(number));
            scene.visit(&act, 200, at_s);
        }
        let mut act = scene.page(SCANNER, &format!("/word{word}x{ending}"), None);
        act.wanted = wanted;
        missed += usize::from(scene.visit(&act, 404, at_s) == Fate::Passed);
    }
    missed
}

#[test]
fn a_word_list_is_stopped_within_ten_misses() {
    let missed = scan(&mut warm(), Wanted::Resource, "", 0);
    assert!((4..=10).contains(&missed), "warm: {missed}");
    let missed = scan(&mut Scene::new(), Wanted::Resource, "", 0);
    assert!((4..=10).contains(&missed), "cold: {missed}");
}

#[test]
fn known_pages_in_between_hide_a_scan_by_two_misses_at_most() {
    for known_between in [1, 3] {
        let missed = scan(&mut warm(), Wanted::Resource, "", known_between);
        assert!((5..=10).contains(&missed), "{known_between} between: {missed}");
    }
}

#[test]
fn a_scan_dressed_as_parts_of_a_page_takes_longer_and_is_stopped_too() {
    let rows = [
        (Wanted::Asset, ".png", 38),
        (Wanted::Preflight, "", 38),
        (Wanted::ClaimedAsset, "", 18),
        (Wanted::WellKnown, "", 12),
    ];
    for (wanted, ending, most) in rows {
        let missed = scan(&mut warm(), wanted, ending, 0);
        assert!((6..=most).contains(&missed), "{wanted:?}: {missed}");
    }
}

#[test]
fn other_refusals_of_unknown_paths_are_misses_too() {
    for status in [400, 401, 403, 405] {
        let mut scene = warm();
        let missed = (0..100)
            .filter(|word| {
                let act = scene.page(SCANNER, &format!("/word{word}x"), None);
                scene.visit(&act, status, DAY_S + f64::from(*word)) == Fate::Passed
            })
            .count();
        assert!(missed <= 10, "{status}: {missed}");
    }
}

#[test]
fn a_client_whose_session_ran_out_is_no_scanner_while_nothing_is_known() {
    let mut scene = Scene::new();
    for resource in 0..15 {
        let act = scene.page(1, &format!("/api/resource{resource}x"), None);
        assert_eq!(scene.visit(&act, 401, f64::from(resource)), Fate::Passed);
    }
    assert!(scene.worst < 6.9, "{}", scene.worst);
}

#[test]
fn a_broken_link_that_a_thousand_follow_blocks_nobody() {
    for shared in [false, true] {
        let mut scene = warm();
        for caller in 0..1_000 {
            let address = if shared { OFFICE } else { 2_000 + caller };
            let at_s = DAY_S + f64::from(caller);
            let broken = scene.page(address, "/newsletter/summer-sale", None);
            assert_eq!(scene.visit(&broken, 404, at_s), Fate::Passed);
            let next = scene.page(address, "/page1", Some(1));
            assert_eq!(scene.visit(&next, 200, at_s + 0.5), Fate::Passed);
        }
        assert!(scene.worst < 4.0, "{}", scene.worst);
    }
}

#[test]
fn what_many_miss_is_no_evidence_against_the_next() {
    let mut scene = warm();
    for caller in 0..100 {
        for link in 0..3 {
            let act = scene.page(2_000 + caller, &format!("/dead/link{link}x"), None);
            scene.visit(&act, 404, DAY_S + f64::from(caller));
        }
    }
    let late = scene.page(2_099, "/", None);
    assert!(scene.signals(&late, DAY_S + 100.0).is_empty());
}

#[test]
fn a_page_with_twelve_dead_images_blocks_nobody() {
    for (shared, wanted) in [
        (false, Wanted::Asset),
        (true, Wanted::Asset),
        (false, Wanted::ClaimedAsset),
        (true, Wanted::ClaimedAsset),
    ] {
        for mut scene in [Scene::new(), warm()] {
            for browser in 0..1_000 {
                let address = if shared { OFFICE } else { 2_000 + browser };
                let at_s = DAY_S + 20.0 * f64::from(browser);
                let page = scene.page(address, "/page1", Some(1));
                assert_eq!(scene.visit(&page, 200, at_s), Fate::Passed);
                for image in 0..12 {
                    let path = format!("/images/product-no{image}x.svg");
                    let mut act = scene.page(address, &path, None);
                    act.wanted = wanted;
                    assert_eq!(scene.visit(&act, 404, at_s + 0.1), Fate::Passed);
                }
            }
            assert!(scene.worst < 4.1, "{wanted:?}, shared {shared}: {}", scene.worst);
        }
    }
}

#[test]
fn missing_objects_walked_identifiers_and_customs_are_no_evidence() {
    let mut scene = warm();
    for number in 0..500 {
        let at_s = DAY_S + f64::from(number);
        let object = scene.page(1, &format!("/orders/ord-{number}x"), Some(5));
        assert_eq!(scene.visit(&object, 404, at_s), Fate::Passed);
        let walked = scene.page(2, &format!("/invoices/{number}"), None);
        assert_eq!(scene.visit(&walked, 404, at_s), Fate::Passed);
        let mut favicon = scene.page(3, &format!("/a{number}x/favicon.ico"), None);
        favicon.wanted = Wanted::Customary;
        assert_eq!(scene.visit(&favicon, 404, at_s), Fate::Passed);
        let failing = scene.page(4, &format!("/b{number}x"), None);
        assert_eq!(scene.visit(&failing, 503, at_s), Fate::Passed);
    }
    assert!(scene.worst < 2.5, "{}", scene.worst);
    let created = scene.page(5, "/new", Some(77));
    let created = Act { endpoint_known: false, ..created };
    scene.learn(&created, &answer(403, Role::Other), true, DAY_S);
    assert!(scene.signals(&created, DAY_S).is_empty());
}

#[test]
fn an_office_is_not_its_worst_member_but_the_member_is_seen() {
    let mut scene = warm();
    let member = |scene: &Scene, session: u64, path: &str| {
        let mut act = scene.page(OFFICE, path, None);
        act.identity.neighbours = 300;
        act.identity.session = Some(Digest(session));
        scene.keyed(act)
    };
    for word in 0..12 {
        let act = member(&scene, 1, &format!("/word{word}x"));
        scene.learn(&act, &answer(404, Role::Other), false, DAY_S + f64::from(word));
    }
    let (scanner, colleague) = (member(&scene, 1, "/"), member(&scene, 2, "/"));
    let signals = scene.signals(&scanner, DAY_S + 20.0);
    let most = signals.iter().max_by(|a, b| a.nats.total_cmp(&b.nats)).expect("evidence");
    assert_eq!(most.entity, Entity::Session(Digest(1)));
    assert!(most.nats > 11.5, "{most:?}");
    assert!(scene.nats(&colleague, Detector::ForcedBrowsing, DAY_S + 20.0) < 6.9);
}

#[test]
fn a_carriers_network_is_not_held_to_account_for_everybody_in_it() {
    let mut scene = warm();
    for subscriber in 0..2_000_u16 {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 7, subscriber, 0, 0, 0, 1);
        let act = scene.page(0, &format!("/typo{subscriber}x"), None);
        let identity = scene.act_from(IpAddr::V6(address)).identity;
        let act = scene.keyed(Act { identity, ..act });
        let at_s = DAY_S + f64::from(subscriber);
        assert_eq!(scene.visit(&act, 404, at_s), Fate::Passed);
    }
    assert_eq!(scene.worst, 0.0);
}

#[test]
fn one_v6_network_cannot_pass_its_word_list_off_as_broken_links() {
    let mut scene = warm();
    let from = |scene: &Scene, host: u16| {
        let address = Ipv6Addr::new(0x2001, 0xdb8, 7, host, 0, 0, 0, 1);
        let act = scene.page(0, "/hidden-x", None);
        scene.keyed(Act { identity: scene.act_from(IpAddr::V6(address)).identity, ..act })
    };
    for host in 0..100 {
        let act = from(&scene, host);
        scene.learn(&act, &answer(404, Role::Other), false, DAY_S);
    }
    let last = from(&scene, 99);
    assert!(scene.nats(&last, Detector::ForcedBrowsing, DAY_S) > 2.0);
}

#[test]
fn it_is_forgotten_within_hours_and_told_in_a_sentence() {
    let mut scene = warm();
    for word in 0..4 {
        let act = scene.page(SCANNER, &format!("/word{word}x"), None);
        scene.visit(&act, 404, DAY_S);
    }
    let act = scene.page(SCANNER, "/", None);
    let signals = scene.signals(&act, DAY_S + 1.0);
    let told = signals[0].reason.to_string();
    assert!(told.starts_with("4 distinct paths that do not exist (normal here "), "{told}");
    assert!(signals[0].nats > 6.9);
    assert!(scene.nats(&act, Detector::ForcedBrowsing, 1.5 * DAY_S) < 0.6);
}

#[test]
fn hosts_without_end_share_one_baseline() {
    let mut scene = Scene::new();
    for host in 0..2_000 {
        let mut act = scene.page(host, "/page", Some(1));
        act.service = Some(ServiceId(host));
        act.endpoint = Some(EndpointId(host));
        scene.visit(&act, 200, f64::from(host));
    }
    assert!(scene.conduct.baselines().len() <= ServiceId::MAX + 1);
}
