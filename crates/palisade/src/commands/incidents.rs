//! `incidents`: campaigns, not requests.

use console::wire::{Finding, Incident, IncidentDetail, IncidentList};
use http::Method;
use traffic::Detector;
use traffic::counted;

use super::{Desk, author};
use crate::args::{Incidents, SeverityWord};
use crate::client::escaped;
use crate::failure::Failure;
use crate::output::{Page, Paint};

/// Lists, shows, closes or reopens incidents.
pub(crate) fn incidents(desk: &mut Desk, command: &Incidents) -> Result<(), Failure> {
    match command {
        Incidents::List { all, fail_on } => {
            let path = if *all { "/incidents?all=true" } else { "/incidents" };
            let list: IncidentList = desk.client.get_all(path)?;
            desk.output.list(&list, &list.incidents, |page| table(page, &list.incidents))?;
            gate(&list.incidents, *fail_on)
        }
        Incidents::Show { id } => {
            let detail: IncidentDetail = desk.client.get(&format!("/incidents/{}", escaped(id)))?;
            desk.output.document(&detail, |page| show(page, &detail))?;
            if let Some(event) = detail.findings.iter().find_map(|finding| finding.event.as_ref()) {
                desk.output.talk(&format!("why: {}", desk.command(&format!("why {event}"))));
            }
            Ok(())
        }
        Incidents::Close { id, note } => set_state(desk, id, "closed", note),
        Incidents::Reopen { id } => set_state(desk, id, "open", ""),
    }
}

fn set_state(desk: &mut Desk, id: &str, state: &str, note: &str) -> Result<(), Failure> {
    let order = serde_json::json!({ "state": state, "note": note, "author": author() });
    let path = format!("/incidents/{}", escaped(id));
    let incident: Incident = desk.client.send(Method::PATCH, &path, &order)?;
    desk.output.document(&incident, |page| {
        page.line(&format!("{} is {}: {}", incident.id, incident.state, incident.title));
    })?;
    let undo = if state == "closed" { "reopen" } else { "close" };
    let command = desk.command(&format!("incidents {undo} {}", incident.id));
    desk.output.talk(&format!("undo: {command}"));
    Ok(())
}

/// The exit code that `--fail-on` asks for.
fn gate(incidents: &[Incident], fail_on: Option<SeverityWord>) -> Result<(), Failure> {
    let Some(least) = fail_on else { return Ok(()) };
    let found = incidents
        .iter()
        .filter(|incident| incident.state == "open")
        .filter(|incident| rank(&incident.severity) >= least)
        .count();
    match found {
        0 => Ok(()),
        found => {
            let found = counted(found as u64, "open incident");
            Err(Failure::Findings(format!("{found} at or above --fail-on")))
        }
    }
}

fn rank(severity: &str) -> SeverityWord {
    match severity {
        "critical" => SeverityWord::Critical,
        "high" => SeverityWord::High,
        "medium" => SeverityWord::Medium,
        "low" => SeverityWord::Low,
        _ => SeverityWord::Info,
    }
}

fn table(page: &mut Page, incidents: &[Incident]) {
    if incidents.is_empty() {
        page.line("no incidents");
        return;
    }
    let rows: Vec<_> = incidents
        .iter()
        .map(|incident| {
            vec![
                (incident.id.clone(), Paint::Bold),
                (incident.severity.clone(), paint(&incident.severity)),
                (incident.state.clone(), Paint::None),
                (page.clock().short(&incident.first), Paint::Faint),
                (incident.requests.to_string(), Paint::None),
                (incident.refused.to_string(), Paint::None),
                (if incident.succeeded { "yes" } else { "no" }.to_owned(), Paint::None),
                (incident.title.clone(), Paint::None),
            ]
        })
        .collect();
    let heads = ["ID", "SEVERITY", "STATE", "SINCE", ">REQUESTS", ">REFUSED", "GOT IN", "WHAT"];
    page.table(&heads, &rows);
}

fn show(page: &mut Page, detail: &IncidentDetail) {
    let incident = &detail.incident;
    page.pair("incident", &incident.id);
    page.line(&incident.title);
    page.pair_painted("severity", &incident.severity, paint(&incident.severity));
    page.pair("state", &incident.state);
    page.pair("first", &page.clock().full(&incident.first));
    page.pair("last", &page.clock().full(&incident.last));
    let refused = format!("{}, {} of them refused", incident.requests, incident.refused);
    page.pair("requests", &refused);
    for note in &incident.notes {
        page.pair("note", note);
    }
    for finding in &detail.findings {
        page.gap();
        show_finding(page, finding);
    }
}

fn show_finding(page: &mut Page, finding: &Finding) {
    page.painted(Paint::Bold, &finding.title);
    page.pair("detector", &format!("{}  {}", finding.detector, finding.owasp));
    match Detector::named(&finding.detector) {
        Some(Detector::Probation) => {}
        Some(detector) if !detector.is_attack() => page.pair("found by", &finding.entity),
        _ => page.pair("caller", &finding.entity),
    }
    if let Some(endpoint) = &finding.endpoint {
        page.pair("endpoint", endpoint);
    }
    page.pair("risk", &format!("{} of 100", finding.risk));
    let done = if finding.mode == "enforce" { "" } else { "would " };
    let action = format!("{done}{} ({} mode)", finding.action, finding.mode);
    page.pair("action", &action);
    page.pair("requests", &format!("{}, {} of them refused", finding.requests, finding.refused));
    if finding.succeeded {
        page.pair_painted("outcome", "an attempt got through", Paint::Bad);
    }
    for (at, victim) in finding.victims.iter().enumerate() {
        page.pair(if at == 0 { "entered" } else { "" }, victim);
    }
    if let Some(event) = &finding.event {
        page.pair("event", event);
    }
}

fn paint(severity: &str) -> Paint {
    match severity {
        "critical" | "high" => Paint::Bad,
        "medium" => Paint::Warn,
        _ => Paint::None,
    }
}
