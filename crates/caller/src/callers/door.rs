//! Which paths the API keeps closed to callers without credentials.
//!
//! A credential that opens a closed door was checked by the API; one that is presented at an open
//! door may be made up. Doors are told by what happened at them, never by their names.

use serde::{Deserialize, Serialize};

use crate::table::Worth;

/// So many refusals make a door closed; fewer may be somebody's expired token.
const REFUSED_MIN: u16 = 3;

/// What happened at one method and path shape.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Door {
    /// Requests without a good credential that were turned away with 401 or 403.
    refused: u16,
    /// Requests without any credential that were served.
    open: u16,
    /// Requests with credentials that were served.
    opened: u16,
}

impl Door {
    pub(super) fn note(&mut self, turned_away: bool, success: bool, has_credential: bool) {
        self.refused += u16::from(turned_away);
        self.open += u16::from(success && !has_credential);
        self.opened += u16::from(success && has_credential);
        if self.refused.max(self.open).max(self.opened) > u16::MAX / 2 {
            self.refused /= 2;
            self.open /= 2;
            self.opened /= 2;
        }
    }

    /// Whether callers without credentials are turned away here.
    pub(super) fn is_closed(&self) -> bool {
        self.refused >= REFUSED_MIN && self.open <= self.refused / 10
    }
}

impl Worth for Door {
    fn worth(&self) -> u8 {
        u8::from(self.opened > 0 || self.open > 0) + u8::from(self.refused > 0 && self.opened > 0)
    }
}
