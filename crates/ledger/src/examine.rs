//! A look at a data folder that changes nothing in it, whether an instance runs on it or not.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use traffic::counted;

use crate::audit;
use crate::database::{has_tables, open_reader};
use crate::days;
use crate::folder::{database_bytes, main_file};
use crate::key;
use crate::ledger::MAIN_FORMAT;

/// One file must be looked through by then.
const LOOK_MAX: Duration = Duration::from_secs(60);
/// So many of the latest days are looked through; older ones are read seldom, and take time.
const DAYS_MAX: usize = 8;

/// What was looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// Decisions, exceptions, incidents, learnt state.
    Main,
    /// The events of a day.
    Day,
    /// The audit log.
    Audit,
    /// The key of all hashes.
    Key,
}

/// How it stands with a part of a data folder.
#[derive(Clone, Debug)]
pub struct Examined {
    /// Which part.
    pub part: Part,
    /// What it is, and how large.
    pub says: String,
    /// What is wrong with it.
    pub fault: Option<String>,
}

/// Looks at the parts of a data folder.
pub fn examine(folder: &Path) -> Vec<Examined> {
    let mut examined = Vec::new();
    let key = key::check(&folder.join("key"));
    let says = "the key of all hashes".to_owned();
    examined.push(Examined { part: Part::Key, says, fault: key.err() });
    let main = main_file(folder);
    examined.push(database(Part::Main, &main));
    let checked = open_reader(&main, Instant::now() + LOOK_MAX)
        .and_then(|connection| audit::verify(&connection, &[]));
    let (says, fault) = match checked {
        Ok(Ok(head)) => (format!("whole, {}", counted(head.seq, "line")), None),
        Ok(Err(fault)) => ("not what was written".to_owned(), Some(fault.to_string())),
        Err(error) => ("it cannot be read".to_owned(), Some(error.to_string())),
    };
    examined.push(Examined { part: Part::Audit, says, fault });
    let days = days::files(&folder.join("events"));
    examined.extend(days.iter().take(DAYS_MAX).map(|(_, path)| database(Part::Day, path)));
    examined
}

fn database(part: Part, path: &Path) -> Examined {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let says = format!("{name}, {} KiB", database_bytes(path) >> 10);
    let looked = open_reader(path, Instant::now() + LOOK_MAX).and_then(|it| whole(part, &it));
    let fault = match looked {
        Ok(fault) => fault,
        Err(error) => Some(error.to_string()),
    };
    Examined { part, says, fault }
}

/// What SQLite finds wrong with a file, and whether this version can use it.
fn whole(part: Part, connection: &Connection) -> rusqlite::Result<Option<String>> {
    if !has_tables(connection)? {
        return Ok(None);
    }
    let format: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(MAIN_FORMAT.steps.len()).unwrap_or(i64::MAX);
    if part == Part::Main && format > known {
        let fault = format!("a newer version wrote it (format {format}, this one knows {known})");
        return Ok(Some(fault));
    }
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(Some(said).filter(|said| said != "ok"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Scratch;

    #[test]
    fn a_folder_in_use_is_found_whole_and_a_damaged_one_is_not() {
        let scratch = Scratch::new();
        let folder = scratch.folder.path();
        let faults = || examine(folder).into_iter().filter_map(|it| it.fault).collect::<Vec<_>>();
        assert!(faults().is_empty(), "{:?}", faults());
        std::fs::write(folder.join("key"), "damaged").expect("written");
        assert_eq!(faults().len(), 1, "{:?}", faults());
        std::fs::create_dir_all(folder.join("events")).expect("made");
        std::fs::write(folder.join("events/2026-11-22.db"), [0xa5; 8_192]).expect("written");
        assert_eq!(faults().len(), 2, "{:?}", faults());
    }
}
