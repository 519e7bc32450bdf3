//! Loading: without an error, and with as many rules as the files have.

use std::time::Instant;

use expect_test::{Expect, expect};
use rules::rule_set::{RuleSet, Step};

use super::disk::Disk;
use super::sets::{crs3, crs4, folder};

fn load(files: &[String]) -> RuleSet {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let began = Instant::now();
    let set = RuleSet::load(&files, &Disk).unwrap_or_else(|error| panic!("{error}"));
    eprintln!("loaded in {} ms", began.elapsed().as_millis());
    set
}

/// How many rules, links, markers and notes there are.
fn counts(set: &RuleSet) -> String {
    let phases = set.phases.iter().map(|steps| {
        let is_rule = |step: &&Step| matches!(step, Step::Rule(_));
        steps.iter().filter(is_rule).count()
    });
    let phases: Vec<usize> = phases.collect();
    let markers = set.phases[0].iter().filter(|step| matches!(step, Step::Marker(_))).count();
    let links = set.rules().map(|rule| rule.links.len()).sum::<usize>();
    let chains = set.rules().filter(|rule| rule.links.len() > 1).count();
    format!(
        "rules by phase {phases:?}, links {links}, chains {chains}, markers {markers}, names of TX \
         {}, notes {}",
        set.tx_names.len(),
        set.notes.len()
    )
}

fn check(files: &[String], expected: &Expect) {
    expected.assert_eq(&counts(&load(files)));
}

#[test]
fn crs_4_loads() {
    check(
        &crs4(),
        &expect![[
            "rules by phase [173, 288, 43, 109, 13], links 698, chains 54, markers 30, names of TX 81, notes 4"
        ]],
    );
}

#[test]
fn crs_3_loads() {
    check(
        &crs3(),
        &expect![
            "rules by phase [147, 389, 24, 58, 16], links 800, chains 115, markers 40, names of TX 81, notes 118"
        ],
    );
}

#[test]
fn the_configuration_that_coraza_recommends_loads() {
    let file = folder("CRS4_DIR") + "/rules/@coraza.conf-recommended";
    check(
        &[file],
        &expect![[
            "rules by phase [3, 2, 0, 0, 0], links 5, chains 0, markers 0, names of TX 10, notes 6"
        ]],
    );
}
