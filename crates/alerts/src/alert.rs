//! An incident as it is told, and what waits in a spool.

use ledger::Incident;
use serde::{Deserialize, Serialize};
use traffic::{Action, Event, Finding, Mode, Severity, Timestamp};

/// A message names so many of an incident's findings; it counts all.
const EVIDENCE_MAX: usize = 8;

/// What is news about an incident.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// It began.
    Opened,
    /// It is worse than it was when it was told last.
    Graver,
    /// An attempt succeeded.
    Succeeded,
    /// It has gone on since it was told last.
    Continues,
    /// It is no attack: an endpoint that nobody used has answered.
    Exposed,
    /// It is no attack: enforcing was taken back, because it did harm.
    TakenBack,
    /// There is no incident: somebody tries whether this arrives.
    Test,
}

/// An incident at the moment at which it is told.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Alert {
    /// The same every time that this very message is sent, and no other's.
    pub uid: String,
    /// What is news.
    pub news: News,
    /// When it is told.
    pub at: Timestamp,
    /// The machine that tells it.
    pub machine: String,
    /// The incident, such as `i-12`.
    pub incident: String,
    /// The same, and no other installation's.
    pub incident_uid: String,
    /// In one sentence.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// When it began.
    pub first: Timestamp,
    /// When it was last seen.
    pub last: Timestamp,
    /// How many findings it holds.
    pub findings: u64,
    /// Over how many requests.
    pub requests: u64,
    /// How many of them were refused in fact.
    pub refused: u64,
    /// Whether any attempt succeeded.
    pub succeeded: bool,
    /// The hardest thing that was done, or would have been.
    pub action: Action,
    /// In which mode.
    pub mode: Mode,
    /// The risk at its highest, 0 to 100.
    pub risk: u8,
    /// The gravest findings.
    pub evidence: Vec<Evidence>,
}

/// A finding of the incident.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of traffic::Finding, in words and numbers")]
pub struct Evidence {
    pub detector: String,
    pub owasp: String,
    pub title: String,
    pub entity: String,
    pub endpoint: Option<String>,
    pub requests: u64,
    pub victims: u64,
    pub event: Option<String>,
}

/// What waits for a sink.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Item {
    /// An incident.
    Alert(Box<Alert>),
    /// A request that was refused or flagged.
    Event(Box<Event>),
}

/// Who tells it.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The installation: no other has this name.
    pub(crate) installation: String,
    /// The machine.
    pub(crate) machine: String,
}

impl News {
    /// The word in messages for programs.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Graver => "graver",
            Self::Succeeded => "succeeded",
            Self::Continues => "continues",
            Self::Exposed => "exposed",
            Self::TakenBack => "taken_back",
            Self::Test => "test",
        }
    }

    /// The same for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Opened => "An attack has begun",
            Self::Graver => "An attack has become worse",
            Self::Succeeded => "An attack has succeeded",
            Self::Continues => "An attack goes on",
            Self::Exposed => "Something was left open",
            Self::TakenBack => "Enforcing was taken back",
            Self::Test => "A test: nothing has happened",
        }
    }
}

impl Alert {
    /// What there is to tell of `incident`, for the `times`th time.
    pub(crate) fn of(
        incident: &Incident,
        (news, times): (News, u32),
        origin: &Origin,
        at: Timestamp,
    ) -> Self {
        let incident_uid = format!("{}-{}", origin.installation, incident.id);
        let findings = &incident.findings;
        Self {
            uid: format!("{incident_uid}-{times}"),
            news,
            at,
            machine: origin.machine.clone(),
            incident: incident.id.to_string(),
            incident_uid,
            title: incident.title.clone(),
            severity: incident.severity,
            first: incident.first,
            last: incident.last,
            findings: incident.finding_count,
            requests: incident.requests,
            refused: incident.refused,
            succeeded: incident.succeeded,
            action: findings.iter().map(|finding| finding.action).max().unwrap_or_default(),
            mode: findings.iter().map(|finding| finding.mode).max().unwrap_or(Mode::Monitor),
            risk: findings.iter().map(|finding| finding.risk).max().unwrap_or_default(),
            evidence: findings.iter().take(EVIDENCE_MAX).map(Evidence::from).collect(),
        }
    }

    /// What is sent to see whether it arrives.
    pub(crate) fn test(origin: &Origin, at: Timestamp) -> Self {
        let uid = format!("{}-test-{}", origin.installation, at.as_micros());
        Self {
            incident: "i-0".to_owned(),
            incident_uid: format!("{}-i-0", origin.installation),
            uid,
            news: News::Test,
            at,
            machine: origin.machine.clone(),
            title: "This is a test of Palisade's alerts; nothing has happened".to_owned(),
            severity: Severity::Info,
            first: at,
            last: at,
            findings: 0,
            requests: 0,
            refused: 0,
            succeeded: false,
            action: Action::Allow,
            mode: Mode::Monitor,
            risk: 0,
            evidence: Vec::new(),
        }
    }
}

impl From<&Finding> for Evidence {
    fn from(finding: &Finding) -> Self {
        Self {
            detector: finding.detector.to_string(),
            owasp: finding.detector.owasp().to_owned(),
            title: finding.title.clone(),
            entity: finding.entity.to_string(),
            endpoint: finding.endpoint.clone(),
            requests: finding.requests,
            victims: finding.victims.len() as u64,
            event: finding.event.clone(),
        }
    }
}

/// The first `max` characters of `text`; what is left out shows.
pub(crate) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
