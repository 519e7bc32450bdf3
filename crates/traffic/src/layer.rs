//! The lines of defence and how far each may go.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::signal::Detector;

/// One line of defence. The keys are fixed: they stand in users' files.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "each variant is the layer key it prints")]
pub enum Layer {
    Rate,
    Recon,
    Takeover,
    Rules,
    Contract,
    Auth,
    Object,
    Flow,
    Automation,
    Leak,
    Flood,
}

/// How far a site, a route or a layer goes.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Not looked at.
    Off,
    /// Looked at and explained; no answer changes.
    #[default]
    Monitor,
    /// Verdicts are carried out.
    Enforce,
}

/// A word that is none of the expected ones.
#[derive(Debug, thiserror::Error)]
#[error("unknown {what} {word:?}; one of {expected}")]
pub struct UnknownWord {
    what: &'static str,
    word: String,
    expected: &'static str,
}

// === impl Layer ===

impl Layer {
    /// All layers, in the order that documents list them.
    pub const ALL: [Self; 11] = [
        Self::Rate,
        Self::Recon,
        Self::Takeover,
        Self::Rules,
        Self::Contract,
        Self::Auth,
        Self::Object,
        Self::Flow,
        Self::Automation,
        Self::Leak,
        Self::Flood,
    ];

    /// Whether anything looks in this layer yet: the keys of the others are reserved.
    pub fn has_detector(self) -> bool {
        Detector::ALL.iter().any(|detector| detector.layer() == self)
    }

    /// The key in configuration, CLI and API.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Recon => "recon",
            Self::Takeover => "takeover",
            Self::Rules => "rules",
            Self::Contract => "contract",
            Self::Auth => "auth",
            Self::Object => "object",
            Self::Flow => "flow",
            Self::Automation => "automation",
            Self::Leak => "leak",
            Self::Flood => "flood",
        }
    }

    /// Position in [`Layer::ALL`], for tables with one place a layer.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

impl FromStr for Layer {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|layer| layer.key() == word).ok_or_else(|| UnknownWord {
            what: "layer",
            word: word.to_owned(),
            expected: "rate, recon, takeover, rules, contract, auth, object, flow, automation, leak, flood",
        })
    }
}

// === impl Mode ===

impl Mode {
    /// The word in configuration, CLI and API.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Monitor => "monitor",
            Self::Enforce => "enforce",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.key())
    }
}

impl FromStr for Mode {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "off" => Ok(Self::Off),
            "monitor" => Ok(Self::Monitor),
            "enforce" => Ok(Self::Enforce),
            _ => Err(UnknownWord {
                what: "mode",
                word: word.to_owned(),
                expected: "off, monitor, enforce",
            }),
        }
    }
}
