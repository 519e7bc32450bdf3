//! Charts as plain SVG: rectangles without text, so that they stretch to any width. What they say
//! stands beside them as text.

use std::fmt::Write as _;

use super::text::{Escaped, moment, per, thousands};
use crate::figure::number;
use crate::outcome::{Moment, Series};

/// A part of a whole, or a row of a bar chart.
pub(super) struct Part<'a> {
    pub(super) label: &'a str,
    /// Its length, from 0 to 1.
    pub(super) share: f64,
    /// What is written beside it.
    pub(super) text: String,
    /// The class that gives it its colour.
    pub(super) colour: &'static str,
}

/// Callers in the order in which columns stack them.
const STACK: [(&str, &str); 4] =
    [("People", "c1"), ("Bots that say so", "c3"), ("Automated", "c2"), ("Does not say", "c0")];
/// Fewer columns than this show nothing over time.
const MOMENTS_MIN: usize = 3;

/// One bar that is cut into parts, and what each part is.
pub(super) fn stacked(out: &mut String, title: &str, parts: &[Part<'_>]) {
    let said: Vec<String> =
        parts.iter().map(|part| format!("{} {}", part.label, part.text)).collect();
    let _ = write!(
        out,
        "<figure><figcaption>{title}</figcaption>\
         <svg class=\"whole\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{}\">",
        Escaped(&said.join(", "))
    );
    let mut x = 0.0;
    for part in parts {
        let width = part.share * 1000.0;
        let _ = write!(
            out,
            "<rect class=\"{}\" x=\"{x:.1}\" width=\"{width:.1}\" height=\"10\"/>",
            part.colour
        );
        x += width;
    }
    out.push_str("</svg><ul class=\"key\">");
    for Part { label, text, colour, .. } in parts {
        let _ = write!(out, "<li><i class=\"{colour}\"></i>{label} <b>{text}</b></li>");
    }
    out.push_str("</ul></figure>");
}

/// A bar for each part, one under the other.
pub(super) fn bars(out: &mut String, title: &str, parts: &[Part<'_>]) {
    let _ = write!(out, "<figure><figcaption>{title}</figcaption><ul class=\"bars\">");
    for Part { label, share, text, colour } in parts {
        let width = share * 1000.0;
        let _ = write!(
            out,
            "<li><span class=\"name\">{label}</span><span class=\"number\">{text}</span>\
             <svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"rest\" width=\"1000\" height=\"10\"/>\
             <rect class=\"{colour}\" width=\"{width:.1}\" height=\"10\"/></svg></li>"
        );
    }
    out.push_str("</ul></figure>");
}

/// Columns over time: callers, and below them attacks.
pub(super) fn columns(out: &mut String, series: &Series) {
    if series.moments.len() < MOMENTS_MIN {
        return;
    }
    let all = |it: &Moment| it.human + it.declared_bot + it.automated + it.unknown;
    let step = per(series.step_s);
    let most = series.moments.iter().map(all).max().unwrap_or(0).max(1);
    over_time(out, series, &format!("Exchanges {step}"), most, "tall", |out, n, it| {
        let mut below = 0;
        let counts = [it.human, it.declared_bot, it.automated, it.unknown];
        for ((_, colour), count) in STACK.iter().zip(counts) {
            column(out, n, below, count, most, colour);
            below += count;
        }
    });
    out.push_str("<ul class=\"key\">");
    for (label, colour) in STACK {
        let _ = write!(out, "<li><i class=\"{colour}\"></i>{label}</li>");
    }
    out.push_str("</ul></figure>");
    let worst = series.moments.iter().map(|it| it.attacks).max().unwrap_or(0);
    if worst > 0 {
        over_time(out, series, &format!("Attacks {step}"), worst, "low", |out, n, it| {
            column(out, n, 0, it.attacks, worst, "c4");
        });
        out.push_str("</figure>");
    }
    table(out, series);
}

/// A figure with one column a moment, up to its closing tag.
fn over_time(
    out: &mut String,
    series: &Series,
    title: &str,
    most: u64,
    height: &str,
    draw: impl Fn(&mut String, usize, &Moment),
) {
    let _ = write!(
        out,
        "<figure><figcaption>{title} <small>highest: {}</small></figcaption>\
         <svg class=\"columns {height}\" viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" \
         role=\"img\" aria-label=\"{title}, highest {}. The table below has the numbers.\">",
        thousands(most),
        series.moments.len() * 10,
        thousands(most)
    );
    for (n, it) in series.moments.iter().enumerate() {
        draw(out, n, it);
    }
    let ends = [series.moments.first(), series.moments.last()];
    let [first, last] = ends.map(|it| it.map_or_else(String::new, |it| moment(it.at)));
    let _ = write!(out, "</svg><p class=\"ends\"><span>{first}</span><span>{last}</span></p>");
}

/// A piece of a column that stands on `below`.
fn column(out: &mut String, n: usize, below: u64, count: u64, most: u64, colour: &str) {
    if count == 0 {
        return;
    }
    let scaled = |count: u64| number(count) / number(most) * 100.0;
    let (x, y) = (n * 10 + 1, 100.0 - scaled(below + count));
    let height = scaled(count);
    let _ = write!(
        out,
        "<rect class=\"{colour}\" x=\"{x}\" y=\"{y:.2}\" width=\"8\" height=\"{height:.2}\"/>"
    );
}

/// What [`columns`] has as a picture.
fn table(out: &mut String, series: &Series) {
    out.push_str(
        "<details><summary>The same as a table</summary><div class=\"scroll\"><table><thead><tr>\
         <th scope=\"col\">From (UTC)</th><th scope=\"col\">People</th><th scope=\"col\">Bots</th>\
         <th scope=\"col\">Automated</th><th scope=\"col\">Does not say</th>\
         <th scope=\"col\">Attacks</th></tr></thead><tbody>",
    );
    for it in &series.moments {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", moment(it.at));
        for count in [it.human, it.declared_bot, it.automated, it.unknown, it.attacks] {
            let _ = write!(out, "<td>{}</td>", thousands(count));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div></details>");
}
