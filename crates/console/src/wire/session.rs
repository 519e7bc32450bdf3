//! Who is calling, on the wire.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who is calling, and in which session.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Session {
    /// `palisade.v1.session`.
    pub schema: String,
    /// Whose token it is, or the user over the socket.
    pub name: String,
    /// The token's id; none over the socket.
    pub token: Option<String>,
    /// How far it goes.
    pub scope: String,
    /// In a session: what a change carries as `x-csrf-token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<String>,
    /// In a session: when it ends, however much it is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}
