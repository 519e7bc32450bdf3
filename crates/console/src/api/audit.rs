//! `/audit`: who changed what.

use axum::Json;
use axum::extract::State;
use ledger::{AuditFault, AuditHead};
use schemars::JsonSchema;
use serde::Deserialize;
use traffic::counted;

use super::page::{self, PageQuery, Part};
use super::{Console, aside};
use crate::extract::Asked;
use crate::refused::Refused;
use crate::wire::{AuditCheck, AuditLine, AuditList};

pub(crate) async fn list(
    State(console): State<Console>,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<AuditList>, Refused> {
    let part: Part<u64> = query.read()?;
    aside(move || {
        let unreadable = |error| Refused::failed("the audit log cannot be read", error);
        let entries = console.ledger.audit(part.after, part.limit).map_err(unreadable)?;
        // The first line is number 1: there is nothing before it.
        let last = entries.last().filter(|last| entries.len() == part.limit && last.seq > 1);
        let next = last.map(|last| page::cursor(&last.seq));
        let chain = match console.ledger.verify_audit().map_err(unreadable)? {
            Ok(head) => format!("whole, {}", counted(head.seq, "line")),
            Err(fault) => fault.to_string(),
        };
        let lines = entries.iter().map(AuditLine::from).collect();
        Ok(Json(AuditList { schema: "palisade.v1.audit".to_owned(), chain, lines, next }))
    })
    .await
}

/// A checkpoint that was kept elsewhere.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckQuery {
    /// A line's number, a colon, and the line's hash.
    #[schemars(regex(pattern = "^[0-9]{1,15}:[0-9a-f]{64}$"))]
    checkpoint: Option<String>,
}

pub(crate) async fn check(
    State(console): State<Console>,
    Asked(query): Asked<CheckQuery>,
) -> Result<Json<AuditCheck>, Refused> {
    let kept = query.checkpoint.map(|text| text.replacen(':', " ", 1).parse::<AuditHead>());
    let kept: Vec<AuditHead> = kept.transpose().map_err(Refused::wrong)?.into_iter().collect();
    aside(move || {
        let checked = console
            .ledger
            .check_audit(&kept)
            .map_err(|error| Refused::failed("the audit log cannot be read", error))?;
        Ok(Json(AuditCheck::of(checked)))
    })
    .await
}

impl AuditCheck {
    /// What a walk over the log came to.
    pub fn of(checked: Result<AuditHead, AuditFault>) -> Self {
        let schema = "palisade.v1.audit-check".to_owned();
        match checked {
            Ok(head) => {
                let (fault, seq, hash) = (None, Some(head.seq), Some(head.hash));
                Self { schema, whole: true, fault, seq, hash }
            }
            Err(fault) => {
                let fault = Some(fault.to_string());
                Self { schema, whole: false, fault, seq: None, hash: None }
            }
        }
    }
}

impl From<&ledger::AuditEntry> for AuditLine {
    fn from(entry: &ledger::AuditEntry) -> Self {
        Self {
            seq: entry.seq,
            at: entry.line.at.to_string(),
            who: entry.line.who.clone(),
            what: entry.line.what.clone(),
            before: entry.line.before.clone(),
            after: entry.line.after.clone(),
            hash: entry.hash.clone(),
        }
    }
}
