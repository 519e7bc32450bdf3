//! Findings in the making: one for each detector, entity and endpoint within an hour.
//!
//! Held in memory while they grow and fetched by the wiring when they changed. Bounded: the one that
//! was quiet for longest makes room.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use traffic::{Digest, Entity, Finding, Hasher, Mode, Severity, Signal, Timestamp, Verdict};

use crate::ladder::{BLOCK_NATS, CERTAIN_NATS};

/// More findings than this do not grow at one time.
const GROWING_MAX: usize = 1_024;
/// More victims than this are counted by the finding's number of requests alone.
const VICTIMS_MAX: usize = 32;

/// Findings by key.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Findings {
    growing: BTreeMap<Digest, Finding>,
    changed: Vec<Digest>,
}

/// What one exchange adds to its finding.
pub(crate) struct Sighted<'a> {
    pub(crate) verdict: &'a Verdict,
    pub(crate) signal: &'a Signal,
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) event: Option<String>,
    pub(crate) now: Timestamp,
}

impl Findings {
    /// Adds a sight to its finding, or begins one. Gives the finding's key.
    pub(crate) fn sight(&mut self, sighted: &Sighted<'_>, hasher: &Hasher) -> Digest {
        let Sighted { verdict, signal, endpoint, now, .. } = sighted;
        let key = key(signal, *endpoint, *now, hasher);
        if !self.growing.contains_key(&key) && self.growing.len() >= GROWING_MAX {
            self.drop_quietest();
        }
        let finding = self.growing.entry(key).or_insert_with(|| Finding {
            key,
            detector: signal.detector,
            severity: Severity::Low,
            entity: signal.entity,
            endpoint: endpoint.map(str::to_owned),
            title: String::new(),
            first: *now,
            last: *now,
            requests: 0,
            refused: 0,
            succeeded: false,
            victims: Vec::new(),
            action: verdict.action,
            mode: verdict.mode,
            risk: verdict.risk,
            event: None,
        });
        finding.last = finding.last.max(*now);
        finding.requests += 1;
        finding.refused += u64::from(verdict.is_refusal());
        finding.mode = verdict.mode;
        // The telling event is the first with the hardest action.
        if finding.event.is_none() || verdict.action > finding.action {
            finding.event = sighted.event.clone().or_else(|| finding.event.take());
        }
        finding.action = finding.action.max(verdict.action);
        if verdict.risk >= finding.risk || finding.title.is_empty() {
            finding.risk = verdict.risk;
            finding.title = format!("{} from {}: {}", name(signal), signal.entity, signal.reason);
        }
        finding.severity = severity(finding, verdict.nats);
        self.note(key);
        key
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

    /// The key under which evidence of `signal` gathers.
    pub(crate) fn key_of(&self, signal: &Signal, endpoint: Option<&str>, now: Timestamp, hasher: &Hasher) -> Option<Digest> {
        let key = key(signal, endpoint, now, hasher);
        self.growing.contains_key(&key).then_some(key)
    }

    /// Findings that changed since the last call.
    pub(crate) fn take_changed(&mut self) -> Vec<Finding> {
        let changed = std::mem::take(&mut self.changed);
        changed.iter().filter_map(|key| self.growing.get(key).cloned()).collect()
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

fn key(signal: &Signal, endpoint: Option<&str>, now: Timestamp, hasher: &Hasher) -> Digest {
    // Guessed paths lead nowhere: one finding for the whole scan.
    let place = match signal.detector {
        traffic::Detector::ForcedBrowsing => "",
        _ => endpoint.unwrap_or_default(),
    };
    entity_digest(signal.entity, hasher)
        .then(hasher.hash(place.as_bytes()))
        .then(Digest(u64::from(now.minute() / 60)))
        .tagged(signal.detector as u8)
}

fn entity_digest(entity: Entity, hasher: &Hasher) -> Digest {
    entity.digest(hasher)
}

fn name(signal: &Signal) -> &'static str {
    match signal.detector {
        traffic::Detector::CredentialStuffing => "Credential stuffing",
        traffic::Detector::InFlight => "Too many log-in attempts at once",
        traffic::Detector::ForcedBrowsing => "Search for hidden paths",
        traffic::Detector::RateLimit => "Flood",
        traffic::Detector::StandingDecision => "Blocked caller",
        traffic::Detector::Framing => "Malformed requests",
        traffic::Detector::GoodStanding => "Known caller",
    }
}

fn severity(finding: &Finding, nats: f32) -> Severity {
    if finding.succeeded {
        return Severity::Critical;
    }
    let now = if nats >= CERTAIN_NATS {
        Severity::High
    } else if nats >= BLOCK_NATS || finding.mode == Mode::Enforce && finding.refused > 0 {
        Severity::Medium
    } else {
        Severity::Low
    };
    finding.severity.max(now)
}
