//! What is decided about one request.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decision::{DecisionId, ExceptionId, Scope};
use crate::layer::{Layer, Mode};
use crate::signal::Signal;

/// What to do with a request, from the mildest to the hardest.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Let it pass.
    #[default]
    Allow,
    /// Refuse it for now: 429 with `Retry-After`.
    Throttle,
    /// Ask for proof; until a challenge exists, 429 with `Retry-After`.
    Challenge,
    /// Let it pass and hide parts of the answer.
    Mask,
    /// Refuse it: 403.
    Deny,
    /// Refuse it as malformed: 400, 414 or 431, whatever the mode.
    Reject,
}

/// A verdict with everything that led to it.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What the evidence asks for, whatever the mode.
    pub action: Action,
    /// The mode of the deciding layer here: only `enforce` carries the action out.
    pub mode: Mode,
    /// The risk from 0 to 100 that this caller is hostile.
    pub risk: u8,
    /// The sum of evidence, in nats.
    pub nats: f32,
    /// The layer that decided, when the action is not `allow`.
    pub layer: Option<Layer>,
    /// The evidence, strongest first.
    pub signals: Vec<Signal>,
    /// Whom the action was aimed at.
    pub scope: Option<Scope>,
    /// The standing decision that was applied, or that this verdict set.
    pub decision: Option<DecisionId>,
    /// The exception that kept the action from being taken.
    pub exception: Option<ExceptionId>,
    /// For throttle and challenge: seconds until another try makes sense.
    pub retry_after_s: Option<u32>,
}

impl Action {
    /// All of them, from the mildest to the hardest.
    pub const ALL: [Self; 6] =
        [Self::Allow, Self::Throttle, Self::Challenge, Self::Mask, Self::Deny, Self::Reject];

    /// The word in output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Throttle => "throttle",
            Self::Challenge => "challenge",
            Self::Mask => "mask",
            Self::Deny => "deny",
            Self::Reject => "reject",
        }
    }

    /// Whether the request does not go upstream when this is carried out.
    pub const fn refuses(self) -> bool {
        matches!(self, Self::Throttle | Self::Challenge | Self::Deny | Self::Reject)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

impl Verdict {
    /// Whether the request is refused in fact.
    pub fn is_refusal(&self) -> bool {
        self.action == Action::Reject || (self.action.refuses() && self.mode == Mode::Enforce)
    }

    /// Whether it would be refused if the deciding layer enforced. Such an exchange teaches
    /// nothing.
    pub const fn would_refuse(&self) -> bool {
        self.action.refuses()
    }
}
