//! The sections of the page.

use std::fmt::Write as _;

use super::charts::{self, Part};
use super::text::{
    Escaped, NO_BREAK, base, change, moment, tenths, thousands, value, value_before,
};
use crate::figure::{Figure, number};
use crate::outcome::{Action, Report, Section};

/// A section: its charts, and its figures as a table.
pub(super) fn section(out: &mut String, report: &Report, section: &Section) {
    let _ = write!(
        out,
        "<section><h2>{}</h2><p class=\"soft\">{}</p>",
        Escaped(&section.title),
        Escaped(&section.note)
    );
    if let Some(nothing) = nothing(report, section) {
        let _ = writeln!(out, "<p class=\"none\">{nothing}</p></section>");
        return;
    }
    match section.id.as_str() {
        "traffic" => {
            charts::columns(out, &report.series);
            let surfaces = [
                ("api-share", "c1"),
                ("page-share", "c3"),
                ("asset-share", "c5"),
                ("untold-share", "c0"),
            ];
            whole(out, report, "What for", &surfaces);
            let callers = [
                ("human-share", "c1"),
                ("declared-bot-share", "c3"),
                ("automated-share", "c2"),
                ("unknown-caller-share", "c0"),
            ];
            whole(out, report, "Who", &callers);
        }
        "attacks" => {
            exclusive(out, report, "By kind", mix(report), "c4");
            kinds(out, report);
        }
        "targets" => exclusive(out, report, "By target", section.figures.iter(), "c4"),
        "probes" => {
            let ages = section.figures.iter().filter(|it| it.id.starts_with("probes-age"));
            exclusive(out, report, "By age of the vulnerability", ages, "c2");
        }
        _ => {}
    }
    // The kinds of attack have a table of their own.
    let is_told = |figure: &&Figure| is_kind(figure) || figure.id.starts_with("incidents-");
    figures(out, section.figures.iter().filter(|figure| !is_told(figure)));
    match section.id.as_str() {
        "inventory" => endpoints(out, report, &["open-sensitive", "forgotten", "new"]),
        "targets" => endpoints(out, report, &["attacked"]),
        "probes" => probes(out, report),
        _ => {}
    }
    out.push_str("</section>\n");
}

/// What a section says that has nothing to count: a column of "n/a" tells nobody anything.
fn nothing(report: &Report, section: &Section) -> Option<&'static str> {
    let is_zero = |id: &str| report.figure(id).is_none_or(|figure| figure.numerator == 0);
    match section.id.as_str() {
        "traffic" if is_zero("calls") => Some("There was none."),
        "attacks" | "targets" if is_zero("attacks") => Some("There was no attack."),
        "takeover" if is_zero("logins") && is_zero("attack-takeover-share") => {
            Some("No log-in was seen.")
        }
        "probes" if is_zero("probes") => Some("There was none."),
        _ => None,
    }
}

/// The kinds of attack, which together are all attacks.
pub(super) fn mix(report: &Report) -> impl Iterator<Item = &Figure> {
    let attacks = report.sections.iter().filter(|section| section.id == "attacks");
    attacks.flat_map(|section| &section.figures).filter(|figure| is_kind(figure))
}

fn is_kind(figure: &Figure) -> bool {
    figure.id.starts_with("attack-")
        && figure.id.ends_with("-share")
        && !matches!(figure.id.as_str(), "attack-share" | "attack-automated-share")
}

/// A bar of figures that share one base. Below that base there is nothing to draw.
fn whole(out: &mut String, report: &Report, title: &str, figures: &[(&str, &'static str)]) {
    let found: Vec<(&Figure, &'static str)> =
        figures.iter().filter_map(|(id, colour)| Some((report.figure(id)?, *colour))).collect();
    if found.iter().any(|(figure, _)| figure.value.is_none()) {
        return;
    }
    let parts = found.iter().map(|(figure, colour)| Part {
        label: &figure.label,
        share: figure.value.unwrap_or(0.0),
        text: value(figure),
        colour,
    });
    charts::stacked(out, title, &parts.collect::<Vec<_>>());
}

/// Bars of figures that add up to their base.
fn exclusive<'r>(
    out: &mut String,
    report: &Report,
    title: &str,
    figures: impl Iterator<Item = &'r Figure>,
    colour: &'static str,
) {
    let found: Vec<&Figure> = figures.collect();
    let base: u64 = found.iter().map(|figure| figure.numerator).sum();
    if base == 0 {
        return;
    }
    let parts = found.iter().map(|figure| Part {
        label: &figure.label,
        share: number(figure.numerator) / number(base),
        text: match figure.value {
            Some(_) => shown(report, figure),
            None => format!("{} of {base}", figure.numerator),
        },
        colour,
    });
    charts::bars(out, title, &parts.collect::<Vec<_>>());
}

/// A figure's value. The kinds of attack are all attacks, so what is written beside them adds up to
/// a hundred.
pub(super) fn shown(report: &Report, figure: &Figure) -> String {
    if !is_kind(figure) || figure.value.is_none() {
        return value(figure);
    }
    let kinds: Vec<&Figure> = mix(report).collect();
    let counts: Vec<u64> = kinds.iter().map(|kind| kind.numerator).collect();
    let place = kinds.iter().position(|kind| kind.id == figure.id);
    match place.and_then(|place| tenths(&counts).get(place).copied()) {
        Some(0) if figure.numerator > 0 => value(figure),
        Some(tenths) => format!("{}.{}{NO_BREAK}%", tenths / 10, tenths % 10),
        None => value(figure),
    }
}

/// Figures as a table: value, what it is made of, and how it moved.
fn figures<'r>(out: &mut String, figures: impl Iterator<Item = &'r Figure>) {
    let figures: Vec<&Figure> = figures.collect();
    let compares = figures.iter().any(|figure| figure.before.is_some());
    out.push_str(
        "<table class=\"figures\"><thead><tr><th scope=\"col\">Figure</th>\
         <th scope=\"col\">Value</th><th scope=\"col\" class=\"wide\">Made of</th>",
    );
    if compares {
        out.push_str("<th scope=\"col\" class=\"wide\">Before</th><th scope=\"col\">Change</th>");
    }
    out.push_str("</tr></thead><tbody>");
    for figure in figures {
        let absent = figure.absent.clone().filter(|_| figure.denominator.is_none());
        let made = base(figure).or(absent).unwrap_or_default();
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td><b>{}</b><small class=\"narrow\">{}</small></td>\
             <td class=\"wide soft\">{}</td>",
            Escaped(&figure.label),
            value(figure),
            Escaped(&made),
            Escaped(&made)
        );
        if compares {
            let _ = write!(
                out,
                "<td class=\"wide\">{}</td><td>{}</td>",
                value_before(figure),
                change(figure).unwrap_or_else(|| "–".to_owned())
            );
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>");
}

/// The kinds of attack: requests, share, incidents.
fn kinds(out: &mut String, report: &Report) {
    let kinds: Vec<&Figure> = mix(report).collect();
    let compares = kinds.iter().any(|figure| figure.before.is_some());
    out.push_str(
        "<table class=\"figures\"><thead><tr><th scope=\"col\">Kind</th>\
         <th scope=\"col\">Requests</th><th scope=\"col\">Share</th>\
         <th scope=\"col\">Incidents</th>",
    );
    if compares {
        out.push_str("<th scope=\"col\">Change</th>");
    }
    out.push_str("</tr></thead><tbody>");
    for figure in kinds {
        let name = figure.id.trim_start_matches("attack-").trim_end_matches("-share");
        let incidents = report.figure(&format!("incidents-{name}")).map_or(0, |it| it.numerator);
        let share = shown(report, figure);
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td><b>{share}</b></td><td>{}</td>",
            Escaped(&figure.label),
            thousands(figure.numerator),
            thousands(incidents)
        );
        if compares {
            let _ = write!(out, "<td>{}</td>", change(figure).unwrap_or_else(|| "–".to_owned()));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table>");
}

fn endpoints(out: &mut String, report: &Report, lists: &[&str]) {
    for list in report.endpoints.iter().filter(|list| lists.contains(&list.id.as_str())) {
        if list.rows.is_empty() {
            continue;
        }
        let shown = u64::try_from(list.rows.len()).unwrap_or(u64::MAX);
        let more = if list.total > shown {
            format!(" <small>the first {shown} of {}</small>", thousands(list.total))
        } else {
            String::new()
        };
        let counted = if list.id == "attacked" { "Requests" } else { "Calls" };
        let _ = write!(
            out,
            "<h3>{}{more}</h3><table class=\"list\"><thead><tr><th scope=\"col\">Endpoint</th>\
             <th scope=\"col\">What there is to say</th><th scope=\"col\">{counted}</th></tr>\
             </thead><tbody>",
            Escaped(&list.title)
        );
        for row in &list.rows {
            let _ = write!(
                out,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                Escaped(&row.endpoint),
                Escaped(&row.says),
                thousands(row.count)
            );
        }
        out.push_str("</tbody></table>");
    }
}

fn probes(out: &mut String, report: &Report) {
    if report.probes.is_empty() {
        return;
    }
    out.push_str(
        "<h3>Which</h3><table class=\"list\"><thead><tr><th scope=\"col\">Vulnerability</th>\
         <th scope=\"col\">Age</th><th scope=\"col\">Requests</th>\
         <th scope=\"col\">Answered 2xx</th></tr></thead><tbody>",
    );
    for probe in &report.probes {
        let years = if probe.age_years == 1 { "year" } else { "years" };
        let class = if probe.answered > 0 { " class=\"mark high\"" } else { "" };
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{} {years}</td><td>{}</td><td{class}>{}</td></tr>",
            Escaped(&probe.cve),
            probe.age_years,
            thousands(probe.requests),
            thousands(probe.answered)
        );
    }
    out.push_str("</tbody></table>");
}

/// The campaigns.
pub(super) fn incidents(out: &mut String, report: &Report) {
    out.push_str("<section><h2>Incidents</h2>");
    if report.incidents.is_empty() {
        out.push_str("<p class=\"none\">There was none.</p></section>\n");
        return;
    }
    let shown = u64::try_from(report.incidents.len()).unwrap_or(u64::MAX);
    let which = match report.incidents_total > shown {
        true => format!("The gravest {shown} of {}.", thousands(report.incidents_total)),
        false => "All of them, the gravest first.".to_owned(),
    };
    let _ = write!(
        out,
        "<p class=\"soft\">{which}</p><table class=\"list\"><thead><tr>\
         <th scope=\"col\">Severity</th><th scope=\"col\">What happened</th>\
         <th scope=\"col\">Requests</th><th scope=\"col\" class=\"wide\">Refused</th></tr></thead>\
         <tbody>"
    );
    for incident in &report.incidents {
        let severity = incident.severity.key();
        let mut below = format!("{} to {}", moment(incident.first), moment(incident.last));
        for more in [&incident.endpoint, &incident.id, &incident.evidence].into_iter().flatten() {
            let _ = write!(below, " · {more}");
        }
        if incident.succeeded {
            below.push_str(" · succeeded");
        }
        if incident.is_closed {
            below.push_str(" · closed");
        }
        let _ = write!(
            out,
            "<tr><td class=\"mark {severity}\">{} {severity}</td><td>{}<small>{}</small></td>\
             <td>{}</td><td class=\"wide\">{}</td></tr>",
            glyph(severity),
            Escaped(&incident.title),
            Escaped(&below),
            thousands(incident.requests),
            thousands(incident.refused)
        );
    }
    out.push_str("</tbody></table></section>\n");
}

/// A severity is told by a word, a colour and a shape.
fn glyph(severity: &str) -> &'static str {
    match severity {
        "critical" => "◆",
        "high" => "▲",
        "medium" => "●",
        _ => "○",
    }
}

/// Things to do, the most urgent first.
pub(super) fn actions<'r>(out: &mut String, actions: impl Iterator<Item = &'r Action>) {
    let mut actions = actions.peekable();
    if actions.peek().is_none() {
        return;
    }
    out.push_str("<ol class=\"actions\">");
    for action in actions {
        let _ = write!(out, "<li><b>{}</b>{}", Escaped(&action.title), Escaped(&action.why));
        if let Some(command) = &action.command {
            let _ = write!(out, "<code class=\"command\">{}</code>", Escaped(command));
        }
        out.push_str("</li>");
    }
    out.push_str("</ol>");
}

/// How the figures came about, and what they cannot show.
pub(super) fn method(out: &mut String, report: &Report) {
    let period = &report.period;
    out.push_str("<section><h2>Method and coverage</h2><ul>");
    let _ = write!(
        out,
        "<li>Asked for: {} to {} UTC. Counted: {} to {} UTC.</li>",
        moment(period.from),
        moment(period.to),
        moment(period.counted_from),
        moment(period.counted_to)
    );
    if let Some(before) = &report.before {
        let _ = write!(
            out,
            "<li>Compared with {} to {} UTC.</li>",
            moment(before.from),
            moment(before.to)
        );
    }
    out.push_str(
        "<li>Every exchange is counted; nothing is sampled. A share of fewer than 30 is told as \
         n/a, with what there is.</li>",
    );
    for blind in &report.method.blind {
        let _ = write!(out, "<li>{}</li>", Escaped(blind));
    }
    if !report.method.layers.is_empty() {
        let modes: Vec<String> = report
            .method
            .layers
            .iter()
            .map(|layer| format!("{} {}", layer.layer, layer.mode))
            .collect();
        let _ = write!(out, "<li>Layers and their modes: {}.</li>", Escaped(&modes.join(", ")));
    }
    out.push_str("</ul></section>\n");
}

/// Every figure with its definition, numerator and denominator.
pub(super) fn definitions(out: &mut String, report: &Report) {
    out.push_str("<section><h2>How each figure is counted</h2>");
    for section in &report.sections {
        let _ = write!(out, "<h3>{}</h3><dl>", Escaped(&section.title));
        for figure in &section.figures {
            let made = base(figure).map_or_else(String::new, |base| format!(" = {base}"));
            let why = figure.absent.as_deref().map_or_else(String::new, |why| format!(" ({why})"));
            let _ = write!(
                out,
                "<div><dt>{}</dt><dd>{}{}{}. {}</dd></div>",
                Escaped(&figure.label),
                shown(report, figure),
                Escaped(&made),
                Escaped(&why),
                Escaped(&figure.definition)
            );
        }
        out.push_str("</dl>");
    }
    out.push_str("</section>\n");
}
