//! What an endpoint is for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The part that an endpoint plays, as far as protection depends on it.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each variant is the role it prints")]
pub enum Role {
    #[default]
    Other,
    Login,
    Refresh,
    Logout,
    Signup,
    ResetRequest,
    ResetConfirm,
    OtpSend,
    OtpVerify,
    PasswordChange,
    Search,
    ObjectRead,
    ObjectWrite,
    Checkout,
    Redeem,
    Export,
    Upload,
    Admin,
    Webhook,
    Graphql,
    Health,
    Static,
}

/// A word that names no role.
#[derive(Debug, thiserror::Error)]
#[error("unknown role {0:?}; for example login, signup, otp-verify, checkout, search")]
pub struct UnknownRole(String);

impl Role {
    /// All roles.
    pub const ALL: [Self; 22] = [
        Self::Other,
        Self::Login,
        Self::Refresh,
        Self::Logout,
        Self::Signup,
        Self::ResetRequest,
        Self::ResetConfirm,
        Self::OtpSend,
        Self::OtpVerify,
        Self::PasswordChange,
        Self::Search,
        Self::ObjectRead,
        Self::ObjectWrite,
        Self::Checkout,
        Self::Redeem,
        Self::Export,
        Self::Upload,
        Self::Admin,
        Self::Webhook,
        Self::Graphql,
        Self::Health,
        Self::Static,
    ];

    /// The word in configuration, CLI and API.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::Logout => "logout",
            Self::Signup => "signup",
            Self::ResetRequest => "reset-request",
            Self::ResetConfirm => "reset-confirm",
            Self::OtpSend => "otp-send",
            Self::OtpVerify => "otp-verify",
            Self::PasswordChange => "password-change",
            Self::Search => "search",
            Self::ObjectRead => "object-read",
            Self::ObjectWrite => "object-write",
            Self::Checkout => "checkout",
            Self::Redeem => "redeem",
            Self::Export => "export",
            Self::Upload => "upload",
            Self::Admin => "admin",
            Self::Webhook => "webhook",
            Self::Graphql => "graphql",
            Self::Health => "health",
            Self::Static => "static",
        }
    }

    /// Whether a guess at a secret is tried here: log-in, codes, resets. Challenges, in-flight caps
    /// and the reading of every answer are for these.
    pub const fn tries_a_secret(self) -> bool {
        matches!(
            self,
            Self::Login
                | Self::OtpVerify
                | Self::ResetConfirm
                | Self::PasswordChange
                | Self::Redeem
        )
    }

    /// Whether a password is given here, to get in or to be the new one.
    pub const fn takes_a_password(self) -> bool {
        matches!(self, Self::Login | Self::Signup | Self::PasswordChange | Self::ResetConfirm)
    }

    /// Whether it matters which account a request names.
    pub const fn names_an_account(self) -> bool {
        self.tries_a_secret() || matches!(self, Self::Signup | Self::ResetRequest | Self::OtpSend)
    }

    /// Whether the ladder's challenge applies: where a secret is tried, and where accounts or
    /// money move.
    pub const fn is_sensitive(self) -> bool {
        self.tries_a_secret()
            || matches!(self, Self::Signup | Self::ResetRequest | Self::OtpSend | Self::Checkout)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        Self::ALL
            .into_iter()
            .find(|role| role.key() == word)
            .ok_or_else(|| UnknownRole(word.to_owned()))
    }
}
