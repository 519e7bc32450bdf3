//! The file system, as far as rule files need it.

use std::{fs, io, path::Path};

use rules::{operator::DataFileError, seclang::Files};

/// Files by their paths; a pattern may have `*` in its last segment.
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, DataFileError> {
        fs::read(path).map_err(failed)
    }

    fn expand(&self, pattern: &str) -> Result<Vec<String>, DataFileError> {
        let (folder, last) = pattern.rsplit_once('/').unwrap_or((".", pattern));
        let Some((before, behind)) = last.split_once('*') else {
            let is_there = Path::new(pattern).exists();
            return Ok(if is_there { vec![pattern.to_owned()] } else { Vec::new() });
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().into_string().expect("a name");
            if name.len() >= before.len() + behind.len()
                && name.starts_with(before)
                && name.ends_with(behind)
            {
                paths.push(format!("{folder}/{name}"));
            }
        }
        paths.sort();
        Ok(paths)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn failed(error: io::Error) -> DataFileError {
    DataFileError(error.to_string())
}
