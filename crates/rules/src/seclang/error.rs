//! What is wrong with a rule file: where, why, and what may have been meant.

use std::{error::Error, fmt};

use crate::{operator::OperatorError, rule::Source};

use super::suggest;

/// Why a rule set was not loaded: everything that is wrong with it, up to a bound.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LoadError {
    /// In the order in which they were met; at least one.
    pub problems: Vec<Problem>,
    /// How many more there were.
    pub omitted: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// Where it stands.
    pub source: Source,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a piece of a rule, and what may have been meant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reason {
    /// In words.
    pub text: String,
    /// A known name near the one that is not known.
    pub suggestion: Option<String>,
}

impl Reason {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), suggestion: None }
    }

    /// There is no `kind` of this name; is one of `known` near it?
    pub(super) fn unknown<'a>(
        kind: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let suggestion = suggest::nearest(name, known).map(str::to_owned);
        Self { text: format!("there is no {kind} {name}"), suggestion }
    }
}

impl From<OperatorError> for Reason {
    fn from(error: OperatorError) -> Self {
        Self::new(error.to_string())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.suggestion {
            Some(near) => write!(f, "; did you mean {near}?"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.reason)
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            let separator = if place == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        match self.omitted {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl Error for LoadError {}
