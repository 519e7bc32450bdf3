//! A copy of a data folder to keep elsewhere, and a data folder made from such a copy.
//!
//! Nothing has to stop for it: each database is copied as it was at one moment, while the instance
//! goes on writing. The sums beside the copy are what `sha256sum -c` reads, so that a copy can be
//! checked without this program, too; nothing is restored from one that is not what was written.
//!
//! The copy holds the key of all hashes and is as private as the folder itself.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};

use crate::database::{Check, Durability, OpenFault, has_tables, open_reader, open_writer};
use crate::days;
use crate::folder::{main_file, make_private_file};
use crate::ledger::{MAIN_FORMAT, check_audit};

/// The sums of all files of a copy.
const SUMS: &str = "SHA256SUMS";
/// A copy of a large folder may take its time; one that takes longer hangs.
const COPY_MAX: Duration = Duration::from_secs(6 * 3_600);
/// More files than this are no backup: ten years have fewer days.
const FILES_MAX: usize = 10_000;
/// Of a list of sums, at most so much is read.
const SUMS_BYTES_MAX: u64 = 1 << 20;

/// What was copied.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Copied {
    /// Files.
    pub files: usize,
    /// Bytes of them.
    pub bytes: u64,
    /// Lines of the audit log, which is whole.
    pub audit_lines: u64,
}

/// Why a folder is not backed up or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is nothing to copy.
    #[error("{} is no {what}: there is no {missing} in it", folder.display())]
    Nothing {
        /// Where it was looked for.
        folder: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// What is missing.
        missing: &'static str,
    },
    /// Something is there already.
    #[error("{} is there already, and not empty", .0.display())]
    InTheWay(PathBuf),
    /// A file or folder cannot be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A database cannot be copied or read.
    #[error("cannot copy {}: {what}", path.display())]
    Database {
        /// Its file.
        path: PathBuf,
        /// What SQLite says.
        what: String,
    },
    /// The copy is not what was written.
    #[error("{name} is not what was backed up: {why}")]
    Damaged {
        /// The file.
        name: String,
        /// What is wrong.
        why: String,
    },
}

/// Copies the data folder `from` into the new folder `to`, with what `beside` names in it.
pub fn back_up(from: &Path, to: &Path, beside: &[&str]) -> Result<Copied, BackupError> {
    if !main_file(from).is_file() {
        let folder = from.to_owned();
        return Err(BackupError::Nothing { folder, what: "data folder", missing: "palisade.db" });
    }
    make_new(to)?;
    make_new(&to.join("events"))?;
    let mut names = vec!["key".to_owned()];
    names.extend(beside.iter().map(|name| (*name).to_owned()));
    names.retain(|name| from.join(name).is_file());
    for name in &names {
        copy(&from.join(name), &to.join(name))?;
    }
    let days = days::files(&from.join("events")).into_iter().map(|(_, path)| path);
    for path in std::iter::once(main_file(from)).chain(days) {
        let Ok(name) = path.strip_prefix(from) else { continue };
        if snapshot(&path, &to.join(name))? {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    let mut copied = Copied { audit_lines: audit_lines(to)?, ..Copied::default() };
    let mut sums = String::new();
    for name in &names {
        let (sum, bytes) = sum(&to.join(name))?;
        sums.push_str(&format!("{sum}  {name}\n"));
        copied.files += 1;
        copied.bytes += bytes;
    }
    // Written last: a copy without its sums was broken off, and is refused.
    write_private(&to.join(SUMS), sums.as_bytes())?;
    Ok(copied)
}

/// Makes the data folder `to` from the copy `from`, which must be what was written.
pub fn restore(from: &Path, to: &Path) -> Result<Copied, BackupError> {
    let sums = sums(from)?;
    if to.exists() && !is_empty(to) {
        return Err(BackupError::InTheWay(to.to_owned()));
    }
    // Beside its place, so that it is there whole or not at all.
    let mut beside = to.as_os_str().to_owned();
    beside.push(".restoring");
    let beside = PathBuf::from(beside);
    make_new(&beside)?;
    let done = fill(from, &beside, &sums);
    if done.is_err() {
        // Ours alone, and of no use to anybody.
        let _ = fs::remove_dir_all(&beside);
        return done;
    }
    fs::rename(&beside, to).map_err(failed("make", to))?;
    done
}

fn fill(from: &Path, to: &Path, sums: &[(String, String)]) -> Result<Copied, BackupError> {
    make_new(&to.join("events"))?;
    let mut copied = Copied::default();
    for (expected, name) in sums {
        let (path, damaged) = (to.join(name), |why: String| {
            let name = name.clone();
            BackupError::Damaged { name, why }
        });
        copy(&from.join(name), &path)?;
        let (found, bytes) = sum(&path)?;
        if found != *expected {
            return Err(damaged("its sum is another".to_owned()));
        }
        copied.files += 1;
        copied.bytes += bytes;
    }
    // Brings it into this version's format and finds what SQLite itself can find wrong with it.
    let main = main_file(to);
    let opened = open_writer(&main, &MAIN_FORMAT, Durability::Synced, Check::Whole);
    drop(opened.map_err(|fault| BackupError::Damaged {
        name: "palisade.db".to_owned(),
        why: match fault {
            OpenFault::Newer { found, known } => {
                format!("a newer version wrote it (format {found}, this one knows {known})")
            }
            OpenFault::Sqlite(error) => error.to_string(),
        },
    })?);
    copied.audit_lines = audit_lines(to)?;
    Ok(copied)
}

/// The files of a copy, with their sums. Names that lead out of it are refused.
fn sums(from: &Path) -> Result<Vec<(String, String)>, BackupError> {
    let path = from.join(SUMS);
    let nothing = || BackupError::Nothing {
        folder: from.to_owned(),
        what: "backup that was finished",
        missing: SUMS,
    };
    let file = File::open(&path).map_err(|_| nothing())?;
    let mut text = String::new();
    file.take(SUMS_BYTES_MAX).read_to_string(&mut text).map_err(failed("read", &path))?;
    let damaged = |line: &str| BackupError::Damaged {
        name: SUMS.to_owned(),
        why: format!("{line:?} is no sum of a file of a data folder"),
    };
    let mut sums = Vec::new();
    for line in text.lines().take(FILES_MAX) {
        let (sum, name) = line.split_once("  ").ok_or_else(|| damaged(line))?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let bare = name.strip_prefix("events/").unwrap_or(name);
        if bare.is_empty() || bare.starts_with('.') || !bare.chars().all(plain) {
            return Err(damaged(line));
        }
        sums.push((sum.to_owned(), name.to_owned()));
    }
    match sums.iter().any(|(_, name)| name == "palisade.db") {
        true => Ok(sums),
        false => Err(damaged("")),
    }
}

/// Copies a database as it is at one moment; false when it has nothing in it yet.
fn snapshot(from: &Path, to: &Path) -> Result<bool, BackupError> {
    make_private_file(to).map_err(failed("write", to))?;
    let copied = open_reader(from, Instant::now() + COPY_MAX).and_then(|connection| {
        let is_one = has_tables(&connection)?;
        if is_one {
            connection.execute("VACUUM INTO ?", [to.to_string_lossy()])?;
        }
        Ok(is_one)
    });
    let is_one = copied.map_err(|error| BackupError::Database {
        path: from.to_owned(),
        what: error.to_string(),
    })?;
    if !is_one {
        fs::remove_file(to).map_err(failed("remove", to))?;
        return Ok(false);
    }
    File::open(to).and_then(|file| file.sync_all()).map_err(failed("write", to))?;
    Ok(true)
}

/// How many lines the audit log of a folder has, when it is whole.
fn audit_lines(folder: &Path) -> Result<u64, BackupError> {
    let damaged = |why: String| BackupError::Damaged { name: "the audit log".to_owned(), why };
    let checked = check_audit(folder, &[]).map_err(|error| damaged(error.to_string()))?;
    let lines = checked.map(|head| head.seq).map_err(|fault| damaged(fault.to_string()))?;
    // Reading leaves companions of the file behind, which are no part of a copy.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let main = main_file(folder);
    let settled = Connection::open_with_flags(&main, flags).and_then(|connection| {
        connection.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
    });
    settled.map_err(|error| BackupError::Database { path: main, what: error.to_string() })?;
    Ok(lines)
}

fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let mut source = File::open(from).map_err(failed("read", from))?;
    make_private_file(to).map_err(failed("write", to))?;
    let mut file = File::options().write(true).open(to).map_err(failed("write", to))?;
    io::copy(&mut source, &mut file).and_then(|_| file.sync_all()).map_err(failed("write", to))
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    make_private_file(path).map_err(failed("write", path))?;
    let mut file = File::options().write(true).open(path).map_err(failed("write", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed("write", path))
}

fn sum(path: &Path) -> Result<(String, u64), BackupError> {
    let mut file = File::open(path).map_err(failed("read", path))?;
    let mut hash = Sha256::new();
    let bytes = io::copy(&mut file, &mut hash).map_err(failed("read", path))?;
    Ok((hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(), bytes))
}

/// Makes a folder for its owner alone, where nothing is yet.
fn make_new(path: &Path) -> Result<(), BackupError> {
    if path.exists() && !is_empty(path) {
        return Err(BackupError::InTheWay(path.to_owned()));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed("make", path))?;
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed("protect", path))
}

fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditLine;
    use crate::filter::EventFilter;
    use crate::ledger::{Ledger, Options};
    use crate::queue::Write as Order;
    use crate::samples::{NOON, event, put_decision};

    /// A folder with a decision, an audit line and an event, in use.
    fn lived_in(path: &Path) -> (Ledger, crate::Writer) {
        let (ledger, writer) = Ledger::open(path, Options::default()).expect("opens");
        let (who, what) = ("ada".to_owned(), "block".to_owned());
        let line = AuditLine { at: NOON, who, what, before: None, after: None };
        let order = Order { changes: vec![put_decision(1)], audit: Some(line) };
        ledger.write(order).expect("written");
        ledger.record_event(event(NOON, 1));
        ledger.flush().expect("written");
        (ledger, writer)
    }

    #[test]
    fn what_was_backed_up_while_it_ran_is_there_again() {
        let scratch = tempfile::tempdir().expect("a folder");
        let [data, kept, again] = ["data", "kept", "again"].map(|it| scratch.path().join(it));
        let (ledger, writer) = lived_in(&data);
        let copied = back_up(&data, &kept, &["overlay.toml"]).expect("copied");
        assert_eq!((copied.files, copied.audit_lines), (3, 1));
        assert!(back_up(&data, &kept, &[]).is_err(), "never over another");
        ledger.write(Order { changes: vec![put_decision(2)], audit: None }).expect("goes on");
        assert_eq!(restore(&kept, &again).expect("restored"), copied);
        let (other, others_writer) = Ledger::open(&again, Options::default()).expect("opens");
        assert!(other.hash_key() == ledger.hash_key());
        assert_eq!(other.decisions().expect("read").len(), 1);
        assert_eq!(other.events(&EventFilter::default()).expect("read").events.len(), 1);
        assert!(restore(&kept, &again).is_err(), "never over a folder that is in use");
        others_writer.close();
        writer.close();
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        for folder in [&kept, &again] {
            assert_eq!(mode(folder), 0o700);
            assert_eq!(mode(&folder.join("key")), 0o600);
            assert_eq!(mode(&main_file(folder)), 0o600);
        }
    }

    #[test]
    fn nothing_is_restored_from_a_copy_that_was_changed() {
        let scratch = tempfile::tempdir().expect("a folder");
        let [data, kept, again] = ["data", "kept", "again"].map(|it| scratch.path().join(it));
        let (_ledger, writer) = lived_in(&data);
        writer.close();
        back_up(&data, &kept, &[]).expect("copied");
        let sums = fs::read_to_string(kept.join(SUMS)).expect("sums");
        let refused = |why: &str| {
            let error = restore(&kept, &again).expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
            assert!(!again.exists() && !scratch.path().join("again.restoring").exists());
        };
        for name in ["key", "palisade.db"] {
            let whole = fs::read(kept.join(name)).expect("read");
            let mut changed = whole.clone();
            let last = changed.len() - 2;
            changed[last] ^= 1;
            fs::write(kept.join(name), changed).expect("changed");
            refused(name);
            fs::write(kept.join(name), whole).expect("put back");
        }
        for outside in ["../key", "/etc/passwd", "events/../../key", "", ".ssh"] {
            fs::write(kept.join(SUMS), format!("{sums}00  {outside}\n")).expect("changed");
            refused(SUMS);
        }
        fs::remove_file(kept.join(SUMS)).expect("removed");
        refused("finished");
        fs::write(kept.join(SUMS), sums).expect("put back");
        restore(&kept, &again).expect("whole again");
    }
}
