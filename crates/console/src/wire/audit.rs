//! The audit log on the wire.

use serde::{Deserialize, Serialize};

/// Lines of the audit log, newest first.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AuditList {
    /// `palisade.v1.audit`.
    pub schema: String,
    /// Whether the chain of hashes is whole; what is wrong with it otherwise.
    pub chain: String,
    /// The lines.
    pub lines: Vec<AuditLine>,
}

/// Who changed what.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of ledger::AuditEntry")]
pub struct AuditLine {
    pub seq: u64,
    pub at: String,
    pub who: String,
    pub what: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub hash: String,
}
