//! A scan for people: what was read, what the API is, who attacks it, what cannot be seen.

use console::wire::Endpoint;
use traffic::Role;

use super::document::{Document, Evidence, Finding, Incident, Input, Traffic};
use super::meter::grouped;
use crate::output::{Page, Paint};

/// Rows shown of each list unless all are wanted.
const ROWS_MAX: usize = 20;
/// Inputs named one by one.
const INPUTS_MAX: usize = 10;
/// Reasons for skipped lines shown.
const REASONS_MAX: usize = 8;

/// Writes it.
pub(super) fn write(page: &mut Page, document: &Document, is_all: bool) {
    read(page, document);
    traffic(page, &document.traffic);
    page.gap();
    inventory(page, &document.endpoints, if is_all { usize::MAX } else { ROWS_MAX });
    page.gap();
    let names_files = document.inputs.len() > 1;
    attacks(page, &document.incidents, if is_all { usize::MAX } else { ROWS_MAX }, names_files);
    if !document.exposures.is_empty() {
        page.gap();
        let most = if is_all { usize::MAX } else { ROWS_MAX };
        exposures(page, &document.exposures, most, names_files);
    }
    if !document.cannot_show.is_empty() {
        page.gap();
        page.painted(Paint::Bold, "What this input cannot show");
        for hidden in &document.cannot_show {
            let degree = if hidden.in_part { " (in part)" } else { "" };
            page.line(&format!("  {}{degree}: {}", hidden.what, hidden.why));
        }
    }
}

fn read(page: &mut Page, document: &Document) {
    for input in document.inputs.iter().take(INPUTS_MAX) {
        page.painted(Paint::Bold, &input.name);
        let read = format!(
            "{}, {}, {}",
            input.format,
            some(input.lines, "line"),
            some(input.exchanges, "request")
        );
        page.pair("format", &read);
        not_used(page, input);
    }
    if document.inputs.len() > INPUTS_MAX {
        let rest = count(document.inputs.len() - INPUTS_MAX);
        page.line(&format!("… and {}", some(rest, "more file")));
    }
    for passed in document.passed_over.iter().take(INPUTS_MAX) {
        page.pair_painted("passed over", &format!("{}: {}", passed.name, passed.why), Paint::Warn);
    }
    if let Some(rest @ 1..) = document.passed_over.len().checked_sub(INPUTS_MAX) {
        page.line(&format!("… and {} passed over", some(count(rest), "more file")));
    }
}

fn not_used(page: &mut Page, input: &Input) {
    if let Some(why) = &input.broken {
        page.pair_painted("ended early", why, Paint::Bad);
    }
    for these in &input.no_requests {
        let (lines, what) = (some(these.count, "line"), these.what);
        let first = format!("first from {} in line {}", these.first_client, these.first_line);
        page.pair("no request", &format!("{lines}: {what}, {first}"));
    }
    if input.messages > 0 {
        page.pair("messages", &format!("{} of a server's own", some(input.messages, "line")));
    }
    let skipped = input.skipped_in_all();
    if skipped == 0 {
        return;
    }
    let text = format!("{} cannot be read", some(skipped, "line"));
    page.pair_painted("skipped", &text, Paint::Warn);
    for skip in input.skipped.iter().take(REASONS_MAX) {
        let Skipped { reason, count, line, example } = Skipped::of(skip);
        page.pair("", &format!("{count}× {reason}, first in line {line}: {example}"));
    }
}

/// A reason, cut to what fits a line.
struct Skipped<'a> {
    reason: &'a str,
    count: String,
    line: u64,
    example: String,
}

impl<'a> Skipped<'a> {
    fn of(skip: &'a super::document::Skip) -> Self {
        Self {
            reason: &skip.reason,
            count: grouped(skip.count),
            line: skip.first_line,
            example: skip.example.chars().take(60).collect(),
        }
    }
}

fn traffic(page: &mut Page, traffic: &Traffic) {
    if let (Some(first), Some(last)) = (&traffic.first, &traffic.last) {
        let (first, last) = (page.clock().short(first), page.clock().full(last));
        page.pair("time", &format!("{first} to {last}"));
    }
    let more = if traffic.clients_and_more { "more than " } else { "" };
    page.pair("clients", &format!("{more}{}", grouped(traffic.clients)));
    let statuses: Vec<String> = traffic
        .statuses
        .iter()
        .map(|(class, count)| format!("{class} {}", grouped(*count)))
        .collect();
    page.pair("answers", &statuses.join(", "));
    if traffic.out_of_order > 0 {
        let text = format!("{} came long after their time", some(traffic.out_of_order, "line"));
        page.pair_painted("order", &text, Paint::Warn);
    }
    if traffic.findings_dropped > 0 {
        let text = format!("{} dropped: too many", grouped(traffic.findings_dropped));
        page.pair_painted("findings", &text, Paint::Warn);
    }
}

fn inventory(page: &mut Page, endpoints: &[Endpoint], most: usize) {
    let mut hosts: Vec<&str> = endpoints.iter().map(|endpoint| endpoint.host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let title = format!(
        "What the API is: {} on {}",
        some(count(endpoints.len()), "endpoint"),
        match hosts.as_slice() {
            [host] => (*host).to_owned(),
            hosts => some(count(hosts.len()), "host"),
        }
    );
    page.painted(Paint::Bold, &title);
    let mut busiest: Vec<&Endpoint> = endpoints.iter().collect();
    // What attackers want first, parts of pages last, and within that by how much they are used.
    busiest.sort_by(|a, b| {
        let rank = |endpoint: &Endpoint| match endpoint.role.parse::<Role>() {
            Ok(role) if role.is_sensitive() || role == Role::Admin => 0,
            Ok(Role::Static) => 2,
            _ => 1,
        };
        rank(a).cmp(&rank(b)).then(b.requests.cmp(&a.requests)).then(a.label.cmp(&b.label))
    });
    let rows: Vec<_> = busiest
        .iter()
        .take(most)
        .map(|endpoint| {
            let host = if hosts.len() > 1 { endpoint.host.as_str() } else { "" };
            let role = if endpoint.role == "other" { "" } else { &endpoint.role };
            vec![
                (endpoint.method.clone(), Paint::Bold),
                (format!("{host}{}", endpoint.template), Paint::None),
                (role.to_owned(), Paint::None),
                (grouped(endpoint.requests), Paint::None),
                (grouped(endpoint.callers), Paint::None),
                (statuses(endpoint), Paint::None),
                (latency(endpoint), Paint::None),
            ]
        })
        .collect();
    if !rows.is_empty() {
        let heads = ["METHOD", "PATH", "ROLE", ">REQUESTS", ">DEVICES", "ANSWERS", ">P95"];
        page.table(&heads, &rows);
    }
    more(page, endpoints.len(), most);
}

fn statuses(endpoint: &Endpoint) -> String {
    let all: u64 = endpoint.statuses.values().sum();
    let share = |count: u64| match (count * 100).checked_div(all) {
        Some(0) => "<1".to_owned(),
        Some(percent) => percent.to_string(),
        None => "0".to_owned(),
    };
    let words =
        endpoint.statuses.iter().map(|(class, count)| format!("{} % {class}", share(*count)));
    words.collect::<Vec<_>>().join(", ")
}

fn latency(endpoint: &Endpoint) -> String {
    match endpoint.p95_ms {
        None => "–".to_owned(),
        Some(ms) if ms < 10.0 => format!("{ms:.1} ms"),
        Some(ms) => format!("{ms:.0} ms"),
    }
}

fn attacks(page: &mut Page, incidents: &[Incident], most: usize, names_files: bool) {
    if incidents.is_empty() {
        page.painted(Paint::Bold, "Who attacks it: nobody was found");
        return;
    }
    let title = format!("Who attacks it: {}", some(count(incidents.len()), "incident"));
    page.painted(Paint::Bold, &title);
    let rows: Vec<_> = incidents
        .iter()
        .take(most)
        .map(|incident| {
            let evidence = incident.findings.first().map(|finding| &finding.evidence);
            vec![
                (incident.severity.clone(), paint(&incident.severity)),
                (who(incident), Paint::None),
                (page.clock().short(&incident.first), Paint::Faint),
                (lasted(page, incident), Paint::Faint),
                (grouped(incident.requests), Paint::None),
                (if incident.succeeded { "yes" } else { "" }.to_owned(), Paint::Bad),
                (evidence.map_or_else(String::new, |at| place(at, names_files)), Paint::Faint),
                (what(incident), Paint::None),
            ]
        })
        .collect();
    let heads = ["SEVERITY", "WHO", "SINCE", "UNTIL", ">LINES", "GOT IN", ">SEE LINE", "WHAT"];
    page.table(&heads, &rows);
    more(page, incidents.len(), most);
}

/// What the API shows by itself: it is nobody's attack, and who found it may be anybody.
fn exposures(page: &mut Page, exposures: &[Finding], most: usize, names_files: bool) {
    let title =
        format!("What answers and was forgotten: {}", some(count(exposures.len()), "endpoint"));
    page.painted(Paint::Bold, &title);
    let rows: Vec<_> = exposures
        .iter()
        .take(most)
        .map(|found| {
            vec![
                (found.severity.clone(), paint(&found.severity)),
                (found.endpoint.clone().unwrap_or_default(), Paint::None),
                (page.clock().short(&found.first), Paint::Faint),
                (place(&found.evidence, names_files), Paint::Faint),
                (found.found_by.clone().unwrap_or_default(), Paint::Faint),
            ]
        })
        .collect();
    page.table(&["SEVERITY", "ENDPOINT", "SINCE", ">SEE LINE", "FOUND BY"], &rows);
    more(page, exposures.len(), most);
}

/// So many of something.
fn some(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// Where to look: the line, and its file where there are several.
fn place(at: &Evidence, names_file: bool) -> String {
    let name = at.input.rsplit('/').next().unwrap_or(&at.input);
    if names_file { format!("{name}:{}", at.line) } else { at.line.to_string() }
}

fn who(incident: &Incident) -> String {
    match incident.callers.as_slice() {
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} +{}", rest.len()),
        [] => String::new(),
    }
}

/// The title without the caller, who has a column.
fn what(incident: &Incident) -> String {
    let of = incident.findings.first().and_then(|finding| finding.caller.as_deref());
    let of = of.unwrap_or_default();
    incident.title.replacen(&format!(" from {of}:"), ":", 1)
}

/// When it ended: the time of day, and the day where it is another.
fn lasted(page: &Page, incident: &Incident) -> String {
    let (first, last) = (page.clock().short(&incident.first), page.clock().short(&incident.last));
    match (first.split_once(' '), last.split_once(' ')) {
        (Some((day, _)), Some((same, time))) if day == same => time.to_owned(),
        _ => last,
    }
}

fn more(page: &mut Page, all: usize, most: usize) {
    if all > most {
        page.painted(Paint::Faint, &format!("… and {} more (--all)", all - most));
    }
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

fn paint(severity: &str) -> Paint {
    match severity {
        "critical" | "high" => Paint::Bad,
        "medium" => Paint::Warn,
        _ => Paint::None,
    }
}
