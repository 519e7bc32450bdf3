//! What a report on a running (or stopped) instance is made from: the ledger's counts and
//! conclusions, and what the engine has not handed over yet.
//!
//! Counts are kept by the hour and by the day, so periods are whole hours, or days when they are
//! long. The period before is as long; there is none when counting began later.

use std::time::Duration;

use ledger::{Grain, IncidentFilter, IncidentState, Ledger, QueryError};
use report::{Before, Endpoint, Incident, Layer as LayerLine, Material, Method, Origin, Period};
use shield::Engine;
use traffic::{Detector, Finding, Layer, Severity, Tally, Timestamp};

/// Longer periods are made of days.
const HOURS_UP_TO: Duration = Duration::from_secs(31 * 86_400);
/// More conclusions than this are not read.
const FINDINGS_MAX: usize = 50_000;
/// And more campaigns.
const INCIDENTS_MAX: usize = 2_000;

/// Which time a report is about.
#[derive(Clone, Copy, Debug)]
pub enum Asked {
    /// So much time up to now.
    Last(Duration),
    /// From a moment up to another; none is now.
    Between(Timestamp, Option<Timestamp>),
}

/// A period in whole buckets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Buckets {
    from: Timestamp,
    to: Timestamp,
    grain: Grain,
}

/// The report of `engine` and its `ledger` on the period that is asked for, at `now`.
pub fn report(
    engine: &Engine,
    ledger: &Ledger,
    version: &str,
    asked: Asked,
    now: Timestamp,
) -> Result<report::Report, QueryError> {
    let buckets = Buckets::of(asked, now);
    let before = buckets.before();
    let known = Known {
        tallies: tallies(engine, ledger, before.from, buckets)?,
        findings: ledger.findings(before.from, FINDINGS_MAX)?,
        incidents: incidents(ledger, before.from)?,
    };
    let since = ledger.tallied_since(buckets.grain)?;
    let since = since.into_iter().chain(known.tallies.iter().map(|it| it.at)).min();
    let compared = match since {
        Some(since) if since <= before.from => {
            let part = known.part(before);
            Ok(Before {
                from: before.from,
                to: before.to,
                tallies: part.tallies,
                findings: attacks(part.findings).0,
                incidents: part.incidents,
            })
        }
        _ => Err("nothing was counted then, or not all of it".to_owned()),
    };
    let Known { tallies, findings, incidents } = known.part(buckets);
    let began = began(engine, ledger, since)?.unwrap_or(now);
    let mut blind = lost(ledger);
    if findings.len() >= FINDINGS_MAX || incidents.len() >= INCIDENTS_MAX {
        blind.push("There were more findings than a report reads; the oldest are left out.".into());
    }
    let (findings, forgotten) = attacks(findings);
    let policy = engine.policy();
    let layers = policy.sites.first().map(|site| {
        let mode = |layer: &Layer| site.modes.of(*layer).to_string();
        Layer::ALL.iter().map(|it| LayerLine { layer: it.to_string(), mode: mode(it) }).collect()
    });
    let material = Material {
        origin: Origin {
            kind: "gateway".to_owned(),
            names: policy.sites.iter().map(|site| site.name.clone()).collect(),
        },
        period: Period {
            from: buckets.from,
            to: buckets.to,
            counted_from: began.max(buckets.from).min(now),
            counted_to: now.min(buckets.to),
            grain_s: buckets.grain.seconds(),
        },
        tallies,
        findings,
        incidents,
        forgotten,
        endpoints: engine.endpoints().iter().map(Endpoint::from).collect(),
        exceptions: engine.exceptions(),
        before: compared,
        method: Method {
            version: version.to_owned(),
            layers: layers.unwrap_or_default(),
            blind,
            shows_credentials: true,
            shows_answers: true,
        },
    };
    Ok(report::Report::of(&material))
}

/// Since when there was anybody to count: of the first hour, the minute.
fn began(
    engine: &Engine,
    ledger: &Ledger,
    since: Option<Timestamp>,
) -> Result<Option<Timestamp>, QueryError> {
    let minute = |minute: u32| Timestamp::from_micros(u64::from(minute) * 60_000_000);
    let running = engine.running_rollups(None).into_iter().map(|(key, _)| minute(key.minute));
    let first = running.chain(ledger.counted_minutes_since()?).min();
    let is_near = |since: Timestamp, first: Timestamp| {
        first > since && first.since(since) < Duration::from_secs(3_600)
    };
    Ok(since.map(|since| first.filter(|first| is_near(since, *first)).unwrap_or(since)))
}

/// What was read for both periods.
struct Known {
    tallies: Vec<Tally>,
    findings: Vec<Finding>,
    incidents: Vec<Incident>,
}

impl Known {
    /// What belongs to one period. A conclusion belongs to the period in which it was drawn.
    fn part(&self, buckets: Buckets) -> Self {
        let holds = |at: Timestamp| at >= buckets.from && at < buckets.to;
        let mut findings: Vec<Finding> =
            self.findings.iter().filter(|it| holds(it.first)).cloned().collect();
        findings.sort_by_key(|finding| (finding.first, finding.key));
        Self {
            tallies: self.tallies.iter().filter(|it| holds(it.at)).copied().collect(),
            findings,
            incidents: self.incidents.iter().filter(|it| holds(it.first)).cloned().collect(),
        }
    }
}

impl Buckets {
    fn of(asked: Asked, now: Timestamp) -> Self {
        let (from, to) = match asked {
            Asked::Last(span) => (now.before(span), now),
            Asked::Between(from, to) => (from, to.unwrap_or(now)),
        };
        let grain = if to.since(from) > HOURS_UP_TO { Grain::Day } else { Grain::Hour };
        let bucket = u64::from(grain.seconds()) * 1_000_000;
        let floor = |at: Timestamp| Timestamp::from_micros(at.as_micros() / bucket * bucket);
        let one = Duration::from_secs(u64::from(grain.seconds()));
        let ceiling = |at: Timestamp| {
            let down = floor(at);
            if down == at { at } else { down.after(one) }
        };
        let to = ceiling(to);
        // So much time up to now means as many buckets as it holds, the running one included.
        let from = match asked {
            Asked::Last(span) => ceiling(to.before(span)),
            Asked::Between(from, _) => floor(from),
        };
        Self { from: from.min(to.before(one)), to, grain }
    }

    /// The period before, of the same length.
    fn before(self) -> Self {
        Self { from: self.from.before(self.to.since(self.from)), to: self.from, ..self }
    }
}

/// Counts from `from` to the end of the period, those that are not in the ledger yet included.
fn tallies(
    engine: &Engine,
    ledger: &Ledger,
    from: Timestamp,
    buckets: Buckets,
) -> Result<Vec<Tally>, QueryError> {
    // What is on its way to the disk arrives; a disk that fails is told of elsewhere.
    let _ = ledger.flush();
    let mut tallies = ledger.tallies(buckets.grain, from, buckets.to)?;
    // Asked after the ledger: what is handed over in between is missing, not counted twice.
    let running = engine.running_tallies();
    let bucket = u64::from(buckets.grain.seconds()) * 1_000_000;
    tallies.extend(running.into_iter().map(|tally| Tally {
        at: Timestamp::from_micros(tally.at.as_micros() / bucket * bucket),
        ..tally
    }));
    Ok(tallies)
}

/// Attacks, and forgotten endpoints that answered. That enforcing was taken back is neither.
fn attacks(findings: Vec<Finding>) -> (Vec<Finding>, Vec<Finding>) {
    let (attacks, mut others): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.detector.is_attack());
    others.retain(|finding| finding.detector == Detector::ForgottenEndpoint);
    (attacks, others)
}

/// Campaigns since, the gravest first.
fn incidents(ledger: &Ledger, since: Timestamp) -> Result<Vec<Incident>, QueryError> {
    let filter =
        IncidentFilter { since: Some(since), limit: INCIDENTS_MAX, ..IncidentFilter::default() };
    let mut incidents = ledger.incidents(filter)?;
    let is_attack = |it: &Finding| it.detector.is_attack();
    incidents.retain(|incident| incident.findings.iter().any(is_attack));
    incidents.sort_by(|a, b| {
        b.severity.cmp(&a.severity).then(b.requests.cmp(&a.requests)).then(a.id.cmp(&b.id))
    });
    let told = |it: &ledger::Incident| {
        let gravest = it.findings.first();
        Incident {
            id: Some(it.id.to_string()),
            title: it.title.clone(),
            severity: gravest.map_or(Severity::Info, |_| it.severity),
            detector: gravest.map_or_else(String::new, |it| it.detector.name().to_owned()),
            endpoint: gravest.and_then(|it| it.endpoint.clone()),
            first: it.first,
            last: it.last,
            requests: it.requests,
            refused: it.refused,
            succeeded: it.succeeded,
            is_closed: it.state == IncidentState::Closed,
            evidence: None,
        }
    };
    Ok(incidents.iter().map(told).collect())
}

/// What was lost since the start, because a queue was full or a row could not be stored.
fn lost(ledger: &Ledger) -> Vec<String> {
    let health = ledger.health();
    let mut lost = Vec::new();
    if health.dropped_queue_full > 0 {
        lost.push(format!(
            "Dropped since the start, because the disk was too slow for them: events, findings or \
             counts, {} in all.",
            health.dropped_queue_full
        ));
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_whole_buckets_and_as_long_as_asked() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let now = at("2026-11-26T10:37:12Z");
        let day = Duration::from_secs(86_400);
        let buckets = |from: &str, to: &str, grain| Buckets { from: at(from), to: at(to), grain };
        let week = Buckets::of(Asked::Last(day * 7), now);
        assert_eq!(week, buckets("2026-11-19T11:00:00Z", "2026-11-26T11:00:00Z", Grain::Hour));
        assert_eq!(
            week.before(),
            buckets("2026-11-12T11:00:00Z", "2026-11-19T11:00:00Z", Grain::Hour)
        );
        assert_eq!(
            Buckets::of(Asked::Last(day * 90), now),
            buckets("2026-08-29T00:00:00Z", "2026-11-27T00:00:00Z", Grain::Day)
        );
        let between = Asked::Between(at("2026-11-01T00:30:00Z"), Some(at("2026-11-02T00:00:00Z")));
        assert_eq!(
            Buckets::of(between, now),
            buckets("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", Grain::Hour)
        );
        let upside_down = Asked::Between(now, Some(at("2026-11-02T00:00:00Z")));
        assert_eq!(
            Buckets::of(upside_down, now),
            buckets("2026-11-01T23:00:00Z", "2026-11-02T00:00:00Z", Grain::Hour)
        );
    }
}
