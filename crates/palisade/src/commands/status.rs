//! `status`: health, modes, and where each value comes from.

use console::wire::{Site, Status, Traffic};
use traffic::counted;

use super::{Desk, alerts};
use crate::failure::Failure;
use crate::output::{Page, Paint};

/// Prints how the instance is.
pub(crate) fn status(desk: &mut Desk) -> Result<(), Failure> {
    let status: Status = desk.client.get("/status")?;
    let is_whole = desk.says_more();
    desk.output.document(&status, |page| show(page, &status, is_whole))
}

/// What needs attention comes first. Settings that nobody chose and counters that stand at nothing
/// are only shown when asked for.
fn show(page: &mut Page, status: &Status, is_whole: bool) {
    page.pair("palisade", &format!("{}, process {}", status.version, status.pid));
    page.pair("since", &page.clock().full(&status.started));
    page.pair("listens on", &status.listeners.join(", "));
    page.pair("data", &status.data);
    page.pair("policy", &format!("version {}", status.policy_version));
    page.pair("readiness", &status.readiness);
    if let Some(probation) = &status.probation {
        let until = page.clock().short(&probation.until);
        page.pair_painted("probation", &format!("{} until {until}", probation.what), Paint::Warn);
    }
    for alarm in &status.alarms {
        page.pair_painted("attention", alarm, Paint::Bad);
    }
    for fault in &status.policy_faults {
        pair_lines(page, "refused", fault, Paint::Bad);
    }
    for warning in &status.policy_warnings {
        pair_lines(page, "warning", warning, Paint::Warn);
    }
    for (at, session) in status.sessions.iter().enumerate() {
        page.pair(if at == 0 { "sessions" } else { "" }, session);
    }
    page.gap();
    show_traffic(page, &status.traffic);
    for site in &status.sites {
        page.gap();
        show_site(page, site);
    }
    if !status.sinks.is_empty() {
        page.gap();
        alerts::show_sinks(page, &status.sinks);
    }
    page.gap();
    let is_shown = |origin: &str| is_whole || origin != "default";
    let rows: Vec<_> = status
        .settings
        .iter()
        .filter(|setting| is_shown(&setting.origin))
        .map(|setting| {
            vec![
                (setting.key.clone(), Paint::None),
                (setting.value.clone(), Paint::Bold),
                (setting.origin.clone(), Paint::Faint),
            ]
        })
        .collect();
    page.table(&["SETTING", "VALUE", "FROM"], &rows);
    page.gap();
    let rows: Vec<_> = status
        .counters
        .iter()
        .filter(|(_, count)| is_whole || **count != 0)
        .map(|(name, count)| vec![(name.clone(), Paint::None), (count.to_string(), Paint::None)])
        .collect();
    page.table(&["SINCE THE START", ">COUNT"], &rows);
    if !is_whole {
        page.gap();
        let rest = "settings at their defaults and counters at 0 are left out (--verbose)";
        page.painted(Paint::Faint, rest);
    }
}

/// Figures of traffic, a line a span.
pub(super) fn show_traffic(page: &mut Page, traffic: &[Traffic]) {
    let rows: Vec<_> = traffic
        .iter()
        .map(|figures| {
            let classes: Vec<String> =
                figures.statuses.iter().map(|(class, count)| format!("{class} {count}")).collect();
            let within = |ms: Option<f64>| ms.map_or("–".to_owned(), |ms| format!("≤ {ms} ms"));
            let count = |count: u64, paint| {
                (count.to_string(), if count == 0 { Paint::None } else { paint })
            };
            vec![
                (format!("last {}", figures.span), Paint::None),
                count(figures.requests, Paint::Bold),
                count(figures.refused, Paint::Bad),
                count(figures.would_refuse, Paint::Warn),
                (within(figures.p50_ms), Paint::None),
                (within(figures.p95_ms), Paint::None),
                (classes.join(", "), Paint::None),
            ]
        })
        .collect();
    let heads =
        ["TRAFFIC", ">REQUESTS", ">REFUSED", ">WOULD BE REFUSED", ">P50", ">P95", "STATUSES"];
    page.table(&heads, &rows);
}

fn show_upstreams(page: &mut Page, site: &Site) {
    if site.upstreams.is_empty() {
        page.pair("upstream", &site.upstream);
    }
    for (at, upstream) in site.upstreams.iter().enumerate() {
        let faults = match upstream.faults {
            0 => String::new(),
            count => format!(", {} without an answer since the start", counted(count, "request")),
        };
        let state = match (upstream.serves, &upstream.note) {
            (true, _) => format!("{}{faults}", upstream.url),
            (false, Some(note)) => format!("{} is out: {note}{faults}", upstream.url),
            (false, None) => format!("{} is out{faults}", upstream.url),
        };
        let paint = if upstream.serves { Paint::None } else { Paint::Bad };
        page.pair_painted(if at == 0 { "upstream" } else { "" }, &state, paint);
    }
}

fn show_site(page: &mut Page, site: &Site) {
    page.painted(Paint::Bold, &format!("site {}", site.name));
    page.pair("hosts", &site.hosts.join(", "));
    show_upstreams(page, site);
    let rows: Vec<_> = site
        .layers
        .iter()
        .filter(|layer| layer.has_detector)
        .map(|layer| {
            let paint = match layer.mode.as_str() {
                "enforce" => Paint::Good,
                "off" => Paint::Bad,
                _ => Paint::Warn,
            };
            let health = match (layer.faults, layer.quarantined) {
                (0, _) => "healthy".to_owned(),
                (faults, false) => counted(faults, "fault"),
                (faults, true) => format!("{}, left alone for now", counted(faults, "fault")),
            };
            vec![
                (layer.layer.clone(), Paint::None),
                (layer.mode.clone(), paint),
                (layer.origin.clone(), Paint::Faint),
                (health, Paint::None),
            ]
        })
        .collect();
    page.table(&["LAYER", "MODE", "FROM", "HEALTH"], &rows);
}

/// A name and a text of several lines, such as a fault with the lines of the file it shows.
fn pair_lines(page: &mut Page, name: &str, text: &str, paint: Paint) {
    for (number, line) in text.lines().enumerate() {
        page.pair_painted(if number == 0 { name } else { "" }, line, paint);
    }
}
