//! The Core Rule Set's own tests, from the folder `CRS4_DIR` (the Go module's layout).

use std::path::Path;

use conformance::{Rules, Suite};
use rules::engine::Engine;

#[test]
fn the_core_rule_set_does_what_its_tests_say() {
    let folder = std::env::var("CRS4_DIR").expect("CRS4_DIR names the folder of the rule set");
    let folder = Path::new(&folder);
    let set = conformance::load(&Rules::of(folder)).unwrap_or_else(|error| panic!("{error}"));
    let suite = Suite::read(&folder.join("tests")).unwrap_or_else(|error| panic!("{error}"));
    let report = conformance::run(&Engine::new(set), &suite);
    println!("{report}");
    assert!(report.per_mille() >= 998.0, "{report}");
}
