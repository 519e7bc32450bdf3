//! Material becomes a report.

mod actions;
mod changes;
mod figures;
mod inventory;
mod series;
mod sums;

use std::collections::BTreeMap;

use traffic::{Cve, Role, Timestamp};

use crate::material::{Endpoint, Material, Period};
use crate::outcome::{Probe, Report, Span};

use sums::Sums;

/// So many campaigns are told one by one.
const INCIDENTS_SHOWN_MAX: usize = 20;
/// And so many vulnerabilities.
const PROBES_SHOWN_MAX: usize = 25;

/// The figures that stand at the top, in this order.
const SUMMARY: [&str; 5] =
    ["api-calls-a-year", "api-share", "automated-share", "attacks", "refused-share"];
/// And of what is over when it is looked at, where nothing can be refused.
const SUMMARY_OF_SCAN: [&str; 5] =
    ["api-calls-a-year", "api-share", "automated-share", "attacks", "attack-share"];

impl Report {
    /// The report on `material`.
    pub fn of(material: &Material) -> Self {
        let roles = roles(&material.endpoints);
        let now = Sums::of(
            &material.tallies,
            &material.findings,
            &material.incidents,
            &material.exceptions,
            &roles,
        );
        let earlier = material.before.as_ref().ok().map(|before| {
            let (findings, incidents) = (&before.findings, &before.incidents);
            Sums::of(&before.tallies, findings, incidents, &material.exceptions, &roles)
        });
        let lists = inventory::lists(material);
        let inventory = inventory::figures(material, &lists);
        let sections = figures::sections(material, &now, earlier.as_ref(), inventory);
        let before = material.before.as_ref();
        let summary = if material.origin.kind == "scan" { SUMMARY_OF_SCAN } else { SUMMARY };
        let mut report = Self {
            schema: Self::SCHEMA.to_owned(),
            origin: material.origin.clone(),
            period: material.period.clone(),
            before: before.ok().map(|before| Span { from: before.from, to: before.to }),
            why_no_before: before.err().cloned(),
            summary: summary.iter().map(|&id| id.to_owned()).collect(),
            sections,
            changes: Vec::new(),
            actions: Vec::new(),
            series: series::of(material),
            incidents: material.incidents.iter().take(INCIDENTS_SHOWN_MAX).cloned().collect(),
            incidents_total: u64::try_from(material.incidents.len()).unwrap_or(u64::MAX),
            endpoints: lists,
            probes: probes(&now.probes, &material.period),
            method: material.method.clone(),
        };
        report.changes = changes::of(&report);
        report.actions = actions::of(&report, &now);
        report
    }
}

/// What each endpoint is for, by its label.
fn roles(endpoints: &[Endpoint]) -> BTreeMap<&str, Role> {
    endpoints.iter().map(|endpoint| (endpoint.label.as_str(), endpoint.role)).collect()
}

fn probes(counts: &BTreeMap<Cve, (u64, u64)>, period: &Period) -> Vec<Probe> {
    let year = year_of(period.counted_to);
    let probe = |(cve, (requests, answered)): (&Cve, &(u64, u64))| Probe {
        cve: cve.to_string(),
        age_years: age(*cve, year),
        requests: *requests,
        answered: *answered,
    };
    let mut probes: Vec<Probe> = counts.iter().map(probe).collect();
    probes.sort_by(|a, b| {
        b.answered.cmp(&a.answered).then(b.requests.cmp(&a.requests)).then(a.cve.cmp(&b.cve))
    });
    probes.truncate(PROBES_SHOWN_MAX);
    probes
}

/// Calendar years from a vulnerability's number to `year`.
const fn age(cve: Cve, year: u16) -> u16 {
    year.saturating_sub(cve.year)
}

/// The calendar year, in UTC.
fn year_of(at: Timestamp) -> u16 {
    at.to_string().get(..4).and_then(|year| year.parse().ok()).unwrap_or_default()
}
