//! The data folder: whose it is, and whether what lies in it is whole.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use ledger::Part;

use super::Looked;

/// Looks at the folder; where there is none, there is nothing wrong with it.
pub(super) fn look(data: &Path) -> Vec<Looked> {
    const WHAT: &str = "data folder";
    if !data.join("palisade.db").is_file() {
        let says = format!("there is none at {} yet", data.display());
        return vec![Looked::warning(WHAT, says, "`palisade run` makes it; --data names another")];
    }
    let mut looked = vec![private(data)];
    looked.extend(ledger::examine(data).into_iter().map(|examined| {
        let what = match examined.part {
            Part::Main => "database",
            Part::Day => "events",
            Part::Audit => "audit log",
            Part::Key => "hash key",
        };
        match examined.fault {
            None => Looked::good(what, examined.says),
            Some(fault) => Looked::bad(
                what,
                format!("{}: {fault}", examined.says),
                "`palisade restore` brings a backup back; a damaged day is moved aside at the start",
            ),
        }
    }));
    looked
}

/// Is it its owner's alone, and is the owner who asks?
fn private(data: &Path) -> Looked {
    const WHAT: &str = "data folder";
    let mut open = Vec::new();
    for name in ["", "key", "palisade.db", "overlay.toml"] {
        let path = data.join(name);
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.permissions().mode() & 0o077 != 0 {
            open.push(path.display().to_string());
        }
        let own = rustix::process::geteuid().as_raw();
        if metadata.uid() != own && own != 0 {
            let says = format!("{} belongs to user {}", path.display(), metadata.uid());
            return Looked::bad(
                WHAT,
                says,
                "run the commands as the user that the gateway runs as",
            );
        }
    }
    match open.is_empty() {
        true => Looked::good(WHAT, format!("{} is its owner's alone", data.display())),
        false => {
            let says = format!("others may read {}", open.join(", "));
            Looked::bad(WHAT, says, format!("chmod -R go-rwx {}", data.display()))
        }
    }
}
