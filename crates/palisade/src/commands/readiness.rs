//! `readiness`: which layers may enforce; and the question that `enforce` asks first.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use console::wire::{LayerReadiness, Readiness, VerdictWord};
use traffic::counted;

use super::Desk;
use crate::args::{self, Modes};
use crate::failure::Failure;
use crate::output::{Page, Paint, say};

/// Prints the verdicts, with their reasons where there is something to look at.
pub(crate) fn show(desk: &mut Desk, asked: &args::readiness::Readiness) -> Result<(), Failure> {
    let path = format!("/readiness?last_s={}", asked.last.as_secs().max(1));
    let mut told: Readiness = desk.client.get(&path)?;
    keep(&mut told.layers, &asked.layers, asked.site.as_deref())?;
    let command = |command: &str| desk.command(command);
    let commands: Vec<Vec<Vec<String>>> = told
        .layers
        .iter()
        .map(|layer| {
            let of = |because: &console::wire::Because| {
                because.commands.iter().map(|it| command(it)).collect()
            };
            layer.reasons.iter().map(of).collect()
        })
        .collect();
    desk.output.list(&told, &told.layers, |page| {
        table(page, &told.layers);
        for (layer, commands) in told.layers.iter().zip(&commands) {
            page.gap();
            details(page, layer, commands);
        }
        if let Some(probation) = &told.probation {
            page.gap();
            let until = page.clock().short(&probation.until);
            page.pair_painted(
                "probation",
                &format!("{} until {until}", probation.what),
                Paint::Warn,
            );
        }
        for taken_back in &told.taken_back {
            page.gap();
            page.pair_painted("taken back", &taken_back.what, Paint::Bad);
            page.pair("at", &page.clock().full(&taken_back.at));
            page.pair("because", &taken_back.reason);
        }
        if !told.complete {
            page.gap();
            page.warning("there is more than is looked at in one go: the latest part counts");
        }
    })
}

/// Stops before layers enforce of which somebody should look first at what they would refuse; on a
/// terminal it asks.
pub(super) fn ask_before(desk: &Desk, scope: &Modes) -> Result<(), Failure> {
    let mut told: Readiness = desk.client.get("/readiness")?;
    // What is wrong with the names is told by the switch itself.
    let _ = keep(&mut told.layers, &scope.layers, scope.site.as_deref());
    told.layers.retain(|layer| layer.mode != "enforce");
    let young: Vec<&LayerReadiness> =
        told.layers.iter().filter(|layer| layer.verdict == VerdictWord::NeedsHours).collect();
    if let Some(hours) = young.iter().filter_map(|layer| layer.hours_needed).max() {
        let names: Vec<&str> = young.iter().map(|layer| layer.layer.as_str()).collect();
        let names = names.join(", ");
        desk.output
            .talk(&format!("warning: {names}: too little was seen yet, {hours} h are missing"));
    }
    told.layers.retain(|layer| layer.verdict == VerdictWord::LookFirst);
    if told.layers.is_empty() {
        return Ok(());
    }
    for layer in &told.layers {
        say(&format!("look first: {} on site {}", layer.layer, layer.site));
        for because in &layer.reasons {
            say(&format!("  {}", because.says));
            because.commands.iter().for_each(|it| say(&format!("    {}", desk.command(it))));
        }
    }
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        return if confirms()? { Ok(()) } else { Err(Failure::Findings(UNCHANGED.to_owned())) };
    }
    Err(Failure::Findings(format!("{UNCHANGED}; --yes goes on all the same")))
}

const UNCHANGED: &str = "nothing was changed";

fn confirms() -> Result<bool, Failure> {
    let mut stderr = io::stderr().lock();
    stderr.write_all(b"enforce all the same? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Leaves what is asked for.
fn keep(
    layers: &mut Vec<LayerReadiness>,
    named: &[String],
    site: Option<&str>,
) -> Result<(), Failure> {
    if let Some(site) = site.filter(|site| !layers.iter().any(|layer| layer.site == *site)) {
        return Err(Failure::Usage(format!("there is no site {site:?}")));
    }
    layers.retain(|layer| site.is_none_or(|site| layer.site == site));
    for name in named.iter().map(|name| name.trim()) {
        name.parse::<traffic::Layer>().map_err(|error| Failure::Usage(error.to_string()))?;
    }
    layers.retain(|it| named.is_empty() || named.iter().any(|name| name.trim() == it.layer));
    Ok(())
}

fn table(page: &mut Page, layers: &[LayerReadiness]) {
    let rows: Vec<_> = layers
        .iter()
        .map(|layer| {
            let (verdict, paint) = verdict(layer);
            vec![
                (layer.site.clone(), Paint::None),
                (layer.layer.clone(), Paint::Bold),
                (layer.mode.clone(), Paint::None),
                (verdict, paint),
                (layer.requests.to_string(), Paint::None),
                (layer.would_refuse.to_string(), Paint::None),
                (layer.refused.to_string(), Paint::None),
                (layer.callers.to_string(), Paint::None),
                (layer.known.to_string(), if layer.known > 0 { Paint::Warn } else { Paint::None }),
            ]
        })
        .collect();
    let heads = [
        "SITE",
        "LAYER",
        "MODE",
        "VERDICT",
        ">REQUESTS",
        ">WOULD REFUSE",
        ">REFUSED",
        ">CALLERS",
        ">WITH SESSION",
    ];
    page.table(&heads, &rows);
}

fn verdict(layer: &LayerReadiness) -> (String, Paint) {
    match (layer.verdict, layer.hours_needed) {
        (VerdictWord::Ready, _) => ("ready".to_owned(), Paint::Good),
        (VerdictWord::LookFirst, _) => ("look first".to_owned(), Paint::Bad),
        (VerdictWord::NeedsHours, hours) => {
            let needed = counted(hours.unwrap_or_default(), "more hour");
            (format!("needs {needed}"), Paint::Warn)
        }
    }
}

fn details(page: &mut Page, layer: &LayerReadiness, commands: &[Vec<String>]) {
    let (verdict, paint) = verdict(layer);
    page.painted(paint, &format!("{} on site {}: {verdict}", layer.layer, layer.site));
    for (because, commands) in layer.reasons.iter().zip(commands) {
        page.pair("because", &because.says);
        commands.iter().for_each(|command| page.pair("  look at", command));
    }
    for endpoint in &layer.endpoints {
        let name = if endpoint.endpoint.is_empty() { "no endpoint" } else { &endpoint.endpoint };
        let says = format!(
            "{} of {} on {name}, {} answered",
            endpoint.requests,
            counted(endpoint.callers, "caller"),
            endpoint.answered
        );
        page.pair("where", &says);
    }
    for caller in &layer.foremost {
        let known = if caller.known { ", established session" } else { "" };
        let says = format!("{} of {}{known} ({})", caller.requests, caller.caller, caller.event);
        page.pair("whose", &says);
    }
}
