//! Errors as RFC 9457 problem details.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a call failed, in words that help.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Problem {
    /// The HTTP status once more.
    pub status: u16,
    /// What failed.
    pub title: String,
    /// Why, and what would help; one entry a fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}
