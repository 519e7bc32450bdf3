//! A disk that takes nothing more: handing in goes on, drops are counted, and it recovers alone.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ledger::{EventFilter, Ledger, Options};

use crate::child::Writing;

/// Handing in may never wait for the disk; this is for a machine that is busy with other things.
const HANDED_IN_WITHIN: Duration = Duration::from_millis(500);

/// One report of the child.
#[derive(Debug)]
struct Report {
    is_faulty: bool,
    written: u64,
    dropped: u64,
    handed_in: u64,
    worst: Duration,
    decision_stored: bool,
    latest_answers: bool,
}

/// A disk of a few megabytes, where this may be mounted; else a file system with a limit on files
/// does the same, which the other scenario shows.
pub(crate) fn full_drops_counts_and_recovers() {
    let mounted = tempfile::tempdir().expect("a folder");
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"])
        .arg(mounted.path())
        .status();
    if !mount.is_ok_and(|status| status.success()) {
        print!("(no tmpfs here, by a limit on files instead) ");
        return limited_files_are_a_full_disk();
    }
    let outcome = std::panic::catch_unwind(|| {
        let folder = mounted.path().join("data");
        let ballast = mounted.path().join("ballast");
        let mut writing = Writing::start("write-on-a-small-disk", &folder, "");
        wait_until(&writing, |report| !report.is_faulty && report.written > 200);
        fill(&ballast);
        faulty_but_running(&writing);
        fs::remove_file(&ballast).expect("removed");
        recovered(&mut writing, &folder);
    });
    let unmounted = Command::new("umount").arg(mounted.path()).status().expect("umount runs");
    assert!(unmounted.success());
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure);
    }
}

/// Without privileges: no file may grow beyond 400 KiB, until the limit is lifted.
pub(crate) fn limited_files_are_a_full_disk() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("data");
    let shell = "trap '' XFSZ; ulimit -S -f 800;";
    let mut writing = Writing::start("write-on-a-small-disk", &folder, shell);
    faulty_but_running(&writing);
    lift_limit(&writing);
    recovered(&mut writing, &folder);
}

/// A full disk must not turn a restart into an outage: what is there is read, and writing begins
/// once there is room.
pub(crate) fn a_start_on_a_full_disk_reads_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut before = Writing::start("write-and-end", folder.path(), "");
    assert!(before.process.wait().expect("ends").success());
    let shell = "trap '' XFSZ; ulimit -S -f 0;";
    let mut writing = Writing::start("start-on-a-full-disk", folder.path(), shell);
    assert_eq!(writing.next("started"), "1 true true");
    writing.next("refused");
    lift_limit(&writing);
    assert_eq!(writing.next("stored"), "2");
    assert!(writing.process.wait().expect("ends").success());
}

fn lift_limit(writing: &Writing) {
    let pid = writing.process.id().to_string();
    let lifted = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:"]).status();
    assert!(lifted.expect("prlimit runs").success());
}

/// The disk refuses: operators are told, events are dropped and counted, nobody waits.
fn faulty_but_running(writing: &Writing) {
    let first = wait_until(writing, |report| report.is_faulty);
    let later = wait_until(writing, |report| report.is_faulty && report.dropped > first.dropped);
    for report in [&first, &later] {
        assert!(report.worst < HANDED_IN_WITHIN, "handing in waited: {report:?}");
        assert!(report.latest_answers, "memory does not answer: {report:?}");
        assert!(report.written + report.dropped <= report.handed_in, "{report:?}");
    }
}

/// It has room again: it writes again, and every event is accounted for.
fn recovered(writing: &mut Writing, folder: &Path) {
    let well = wait_until(writing, |report| !report.is_faulty && report.decision_stored);
    wait_until(writing, |report| report.written > well.written + 100);
    fs::write(folder.join("stop"), "").expect("written");
    let end = writing.next("end");
    let written: u64 = end.split(' ').next().expect("two numbers").parse().expect("a number");
    assert!(writing.process.wait().expect("ends").success());
    let (ledger, _writer) = Ledger::open(folder, Options::default()).expect("opens");
    assert_eq!(ledger.health().repairs, Vec::<String>::new());
    assert_eq!(stored_events(&ledger), written, "what was counted as written is there");
}

fn stored_events(ledger: &Ledger) -> u64 {
    let mut filter = EventFilter { limit: 10_000, ..EventFilter::default() };
    let mut events = 0;
    loop {
        let page = ledger.events(&filter).expect("an answer");
        assert!(page.is_complete);
        events += page.events.len() as u64;
        filter.after = page.next;
        if filter.after.is_none() {
            return events;
        }
    }
}

fn wait_until(writing: &Writing, is_so: impl Fn(&Report) -> bool) -> Report {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let report = parse(&writing.next("health"));
        if is_so(&report) {
            return report;
        }
        assert!(Instant::now() < until, "it never came to that: {report:?}");
    }
}

fn parse(line: &str) -> Report {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |at: usize| words[at].parse::<u64>().expect("a number");
    Report {
        is_faulty: words[0] == "faulty",
        written: number(1),
        dropped: number(2),
        handed_in: number(3),
        worst: Duration::from_micros(number(4)),
        decision_stored: words[5] == "true",
        latest_answers: words[6] == "true",
    }
}

/// Writes until the disk takes no byte more.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = fs::File::create(path).expect("made");
    for size in [1 << 16, 1 << 12, 512, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
