//! Every fuzz target on its seeds, on each of them cut short, spoilt and joined to the next, and on
//! what fuzzing has found before (`hostile/regressions`, a folder for each target).
//!
//! `make fuzz` draws on from there, guided by coverage.

#[path = "builtin/corpus.rs"]
mod corpus;
#[path = "builtin/place.rs"]
mod place;
#[path = "builtin/request.rs"]
mod request;
mod hostile {
    pub(crate) mod seeds;
    pub(crate) mod targets;
}

use std::path::Path;

use hostile::seeds::seeds;
use hostile::targets::TARGETS;

#[test]
fn targets_bear_their_seeds_and_what_was_found_before() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, run) in TARGETS {
        let seeds = seeds(name, folder);
        assert!(seeds.len() >= 20, "{name}: {} seeds", seeds.len());
        // Loading rules and asking each of each value take longest.
        let step = if matches!(name, "engine" | "seclang") { 8 } else { 1 };
        for (at, seed) in seeds.iter().enumerate().step_by(step) {
            run(seed);
            run(&seed[..seed.len() / 2]);
            run(&seed[seed.len() / 3..]);
            let next = &seeds[(at + 1) % seeds.len()];
            run(&[seed.as_slice(), next].concat());
            let mut spoilt = seed.clone();
            for at in (at % 7..spoilt.len()).step_by(7) {
                spoilt[at] ^= 0x21;
            }
            run(&spoilt);
        }
        let found = folder.join("tests/hostile/regressions").join(name);
        for entry in std::fs::read_dir(found).into_iter().flatten() {
            run(&std::fs::read(entry.expect("an entry").path()).expect("a file"));
        }
    }
}
