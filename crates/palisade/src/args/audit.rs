//! `audit`: who changed what, and whether the log of it is what was written.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Arguments of `audit`; without a command it lists.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Audit {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<AuditCommand>,
    /// Which lines.
    #[command(flatten)]
    pub(crate) list: AuditList,
}

/// Commands over the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// The newest lines
    List(AuditList),
    /// Print where the log ends, to be kept elsewhere
    Checkpoint,
    /// Is the log what was written? Exit with 3 when it is not
    Verify {
        /// A file of checkpoints that was kept elsewhere, one a line
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
}

/// Which lines of the audit log.
#[derive(Debug, Args)]
pub(crate) struct AuditList {
    /// At most this many, newest first
    #[arg(short = 'n', long, default_value_t = 50)]
    pub(crate) limit: u32,
}
