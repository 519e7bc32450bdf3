//! Findings in the making: one for each detector, entity and endpoint within an hour.
//!
//! Held in memory while they grow and fetched by the wiring when they changed. Bounded: the one
//! that was quiet for longest makes room.

use std::collections::BTreeMap;

use traffic::slices::Sliced;
use traffic::{
    Detector, Digest, EndpointId, EventId, Finding, Hasher, Severity, Signal, Timestamp, Verdict,
};

use crate::ladder::{BLOCK_NATS, CERTAIN_NATS};

/// More findings than this do not grow at one time.
const GROWING_MAX: usize = 1_024;
/// More victims than this are counted by the finding's number of requests alone.
const VICTIMS_MAX: usize = 32;

/// Findings by key.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    growing: BTreeMap<Digest, Finding>,
    changed: Vec<Digest>,
}

/// What one exchange adds to its finding.
pub(crate) struct Sighted<'a> {
    pub(crate) verdict: &'a Verdict,
    pub(crate) signal: &'a Signal,
    pub(crate) place: Option<EndpointId>,
    pub(crate) event: EventId,
    pub(crate) now: Timestamp,
}

impl Findings {
    /// Adds a sight to its finding, or begins one.
    pub(crate) fn sight(
        &mut self,
        sighted: &Sighted<'_>,
        hasher: &Hasher,
        label: impl FnOnce(EndpointId) -> String,
    ) {
        let Sighted { verdict, signal, place, event, now } = *sighted;
        let place = place_of(signal, place);
        let key = key(signal, place, now, hasher);
        if !self.growing.contains_key(&key) && self.growing.len() >= GROWING_MAX {
            self.drop_quietest();
        }
        let finding = self.growing.entry(key).or_insert_with(|| Finding {
            key,
            detector: signal.detector,
            severity: Severity::Low,
            entity: signal.entity,
            endpoint: place.map(label),
            title: String::new(),
            first: now,
            last: now,
            requests: 0,
            refused: 0,
            succeeded: false,
            victims: Vec::new(),
            action: verdict.action,
            mode: verdict.mode,
            risk: verdict.risk,
            event: None,
        });
        // The sentence is made anew when it tells more, and at most once a second in a flood.
        let is_another_second = now.as_secs() != finding.last.as_secs();
        if finding.title.is_empty()
            || verdict.risk > finding.risk
            || (verdict.risk == finding.risk && is_another_second)
        {
            finding.title = title(finding, signal);
        }
        // The telling event is the first with the hardest action.
        if finding.event.is_none() || verdict.action > finding.action {
            finding.event = Some(event.to_string());
        }
        finding.last = finding.last.max(now);
        finding.requests += 1;
        finding.refused += u64::from(verdict.is_refusal());
        finding.mode = verdict.mode;
        finding.action = finding.action.max(verdict.action);
        finding.risk = finding.risk.max(verdict.risk);
        finding.severity = severity(finding, verdict.nats);
        self.note(key);
    }

    /// An attempt of `key` succeeded; `victim` is the account that was entered.
    pub(crate) fn succeeded(&mut self, key: Digest, victim: Option<Digest>) {
        let Some(finding) = self.growing.get_mut(&key) else { return };
        finding.succeeded = true;
        finding.severity = Severity::Critical;
        if let Some(victim) = victim
            && !finding.victims.contains(&victim)
            && finding.victims.len() < VICTIMS_MAX
        {
            finding.victims.push(victim);
        }
        self.note(key);
    }

    /// Lets `key` matter at least this much.
    pub(crate) fn raise(&mut self, key: Digest, severity: Severity) {
        if let Some(finding) = self.growing.get_mut(&key) {
            finding.severity = finding.severity.max(severity);
            self.note(key);
        }
    }

    /// The key under which evidence of `signal` gathers.
    pub(crate) fn key_of(
        &self,
        signal: &Signal,
        place: Option<EndpointId>,
        now: Timestamp,
        hasher: &Hasher,
    ) -> Option<Digest> {
        let key = key(signal, place, now, hasher);
        self.growing.contains_key(&key).then_some(key)
    }

    /// Findings that changed since the last call, not more than `most` of them.
    pub(crate) fn take_changed(&mut self, most: usize) -> Vec<Finding> {
        let changed = self.changed.drain(..most.min(self.changed.len()));
        changed.filter_map(|key| self.growing.get(&key).cloned()).collect()
    }

    /// What is kept over a restart: those that are growing.
    pub(crate) const fn part(&mut self) -> &mut dyn Sliced {
        &mut self.growing
    }

    /// All findings that are growing.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Finding> {
        self.growing.values()
    }

    fn note(&mut self, key: Digest) {
        if !self.changed.contains(&key) {
            self.changed.push(key);
        }
    }

    fn drop_quietest(&mut self) {
        let quietest = self
            .growing
            .values()
            .filter(|finding| !self.changed.contains(&finding.key))
            .min_by_key(|finding| (finding.last, finding.key))
            .map(|finding| finding.key);
        if let Some(key) = quietest.or_else(|| self.growing.keys().next().copied()) {
            self.growing.remove(&key);
        }
    }
}

/// Where a finding belongs. Guessed paths lead nowhere: there is one finding for the whole scan.
/// What was found with them is somewhere.
fn place_of(signal: &Signal, place: Option<EndpointId>) -> Option<EndpointId> {
    let leads_nowhere = matches!(
        signal.detector,
        Detector::ForcedBrowsing | Detector::Decoy | Detector::VersionWalk
    );
    place.filter(|_| !leads_nowhere)
}

fn key(signal: &Signal, place: Option<EndpointId>, now: Timestamp, hasher: &Hasher) -> Digest {
    let place = place_of(signal, place);
    // What is found of the API is one thing, whoever comes upon it.
    let whose = signal.detector.is_attack().then(|| signal.entity.digest(hasher));
    whose
        .unwrap_or_default()
        .then(Digest(place.map_or(0, |id| u64::from(id.0))))
        .then(Digest(u64::from(now.minute() / 60)))
        .tagged(signal.detector as u8)
}

/// One sentence: what it is, whose doing or where, and the facts.
fn title(finding: &Finding, signal: &Signal) -> String {
    let Signal { detector, entity, reason, .. } = signal;
    match &finding.endpoint {
        Some(place) if !detector.is_attack() => format!("{} {place}: {reason}", name(*detector)),
        _ => format!("{} from {entity}: {reason}", name(*detector)),
    }
}

const fn name(detector: Detector) -> &'static str {
    match detector {
        Detector::CredentialStuffing => "Credential stuffing",
        Detector::InFlight => "Too many log-in attempts at once",
        Detector::ForcedBrowsing => "Search for hidden paths",
        Detector::RateLimit => "Flood",
        Detector::KnownAttack => "Known attack",
        Detector::AttackProbing => "Attacks, one after the other",
        Detector::StandingDecision => "Blocked caller",
        Detector::Framing => "Malformed requests",
        Detector::GoodStanding => "Known caller",
        Detector::CveProbing => "Search for known vulnerabilities",
        Detector::Decoy => "Decoy touched",
        Detector::PasswordGuessing => "Passwords guessed for one account",
        Detector::CodeGuessing => "Codes guessed",
        Detector::CommonPassword => "Common passwords tried",
        Detector::VersionWalk => "Search for old versions",
        Detector::ForgottenEndpoint => "Forgotten endpoint",
        Detector::Disguise => "Program in disguise",
        Detector::Probation => "Enforcing taken back",
    }
}

fn severity(finding: &Finding, nats: f32) -> Severity {
    if finding.succeeded {
        return Severity::Critical;
    }
    let now = if nats >= CERTAIN_NATS {
        Severity::High
    } else if nats >= BLOCK_NATS || finding.action.refuses() {
        // In monitor mode the same: it matters as much, it is only not stopped.
        Severity::Medium
    } else {
        Severity::Low
    };
    finding.severity.max(now)
}
