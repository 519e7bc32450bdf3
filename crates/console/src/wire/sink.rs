//! Who is told of attacks, on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How one that is told fares.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Sink {
    /// Its name.
    pub name: String,
    /// `json`, `slack`, `syslog` or `ocsf`.
    pub kind: String,
    /// Where it is; what may be a secret is left out.
    pub to: String,
    /// Messages that arrived since the start.
    pub sent: u64,
    /// Messages that wait.
    pub waiting: u64,
    /// And their bytes on disk.
    pub waiting_bytes: u64,
    /// Tries that failed since the start.
    pub failed: u64,
    /// Messages that were given up since the start.
    pub dropped: u64,
    /// When one arrived last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sent: Option<String>,
    /// What went wrong last; none once all that waited has arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fault: Option<String>,
}

/// What came back from a test of all sinks.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct SinkTests {
    /// `palisade.v1.alerts_test`.
    pub schema: String,
    /// One for each sink.
    pub sinks: Vec<SinkTest>,
}

/// What came back from one.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct SinkTest {
    /// Its name.
    pub name: String,
    /// Where it is; what may be a secret is left out.
    pub to: String,
    /// Whether it took the message.
    pub arrived: bool,
    /// What it said, or why it was not told.
    pub said: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}
