//! How a command ends when it does not end well, and the exit code that says so.

use std::fmt;
use std::io;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked wrongly: exit 2.
    Usage(String),
    /// It went wrong: exit 1.
    Failed(String),
    /// It worked, and found what `--fail-on` asks about: exit 3.
    Findings(String),
    /// The configuration is invalid, one entry a fault: exit 4.
    Configuration(Vec<String>),
    /// The running instance cannot be reached: exit 5.
    Unreachable(String),
    /// A signal ended it, in order: 130 or 143.
    Ended(u8),
    /// Whoever read the output has gone: not worth a word, exit 0.
    ReaderGone,
}

impl Failure {
    /// The exit code, as `palisade --help` lists them.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::ReaderGone => 0,
            Self::Ended(code) => *code,
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Findings(_) => 3,
            Self::Configuration(_) => 4,
            Self::Unreachable(_) => 5,
        }
    }

    /// Faults of a policy. Those of the command line alone are wrong usage, not a wrong file.
    pub(crate) fn of_policy(faults: Vec<String>) -> Self {
        match faults.iter().all(|fault| fault.starts_with("--")) {
            true => Self::Usage(faults.join("\n")),
            false => Self::Configuration(faults),
        }
    }

    /// A failure of `what`, with its cause.
    pub(crate) fn of(what: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self::Failed(format!("{what}: {cause}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReaderGone | Self::Ended(_) => Ok(()),
            Self::Usage(why) | Self::Failed(why) | Self::Findings(why) | Self::Unreachable(why) => {
                f.write_str(why)
            }
            Self::Configuration(faults) => f.write_str(&faults.join("\n")),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Failed(error.to_string()),
        }
    }
}
