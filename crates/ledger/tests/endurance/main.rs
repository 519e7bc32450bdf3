//! What the ledger survives: kill -9 at any moment, a full disk, a second instance, a last kill
//! while state is saved.
//!
//! These need processes that die and files that stop growing, so this test has no harness: it runs
//! itself as a child that writes, and judges by what the child had said before it died.
//! `PALISADE_KILLS` sets the number of kills (10; `make soak` uses more).

mod child;
mod disk;
mod kill;

use std::io::Write as _;

/// A scenario and what it shows.
type Scenario = (&'static str, fn());

const SCENARIOS: [Scenario; 6] = [
    ("a_kill_loses_nothing_acknowledged", kill::loses_nothing_acknowledged),
    ("a_kill_releases_the_folder", kill::releases_the_folder),
    ("a_full_disk_drops_counts_and_recovers", disk::full_drops_counts_and_recovers),
    ("a_file_that_may_not_grow_is_a_full_disk", disk::limited_files_are_a_full_disk),
    (
        "a_start_on_a_full_disk_reads_what_is_there",
        disk::a_start_on_a_full_disk_reads_what_is_there,
    ),
    ("an_orderly_end_loses_nothing", kill::orderly_end_loses_nothing),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [role, folder] = arguments.as_slice()
        && let Some(work) = child::role(role)
    {
        work(std::path::Path::new(folder));
        return;
    }
    let wanted = arguments.iter().find(|argument| !argument.starts_with('-'));
    for (name, scenario) in SCENARIOS {
        if wanted.is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        print!("test {name} ... ");
        std::io::stdout().flush().expect("stdout");
        // A failure panics, which ends the run with its message and a failing exit code.
        scenario();
        println!("ok");
    }
}
