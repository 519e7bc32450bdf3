//! The worst that input can do to rules: for each rule and its transformations the inputs that are
//! made from its pattern, of 128 KB, and of 256 KB where that takes two milliseconds; then the
//! parsers, transformations and detectors alone. Thread CPU; a table of the worst.
//!
//! `CRS4_DIR` and `CRS3_DIR` name the Core Rule Sets (scripts/fetch-crs.sh gets them); `ONLY` names
//! one of `builtin`, `crs4`, `crs3` and `parts`, and `RULES` some rules of these.

#[path = "../tests/data/disk.rs"]
mod disk;

#[path = "../tests/worst"]
mod worst {
    pub(crate) mod disguise;
    pub(crate) mod pair;
    pub(crate) mod part;
    pub(crate) mod shape;
}

use disk::Disk;
use rules::builtin::FILES;
use rules::rule_set::{RuleSet, Step};
use rules::seclang::{Files as _, Texts};
use worst::pair::{self, Cost, GROWTH_MAX};
use worst::part;

/// As the program has it: that of the system gives large pieces back each time, and pays again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BYTES: usize = 128 * 1024;
/// What 99 of 100 pairs take at most, and what all do.
const USUAL_MAX_US: f64 = 20_000.0;
const MAX_US: f64 = 60_000.0;
/// Below this, memory that the system hands out anew is a part of the time that may jump.
const NOISE_US: f64 = 2_000.0;
const SHOWN: usize = 15;

fn main() {
    if std::env::args().any(|word| word == "--list") {
        return;
    }
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut missed = Vec::new();
    for (name, mut set) in sets(&only) {
        set.phases.iter_mut().for_each(|steps| steps.retain(is_chosen));
        report(&name, pair::costs(&set, BYTES, NOISE_US), &mut missed);
    }
    if only.is_empty() || only == "parts" {
        report("parts", parts(), &mut missed);
    }
    assert!(missed.is_empty(), "missed: {}", missed.join("; "));
}

fn is_chosen(step: &Step) -> bool {
    let Ok(chosen) = std::env::var("RULES") else { return true };
    match step {
        Step::Rule(rule) => chosen.split(',').any(|id| id == rule.id.to_string()),
        Step::Marker(_) => false,
    }
}

fn sets(only: &str) -> Vec<(String, RuleSet)> {
    let wanted = |name: &str| only.is_empty() || only == name;
    let mut sets = Vec::new();
    if wanted("builtin") {
        let texts: Texts = FILES.iter().copied().collect();
        let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        sets.push(("builtin".to_owned(), loaded(RuleSet::load(&names, &texts))));
    }
    for (name, variable, folders) in [
        ("crs4", "CRS4_DIR", &["rules/@crs-setup.conf.example", "rules/@owasp_crs/*.conf"]),
        (
            "crs3",
            "CRS3_DIR",
            &["etc/modsecurity/crs/crs-setup.conf", "usr/share/modsecurity-crs/rules/*.conf"],
        ),
    ] {
        let Some(root) = std::env::var(variable).ok().filter(|_| wanted(name)) else { continue };
        let files = folders
            .iter()
            .flat_map(|path| Disk.expand(&format!("{root}/{path}")).expect("the folder of rules"));
        let files: Vec<String> = files.collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        sets.push((name.to_owned(), loaded(RuleSet::load(&files, &Disk))));
    }
    sets
}

fn loaded(set: Result<RuleSet, rules::seclang::LoadError>) -> RuleSet {
    set.unwrap_or_else(|error| panic!("{error}"))
}

fn parts() -> Vec<Cost> {
    let costs = part::parts().into_iter().map(|(name, input, run)| {
        let (few, many) = (input(BYTES), input(2 * BYTES));
        let single_us = part::spent_us(&run, &few);
        let growth = if single_us > NOISE_US {
            pair::grown(|| part::spent_us(&run, &few), || part::spent_us(&run, &many)).1
        } else {
            f64::NAN
        };
        Cost { name, input: String::new(), single_us, growth }
    });
    costs.collect()
}

/// Prints the worst, and notes what misses a bar.
fn report(name: &str, mut costs: Vec<Cost>, missed: &mut Vec<String>) {
    costs.sort_by(|one, other| other.single_us.total_cmp(&one.single_us));
    let above = |limit: f64| costs.iter().filter(|cost| cost.single_us > limit).count();
    let usual = 100.0 * (1.0 - above(USUAL_MAX_US) as f64 / costs.len().max(1) as f64);
    let grown: Vec<&Cost> = costs.iter().filter(|cost| cost.growth > GROWTH_MAX).collect();
    println!(
        "\n{name}: {} pairs, {usual:.2} % within {:.0} ms, {} above {:.0} ms, {} grow by more than {GROWTH_MAX}",
        costs.len(),
        USUAL_MAX_US / 1e3,
        above(MAX_US),
        MAX_US / 1e3,
        grown.len()
    );
    let line = |cost: &Cost| {
        println!(
            "{:>9.1} ms {:>5.2} x  {:<14} {}",
            cost.single_us / 1e3,
            cost.growth,
            cost.name,
            cost.input
        );
    };
    costs.iter().take(SHOWN).for_each(line);
    println!("-- growth");
    grown.iter().take(SHOWN).for_each(|cost| line(cost));
    if usual < 99.0 || above(MAX_US) > 0 || !grown.is_empty() {
        missed.push(name.to_owned());
    }
}
