//! kill -9: the folder opens again, and what was acknowledged is there.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use ledger::{EventFilter, LearntSlice, Ledger, Options};
use traffic::Timestamp;

use crate::child::{Writing, learnt, now};

/// Events may be lost when they were handed in less than this before the kill.
const EVENTS_LOST: Duration = Duration::from_secs(1);
/// Opening may take no longer.
const OPENED_WITHIN: Duration = Duration::from_secs(2);

/// What the child said before it died, over all its lives.
#[derive(Default)]
struct Said {
    decisions: BTreeSet<u64>,
    exceptions: BTreeSet<u64>,
    events: BTreeSet<String>,
    /// Those of the life that just ended.
    fresh_events: BTreeSet<String>,
    generation: Option<u64>,
}

pub(crate) fn loses_nothing_acknowledged() {
    let kills: u32 =
        std::env::var("PALISADE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(10);
    let folder = tempfile::tempdir().expect("a folder");
    let mut said = Said::default();
    let mut dice = u64::from(std::process::id()) | 1;
    for _ in 0..kills {
        let life_began = now();
        let mut writing = Writing::start("write-until-killed", folder.path(), "");
        writing.next("open");
        // Somewhere between the first write and two seconds of load.
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::sleep(Duration::from_micros((dice >> 33) % 2_000_000));
        let killed = writing.kill();
        hear(&mut said, &writing, killed);
        judge(&said, folder.path(), life_began);
        said.events.append(&mut said.fresh_events);
    }
    // No later kill took away what an earlier life had left.
    let (ledger, _writer) = Ledger::open(folder.path(), Options::default()).expect("opens");
    assert!(said.events.is_subset(&stored_events(&ledger, Timestamp::EPOCH)));
    assert!(said.decisions.len() > kills as usize, "too little was written to show anything");
    assert!(said.events.len() > kills as usize, "too few events were written to show anything");
}

pub(crate) fn releases_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writing = Writing::start("write-until-killed", folder.path(), "");
    writing.next("open");
    let refused = Ledger::open(folder.path(), Options::default()).expect_err("in use").to_string();
    assert!(refused.contains(&format!("process {}", writing.process.id())), "{refused}");
    writing.kill();
    Ledger::open(folder.path(), Options::default()).expect("free again");
}

pub(crate) fn orderly_end_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writing = Writing::start("write-and-end", folder.path(), "");
    writing.next("ended");
    assert!(writing.process.wait().expect("ends").success());
    let (ledger, _writer) = Ledger::open(folder.path(), Options::default()).expect("opens");
    let filter = EventFilter { limit: 10_000, ..EventFilter::default() };
    assert_eq!(ledger.events(&filter).expect("an answer").events.len(), 1_000);
}

/// Adds what the child said: everything acknowledged, and events early enough before the kill.
fn hear(said: &mut Said, writing: &Writing, killed: Instant) {
    let mut generation = None;
    while let Ok((at, line)) = writing.lines.recv_timeout(Duration::from_secs(5)) {
        let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match word {
            "decision" => {
                said.decisions.insert(rest.parse().expect("a number"));
            }
            "exception" => {
                said.exceptions.insert(rest.parse().expect("a number"));
            }
            "learnt" => generation = Some(rest.parse().expect("a number")),
            "event" if killed.saturating_duration_since(at) > EVENTS_LOST => {
                said.fresh_events.insert(rest.to_owned());
            }
            _ => {}
        }
    }
    // A later life counts from 1 again, so only its own acknowledgements order its states.
    said.generation = generation;
}

fn judge(said: &Said, folder: &Path, life_began: Timestamp) {
    let begun = Instant::now();
    let (ledger, _writer) = Ledger::open(folder, Options::default()).expect("opens");
    assert!(begun.elapsed() < OPENED_WITHIN, "opening took {:?}", begun.elapsed());
    assert_eq!(ledger.health().repairs, Vec::<String>::new());

    let stored = ledger.decisions().expect("an answer");
    let decisions: BTreeSet<u64> = stored.iter().map(|decision| decision.id.0).collect();
    let lost: Vec<&u64> = said.decisions.difference(&decisions).collect();
    assert!(lost.is_empty(), "acknowledged decisions were lost: {lost:?}");
    let stored = ledger.exceptions().expect("an answer");
    let exceptions: BTreeSet<u64> = stored.iter().map(|exception| exception.id.0).collect();
    let lost: Vec<&u64> = said.exceptions.difference(&exceptions).collect();
    assert!(lost.is_empty(), "acknowledged exceptions were lost: {lost:?}");

    // Each decision was stored together with its line.
    let head = ledger.verify_audit().expect("an answer").expect("an unbroken chain");
    assert_eq!(head.seq, decisions.len() as u64);

    let mut found = Vec::new();
    let take = |part: &str, bytes: &[u8]| {
        found.push(LearntSlice { part: part.to_owned(), bytes: bytes.to_vec() });
    };
    if let Some(at) = ledger.learnt(take).expect("an answer") {
        let generation = at.as_micros();
        assert!(learnt(generation).slices.eq(found), "a mixture of states");
        if let Some(acknowledged) = said.generation {
            assert!(generation >= acknowledged, "{generation} < {acknowledged}");
        }
    } else {
        assert_eq!(said.generation, None, "acknowledged learnt state was lost");
    }
    let stored = stored_events(&ledger, life_began);
    let lost = said.fresh_events.difference(&stored).count();
    assert_eq!(lost, 0, "events older than {EVENTS_LOST:?} were lost");
}

/// The IDs of all events since.
fn stored_events(ledger: &Ledger, since: Timestamp) -> BTreeSet<String> {
    let mut filter = EventFilter { from: Some(since), limit: 2_000, ..EventFilter::default() };
    let mut stored = BTreeSet::new();
    loop {
        let page = ledger.events(&filter).expect("an answer");
        assert!(page.is_complete);
        stored.extend(page.events.iter().map(|event| event.id.to_string()));
        filter.after = page.next;
        if filter.after.is_none() {
            return stored;
        }
    }
}
