//! Points in time, as arguments.
//!
//! The decision core never asks for the time: it is handed a [`Timestamp`], which is what makes a
//! replay of a recording give the verdicts of the live gateway. Display and parsing follow RFC
//! 3339.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Microseconds since the Unix epoch.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
pub struct Timestamp(u64);

/// A text that is not an RFC 3339 time.
#[derive(Debug, thiserror::Error)]
#[error("not an RFC 3339 time such as 2026-11-23T12:00:00Z: {0:?}")]
pub struct NotATime(String);

impl Timestamp {
    /// The epoch itself; also what "never" looks like in stored state.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, capped at what 32 bits hold (the year 2106).
    pub fn as_secs(self) -> u32 {
        u32::try_from(self.0 / 1_000_000).unwrap_or(u32::MAX)
    }

    /// Whole minutes since the Unix epoch.
    pub fn minute(self) -> u32 {
        self.as_secs() / 60
    }

    /// Time passed since `earlier`; zero when `earlier` is later, because concurrent requests reach
    /// the decision in another order than their clocks were read.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// This time and `span` more.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }

    /// This time less `span`, not before the epoch.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = i64::try_from(self.0).unwrap_or(i64::MAX);
        match jiff::Timestamp::from_microsecond(micros) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => f.write_str("9999-12-31T23:59:59.999999Z"),
        }
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        text.parse::<jiff::Timestamp>()
            .ok()
            .and_then(|time| u64::try_from(time.as_microsecond()).ok())
            .map(Self)
            .ok_or_else(|| NotATime(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses_microseconds() {
        let time: Timestamp = "2026-11-23T12:00:00.000042Z".parse().expect("a time");
        assert_eq!(time.to_string(), "2026-11-23T12:00:00.000042Z");
        assert_eq!(
            "2026-11-23T13:00:00+01:00".parse::<Timestamp>().expect("a time").as_micros()
                % 1_000_000,
            0
        );
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn never_runs_backwards() {
        assert_eq!(Timestamp::from_micros(1).since(Timestamp::from_micros(5)), Duration::ZERO);
    }
}
