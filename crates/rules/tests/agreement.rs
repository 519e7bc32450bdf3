//! What makes the rules fast leaves nothing out: the sieve and a plain evaluation of every rule
//! find the same, on the built-in rules.
//!
//! The Core Rule Sets, on their own tests, are compared in `crates/conformance/tests/data.rs`.
//! A tenth of `PALISADE_SEEDS` says how many times requests are drawn.

mod agreement {
    pub(crate) mod compare;
    pub(crate) mod mutant;
    pub(crate) mod requests;
    pub(crate) mod told;
}
#[path = "builtin/corpus.rs"]
mod corpus;
#[path = "builtin/place.rs"]
mod place;
#[path = "builtin/request.rs"]
mod request;

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use agreement::compare::{self, Pair};
use agreement::requests;
use bytes::Bytes;
use rules::builtin::FILES;
use rules::engine::{Context, Engine, Transaction};
use rules::head::Head;
use rules::rule::Phase;
use rules::rule_set::RuleSet;
use rules::seclang::Texts;

fn builtin() -> RuleSet {
    let base = "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\n";
    let texts: Texts = std::iter::once(("base", base)).chain(FILES.iter().copied()).collect();
    let names = FILES.iter().map(|(name, _)| *name);
    let paths: Vec<&str> = std::iter::once("base").chain(names).collect();
    RuleSet::load(&paths, &texts).unwrap_or_else(|error| panic!("{error}"))
}

fn run(engine: &Engine, spare: Option<Transaction>, raw: &[u8]) -> Transaction {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let context = Context {
        now_us: 1_790_000_000_000_000,
        remote: (loopback, 40_000),
        server: (loopback, 443),
        unique_id: "exchange-1",
        work_max: u64::MAX,
    };
    let mut transaction = match spare {
        None => engine.begin(&context),
        Some(mut spare) => {
            spare.reset(engine, &context);
            spare
        }
    };
    let head = Head::split(raw);
    transaction.request_line(head.line, head.method, head.uri, head.protocol);
    for (name, value) in head.headers() {
        transaction.request_header(name, value);
    }
    transaction.run(Phase::RequestHeaders);
    transaction.request_body(Bytes::copy_from_slice(head.rest), false);
    transaction.run(Phase::RequestBody);
    transaction.finish();
    transaction
}

#[test]
fn the_built_in_rules_find_the_same_sieved_and_plain() {
    let pair = Pair::new(builtin());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for seed in 1..=compare::seeds() {
        let corpus = requests::of_corpus(&folder, 1, seed);
        let mutants = requests::mutants(&corpus, seed);
        pair.agree(&format!("built-in, corpus {seed}"), &corpus, run);
        pair.agree(&format!("built-in, mutants {seed}"), &mutants, run);
    }
}
