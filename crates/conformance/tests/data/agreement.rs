//! What makes the rules fast leaves nothing out: the sieve and a plain evaluation of every rule
//! find the same under the Core Rule Sets, over the tests of version 4, the corpus of the built-in
//! rules, and both of them changed. A tenth of `PALISADE_SEEDS` says how
//! many times requests are drawn.

use std::path::{Path, PathBuf};

use conformance::{Suite, exchange};
use rules::engine::{Engine, Transaction};

use super::sets::{Mode, set};
use crate::agreement::compare::{self, Pair};
use crate::agreement::requests;

fn run(engine: &Engine, spare: Option<Transaction>, raw: &[u8]) -> Transaction {
    exchange(engine, spare, raw, "exchange-1").0
}

fn suite() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(std::env::var("CRS4_DIR").expect("CRS4_DIR names a folder"));
    let suite = Suite::read(&folder.join("tests")).unwrap_or_else(|error| panic!("{error}"));
    suite.requests().collect()
}

/// Compares both engines of a set on everything.
fn agree(version: u8, level: u8, mode: Mode) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/corpus");
    let pair = Pair::new(set(version, level, mode));
    let name = format!("CRS {version} at level {level}");
    let suite = suite();
    pair.agree(&format!("{name}, its tests"), &suite, run);
    for seed in 1..=compare::seeds() {
        let corpus = requests::of_corpus(&corpus, 1, seed);
        pair.agree(&format!("{name}, corpus {seed}"), &corpus, run);
        for (what, of) in [("tests", &suite), ("corpus", &corpus)] {
            let mutants = requests::mutants(of, seed);
            pair.agree(&format!("{name}, {what} changed {seed}"), &mutants, run);
        }
    }
}

#[test]
fn crs_4_finds_the_same_sieved_and_plain_at_level_1() {
    agree(4, 1, Mode::On);
}

#[test]
fn crs_4_finds_the_same_sieved_and_plain_at_level_4() {
    agree(4, 4, Mode::Detect);
}

#[test]
fn crs_3_finds_the_same_sieved_and_plain_at_level_1() {
    agree(3, 1, Mode::On);
}

#[test]
fn crs_3_finds_the_same_sieved_and_plain_at_level_4() {
    agree(3, 4, Mode::Detect);
}
