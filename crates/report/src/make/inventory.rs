//! What is known of the API itself: how many endpoints, and which of them are worth a look.

use std::collections::{BTreeMap, BTreeSet};

use shield::AuthSeen;

use crate::figure::{Figure, Unit, value};
use crate::material::{Endpoint, Material};
use crate::outcome::{EndpointList, EndpointRow};
use traffic::counted;

/// So many endpoints of a list are told one by one.
const ROWS_MAX: usize = 10;

/// The figures.
pub(super) fn figures(material: &Material, lists: &[EndpointList]) -> Vec<Figure> {
    let all = u64::try_from(material.endpoints.len()).unwrap_or(u64::MAX);
    let listed = |id: &str| lists.iter().find(|list| list.id == id).map_or(0, |list| list.total);
    let such = |what: fn(&Endpoint) -> bool| {
        u64::try_from(material.endpoints.iter().filter(|it| what(it)).count()).unwrap_or(u64::MAX)
    };
    let is_scan = material.origin.kind == "scan";
    let from = material.period.from;
    let idle = material.endpoints.iter().filter(|it| it.last_seen < from).count();
    let no_memory = is_scan.then_some("a scan knows nothing of the time before");
    let credentials = (!material.method.shows_credentials).then_some("credentials are not shown");
    let bodies = (!material.method.shows_answers).then_some("answers’ bodies are not shown");
    let idle = u64::try_from(idle).unwrap_or(u64::MAX);
    let open = such(|it| it.auth == AuthSeen::None);
    let sensitive = such(|it| !it.classes.is_empty());
    let hidden = credentials.or(bodies);
    let made = [
        (all, None, None),
        (listed("new"), None, no_memory),
        (listed("forgotten"), None, None),
        (idle, None, no_memory),
        (open, Some(all), credentials),
        (sensitive, Some(all), bodies),
        (listed("open-sensitive"), None, hidden),
    ];
    let figures = WORDS.into_iter().zip(made);
    figures.map(|(words, (count, base, absent))| figure(words, count, base, absent)).collect()
}

/// Name, label and definition of each figure, in their order.
const WORDS: [(&str, &str, &str); 7] = [
    ("endpoints", "Endpoints", "Methods with path templates that were learnt."),
    (
        "endpoints-new",
        "New endpoints",
        "Endpoints that were seen for the first time in the period.",
    ),
    (
        "endpoints-forgotten",
        "Forgotten endpoints",
        "Endpoints of an older version (v1 where the same path exists as v2 or later) that were \
         called in the period and have answered with success, and endpoints that answered a \
         stranger in it although nobody had been seen to use them.",
    ),
    (
        "endpoints-idle",
        "Endpoints nobody called",
        "Endpoints that are known and were not called in the period.",
    ),
    (
        "endpoints-open-share",
        "Open to everybody",
        "Endpoints that serve callers without a credential, of all endpoints.",
    ),
    (
        "endpoints-sensitive-share",
        "Give out sensitive data",
        "Endpoints in whose answers classes of sensitive data were found, of all endpoints.",
    ),
    (
        "endpoints-open-sensitive",
        "Sensitive data, open to everybody",
        "Endpoints that are both: open to callers without a credential, and giving out sensitive \
         data.",
    ),
];

fn figure(
    (id, label, definition): (&str, &str, &str),
    numerator: u64,
    denominator: Option<u64>,
    absent: Option<&str>,
) -> Figure {
    let unit = if denominator.is_some() { Unit::Share } else { Unit::Count };
    let valued = match absent {
        Some(why) => Err(why),
        None => value(unit, numerator, denominator),
    };
    Figure {
        id: id.to_owned(),
        label: label.to_owned(),
        unit,
        value: valued.ok(),
        numerator,
        denominator,
        definition: definition.to_owned(),
        absent: valued.err().map(str::to_owned),
        before: None,
    }
}

/// Endpoints with something in common that somebody should look at.
pub(super) fn lists(material: &Material) -> Vec<EndpointList> {
    let all = &material.endpoints;
    let (from, to) = (material.period.from, material.period.to);
    let is_scan = material.origin.kind == "scan";
    let older = superseded(all);
    let attacked = attacked(material);
    let found: BTreeSet<&str> =
        material.forgotten.iter().filter_map(|finding| finding.endpoint.as_deref()).collect();
    let calls = |it: &Endpoint| counted(it.calls, "call");
    vec![
        list("attacked", "Attacked most", attacked.into_iter()),
        of("open-sensitive", "Sensitive data, open to everybody", all, |it| {
            let is_open = it.auth == AuthSeen::None && !it.classes.is_empty();
            is_open.then(|| it.classes.join(", "))
        }),
        of("forgotten", "Forgotten, and still answering", all, |it| {
            let newer = older.get(it.label.as_str());
            let newer = newer.filter(|_| it.served > 0 && it.last_seen >= from);
            match newer {
                Some(newer) => Some(format!("{newer} exists · {}", calls(it))),
                None => found
                    .contains(it.label.as_str())
                    .then(|| format!("nobody was seen to use it before · {}", calls(it))),
            }
        }),
        of("new", "New in this period", all, |it| {
            let is_new = !is_scan && it.first_seen >= from && it.first_seen < to;
            is_new.then(|| format!("{} · {}", it.role, calls(it)))
        }),
    ]
}

fn of(
    id: &str,
    title: &str,
    all: &[Endpoint],
    says: impl Fn(&Endpoint) -> Option<String>,
) -> EndpointList {
    let rows = all.iter().filter_map(|endpoint| {
        let says = says(endpoint)?;
        Some(EndpointRow { endpoint: endpoint.label.clone(), says, count: endpoint.calls })
    });
    list(id, title, rows)
}

fn list(id: &str, title: &str, rows: impl Iterator<Item = EndpointRow>) -> EndpointList {
    let mut rows: Vec<EndpointRow> = rows.collect();
    rows.sort_by(|a, b| b.count.cmp(&a.count).then(a.endpoint.cmp(&b.endpoint)));
    let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    rows.truncate(ROWS_MAX);
    EndpointList { id: id.to_owned(), title: title.to_owned(), total, rows }
}

/// Endpoints by the requests of the findings on them.
fn attacked(material: &Material) -> Vec<EndpointRow> {
    let mut counts: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
    for finding in &material.findings {
        let Some(endpoint) = &finding.endpoint else { continue };
        let (requests, detectors) = counts.entry(endpoint).or_default();
        *requests += finding.requests;
        detectors.insert(finding.detector.name());
    }
    let row = |(endpoint, (count, detectors)): (&str, (u64, BTreeSet<&str>))| EndpointRow {
        endpoint: endpoint.to_owned(),
        says: detectors.into_iter().collect::<Vec<_>>().join(", "),
        count,
    };
    counts.into_iter().map(row).collect()
}

/// Endpoints whose path exists with a higher version, by their labels, and that version.
fn superseded(all: &[Endpoint]) -> BTreeMap<&str, String> {
    let mut newest: BTreeMap<(&str, &str, String), u32> = BTreeMap::new();
    let versioned = |endpoint: &Endpoint| {
        let segments: Vec<&str> = endpoint.template.split('/').collect();
        let at = segments.iter().position(|segment| version(segment).is_some())?;
        let number = segments.get(at).and_then(|segment| version(segment))?;
        let (before, after) = (segments.get(..at)?, segments.get(at + 1..)?);
        Some((number, format!("{} v {}", before.join("/"), after.join("/"))))
    };
    for endpoint in all {
        let Some((number, path)) = versioned(endpoint) else { continue };
        let known = newest.entry((&endpoint.host, &endpoint.method, path)).or_default();
        *known = (*known).max(number);
    }
    let older = all.iter().filter_map(|endpoint| {
        let (number, path) = versioned(endpoint)?;
        let newest = newest.get(&(endpoint.host.as_str(), endpoint.method.as_str(), path))?;
        (number < *newest).then(|| (endpoint.label.as_str(), format!("v{newest}")))
    });
    older.collect()
}

/// The number of a segment such as `v2`.
fn version(segment: &str) -> Option<u32> {
    let digits = segment.strip_prefix(['v', 'V'])?;
    let is_number = digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}
