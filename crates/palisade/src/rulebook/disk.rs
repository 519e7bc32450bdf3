//! The files of a rule set: those on disk, and those that come with the program.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use rules::operator::DataFileError;
use rules::seclang::Files;

use super::Stamps;

/// A rule file is never longer: what is, is not one.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Files by path. What is held goes before what is on disk.
/// A clone notes what it reads in the same list.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    held: BTreeMap<String, String>,
    read: Rc<RefCell<BTreeMap<String, Stamp>>>,
}

/// When it was changed, and how long it is; nothing when it is not there.
type Stamp = Option<(std::time::SystemTime, u64)>;

impl Disk {
    /// Holds a text under a path of its own.
    pub(super) fn hold(&mut self, path: &str, text: String) {
        self.held.insert(path.to_owned(), text);
    }

    /// What was read from disk, and what it looked like.
    pub(super) fn stamps(&self) -> Stamps {
        self.read.borrow().iter().map(|(path, seen)| (path.clone(), *seen)).collect()
    }

    fn note(&self, path: &str) {
        self.read.borrow_mut().insert(path.to_owned(), stamp(path));
    }
}

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, DataFileError> {
        if let Some(text) = self.held.get(path) {
            return Ok(text.clone().into_bytes());
        }
        self.note(path);
        let unreadable = |error: std::io::Error| DataFileError(format!("cannot be read: {error}"));
        if fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
            return Err(DataFileError("longer than 64 MiB: is this a rule file?".to_owned()));
        }
        fs::read(path).map_err(unreadable)
    }

    fn expand(&self, pattern: &str) -> Result<Vec<String>, DataFileError> {
        if self.held.contains_key(pattern) || !pattern.contains(['*', '?', '[']) {
            return Ok(vec![pattern.to_owned()]);
        }
        let path = Path::new(pattern);
        let folder = path.parent().unwrap_or(Path::new("."));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if folder.to_string_lossy().contains(['*', '?', '[']) {
            return Err(DataFileError("only the last part of a path may be a pattern".to_owned()));
        }
        // A file that is added later changes the folder.
        self.note(&folder.to_string_lossy());
        let unreadable = |error| DataFileError(format!("{}: {error}", folder.display()));
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let is_meant = describes(name.as_bytes(), entry.file_name().as_encoded_bytes());
            if is_meant && entry.path().is_file() {
                found.push(entry.path().to_string_lossy().into_owned());
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Do all of these look as they did?
pub(super) fn are_as_they_were(files: &Stamps) -> bool {
    files.iter().all(|(path, seen)| stamp(path) == *seen)
}

/// What files look like now.
pub(super) fn stamps(files: &Stamps) -> Stamps {
    files.iter().map(|(path, _)| (path.clone(), stamp(path))).collect()
}

fn stamp(path: &str) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Does a pattern of `*`, `?` and `[…]` describe a name? Linear in the name for each `*`.
fn describes(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    // Where the last `*` stood, and how far it reaches: the only one that is ever tried anew.
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(place) {
        match one(pattern.get(at..).unwrap_or_default(), *byte) {
            Some(length) => (at, place) = (at + length, place + 1),
            None if pattern.get(at) == Some(&b'*') => {
                star = Some((at, place));
                at += 1;
            }
            None => {
                let Some((stood, reached)) = star else { return false };
                star = Some((stood, reached + 1));
                (at, place) = (stood + 1, reached + 1);
            }
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// How many bytes of the pattern describe this one byte; nothing when they do not.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'*', ..] | [] => None,
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => {
            let end = rest.iter().skip(1).position(|it| *it == b']')? + 1;
            let set = rest.get(..end)?;
            let (negated, set) = match set {
                [b'!' | b'^', set @ ..] => (true, set),
                set => (false, set),
            };
            (contains(set, byte) != negated).then_some(end + 2)
        }
        [first, ..] => (*first == byte).then_some(1),
    }
}

fn contains(set: &[u8], byte: u8) -> bool {
    let mut rest = set;
    loop {
        match rest {
            [] => return false,
            [first, b'-', last, after @ ..] => {
                if (*first..=*last).contains(&byte) {
                    return true;
                }
                rest = after;
            }
            [only, after @ ..] => {
                if *only == byte {
                    return true;
                }
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::describes;

    #[test]
    fn patterns_describe_names_as_a_shell_has_it() {
        for (pattern, name, expected) in [
            ("*.conf", "REQUEST-901.conf", true),
            ("*.conf", "REQUEST-901.conf.example", false),
            ("RE*-9?1*.conf", "REQUEST-901-X.conf", true),
            ("[a-c]*", "b", true),
            ("[!a-c]*", "b", false),
            ("[a-c]", "d", false),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbX", false),
            ("", "", true),
            ("*", "", true),
            ("[", "[", false),
        ] {
            assert_eq!(
                describes(pattern.as_bytes(), name.as_bytes()),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
