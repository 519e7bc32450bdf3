//! kill -9 of the whole program at random moments under load, again and again on one data folder.
//!
//! Whatever the moment: the folder opens and the program starts again, what was acknowledged is
//! there, events lack at most the last second and learnt state at most the last half minute.
//! `PALISADE_KILLS` sets the number of kills (5; `make soak` uses more); one life in 25 is long
//! enough to tell what becomes of learnt state.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use drill::dice::Dice;
use drill::load::{Load, Till};
use ledger::{EventFilter, Ledger, Options};
use traffic::Timestamp;

use crate::support::{PATIENCE, Palisade, command};

/// Events may be lost that were made less than this before the kill.
const EVENTS_LOST: Duration = Duration::from_secs(1);
const LEARNT_LOST: Duration = Duration::from_secs(30);
const OPENED_WITHIN: Duration = Duration::from_secs(2);
/// A life in which learnt state is kept at least once, and then goes on for a while.
const LONG_LIFE_MS: u32 = 30_000;
const WHILE_MS: u32 = 20_000;
/// Requests a second while the program lives.
const RATE: f64 = 300.0;

/// What was said by the program to somebody who may rely on it.
#[derive(Default)]
struct Said {
    decisions: BTreeSet<String>,
    /// How far `recon` goes, and whether a change of it was under way when the program died.
    recon: Option<(&'static str, bool)>,
    learnt_at: Option<Timestamp>,
    events: BTreeSet<String>,
    opened_in: Duration,
}

#[test]
fn kills_under_load_lose_nothing_acknowledged() {
    let kills: u32 =
        std::env::var("PALISADE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(5);
    let till = Till::open(None).expect("an upstream");
    let data = tempfile::tempdir().expect("a folder");
    let mut dice = Dice::new(u64::from(std::process::id()), 0);
    let mut said = Said::default();
    for life in 1..=kills {
        let lasting_ms = match life % 25 {
            0 => LONG_LIFE_MS + dice.below(WHILE_MS),
            _ => dice.below(2_000),
        };
        let lasting = Duration::from_millis(u64::from(lasting_ms));
        live_and_die(&till, data.path(), lasting, life, &mut said);
    }
    println!(
        "{kills} kills: {} decisions and {} events were relied on, none was lost; the folder opened \
         in {:?} at most",
        said.decisions.len(),
        said.events.len(),
        said.opened_in
    );
    assert!(said.decisions.len() > kills as usize / 2, "too little was acknowledged to tell");
    assert!(said.events.len() > kills as usize, "too few events were made to tell");
}

/// One life of the program: load, an operator, callers that are refused; then SIGKILL.
fn live_and_die(till: &Till, data: &Path, lasting: Duration, life: u32, said: &mut Said) {
    let args = ["--to", &till.url(), "--listen", "127.0.0.1:0", "--mode", "enforce"];
    let palisade = Palisade::start(data, &args);
    let began = Instant::now();
    let (address, is_over) = (palisade.address, Arc::new(AtomicBool::new(false)));
    let load = Load::gets(address, 64);
    let load = std::thread::spawn(move || load.at_rate(RATE, lasting));
    let refused = {
        let is_over = Arc::clone(&is_over);
        std::thread::spawn(move || collect_events(address, &is_over))
    };
    let operator = {
        let (is_over, data, known) = (Arc::clone(&is_over), data.to_owned(), said.recon);
        std::thread::spawn(move || operate(&data, life, known, &is_over))
    };
    std::thread::sleep(lasting.saturating_sub(began.elapsed()));
    palisade.signal("KILL");
    let killed = Instant::now();
    let killed_at = now();
    is_over.store(true, Ordering::Relaxed);
    drop(palisade);
    load.join().expect("the load").expect("a load");
    let events = refused.join().expect("refused callers");
    let (decisions, recon) = operator.join().expect("an operator");
    said.decisions.extend(decisions);
    said.recon = recon;
    let old = events.into_iter().filter(|(at, _)| killed.duration_since(*at) > EVENTS_LOST);
    said.events.extend(old.map(|(_, id)| id));
    judge(data, lasting, killed_at, said);
}

/// Callers whose requests are refused, and the events that they were told of.
fn collect_events(address: SocketAddr, is_over: &AtomicBool) -> Vec<(Instant, String)> {
    let mut events = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let Some(answer) = ask(address, "GET /no-host HTTP/1.1\r\n\r\n") else { continue };
        let id = answer.split("palisade-event: ").nth(1).and_then(|rest| rest.split('\r').next());
        events.extend(id.map(|id| (Instant::now(), id.to_owned())));
        std::thread::sleep(Duration::from_millis(10));
    }
    events
}

fn ask(address: SocketAddr, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

type Recon = Option<(&'static str, bool)>;

/// An operator who blocks addresses and switches a layer, and notes what the program said is done.
fn operate(data: &Path, life: u32, known: Recon, is_over: &AtomicBool) -> (Vec<String>, Recon) {
    let (mut decisions, mut recon) = (Vec::new(), known);
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) {
        number += 1;
        let entity = format!("ip:10.{}.{}.{}", life / 256, life % 256, number % 256);
        let block = ["block", &entity, "--for", "ever", "--reason", &entity];
        if command(data, &block).status.success() {
            decisions.push(entity);
        }
        let mode = if number % 2 == 0 { "monitor" } else { "enforce" };
        let before = recon.map_or("", |(mode, _)| mode);
        // Until the answer is there, either may be what a kill leaves behind.
        recon = if command(data, &[mode, "recon"]).status.success() {
            Some((mode, false))
        } else {
            Some((before, true))
        };
    }
    (decisions, recon)
}

fn judge(data: &Path, lasting: Duration, killed_at: Timestamp, said: &mut Said) {
    let begun = Instant::now();
    let (ledger, _writer) = Ledger::open(data, Options::default()).expect("the folder opens");
    said.opened_in = said.opened_in.max(begun.elapsed());
    assert!(begun.elapsed() < OPENED_WITHIN, "opening took {:?}", begun.elapsed());
    assert_eq!(ledger.health().repairs, Vec::<String>::new());
    ledger.verify_audit().expect("an answer").expect("an unbroken chain");
    let stored = ledger.decisions().expect("an answer");
    let stored: BTreeSet<String> = stored.into_iter().map(|decision| decision.reason).collect();
    let lost: Vec<_> = said.decisions.difference(&stored).collect();
    assert!(lost.is_empty(), "acknowledged decisions were lost: {lost:?}");
    let lost: Vec<_> = said.events.difference(&stored_events(&ledger)).cloned().collect();
    assert!(lost.is_empty(), "events older than {EVENTS_LOST:?} were lost: {lost:?}");
    if let Some((mode, false)) = said.recon {
        let overlay = std::fs::read_to_string(data.join("overlay.toml")).expect("the overlay");
        assert!(overlay.contains(&format!("recon = \"{mode}\"")), "not {mode}: {overlay}");
    }
    let learnt_at = ledger.learnt(|_, _| {}).expect("an answer");
    assert!(learnt_at >= said.learnt_at, "older learnt state came back");
    if lasting >= LEARNT_LOST {
        let lost = killed_at.since(learnt_at.expect("learnt state"));
        assert!(lost < LEARNT_LOST, "learnt state is {lost:?} old");
    }
    said.learnt_at = learnt_at;
}

fn stored_events(ledger: &Ledger) -> BTreeSet<String> {
    let mut filter = EventFilter { limit: 2_000, ..EventFilter::default() };
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

fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().expect("a clock");
    Timestamp::from_micros(u64::try_from(since.as_micros()).expect("a time"))
}
