//! The arguments of `report`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as ClapArgs;
use traffic::Timestamp;

use super::LogArgs;

/// Arguments of `report`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Report {
    /// Logs, recordings or HAR files instead of an instance's data folder
    #[arg(value_name = "FILE", conflicts_with_all = ["last", "from", "to"])]
    pub(crate) files: Vec<PathBuf>,
    /// About so much time up to now [default: 7d]
    #[arg(long, value_parser = super::span, value_name = "SPAN", conflicts_with_all = ["from", "to"])]
    pub(crate) last: Option<Duration>,
    /// About the time from then on, such as 2026-11-01 or 2026-11-01T08:00:00Z
    #[arg(long, value_parser = moment, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,
    /// Up to then [default: now]
    #[arg(long, value_parser = moment, value_name = "TIME", requires = "from")]
    pub(crate) to: Option<Timestamp>,
    /// How logs are read.
    #[command(flatten)]
    pub(crate) logs: LogArgs,
}

/// Reads a day, in UTC, or a moment.
fn moment(text: &str) -> Result<Timestamp, String> {
    let is_day = text.len() == 10;
    let whole = if is_day { format!("{text}T00:00:00Z") } else { text.to_owned() };
    whole.parse().map_err(|_| {
        format!("{text:?} is no time; write one such as 2026-11-01 or 2026-11-01T08:00:00Z")
    })
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn days_and_moments_are_times() {
        let day = moment("2026-11-01").expect("a day");
        assert_eq!(day, moment("2026-11-01T00:00:00Z").expect("a moment"));
        assert_eq!(day, moment("2026-11-01T01:00:00+01:00").expect("a moment"));
        assert!(moment("yesterday!").is_err());
        assert!(moment("2026-13-01").is_err());
    }
}
