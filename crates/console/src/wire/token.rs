//! Tokens of the admin API on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::span::seconds;

/// All tokens.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct TokenList {
    /// `palisade.v1.tokens`.
    pub schema: String,
    /// The tokens, newest first.
    pub tokens: Vec<Token>,
    /// Where the next part begins; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A token, without what would let somebody in.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Token {
    /// The part of it that names it.
    pub id: String,
    /// Who or what has it.
    pub name: String,
    /// `read`, `tune`, `enforce` or `admin`; each includes those before it.
    pub scope: String,
    /// When it was made, RFC 3339.
    pub created: String,
    /// By whom.
    pub created_by: String,
    /// Until when it counts; none is until it is revoked.
    pub expires: Option<String>,
    /// When it was revoked.
    pub revoked: Option<String>,
    /// Whether it counts now.
    pub valid: bool,
}

/// A token to make.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenOrder {
    /// Who or what gets it: a person, a program, a pipeline.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9._@-]+$"))]
    pub name: String,
    /// What it may do.
    pub scope: ScopeWord,
    /// For how many seconds it counts; 90 days without.
    #[serde(default, deserialize_with = "seconds")]
    #[schemars(range(min = 1, max = 316_224_000_u64))]
    pub for_s: Option<u64>,
    /// Who orders it.
    #[serde(default)]
    pub author: String,
}

/// A scope as a word of the API.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeWord {
    /// Look at everything, change nothing.
    Read,
    /// Also say what was no attack, and close incidents.
    Tune,
    /// Also decide over callers and switch layers.
    Enforce,
    /// Also make and revoke tokens.
    Admin,
}

/// A token that was just made.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct TokenMade {
    /// `palisade.v1.token-made`.
    pub schema: String,
    /// What it is.
    pub token: Token,
    /// The token itself. It is shown this once; none when nothing was made.
    pub secret: Option<String>,
}
