//! Standing decisions and exceptions: one object each, for all layers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::entity::Entity;
use crate::hash::Digest;
use crate::layer::Layer;
use crate::role::Role;
use crate::signal::Detector;
use crate::time::Timestamp;

/// The number of a decision; printed as `d-12`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct DecisionId(pub u64);

/// The number of an exception; printed as `x-12`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ExceptionId(pub u64);

/// A text that is not the number of a decision or an exception.
#[derive(Debug, thiserror::Error)]
#[error("not an id such as {0}-12")]
pub struct NotAnId(&'static str);

/// Block or allow.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DecisionKind {
    /// Refuse what is in scope.
    Block,
    /// Let pass what is in scope, whatever the evidence.
    Allow,
}

/// Who made a decision or exception.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A person, through CLI or API: holds as far as the layer of plain limits (`rate`) goes.
    Operator,
    /// A verdict: holds in the mode of its layer.
    Detector,
}

/// Whom a decision is about: one entity, narrowed down.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Scope {
    /// The entity.
    pub entity: Entity,
    /// Only on endpoints of this role.
    pub role: Option<Role>,
    /// Only from this device: set where many callers share the address.
    pub device: Option<Digest>,
    /// Callers familiar to the account they enter, or established here, are spared.
    pub spares_known: bool,
}

/// A standing block or allow.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Decision {
    /// Its number.
    pub id: DecisionId,
    /// Block or allow.
    pub kind: DecisionKind,
    /// Whom it is about.
    pub scope: Scope,
    /// Who made it.
    pub origin: Origin,
    /// The detector that led to it.
    pub detector: Option<Detector>,
    /// Why, in words.
    pub reason: String,
    /// Who: a person's name, or `palisade`.
    pub author: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when; none is without end.
    pub until: Option<Timestamp>,
    /// How often it was applied.
    pub hits: u64,
}

/// A narrow, expiring "this is not an attack here".
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Exception {
    /// Its number.
    pub id: ExceptionId,
    /// The detector that is silenced; none silences the whole layer.
    pub detector: Option<Detector>,
    /// The layer that is silenced.
    pub layer: Layer,
    /// Of known attacks, the rules that are silenced; none are all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<u64>,
    /// Only on this endpoint, as `METHOD host-group /template`.
    pub endpoint: Option<String>,
    /// Only for this entity.
    pub entity: Option<Entity>,
    /// Why, in words.
    pub reason: String,
    /// Who made it.
    pub author: String,
    /// The event it was made from.
    pub evidence: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Until when; none is without end.
    pub until: Option<Timestamp>,
    /// How often it kept an action from being taken.
    pub hits: u64,
    /// When it last did.
    pub last_hit: Option<Timestamp>,
}

impl Decision {
    /// Whether it holds at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Exception {
    /// Whether it holds at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Scope {
    /// The whole of an entity.
    pub const fn whole(entity: Entity) -> Self {
        Self { entity, role: None, device: None, spares_known: false }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.entity)?;
        if let Some(role) = self.role {
            write!(f, " on {role} endpoints")?;
        }
        if let Some(device) = self.device {
            write!(f, " from device:{device}")?;
        }
        if self.spares_known {
            f.write_str(", known callers spared")?;
        }
        Ok(())
    }
}

macro_rules! numbered {
    ($name:ident, $prefix:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "-{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                text.strip_prefix(concat!($prefix, "-"))
                    .and_then(|number| number.parse().ok())
                    .map(Self)
                    .ok_or(NotAnId($prefix))
            }
        }
    };
}

numbered!(DecisionId, "d");
numbered!(ExceptionId, "x");
