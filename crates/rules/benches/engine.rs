//! What a request costs under a rule set, everything included: taking it in, its body, both phases.
//!
//! `CRS4_DIR` names a Core Rule Set (scripts/fetch-crs.sh gets one); `PARANOIA` its level. *Warm*:
//! names, path template, user agent and token come again, every other value is new. *Cold*: nothing
//! was seen before. *Plain*: each rule looks at each of its values, for comparison.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use bytes::Bytes;
use rules::engine::{Context, Engine, Transaction};
use rules::rule::Phase;
use rules::rule_set::RuleSet;

#[path = "../tests/data/disk.rs"]
mod disk;

use disk::Disk;

/// Rounds; each is one request with values of its own.
const ROUNDS: usize = 2_000;

fn main() {
    if std::env::args().any(|word| word == "--list") {
        return;
    }
    let began = Instant::now();
    let set = load();
    println!("loaded in {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    let began = Instant::now();
    let engine = Engine::new(set.clone());
    println!("prepared in {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    let plain = Engine::plain(set.clone());
    println!("{:24} {:>9} {:>9} {:>9} {:>6}", "request", "warm us", "cold us", "plain us", "hits");
    let only = std::env::var("ONLY").unwrap_or_default();
    for (name, request) in requests().into_iter().filter(|(name, _)| name.contains(&only)) {
        let warm = warm(&engine, &request);
        let cold = cold(&set, &request);
        let slow =
            if request(0).body.len() < 4_000 { time(&plain, &request, 0, 200) } else { f64::NAN };
        let seen =
            run(if std::env::var_os("PLAIN").is_some() { &plain } else { &engine }, &request(1));
        let hits = seen.hits().map(|hit| hit.rule.id.to_string());
        let hits = hits.collect::<Vec<_>>().join(",");
        println!("{name:24} {warm:>9.1} {cold:>9.1} {slow:>9.1} {hits:>6}");
    }
}

struct Request {
    head: String,
    body: String,
}

type Make = Box<dyn Fn(usize) -> Request>;

fn requests() -> Vec<(&'static str, Make)> {
    let json = |items: usize| -> Make {
        Box::new(move |round| Request { head: post(round), body: order(round, items) })
    };
    vec![
        ("GET, 4 parameters", Box::new(get)),
        (
            "GET, SQL injection",
            Box::new(|round| {
                let get = get(round);
                let head = get.head.replace("page=", "page=1'%20or%20'1'%3D'1'--%20");
                Request { head, ..get }
            }),
        ),
        ("JSON, 1 KB", json(4)),
        ("JSON, 16 KB", json(107)),
        ("JSON, 128 KB", json(860)),
        ("JSON, 1 MB", json(6_900)),
    ]
}

fn get(round: usize) -> Request {
    let id = mixed(round as u64);
    let head = format!(
        "GET /api/v2/orders/{:08x}-9b1d-4c3e-a456-42661417{:04x}?page={}&sort=created_at&q=blue+shirt+{}&from=2026-0{}-12 HTTP/1.1\r\n{}\r\n",
        id & 0xffff_ffff,
        id >> 48,
        round % 90,
        word(id),
        1 + round % 9,
        HEADERS
    );
    Request { head, body: String::new() }
}

const HEADERS: &str = "Host: api.example.com\r\n\
    User-Agent: ShopApp/4.12.0 (iPhone; iOS 18.1; Scale/3.00)\r\n\
    Accept: application/json\r\n\
    Accept-Language: de-DE,de;q=0.9,en;q=0.8\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Authorization: Bearer eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ.eyJzdWIiOiI4MjQ3MzkxIiwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtcGxlLmNvbSIsImF1ZCI6InNob3AiLCJleHAiOjE3OTUwMDAwMDB9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbi1pdHNlbGYtaXMtbG9uZw\r\n\
    Cookie: sid=8f14e45fceea167a5a36dedd4bea2543; theme=dark\r\n";

fn post(round: usize) -> String {
    let _ = round;
    format!("POST /api/v2/orders HTTP/1.1\r\n{HEADERS}Content-Type: application/json\r\n\r\n")
}

fn order(round: usize, items: usize) -> String {
    let items: Vec<String> = (0..items)
        .map(|item| {
            let id = mixed((round * 10_007 + item) as u64);
            format!(
                "{{\"sku\":\"AB-{:05}-{}\",\"name\":\"{} {}\",\"quantity\":{},\"price\":{}.99,\"note\":\"left at the {}'s door; call {}\",\"gift\":{}}}",
                id % 99_999, word(id >> 7), word(id >> 3), word(id >> 9), 1 + id % 9, id % 500,
                word(id >> 13), word(id >> 17), id.is_multiple_of(2)
            )
        })
        .collect();
    format!(
        "{{\"customer\":{{\"id\":\"{:016x}\",\"email\":\"{}{}@example.com\",\"name\":\"Anne O'{}\"}},\"items\":[{}]}}",
        mixed(round as u64 + 5),
        word(mixed(round as u64)),
        round,
        word(round as u64),
        items.join(",")
    )
}

fn word(number: u64) -> String {
    const PARTS: [&str; 16] = [
        "al", "be", "cor", "da", "el", "fin", "gar", "ho", "in", "ja", "ka", "lo", "mer", "ni",
        "or", "pe",
    ];
    (0..3).map(|at| PARTS[(number >> (at * 4)) as usize % PARTS.len()]).collect()
}

fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (number ^ number >> 31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
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
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split(' ').next().expect("a number");
    nanoseconds.parse::<f64>().expect("a number") / 1e3
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

fn load() -> RuleSet {
    let folder = std::env::var("CRS4_DIR").expect("CRS4_DIR names a Core Rule Set");
    let level = std::env::var("PARANOIA").unwrap_or_else(|_| "1".to_owned());
    let entry = std::env::temp_dir().join(format!("palisade-bench-{}.conf", std::process::id()));
    let text = format!(
        "SecRuleEngine On\nSecRequestBodyAccess On\nSecArgumentsLimit 65536\n\
         SecRule REQUEST_HEADERS:Content-Type \"@rx ^application/json\" \"id:9599002,phase:1,pass,t:none,nolog,ctl:requestBodyProcessor=JSON\"\n\
         Include {folder}/rules/@crs-setup.conf.example\n\
         SecAction \"id:9599901,phase:1,pass,nolog,setvar:tx.blocking_paranoia_level={level},setvar:tx.detection_paranoia_level={level}\"\n\
         Include {folder}/rules/@owasp_crs/*.conf\n"
    );
    std::fs::write(&entry, text).expect("a file");
    let path = entry.to_str().expect("a name");
    let set = RuleSet::load(&[path], &Disk).unwrap_or_else(|error| panic!("{error}"));
    std::fs::remove_file(&entry).expect("to remove it");
    set
}
