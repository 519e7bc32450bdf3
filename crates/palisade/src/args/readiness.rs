//! Flags of `readiness`, and of `enforce`, which asks it first.

use std::time::Duration;

use clap::Args as ClapArgs;

use super::Modes;
use super::span::span;

/// Arguments of `readiness`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Readiness {
    /// Which layers, such as takeover,recon; none are all
    #[arg(value_delimiter = ',', value_name = "LAYER")]
    pub(crate) layers: Vec<String>,
    /// Only this site
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// How far back to look
    #[arg(long, value_parser = span, default_value = "24h", value_name = "SPAN")]
    pub(crate) last: Duration,
}

/// Arguments of `enforce`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Enforce {
    /// What is to enforce.
    #[command(flatten)]
    pub(crate) scope: Modes,
    /// Go on though a layer says "look first"
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// The same, and for good: not taken back by itself if it does harm in the first ten minutes
    #[arg(long)]
    pub(crate) force: bool,
}
