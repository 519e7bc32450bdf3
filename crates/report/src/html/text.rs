//! Text of the page: what came out of traffic made harmless, and numbers as people read them.

use std::fmt;

use traffic::{Timestamp, acts_where_shown};

use crate::figure::{Figure, Unit, number};

/// Text as text: mark-up means nothing in it, in elements and in attributes alike, and characters
/// that cannot be seen, or reorder what can, are written as escapes.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c if acts_where_shown(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                c => fmt::Write::write_char(f, c)?,
            }
        }
        Ok(())
    }
}

/// `1,234,567`.
pub(super) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Between a number and its sign no line ends.
pub(super) const NO_BREAK: char = '\u{a0}';

/// `71.2 %`. What is there does not round to nothing, nor what is missing to everything.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.05 {
        format!("under 0.1{NO_BREAK}%")
    } else if (99.95..100.0).contains(&percent) {
        format!("over 99.9{NO_BREAK}%")
    } else {
        format!("{percent:.1}{NO_BREAK}%")
    }
}

/// `1.5 billion`: as exact as an extrapolation is.
pub(super) fn about(value: f64) -> String {
    for (from, word) in [(1e12, "trillion"), (1e9, "billion"), (1e6, "million")] {
        if value >= from {
            return format!("{:.1} {word}", value / from);
        }
    }
    if value >= 1e4 {
        return format!("{:.0} thousand", value / 1e3);
    }
    let whole = format!("{value:.0}");
    whole.parse().map_or(whole, thousands)
}

/// A figure's value, or that there is none.
pub(super) fn value(figure: &Figure) -> String {
    match (figure.unit, figure.value) {
        (_, None) => "n/a".to_owned(),
        (Unit::Share, Some(share)) => percent(share),
        (Unit::PerYear, Some(value)) => about(value),
        (Unit::Count, Some(_)) => thousands(figure.numerator),
    }
}

/// The value of the period before.
pub(super) fn value_before(figure: &Figure) -> String {
    let Some(before) = &figure.before else { return "–".to_owned() };
    match (figure.unit, before.value) {
        (_, None) => "n/a".to_owned(),
        (Unit::Share, Some(share)) => percent(share),
        (Unit::PerYear, Some(value)) => about(value),
        (Unit::Count, Some(_)) => thousands(before.numerator),
    }
}

/// What a value is made of: `712 of 1,000`.
pub(super) fn base(figure: &Figure) -> Option<String> {
    let denominator = figure.denominator?;
    let numerator = thousands(figure.numerator);
    Some(match figure.unit {
        Unit::PerYear => format!("{numerator} in {}", span(denominator)),
        Unit::Share | Unit::Count => format!("{numerator} of {}", thousands(denominator)),
    })
}

/// How much it changed, as an arrow and words.
pub(super) fn change(figure: &Figure) -> Option<String> {
    let change = figure.change()?;
    let arrow = if change > 0.0 { "▲" } else { "▼" };
    Some(match figure.unit {
        Unit::Share if change.abs() < 0.05 => "unchanged".to_owned(),
        Unit::Share => format!("{arrow} {:.1} points", change.abs()),
        _ if change.abs() < 0.5 => "unchanged".to_owned(),
        _ => format!("{arrow} {:.0} %", change.abs()),
    })
}

/// Seconds in the unit that people have a feeling for.
pub(super) fn span(seconds: u64) -> String {
    let of = |unit: u64, word: &str| {
        let tenths = number(seconds * 10 / unit) / 10.0;
        let is_whole = (seconds * 10 / unit).is_multiple_of(10);
        let text = if is_whole { format!("{tenths:.0}") } else { format!("{tenths:.1}") };
        let plural = if text == "1" { "" } else { "s" };
        format!("{text} {word}{plural}")
    };
    match seconds {
        172_800.. => of(86_400, "day"),
        5_400.. => of(3_600, "hour"),
        120.. => of(60, "minute"),
        _ => of(1, "second"),
    }
}

/// A step of a chart, as one says it: "per hour", "per 3 hours".
pub(super) fn per(seconds: u64) -> String {
    let unit = |unit: u64, word: &str| match seconds / unit {
        1 => format!("per {word}"),
        count => format!("per {count} {word}s"),
    };
    match seconds {
        s if s.is_multiple_of(604_800) => unit(604_800, "week"),
        s if s.is_multiple_of(86_400) => unit(86_400, "day"),
        s if s.is_multiple_of(3_600) => unit(3_600, "hour"),
        _ => format!("per {}", span(seconds)),
    }
}

/// `2026-11-26 10:37`, in UTC.
pub(super) fn moment(at: Timestamp) -> String {
    at.to_string().get(..16).unwrap_or_default().replace('T', " ")
}

/// Shares of one whole, in tenths of a per cent, that add up to the whole: what is lost by rounding
/// goes to those that lost most.
pub(super) fn tenths(parts: &[u64]) -> Vec<u64> {
    let whole: u64 = parts.iter().sum();
    if whole == 0 {
        return vec![0; parts.len()];
    }
    let exact = |part: &u64| u128::from(*part) * 1_000;
    let mut tenths: Vec<u64> = Vec::with_capacity(parts.len());
    let mut rests: Vec<(u128, usize)> = Vec::with_capacity(parts.len());
    for (place, part) in parts.iter().enumerate() {
        let (down, rest) = (exact(part) / u128::from(whole), exact(part) % u128::from(whole));
        tenths.push(u64::try_from(down).unwrap_or(1_000));
        rests.push((rest, place));
    }
    rests.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let missing = 1_000_u64.saturating_sub(tenths.iter().sum());
    for (_, place) in rests.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        if let Some(tenth) = tenths.get_mut(place) {
            *tenth += 1;
        }
    }
    tenths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_out_of_traffic_stays_text() {
        let hostile = "<script>alert('x')</script>\"&\u{202e}\u{0}\n";
        assert_eq!(
            Escaped(hostile).to_string(),
            "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;\\u{202e}\\u{0}\\u{a}"
        );
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(percent(0.0), "0.0\u{a0}%");
        assert_eq!(percent(0.0001), "under 0.1\u{a0}%");
        assert_eq!(percent(0.9999), "over 99.9\u{a0}%");
        assert_eq!(percent(1.0), "100.0\u{a0}%");
        assert_eq!(about(1.52e9), "1.5 billion");
        assert_eq!(about(45_600.0), "46 thousand");
        assert_eq!(about(3_907.4), "3,907");
        assert_eq!(per(3_600), "per hour");
        assert_eq!(per(3 * 3_600), "per 3 hours");
        assert_eq!(per(28 * 86_400), "per 4 weeks");
        assert_eq!(span(7 * 86_400), "7 days");
        assert_eq!(span(5_400), "1.5 hours");
        assert_eq!(span(61), "61 seconds");
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        assert_eq!(tenths(&[1, 1, 1]), [334, 333, 333]);
        assert_eq!(tenths(&[0, 0]), [0, 0]);
        assert_eq!(tenths(&[2, 3, 5, 7, 11, 13]).iter().sum::<u64>(), 1_000);
        assert_eq!(tenths(&[u64::MAX / 2, 1]), [1_000, 0]);
    }
}
