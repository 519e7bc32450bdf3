//! What moved since the period before.

use crate::figure::{Figure, Unit};
use crate::outcome::{Change, Report};

/// Shares that moved by less are noise to whoever reads a page.
const POINTS_MIN: f64 = 2.0;
/// And so are counts that moved by less than this, in per cent.
const PER_CENT_MIN: f64 = 20.0;
/// A count that is as small as this moves by itself.
const COUNT_MIN: u64 = 30;
/// So many are told.
const CHANGES_MAX: usize = 5;

/// The figures that moved most: shares by points, counts by what they were.
pub(super) fn of(report: &Report) -> Vec<Change> {
    let figures = report.sections.iter().flat_map(|section| &section.figures);
    let mut moved: Vec<(f64, &Figure)> = figures
        .filter_map(|figure| {
            let change = figure.change()?;
            let most = figure.numerator.max(figure.before.as_ref()?.numerator);
            let least = match figure.unit {
                Unit::Share => POINTS_MIN,
                Unit::Count | Unit::PerYear => PER_CENT_MIN,
            };
            (change.abs() >= least && most >= COUNT_MIN).then_some((change, figure))
        })
        .collect();
    let weight = |(change, figure): &(f64, &Figure)| match figure.unit {
        // Ten points are as much news as a count that doubled.
        Unit::Share => change.abs() * 10.0,
        Unit::Count | Unit::PerYear => change.abs(),
    };
    moved.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then(a.1.id.cmp(&b.1.id)));
    moved.truncate(CHANGES_MAX);
    moved.into_iter().map(|(change, figure)| told(change, figure)).collect()
}

fn told(change: f64, figure: &Figure) -> Change {
    let way = if change > 0.0 { "up" } else { "down" };
    let by = match figure.unit {
        Unit::Share => format!("{:.1} points", change.abs()),
        Unit::Count | Unit::PerYear => format!("{:.0} %", change.abs()),
    };
    Change { figure: figure.id.clone(), text: format!("{}: {way} by {by}", figure.label) }
}
