//! Spans of time as they are typed: `30m`, `12h`, `90d`, and where that is allowed `ever`.

use std::time::Duration;

/// For how long a decision stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Span {
    /// This long.
    For(Duration),
    /// Until it is removed.
    Ever,
}

/// Reads a span such as `30m`, `12h` or `90d`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no span; write a number and s, m, h or d, such as 12h");
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    match number.checked_mul(seconds) {
        Some(total @ 1..=SPAN_S_MAX) => Ok(Duration::from_secs(total)),
        Some(0) => Err(format!("{text:?} is no time at all")),
        _ => Err(format!("{text:?} is longer than 10 years")),
    }
}

/// Ten years: what is meant to hold longer is meant to hold for `ever`.
const SPAN_S_MAX: u64 = 10 * 366 * 86_400;

/// The same, or `ever`.
pub(super) fn span_or_ever(text: &str) -> Result<Span, String> {
    match text {
        "ever" => Ok(Span::Ever),
        _ => span(text).map(Span::For),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read() {
        assert_eq!(span("90d"), Ok(Duration::from_secs(90 * 86_400)));
        assert_eq!(span_or_ever("ever"), Ok(Span::Ever));
        for wrong in ["", "d", "10", "1.5h", "-1h", "1w", "0m", "99999999999999999999d", "9999999d"]
        {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
