//! A value in force and who set it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A value that knows where it comes from.
#[derive(Clone, Debug)]
pub struct Setting<T> {
    /// The value in force.
    pub value: T,
    /// Who set it.
    pub from: Provenance,
}

/// Where a value comes from. Later ones beat earlier ones.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Provenance {
    /// Nobody set it.
    #[default]
    Default,
    /// The user's file.
    Document {
        /// Its name as it was given.
        name: Arc<str>,
        /// The line.
        line: u32,
    },
    /// The command line.
    Flag(&'static str),
    /// What was set on the running instance.
    Overlay {
        /// The name of the overlay.
        name: Arc<str>,
        /// The line.
        line: u32,
    },
}

impl<T> Setting<T> {
    /// A value that nobody set.
    pub(super) const fn default(value: T) -> Self {
        Self { value, from: Provenance::Default }
    }
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Document { name, line } | Self::Overlay { name, line } => {
                write!(f, "{name}:{line}")
            }
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}
