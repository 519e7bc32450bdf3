//! `backup` and `restore`: a copy of the data folder to keep elsewhere, and the way back.

use std::path::Path;

use console::shell::quoted;
use ledger::{BackupError, Copied};
use serde::Serialize;
use traffic::counted;

use super::data_folder;
use crate::args::{Format, Global};
use crate::configuration::OVERLAY_NAME;
use crate::failure::Failure;
use crate::output::Output;

/// What was copied, and where to.
#[derive(Serialize)]
struct Done {
    schema: &'static str,
    folder: String,
    files: usize,
    bytes: u64,
    audit_lines: u64,
}

/// Copies the data folder, whether an instance runs on it or not.
pub(crate) fn backup(global: &Global, to: &Path) -> Result<(), Failure> {
    let copied = ledger::back_up(&data_folder(global), to, &[OVERLAY_NAME]).map_err(failure)?;
    let output = told(global, "palisade.v1.backup", to, copied)?;
    output.talk("it holds the key of all hashes: keep it as private as the data folder itself");
    let to = quoted(&to.to_string_lossy());
    output.talk(&format!("back again: palisade restore {to} --data NEW-FOLDER"));
    Ok(())
}

/// Makes a data folder from a copy.
pub(crate) fn restore(global: &Global, from: &Path) -> Result<(), Failure> {
    let data = data_folder(global);
    let copied = ledger::restore(from, &data).map_err(failure)?;
    told(global, "palisade.v1.restored", &data, copied).map(drop)
}

fn told(
    global: &Global,
    schema: &'static str,
    folder: &Path,
    copied: Copied,
) -> Result<Output, Failure> {
    let Copied { files, bytes, audit_lines } = copied;
    let folder = folder.display().to_string();
    let done = Done { schema, folder, files, bytes, audit_lines };
    let mut output = Output::open(global, Format::Table)?;
    output.document(&done, |page| {
        page.line(&format!(
            "{}: {}, {bytes} bytes; the audit log is whole, {}",
            done.folder,
            counted(files as u64, "file"),
            counted(audit_lines, "line")
        ));
    })?;
    Ok(output)
}

fn failure(error: BackupError) -> Failure {
    match error {
        BackupError::InTheWay(_) | BackupError::Nothing { .. } => Failure::Usage(error.to_string()),
        _ => Failure::Failed(error.to_string()),
    }
}
