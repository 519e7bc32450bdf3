//! `alerts test`: whether what is told arrives, and who is told.

use console::wire::{Sink, SinkTests};
use http::Method;

use super::Desk;
use crate::args::alerts::Alerts;
use crate::failure::Failure;
use crate::output::{Page, Paint};

/// Carries the command out.
pub(crate) fn alerts(desk: &mut Desk, alerts: &Alerts) -> Result<(), Failure> {
    match alerts {
        Alerts::Test => test(desk),
    }
}

/// Tells each sink that this is a test, and prints what came back. One that was not reached is a
/// failure.
fn test(desk: &mut Desk) -> Result<(), Failure> {
    let tests: SinkTests =
        desk.client.send(Method::POST, "/alerts/test", &serde_json::json!({}))?;
    if tests.sinks.is_empty() {
        return Err(Failure::Failed(
            "nobody is told: there is no [alerts] and no [export] in the configuration".to_owned(),
        ));
    }
    desk.output.document(&tests, |page| {
        let rows: Vec<_> = tests
            .sinks
            .iter()
            .map(|sink| {
                let (word, paint) =
                    if sink.arrived { ("arrived", Paint::Good) } else { ("failed", Paint::Bad) };
                vec![
                    (sink.name.clone(), Paint::Bold),
                    (sink.to.clone(), Paint::None),
                    (word.to_owned(), paint),
                    (format!("{} ms", sink.took_ms), Paint::None),
                    (sink.said.clone(), Paint::None),
                ]
            })
            .collect();
        page.table(&["SINK", "TO", "TEST", ">TOOK", "ANSWER"], &rows);
    })?;
    let failed = tests.sinks.iter().filter(|sink| !sink.arrived).count();
    if failed > 0 {
        return Err(Failure::Failed(format!("{failed} of {} not told", tests.sinks.len())));
    }
    Ok(())
}

/// Who is told, and how that goes: a part of `status`.
pub(super) fn show_sinks(page: &mut Page, sinks: &[Sink]) {
    let rows: Vec<_> = sinks
        .iter()
        .map(|sink| {
            let count = |count: u64, paint| {
                (count.to_string(), if count == 0 { Paint::None } else { paint })
            };
            let told = sink.last_sent.as_deref();
            vec![
                (sink.name.clone(), Paint::None),
                (sink.to.clone(), Paint::Faint),
                count(sink.sent, Paint::Good),
                count(sink.waiting, Paint::Warn),
                count(sink.failed, Paint::Warn),
                count(sink.dropped, Paint::Bad),
                (told.map_or("–".to_owned(), |at| page.clock().full(at)), Paint::None),
                (sink.last_fault.clone().unwrap_or_default(), Paint::Bad),
            ]
        })
        .collect();
    let heads =
        ["TOLD", "TO", ">SENT", ">WAITING", ">FAILED TRIES", ">DROPPED", "LAST", "LAST ERROR"];
    page.table(&heads, &rows);
}
