//! A figure: a number that says what it is a number of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A share of less than this many is no share: two of three are not 67 %.
pub const BASE_MIN: u64 = 30;
/// Seconds of a year, for what is extrapolated.
pub const YEAR_S: u64 = 31_557_600;

/// What a number counts.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Things: the numerator itself.
    Count,
    /// A part of a whole, from 0 to 1.
    Share,
    /// What it would be in a year: the numerator over seconds, times the seconds of a year.
    PerYear,
}

/// A figure.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Figure {
    /// Its name for programs.
    pub id: String,
    /// Its name for people.
    pub label: String,
    /// What it counts.
    pub unit: Unit,
    /// The number; none where it would mean nothing.
    pub value: Option<f64>,
    /// What is counted.
    pub numerator: u64,
    /// Out of what; none for plain counts.
    pub denominator: Option<u64>,
    /// How both are counted, in words.
    pub definition: String,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
    /// The same of the period before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Earlier>,
}

/// A figure of the period before.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Earlier {
    /// The number; none where it would mean nothing.
    pub value: Option<f64>,
    /// What was counted.
    pub numerator: u64,
    /// Out of what.
    pub denominator: Option<u64>,
}

impl Figure {
    /// How much it changed: in points (hundredths of the whole) for shares, as a share of what it
    /// was for the others. None where one of the two is missing.
    pub fn change(&self) -> Option<f64> {
        let (now, before) = (self.value?, self.before.as_ref()?.value?);
        match self.unit {
            Unit::Share => Some((now - before) * 100.0),
            Unit::Count | Unit::PerYear if before > 0.0 => Some((now - before) / before * 100.0),
            Unit::Count | Unit::PerYear => None,
        }
    }
}

/// The value of `numerator` over `denominator`, or why there is none.
pub(crate) fn value(
    unit: Unit,
    numerator: u64,
    denominator: Option<u64>,
) -> Result<f64, &'static str> {
    match (unit, denominator) {
        (Unit::Count, _) | (_, None) => Ok(number(numerator)),
        (Unit::Share, Some(base)) if base < BASE_MIN => Err("the base is below 30"),
        (Unit::Share, Some(base)) => Ok(number(numerator) / number(base)),
        (Unit::PerYear, _) if numerator < BASE_MIN => Err("the base is below 30"),
        (Unit::PerYear, Some(seconds)) if seconds < PER_YEAR_FROM_S => {
            Err("less than an hour says nothing about a year")
        }
        (Unit::PerYear, Some(seconds)) => Ok(number(numerator) / number(seconds) * number(YEAR_S)),
    }
}

/// From less than this nothing is extrapolated.
const PER_YEAR_FROM_S: u64 = 3_600;

/// Counts are exact as floating numbers up to 2^53, beyond that to sixteen digits.
#[expect(clippy::cast_precision_loss, reason = "nobody reads the seventeenth digit of a share")]
pub(crate) const fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_bases_have_no_share() {
        assert!(value(Unit::Share, 2, Some(29)).is_err());
        assert_eq!(value(Unit::Share, 15, Some(30)), Ok(0.5));
        assert_eq!(value(Unit::Count, 2, None), Ok(2.0));
        assert!(value(Unit::PerYear, 1_000, Some(3_599)).is_err());
        assert_eq!(value(Unit::PerYear, 3_600, Some(3_600)), Ok(31_557_600.0));
    }
}
