//! The targets of the crate `rules` for libFuzzer: `TARGET` names one, `SEEDS` a folder into which
//! its seeds are written first.
#![no_main]

#[path = "../../../crates/rules/tests/builtin/corpus.rs"]
mod corpus;
#[path = "../../../crates/rules/tests/builtin/place.rs"]
mod place;
#[path = "../../../crates/rules/tests/builtin/request.rs"]
mod request;
#[path = "../../../crates/rules/tests/hostile/seeds.rs"]
mod seeds;
#[path = "../../../crates/rules/tests/hostile/targets.rs"]
mod targets;

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

/// The target, after its seeds were written.
static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let wanted = std::env::var("TARGET").expect("TARGET names a target");
    let known = targets::TARGETS.iter().find(|(name, _)| *name == wanted);
    let (name, run) = known.unwrap_or_else(|| panic!("there is no target {wanted}"));
    if let Ok(folder) = std::env::var("SEEDS") {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/rules");
        for (number, seed) in seeds::seeds(name, &rules).iter().enumerate() {
            let path = Path::new(&folder).join(format!("seed-{number}"));
            std::fs::write(path, seed).expect("a folder for seeds");
        }
    }
    *run
});

// What a target prepares once is no part of what an input costs.
fuzz_target!(init: { TARGET(b""); }, |bytes: &[u8]| TARGET(bytes));
