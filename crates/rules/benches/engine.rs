//! What a request costs under a rule set, everything included: taking it in, its body, both phases.
//!
//! *Warm*: names, path template, user agent and token come again, every other value is new. *Cold*:
//! nothing was seen before. *Plain*: each rule looks at each of its values, for comparison. Times
//! are of the processor alone.
//!
//! Beside the Core Rule Set at its lowest level stand libmodsecurity and Coraza on the same
//! requests, where they can be built.
//!
//! `CRS4_DIR` names a Core Rule Set (scripts/fetch-crs.sh gets one). `SETS` and `ONLY` choose among
//! the sets and requests by a part of their names; `RIVALS=no` leaves the other engines out.

#[path = "engine/requests.rs"]
mod requests;
#[path = "engine/rivals.rs"]
mod rivals;
#[path = "engine/sets.rs"]
mod sets;

#[path = "../tests/data/disk.rs"]
mod disk;
#[path = "../tests/oracle/readable.rs"]
mod readable;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use rules::engine::{Context, Engine, Transaction};
use rules::rule::Phase;
use rules::rule_set::RuleSet;
use rustix::time::{ClockId, clock_gettime};

use requests::{Make, Request};
use sets::Set;

/// Rounds; each is one request with values of its own.
const ROUNDS: usize = 2_000;
/// With larger bodies, plain evaluation takes too long to wait for.
const PLAIN_BODY_BYTES_MAX: usize = 4_000;

/// How often two levels of paranoia take turns.
const TURNS: usize = 9;

/// The requests that other engines are measured with, and how often: they take long.
const CONTESTS: [(&str, usize); 3] =
    [("GET, 4 parameters", 300), ("JSON, 1 KB", 100), ("JSON, 16 KB", 10)];

fn main() {
    if std::env::args().any(|word| word == "--list") {
        return;
    }
    let chosen = |variable: &str, name: &str| {
        std::env::var(variable).map_or(true, |part| name.contains(&part))
    };
    let sets = Set::ALL.into_iter().filter(|set| chosen("SETS", &set.name()));
    let measured: Vec<(Set, Costs)> =
        sets.map(|set| (set, measure(set, |request| chosen("ONLY", request)))).collect();
    let of = |wanted: Set| measured.iter().find(|(set, _)| *set == wanted).map(|(_, costs)| costs);
    if let Some(base) = of(Set::Crs(1)) {
        if of(Set::Crs(4)).is_some() {
            compare_levels(|request| chosen("ONLY", request));
        }
        if chosen("RIVALS", "libmodsecurity coraza") {
            compete(base);
        }
    }
}

/// What requests cost when warm, by their names.
type Costs = Vec<(&'static str, f64)>;

fn cost(costs: &Costs, name: &str) -> Option<f64> {
    costs.iter().find(|(known, _)| *known == name).map(|(_, cost)| *cost)
}

fn measure(which: Set, is_chosen: impl Fn(&str) -> bool) -> Costs {
    let began = cpu_us();
    let set = which.load();
    let loaded = cpu_us();
    let engine = Engine::new(set.clone());
    let (load, prepare) = ((loaded - began) / 1e3, (cpu_us() - loaded) / 1e3);
    println!("{}: loaded in {load:.0} ms, prepared in {prepare:.0} ms", which.name());
    let plain = Engine::plain(set.clone());
    println!("{:24} {:>9} {:>9} {:>9} hits", "request", "warm us", "cold us", "plain us");
    let mut costs = Costs::new();
    for (name, request) in requests::all().into_iter().filter(|(name, _)| is_chosen(name)) {
        let warm = warm(&engine, &request);
        let cold = cold(&set, &request);
        let is_small = request(0).body.len() < PLAIN_BODY_BYTES_MAX;
        let slow = if is_small { time(&plain, &request, 0, 60) } else { f64::NAN };
        let seen = run(&engine, &request(1));
        let hits = seen.hits().map(|hit| hit.rule.id.to_string());
        let hits = hits.collect::<Vec<_>>().join(",");
        println!("{name:24} {warm:>9.1} {cold:>9.1} {slow:>9.1} {hits}");
        costs.push((name, warm));
    }
    costs
}

/// The highest level of paranoia beside the lowest: by turns, since a processor changes its pace,
/// and the median of what each turn gives.
fn compare_levels(is_chosen: impl Fn(&str) -> bool) {
    let [base, high] = [1, 4].map(|level| Engine::new(Set::Crs(level).load()));
    for (name, request) in requests::all() {
        if !is_chosen(name) || CONTESTS.iter().all(|(known, _)| *known != name) {
            continue;
        }
        let rounds = rounds(&request);
        let turn = |number: usize| {
            let first = number * rounds;
            time(&high, &request, first, rounds) / time(&base, &request, first, rounds)
        };
        turn(0);
        let mut ratios: Vec<f64> = (1..=TURNS).map(turn).collect();
        ratios.sort_by(f64::total_cmp);
        let (least, most) = (ratios[0], ratios[TURNS - 1]);
        let median = ratios[TURNS / 2];
        println!(
            "PL4 / PL1, {name}: {median:.2}, of {TURNS} turns {least:.2} to {most:.2} (bar: 2)"
        );
    }
}

/// Other engines beside ours, on the same rules and requests.
fn compete(ours: &Costs) {
    for rival in rivals::all() {
        for (name, request) in requests::all() {
            let rounds = CONTESTS.iter().find(|(known, _)| *known == name);
            let (Some((_, rounds)), Some(own)) = (rounds, cost(ours, name)) else { continue };
            match rival.measure(&request, *rounds) {
                Ok(its) => println!(
                    "{}, {name}: {its:.0} us, {:.0} times ours (bar: {})",
                    rival.name,
                    its / own,
                    rival.factor_min
                ),
                Err(error) => println!("NOT MEASURED: {}, {name}: {error}", rival.name),
            }
        }
    }
}

/// Microseconds of CPU for one request: the median of batches, so that a disturbed one counts
/// little.
fn time(engine: &Engine, request: &Make, first: usize, rounds: usize) -> f64 {
    let requests: Vec<Request> = (first..first + rounds).map(request).collect();
    let mut batches: Vec<f64> = requests
        .chunks(rounds.div_ceil(20))
        .map(|batch| {
            let began = cpu_us();
            for request in batch {
                black_box(run(engine, request));
            }
            (cpu_us() - began) / batch.len() as f64
        })
        .collect();
    batches.sort_by(f64::total_cmp);
    batches[batches.len() / 2]
}

/// What this thread has used of a processor, in microseconds: other work on the machine does not
/// count.
fn cpu_us() -> f64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as f64 * 1e6 + used.tv_nsec as f64 / 1e3
}

fn rounds(request: &Make) -> usize {
    (ROUNDS * 1_000 / (1_000 + request(0).body.len())).clamp(20, ROUNDS)
}

fn warm(engine: &Engine, request: &Make) -> f64 {
    let rounds = rounds(request);
    time(engine, request, 0, rounds);
    time(engine, request, rounds, rounds)
}

/// Each request on an engine that has seen nothing: the automata are warm, the memory is empty.
fn cold(set: &RuleSet, request: &Make) -> f64 {
    let engine = Engine::new(set.clone());
    // Another request warms what is not the memory of values.
    for round in 0..30 {
        black_box(run(&engine, &request(round)));
    }
    let requests: Vec<Request> = (0..100).map(|round| request(100_000 + round)).collect();
    let spent = |runs: bool| {
        let began = cpu_us();
        for request in &requests {
            engine.forget();
            if runs {
                black_box(run(&engine, request));
            }
        }
        cpu_us() - began
    };
    // Forgetting costs something, too: it is taken off.
    let both = spent(true);
    (both - spent(false)) / requests.len() as f64
}

fn run(engine: &Engine, request: &Request) -> Transaction {
    let nowhere = (IpAddr::V4(Ipv4Addr::LOCALHOST), 443);
    let mut tx = engine.begin(&Context {
        now_us: 1_790_000_000_000_000,
        remote: nowhere,
        server: nowhere,
        unique_id: "0193594e-2b7e-7c3a-9d55-6a1f0c0e4b11",
        work_max: u64::MAX,
    });
    let mut lines = request.head.split("\r\n");
    let line = lines.next().expect("a line");
    let words: Vec<&str> = line.split(' ').collect();
    tx.request_line(line.as_bytes(), words[0].as_bytes(), words[1].as_bytes(), words[2].as_bytes());
    for header in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = header.split_once(": ").expect("a header");
        tx.request_header(name.as_bytes(), value.as_bytes());
    }
    if !request.body.is_empty() {
        let length = request.body.len().to_string();
        tx.request_header(b"Content-Length", length.as_bytes());
    }
    tx.run(Phase::RequestHeaders);
    if !request.body.is_empty() {
        tx.request_body(Bytes::copy_from_slice(request.body.as_bytes()), false);
    }
    tx.run(Phase::RequestBody);
    tx
}
