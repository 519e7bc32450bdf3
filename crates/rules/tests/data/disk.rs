//! The file system, as far as rule files need it, and where the rule sets are in it.

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

/// The folder that an environment variable names.
pub(crate) fn folder(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} names no folder"))
}

/// The files of the Core Rule Set 4 in the order in which they are loaded.
pub(crate) fn crs4() -> Vec<String> {
    let rules = folder("CRS4_DIR") + "/rules";
    let mut files = vec![format!("{rules}/@crs-setup.conf.example")];
    files.extend(Disk.expand(&format!("{rules}/@owasp_crs/*.conf")).expect("the folder of rules"));
    files
}

/// The same for Debian's 3.3.4.
pub(crate) fn crs3() -> Vec<String> {
    let root = folder("CRS3_DIR");
    let etc = root.clone() + "/etc/modsecurity/crs";
    let mut files = vec![
        format!("{etc}/crs-setup.conf"),
        format!("{etc}/REQUEST-900-EXCLUSION-RULES-BEFORE-CRS.conf"),
    ];
    let rules = root + "/usr/share/modsecurity-crs/rules/*.conf";
    files.extend(Disk.expand(&rules).expect("the folder of rules"));
    files.push(format!("{etc}/RESPONSE-999-EXCLUSION-RULES-AFTER-CRS.conf"));
    files
}
