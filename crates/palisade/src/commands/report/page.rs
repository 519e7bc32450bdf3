//! A report in short, for a terminal.

use report::{Figure, Report, Unit};

use crate::output::{Page, Paint};

/// Writes it: what to do, then every section with its figures.
pub(super) fn write(page: &mut Page, report: &Report) {
    let period = &report.period;
    let (from, to) = (period.counted_from.to_string(), period.counted_to.to_string());
    let names = report.origin.names.join(", ");
    let at = |text: &str| page_time(page, text);
    let line = format!("{names}, {} to {}", at(&from), at(&to));
    page.painted(Paint::Bold, "State of your API security");
    page.line(&line);
    if !report.actions.is_empty() {
        page.gap();
        page.painted(Paint::Bold, "What to do");
        for (n, action) in report.actions.iter().enumerate() {
            page.line(&format!("  {}. {}", n + 1, action.title));
            page.line(&format!("     {}", action.why));
        }
    }
    for section in &report.sections {
        page.gap();
        let rows: Vec<_> = section.figures.iter().map(row).collect();
        page.table(&[&section.title, ">value", ">of", ">change"], &rows);
    }
    page.gap();
    page.line("-o report.html writes the page, -o report.json every figure with its definition");
}

fn page_time(page: &Page, text: &str) -> String {
    page.clock().short(text)
}

fn row(figure: &Figure) -> Vec<(String, Paint)> {
    let value = match (figure.unit, figure.value) {
        (_, None) => "n/a".to_owned(),
        (Unit::Share, Some(share)) => format!("{:.1} %", share * 100.0),
        (Unit::PerYear | Unit::Count, Some(value)) => format!("{value:.0}"),
    };
    let of = match (figure.unit, figure.denominator) {
        (Unit::Share, Some(base)) => format!("{} of {base}", figure.numerator),
        (Unit::PerYear, Some(seconds)) => format!("{} in {seconds} s", figure.numerator),
        _ => String::new(),
    };
    let change = figure.change().map_or_else(String::new, |change| match figure.unit {
        Unit::Share => format!("{change:+.1} points"),
        Unit::PerYear | Unit::Count => format!("{change:+.0} %"),
    });
    [figure.label.clone(), value, of, change].map(|text| (text, Paint::None)).into()
}
