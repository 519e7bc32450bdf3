//! `/audit`: who changed what.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::{Console, aside};
use crate::refused::Refused;
use crate::wire::{AuditLine, AuditList};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    before: Option<u64>,
    limit: Option<usize>,
}

pub(super) async fn list(
    State(console): State<Console>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditList>, Refused> {
    aside(move || {
        let unreadable = |error| Refused::failed("the audit log cannot be read", error);
        let entries =
            console.ledger.audit(query.before, query.limit.unwrap_or(100)).map_err(unreadable)?;
        let chain = match console.ledger.verify_audit().map_err(unreadable)? {
            Ok(head) => format!("whole, {} lines", head.seq),
            Err(fault) => fault.to_string(),
        };
        let lines = entries.iter().map(AuditLine::from).collect();
        Ok(Json(AuditList { schema: "palisade.v1.audit".to_owned(), chain, lines }))
    })
    .await
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
