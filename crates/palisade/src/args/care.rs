//! What keeps an installation well, and what shells and manuals know of it: no instance is needed.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

/// Commands that need no running instance.
#[derive(Debug, Subcommand)]
pub(crate) enum Care {
    /// What is wrong with the installation, and what to do; exit with 3 when something is
    Doctor(Doctor),
    /// Copy the data folder into a new folder, while the instance runs or not
    Backup {
        /// The new folder
        folder: PathBuf,
    },
    /// Make a new data folder (--data) from a backup
    Restore {
        /// The backup's folder
        folder: PathBuf,
    },
    /// Print what a shell needs to complete commands
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page, or write those of all commands
    Man {
        /// The folder to write all of them to
        folder: Option<PathBuf>,
    },
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Also look at this configuration, and reach its upstreams
    #[arg(short, long, env = "PALISADE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
