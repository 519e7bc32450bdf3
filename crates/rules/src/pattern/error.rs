//! Why a pattern cannot be had.

use thiserror::Error;

/// Why a pattern cannot be compiled, in words.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("the pattern cannot be used: {0}")]
pub struct PatternError(String);

impl PatternError {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
