//! How long the Core Rule Sets take to load, and how much memory they hold.
//!
//! `eval "$(scripts/fetch-crs.sh)"; cargo bench -p rules --bench load`

#[path = "../tests/data/disk.rs"]
mod disk;
#[path = "../tests/data/sets.rs"]
mod sets;

use std::{fs, time::Instant};

use rules::rule_set::RuleSet;

const LOADS: usize = 5;

fn main() {
    for (name, files) in [("CRS 4", sets::crs4()), ("CRS 3", sets::crs3())] {
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let before = resident_kb();
        let mut sets = Vec::new();
        let mut times = Vec::new();
        for _ in 0..LOADS {
            let began = Instant::now();
            match RuleSet::load(&files, &disk::Disk) {
                Ok(set) => sets.push(set),
                Err(error) => return eprintln!("{error}"),
            }
            times.push(began.elapsed().as_millis());
        }
        let kb = resident_kb().saturating_sub(before) / LOADS;
        println!("{name}: {times:?} ms, {kb} KB resident for each set");
    }
}

/// Linux tells it in pages of 4 KB.
fn resident_kb() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
    pages.map_or(0, |pages| pages * 4)
}
