//! Whether a layer may enforce: what it would have refused lately, whose requests these were, and
//! what to look at before it does.
//!
//! Made from what the ledger keeps anyway, when somebody asks: events of refusals, and counts by
//! the hour. What an exception silences by now does not count any more.

mod evidence;
mod judge;
mod lately;

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{Grain, QueryError, RollupFilter};
use traffic::{Layer, Mode, Timestamp};

use crate::api::{Console, InstanceStanding};
use crate::wire::{LayerReadiness, Readiness, VerdictWord};
use evidence::Evidence;
use judge::Facts;
use lately::Grounds;

pub use lately::Lately;

/// How far back is looked when nobody says.
pub(crate) const LAST: Duration = Duration::from_secs(24 * 3_600);
/// Counts are kept by the hour; longer spans are added up from days.
const BY_HOURS_UP_TO: Duration = Duration::from_secs(48 * 3_600);
/// More counts than this are not added up.
const ROWS_MAX: usize = 200_000;

/// The verdict on every layer that has a detector, on each site. It may be some seconds old where
/// there is much to look at: `to` says of when it is.
pub(crate) fn of(console: &Console, last: Duration) -> Result<Readiness, QueryError> {
    let now = console.instance.now();
    let standing = console.instance.standing();
    let exceptions = console.engine.exceptions();
    let faults = console.engine.layer_faults(now);
    let grounds = Grounds {
        last,
        policy_version: console.engine.policy_version(),
        exceptions: exceptions.iter().filter(|it| it.holds(now)).map(|it| it.id).collect(),
        faults: faults.iter().map(|seen| seen.faults).sum(),
    };
    let found = console.lately.of(grounds, || found_out(console, &standing, last))?;
    Ok(Readiness { probation: standing.probation, taken_back: standing.taken_back, ..found })
}

fn found_out(
    console: &Console,
    standing: &InstanceStanding,
    last: Duration,
) -> Result<Readiness, QueryError> {
    let now = console.instance.now();
    let from = now.before(last);
    let policy = console.engine.policy();
    let evidence = Evidence::gather(&console.ledger, &console.engine.exceptions(), from, now)?;
    let requests = Requests::count(console, from, now)?;
    let faults = console.engine.layer_faults(now);
    let mut layers = Vec::new();
    for site in &policy.sites {
        for layer in Layer::ALL.into_iter().filter(|layer| layer.has_detector()) {
            let mode = site.modes.of(layer);
            let watched_since = watched_since(standing, &site.name, layer, mode);
            let counted_from = watched_since.map_or(now, |since| since.max(from));
            let fault = faults.iter().find(|fault| fault.layer == layer);
            let facts = Facts {
                site: &site.name,
                is_only_site: policy.sites.len() == 1,
                layer,
                mode,
                watched_since,
                requests: requests.of(&site.name, counted_from),
                faults: fault.map_or(0, |fault| fault.faults),
                now,
                last,
            };
            layers.push(judge::layer(&facts, evidence.at(&site.name, layer)));
        }
    }
    Ok(Readiness {
        schema: "palisade.v1.readiness".to_owned(),
        from: from.to_string(),
        to: now.to_string(),
        complete: evidence.is_complete,
        summary: summary(&layers, policy.sites.len() == 1),
        layers,
        probation: None,
        taken_back: Vec::new(),
    })
}

/// Since when a layer looks at a site's traffic.
fn watched_since(
    standing: &InstanceStanding,
    site: &str,
    layer: Layer,
    mode: Mode,
) -> Option<Timestamp> {
    let watched = standing.watched.iter().find(|it| it.site == site && it.layer == layer);
    watched.map(|watched| watched.since).filter(|_| mode != Mode::Off)
}

/// The verdicts in one line: what may enforce, and what not yet.
fn summary(layers: &[LayerReadiness], is_only_site: bool) -> String {
    let waiting: Vec<_> = layers.iter().filter(|layer| layer.mode != Mode::Enforce.key()).collect();
    if waiting.is_empty() {
        return "everything enforces".to_owned();
    }
    let name = |layer: &LayerReadiness| match is_only_site {
        true => layer.layer.clone(),
        false => format!("{}/{}", layer.site, layer.layer),
    };
    let named = |verdict: VerdictWord| -> Vec<String> {
        waiting.iter().filter(|layer| layer.verdict == verdict).map(|layer| name(layer)).collect()
    };
    let (ready, look) = (named(VerdictWord::Ready), named(VerdictWord::LookFirst));
    let mut parts = Vec::new();
    if !ready.is_empty() {
        parts.push(format!("ready: {}", ready.join(", ")));
    }
    if !look.is_empty() {
        parts.push(format!("look first: {}", look.join(", ")));
    }
    let mut hours: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for layer in &waiting {
        if let Some(needed) = layer.hours_needed {
            hours.entry(needed).or_default().push(name(layer));
        }
    }
    for (needed, names) in hours {
        parts.push(format!("needs {needed} more h: {}", names.join(", ")));
    }
    parts.join(" · ")
}

/// Requests by site and by the hour or day in which they came.
#[derive(Debug, Default)]
struct Requests {
    by_site: BTreeMap<String, BTreeMap<Timestamp, u64>>,
    bucket: Duration,
}

impl Requests {
    fn count(console: &Console, from: Timestamp, now: Timestamp) -> Result<Self, QueryError> {
        let grain = if now.since(from) <= BY_HOURS_UP_TO { Grain::Hour } else { Grain::Day };
        let policy = console.engine.policy();
        let site_of = |label: Option<&str>| match (policy.sites.as_slice(), label) {
            ([only], _) => Some(only.name.clone()),
            (_, Some(label)) => {
                let host = label.split(' ').nth(1)?;
                policy.site_of_host(host).map(|site| site.name.clone())
            }
            // Which site a path that is no endpoint belongs to is not counted.
            (_, None) => None,
        };
        let bucket = Duration::from_secs(u64::from(grain.seconds()));
        let mut counted = Self { by_site: BTreeMap::new(), bucket };
        let filter = RollupFilter { grain, from, to: now, endpoint: None, limit: ROWS_MAX };
        for row in console.ledger.rollups(&filter)? {
            counted.add(site_of(row.endpoint.as_deref()), row.start, row.count);
        }
        for (key, rollup) in console.engine.running_rollups(None) {
            let label = key.endpoint.map(|endpoint| console.engine.label(endpoint));
            counted.add(site_of(label.as_deref()), now, rollup.count);
        }
        Ok(counted)
    }

    fn add(&mut self, site: Option<String>, at: Timestamp, count: u64) {
        let Some(site) = site else { return };
        *self.by_site.entry(site).or_default().entry(at).or_default() += count;
    }

    /// Those to `site` since `from`, the hour or day in which that lies included.
    fn of(&self, site: &str, from: Timestamp) -> u64 {
        let buckets = self.by_site.get(site).into_iter().flatten();
        buckets.filter(|(start, _)| start.after(self.bucket) > from).map(|(_, count)| count).sum()
    }
}
