//! `rules conformance`: the Core Rule Set's own tests, in process or through a gateway.

mod gateway;

use std::path::Path;

use conformance::{Failure as Failed, Report, Rules, Suite};
use rules::engine::Engine;
use serde::Serialize;
use traffic::counted;

use crate::args::{Format, Global};
use crate::failure::Failure;
use crate::output::{Output, Paint};

#[derive(Serialize)]
struct Ran {
    schema: &'static str,
    passed: usize,
    failed: Vec<Test>,
    silent_passed: usize,
    silent_failed: Vec<Test>,
    took_ms: u64,
}

#[derive(Serialize)]
struct Test {
    name: String,
    reason: String,
    matched: Vec<u64>,
}

/// Runs them, and fails when one does.
pub(super) fn run(
    global: &Global,
    crs: &Path,
    tests: &Path,
    through_gateway: bool,
) -> Result<(), Failure> {
    let set = conformance::load(&Rules::of(crs)).map_err(|error| {
        Failure::Configuration(error.to_string().lines().map(str::to_owned).collect())
    })?;
    let suite = Suite::read(tests).map_err(|error| Failure::Failed(error.to_string()))?;
    let report = if through_gateway {
        let gateway = gateway::Gateway::start(crs)?;
        let explain = |id: &str| gateway.explain(id);
        conformance::live::run(gateway.address(), &set, &suite, &explain)
    } else {
        conformance::run(&Engine::new(set), &suite)
    };
    let ran = ran(&report);
    Output::open(global, Format::Table)?.document(&ran, |page| {
        for test in ran.failed.iter().chain(&ran.silent_failed) {
            page.painted(Paint::Bad, &format!("failed  {:<12} {}", test.name, test.reason));
        }
        let all = ran.passed + ran.failed.len();
        page.line(&format!(
            "{} of {all} tests passed that a set without rules fails ({:.2} %), {} of {} that it passes, in {:.1} s",
            ran.passed,
            report.per_mille() / 10.0,
            ran.silent_passed,
            ran.silent_passed + ran.silent_failed.len(),
            report.took.as_secs_f64(),
        ));
    })?;
    match ran.failed.len() + ran.silent_failed.len() {
        0 if ran.passed + ran.silent_passed == 0 => {
            Err(Failure::Failed(format!("there is no test in {}", tests.display())))
        }
        0 => Ok(()),
        count => Err(Failure::Failed(format!("{} failed", counted(count as u64, "test")))),
    }
}

fn ran(report: &Report) -> Ran {
    let test = |failed: &Failed| Test {
        name: failed.name.clone(),
        reason: failed.reason.clone(),
        matched: failed.ids.clone(),
    };
    Ran {
        schema: "palisade.v1.conformance",
        passed: report.passed,
        failed: report.failures.iter().map(test).collect(),
        silent_passed: report.quiet_passed,
        silent_failed: report.quiet_failures.iter().map(test).collect(),
        took_ms: u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
    }
}
