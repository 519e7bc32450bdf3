//! The rules that the tests are about, under the configuration that they are written for.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rules::{
    operator::DataFileError,
    rule_set::RuleSet,
    seclang::{Files, LoadError},
};

/// The name under which [`SETUP`] is read.
const SETUP_NAME: &str = "conformance.conf";

/// Settings in SecLang: everything is detected and nothing refused, at the highest paranoia level,
/// with the limits that the tests exceed.
pub const SETUP: &str = include_str!("setup.conf");

/// Where the rules are.
#[derive(Clone, Debug)]
pub struct Rules {
    folder: PathBuf,
}

impl Rules {
    /// Those of a Core Rule Set: a checkout of it, or the Go module that carries it.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let of_module = folder.join("rules/@owasp_crs");
        let of_checkout = folder.join("rules");
        let folder = [of_module, of_checkout].into_iter().find(|folder| folder.is_dir());
        Self { folder: folder.unwrap_or_else(|| PathBuf::from(".")) }
    }
}

/// Loads the rules behind the tests' configuration.
///
/// # Errors
/// When anything in them is not understood.
pub fn load(rules: &Rules) -> Result<RuleSet, LoadError> {
    let pattern = format!("{}/*.conf", rules.folder.display());
    // A folder that cannot be read has no rules, and then no test passes.
    let files = rules.expand(&pattern).unwrap_or_default();
    let files = std::iter::once(SETUP_NAME).chain(files.iter().map(String::as_str));
    RuleSet::load(&files.collect::<Vec<_>>(), rules)
}

impl Files for Rules {
    fn read(&self, path: &str) -> Result<Vec<u8>, DataFileError> {
        if path == SETUP_NAME {
            return Ok(SETUP.as_bytes().to_vec());
        }
        fs::read(path).map_err(|error| failed(&error))
    }

    /// Knows `*` in the last segment alone, which is all that is asked for here.
    fn expand(&self, pattern: &str) -> Result<Vec<String>, DataFileError> {
        let (folder, last) = pattern.rsplit_once('/').unwrap_or((".", pattern));
        let Some((before, behind)) = last.split_once('*') else {
            let is_there = Path::new(pattern).exists();
            return Ok(if is_there { vec![pattern.to_owned()] } else { Vec::new() });
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
            let name = entry.map_err(|error| failed(&error))?.file_name();
            let name = name.to_string_lossy();
            let has_room = name.len() >= before.len() + behind.len();
            if has_room && name.starts_with(before) && name.ends_with(behind) {
                paths.push(format!("{folder}/{name}"));
            }
        }
        paths.sort();
        Ok(paths)
    }
}

fn failed(error: &io::Error) -> DataFileError {
    DataFileError(error.to_string())
}
