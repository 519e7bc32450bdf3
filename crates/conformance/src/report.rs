//! What came of it.

use std::{fmt, time::Duration};

use crate::{session::Seen, suite::Test};

/// The result of a suite.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Tests that a set without rules fails, and that passed.
    pub passed: usize,
    /// Those that did not.
    pub failures: Vec<Failure>,
    /// Tests that a set without rules passes, too, and that passed.
    pub quiet_passed: usize,
    /// Those that did not: rules held that should not have.
    pub quiet_failures: Vec<Failure>,
    /// How long the tests took with the rules.
    pub took: Duration,
}

/// A test that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// `920100-4`.
    pub name: String,
    /// What is wrong.
    pub reason: String,
    /// The rules that held.
    pub ids: Vec<u64>,
}

impl Report {
    pub(crate) fn add(
        &mut self,
        test: &Test,
        counts: bool,
        complaint: Option<String>,
        seen: &[Seen],
    ) {
        let failure = complaint.map(|reason| Failure {
            name: test.name.clone(),
            reason,
            ids: seen.iter().flat_map(|seen| seen.ids.iter().copied()).collect(),
        });
        match (counts, failure) {
            (true, None) => self.passed += 1,
            (true, Some(failure)) => self.failures.push(failure),
            (false, None) => self.quiet_passed += 1,
            (false, Some(failure)) => self.quiet_failures.push(failure),
        }
    }

    /// Of the tests that count, how many of a thousand passed.
    #[must_use]
    pub fn per_mille(&self) -> f64 {
        let all = self.passed + self.failures.len();
        if all == 0 {
            return 0.0;
        }
        self.passed as f64 * 1_000.0 / all as f64
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in self.failures.iter().chain(&self.quiet_failures) {
            let ids: Vec<_> = failure.ids.iter().map(u64::to_string).collect();
            writeln!(f, "{:<12} {} (held: {})", failure.name, failure.reason, ids.join(" "))?;
        }
        writeln!(
            f,
            "{} of {} tests that need rules passed ({:.2} %), and {} of {} that need silence",
            self.passed,
            self.passed + self.failures.len(),
            self.per_mille() / 10.0,
            self.quiet_passed,
            self.quiet_passed + self.quiet_failures.len(),
        )?;
        write!(f, "in {:.2} s", self.took.as_secs_f64())
    }
}
