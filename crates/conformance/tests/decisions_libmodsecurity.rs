//! Whole decisions of our engine beside libmodsecurity's: the same rules of the Core Rule Set 4, at
//! its highest level, on the same requests, and which rules each finds to hold.
//!
//! The requests are those of the rule set's own tests and of our corpus, and each of them changed.
//! Where the two differ, [`reasons::REASONS`] says why; what has no reason there fails the test,
//! and so does a reason that no longer occurs. Phases 1, 2 and 5 run; answers are left to the rule
//! set's own tests.
//!
//! It needs `CRS4_DIR` (`scripts/fetch-crs.sh`), a C++ compiler and libmodsecurity with its headers
//! (Debian: `libmodsecurity-dev`, 3.0.9 when this was written), so that plain `cargo test` leaves
//! it out; `make test-data` runs it.

#[path = "../../rules/tests/agreement"]
mod agreement {
    pub(crate) mod mutant;
    pub(crate) mod requests;
}
#[path = "../../rules/tests/builtin/corpus.rs"]
mod corpus;
#[path = "../../rules/tests/builtin/place.rs"]
mod place;
#[path = "../../rules/tests/oracle/process.rs"]
mod process;
#[path = "../../rules/tests/oracle/readable.rs"]
mod readable;
#[path = "decisions_libmodsecurity/reasons.rs"]
mod reasons;
#[path = "../../rules/tests/builtin/request.rs"]
mod request;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use agreement::requests;
use bytes::Bytes;
use conformance::{Rules, Suite};
use process::{asked, built, hex};
use readable::readable;
use reasons::{Asked, REASONS, Side};
use rules::engine::{Context, Engine};
use rules::head::Head;
use rules::rule::Phase;
use rules::rule_set::RuleSet;

type Ids = BTreeSet<u64>;

/// The rule that reports sums, and holds always.
const REPORT: u64 = 980_170;

fn folder() -> PathBuf {
    std::env::var("CRS4_DIR").expect("CRS4_DIR names the folder of the rule set").into()
}

/// The files that both engines load: what the tests of the rule set assume, which body is read as
/// what, and the rule set.
fn files() -> Vec<String> {
    let own = |name: &str| format!("{}/{name}", env!("CARGO_MANIFEST_DIR"));
    let before = ["src/setup.conf", "tests/decisions_libmodsecurity/processors.conf"].map(own);
    let copies = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crs");
    let rules = readable(&folder().join("rules/@owasp_crs"), &copies);
    before.into_iter().chain(rules).collect()
}

/// The rules that hold for each request, to libmodsecurity.
fn theirs(files: &[String], requests: &[Vec<u8>]) -> Vec<Ids> {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/decisions_libmodsecurity/decisions.cc");
    let program = built(here, env!("CARGO_TARGET_TMPDIR"));
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let lines: String = requests.iter().map(|raw| line(raw)).collect();
    let answers = asked(&program, &files, lines);
    let ids = |line: &str| line.split_whitespace().map(|id| id.parse().expect("an id")).collect();
    let ids: Vec<Ids> = answers.lines().map(ids).collect();
    assert_eq!(ids.len(), requests.len());
    ids
}

/// A request as the program reads it.
fn line(raw: &[u8]) -> String {
    let head = Head::split(raw);
    let mut headers = Vec::new();
    for (name, value) in head.headers() {
        headers.extend_from_slice(&[name, b": ", value, b"\n"].concat());
    }
    let version = head.protocol.strip_prefix(b"HTTP/").unwrap_or(head.protocol);
    let parts = [head.method, head.uri, version, &headers, head.rest].map(hex);
    parts.join(" ") + "\n"
}

/// The same to us.
fn ours(engine: &Engine, raw: &[u8]) -> Ids {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut transaction = engine.begin(&Context {
        now_us: 1_790_000_000_000_000,
        remote: (loopback, 40_000),
        server: (loopback, 80),
        unique_id: "exchange-1",
        work_max: u64::MAX,
    });
    let head = Head::split(raw);
    let line = [head.method, b" ", head.uri, b" ", head.protocol].concat();
    transaction.request_line(&line, head.method, head.uri, head.protocol);
    for (name, value) in head.headers() {
        transaction.request_header(name, value);
    }
    transaction.run(Phase::RequestHeaders);
    transaction.request_body(Bytes::copy_from_slice(head.rest), false);
    transaction.run(Phase::RequestBody);
    transaction.finish();
    let logged = transaction.hits().filter(|hit| hit.rule.about.is_logged);
    logged.map(|hit| hit.rule.id).collect()
}

/// Its interface takes these as C strings, and headers one a line.
fn can_be_told(raw: &[u8]) -> bool {
    let head = Head::split(raw);
    let is_text = |bytes: &[u8]| !bytes.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'));
    is_text(head.line)
        && !head.method.is_empty()
        && !head.uri.is_empty()
        && head.protocol.starts_with(b"HTTP/")
        && head.headers().all(|(name, value)| is_text(name) && is_text(value))
}

/// The rules of `processors.conf` that tell who takes a body for broken.
const BROKEN: [u64; 2] = [9_590_004, 9_590_005];

/// How often each reason explains a difference, and the differences that none explains.
#[derive(Default)]
struct Differences {
    explained: BTreeMap<&'static str, usize>,
    unexplained: BTreeMap<(u64, Side), (usize, String)>,
    alike: usize,
}

impl Differences {
    fn note(&mut self, raw: &[u8], ours: &Ids, theirs: &Ids) {
        let only_ours = ours.difference(theirs).map(|id| (*id, Side::Ours));
        let only_theirs = theirs.difference(ours).map(|id| (*id, Side::Theirs));
        let found: Vec<(u64, Side)> = only_ours.chain(only_theirs).collect();
        self.alike += usize::from(found.iter().all(|(id, _)| *id == REPORT));
        for (id, side) in &found {
            let asked = Asked {
                raw,
                is_broken: BROKEN.iter().any(|id| ours.contains(id) || theirs.contains(id)),
                differs_elsewhere: found.iter().any(|(other, _)| other != id && *other != REPORT),
            };
            match reasons::reason(*id, *side, &asked) {
                Some(reason) => *self.explained.entry(reason.why).or_default() += 1,
                None => {
                    let example = raw.escape_ascii().to_string();
                    self.unexplained.entry((*id, *side)).or_insert((0, example)).0 += 1;
                }
            }
        }
    }
}

#[test]
fn rules_hold_where_libmodsecurity_finds_that_they_do() {
    let files = files();
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let set = RuleSet::load(&names, &Rules::of(&folder()));
    let engine = Engine::new(set.unwrap_or_else(|error| panic!("{error}")));
    let suite = Suite::read(&folder().join("tests")).unwrap_or_else(|error| panic!("{error}"));
    let mut requests: Vec<Vec<u8>> = suite.requests().collect();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/corpus");
    requests.extend(requests::of_corpus(&corpus, 1, 1));
    requests.extend(requests::mutants(&requests, 1));
    let all = requests.len();
    requests.retain(|raw| can_be_told(raw));
    let theirs = theirs(&files, &requests);
    let mut found = Differences::default();
    let mut held = 0;
    for (raw, theirs) in requests.iter().zip(&theirs) {
        let ours = ours(&engine, raw);
        held += ours.len();
        found.note(raw, &ours, theirs);
    }
    let told = requests.len();
    println!("{told} of {all} requests told, {held} hits, {} alike", found.alike);
    for (why, times) in &found.explained {
        println!("{times} differences: {why}");
    }
    let wrong = found.unexplained.iter();
    let wrong = wrong.map(|((id, side), (times, raw))| format!("{id} {side:?} {times} x: {raw}"));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} without a reason\n{}", wrong.len(), wrong.join("\n"));
    for reason in REASONS {
        assert!(found.explained.contains_key(reason.why), "no longer so: {}", reason.why);
    }
    assert!(found.alike * 100 > told * 97, "{} of {told} alike", found.alike);
    assert!(held > 20_000, "{held} hits");
}
