//! The data folder: who may use it, and where everything lies in it.
//!
//! The folder is for its owner alone (0700) and so is every file in it (0600): hashes of who called
//! what are nobody else's business. One instance holds an exclusive lock on it as long as it lives;
//! the operating system releases that lock however the process ends.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::OpenError;

/// A data folder that this process has for itself.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// Holds the lock; closing the file releases it.
    _lock: File,
}

impl Folder {
    /// Makes the folder where it is missing, and takes it.
    pub(crate) fn take(root: &Path) -> Result<Self, OpenError> {
        let is_ours = !root.is_dir() || is_empty(root) || root.join("lock").exists();
        make_folder(root, is_ours)?;
        let lock = lock(root)?;
        make_folder(&root.join("events"), true)?;
        Ok(Self { root: root.to_owned(), _lock: lock })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The database of everything but events.
    pub(crate) fn main_file(&self) -> PathBuf {
        main_file(&self.root)
    }

    /// Where the files of the days lie.
    pub(crate) fn events_folder(&self) -> PathBuf {
        self.root.join("events")
    }

    /// The key of all hashes.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.root.join("key")
    }
}

/// The database of everything but events, in the data folder.
pub(crate) fn main_file(root: &Path) -> PathBuf {
    root.join("palisade.db")
}

/// Makes sure that `path` is there and that its owner alone can read it. SQLite gives its own
/// companions of a file (`-wal`, `-shm`) the mode of the file.
pub(crate) fn make_private_file(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

/// Moves a damaged database aside, with its companions, under a name that is free. The new place.
pub(crate) fn move_aside(path: &Path) -> std::io::Result<PathBuf> {
    let aside = (0..1_000_u32)
        .map(|number| match number {
            0 => with_suffix(path, ".corrupt"),
            _ => with_suffix(path, &format!(".corrupt-{number}")),
        })
        .find(|free| !free.exists())
        .ok_or_else(|| std::io::Error::other("too many damaged files were moved aside already"))?;
    fs::rename(path, &aside)?;
    for companion in ["-wal", "-shm", "-journal"] {
        let from = with_suffix(path, companion);
        if from.exists() {
            fs::rename(from, with_suffix(&aside, companion))?;
        }
    }
    Ok(aside)
}

/// Removes a database with its companions; how many bytes that freed.
pub(crate) fn unlink_database(path: &Path) -> std::io::Result<u64> {
    let mut freed = 0;
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let file = with_suffix(path, suffix);
        let Ok(metadata) = fs::metadata(&file) else {
            continue;
        };
        fs::remove_file(&file)?;
        freed += metadata.len();
    }
    Ok(freed)
}

/// The bytes of a database with its companions.
pub(crate) fn database_bytes(path: &Path) -> u64 {
    ["", "-wal", "-shm"]
        .iter()
        .filter_map(|suffix| fs::metadata(with_suffix(path, suffix)).ok())
        .map(|metadata| metadata.len())
        .sum()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a folder that only its owner can enter. One that holds other things, too, is not ours to
/// lock up; our files in it are private anyway.
fn make_folder(path: &Path, is_ours: bool) -> Result<(), OpenError> {
    let failed = |doing| move |source| OpenError::Io { doing, path: path.to_owned(), source };
    if !path.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed("make folder"))?;
    }
    if !is_ours {
        tracing::warn!(folder = %path.display(), "the data folder holds other things, too");
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed("protect folder"))
}

fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// Who was killed may hold the lock for a moment yet; its successor is often there at once.
const ENDING_TRIES: u32 = 20;
const ENDING_PAUSE: Duration = Duration::from_millis(50);

/// Takes the lock and writes down who has it, for the error that the next one gets.
fn lock(root: &Path) -> Result<File, OpenError> {
    let path = root.join("lock");
    let failed = |doing| {
        let path = path.clone();
        move |source| OpenError::Io { doing, path, source }
    };
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed("open"))?;
    let mut locked = file.try_lock();
    for _ in 0..ENDING_TRIES {
        if !matches!(locked, Err(TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(ENDING_PAUSE);
        locked = file.try_lock();
    }
    match locked {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // Whoever cannot be named is still in the way.
            let _ = Read::by_ref(&mut file).take(16).read_to_string(&mut text);
            return Err(OpenError::InUse {
                folder: root.to_owned(),
                holder: text.trim().parse().ok(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
    }
    // Only the next one's error depends on what is written here, so a full disk must not keep the
    // gateway from starting.
    let _ = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_for_the_owner_alone() {
        let scratch = tempfile::tempdir().expect("a folder");
        let root = scratch.path().join("data");
        let folder = Folder::take(&root).expect("the first");
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode(&root), 0o700);
        assert_eq!(mode(&root.join("lock")), 0o600);
        let refused = Folder::take(&root).expect_err("the second").to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(folder);
        Folder::take(&root).expect("after the first has gone");
    }

    #[test]
    fn a_folder_of_somebody_else_is_not_locked_up() {
        let scratch = tempfile::tempdir().expect("a folder");
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o755)).expect("set");
        fs::write(scratch.path().join("theirs"), "").expect("write");
        let folder = Folder::take(scratch.path()).expect("taken");
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode(scratch.path()), 0o755);
        assert_eq!(mode(&folder.events_folder()), 0o700);
    }

    #[test]
    fn damaged_files_never_overwrite_each_other() {
        let scratch = tempfile::tempdir().expect("a folder");
        let path = scratch.path().join("2026-11-23.db");
        for name in ["2026-11-23.db.corrupt", "2026-11-23.db.corrupt-1"] {
            fs::write(&path, name).expect("write");
            let aside = move_aside(&path).expect("moved");
            assert_eq!(aside.file_name().and_then(|name| name.to_str()), Some(name));
            assert_eq!(fs::read_to_string(aside).expect("read"), name);
        }
    }
}
