//! Files and flags to a policy: the reading that the decision core leaves to its caller.
//!
//! `run`, `check`, `explain`, `replay` and every reload come through here, so that a file that
//! `check` accepts is a file that `run` starts with.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use shield::policy::{self, Flags, Policy, Sources};
use traffic::recording::HeaderLine;

use crate::rulebook::{Shelf, Stamps};

/// The name of the overlay in the data folder.
pub(crate) const OVERLAY_NAME: &str = "overlay.toml";

/// Where a policy comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Configuration {
    /// The user's file.
    pub(crate) file: Option<PathBuf>,
    /// What was switched on the running instance.
    pub(crate) overlay: Option<PathBuf>,
    /// The command line.
    pub(crate) flags: Flags,
    /// The rules that were loaded last.
    pub(crate) rules: Shelf,
}

/// A policy, and what there is to say about it.
pub(crate) struct Compiled {
    /// The policy.
    pub(crate) policy: Policy,
    /// What to know besides.
    pub(crate) warnings: Vec<String>,
    /// The texts that give the same verdicts without the flags.
    pub(crate) recorded: Option<Recorded>,
    /// The user's file as it was read.
    pub(crate) file: Option<String>,
}

/// A policy as a recording carries it.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    file: String,
    overlay: String,
}

/// What the files looked like when they were read last: another look, another reading.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Stamp {
    file: Option<(SystemTime, u64)>,
    overlay: Option<(SystemTime, u64)>,
    /// Of the rules that are read from disk.
    rules: Stamps,
    /// Of certificates and their keys.
    certificates: Vec<(PathBuf, Option<(SystemTime, u64)>)>,
}

impl Configuration {
    /// Reads and checks everything. All faults at once, ready to be shown.
    pub(crate) fn compile(&self) -> Result<Compiled, Vec<String>> {
        let overlay = match &self.overlay {
            Some(path) => read_if_there(path)?,
            None => None,
        };
        let file = self.file.as_deref().map(read).transpose()?;
        self.compile_texts(file, overlay.as_deref())
    }

    /// The policy without its rules, for whoever wants these in another form.
    pub(crate) fn policy(&self) -> Result<Policy, Vec<String>> {
        let file = self.file.as_deref().map(read).transpose()?;
        let name = self.file.as_deref().map(shown);
        let sources = Sources {
            file: name.as_deref().zip(file.as_deref()),
            flags: self.flags.clone(),
            ..Sources::default()
        };
        policy::load(&sources)
            .map(|(policy, _)| policy)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    /// The same from texts at hand: the file as it was good last, and a changed overlay. A switch
    /// must work while somebody is in the middle of editing the file.
    pub(crate) fn compile_texts(
        &self,
        file: Option<String>,
        overlay: Option<&str>,
    ) -> Result<Compiled, Vec<String>> {
        let file_name = self.file.as_deref().map(shown);
        let overlay_name = self.overlay.as_deref().map(shown).unwrap_or_default();
        let sources = Sources {
            file: file_name.as_deref().zip(file.as_deref()),
            overlay: overlay.map(|text| (overlay_name.as_str(), text)),
            flags: self.flags.clone(),
        };
        let (mut policy, warnings) = policy::load(&sources)
            .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let warnings = warnings.iter().map(ToString::to_string).collect();
        if let Some(rulebook) = self.rules.load(&policy)? {
            policy.arm(rulebook);
        }
        let recorded = policy::recorded(&sources).ok();
        let recorded = recorded.map(|(file, overlay)| Recorded { file, overlay });
        Ok(Compiled { policy, warnings, recorded, file })
    }

    /// What the files look like now.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp {
            file: self.file.as_deref().and_then(look),
            overlay: self.overlay.as_deref().and_then(look),
            rules: self.rules.stamps(),
            certificates: Vec::new(),
        }
    }
}

impl Stamp {
    /// Takes over what the files of the rules looked like when they were read: there may be others
    /// than before.
    pub(crate) fn take_rules(&mut self, rules: &Shelf) {
        self.rules = rules.stamps_when_read();
    }

    /// Takes in what the certificates and keys of `policy` look like now.
    pub(crate) fn take_certificates(&mut self, policy: &Policy) {
        let of = policy.tls.values().flat_map(|tls| [&tls.cert.value, &tls.key.value]);
        self.certificates = of.map(|path| (path.clone(), look(path))).collect();
    }

    /// Takes over what `other` says of the overlay, and nothing of the file.
    pub(crate) fn take_overlay(&mut self, other: &Self) {
        self.overlay = other.overlay;
    }
}

impl Recorded {
    /// The header that carries it: at the start of a recording, or from step `seq` on.
    pub(crate) fn header(&self, seq: Option<u64>) -> HeaderLine {
        HeaderLine {
            palisade_recording: 1,
            policy: Some(self.file.clone()),
            overlay: (!self.overlay.is_empty()).then(|| self.overlay.clone()),
            seq,
            ..HeaderLine::default()
        }
    }
}

fn look(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &Path) -> Result<String, Vec<String>> {
    fs::read_to_string(path).map_err(|error| vec![unreadable(path, &error)])
}

fn read_if_there(path: &Path) -> Result<Option<String>, Vec<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(vec![unreadable(path, &error)]),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    let help = match error.kind() {
        ErrorKind::NotFound => "name the file with --config, or start without one with --to URL",
        ErrorKind::InvalidData => "write it as UTF-8 text",
        _ => "make it readable for the user that runs palisade",
    };
    format!("{}: cannot be read: {error}\nhelp: {help}", path.display())
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
