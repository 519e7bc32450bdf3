//! Switches are written so that the last one wins, and what is off stays off until it is named.

use expect_test::{Expect, expect};
use traffic::{Layer, Mode};

use super::way_back::switches;
use super::*;
use crate::policy::{Sources, load};

const FILE: &str = r#"version = 1
[[site]]
name = "shop"
hosts = ["shop.example"]
upstream = "http://a"
  [[site.route]]
  match = "POST /login"
[[site]]
name = "blog"
hosts = ["blog.example"]
upstream = "http://b"
"#;

const ALL: Option<Mode> = None;

fn scope(site: &str, route: &str, layers: &[Layer]) -> ModeScope {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    ModeScope { site: some(site), route: some(route), layers: layers.to_vec() }
}

fn switched(switches: &[(ModeScope, Option<Mode>)]) -> String {
    switches.iter().fold(String::new(), |text, (scope, mode)| {
        set_mode(&text, scope, *mode).expect("an overlay")
    })
}

/// The modes of rate and recon on shop, its log-in, and blog.
fn check(switches: &[(ModeScope, Option<Mode>)], expected: [[Mode; 2]; 3]) {
    let overlay = switched(switches);
    let sources = Sources {
        file: Some(("palisade.toml", FILE)),
        overlay: Some(("overlay.toml", &overlay)),
        ..Sources::default()
    };
    let (policy, warnings) = load(&sources).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert!(warnings.is_empty(), "{warnings:?}");
    let (shop, blog) = (&policy.sites[0], &policy.sites[1]);
    let found = [&shop.modes, &shop.routes[0].modes, &blog.modes]
        .map(|modes| [modes.of(Layer::Rate), modes.of(Layer::Recon)]);
    assert_eq!(found, expected, "{overlay}");
}

const M: Mode = Mode::Monitor;
const E: Mode = Mode::Enforce;
const O: Mode = Mode::Off;
const RATE: [Layer; 1] = [Layer::Rate];
const LOGIN: &str = "POST /login";

#[test]
fn a_switch_reaches_what_it_names() {
    check(&[], [[M, M], [M, M], [M, M]]);
    check(&[(scope("", "", &[]), Some(E))], [[E, E], [E, E], [E, E]]);
    check(&[(scope("", "", &RATE), Some(E))], [[E, M], [E, M], [E, M]]);
    check(&[(scope("shop", "", &[]), Some(E))], [[E, E], [E, E], [M, M]]);
    check(&[(scope("shop", "", &RATE), Some(E))], [[E, M], [E, M], [M, M]]);
    check(&[(scope("shop", LOGIN, &[]), Some(E))], [[M, M], [E, E], [M, M]]);
    check(&[(scope("shop", LOGIN, &RATE), Some(E))], [[M, M], [E, M], [M, M]]);
}

#[test]
fn the_last_switch_wins_however_wide() {
    let everywhere = || scope("", "", &[]);
    let narrow = [
        (scope("shop", "", &[]), Some(E)),
        (scope("shop", LOGIN, &RATE), Some(E)),
        (scope("blog", "", &RATE), Some(E)),
    ];
    let with = |last: (ModeScope, Option<Mode>)| {
        let mut switches = narrow.to_vec();
        switches.push(last);
        switches
    };
    check(&with((everywhere(), Some(M))), [[M, M], [M, M], [M, M]]);
    check(&with((everywhere(), Some(O))), [[O, O], [O, O], [O, O]]);
    check(&with((scope("", "", &RATE), Some(M))), [[M, E], [M, E], [M, M]]);
    check(&with((scope("shop", "", &[]), Some(M))), [[M, M], [M, M], [E, M]]);
    check(&with((scope("shop", "", &RATE), Some(M))), [[M, E], [M, E], [E, M]]);
    check(&with((everywhere(), ALL)), [[M, M], [M, M], [M, M]]);
}

#[test]
fn off_outlives_a_wider_switch() {
    let off_login = (scope("shop", LOGIN, &[]), Some(O));
    let off_rate = (scope("shop", "", &RATE), Some(O));
    let enforce = (scope("", "", &[]), Some(E));
    check(&[off_login.clone(), enforce.clone()], [[E, E], [O, O], [E, E]]);
    check(&[off_rate.clone(), enforce.clone()], [[O, E], [O, E], [E, E]]);
    check(
        &[off_rate, enforce.clone(), (scope("shop", "", &RATE), Some(E))],
        [[E, E], [E, E], [E, E]],
    );
    check(&[off_login, enforce, (scope("shop", LOGIN, &[]), Some(M))], [[E, E], [M, M], [E, E]]);
}

#[test]
fn a_killed_layer_comes_back_only_by_its_name_everywhere() {
    let kill = (scope("", "", &RATE), Some(O));
    check(std::slice::from_ref(&kill), [[O, M], [O, M], [O, M]]);
    check(&[kill.clone(), (scope("", "", &[]), Some(E))], [[O, E], [O, E], [O, E]]);
    check(&[kill.clone(), (scope("shop", LOGIN, &RATE), Some(E))], [[O, M], [O, M], [O, M]]);
    check(&[kill.clone(), (scope("", "", &RATE), Some(E))], [[E, M], [E, M], [E, M]]);
    check(&[kill.clone(), (scope("", "", &RATE), None)], [[M, M], [M, M], [M, M]]);
    check(&[kill, (scope("", "", &[]), None)], [[M, M], [M, M], [M, M]]);
}

#[test]
fn taking_back_leaves_nothing_behind() {
    for set in [scope("", "", &[]), scope("shop", "", &RATE), scope("shop", LOGIN, &[])] {
        let text = switched(&[(set.clone(), Some(E)), (set, None)]);
        assert_eq!(text, switched(&[(scope("", "", &[]), None)]));
    }
}

fn check_text(switches: &[(ModeScope, Option<Mode>)], expected: Expect) {
    expected.assert_eq(&switched(switches));
}

#[test]
fn the_text_is_for_people_too() {
    check_text(
        &[
            (scope("", "", &[]), Some(E)),
            (scope("", "", &[Layer::Leak]), Some(O)),
            (scope("shop", "", &[Layer::Rate, Layer::Recon]), Some(M)),
            (scope("shop", LOGIN, &[]), Some(O)),
        ],
        expect![[r##"
            # Modes switched on the running instance; they beat palisade.toml and --mode.
            # `palisade enforce`, `monitor`, `off` and `inherit` write here.
            version = 1
            mode = "enforce"

            [layers]
            off = ["leak"]

            [site.shop.protect]
            rate = "monitor"
            recon = "monitor"

            [site.shop.route."POST /login"]
            mode = "off"
        "##]],
    );
}

#[test]
fn comments_of_a_person_stay() {
    let text = "# do not touch before Monday\nversion = 1\nmode = \"monitor\" # Ana\n";
    let after = set_mode(text, &scope("", "", &RATE), Some(E)).expect("an overlay");
    assert!(after.starts_with(text), "{after}");
    let inline = "version = 1\nsite = { shop = { mode = \"off\" } }\n";
    let after = set_mode(inline, &scope("shop", "", &RATE), Some(E)).expect("an overlay");
    let sources = Sources {
        file: Some(("palisade.toml", FILE)),
        overlay: Some(("overlay.toml", &after)),
        ..Sources::default()
    };
    let (policy, _) = load(&sources).unwrap_or_else(|errors| panic!("{errors:?}\n{after}"));
    assert_eq!(policy.sites[0].modes.of(Layer::Rate), E);
    assert_eq!(policy.sites[0].modes.of(Layer::Recon), O);
}

#[test]
fn what_is_no_overlay_is_not_edited() {
    for text in ["mode = ", "site = 1\n", "protect = []\n", "[layers]\noff = true\n"] {
        assert!(
            set_mode(text, &scope("shop", "", &RATE), Some(E)).is_err()
                || text.contains("off")
                || text.contains("protect"),
            "{text}"
        );
        assert!(set_mode(text, &scope("", "", &RATE), Some(E)).is_err(), "{text}");
    }
}

#[test]
fn an_overlay_with_mistakes_is_refused_like_a_file() {
    let overlay = "version = 1\nmode = \"enforced\"\n[layers]\noff = [\"recno\"]\n[site.shop]\n\
                   modes = \"off\"\n[site.shop.route.\"GT /a\"]\nmode = \"off\"\n";
    let sources = Sources {
        file: Some(("palisade.toml", FILE)),
        overlay: Some(("overlay.toml", overlay)),
        ..Sources::default()
    };
    let errors = load(&sources).expect_err("the overlay is refused");
    let shown: Vec<_> = errors.iter().map(ToString::to_string).collect();
    expect![[r#"
        overlay.toml:2:8: `mode`: unknown value "enforced"
        2 | mode = "enforced"
          |        ^^^^^^^^^^
        help: did you mean "enforce"?

        overlay.toml:4:8: `off`: unknown value "recno"
        4 | off = ["recno"]
          |        ^^^^^^^
        help: did you mean "recon"?

        overlay.toml:6:1: unknown key `modes` in [site.NAME]
        6 | modes …
          | ^^^^^
        help: did you mean `mode`?

        overlay.toml:7:18: unknown method "GT"
        7 | [site.shop.route."GT /a"]
          |                  ^^^^^^^
        help: did you mean "GET /a"?"#]]
    .assert_eq(&shown.join("\n\n"));
}

#[test]
fn whatever_was_switched_the_way_back_leads_there() {
    let places = [("", ""), ("shop", ""), ("shop", LOGIN)];
    let layers: [&[Layer]; 3] = [&[], &RATE, &[Layer::Rate, Layer::Recon]];
    let mut possible = Vec::new();
    for (site, route) in places {
        for layers in layers {
            possible.extend(
                [None, Some(M), Some(E), Some(O)].map(|mode| (scope(site, route, layers), mode)),
            );
        }
    }
    for first in &possible {
        for second in &possible {
            let before = switched(&[first.clone(), second.clone()]);
            for (scope, mode) in &possible {
                let after = set_mode(&before, scope, *mode).expect("an overlay");
                let way = way_back(&before, &after, scope).expect("overlays");
                let back = way.iter().fold(after, |text, switch| {
                    set_mode(&text, &switch.scope, switch.mode).expect("an overlay")
                });
                let [said, wanted] = [&back, &before].map(|text| switches(text).expect("overlay"));
                assert_eq!(said, wanted, "{scope:?} {mode:?} {way:?}");
            }
        }
    }
}

#[test]
fn the_way_back_is_short_and_brings_back_what_was_covered() {
    let before = switched(&[(scope("", "", &RATE), Some(M))]);
    let after = set_mode(&before, &scope("", "", &[]), Some(E)).expect("an overlay");
    let way = way_back(&before, &after, &scope("", "", &[])).expect("overlays");
    let expected = [(scope("", "", &[]), None), (scope("", "", &RATE), Some(M))];
    assert_eq!(way, expected.map(|(scope, mode)| ModeSwitch { scope, mode }));
    let fresh = set_mode("", &scope("shop", "", &RATE), Some(E)).expect("an overlay");
    let way = way_back("", &fresh, &scope("shop", "", &RATE)).expect("overlays");
    assert_eq!(way, [ModeSwitch { scope: scope("shop", "", &RATE), mode: None }]);
}
