//! `api`: the endpoints that traffic showed.

use console::wire::{Endpoint, EndpointList};

use super::Desk;
use crate::args::{Api, Export};
use crate::client::escaped;
use crate::failure::Failure;
use crate::output::{Page, Paint};

/// Lists, shows or exports endpoints.
pub(crate) fn api(desk: &mut Desk, command: &Api) -> Result<(), Failure> {
    match command {
        Api::List { filter } => {
            let query = filter.as_deref().map(|text| format!("?filter={}", escaped(text)));
            let list: EndpointList =
                desk.client.get_all(&format!("/apis{}", query.unwrap_or_default()))?;
            desk.output.list(&list, &list.endpoints, |page| all(page, &list.endpoints))
        }
        Api::Show { endpoint } => {
            let endpoint: Endpoint = desk.client.get(&format!("/apis/{}", escaped(endpoint)))?;
            desk.output.document(&endpoint, |page| one(page, &endpoint))
        }
        Api::Export(Export::Openapi { host }) => {
            let query = host.as_deref().map(|host| format!("?host={}", escaped(host)));
            let document: serde_json::Value =
                desk.client.get(&format!("/apis/export{}", query.unwrap_or_default()))?;
            let text = serde_json::to_string_pretty(&document)
                .map_err(|error| Failure::of("cannot write JSON", error))?;
            desk.output.document(&document, |page| {
                for line in text.lines() {
                    page.line(line);
                }
            })
        }
    }
}

fn all(page: &mut Page, endpoints: &[Endpoint]) {
    if endpoints.is_empty() {
        page.line("no endpoints yet: send a request through");
        return;
    }
    let rows: Vec<_> = endpoints
        .iter()
        .map(|endpoint| {
            vec![
                (endpoint.id.to_string(), Paint::Faint),
                (endpoint.method.clone(), Paint::Bold),
                (endpoint.host.clone(), Paint::Faint),
                (endpoint.template.clone(), Paint::None),
                (role(endpoint), Paint::None),
                (endpoint.authentication.clone(), Paint::None),
                (endpoint.requests.to_string(), Paint::None),
                (endpoint.callers.to_string(), Paint::None),
                (millis(endpoint.p95_ms), Paint::None),
                (endpoint.data_classes.join(", "), Paint::Warn),
            ]
        })
        .collect();
    let heads = [
        ">ID",
        "METHOD",
        "HOST",
        "PATH",
        "ROLE",
        "AUTH",
        ">REQUESTS",
        ">CALLERS",
        ">P95",
        "SENSITIVE DATA",
    ];
    page.table(&heads, &rows);
}

fn one(page: &mut Page, endpoint: &Endpoint) {
    page.pair("endpoint", &endpoint.label);
    page.pair("number", &endpoint.id.to_string());
    page.pair("role", &role(endpoint));
    for clue in &endpoint.role_evidence {
        page.pair("", clue);
    }
    let credentials = endpoint.credentials.join(", ");
    page.pair("auth", format!("{} {credentials}", endpoint.authentication).trim_end());
    page.pair("requests", &endpoint.requests.to_string());
    page.pair("callers", &format!("about {}", endpoint.callers));
    let kinds: Vec<String> =
        endpoint.requests_of.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    if !kinds.is_empty() {
        page.pair("programs", &kinds.join(", "));
    }
    let statuses: Vec<String> =
        endpoint.statuses.iter().map(|(class, count)| format!("{class} {count}")).collect();
    page.pair("statuses", &statuses.join(", "));
    page.pair(
        "latency",
        &format!("p50 {}, p95 {}", millis(endpoint.p50_ms), millis(endpoint.p95_ms)),
    );
    page.pair("seen", &page.clock().full(&endpoint.first_seen));
    page.pair("last", &page.clock().full(&endpoint.last_seen));
    if !endpoint.data_classes.is_empty() {
        page.pair_painted("answers", &endpoint.data_classes.join(", "), Paint::Warn);
    }
    for (at, line) in endpoint.outcomes.iter().enumerate() {
        page.pair(if at == 0 { "outcomes" } else { "" }, line);
    }
    for (at, line) in endpoint.baselines.iter().enumerate() {
        page.pair(if at == 0 { "normal" } else { "" }, line);
    }
    if let Some(limit) = &endpoint.suggested_limit {
        page.pair("suggested", &format!("rate limit {limit}"));
    }
    page.gap();
    super::status::show_traffic(page, &endpoint.traffic);
    if endpoint.parameters.is_empty() {
        return;
    }
    page.gap();
    let rows: Vec<_> = endpoint
        .parameters
        .iter()
        .map(|parameter| {
            vec![
                (parameter.location.clone(), Paint::Faint),
                (parameter.name.clone(), Paint::None),
                (parameter.kind.clone(), Paint::None),
                (format!("{:.0} %", parameter.share * 100.0), Paint::None),
            ]
        })
        .collect();
    page.table(&["IN", "NAME", "KIND", ">SEEN"], &rows);
}

fn role(endpoint: &Endpoint) -> String {
    if endpoint.role == "other" { String::new() } else { endpoint.role.clone() }
}

fn millis(ms: Option<f64>) -> String {
    match ms {
        None => "–".to_owned(),
        Some(ms) if ms < 10.0 => format!("{ms:.1} ms"),
        Some(ms) => format!("{ms:.0} ms"),
    }
}
