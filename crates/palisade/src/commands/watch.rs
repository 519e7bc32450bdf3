//! `watch`: follows access logs and prints findings as they come.
//!
//! What is in the files already teaches what is normal here; findings in it are printed only when
//! asked for. Ends on SIGINT or SIGTERM.

use std::collections::BTreeMap;
use std::time::Duration;

use intake::scan::Evidence;
use intake::watch::Watch;
use serde::Serialize;
use tokio::signal::unix::{Signal, SignalKind, signal};
use traffic::counted;
use traffic::{Digest, Finding, Severity};

use super::scan::{assumptions, engine};
use crate::args::{Format, Global, Watch as Arguments};
use crate::failure::Failure;
use crate::output::{Output, Paint};

/// Between two looks at the files.
const PAUSE: Duration = Duration::from_millis(250);
/// Findings that are remembered, so that one is printed anew only when it says more.
const PRINTED_MAX: usize = 100_000;

/// Follows what the arguments name.
pub(crate) fn watch(global: &Global, args: &Arguments) -> Result<(), Failure> {
    let output = Output::open(global, Format::Table)?;
    for path in args.files.iter().filter(|path| !path.exists()) {
        output.talk(&format!("{}: not there yet; waiting for it", path.display()));
    }
    // A log's lines hold secrets as they are.
    let engine = engine(&args.logs, false)?;
    let mut watch = Watch::new(&engine, &args.files, assumptions(&args.logs));
    let mut printer = Printer { output, args, printed: BTreeMap::new(), is_level: false };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        loop {
            let is_level = printer.print(&mut watch)?;
            let pause = if is_level { PAUSE } else { Duration::ZERO };
            if let Some(code) = told(pause, &mut interrupt, &mut terminate).await {
                printer.close(&watch);
                return Err(Failure::Ended(code));
            }
        }
    })
}

/// Waits; gives the exit code of a signal that ends the program.
async fn told(pause: Duration, interrupt: &mut Signal, terminate: &mut Signal) -> Option<u8> {
    tokio::select! {
        biased;
        _ = interrupt.recv() => Some(130),
        _ = terminate.recv() => Some(143),
        () = tokio::time::sleep(pause) => None,
    }
}

/// Prints findings, each when it is new or says more.
struct Printer<'a> {
    output: Output,
    args: &'a Arguments,
    printed: BTreeMap<Digest, (Severity, bool)>,
    /// All that was there at the start has been read.
    is_level: bool,
}

/// A finding as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    schema: &'static str,
    detector: &'static str,
    owasp: &'static str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found_by: Option<String>,
    endpoint: Option<&'a str>,
    title: &'a str,
    first: String,
    last: String,
    requests: u64,
    succeeded: bool,
    file: String,
    /// The line that tells it best, counted from where reading began.
    line: u64,
}

impl Printer<'_> {
    /// One step, and what it brought. Whether all that there is has been read.
    fn print(&mut self, watch: &mut Watch<'_>) -> Result<bool, Failure> {
        let step = watch.step();
        for (path, format) in &step.begun {
            match format {
                Ok(name) => self.output.talk(&format!("{}: {name}", path.display())),
                Err(error) if self.args.files.len() == 1 => {
                    return Err(Failure::of(format!("cannot watch {}", path.display()), error));
                }
                Err(error) => {
                    self.output.talk(&format!("warning: {}: {error}", path.display()));
                }
            }
        }
        for finding in &step.findings {
            let says = (finding.severity, finding.succeeded);
            let is_known = self.printed.get(&finding.key).is_some_and(|known| *known >= says);
            if self.printed.len() >= PRINTED_MAX {
                self.printed.pop_first();
            }
            self.printed.insert(finding.key, says);
            if !is_known && (self.is_level || self.args.from_start) {
                self.line(finding)?;
            }
        }
        self.output.flush()?;
        if step.is_level && !self.is_level {
            self.is_level = true;
            let known = counted(step.exchanges, "request");
            self.output.talk(&format!("{known} there before; following. Ctrl-C ends it"));
        }
        Ok(step.is_level)
    }

    fn line(&mut self, finding: &Finding) -> Result<(), Failure> {
        let evidence = Evidence::of(finding);
        let file = self.args.files.get(evidence.input);
        let file = file.map_or_else(String::new, |path| path.display().to_string());
        if self.output.format() == Format::Table {
            let paint = match finding.severity {
                Severity::Critical | Severity::High => Paint::Bad,
                Severity::Medium => Paint::Warn,
                Severity::Low | Severity::Info => Paint::None,
            };
            return self.output.document(&(), |page| {
                let at = page.clock().short(&finding.last.to_string());
                let place = format!("{file}:{}", evidence.line);
                page.painted(
                    paint,
                    &format!("{at}  {:<8}  {}  {place}", finding.severity, finding.title),
                );
            });
        }
        let is_attack = finding.detector.is_attack();
        self.output.line(&Line {
            schema: "palisade.v1.finding",
            detector: finding.detector.name(),
            owasp: finding.detector.owasp(),
            severity: finding.severity.key(),
            caller: is_attack.then(|| finding.entity.to_string()),
            found_by: (!is_attack).then(|| finding.entity.to_string()),
            endpoint: finding.endpoint.as_deref(),
            title: &finding.title,
            first: finding.first.to_string(),
            last: finding.last.to_string(),
            requests: finding.requests,
            succeeded: finding.succeeded,
            file,
            line: evidence.line,
        })
    }

    /// What was read, at the end.
    fn close(&self, watch: &Watch<'_>) {
        for (path, account) in watch.accounts() {
            let skipped = account.skipped_in_all();
            self.output.talk(&format!(
                "{}: {}, {}, {skipped} skipped",
                path.display(),
                counted(account.lines, "line"),
                counted(account.exchanges, "request")
            ));
        }
    }
}
