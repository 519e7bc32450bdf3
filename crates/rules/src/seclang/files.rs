//! Where rule files and the files that they name come from. This crate opens none itself.

use std::collections::BTreeMap;

use crate::operator::{DataFileError, DataFiles};

/// A file system, as far as a rule set needs one.
pub trait Files {
    /// The content of a file.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, DataFileError>;

    /// The files whose paths a pattern of `*`, `?` and `[…]` describes, in the order of their
    /// bytes; a path without these is a pattern of one file. None is an empty list.
    ///
    /// # Errors
    /// When a folder cannot be read.
    fn expand(&self, pattern: &str) -> Result<Vec<String>, DataFileError>;
}

/// Files that are held in memory, by their paths: rules that come with a program, and tests.
#[derive(Clone, Debug, Default)]
pub struct Texts(BTreeMap<String, Vec<u8>>);

impl<P: Into<String>, T: Into<Vec<u8>>> FromIterator<(P, T)> for Texts {
    fn from_iter<I: IntoIterator<Item = (P, T)>>(texts: I) -> Self {
        Self(texts.into_iter().map(|(path, text)| (path.into(), text.into())).collect())
    }
}

impl Files for Texts {
    fn read(&self, path: &str) -> Result<Vec<u8>, DataFileError> {
        self.0.get(path).cloned().ok_or_else(|| DataFileError("there is no such file".to_owned()))
    }

    /// Knows `*` alone, which stands for any bytes but `/`.
    fn expand(&self, pattern: &str) -> Result<Vec<String>, DataFileError> {
        Ok(self.0.keys().filter(|path| describes(pattern, path)).cloned().collect())
    }
}

/// Does the pattern describe the path? Of several `*` the last one alone is ever tried anew, which
/// is enough within one segment, and segments are compared one by one.
fn describes(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut paths) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), paths.next()) {
            (None, None) => return true,
            (Some(pattern), Some(path)) if segment_fits(pattern, path) => {}
            _ => return false,
        }
    }
}

fn segment_fits(pattern: &str, segment: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == segment };
    let Some(mut segment) = segment.strip_prefix(first) else { return false };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*') {
        let Some((_, after)) = segment.split_once(piece) else { return false };
        segment = after;
    }
    segment.ends_with(last)
}

/// The files that a rule file names: relative to its own folder, unless they begin with `/`.
pub(super) struct Beside<'a> {
    pub(super) file: &'a str,
    pub(super) files: &'a dyn Files,
}

impl DataFiles for Beside<'_> {
    fn read(&self, name: &str) -> Result<Vec<u8>, DataFileError> {
        self.files.read(&beside(self.file, name))
    }
}

/// The path of what `file` calls `name`.
pub(super) fn beside(file: &str, name: &str) -> String {
    match file.rsplit_once('/') {
        Some((folder, _)) if !name.starts_with('/') => format!("{folder}/{name}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_relative_to_the_file_that_has_it() {
        assert_eq!(beside("etc/crs/rules/a.conf", "b.data"), "etc/crs/rules/b.data");
        assert_eq!(beside("a.conf", "b.data"), "b.data");
        assert_eq!(beside("/etc/a.conf", "/usr/b.data"), "/usr/b.data");
        assert_eq!(beside("/a.conf", "rules/*.conf"), "/rules/*.conf");
    }

    #[test]
    fn a_star_stands_for_a_part_of_one_segment() {
        for (pattern, path, expected) in [
            ("a.conf", "a.conf", true),
            ("*.conf", "a.conf", true),
            ("*.conf", "b/a.conf", false),
            ("*/a*z/*.conf", "x/az/.conf", true),
            ("r/*-*-*.conf", "r/REQUEST-901-INITIALIZATION.conf", true),
            ("r/*-*-*.conf", "r/REQUEST-901.conf", false),
            ("ab*ba", "aba", false),
            ("*", "", true),
        ] {
            assert_eq!(describes(pattern, path), expected, "{pattern} {path}");
        }
    }
}
