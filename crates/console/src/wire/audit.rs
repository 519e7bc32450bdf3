//! The audit log on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lines of the audit log, newest first.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct AuditList {
    /// `palisade.v1.audit`.
    pub schema: String,
    /// Whether the chain of hashes is whole; what is wrong with it otherwise.
    pub chain: String,
    /// The lines.
    pub lines: Vec<AuditLine>,
    /// Where the next part begins; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Whether the log is what was written.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct AuditCheck {
    /// `palisade.v1.audit-check`.
    pub schema: String,
    /// Whether it is.
    pub whole: bool,
    /// What is wrong with it.
    pub fault: Option<String>,
    /// Its last line.
    pub seq: Option<u64>,
    /// The hash of that line: both together are a checkpoint to keep elsewhere.
    pub hash: Option<String>,
}

/// Who changed what.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
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
