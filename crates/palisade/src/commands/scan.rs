//! `scan`: what logs and other recorded traffic show, through the very engine that decides live.
//!
//! No instance and no data folder are needed. The engine begins knowing nothing, in monitor mode,
//! with a key that is the same each time: the same input gives the same bytes.

mod document;
mod junit;
mod meter;
mod page;
mod sarif;

use std::fs;
use std::path::PathBuf;

use intake::Assumptions;
use intake::scan::{Inputs, NotScanned, Scanned};
use shield::policy::overlay::{ModeScope, set_mode};
use shield::policy::{Flags, Policy, Sources};
use shield::{Engine, Settings};
use traffic::counted;
use traffic::{HashKey, Mode, Severity};

use crate::args::{Format, Global, LogArgs, Scan, SeverityWord};
use crate::failure::Failure;
use crate::output::{Output, say};
use crate::rulebook::Shelf;

use document::Document;

/// The upstream of a scan: nobody is asked, but a site must lead somewhere.
const NOWHERE: &str = "http://scan.invalid";
/// Memory for what is learnt. Enough for a hundred thousand callers at one time; the whole stays
/// well below 300 MB.
const TABLE_BYTES: usize = 96 << 20;

/// Scans what the arguments name.
pub(crate) fn scan(global: &Global, args: &Scan) -> Result<(), Failure> {
    let mut output = Output::open_report(global, Format::Table)?;
    // Rules cost more than all the rest together; a report is worth that.
    let asks_rules = output.format() == Format::Html;
    let (engine, scanned) = scanned(global, &args.files, &args.logs, asks_rules)?;
    let document = Document::of(&engine, &scanned);
    match output.format() {
        Format::Sarif => output.text(&sarif::text(&document)?)?,
        Format::Junit => output.text(&junit::text(&document, args.fail_on))?,
        Format::Jsonl => document.lines(&mut output)?,
        Format::Html => {
            super::report::write(&mut output, &super::report::of_scan(&engine, &scanned))?
        }
        _ => output.document(&document, |page| page::write(page, &document, args.all))?,
    }
    if !global.quiet {
        for input in document.inputs.iter().filter(|input| input.broken.is_some()) {
            let why = input.broken.as_deref().unwrap_or_default();
            say(&format!("warning: {} was read in part: {why}", input.name));
        }
    }
    gate(&document, args.fail_on)
}

/// Sends everything that `files` name through an engine that knows nothing yet.
pub(super) fn scanned(
    global: &Global,
    files: &[PathBuf],
    logs: &LogArgs,
    asks_rules: bool,
) -> Result<(Engine, Scanned), Failure> {
    let inputs = Inputs::find(files, assumptions(logs)).map_err(not_scanned)?;
    let mut policy = policy(logs)?;
    if asks_rules && let Some(rules) = Shelf::default().load(&policy).map_err(Failure::of_policy)? {
        policy.arm(rules);
    }
    let engine = engine_under(policy, inputs.are_redacted(), scanner_key());
    let meter = meter::Meter::start(inputs.progress(), global.quiet);
    let scanned = intake::scan::scan(&engine, inputs, &mut |_| {});
    meter.end();
    Ok((engine, scanned))
}

/// What holds where logs do not tell.
pub(super) fn assumptions(args: &LogArgs) -> Assumptions {
    let LogArgs { log_format, zone, host, .. } = args;
    Assumptions { zone: *zone, format: log_format.clone(), host: host.as_str().into() }
}

pub(super) fn not_scanned(error: NotScanned) -> Failure {
    let text = error.to_string();
    if text.contains("--log-format: ") { Failure::Usage(text) } else { Failure::Failed(text) }
}

/// An engine that knows nothing yet and only watches.
pub(super) fn engine(args: &LogArgs, reads_redacted: bool) -> Result<Engine, Failure> {
    Ok(engine_under(policy(args)?, reads_redacted, scanner_key()))
}

/// The same under any policy and with any key of its hashes.
pub(super) fn engine_under(policy: Policy, reads_redacted: bool, key: HashKey) -> Engine {
    let settings =
        Settings { policy, key, reads_redacted, table_bytes: TABLE_BYTES, recorder: None };
    Engine::new(settings).without_samples()
}

/// The same each time, so that the same input gives the same bytes.
const fn scanner_key() -> HashKey {
    HashKey::new(*b"palisade scanner")
}

/// What logs are read under.
pub(super) fn policy(args: &LogArgs) -> Result<Policy, Failure> {
    let file = match &args.config {
        Some(path) => Some((
            path.display().to_string(),
            fs::read_to_string(path)
                .map_err(|error| Failure::of(format!("cannot read {}", path.display()), error))?,
        )),
        None => None,
    };
    // What is over cannot be refused any more.
    let overlay = set_mode("", &ModeScope::default(), Some(Mode::Monitor))
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let to = file.is_none().then(|| NOWHERE.to_owned());
    let sources = Sources {
        file: file.as_ref().map(|(name, text)| (name.as_str(), text.as_str())),
        overlay: Some(("monitor mode", overlay.as_str())),
        flags: Flags { to, ..Flags::default() },
    };
    shield::policy::load(&sources)
        .map(|(policy, _)| policy)
        .map_err(|faults| Failure::Configuration(faults.iter().map(ToString::to_string).collect()))
}

/// The exit code that `--fail-on` asks for.
fn gate(document: &Document, fail_on: Option<SeverityWord>) -> Result<(), Failure> {
    let Some(least) = fail_on else { return Ok(()) };
    let least = least.severity();
    let incidents = document.incidents.iter().filter(|incident| incident.rank >= least).count();
    let exposures = document.exposures.iter().filter(|found| found.rank >= least).count();
    let said: Vec<String> = [(incidents, "incident"), (exposures, "exposure")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| counted(count as u64, what))
        .collect();
    match said.is_empty() {
        true => Ok(()),
        false => Err(Failure::Findings(format!("{} at or above --fail-on", said.join(" and ")))),
    }
}

impl SeverityWord {
    /// The severity it names.
    pub(crate) const fn severity(self) -> Severity {
        match self {
            Self::Info => Severity::Info,
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
            Self::Critical => Severity::Critical,
        }
    }
}
