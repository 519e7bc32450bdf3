//! Evidence: what a layer saw, on whom, and how strongly it speaks for an attack.
//!
//! Strength is in nats, the natural logarithm of a likelihood ratio, so that evidence adds up and a
//! threshold means the same everywhere.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cve::Cve;
use crate::entity::Entity;
use crate::layer::Layer;
use crate::words::counted;

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
    /// A5: passwords guessed for one account, from wherever.
    PasswordGuessing,
    /// A8: codes guessed for one account or transaction, from wherever.
    CodeGuessing,
    /// D3: published vulnerabilities probed for.
    CveProbing,
    /// E4: a path that nobody honest asks for.
    Decoy,
    /// A4: one of the most common passwords, and who tries them.
    CommonPassword,
    /// D2: other versions and copies of what there is, guessed.
    VersionWalk,
    /// D2's find: an endpoint that answers and that nobody used. It speaks against nobody.
    ForgottenEndpoint,
    /// E1: a program that is not what it says.
    Disguise,
    /// The watch over layers that enforce since a moment ago; it speaks against nobody.
    Probation,
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
    /// Guesses at one account's password, or at one code.
    Guesses {
        /// How many were wrong since somebody got in.
        wrong: u32,
        /// Seconds until the next may be tried; 0 when one may be now.
        retry_after_s: u32,
    },
    /// Published vulnerabilities that one source tried.
    Cves {
        /// How many distinct ones of late.
        distinct: u32,
        /// The last of them.
        latest: Cve,
    },
    /// A path that nobody honest asks for.
    Decoy {
        /// The policy marks it as one; otherwise it is one of those known everywhere.
        is_marked: bool,
    },
    /// A password that is one of the most common.
    CommonPassword,
    /// Common passwords that one source tried in vain.
    CommonPasswords {
        /// How many of late, each at another account or another one of them.
        wrong: u32,
    },
    /// Other versions or copies of known paths.
    Walk {
        /// How many distinct ones of late.
        variants: u32,
    },
    /// A path that answers though nobody was seen to use it.
    Forgotten {
        /// For how many days nobody did; 0 where nobody ever did.
        days: u32,
    },
    /// What gives a program away.
    Disguise(Disguise),
    /// A standing decision.
    Standing {
        /// When it ends, in seconds since the epoch; `u32::MAX` for never.
        until_s: u32,
    },
    /// A caller that has been known here for a while and did nothing wrong.
    Established,
}

/// How a program shows that it is not what it says.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Disguise {
    /// A browser names the languages that its user reads; this one names none.
    NoLanguage,
    /// Programs that say they are tools send the very headers in the very order.
    HeadOfATool,
    /// A crawler calls from the networks of whoever runs it; this one does not.
    NotItsNetwork,
}

// === impl Detector ===

impl Detector {
    /// All detectors.
    pub const ALL: [Self; 18] = [
        Self::CredentialStuffing,
        Self::InFlight,
        Self::ForcedBrowsing,
        Self::RateLimit,
        Self::KnownAttack,
        Self::AttackProbing,
        Self::StandingDecision,
        Self::Framing,
        Self::GoodStanding,
        Self::PasswordGuessing,
        Self::CodeGuessing,
        Self::CveProbing,
        Self::Decoy,
        Self::CommonPassword,
        Self::VersionWalk,
        Self::ForgottenEndpoint,
        Self::Disguise,
        Self::Probation,
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
            Self::PasswordGuessing => "password-guessing",
            Self::CodeGuessing => "code-guessing",
            Self::CveProbing => "cve-probing",
            Self::Decoy => "decoy",
            Self::CommonPassword => "common-password",
            Self::VersionWalk => "version-walk",
            Self::ForgottenEndpoint => "forgotten-endpoint",
            Self::Disguise => "disguise",
            Self::Probation => "probation",
        }
    }

    /// The detector of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|detector| detector.name() == name)
    }

    /// Whether what it finds is somebody's attack. The rest tells of the API, or of the gateway:
    /// who is named beside it only brought it to light.
    pub const fn is_attack(self) -> bool {
        !matches!(self, Self::ForgottenEndpoint | Self::Probation)
    }

    /// The layer it belongs to. Decisions and framing belong to none that could be switched off;
    /// they count as `rate`, the layer of plain limits, where a layer must be named.
    pub const fn layer(self) -> Layer {
        match self {
            Self::CredentialStuffing
            | Self::InFlight
            | Self::GoodStanding
            | Self::PasswordGuessing
            | Self::CodeGuessing
            | Self::CommonPassword => Layer::Takeover,
            Self::ForcedBrowsing | Self::Decoy | Self::VersionWalk | Self::ForgottenEndpoint => {
                Layer::Recon
            }
            Self::Disguise => Layer::Automation,
            Self::RateLimit | Self::StandingDecision | Self::Framing | Self::Probation => {
                Layer::Rate
            }
            Self::KnownAttack | Self::AttackProbing | Self::CveProbing => Layer::Rules,
        }
    }

    /// Its family.
    pub const fn family(self) -> Family {
        match self {
            Self::CredentialStuffing
            | Self::InFlight
            | Self::GoodStanding
            | Self::PasswordGuessing
            | Self::CodeGuessing
            | Self::CommonPassword => Family::Auth,
            Self::ForcedBrowsing | Self::VersionWalk | Self::ForgottenEndpoint => Family::Recon,
            Self::Disguise => Family::Automation,
            Self::Decoy => Family::Deception,
            Self::RateLimit => Family::Volume,
            Self::StandingDecision | Self::Probation => Family::Reputation,
            Self::KnownAttack | Self::AttackProbing | Self::CveProbing | Self::Framing => {
                Family::Input
            }
        }
    }

    /// Identifiers of the OWASP API Security Top 10 (2023) and of OWASP Automated Threats.
    pub const fn owasp(self) -> &'static str {
        match self {
            Self::CredentialStuffing
            | Self::InFlight
            | Self::GoodStanding
            | Self::CommonPassword => "API2:2023 OAT-008",
            Self::Disguise => "OAT-004",
            Self::PasswordGuessing | Self::CodeGuessing => "API2:2023 OAT-007",
            Self::ForcedBrowsing | Self::Decoy | Self::VersionWalk => "API9:2023 OAT-014",
            Self::ForgottenEndpoint => "API9:2023",
            Self::RateLimit => "API4:2023 OAT-015",
            Self::StandingDecision | Self::Probation => "",
            Self::KnownAttack | Self::AttackProbing | Self::CveProbing | Self::Framing => {
                "API8:2023"
            }
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
                let normal = Normal(*normal, *known_from);
                write!(f, "log-ins failed from here whose accounts cannot be told ({normal})")
            }
            Self::Stuffing { accounts, failed, normal, known_from } => {
                let normal = Normal(*normal, *known_from);
                let accounts = counted(*accounts, "account");
                write!(f, "{accounts} tried from here, {failed} of them failed ({normal})")
            }
            Self::Browsing { misses, normal, known_from } => {
                let paths = if *misses == 1 { "path that does" } else { "distinct paths that do" };
                write!(f, "{misses} {paths} not exist ({})", Normal(*normal, *known_from))
            }
            Self::Rate { per_minute, burst, retry_after_s } => {
                let most = counted(*per_minute, "request");
                write!(
                    f,
                    "more than {most} a minute (burst {burst}); within the limit again in {retry_after_s} s"
                )
            }
            Self::InFlight { unanswered, allowed } => {
                let unanswered = counted(*unanswered, "attempt");
                write!(f, "{unanswered} without an answer yet, {allowed} allowed at once")
            }
            Self::KnownAttack { rule, others } => matched(f, *rule, *others, ""),
            Self::Answer { rule: 0, .. } => f.write_str("the answer is longer than rules allow"),
            Self::Answer { rule, others } => matched(f, *rule, *others, " the answer"),
            Self::Probing { attacks } => {
                write!(f, "{} from here of late", counted(*attacks, "attack"))
            }
            Self::Guesses { wrong, retry_after_s } => {
                let guesses = if *wrong == 1 { "wrong guess" } else { "wrong guesses" };
                write!(f, "{wrong} {guesses} by strangers since somebody got in")?;
                match retry_after_s {
                    0 => Ok(()),
                    wait_s => write!(f, "; the next may come in {wait_s} s"),
                }
            }
            Self::Cves { distinct: 1, latest } => write!(f, "tried {latest}"),
            Self::Cves { distinct, latest } => {
                write!(f, "tried {distinct} distinct vulnerabilities, {latest} the last of them")
            }
            Self::Decoy { is_marked: true } => {
                f.write_str("the policy marks this path as a decoy: nobody honest asks for it")
            }
            Self::Decoy { is_marked: false } => {
                f.write_str("a file that no page links to and no program asks for")
            }
            Self::CommonPassword => f.write_str("the password is one of the most common"),
            Self::CommonPasswords { wrong } => {
                let passwords = if *wrong == 1 { "password was" } else { "passwords were" };
                write!(f, "{wrong} of the most common {passwords} tried from here in vain")
            }
            Self::Walk { variants } => {
                let them = if *variants == 1 { "version or copy" } else { "versions or copies" };
                write!(f, "{variants} other {them} of known paths tried from here")
            }
            Self::Forgotten { days } => forgotten(f, *days),
            Self::Disguise(disguise) => f.write_str(disguise.sentence()),
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

/// That an endpoint answers, and for how long nobody used it.
fn forgotten(f: &mut fmt::Formatter<'_>, days: u32) -> fmt::Result {
    match days {
        0 => f.write_str("it answers, and nobody was seen to use it"),
        _ => write!(f, "it answers, and nobody used it for {}", counted(days, "day")),
    }
}

/// Whether one rule matched, and how many more did.
fn matched(f: &mut fmt::Formatter<'_>, rule: u64, others: u16, what: &str) -> fmt::Result {
    match others {
        0 => write!(f, "rule {rule} matched{what}"),
        1 => write!(f, "rule {rule} and another matched{what}"),
        _ => write!(f, "rule {rule} and {others} others matched{what}"),
    }
}

impl Disguise {
    /// What people are told of it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NoLanguage => "it says it is a browser, and names no language",
            Self::HeadOfATool => "it says it is a browser, and sends the headers of a tool",
            Self::NotItsNetwork => "it says it is a crawler that calls from other networks",
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
