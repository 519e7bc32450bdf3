//! What a replay adds up to.

use std::collections::BTreeMap;

use serde::Serialize;
use traffic::Finding;
use traffic::recording::VerdictPart;

/// A line that could not be used.
#[derive(Clone, Debug, Serialize)]
pub struct Skipped {
    /// Its number in the input, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// The end of a replay.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Exchanges that were answered.
    pub exchanges: u64,
    /// How many got which verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// The same for each label.
    pub labels: BTreeMap<String, BTreeMap<String, u64>>,
    /// Endpoints found.
    pub endpoints: u64,
    /// Findings, hardest first.
    pub findings: Vec<FindingLine>,
    /// How many lines were skipped.
    pub skipped: u64,
    /// The first of them.
    pub skipped_first: Vec<Skipped>,
    /// Exchanges out of the order of their times: they were taken as happening later.
    pub out_of_order: u64,
    /// Exchanges that carried the verdict of the recording and got the same.
    pub same: u64,
    /// Exchanges that carried the verdict of the recording and got another.
    pub different: u64,
}

/// A finding as a replay tells it.
#[derive(Clone, Debug, Serialize)]
pub struct FindingLine {
    /// The detector's name.
    pub detector: String,
    /// How much it matters.
    pub severity: String,
    /// Whom it is about.
    pub entity: String,
    /// Where it happened.
    pub endpoint: Option<String>,
    /// One sentence.
    pub title: String,
    /// How many requests it rests on.
    pub requests: u64,
    /// How many of them were refused.
    pub refused: u64,
    /// Whether an attempt succeeded.
    pub succeeded: bool,
    /// First and last time.
    pub first: String,
    /// Last time.
    pub last: String,
}

/// Skipped lines that are shown one by one.
const SKIPPED_SHOWN_MAX: usize = 10;
/// More labels than this are counted together.
const LABELS_MAX: usize = 1_000;

impl Summary {
    pub(crate) fn skip(&mut self, skipped: Skipped) {
        self.skipped += 1;
        if self.skipped_first.len() < SKIPPED_SHOWN_MAX {
            self.skipped_first.push(skipped);
        }
    }

    pub(crate) fn count(
        &mut self,
        decided: &VerdictPart,
        recorded: Option<&VerdictPart>,
        label: Option<&serde_json::Value>,
    ) {
        self.exchanges += 1;
        *self.verdicts.entry(decided.verdict.clone()).or_default() += 1;
        match recorded {
            Some(recorded) if recorded == decided => self.same += 1,
            Some(_) => self.different += 1,
            None => {}
        }
        let Some(label) = label else { return };
        let label = label.as_str().map_or_else(|| label.to_string(), str::to_owned);
        let known = self.labels.contains_key(&label) || self.labels.len() < LABELS_MAX;
        let label = if known { label } else { "(other)".to_owned() };
        *self.labels.entry(label).or_default().entry(decided.verdict.clone()).or_default() += 1;
    }

    pub(crate) fn close(&mut self, mut findings: Vec<Finding>, endpoints: usize) {
        findings.sort_by(|a, b| {
            b.severity.cmp(&a.severity).then(a.first.cmp(&b.first)).then(a.key.cmp(&b.key))
        });
        self.endpoints = u64::try_from(endpoints).unwrap_or(u64::MAX);
        self.findings = findings.into_iter().map(FindingLine::from).collect();
    }
}

impl From<Finding> for FindingLine {
    fn from(finding: Finding) -> Self {
        Self {
            detector: finding.detector.name().to_owned(),
            severity: finding.severity.key().to_owned(),
            entity: finding.entity.to_string(),
            endpoint: finding.endpoint,
            title: finding.title,
            requests: finding.requests,
            refused: finding.refused,
            succeeded: finding.succeeded,
            first: finding.first.to_string(),
            last: finding.last.to_string(),
        }
    }
}
