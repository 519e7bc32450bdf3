//! Why an operator cannot be had.

use thiserror::Error;

use super::data_file::DataFileError;

/// Why a rule's operator cannot be prepared.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum OperatorError {
    /// A file that the argument names.
    #[error("file {file}: {source}")]
    File {
        /// Its name, as the rule writes it.
        file: String,
        /// What is wrong with it.
        source: DataFileError,
    },
    /// An argument that means nothing to the operator.
    #[error("@{name} cannot take {argument:?}: {reason}")]
    Invalid {
        /// The operator.
        name: String,
        /// Its argument.
        argument: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operator takes a pattern, which is compiled elsewhere.
    #[error("@{0} takes a pattern")]
    NeedsPattern(String),
    /// There is no operator of that name.
    #[error("there is no operator @{0}")]
    Unknown(String),
    /// Others have this operator.
    #[error("@{name} is not supported: {reason}")]
    Unsupported {
        /// The operator.
        name: &'static str,
        /// Why not, and what to write instead if there is something.
        reason: &'static str,
    },
}

impl OperatorError {
    pub(super) fn invalid(name: &str, argument: &[u8], reason: String) -> Self {
        let argument = String::from_utf8_lossy(argument).into_owned();
        Self::Invalid { name: name.to_owned(), argument, reason }
    }
}
