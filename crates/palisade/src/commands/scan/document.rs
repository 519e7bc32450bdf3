//! A scan as one document: `palisade.v1.scan`. Every other form is made from it.

use std::collections::BTreeMap;

use console::wire::Endpoint;
use intake::scan::{Campaign, Found, InputSummary, Scanned};
use serde::Serialize;
use shield::Engine;
use traffic::Severity;

use crate::failure::Failure;
use crate::output::Output;

/// Everything that a scan says.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    schema: &'static str,
    /// What was read.
    pub(crate) inputs: Vec<Input>,
    /// Files that were not.
    pub(crate) passed_over: Vec<PassedOver>,
    /// What it adds up to.
    pub(crate) traffic: Traffic,
    /// What the API is.
    pub(crate) endpoints: Vec<Endpoint>,
    /// Who attacks it, the gravest first.
    pub(crate) incidents: Vec<Incident>,
    /// What is wrong with the API itself, the gravest first.
    pub(crate) exposures: Vec<Finding>,
    /// What this input cannot show.
    pub(crate) cannot_show: Vec<CannotShow>,
}

/// One input.
#[derive(Debug, Serialize)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) format: &'static str,
    pub(crate) lines: u64,
    pub(crate) exchanges: u64,
    /// Lines whose client sent something else than a request.
    pub(crate) no_requests: Vec<NoRequests>,
    /// Lines that are a server's messages.
    pub(crate) messages: u64,
    /// Lines that could not be read.
    pub(crate) skipped: Vec<Skip>,
    /// Why reading ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) broken: Option<String>,
}

/// Lines whose client sent something else than a request.
#[derive(Debug, Serialize)]
pub(crate) struct NoRequests {
    pub(crate) what: &'static str,
    pub(crate) count: u64,
    pub(crate) first_client: String,
    pub(crate) first_line: u64,
}

/// Lines that could not be read for one reason.
#[derive(Debug, Serialize)]
pub(crate) struct Skip {
    pub(crate) reason: String,
    pub(crate) count: u64,
    pub(crate) first_line: u64,
    pub(crate) example: String,
}

/// A file that was not read.
#[derive(Debug, Serialize)]
pub(crate) struct PassedOver {
    pub(crate) name: String,
    pub(crate) why: String,
}

/// What the exchanges add up to.
#[derive(Debug, Serialize)]
pub(crate) struct Traffic {
    pub(crate) exchanges: u64,
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
    pub(crate) clients: u64,
    /// There were more clients than are counted.
    pub(crate) clients_and_more: bool,
    pub(crate) bytes: u64,
    /// `2xx` and so on; `none` without an answer.
    pub(crate) statuses: BTreeMap<String, u64>,
    /// Requests that enforcing would have refused.
    pub(crate) would_refuse: u64,
    /// Exchanges too late for the window in which lines are sorted.
    pub(crate) out_of_order: u64,
    /// Findings that were dropped because there were too many.
    pub(crate) findings_dropped: u64,
}

/// Findings of one campaign.
#[derive(Debug, Serialize)]
pub(crate) struct Incident {
    pub(crate) title: String,
    pub(crate) severity: String,
    #[serde(skip)]
    pub(crate) rank: Severity,
    pub(crate) callers: Vec<String>,
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) requests: u64,
    pub(crate) succeeded: bool,
    pub(crate) findings: Vec<Finding>,
}

/// One conclusion.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) key: String,
    pub(crate) detector: &'static str,
    pub(crate) owasp: &'static str,
    pub(crate) severity: String,
    #[serde(skip)]
    pub(crate) rank: Severity,
    /// Who attacks; none where it is no attack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caller: Option<String>,
    /// Who came upon it, where it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) found_by: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) title: String,
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) requests: u64,
    pub(crate) succeeded: bool,
    pub(crate) risk: u8,
    /// What enforcing would have done.
    pub(crate) would: String,
    /// The line that tells it best.
    pub(crate) evidence: Evidence,
}

/// A line of an input.
#[derive(Debug, Serialize)]
pub(crate) struct Evidence {
    pub(crate) input: String,
    pub(crate) line: u64,
}

/// Something that is hidden.
#[derive(Debug, Serialize)]
pub(crate) struct CannotShow {
    pub(crate) what: &'static str,
    pub(crate) in_part: bool,
    pub(crate) why: &'static str,
}

impl Document {
    /// What `scanned` found, with the endpoints that `engine` learnt.
    pub(crate) fn of(engine: &Engine, scanned: &Scanned) -> Self {
        let baselines = engine.baselines();
        let endpoints = engine.endpoints();
        let mut endpoints: Vec<Endpoint> =
            endpoints.iter().map(|view| console::endpoint(view, &baselines, None)).collect();
        for endpoint in &mut endpoints {
            // Times in whole seconds put each answer right behind its request.
            endpoint.p50_ms = endpoint.p50_ms.filter(|_| scanned.has_fine_times);
            endpoint.p95_ms = endpoint.p95_ms.filter(|_| scanned.has_fine_times);
        }
        let why =
            |(name, why): &(String, String)| PassedOver { name: name.clone(), why: why.clone() };
        let hidden = scanned.blind.iter();
        let (attacks, others): (Vec<&Campaign>, Vec<&Campaign>) =
            scanned.campaigns.iter().partition(|campaign| campaign.is_attack());
        let found = others.into_iter().flat_map(|campaign| &campaign.findings);
        Self {
            schema: "palisade.v1.scan",
            inputs: scanned.inputs.iter().map(Input::of).collect(),
            passed_over: scanned.passed_over.iter().map(why).collect(),
            traffic: Traffic::of(scanned),
            endpoints,
            incidents: attacks.into_iter().map(|it| Incident::of(it, &scanned.inputs)).collect(),
            exposures: found.map(|it| Finding::of(it, &scanned.inputs)).collect(),
            cannot_show: hidden
                .map(|blind| CannotShow {
                    what: blind.what,
                    in_part: blind.in_part,
                    why: blind.why,
                })
                .collect(),
        }
    }

    /// One object a line: inputs, traffic, endpoints, incidents, exposures, what is hidden.
    pub(crate) fn lines(&self, output: &mut Output) -> Result<(), Failure> {
        /// A line names what it holds.
        #[derive(Serialize)]
        struct Line<'a, T> {
            #[serde(rename = "type")]
            kind: &'static str,
            #[serde(flatten)]
            item: &'a T,
        }
        fn all<T: Serialize>(
            output: &mut Output,
            kind: &'static str,
            items: &[T],
        ) -> Result<(), Failure> {
            items.iter().try_for_each(|item| output.line(&Line { kind, item }))
        }
        all(output, "input", &self.inputs)?;
        all(output, "passed_over", &self.passed_over)?;
        all(output, "traffic", std::slice::from_ref(&self.traffic))?;
        all(output, "endpoint", &self.endpoints)?;
        all(output, "incident", &self.incidents)?;
        all(output, "exposure", &self.exposures)?;
        all(output, "cannot_show", &self.cannot_show)?;
        output.flush()
    }
}

impl Input {
    fn of(summary: &InputSummary) -> Self {
        let account = &summary.account;
        let skipped = account.skipped.iter().map(|(reason, skips)| Skip {
            reason: reason.clone(),
            count: skips.count,
            first_line: skips.line,
            example: skips.example.clone(),
        });
        Self {
            name: summary.name.clone(),
            format: summary.format,
            lines: account.lines,
            exchanges: account.exchanges,
            no_requests: account
                .no_requests
                .iter()
                .map(|(why, these)| NoRequests {
                    what: why.text(),
                    count: these.count,
                    first_client: these.client.to_string(),
                    first_line: these.line,
                })
                .collect(),
            messages: account.messages,
            skipped: skipped.collect(),
            broken: account.broken.clone(),
        }
    }

    /// How many lines could not be read.
    pub(crate) fn skipped_in_all(&self) -> u64 {
        self.skipped.iter().map(|skip| skip.count).sum()
    }
}

impl Traffic {
    fn of(scanned: &Scanned) -> Self {
        let mut statuses = BTreeMap::new();
        for (class, count) in scanned.by_class.iter().enumerate().filter(|(_, count)| **count > 0) {
            let name = if class == 0 { "none".to_owned() } else { format!("{class}xx") };
            statuses.insert(name, *count);
        }
        Self {
            exchanges: scanned.exchanges,
            first: scanned.span.map(|(first, _)| first.to_string()),
            last: scanned.span.map(|(_, last)| last.to_string()),
            clients: scanned.clients.0,
            clients_and_more: scanned.clients.1,
            bytes: scanned.bytes,
            statuses,
            would_refuse: scanned.refused,
            out_of_order: scanned.out_of_order,
            findings_dropped: scanned.findings_dropped,
        }
    }
}

impl Incident {
    fn of(campaign: &Campaign, inputs: &[InputSummary]) -> Self {
        let gravest = campaign.findings.first();
        Self {
            title: gravest.map_or_else(String::new, |found| found.finding.title.clone()),
            severity: campaign.severity.to_string(),
            rank: campaign.severity,
            callers: campaign.callers().iter().map(ToString::to_string).collect(),
            first: campaign.first.to_string(),
            last: campaign.last.to_string(),
            requests: campaign.requests,
            succeeded: campaign.succeeded,
            findings: campaign.findings.iter().map(|found| Finding::of(found, inputs)).collect(),
        }
    }
}

impl Finding {
    fn of(found: &Found, inputs: &[InputSummary]) -> Self {
        let Found { finding, evidence } = found;
        let input = inputs.get(evidence.input).map(|input| input.name.clone());
        let entity = finding.entity.to_string();
        let (caller, found_by) = match finding.detector.is_attack() {
            true => (Some(entity), None),
            false => (None, Some(entity)),
        };
        Self {
            key: finding.key.to_string(),
            detector: finding.detector.name(),
            owasp: finding.detector.owasp(),
            severity: finding.severity.to_string(),
            rank: finding.severity,
            caller,
            found_by,
            endpoint: finding.endpoint.clone(),
            title: finding.title.clone(),
            first: finding.first.to_string(),
            last: finding.last.to_string(),
            requests: finding.requests,
            succeeded: finding.succeeded,
            risk: finding.risk,
            would: finding.action.to_string(),
            evidence: Evidence { input: input.unwrap_or_default(), line: evidence.line },
        }
    }
}
