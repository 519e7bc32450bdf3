//! Evidence: what a layer saw, on whom, and how strongly it speaks for an attack.
//!
//! Strength is in nats, the natural logarithm of a likelihood ratio, so that evidence adds up and a
//! threshold means the same everywhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::entity::Entity;
use crate::layer::Layer;

/// One piece of evidence about one entity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signal {
    /// Who saw it.
    pub detector: Detector,
    /// On whom it lies.
    pub entity: Entity,
    /// How strongly it speaks for an attack; negative speaks against one.
    pub nats: f32,
    /// The facts behind it.
    pub reason: Reason,
}

/// Everything that can give evidence or decide.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// A1: many accounts tried from one source.
    CredentialStuffing,
    /// A1's companion: too many unanswered attempts at once.
    InFlight,
    /// D1: paths guessed.
    ForcedBrowsing,
    /// F1: more requests than the limit.
    RateLimit,
    /// Rules for known attacks matched this request.
    KnownAttack,
    /// One source attacks again and again.
    AttackProbing,
    /// A standing decision of an operator, or of an earlier verdict.
    StandingDecision,
    /// Framing that two parsers could read differently.
    Framing,
    /// Good standing of an established caller.
    GoodStanding,
}

/// Detectors that see the same behaviour: within a family evidence overlaps, across families it
/// adds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[allow(missing_docs, reason = "each variant is the family it prints")]
pub enum Family {
    Auth,
    Object,
    Flow,
    Input,
    Volume,
    Automation,
    Reputation,
    Deception,
    Recon,
}

/// The facts behind a signal. `Display` makes the sentence that people read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// Log-in attempts from one source.
    Stuffing {
        /// Distinct accounts tried first from here.
        accounts: u32,
        /// How many of them failed.
        failed: u32,
        /// The share of first tries that fails here normally.
        normal: f32,
        /// Over how many first tries that is known; 0 when it is the prior.
        known_from: u32,
    },
    /// Paths that do not exist.
    Browsing {
        /// Distinct paths missed.
        misses: u32,
        /// The share of paths that miss here normally.
        normal: f32,
        /// Over how many first visits that is known.
        known_from: u32,
    },
    /// A rate limit.
    Rate {
        /// Requests allowed per minute.
        per_minute: u32,
        /// Requests allowed at once.
        burst: u32,
        /// Seconds until the next request is within the limit.
        retry_after_s: u32,
    },
    /// Too many attempts that have no answer yet.
    InFlight {
        /// How many are unanswered.
        unanswered: u32,
        /// How many may be.
        allowed: u32,
    },
    /// Rules that matched this request.
    KnownAttack {
        /// The one that says most.
        rule: u64,
        /// How many others matched.
        others: u16,
    },
    /// Rules that matched the answer.
    Answer {
        /// The one that says most; 0 for the limit of how long an answer may be.
        rule: u64,
        /// How many others matched.
        others: u16,
    },
    /// Attacks of one source on distinct things.
    Probing {
        /// How many of late.
        attacks: u32,
    },
    /// A standing decision.
    Standing {
        /// When it ends, in seconds since the epoch; `u32::MAX` for never.
        until_s: u32,
    },
    /// A caller that has been known here for a while and did nothing wrong.
    Established,
}

// === impl Detector ===

impl Detector {
    /// All detectors.
    pub const ALL: [Self; 9] = [
        Self::CredentialStuffing,
        Self::InFlight,
        Self::ForcedBrowsing,
        Self::RateLimit,
        Self::KnownAttack,
        Self::AttackProbing,
        Self::StandingDecision,
        Self::Framing,
        Self::GoodStanding,
    ];

    /// The name in output and exceptions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CredentialStuffing => "credential-stuffing",
            Self::InFlight => "in-flight-cap",
            Self::ForcedBrowsing => "forced-browsing",
            Self::RateLimit => "rate-limit",
            Self::KnownAttack => "known-attack",
            Self::AttackProbing => "attack-probing",
            Self::StandingDecision => "standing-decision",
            Self::Framing => "framing",
            Self::GoodStanding => "good-standing",
        }
    }

    /// The detector of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|detector| detector.name() == name)
    }

    /// The layer it belongs to. Decisions and framing belong to none that could be switched off;
    /// they count as `rate`, the layer of plain limits, where a layer must be named.
    pub const fn layer(self) -> Layer {
        match self {
            Self::CredentialStuffing | Self::InFlight | Self::GoodStanding => Layer::Takeover,
            Self::ForcedBrowsing => Layer::Recon,
            Self::RateLimit | Self::StandingDecision | Self::Framing => Layer::Rate,
            Self::KnownAttack | Self::AttackProbing => Layer::Rules,
        }
    }

    /// Its family.
    pub const fn family(self) -> Family {
        match self {
            Self::CredentialStuffing | Self::InFlight | Self::GoodStanding => Family::Auth,
            Self::ForcedBrowsing => Family::Recon,
            Self::RateLimit => Family::Volume,
            Self::StandingDecision => Family::Reputation,
            Self::KnownAttack | Self::AttackProbing | Self::Framing => Family::Input,
        }
    }

    /// Identifiers of the OWASP API Security Top 10 (2023) and of OWASP Automated Threats.
    pub const fn owasp(self) -> &'static str {
        match self {
            Self::CredentialStuffing | Self::InFlight | Self::GoodStanding => "API2:2023 OAT-008",
            Self::ForcedBrowsing => "API9:2023 OAT-014",
            Self::RateLimit => "API4:2023 OAT-015",
            Self::StandingDecision => "",
            Self::KnownAttack | Self::AttackProbing | Self::Framing => "API8:2023",
        }
    }
}

impl fmt::Display for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

// === impl Reason ===

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stuffing { accounts: 0, normal, known_from, .. } => {
                write!(
                    f,
                    "log-ins failed from here whose accounts cannot be told ({})",
                    Normal(*normal, *known_from)
                )
            }
            Self::Stuffing { accounts, failed, normal, known_from } => {
                write!(
                    f,
                    "{accounts} accounts tried from here, {failed} of them failed ({})",
                    Normal(*normal, *known_from)
                )
            }
            Self::Browsing { misses, normal, known_from } => {
                let paths = if *misses == 1 { "path that does" } else { "distinct paths that do" };
                write!(f, "{misses} {paths} not exist ({})", Normal(*normal, *known_from))
            }
            Self::Rate { per_minute, burst, retry_after_s } => write!(
                f,
                "more than {per_minute} requests a minute (burst {burst}); within the limit again in {retry_after_s} s"
            ),
            Self::InFlight { unanswered, allowed } => {
                write!(f, "{unanswered} attempts without an answer yet, {allowed} allowed at once")
            }
            Self::KnownAttack { rule, others: 0 } => write!(f, "rule {rule} matched"),
            Self::KnownAttack { rule, others: 1 } => write!(f, "rule {rule} and another matched"),
            Self::KnownAttack { rule, others } => {
                write!(f, "rule {rule} and {others} others matched")
            }
            Self::Answer { rule: 0, .. } => f.write_str("the answer is longer than rules allow"),
            Self::Answer { rule, others: 0 } => write!(f, "rule {rule} matched the answer"),
            Self::Answer { rule, others: 1 } => {
                write!(f, "rule {rule} and another matched the answer")
            }
            Self::Answer { rule, others } => {
                write!(f, "rule {rule} and {others} others matched the answer")
            }
            Self::Probing { attacks: 1 } => f.write_str("1 attack from here of late"),
            Self::Probing { attacks } => write!(f, "{attacks} attacks from here of late"),
            Self::Standing { until_s: u32::MAX } => f.write_str("a standing decision without end"),
            Self::Standing { until_s } => write!(
                f,
                "a standing decision until {:.19}Z",
                crate::Timestamp::from_micros(u64::from(*until_s) * 1_000_000).to_string()
            ),
            Self::Established => f.write_str("known here for a while and in good standing"),
        }
    }
}

/// "normal here 18 %, over 52310 first tries".
struct Normal(f32, u32);

impl fmt::Display for Normal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = self.0 * 100.0;
        match self.1 {
            0 => write!(f, "{percent:.0} % assumed, not learnt yet"),
            known_from => write!(f, "normal here {percent:.1} %, over {known_from} first tries"),
        }
    }
}
