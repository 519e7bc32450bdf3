//! `token`: who may use the admin API over the network.

use clap::{Subcommand, ValueEnum};
use console::wire::ScopeWord;

use super::{Span, span_or_ever};

/// Commands over tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Tokens {
    /// Make one; it is printed this once
    Create {
        /// Who or what gets it, such as ana, ci or prometheus
        name: String,
        /// What it may do; each scope includes those before it
        #[arg(long, value_enum, default_value = "read")]
        scope: TokenScope,
        /// For how long it counts
        #[arg(long = "for", value_parser = span_or_ever, default_value = "90d", value_name = "SPAN")]
        span: Span,
    },
    /// All that were made
    List,
    /// Refuse one from now on
    Revoke {
        /// Its id, the eight digits after palisade_
        id: String,
    },
}

/// What a token may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum TokenScope {
    /// Look at everything, change nothing.
    Read,
    /// Also say what was no attack, and close incidents.
    Tune,
    /// Also decide over callers and switch layers.
    Enforce,
    /// Also make and revoke tokens.
    Admin,
}

impl TokenScope {
    /// The word for it in the API.
    pub(crate) const fn word(self) -> ScopeWord {
        match self {
            Self::Read => ScopeWord::Read,
            Self::Tune => ScopeWord::Tune,
            Self::Enforce => ScopeWord::Enforce,
            Self::Admin => ScopeWord::Admin,
        }
    }
}
