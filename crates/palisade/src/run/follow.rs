//! On a terminal, a line for what passes, so that the first call shows at once.
//!
//! Honest calls are sampled (a few a second), so a busy gateway does not flood its terminal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use ledger::Ledger;
use traffic::{Event, Mode};

use crate::output::{Clock, say};

/// How often new lines are shown.
const EVERY: Duration = Duration::from_millis(100);

/// Lines shown at a time; what is more than that nobody could read.
const LINES_MAX: usize = 40;

/// Shows events until `stop`.
pub(crate) fn follow(ledger: &Ledger, clock: &Clock, stop: &Arc<AtomicBool>) {
    let mut tail = ledger.tail();
    while !stop.load(Relaxed) {
        std::thread::sleep(EVERY);
        let (events, _) = ledger.follow(&mut tail, LINES_MAX);
        for event in &events {
            say(&line(event, clock));
        }
    }
}

fn line(event: &Event, clock: &Clock) -> String {
    let place =
        event.endpoint.clone().unwrap_or_else(|| format!("{} {}", event.method, event.path));
    let mut line = format!(
        "  {}  {:>3}  {:<15} {place}  {:.1} ms",
        clock.of_day(&event.at.to_string()),
        event.status,
        event.client,
        f64::from(u32::try_from(event.took_us).unwrap_or(u32::MAX)) / 1_000.0
    );
    if event.action.refuses() {
        let done = if event.mode == Mode::Enforce { "" } else { "would " };
        let because = event.signals.first().map_or("", |signal| signal.reason.as_str());
        line.push_str(&format!("  {done}{}: {because}  palisade why {}", event.action, event.id));
    }
    line
}
