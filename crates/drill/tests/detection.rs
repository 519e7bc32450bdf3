//! Every scenario of the repository, through the real engine in virtual time.
//!
//! `PALISADE_SEEDS` says over how many seeds; the bars are meant for 100 (`make soak`), and a few
//! keep every build honest.

use std::path::Path;

use drill::town::scenario::Scenario;

#[test]
fn every_scenario_holds() {
    let seeds =
        std::env::var("PALISADE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3_u64);
    let only = std::env::var("PALISADE_SCENARIO").unwrap_or_default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the scenarios folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter(|path| path.to_string_lossy().contains(&only))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no scenario in {}", folder.display());
    let mut complaints = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a readable scenario");
        let scenario =
            Scenario::parse(&text).unwrap_or_else(|error| panic!("{}: {error:#}", path.display()));
        for measured in scenario.run(1..=seeds).expect("a run") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            println!(
                "{name:28} {:14} {:10} p50 {:>6}  p95 {:>6}  max {:>6}  over {seeds} seeds",
                measured.expectation.of,
                measured.expectation.measure,
                measured.percentile(50),
                measured.percentile(95),
                measured.percentile(100),
            );
            complaints.extend(measured.complaint().map(|complaint| format!("{name}: {complaint}")));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
