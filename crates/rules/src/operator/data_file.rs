//! Files that operators' arguments name: lists of phrases and of networks.

use thiserror::Error;

use super::error::OperatorError;

/// Where the files come from. This crate opens none itself.
pub trait DataFiles {
    /// The content of the file that a rule names, as the rule writes its name.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read.
    fn read(&self, name: &str) -> Result<Vec<u8>, DataFileError>;
}

/// Why a file could not be had, in a sentence.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{0}")]
pub struct DataFileError(pub String);

/// The entries of the files that `names` lists, separated by white space.
///
/// An entry is a line without the white space around it. Empty lines and those that begin with `#`
/// are none.
pub(super) fn entries(names: &[u8], files: &dyn DataFiles) -> Result<Vec<Vec<u8>>, OperatorError> {
    let mut entries = Vec::new();
    for name in String::from_utf8_lossy(names).split_ascii_whitespace() {
        let failed = |source| OperatorError::File { file: name.to_owned(), source };
        let content = files.read(name).map_err(failed)?;
        let lines = content.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let meant = lines.filter(|line| line.first().is_some_and(|byte| *byte != b'#'));
        entries.extend(meant.map(<[u8]>::to_vec));
    }
    Ok(entries)
}
