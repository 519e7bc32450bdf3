//! The regression tests of the Core Rule Set, run against our engine.
//!
//! Its tests are written for a client that speaks HTTP, a server that applies the rules and a
//! backend that answers what it is told to. Here the client's request is serialised as theirs is,
//! scanned by the gateway's own framing, shown to the rules, and answered as their backend would.
//! What is compared is what their runner reads from a log: which rules held. The same tests can be
//! sent over sockets through a running gateway ([`live`]), which tells the rules in a header.
//!
//! A test counts when a set without rules fails it; the others say that something is not found,
//! which finding nothing fulfils.

mod backend;
mod chunks;
pub mod live;
mod log;
mod report;
mod request;
mod session;
mod setup;
mod suite;
mod verdict;

use std::time::Instant;

pub use report::{Failure, Report};
pub use session::exchange;
pub use setup::{Rules, SETUP, load};
pub use suite::{Suite, SuiteError};

use rules::{engine::Engine, rule_set::RuleSet};

/// Runs every test of the suite.
#[must_use]
pub fn run(engine: &Engine, suite: &Suite) -> Report {
    let began = Instant::now();
    let seen: Vec<_> = suite.tests().iter().map(|test| session::run(engine, test)).collect();
    report(suite, &seen, began)
}

/// What the suite says to what was seen of its tests, which began then.
fn report(suite: &Suite, seen: &[Vec<session::Seen>], began: Instant) -> Report {
    let mut report = Report { took: began.elapsed(), ..Report::default() };
    let empty = Engine::new(RuleSet::default());
    for (test, seen) in suite.tests().iter().zip(seen) {
        let counts = verdict::complaint(test, &session::run(&empty, test)).is_some();
        report.add(test, counts, verdict::complaint(test, seen), seen);
    }
    report
}
