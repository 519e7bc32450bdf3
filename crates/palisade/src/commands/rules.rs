//! `rules`: what there is, what it says, and what it would make of a request.
//!
//! No running instance is needed: the rules are read as `run` would read them.

mod conformance;
mod judge;
mod measure;
mod why;

use rules::action::{Disruption, Severity};
use rules::rule::{Phase, Rule};
use rules::rule_set::RuleSet;
use rules::template::Template;
use serde::Serialize;
use shield::policy::Flags;
use traffic::counted;

use crate::args::Format;
use crate::args::Global;
use crate::args::rules::{List, Of, Rules};
use crate::configuration::Configuration;
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::rulebook;

/// A rule in a list.
#[derive(Serialize)]
struct Row {
    id: u64,
    phase: u8,
    severity: Option<String>,
    confidence: Option<String>,
    message: String,
    tags: Vec<String>,
    source: String,
}

/// The list.
#[derive(Serialize)]
struct Listed {
    schema: &'static str,
    rules: Vec<Row>,
}

/// One rule.
#[derive(Serialize)]
struct Shown {
    schema: &'static str,
    #[serde(flatten)]
    row: Row,
    does: String,
    text: String,
}

/// What is suspicious, and what has no effect.
#[derive(Serialize)]
struct Linted {
    schema: &'static str,
    warnings: Vec<String>,
    notes: Vec<String>,
}

/// Carries one of them out.
pub(crate) fn rules(global: &Global, rules: &Rules) -> Result<(), Failure> {
    match rules {
        Rules::List(list) => self::list(global, list),
        Rules::Show { id, of } => show(global, *id, of),
        Rules::Lint(of) => lint(global, of),
        Rules::Why(why) => why::why(global, why),
        Rules::Conformance { crs, tests, through_gateway } => {
            conformance::run(global, crs, tests, *through_gateway)
        }
        Rules::Measure(measure) => measure::measure(global, measure),
    }
}

/// The policy whose rules are meant.
fn configuration(global: &Global, of: &Of) -> Configuration {
    Configuration {
        file: of.config.clone(),
        flags: Flags {
            // Nobody is asked, but a site must lead somewhere.
            to: of.config.is_none().then(|| "http://rules.invalid".to_owned()),
            data: global.data.clone(),
            crs: of.crs.clone(),
            ..Flags::default()
        },
        ..Configuration::default()
    }
}

/// The rules that are meant, and their texts.
fn read(global: &Global, of: &Of) -> Result<rulebook::Read, Failure> {
    let policy = configuration(global, of).policy().map_err(Failure::Configuration)?;
    rulebook::read(&policy).map_err(Failure::Configuration)
}

fn list(global: &Global, list: &List) -> Result<(), Failure> {
    let read = read(global, &list.of)?;
    let word = list.word.as_deref().unwrap_or_default().to_lowercase();
    let rows = rows(&read.set).into_iter().filter(|row| {
        let tags = row.tags.join(" ");
        let all = format!("{} {} {tags}", row.id, row.message).to_lowercase();
        all.contains(&word)
    });
    let listed = Listed { schema: "palisade.v1.rules", rules: rows.collect() };
    let mut output = Output::open(global, Format::Table)?;
    output.list(&listed, &listed.rules, |page| {
        let lines: Vec<_> = listed
            .rules
            .iter()
            .map(|row| {
                vec![
                    (row.id.to_string(), Paint::Bold),
                    (row.phase.to_string(), Paint::Faint),
                    (row.confidence.clone().unwrap_or_default(), Paint::None),
                    (row.severity.clone().unwrap_or_default(), Paint::None),
                    (row.message.clone(), Paint::None),
                ]
            })
            .collect();
        page.table(&["ID", "PHASE", "CONFIDENCE", "SEVERITY", "MESSAGE"], &lines);
    })?;
    output.talk(&counted(listed.rules.len() as u64, "rule"));
    Ok(())
}

fn show(global: &Global, id: u64, of: &Of) -> Result<(), Failure> {
    let read = read(global, of)?;
    let rule = read.set.rules().find(|rule| rule.id == id).ok_or_else(|| {
        Failure::Failed(format!(
            "there is no rule {id}\nhelp: palisade rules list finds one by a word"
        ))
    })?;
    let shown = Shown {
        schema: "palisade.v1.rule",
        row: row(rule),
        does: does(&rule.disruption),
        text: read.text_of(rule),
    };
    Output::open(global, Format::Table)?.document(&shown, |page| {
        page.pair("rule", &shown.row.id.to_string());
        page.pair("says", &shown.row.message);
        page.pair("phase", &shown.row.phase.to_string());
        for (name, value) in
            [("severity", &shown.row.severity), ("confidence", &shown.row.confidence)]
        {
            if let Some(value) = value {
                page.pair(name, value);
            }
        }
        page.pair("does", &shown.does);
        page.pair("tags", &shown.row.tags.join(", "));
        page.pair("stands in", &shown.row.source);
        page.gap();
        for line in shown.text.lines() {
            page.painted(Paint::Faint, line);
        }
    })
}

fn lint(global: &Global, of: &Of) -> Result<(), Failure> {
    let read = read(global, of)?;
    let warnings = rules::lint::lint(&read.set).iter().map(ToString::to_string).collect();
    let notes = read.set.notes.iter().map(|note| format!("{}: {}", note.source, note.text));
    let linted = Linted { schema: "palisade.v1.lint", warnings, notes: notes.collect() };
    let mut output = Output::open(global, Format::Table)?;
    output.document(&linted, |page| {
        for warning in &linted.warnings {
            page.painted(Paint::Warn, &format!("warning: {warning}"));
        }
        for note in &linted.notes {
            page.line(&format!("note: {note}"));
        }
        page.line(&format!(
            "{}, {}, {}",
            counted(read.set.rules().count() as u64, "rule"),
            counted(linted.warnings.len() as u64, "warning"),
            counted(linted.notes.len() as u64, "note")
        ));
    })
}

fn rows(set: &RuleSet) -> Vec<Row> {
    let mut rows: Vec<Row> = set.rules().map(row).collect();
    rows.sort_by_key(|row| row.id);
    rows
}

fn row(rule: &Rule) -> Row {
    let text = |it: &Template| String::from_utf8_lossy(&it.plain()).into_owned();
    let message = rule.links.iter().find_map(|link| link.message.as_ref());
    let tags: Vec<String> = rule.about.tags.iter().map(text).collect();
    Row {
        id: rule.id,
        phase: match rule.phase {
            Phase::RequestHeaders => 1,
            Phase::RequestBody => 2,
            Phase::ResponseHeaders => 3,
            Phase::ResponseBody => 4,
            Phase::Logging => 5,
        },
        severity: rule.about.severity.map(severity),
        confidence: tags.iter().find_map(|tag| tag.strip_prefix("confidence/")).map(str::to_owned),
        message: message.map(text).unwrap_or_default(),
        tags,
        source: rule.source.to_string(),
    }
}

fn severity(severity: Severity) -> String {
    format!("{severity:?}").to_lowercase()
}

fn does(disruption: &Disruption) -> String {
    match disruption {
        Disruption::Pass => "evidence: what it finds is weighed".to_owned(),
        Disruption::Allow(_) => "lets the request pass the other rules".to_owned(),
        Disruption::Deny(status) => format!("denies with {status}"),
        Disruption::Drop => "denies, and closes the connection".to_owned(),
        Disruption::Redirect { status, .. } => format!("sends the caller elsewhere with {status}"),
    }
}
