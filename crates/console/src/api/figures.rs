//! Figures of traffic: what the ledger counted, and what is not in it yet.
//!
//! The engine gives a minute's counts to the ledger once the minute is over, so the running one is
//! added here. Latency is told by the bound of its class, and only of what was forwarded.

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{Grain, QueryError, RollupFilter};
use shield::LATENCY_BOUNDS_US;
use traffic::{Action, Timestamp};

use super::Console;
use crate::wire::Traffic;

/// The spans that are told.
const SPANS: [(&str, Duration, Grain); 2] = [
    ("1h", Duration::from_secs(3_600), Grain::Minute),
    ("24h", Duration::from_secs(24 * 3_600), Grain::Hour),
];
/// More counts than this are not added up: the figures then tell of the latest part.
const ROWS_MAX: usize = 200_000;

/// The figures of all traffic, or of one endpoint by its label.
pub(super) fn of(console: &Console, endpoint: Option<&str>) -> Result<Vec<Traffic>, QueryError> {
    let now = console.instance.now();
    let running = console.engine.running_rollups(endpoint);
    let figure = |(span, lasts, grain): (&str, Duration, Grain)| {
        let filter = RollupFilter {
            grain,
            from: now.before(lasts),
            to: now,
            endpoint: endpoint.map(str::to_owned),
            limit: ROWS_MAX,
        };
        let rows = console.ledger.rollups(&filter)?;
        let mut sum = Sum::default();
        for row in &rows {
            let refuses = Action::ALL.iter().any(|it| it.refuses() && it.key() == row.action);
            sum.add(row.status_class, refuses, row.enforced, row.count, row.bytes, &row.latency);
        }
        for (key, rollup) in &running {
            if Timestamp::from_micros(u64::from(key.minute) * 60_000_000) >= now.before(lasts) {
                let latency: Vec<u64> = rollup.latency.iter().copied().map(u64::from).collect();
                let refuses = key.action.refuses();
                let (count, bytes) = (rollup.count, rollup.bytes);
                sum.add(key.status_class, refuses, key.enforced, count, bytes, &latency);
            }
        }
        Ok(sum.told(span))
    };
    SPANS.into_iter().map(figure).collect()
}

#[derive(Debug, Default)]
struct Sum {
    requests: u64,
    statuses: BTreeMap<u8, u64>,
    refused: u64,
    would_refuse: u64,
    bytes: u64,
    latency: Vec<u64>,
}

impl Sum {
    fn add(
        &mut self,
        class: u8,
        refuses: bool,
        enforced: bool,
        count: u64,
        bytes: u64,
        latency: &[u64],
    ) {
        self.requests += count;
        *self.statuses.entry(class).or_default() += count;
        self.bytes = self.bytes.saturating_add(bytes);
        match (refuses, enforced) {
            (true, true) => {
                self.refused += count;
                // Nobody's latency: the upstream was not asked.
                return;
            }
            (true, false) => self.would_refuse += count,
            (false, _) => {}
        }
        self.latency.resize(self.latency.len().max(latency.len()), 0);
        for (sum, more) in self.latency.iter_mut().zip(latency) {
            *sum += more;
        }
    }

    fn told(self, span: &str) -> Traffic {
        let (p50_ms, p95_ms) = (self.percentile(50), self.percentile(95));
        let class = |(class, count)| (format!("{class}xx"), count);
        Traffic {
            span: span.to_owned(),
            requests: self.requests,
            statuses: self.statuses.into_iter().map(class).collect(),
            refused: self.refused,
            would_refuse: self.would_refuse,
            bytes: self.bytes,
            p50_ms,
            p95_ms,
        }
    }

    /// The bound of the class that `percent` of the exchanges do not go past; the last is open.
    fn percentile(&self, percent: u64) -> Option<f64> {
        let all: u64 = self.latency.iter().sum();
        let mut below = 0;
        let class = self.latency.iter().position(|count| {
            below += count;
            below > 0 && below * 100 >= all * percent
        })?;
        let bound = LATENCY_BOUNDS_US.get(class).or(LATENCY_BOUNDS_US.last())?;
        u32::try_from(*bound).ok().map(|us| f64::from(us) / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_count_and_do_not_make_the_upstream_look_fast() {
        let mut sum = Sum::default();
        let mut slow = [0; 16];
        slow[6] = 90;
        slow[8] = 10;
        sum.add(2, false, false, 100, 5_000, &slow);
        sum.add(4, true, true, 900, 0, &[900]);
        sum.add(4, true, false, 1, 10, &[]);
        let told = sum.told("1h");
        assert_eq!((told.requests, told.refused, told.would_refuse), (1_001, 900, 1));
        assert_eq!((told.p50_ms, told.p95_ms), (Some(50.0), Some(200.0)));
        assert_eq!(told.statuses["4xx"], 901);
        assert_eq!(Sum::default().told("1h").p50_ms, None);
    }
}
