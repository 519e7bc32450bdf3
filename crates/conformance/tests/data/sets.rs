//! The rule sets at a paranoia level, as they decide and as they only detect.

use std::fs;
use std::path::PathBuf;

use rules::operator::DataFileError;
use rules::rule_set::RuleSet;
use rules::seclang::Files;

/// Their files by path; a pattern has `*` in its last segment alone.
struct Disk {
    /// What is read before them, under the name `before.conf`.
    before: String,
    /// What is read behind their setup, under the name `level.conf`.
    level: String,
}

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, DataFileError> {
        match path {
            "before.conf" => Ok(self.before.clone().into_bytes()),
            "level.conf" => Ok(self.level.clone().into_bytes()),
            path => fs::read(path).map_err(|error| DataFileError(error.to_string())),
        }
    }

    fn expand(&self, pattern: &str) -> Result<Vec<String>, DataFileError> {
        Ok(files_of(pattern))
    }
}

fn files_of(pattern: &str) -> Vec<String> {
    let (folder, last) = pattern.rsplit_once('/').expect("a folder");
    let Some(end) = last.strip_prefix('*') else {
        return vec![pattern.to_owned()];
    };
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let paths = paths.filter_map(|path| path.to_str().map(str::to_owned));
    let mut paths: Vec<String> = paths.filter(|path| path.ends_with(end)).collect();
    paths.sort();
    paths
}

fn folder(variable: &str) -> PathBuf {
    let folder = std::env::var(variable);
    folder.unwrap_or_else(|_| panic!("{variable} names no folder")).into()
}

/// How the rules run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// They refuse what they find.
    On,
    /// They find, and refuse nothing.
    Detect,
}

/// The Core Rule Set 4 or 3, at a paranoia level.
pub(crate) fn set(version: u8, level: u8, mode: Mode) -> RuleSet {
    let mode = match mode {
        Mode::On => "On",
        Mode::Detect => "DetectionOnly",
    };
    let before = format!(
        "SecRuleEngine {mode}\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n\
         SecResponseBodyMimeType text/plain text/html text/xml application/json\n\
         SecRequestBodyJsonDepthLimit 512\nSecArgumentsLimit 1000\n"
    );
    let names: &[&str] = if version == 4 {
        &["blocking_paranoia_level", "detection_paranoia_level"]
    } else {
        &["paranoia_level", "executing_paranoia_level"]
    };
    let levels: Vec<String> =
        names.iter().map(|name| format!("setvar:tx.{name}={level}")).collect();
    let level = format!("SecAction \"id:9599901,phase:1,pass,nolog,{}\"\n", levels.join(","));
    let (setup, rules) = if version == 4 {
        let folder = folder("CRS4_DIR").join("rules");
        let folder = folder.display();
        (format!("{folder}/@crs-setup.conf.example"), format!("{folder}/@owasp_crs/*.conf"))
    } else {
        let folder = folder("CRS3_DIR");
        let folder = folder.display();
        (
            format!("{folder}/etc/modsecurity/crs/crs-setup.conf"),
            format!("{folder}/usr/share/modsecurity-crs/rules/*.conf"),
        )
    };
    let mut files = vec!["before.conf".to_owned(), setup, "level.conf".to_owned()];
    files.extend(files_of(&rules));
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let disk = Disk { before, level };
    RuleSet::load(&files, &disk).unwrap_or_else(|error| panic!("{error}"))
}
