//! The process that writes and dies, and how its parent starts and hears it.
//!
//! It says a line on stdout only after the ledger acknowledged what the line names; an event is
//! named with the time at which it was handed in.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ledger::{
    AuditLine, Change, Entry, Health, LearntSlice, LearntState, Ledger, Options, Rollup, Write,
};
use traffic::{
    Action, Decision, DecisionId, DecisionKind, Entity, Event, EventId, Exception, ExceptionId,
    Layer, Mode, Origin, Scope, Timestamp,
};

/// What a child can be told to do.
pub(crate) fn role(name: &str) -> Option<fn(&Path)> {
    match name {
        "write-until-killed" => Some(write_until_killed),
        "write-and-end" => Some(write_and_end),
        "write-on-a-small-disk" => Some(write_on_a_small_disk),
        "start-on-a-full-disk" => Some(start_on_a_full_disk),
        _ => None,
    }
}

/// A running child and the lines it has said.
pub(crate) struct Writing {
    pub(crate) process: Child,
    pub(crate) lines: Receiver<(Instant, String)>,
}

impl Writing {
    /// Starts this program as a child in `role`; `shell` prepares its process (limits, signals).
    pub(crate) fn start(role: &str, folder: &Path, shell: &str) -> Self {
        let program = std::env::current_exe().expect("our own path");
        let mut process = Command::new("sh")
            .arg("-c")
            .arg(format!("{shell} exec \"$0\" \"$@\""))
            .arg(program)
            .arg(role)
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let stdout = process.stdout.take().expect("piped");
        let (sender, lines) = sync_channel(1 << 20);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        Self { process, lines }
    }

    /// Kills it as `kill -9` does; when.
    pub(crate) fn kill(&mut self) -> Instant {
        let at = Instant::now();
        self.process.kill().expect("killed");
        self.process.wait().expect("gone");
        at
    }

    /// The next line that begins with `word`, without it.
    pub(crate) fn next(&self, word: &str) -> String {
        loop {
            let waiting = self.lines.recv_timeout(Duration::from_secs(30));
            let (_, line) = waiting.unwrap_or_else(|_| panic!("the child said no {word:?}"));
            if let Some(rest) = line.strip_prefix(word) {
                return rest.trim().to_owned();
            }
        }
    }
}

/// All sorts of writes at once, from several threads, for ever.
fn write_until_killed(folder: &Path) {
    let (ledger, writer) = Ledger::open(folder, Options::default()).expect("opens");
    say("open");
    let first = ledger.last_ids().expect("an answer");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in first.decision + 1.. {
                let audit = Some(audit_line(number));
                let changes = vec![Change::PutDecision(decision(number))];
                ledger.write(Write { changes, audit }).expect("acknowledged");
                say(&format!("decision {number}"));
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        scope.spawn(|| {
            for number in first.exception + 1.. {
                let changes = vec![Change::PutException(exception(number))];
                ledger.write(Write { changes, audit: None }).expect("acknowledged");
                say(&format!("exception {number}"));
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        scope.spawn(|| {
            for generation in 1_u64.. {
                ledger.save_learnt(learnt(generation)).expect("acknowledged");
                say(&format!("learnt {generation}"));
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        scope.spawn(|| {
            for number in 1.. {
                let event = event(number);
                let id = event.id;
                if ledger.record_event(event) {
                    say(&format!("event {id}"));
                }
                ledger.record(Entry::Rollups(vec![rollup()]));
                std::thread::sleep(Duration::from_micros(200));
            }
        });
    });
    drop(writer);
}

/// A burst of events, and an end in good order.
fn write_and_end(folder: &Path) {
    let (ledger, writer) = Ledger::open(folder, Options::default()).expect("opens");
    for number in 0..1_000 {
        assert!(ledger.record_event(event(number)));
        ledger.record(Entry::Rollups(vec![rollup()]));
    }
    ledger.record(Entry::Change(Box::new(Change::PutDecision(decision(1)))));
    writer.close();
    say("ended");
}

/// Hands in events all the time and says how the ledger is doing, and how long handing in took at
/// worst.
fn write_on_a_small_disk(folder: &Path) {
    let options = Options { queue_events: 512, ..Options::default() };
    let (ledger, writer) = Ledger::open(folder, options).expect("opens");
    let mut number = 0_u64;
    loop {
        let mut worst = Duration::ZERO;
        for _ in 0..100 {
            number += 1;
            let event = event(number);
            let begun = Instant::now();
            ledger.record_event(event);
            worst = worst.max(begun.elapsed());
            std::thread::sleep(Duration::from_micros(500));
        }
        let changes = vec![Change::PutDecision(decision(number))];
        let stored = ledger.write(Write { changes, audit: None }).is_ok();
        let Health { storage_fault, events_written, dropped_storage, dropped_queue_full, .. } =
            ledger.health();
        let state = if storage_fault.is_some() { "faulty" } else { "well" };
        let dropped = dropped_storage + dropped_queue_full;
        let latest = ledger.event(&format!("request-{number}")).expect("an answer").is_some();
        say(&format!(
            "health {state} {events_written} {dropped} {number} {} {stored} {latest}",
            worst.as_micros()
        ));
        if folder.join("stop").exists() {
            break;
        }
    }
    writer.close();
    let health = ledger.health();
    say(&format!("end {} {}", health.events_written, health.dropped_storage));
}

/// Starts where no byte can be written, says what can be read, and waits until it can be.
fn start_on_a_full_disk(folder: &Path) {
    let (ledger, writer) = Ledger::open(folder, Options::default()).expect("starts");
    let decisions = ledger.decisions().expect("can be read").len();
    let event = ledger.event("request-7").expect("can be read").is_some();
    let is_faulty = ledger.health().storage_fault.is_some();
    say(&format!("started {decisions} {event} {is_faulty}"));
    let changes = || vec![Change::PutDecision(decision(77))];
    while ledger.write(Write { changes: changes(), audit: None }).is_err() {
        say("refused");
        std::thread::sleep(Duration::from_millis(20));
    }
    say(&format!("stored {}", ledger.decisions().expect("can be read").len()));
    writer.close();
}

pub(crate) fn decision(number: u64) -> Decision {
    Decision {
        id: DecisionId(number),
        kind: DecisionKind::Block,
        scope: Scope::whole(Entity::Address([192, 0, 2, 7].into())),
        origin: Origin::Operator,
        detector: None,
        reason: format!("reason {number}"),
        author: "ada".to_owned(),
        since: now(),
        until: None,
        hits: number,
    }
}

fn exception(number: u64) -> Exception {
    Exception {
        id: ExceptionId(number),
        detector: None,
        layer: Layer::Recon,
        rules: Vec::new(),
        endpoint: None,
        entity: None,
        reason: format!("reason {number}"),
        author: "ada".to_owned(),
        evidence: None,
        since: now(),
        until: None,
        hits: 0,
        last_hit: None,
    }
}

fn audit_line(number: u64) -> AuditLine {
    AuditLine {
        at: now(),
        who: "ada".to_owned(),
        what: format!("block d-{number}"),
        before: None,
        after: None,
    }
}

/// A state whose slices can be told to be of one generation: a mixture would show.
pub(crate) fn learnt(generation: u64) -> LearntState {
    let slice = move |number: usize| LearntSlice {
        part: (if number < 150 { "catalog" } else { "conduct" }).to_owned(),
        bytes: generation.to_be_bytes().repeat(4_000 + number),
    };
    let slices = Box::new((0..180).map(slice));
    LearntState { at: Timestamp::from_micros(generation), slices }
}

fn rollup() -> Rollup {
    Rollup {
        at: now(),
        endpoint: Some("GET shop /".to_owned()),
        status_class: 2,
        action: Action::Allow,
        enforced: false,
        count: 1,
        bytes: 100,
        latency: vec![1],
    }
}

fn event(number: u64) -> Event {
    let at = now();
    let millis = u128::from(at.as_micros() / 1_000);
    let process = u128::from(std::process::id());
    Event {
        id: EventId((millis << 80) | (7 << 76) | (2 << 62) | (process << 40) | u128::from(number)),
        request_id: format!("request-{number}"),
        at,
        site: "shop".to_owned(),
        is_sample: false,
        action: Action::Deny,
        mode: Mode::Enforce,
        risk: 97,
        nats: 11.5,
        layer: Some(Layer::Takeover),
        method: "POST".to_owned(),
        host: "api.example.com".to_owned(),
        path: "/v1/login".to_owned(),
        endpoint: Some("POST api.example.com /v1/login".to_owned()),
        status: 403,
        took_us: 120,
        client: "192.0.2.7".to_owned(),
        entities: vec!["ip:192.0.2.7".to_owned()],
        is_known: false,
        ja4: None,
        user_agent: Some("curl/8.5.0".to_owned()),
        signals: Vec::new(),
        rules: Vec::new(),
        scope: None,
        decision: Some(DecisionId(1)),
        exception: None,
        policy_version: 3,
        notes: vec!["x".repeat(400)],
        count: 1,
    }
}

pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp::EPOCH.after(since_epoch)
}

/// Says a line whole, so that a kill never cuts one that counts.
fn say(line: &str) {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(format!("{line}\n").as_bytes()).expect("somebody listens");
    stdout.flush().expect("somebody listens");
}
