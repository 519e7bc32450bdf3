//! Times as people read them: local, or UTC where asked.

use jiff::tz::TimeZone;

/// Writes times.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    zone: TimeZone,
}

impl Clock {
    /// In local time, or in UTC.
    pub(crate) fn new(is_utc: bool) -> Self {
        let zone = match is_utc {
            true => TimeZone::UTC,
            false => TimeZone::try_system().unwrap_or(TimeZone::UTC),
        };
        Self { zone }
    }

    /// Day and time to the second with its zone: `2026-11-23 12:00:00 UTC`.
    pub(crate) fn full(&self, rfc3339: &str) -> String {
        self.write(rfc3339, "%Y-%m-%d %H:%M:%S %Z")
    }

    /// Day and time to the second.
    pub(crate) fn short(&self, rfc3339: &str) -> String {
        self.write(rfc3339, "%Y-%m-%d %H:%M:%S")
    }

    /// The time of day to the millisecond, for a live view.
    pub(crate) fn of_day(&self, rfc3339: &str) -> String {
        self.write(rfc3339, "%H:%M:%S%.3f")
    }

    fn write(&self, rfc3339: &str, format: &str) -> String {
        match rfc3339.parse::<jiff::Timestamp>() {
            Ok(time) => time.to_zoned_datetime(self.zone.clone()).strftime(format).to_string(),
            Err(_) => rfc3339.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn times_are_short_and_named() {
        let clock = Clock::new(true);
        assert_eq!(clock.full("2026-11-23T12:00:00.000042Z"), "2026-11-23 12:00:00 UTC");
        assert_eq!(clock.of_day("2026-11-23T12:00:00.000042Z"), "12:00:00.000");
        assert_eq!(clock.full("soon"), "soon");
    }
}
