//! `replay`: recorded exchanges through the very engine that decides live.
//!
//! A recording with a header brings its policy, its hashes and what was known when it began; flags
//! override the policy. A recording without one is judged under the defaults. No running instance
//! is needed, and none is touched.

mod start;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use intake::{Answered, Recording, Summary};
use serde::Serialize;
use shield::Engine;
use traffic::counted;

use crate::args::{Format, Global, Replay};
use crate::failure::Failure;
use crate::output::{Output, Page, Paint};

/// The end of the output, as a line of its own.
#[derive(Serialize)]
struct SummaryLine<'s> {
    summary: &'s Summary,
}

/// Everything in one document.
#[derive(Serialize)]
struct Replayed<'s> {
    schema: &'static str,
    exchanges: &'s [Answered],
    summary: &'s Summary,
}

/// Replays each file in turn. A file that begins with a header begins anew; one without goes on
/// where the file before it ended.
pub(crate) fn replay(global: &Global, replay: &Replay) -> Result<(), Failure> {
    let output = &mut Output::open(global, Format::Table)?;
    let mut engine: Option<Engine> = None;
    let mut answered_before = 0;
    let mut no_recording = None;
    for path in &replay.files {
        let recording = open(path)?;
        let has_header = recording.header().is_some();
        let going_on = engine.take().filter(|_| recording.header().is_none());
        let running = match going_on {
            Some(engine) => engine,
            None => start::engine(global, replay, recording.header())?,
        };
        let summary = one(output, &running, recording, path, answered_before)?;
        answered_before += summary.exchanges;
        if !has_header && summary.exchanges == 0 {
            no_recording = no_recording.or(Some(path));
        }
        engine = Some(running);
    }
    // Whoever asks whether a recording holds attacks must not be told that nothing holds none.
    match no_recording {
        Some(path) => Err(Failure::Failed(format!("{} is no recording", path.display()))),
        None => Ok(()),
    }
}

fn open(path: &Path) -> Result<Recording<Box<dyn BufRead>>, Failure> {
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::of(format!("cannot replay {}", path.display()), error)
    };
    let input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(path).map_err(|error| cannot(&error))?))
    };
    Recording::open(input).map_err(|error| cannot(&error))
}

fn one(
    output: &mut Output,
    engine: &Engine,
    recording: Recording<Box<dyn BufRead>>,
    path: &Path,
    answered_before: u64,
) -> Result<Summary, Failure> {
    let mut kept: Vec<Answered> = Vec::new();
    let format = output.format();
    let mut failure = None;
    let mut emit = |answered: &Answered| {
        let numbered = Answered { n: answered.n + answered_before, ..answered.clone() };
        match format {
            Format::Jsonl => {
                let written = output.line(&numbered);
                written.map_err(|error| {
                    failure = Some(error);
                    std::io::Error::from(std::io::ErrorKind::Other)
                })?;
            }
            Format::Json => kept.push(numbered),
            _ => {}
        }
        Ok(())
    };
    let replayed = intake::replay(engine, recording, &mut emit);
    if let Some(failure) = failure {
        return Err(failure);
    }
    let summary = replayed
        .map_err(|error| Failure::of(format!("cannot replay {}", path.display()), error))?;
    match format {
        Format::Jsonl => output.line(&SummaryLine { summary: &summary })?,
        Format::Json => {
            let schema = "palisade.v1.replay";
            output.document(&Replayed { schema, exchanges: &kept, summary: &summary }, |_| {})?;
        }
        _ => output.document(&(), |page| show(page, path, &summary))?,
    }
    Ok(summary)
}

fn show(page: &mut Page, path: &Path, summary: &Summary) {
    page.painted(Paint::Bold, &path.display().to_string());
    page.pair("exchanges", &summary.exchanges.to_string());
    for (at, (verdict, count)) in summary.verdicts.iter().enumerate() {
        page.pair(if at == 0 { "verdicts" } else { "" }, &format!("{count} {verdict}"));
    }
    for (label, verdicts) in &summary.labels {
        let counts: Vec<String> =
            verdicts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        page.pair("label", &format!("{label}: {}", counts.join(", ")));
    }
    page.pair("endpoints", &summary.endpoints.to_string());
    if summary.same + summary.different > 0 {
        let text = format!("{} as recorded, {} otherwise", summary.same, summary.different);
        let paint = if summary.different == 0 { Paint::Good } else { Paint::Warn };
        page.pair_painted("verdicts", &text, paint);
    }
    for finding in &summary.findings {
        page.pair_painted(
            "finding",
            &format!("{}: {}", finding.severity, finding.title),
            Paint::Warn,
        );
    }
    if summary.out_of_order > 0 {
        page.pair("order", &format!("{} came before their time", summary.out_of_order));
    }
    if summary.skipped > 0 {
        let text = format!("{} cannot be used", counted(summary.skipped, "line"));
        page.pair_painted("skipped", &text, Paint::Bad);
        for skipped in &summary.skipped_first {
            page.pair("", &format!("line {}: {}", skipped.line, skipped.reason));
        }
    }
}
