//! What the counts of one period add up to.

use std::collections::BTreeMap;

use traffic::{
    AttackKind, CallerKind, Cve, Detector, Exception, ExchangeKind, Fate, Finding, Role, Surface,
    Tally, TallyKey,
};

use crate::material::Incident;

/// What endpoints are attacked for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Target {
    DataAccess,
    Payment,
    Authentication,
    Other,
}

/// Sums of one period.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// All exchanges.
    pub(super) calls: u64,
    pub(super) by_surface: BTreeMap<Surface, u64>,
    pub(super) by_caller: BTreeMap<CallerKind, u64>,
    /// Exchanges that were refused or would have been.
    pub(super) attacks: u64,
    pub(super) by_attack: BTreeMap<AttackKind, u64>,
    pub(super) by_target: BTreeMap<Target, u64>,
    pub(super) attacks_by_caller: BTreeMap<CallerKind, u64>,
    pub(super) takeover_by_surface: BTreeMap<Surface, u64>,
    /// Attempts to log in.
    pub(super) logins: u64,
    pub(super) logins_by_surface: BTreeMap<Surface, u64>,
    pub(super) logins_attacked: u64,
    pub(super) refused: u64,
    pub(super) would_refuse: u64,
    pub(super) excepted: u64,
    /// Attacks by callers in good standing.
    pub(super) attacks_of_established: u64,
    pub(super) probes: BTreeMap<Cve, (u64, u64)>,
    pub(super) findings: u64,
    /// Findings that an operator's exception covers.
    pub(super) findings_excepted: u64,
    pub(super) victims: u64,
    pub(super) incidents: u64,
    pub(super) incidents_succeeded: u64,
    pub(super) incidents_closed: u64,
    pub(super) incidents_by_attack: BTreeMap<AttackKind, u64>,
}

impl Target {
    pub(super) const ALL: [Self; 4] =
        [Self::DataAccess, Self::Payment, Self::Authentication, Self::Other];

    const fn of(role: Role) -> Self {
        match role {
            Role::Search
            | Role::ObjectRead
            | Role::ObjectWrite
            | Role::Export
            | Role::Upload
            | Role::Graphql => Self::DataAccess,
            Role::Checkout | Role::Redeem => Self::Payment,
            Role::Login
            | Role::Refresh
            | Role::Logout
            | Role::Signup
            | Role::ResetRequest
            | Role::ResetConfirm
            | Role::OtpSend
            | Role::OtpVerify
            | Role::PasswordChange => Self::Authentication,
            Role::Other | Role::Admin | Role::Webhook | Role::Health | Role::Static => Self::Other,
        }
    }

    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::DataAccess => "data-access",
            Self::Payment => "payment",
            Self::Authentication => "authentication",
            Self::Other => "other",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::DataAccess => "Data access",
            Self::Payment => "Payment",
            Self::Authentication => "Authentication",
            Self::Other => "Other",
        }
    }
}

impl Sums {
    pub(super) fn of(
        tallies: &[Tally],
        findings: &[Finding],
        incidents: &[Incident],
        exceptions: &[Exception],
        roles: &BTreeMap<&str, Role>,
    ) -> Self {
        let mut sums = Self::default();
        for tally in tallies {
            match tally.key {
                TallyKey::Exchange(kind) => sums.exchange(kind, tally.count),
                TallyKey::Probe { cve, answered } => {
                    let (requests, served) = sums.probes.entry(cve).or_default();
                    *requests += tally.count;
                    *served += if answered { tally.count } else { 0 };
                }
            }
        }
        for finding in findings {
            sums.findings += 1;
            sums.findings_excepted += u64::from(is_covered(finding, exceptions));
            sums.victims += u64::try_from(finding.victims.len()).unwrap_or(0);
        }
        for incident in incidents {
            sums.incidents += 1;
            sums.incidents_succeeded += u64::from(incident.succeeded);
            sums.incidents_closed += u64::from(incident.is_closed);
            let place = incident.endpoint.as_deref().unwrap_or_default();
            let role = roles.get(place).copied().unwrap_or_default();
            let detector = Detector::named(&incident.detector).unwrap_or(Detector::Framing);
            *sums.incidents_by_attack.entry(AttackKind::of(detector, role)).or_default() += 1;
        }
        sums
    }

    fn exchange(&mut self, kind: ExchangeKind, count: u64) {
        self.calls += count;
        *self.by_surface.entry(kind.surface).or_default() += count;
        *self.by_caller.entry(kind.caller).or_default() += count;
        match kind.fate {
            Fate::Passed => {}
            Fate::Excepted => self.excepted += count,
            Fate::WouldRefuse => self.would_refuse += count,
            Fate::Refused => self.refused += count,
        }
        let is_login = kind.role == Role::Login;
        if is_login {
            self.logins += count;
            *self.logins_by_surface.entry(kind.surface).or_default() += count;
        }
        let Some(attack) = kind.attack else { return };
        self.attacks += count;
        *self.by_attack.entry(attack).or_default() += count;
        *self.by_target.entry(Target::of(kind.role)).or_default() += count;
        *self.attacks_by_caller.entry(kind.caller).or_default() += count;
        if attack == AttackKind::Takeover {
            *self.takeover_by_surface.entry(kind.surface).or_default() += count;
            self.logins_attacked += if is_login { count } else { 0 };
        }
        if kind.established {
            self.attacks_of_established += count;
        }
    }
}

/// Whether an operator said of what this finding tells that it is no attack.
fn is_covered(finding: &Finding, exceptions: &[Exception]) -> bool {
    exceptions.iter().any(|exception| {
        let is_its_detector = match exception.detector {
            Some(detector) => detector == finding.detector,
            None => exception.layer == finding.detector.layer(),
        };
        is_its_detector
            && exception.entity.is_none_or(|entity| entity == finding.entity)
            && exception
                .endpoint
                .as_deref()
                .is_none_or(|place| finding.endpoint.as_deref().is_none_or(|its| its == place))
    })
}

/// What is counted under `key`; nothing is zero.
pub(super) fn at<K: Ord>(counts: &BTreeMap<K, u64>, key: &K) -> u64 {
    counts.get(key).copied().unwrap_or(0)
}
