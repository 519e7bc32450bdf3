//! The page: one file that holds everything it needs, for a screen, a telephone and paper.
//!
//! No script, no font and no address on it: a policy in its head forbids all of these, should
//! something slip through. Everything that came out of traffic goes through [`Escaped`].

mod charts;
mod parts;
mod text;

use std::fmt::Write as _;

use crate::figure::{Figure, Unit};
use crate::outcome::Report;

use text::{Escaped, base, change, moment, span, thousands, value};

/// The style of the page.
const STYLE: &str = include_str!("html/style.css");
/// So many things to do stand on the first page; all of them further down.
const ACTIONS_FIRST: usize = 3;
/// So many names of files or sites stand in the head.
const NAMES_MAX: usize = 3;

/// The report as a page.
pub fn page(report: &Report) -> String {
    let mut out = String::with_capacity(64 * 1024);
    out.push_str(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>State of your API security</title>\n<style>\n",
    );
    out.push_str(STYLE);
    out.push_str("</style></head>\n<body>\n");
    head(&mut out, report);
    out.push_str("<main>\n");
    summary(&mut out, report);
    for section in &report.sections {
        parts::section(&mut out, report, section);
    }
    parts::incidents(&mut out, report);
    what_to_do(&mut out, report);
    parts::method(&mut out, report);
    parts::definitions(&mut out, report);
    let _ = write!(
        out,
        "</main>\n<footer>Palisade {}. Made from the counts of the period alone: the same input \
         gives this page again, byte for byte.</footer>\n</body></html>\n",
        Escaped(&report.method.version)
    );
    out
}

fn head(out: &mut String, report: &Report) {
    let names: Vec<String> = report.origin.names.iter().take(NAMES_MAX).cloned().collect();
    let more = report.origin.names.len().saturating_sub(NAMES_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let period = &report.period;
    let seconds = period.counted_to.since(period.counted_from).as_secs();
    let _ = writeln!(
        out,
        "<header><p class=\"brand\">Palisade</p><h1>State of your API security</h1>\
         <p class=\"soft\">{}{more} · {} to {} UTC, {}</p></header>",
        Escaped(&names.join(", ")),
        moment(period.counted_from),
        moment(period.counted_to),
        span(seconds)
    );
}

fn summary(out: &mut String, report: &Report) {
    out.push_str("<section aria-label=\"Summary\">");
    let _ = write!(out, "<p class=\"lead\">{}</p>", lead(report));
    if let Some(why) = &report.why_no_before {
        let _ = write!(
            out,
            "<p class=\"soft\">Not compared with the time before: {}.</p>",
            Escaped(why)
        );
    }
    out.push_str("<ul class=\"tiles\">");
    for figure in report.summary.iter().filter_map(|id| report.figure(id)) {
        let _ = write!(
            out,
            "<li><span class=\"name\">{}</span><span class=\"value\">{}</span>",
            Escaped(&figure.label),
            value(figure)
        );
        let below = [base(figure).or_else(|| figure.absent.clone()), change(figure)];
        for line in below.into_iter().flatten() {
            let _ = write!(out, "<small>{}</small>", Escaped(&line));
        }
        out.push_str("</li>");
    }
    out.push_str("</ul>");
    if report.actions.is_empty() {
        out.push_str("<p>There is nothing that has to be done now.</p>");
    } else {
        out.push_str("<h2>What to do first</h2>");
        parts::actions(out, report.actions.iter().take(ACTIONS_FIRST));
    }
    out.push_str("</section>\n");
}

fn exchanges(count: u64) -> String {
    format!("{} exchange{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// One paragraph that says how it stands.
fn lead(report: &Report) -> String {
    let count = |id: &str| report.figure(id).map_or(0, |figure| figure.numerator);
    let (calls, attacks) = (count("calls"), count("attacks"));
    if calls == 0 {
        return "There was no traffic in this period.".to_owned();
    }
    let mut lead = match attacks {
        0 => format!("No attack in {}.", exchanges(calls)),
        1 => format!("1 attack in {}.", exchanges(calls)),
        _ => format!("{} attacks in {}", thousands(attacks), exchanges(calls)),
    };
    if attacks > 1 {
        let worst = parts::mix(report).max_by_key(|figure| figure.numerator);
        if let Some(worst) = worst {
            let _ = write!(lead, ", most of them {}.", most(report, worst));
        }
    }
    let refused = count("refused-share");
    // What is over when it is looked at cannot be refused.
    if attacks > 0 && report.origin.kind != "scan" {
        let _ = match refused {
            0 => write!(lead, " None of them was refused."),
            all if all == attacks => write!(lead, " All of them were refused."),
            some => write!(lead, " {} of them were refused.", thousands(some)),
        };
    }
    match count("accounts-entered") {
        0 => {}
        1 => lead.push_str(" <b>1 account was entered.</b>"),
        entered => {
            let _ = write!(lead, " <b>{} accounts were entered.</b>", thousands(entered));
        }
    }
    lead
}

fn most(report: &Report, figure: &Figure) -> String {
    let label = figure.label.to_lowercase();
    match figure.value {
        Some(_) if figure.unit == Unit::Share => {
            format!("{} ({})", Escaped(&label), parts::shown(report, figure))
        }
        _ => Escaped(&label).to_string(),
    }
}

fn what_to_do(out: &mut String, report: &Report) {
    out.push_str("<section><h2>What changed, and what to do</h2>");
    match (&report.why_no_before, report.changes.is_empty()) {
        (Some(why), _) => {
            let _ = write!(
                out,
                "<p class=\"none\">Not compared with the time before: {}.</p>",
                Escaped(why)
            );
        }
        (None, true) => {
            out.push_str("<p class=\"none\">No figure moved much since the period before.</p>");
        }
        (None, false) => {
            out.push_str("<ul>");
            for change in &report.changes {
                let _ = write!(out, "<li>{}</li>", Escaped(&change.text));
            }
            out.push_str("</ul>");
        }
    }
    parts::actions(out, report.actions.iter());
    out.push_str("</section>\n");
}
