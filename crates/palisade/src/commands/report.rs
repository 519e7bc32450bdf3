//! `report`: the state of the API's security, as a page for people, as figures for programs, or
//! in short on the terminal.
//!
//! A running instance is asked; of one that is stopped the data folder is read. With files, those
//! are scanned, as `scan` does.

mod of_scan;
mod page;

use std::path::Path;

use console::reporting::{self, Asked};
use ledger::{Ledger, Options};
use report::Report;

use super::scan;
use crate::args::report::Report as Args;
use crate::args::{Format, Global, LogArgs};
use crate::client::{Client, escaped};
use crate::failure::Failure;
use crate::output::Output;
use crate::run;

pub(super) use of_scan::of_scan;

/// When nobody says how long.
const LAST_S: u64 = 7 * 86_400;
/// What the page is signed with.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes the report and writes it.
pub(crate) fn report(global: &Global, args: &Args) -> Result<(), Failure> {
    let mut output = Output::open_report(global, Format::Table)?;
    if matches!(output.format(), Format::Sarif | Format::Junit) {
        return Err(Failure::Usage(
            "--output sarif and junit are formats of `scan` only".to_owned(),
        ));
    }
    let report = if args.files.is_empty() {
        of_instance(global, args)?
    } else {
        let (engine, scanned) = scan::scanned(global, &args.files, &args.logs, true)?;
        of_scan(&engine, &scanned)
    };
    write(&mut output, &report)
}

/// Writes it in the form that is wanted.
pub(super) fn write(output: &mut Output, report: &Report) -> Result<(), Failure> {
    match output.format() {
        Format::Html => output.text(&::report::html::page(report)),
        _ => output.document(report, |page| page::write(page, report)),
    }
}

fn of_instance(global: &Global, args: &Args) -> Result<Report, Failure> {
    let query = match (args.from, args.to) {
        (Some(from), None) => format!("from={}", escaped(&from.to_string())),
        (Some(from), Some(to)) => {
            format!("from={}&to={}", escaped(&from.to_string()), escaped(&to.to_string()))
        }
        (None, _) => format!("last_s={}", args.last.map_or(LAST_S, |last| last.as_secs())),
    };
    match Client::new(global)?.get(&format!("/report?{query}")) {
        // What is asked for over the network has no folder here.
        Err(Failure::Unreachable(why)) if global.remote.server.is_none() => {
            match stopped(&super::data_folder(global), args)? {
                Some(report) => Ok(report),
                None => Err(Failure::Unreachable(why)),
            }
        }
        asked => asked,
    }
}

/// The report on the data folder of an instance that does not run; none when there is no folder.
fn stopped(data: &Path, args: &Args) -> Result<Option<Report>, Failure> {
    if !data.join("palisade.db").is_file() {
        return Ok(None);
    }
    let (ledger, writer) =
        Ledger::open(data, kept_for_ever()).map_err(|error| Failure::Failed(error.to_string()))?;
    let made = (|| {
        let engine = scan::engine_under(scan::policy(&args.logs)?, false, ledger.hash_key());
        run::restore(&engine, &ledger)?;
        let asked = match args.from {
            Some(from) => Asked::Between(from, args.to),
            None => Asked::Last(args.last.unwrap_or(std::time::Duration::from_secs(LAST_S))),
        };
        let mut report = reporting::report(&engine, &ledger, VERSION, asked, run::now())
            .map_err(|error| Failure::of("the data folder cannot be read", error))?;
        report.origin.names = names(data, &args.logs);
        // Nobody knows in which modes the instance ran.
        report.method.layers.clear();
        Ok(report)
    })();
    writer.close();
    made.map(Some)
}

/// Whoever only reads throws nothing away.
fn kept_for_ever() -> Options {
    const YEARS: std::time::Duration = std::time::Duration::from_secs(20 * 366 * 86_400);
    Options {
        events_kept: YEARS,
        rollups_kept: YEARS,
        disk_bytes_max: u64::MAX,
        ..Options::default()
    }
}

fn names(data: &Path, logs: &LogArgs) -> Vec<String> {
    match &logs.config {
        Some(file) => vec![file.display().to_string()],
        None => vec![data.display().to_string()],
    }
}
