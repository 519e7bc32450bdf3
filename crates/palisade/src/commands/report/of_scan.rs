//! A scan becomes the material of a report.

use intake::scan::{Campaign, Scanned};
use report::{Endpoint, Incident, Material, Method, Origin, Period, Report};
use shield::Engine;
use traffic::{Finding, Timestamp, counted};

/// The report on what was scanned.
pub(crate) fn of_scan(engine: &Engine, scanned: &Scanned) -> Report {
    let (first, last) = scanned.span.unwrap_or((Timestamp::EPOCH, Timestamp::EPOCH));
    let is_hidden = |what: &str| scanned.blind.iter().any(|blind| blind.what == what);
    let campaigns = &scanned.campaigns;
    let all = campaigns.iter().flat_map(|campaign| &campaign.findings);
    let mut all: Vec<Finding> = all.map(|found| found.finding.clone()).collect();
    all.sort_by_key(|finding| (finding.first, finding.key));
    let (findings, forgotten) = all.into_iter().partition(|finding| finding.detector.is_attack());
    let attacks = campaigns.iter().filter(|campaign| campaign.is_attack());
    let material = Material {
        origin: Origin {
            kind: "scan".to_owned(),
            names: scanned.inputs.iter().map(|input| input.name.clone()).collect(),
        },
        period: Period {
            from: first,
            to: last,
            counted_from: first,
            counted_to: last,
            grain_s: scanned.tally_grain_s,
        },
        tallies: scanned.tallies.clone(),
        findings,
        incidents: attacks.filter_map(|it| incident(it, scanned)).collect(),
        forgotten,
        endpoints: engine.endpoints().iter().map(Endpoint::from).collect(),
        exceptions: Vec::new(),
        before: Err("a scan knows nothing of it".to_owned()),
        method: Method {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            layers: Vec::new(),
            blind: blind(scanned),
            shows_credentials: !is_hidden("known callers"),
            shows_answers: !is_hidden("sensitive data in answers"),
        },
    };
    Report::of(&material)
}

fn incident(campaign: &Campaign, scanned: &Scanned) -> Option<Incident> {
    let gravest = campaign.findings.first()?;
    let input = scanned.inputs.get(gravest.evidence.input);
    let file = input.map_or("", |input| input.name.as_str());
    Some(Incident {
        id: None,
        title: gravest.finding.title.clone(),
        severity: campaign.severity,
        detector: gravest.finding.detector.name().to_owned(),
        endpoint: gravest.finding.endpoint.clone(),
        first: campaign.first,
        last: campaign.last,
        requests: campaign.requests,
        refused: campaign.findings.iter().map(|found| found.finding.refused).sum(),
        succeeded: campaign.succeeded,
        is_closed: false,
        evidence: Some(format!("{file}:{}", gravest.evidence.line)),
    })
}

/// What the input cannot show, and what of it was not read.
fn blind(scanned: &Scanned) -> Vec<String> {
    let mut all: Vec<String> = scanned
        .blind
        .iter()
        .map(|blind| {
            let degree = if blind.in_part { " in part" } else { "" };
            format!("Not shown{degree}: {} ({}).", blind.what, blind.why)
        })
        .collect();
    let (mut lines, mut skipped) = (0, 0);
    for input in &scanned.inputs {
        lines += input.account.lines;
        skipped += input.account.skipped_in_all();
    }
    let read =
        if lines == 1 { "1 line was read".to_owned() } else { format!("{lines} lines were read") };
    all.push(format!("{read}, {skipped} of them could not be used."));
    if !scanned.passed_over.is_empty() {
        let files = counted(scanned.passed_over.len() as u64, "file");
        all.push(format!("Nothing can be read in {files}."));
    }
    if scanned.findings_dropped > 0 {
        let findings = counted(scanned.findings_dropped, "finding");
        all.push(format!("There were too many findings: {findings} left out."));
    }
    all
}
