//! `audit`: who changed what, and whether the log is what was written.
//!
//! On this machine `verify` reads the file itself and asks nobody: an instance that was tampered
//! with would say what it is told to say.

use std::fs;
use std::path::Path;

use console::wire::{AuditCheck, AuditList};
use ledger::AuditHead;
use traffic::counted;

use super::{Desk, data_folder};
use crate::args::Global;
use crate::args::audit::{Audit, AuditCommand};
use crate::failure::Failure;
use crate::output::Paint;

/// Carries a command over the audit log out.
pub(crate) fn audit(global: &Global, desk: &mut Desk, audit: &Audit) -> Result<(), Failure> {
    match &audit.command {
        None => list(desk, audit.list.limit),
        Some(AuditCommand::List(lines)) => list(desk, lines.limit),
        Some(AuditCommand::Checkpoint) => checkpoint(global, desk),
        Some(AuditCommand::Verify { checkpoint }) => verify(global, desk, checkpoint.as_deref()),
    }
}

/// Prints the newest lines of the audit log, and whether its chain is whole.
fn list(desk: &mut Desk, limit: u32) -> Result<(), Failure> {
    let list: AuditList = desk.client.get(&format!("/audit?limit={limit}"))?;
    desk.output.list(&list, &list.lines, |page| {
        let rows: Vec<_> = list
            .lines
            .iter()
            .map(|line| {
                vec![
                    (line.seq.to_string(), Paint::Faint),
                    (page.clock().short(&line.at), Paint::Faint),
                    (line.who.clone(), Paint::None),
                    (line.what.clone(), Paint::None),
                ]
            })
            .collect();
        page.table(&[">LINE", "TIME", "WHO", "WHAT"], &rows);
        page.line(&format!("chain: {}", list.chain));
    })
}

/// Prints where the log ends, once that it is whole up to there has been looked at.
fn checkpoint(global: &Global, desk: &mut Desk) -> Result<(), Failure> {
    let checked = check(global, desk, &[])?;
    let (Some(seq), Some(hash)) = (checked.seq, &checked.hash) else {
        return Err(Failure::Findings(checked.fault.unwrap_or_default()));
    };
    desk.output.document(&checked, |page| page.line(&format!("{seq} {hash}")))
}

fn verify(global: &Global, desk: &mut Desk, file: Option<&Path>) -> Result<(), Failure> {
    let kept = file.map(checkpoints).transpose()?.unwrap_or_default();
    let checked = check(global, desk, &kept)?;
    desk.output.document(&checked, |page| match (&checked.fault, checked.seq) {
        (Some(fault), _) => page.painted(Paint::Bad, fault),
        (None, lines) => {
            let lines = lines.unwrap_or_default();
            page.painted(
                Paint::Good,
                &format!("the audit log is whole: {}", counted(lines, "line")),
            );
            match kept.iter().map(|kept| kept.seq).max() {
                Some(seq) => page.line(&format!("up to line {seq} it is the one that was kept")),
                None => page.line(
                    "without --checkpoint somebody who knows how it is made could have forged it",
                ),
            }
        }
    })?;
    match checked.whole {
        true => Ok(()),
        false => Err(Failure::Findings("the audit log is not what was written".to_owned())),
    }
}

fn check(global: &Global, desk: &Desk, kept: &[AuditHead]) -> Result<AuditCheck, Failure> {
    if global.remote.server.is_none() {
        let checked = ledger::check_audit(&data_folder(global), kept)
            .map_err(|error| Failure::of("the audit log cannot be read", error))?;
        return Ok(AuditCheck::of(checked));
    }
    // Each is held against the log by itself; the last is asked for last, so that its answer, the
    // one that is shown, speaks of all of them.
    let mut checked: AuditCheck = desk.client.get("/audit/check")?;
    for AuditHead { seq, hash } in kept {
        if checked.whole {
            checked = desk.client.get(&format!("/audit/check?checkpoint={seq}:{hash}"))?;
        }
    }
    Ok(checked)
}

fn checkpoints(file: &Path) -> Result<Vec<AuditHead>, Failure> {
    let unusable = |why: String| Failure::Usage(format!("--checkpoint {}: {why}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let kept: Result<Vec<AuditHead>, String> = lines.map(str::parse).collect();
    let kept = kept.map_err(unusable)?;
    match kept.is_empty() {
        true => Err(unusable("there is no checkpoint in it".to_owned())),
        false => Ok(kept),
    }
}
