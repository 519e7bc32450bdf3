//! No input makes a built-in rule, a parser, a transformation or a detector slow out of proportion.
//!
//! The generator makes inputs from each rule's own pattern; `cargo bench -p rules --bench worst`
//! measures them at 128 KB, for the Core Rule Set, too. Here they are small, and what is looked for
//! is time that grows faster than the input: eight times the bytes may take twenty times as long,
//! where a quadratic search would take sixty-four.

mod worst {
    pub(crate) mod disguise;
    pub(crate) mod pair;
    pub(crate) mod part;
    pub(crate) mod shape;
}

use rules::builtin::FILES;
use rules::rule_set::RuleSet;
use rules::seclang::Texts;
use worst::{pair, part};

const BYTES: usize = 4_096;

#[test]
fn no_built_in_rule_takes_long() {
    let texts: Texts = FILES.iter().copied().collect();
    let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
    let set = RuleSet::load(&names, &texts).unwrap_or_else(|error| panic!("{error}"));
    let costs = pair::costs(&set, BYTES, f64::INFINITY);
    assert!(costs.len() > 5_000, "{} pairs", costs.len());
    let limit_us = 20_000.0;
    let slow = costs.iter().filter(|cost| cost.single_us > limit_us);
    let slow: Vec<String> = slow
        .map(|cost| format!("{} {}: {:.0} us", cost.name, cost.input, cost.single_us))
        .collect();
    assert!(slow.is_empty(), "{}", slow.join("\n"));
    assert!(costs.iter().all(|cost| cost.growth.is_nan()), "nothing is measured twice here");
}

#[test]
fn no_parser_transformation_or_detector_takes_more_than_linear_time() {
    let mut wrong = Vec::new();
    for (name, input, run) in part::parts() {
        let few = part::spent_us(&run, &input(BYTES));
        let many = part::spent_us(&run, &input(8 * BYTES));
        // What takes less than this is measured in noise.
        if many > 20.0 * few.max(200.0) {
            wrong.push(format!("{name}: {few:.0} us, and {many:.0} us for eight times as much"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
