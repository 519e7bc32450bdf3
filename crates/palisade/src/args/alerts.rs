//! The command line of `alerts`.

use clap::Subcommand;

/// Commands over sinks.
#[derive(Debug, Subcommand)]
pub(crate) enum Alerts {
    /// Send a test to each sink of [alerts] and [export], and print what comes back
    Test,
}
