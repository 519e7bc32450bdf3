//! `/metrics`: what Prometheus reads.
//!
//! The number of lines is bounded by us: no label is a caller's to choose, but for endpoints, of
//! which 500 have a line of their own.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use shield::LATENCY_BOUNDS_US;
use traffic::Layer;

use super::{ACCESS_LINES_LOST, Console, InstanceStanding, Timed, aside};
use crate::exposition::{Exposition, MEDIA};
use crate::refused::Refused;
use crate::totals::Sum;
use crate::wire::Upstream;

/// What has no line of its own.
const OTHER: &str = "__other__";
/// Where a rule belongs that matched since the start and is loaded no more.
const UNLOADED: &str = "__unloaded__";
/// Exceptions with a line of their own.
const EXCEPTIONS_MAX: usize = 500;

pub(crate) async fn metrics(State(console): State<Console>) -> Result<impl IntoResponse, Refused> {
    aside(move || Ok(([(header::CONTENT_TYPE, MEDIA)], told(&console)))).await
}

fn told(console: &Console) -> String {
    let mut text = Exposition::default();
    instance(console, &mut text);
    sites(console, &mut text);
    traffic(&console.totals.now(&console.engine), &mut text);
    served(console, &mut text);
    rules(console, &mut text);
    findings(console, &mut text);
    policy(console, &mut text);
    tables(console, &mut text);
    store(console, &mut text);
    text.finish()
}

fn instance(console: &Console, text: &mut Exposition) {
    let standing = console.instance.standing();
    text.gauge("palisade_build_info", "The version that runs.");
    text.value(&[("version", standing.version)], 1);
    text.gauge("process_start_time_seconds", "When the process started.");
    text.value(&[], standing.started.as_micros() / 1_000_000);
    text.gauge("palisade_memory_budget_bytes", "What the program may take.");
    text.value(&[], console.engine.policy().server.memory_budget.value);
    if let Some(bytes) = resident_bytes() {
        text.gauge("process_resident_memory_bytes", "What the program has taken.");
        text.value(&[], bytes);
    }
    text.gauge("palisade_config_version", "The policy in force, counted since the start.");
    text.value(&[], console.engine.policy_version());
    text.gauge("palisade_alarms", "What needs attention; `palisade status` tells what.");
    text.value(&[], count(standing.alarms.len()));
    let reloads = standing.reloads;
    text.counter("palisade_config_reloads_total", "Policies that were offered since the start.");
    text.value(&[("result", "taken")], reloads.taken);
    text.value(&[("result", "refused")], reloads.refused);
    let name = "palisade_config_last_reload_success_timestamp_seconds";
    text.gauge(name, "When a policy last came into force.");
    text.value(&[], reloads.last.as_micros() / 1_000_000);
    text.gauge("palisade_enforcing_on_probation", "Whether a switch to enforcing is watched.");
    text.value(&[], u64::from(standing.probation.is_some()));
    text.gauge("palisade_enforcing_taken_back", "Switches that were taken back in a week.");
    text.value(&[], count(standing.taken_back.len()));
    upstreams(&standing, text);
    text.gauge("palisade_config_refused", "Whether the newest policy was refused.");
    text.value(&[], u64::from(!standing.policy_faults.is_empty()));
}

fn upstreams(standing: &InstanceStanding, text: &mut Exposition) {
    let all = || {
        let of = |(site, all): (&String, &Vec<Upstream>)| {
            let site = site.clone();
            all.clone().into_iter().map(move |one| (site.clone(), one)).collect::<Vec<_>>()
        };
        standing.upstreams.iter().flat_map(of)
    };
    text.gauge("palisade_upstream_up", "Whether requests go there.");
    for (site, one) in all() {
        text.value(&[("site", &site), ("upstream", &one.url)], u64::from(one.serves));
    }
    text.counter("palisade_upstream_faults_total", "Requests that got no answer from there.");
    for (site, one) in all() {
        text.value(&[("site", &site), ("upstream", &one.url)], one.faults);
    }
    let name = "palisade_tls_cert_expiry_timestamp_seconds";
    text.gauge(name, "Until when a certificate is valid.");
    for (name, ends) in &standing.certificates {
        text.value(&[("name", name)], ends.as_micros() / 1_000_000);
    }
}

fn sites(console: &Console, text: &mut Exposition) {
    let mode = |is_enforced: bool| if is_enforced { "enforce" } else { "monitor" };
    let counts = console.engine.site_counts();
    text.counter("palisade_requests_total", "Exchanges by site and verdict.");
    for (site, counts) in &counts {
        let site = ("site", site.as_deref().unwrap_or(OTHER));
        for ((action, is_enforced, class), count) in &counts.exchanges {
            let (mode, class) = (("mode", mode(*is_enforced)), format!("{class}xx"));
            text.value(&[site, ("verdict", action.key()), mode, ("status", &class)], *count);
        }
    }
    let help = "Exchanges in which something was found, by the detector that found most.";
    text.counter("palisade_detections_total", help);
    for (site, counts) in &counts {
        let site = ("site", site.as_deref().unwrap_or(OTHER));
        for ((detector, action, is_enforced), count) in &counts.detections {
            let (layer, mode) = (("layer", detector.layer().key()), ("mode", mode(*is_enforced)));
            let detector = detector.to_string();
            let action = ("action", action.key());
            text.value(&[site, layer, ("detector", &detector), action, mode], *count);
        }
    }
}

fn served(console: &Console, text: &mut Exposition) {
    let served = console.instance.served();
    text.gauge("http_server_active_requests", "Requests under way.");
    text.value(&[], served.active);
    text.counter("palisade_shed_total", "Requests that were not taken on, and why.");
    for (reason, count) in &served.shed {
        text.value(&[("reason", reason)], *count);
    }
    let help = "Requests refused for their form, in every mode, by what is wrong with them.";
    text.counter("palisade_malformed_requests_total", help);
    for (fault, count) in &served.refused {
        text.value(&[("fault", fault)], *count);
    }
    text.gauge("palisade_memory_bytes", "What is taken of the memory budget.");
    text.value(&[("pool", "held-bodies")], served.held_bytes);
    let name = "palisade_inspection_duration_seconds";
    text.histogram(name, "Time that looking at an exchange took, without waiting.");
    for (phase, timed) in &served.phases {
        seconds(&[("phase", phase)], served.bounds_us, timed, text);
    }
    let name = "http_client_request_duration_seconds";
    text.histogram(name, "Time until an upstream began its answer.");
    seconds(&[], served.bounds_us, &served.upstream, text);
}

fn seconds(labels: &[(&str, &str)], bounds_us: &[u64], timed: &Timed, text: &mut Exposition) {
    let in_seconds = |us: &u64| f64::from(u32::try_from(*us).unwrap_or(u32::MAX)) / 1e6;
    let bounds: Vec<f64> = bounds_us.iter().map(in_seconds).collect();
    text.buckets(labels, &bounds, &timed.counts, Some(timed.sum_us));
}

fn rules(console: &Console, text: &mut Exposition) {
    let policy = console.engine.policy();
    let version = console.instance.standing().version;
    let sets = policy.rulebook().map(|book| book.sets(version)).unwrap_or_default();
    text.gauge("palisade_ruleset_info", "Rule sets that are loaded.");
    for (set, _) in &sets {
        text.value(&[("ruleset", &set.name), ("version", &set.version)], 1);
    }
    text.gauge("palisade_ruleset_rules", "Rules of each set.");
    for (set, rules) in &sets {
        text.value(&[("ruleset", &set.name)], count(rules.len()));
    }
    let mut set_of = std::collections::BTreeMap::new();
    for (set, rules) in &sets {
        set_of.extend(rules.iter().map(|rule| (*rule, set.name.as_str())));
    }
    text.counter("palisade_rule_hits_total", "Exchanges in which a rule matched.");
    let hits = console.engine.rule_hits();
    for (rule, hits) in &hits.by_rule {
        let set = set_of.get(rule).copied().unwrap_or(UNLOADED);
        text.value(&[("ruleset", set), ("rule_id", &rule.to_string())], *hits);
    }
    text.value(&[("ruleset", OTHER), ("rule_id", OTHER)], hits.others);
}

fn traffic(sum: &Sum, text: &mut Exposition) {
    let name = "http_server_request_duration_seconds";
    text.histogram(name, "Time to the end of the answer.");
    let bounds = LATENCY_BOUNDS_US.map(|us| f64::from(u32::try_from(us).unwrap_or(u32::MAX)) / 1e6);
    for (class, counts) in &sum.latency {
        let class = format!("{class}xx");
        text.buckets(&[("http_response_status_class", &class)], &bounds, counts, None);
    }
    text.counter("palisade_response_bytes_total", "Bytes of answers.");
    text.value(&[], sum.bytes);
    text.counter("palisade_operation_requests_total", "Exchanges by learnt endpoint.");
    for (endpoint, count) in &sum.endpoints {
        text.value(&[("operation", endpoint)], *count);
    }
    text.value(&[("operation", OTHER)], sum.other_endpoints);
    text.counter("palisade_metrics_labels_dropped_total", "Exchanges without a line of their own.");
    text.value(&[("metric", "palisade_operation_requests_total")], sum.other_endpoints);
}

fn findings(console: &Console, text: &mut Exposition) {
    let mut by_detector = std::collections::BTreeMap::new();
    for finding in console.engine.findings() {
        let layer = finding.detector.layer().to_string();
        let key = (layer, finding.detector.to_string(), finding.severity.to_string());
        *by_detector.entry(key).or_insert(0_u64) += 1;
    }
    text.gauge("palisade_findings", "Findings that are being followed.");
    for ((layer, detector, severity), count) in &by_detector {
        let labels = [("layer", layer.as_str()), ("detector", detector), ("severity", severity)];
        text.value(&labels, *count);
    }
    let help = "Layers that failed on a request, which passed, or was refused as its route says.";
    text.counter("palisade_fail_events_total", help);
    let faults = console.engine.layer_faults(console.instance.now());
    for layer in Layer::ALL {
        let seen = faults.iter().find(|seen| seen.layer == layer).map_or(0, |seen| seen.faults);
        text.value(&[("component", layer.key()), ("outcome", "open")], seen);
    }
    let closed = console.engine.overview().failed_closed;
    text.value(&[("component", "any"), ("outcome", "closed")], closed);
    text.gauge("palisade_layer_quarantined", "Layers that are left alone after faults.");
    for seen in &faults {
        text.value(&[("component", seen.layer.key())], u64::from(seen.is_quarantined));
    }
}

fn policy(console: &Console, text: &mut Exposition) {
    text.gauge("palisade_layer_mode", "How far each layer goes on each site: the mode that is 1.");
    let policy = console.engine.policy();
    for site in &policy.sites {
        for layer in Layer::ALL {
            let mode = site.modes.of(layer).key();
            let labels = [("site", site.name.as_str()), ("layer", layer.key()), ("mode", mode)];
            text.value(&labels, 1);
        }
    }
    text.gauge("palisade_decisions", "Standing blocks and allows.");
    text.value(&[], count(console.engine.decisions(console.instance.now()).len()));
    let exceptions = console.engine.exceptions();
    text.counter("palisade_exception_hits_total", "How often each exception was applied.");
    for exception in exceptions.iter().take(EXCEPTIONS_MAX) {
        text.value(&[("exception", &exception.id.to_string())], exception.hits);
    }
    text.gauge("palisade_exceptions_unused", "Exceptions that were never applied.");
    text.value(&[], count(exceptions.iter().filter(|exception| exception.hits == 0).count()));
}

fn tables(console: &Console, text: &mut Exposition) {
    let overview = console.engine.overview();
    text.gauge("palisade_operations", "Endpoints in the catalog.");
    text.value(&[("state", "discovered")], count(overview.endpoints));
    text.counter("palisade_inspection_truncated_total", "Bodies not inspected to their end.");
    text.value(&[("reason", "size")], overview.bodies_in_part);
    text.value(&[("reason", "memory")], overview.bodies_unread);
    text.value(&[("reason", "time")], overview.cut_short);
    text.gauge("palisade_table_entries", "Lines of a table.");
    for table in &overview.tables {
        text.value(&[("table", table.name)], count(table.used));
    }
    text.gauge("palisade_table_capacity", "Lines that a table has room for.");
    for table in &overview.tables {
        text.value(&[("table", table.name)], count(table.capacity));
    }
    text.counter("palisade_table_evictions_total", "Lines that had to make room.");
    for table in &overview.tables {
        text.value(&[("table", table.name)], table.evicted);
    }
}

fn store(console: &Console, text: &mut Exposition) {
    let health = console.ledger.health();
    text.counter("palisade_events_written_total", "Events written down.");
    text.value(&[], health.events_written);
    text.counter("palisade_events_dropped_total", "Events that were not, and why.");
    for (reason, count) in [
        ("queue", health.dropped_queue_full),
        ("disk", health.dropped_storage),
        ("unstorable", health.dropped_unstorable),
    ] {
        text.value(&[("sink", "ledger"), ("reason", reason)], count);
    }
    let standing = console.instance.standing();
    for sink in &standing.sinks {
        text.value(&[("sink", &sink.name), ("reason", "spool")], sink.dropped);
    }
    let lost = standing.counters.iter().find(|(name, _)| *name == ACCESS_LINES_LOST);
    text.value(&[("sink", "access-log"), ("reason", "queue")], lost.map_or(0, |(_, lost)| *lost));
    text.gauge("palisade_queue_depth", "What waits to be written.");
    text.value(&[("sink", "ledger")], health.waiting);
    for sink in &standing.sinks {
        text.value(&[("sink", &sink.name)], sink.waiting);
    }
    text.gauge("palisade_store_bytes", "Bytes of events on disk.");
    text.value(&[], health.events_bytes);
    text.gauge("palisade_store_failing", "Whether the disk refuses what is to be written.");
    text.value(&[], u64::from(health.storage_fault.is_some()));
}

/// What the operating system says, in pages of 4 KiB.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(4_096)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
