//! How far a caller of the API may go.

use std::fmt;
use std::str::FromStr;

/// What somebody may do; each scope includes those before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Scope {
    /// Look at everything, change nothing.
    Read,
    /// Also say what was no attack, and close incidents.
    Tune,
    /// Also decide over callers and switch layers.
    Enforce,
    /// Also make and revoke tokens.
    Admin,
}

impl Scope {
    /// All of them, the narrowest first.
    pub(crate) const ALL: [Self; 4] = [Self::Read, Self::Tune, Self::Enforce, Self::Admin];

    /// The word for it.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Tune => "tune",
            Self::Enforce => "enforce",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|scope| scope.key() == text);
        known.ok_or_else(|| format!("{text:?} is none of read, tune, enforce, admin"))
    }
}
