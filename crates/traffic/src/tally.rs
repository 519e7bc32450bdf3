//! What reports add up: exchanges by face, caller, role and attack, hour by hour.
//!
//! A tally is a count under a [`TallyKey`]. There are only as many keys as the enumerations here
//! allow and the rule set names known vulnerabilities, so nothing that a caller sends makes more
//! of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cve::Cve;
use crate::role::Role;
use crate::signal::Detector;
use crate::surface::Surface;
use crate::time::Timestamp;

/// A count: to be added, or of a whole hour or day.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tally {
    /// When the hour or day begins; of a count to be added, a moment in it.
    pub at: Timestamp,
    /// What was counted.
    pub key: TallyKey,
    /// How often.
    pub count: u64,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum TallyKey {
    /// Exchanges.
    Exchange(ExchangeKind),
    /// Requests in which a rule found an attempt at a published vulnerability.
    Probe {
        /// Which.
        cve: Cve,
        /// Whether it was answered with 2xx.
        answered: bool,
    },
}

/// What kind of exchange it was.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
pub struct ExchangeKind {
    /// Which face of the service.
    pub surface: Surface,
    /// What kind of program called.
    pub caller: CallerKind,
    /// What the endpoint is for.
    pub role: Role,
    /// What became of it.
    pub fate: Fate,
    /// Which attack the evidence made it out to be; none where it would have been let pass.
    pub attack: Option<AttackKind>,
    /// Whether the caller was known here and in good standing.
    pub established: bool,
}

/// Who is behind a request: what its program says, and what its conduct shows.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CallerKind {
    /// A browser or a native application, and nothing in its conduct against it.
    Human,
    /// A crawler that says so.
    DeclaredBot,
    /// A tool or library for scripts, or conduct that no hand is quick enough for.
    Automated,
    /// It does not say, or what it says is not known.
    #[default]
    Unknown,
}

/// What became of an exchange.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It was let pass, and should have been.
    #[default]
    Passed,
    /// An operator's exception silenced evidence in it.
    Excepted,
    /// It passed; enforcing would have refused it.
    WouldRefuse,
    /// It was refused.
    Refused,
}

/// Kinds of attack: each attack is of exactly one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttackKind {
    /// What the API offers, used against its purpose.
    BusinessLogic,
    /// Getting into accounts of others.
    Takeover,
    /// More than there is room for.
    Flood,
    /// Values that are to be taken for code, paths or addresses.
    Injection,
    /// Looking for what should not be reachable.
    Exposure,
    /// Whatever is none of these.
    Other,
}

/// A text that is not a tally's key.
#[derive(Debug, thiserror::Error)]
#[error("not the key of a count")]
pub struct NotAKey;

// === impl AttackKind ===

impl AttackKind {
    /// All of them, in the order that reports list them.
    pub const ALL: [Self; 6] = [
        Self::BusinessLogic,
        Self::Takeover,
        Self::Flood,
        Self::Injection,
        Self::Exposure,
        Self::Other,
    ];

    /// The kind of attack that `detector` sees on an endpoint of this role. Codes of vouchers that
    /// are guessed, and check-outs that are flooded, are no log-ins and no floods.
    pub const fn of(detector: Detector, role: Role) -> Self {
        match detector {
            Detector::CredentialStuffing
            | Detector::InFlight
            | Detector::PasswordGuessing
            | Detector::CodeGuessing
            | Detector::CommonPassword => match role {
                Role::Redeem => Self::BusinessLogic,
                _ => Self::Takeover,
            },
            Detector::RateLimit => match role {
                Role::Redeem | Role::Checkout => Self::BusinessLogic,
                _ => Self::Flood,
            },
            Detector::ForcedBrowsing
            | Detector::Decoy
            | Detector::VersionWalk
            | Detector::ForgottenEndpoint => Self::Exposure,
            Detector::KnownAttack | Detector::AttackProbing | Detector::CveProbing => {
                Self::Injection
            }
            Detector::StandingDecision
            | Detector::Framing
            | Detector::GoodStanding
            | Detector::Disguise
            | Detector::Probation => Self::Other,
        }
    }

    /// The word in output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::BusinessLogic => "business-logic",
            Self::Takeover => "takeover",
            Self::Flood => "flood",
            Self::Injection => "injection",
            Self::Exposure => "exposure",
            Self::Other => "other",
        }
    }
}

// === impl CallerKind ===

impl CallerKind {
    /// All of them, in the order that reports list them.
    pub const ALL: [Self; 4] = [Self::Human, Self::DeclaredBot, Self::Automated, Self::Unknown];

    /// The word in output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::DeclaredBot => "declared-bot",
            Self::Automated => "automated",
            Self::Unknown => "unknown",
        }
    }
}

// === impl Fate ===

impl Fate {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Excepted, Self::WouldRefuse, Self::Refused];

    /// The word in output.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Excepted => "excepted",
            Self::WouldRefuse => "would-refuse",
            Self::Refused => "refused",
        }
    }
}

// === as text ===

impl fmt::Display for TallyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exchange(kind) => write!(
                f,
                "exchange {} {} {} {} {} {}",
                kind.surface.key(),
                kind.caller.key(),
                kind.role.key(),
                kind.fate.key(),
                kind.attack.map_or("-", AttackKind::key),
                if kind.established { "established" } else { "-" }
            ),
            Self::Probe { cve, answered } => {
                write!(f, "probe {cve} {}", if *answered { "answered" } else { "-" })
            }
        }
    }
}

impl FromStr for TallyKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let words: Vec<&str> = text.split(' ').collect();
        match words.as_slice() {
            ["exchange", surface, caller, role, fate, attack, established] => {
                let attack = match *attack {
                    "-" => None,
                    word => Some(named(&AttackKind::ALL, word, AttackKind::key)?),
                };
                Ok(Self::Exchange(ExchangeKind {
                    surface: named(&Surface::ALL, surface, Surface::key)?,
                    caller: named(&CallerKind::ALL, caller, CallerKind::key)?,
                    role: role.parse().map_err(|_| NotAKey)?,
                    fate: named(&Fate::ALL, fate, Fate::key)?,
                    attack,
                    established: *established == "established",
                }))
            }
            ["probe", cve, answered] => Ok(Self::Probe {
                cve: Cve::parse(cve.as_bytes()).ok_or(NotAKey)?,
                answered: *answered == "answered",
            }),
            _ => Err(NotAKey),
        }
    }
}

fn named<T: Copy>(all: &[T], word: &str, key: impl Fn(T) -> &'static str) -> Result<T, NotAKey> {
    all.iter().copied().find(|it| key(*it) == word).ok_or(NotAKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_as_they_are_written() {
        let kind = ExchangeKind {
            surface: Surface::Api,
            caller: CallerKind::Automated,
            role: Role::Login,
            fate: Fate::WouldRefuse,
            attack: Some(AttackKind::Takeover),
            established: true,
        };
        let probe = TallyKey::Probe { cve: Cve { year: 2014, number: 160 }, answered: true };
        for (key, text) in [
            (
                TallyKey::Exchange(kind),
                "exchange api automated login would-refuse takeover established",
            ),
            (
                TallyKey::Exchange(ExchangeKind::default()),
                "exchange untold unknown other passed - -",
            ),
            (probe, "probe CVE-2014-0160 answered"),
        ] {
            assert_eq!(key.to_string(), text);
            assert_eq!(text.parse::<TallyKey>().expect("a key"), key);
        }
        for text in ["", "exchange api", "probe CVE-x-1 -", "probe CVE-2014-+1 -", "sum 1"] {
            assert!(text.parse::<TallyKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_role_has_its_place_in_keys() {
        for role in Role::ALL {
            let key = TallyKey::Exchange(ExchangeKind { role, ..ExchangeKind::default() });
            assert_eq!(key.to_string().parse::<TallyKey>().expect("a key"), key);
        }
    }
}
