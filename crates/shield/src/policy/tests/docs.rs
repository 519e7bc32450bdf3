//! docs/configuration.md and the code name the same keys, and the examples in it are real.

use std::collections::BTreeSet;

use super::*;
use crate::policy::document::SHAPES;

const MANUAL: &str = include_str!("../../../../../docs/configuration.md");

/// Keys that hold a table of other keys; these are documented, not the table.
const TABLES: [&str; 21] = [
    "server",
    "admin",
    "tls",
    "limits",
    "store",
    "site",
    "server.request_id",
    "limits.h2",
    "store.retention",
    "debug",
    "crawler",
    "alerts",
    "alerts.webhook",
    "alerts.syslog",
    "export",
    "export.ocsf",
    "rules",
    "site.health",
    "site.protect",
    "site.route",
    "site.route.protect",
];

#[test]
fn the_manual_documents_each_key_and_no_other() {
    let documented: BTreeSet<String> = MANUAL
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(key, _)| key.to_owned())
        .filter(|key| key.contains('.') || key == "version")
        .collect();
    let known: BTreeSet<String> = SHAPES
        .iter()
        .filter(|shape| shape.prefix != "layer.")
        .flat_map(|shape| shape.keys.iter().map(|key| format!("{}{key}", shape.prefix)))
        .filter(|key| !TABLES.contains(&key.as_str()))
        .collect();
    assert_eq!(documented, known);
}

#[test]
fn the_manual_names_each_layer() {
    for layer in Layer::ALL {
        assert!(MANUAL.contains(&format!("| `{layer}` |")), "{layer}");
    }
}

#[test]
fn the_manual_states_the_defaults_that_hold() {
    let policy = loaded(SITE);
    for view in policy.settings() {
        let key = view.key.replace("site.default.", "site.");
        if key.starts_with("site.protect.") {
            assert_eq!(view.value, "monitor");
            continue;
        }
        let row = MANUAL.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
        let row = row.unwrap_or_else(|| panic!("{key} is not documented"));
        let default = row.split('|').nth(2).expect("a default").trim();
        let value = match view.value.as_str() {
            "" => "none",
            value => value,
        };
        let is_required = default == "required";
        assert!(is_required || default.contains(value), "{key} is {value}, not {default}");
    }
}

#[test]
fn every_example_of_the_manual_is_a_policy() {
    let examples: Vec<&str> = MANUAL
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(example, _)| example)
        .collect();
    assert!(examples.len() >= 3);
    for example in examples {
        let (_, warnings) = match example.contains("# overlay.toml") {
            true => load(&Sources { overlay: Some(("overlay.toml", example)), ..of_file(SHOP) }),
            false => load(&of_file(example)),
        }
        .unwrap_or_else(|errors| panic!("{}\n{example}", shown(errors)));
        assert!(warnings.is_empty(), "{}\n{example}", shown(warnings));
    }
}

/// What the overlay of the manual switches.
const SHOP: &str = "version = 1\n[[site]]\nname = \"shop\"\nupstream = \"http://a\"\n\
                    [[site.route]]\nmatch = \"POST /v1/login\"\n";
