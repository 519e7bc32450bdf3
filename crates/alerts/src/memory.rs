//! What a sink was told, so that it is told what is news and nothing twice.
//!
//! One entry for an incident. It is news that it began, that it became graver, that an attempt
//! succeeded, and, once in a while, that it goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{Incident, IncidentId};
use serde::{Deserialize, Serialize};
use traffic::{Detector, Severity, Timestamp};

use crate::alert::News;

/// More incidents than this at one time are not told apart.
const INCIDENTS_MAX: usize = 4_096;
/// An incident that has been quiet for so long does not come back: what comes is another.
const QUIET: Duration = Duration::from_secs(2 * 3_600);

/// When something is news for a sink.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Less than this is none.
    pub(crate) min: Severity,
    /// That an incident goes on is some again after this.
    pub(crate) dedup: Duration,
}

/// What a sink was told.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Memory {
    /// What was over before is no news.
    since: Timestamp,
    told: BTreeMap<IncidentId, Told>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Told {
    /// When.
    at: Timestamp,
    /// How far the incident had come.
    last: Timestamp,
    severity: Severity,
    succeeded: bool,
    times: u32,
}

impl Memory {
    /// Of a sink that wants to hear what happens from `since` on.
    pub(crate) fn since(since: Timestamp) -> Self {
        Self { since, told: BTreeMap::new() }
    }

    /// What is news about an incident, and the how many-eth time it would be told.
    pub(crate) fn news(
        &self,
        incident: &Incident,
        rule: Rule,
        now: Timestamp,
    ) -> Option<(News, u32)> {
        if incident.severity < rule.min || incident.last < self.since {
            return None;
        }
        let detector = incident.findings.first().map(|gravest| gravest.detector);
        let Some(told) = self.told.get(&incident.id) else {
            let news = match detector {
                _ if incident.succeeded => News::Succeeded,
                Some(Detector::Probation) => News::TakenBack,
                Some(Detector::ForgottenEndpoint) => News::Exposed,
                _ => News::Opened,
            };
            return Some((news, 1));
        };
        // What is no attack is told once.
        if detector.is_some_and(|detector| !detector.is_attack()) {
            return None;
        }
        let news = if incident.succeeded && !told.succeeded {
            News::Succeeded
        } else if incident.severity > told.severity {
            News::Graver
        } else if incident.last > told.last && now.since(told.at) >= rule.dedup {
            News::Continues
        } else {
            return None;
        };
        Some((news, told.times.saturating_add(1)))
    }

    /// Makes room for one more; false when there is none.
    pub(crate) fn has_room(&mut self, id: IncidentId, now: Timestamp) -> bool {
        if self.told.len() >= INCIDENTS_MAX && !self.told.contains_key(&id) {
            self.told.retain(|_, told| now.since(told.last.max(told.at)) < QUIET);
        }
        self.told.len() < INCIDENTS_MAX || self.told.contains_key(&id)
    }

    /// It was told.
    pub(crate) fn note(&mut self, incident: &Incident, times: u32, now: Timestamp) {
        let told = Told {
            at: now,
            last: incident.last,
            severity: incident.severity,
            succeeded: incident.succeeded,
            times,
        };
        self.told.insert(incident.id, told);
    }
}

#[cfg(test)]
mod tests {
    use ledger::IncidentState;
    use traffic::{Action, Digest, Entity, Finding, Mode};

    use super::*;

    const RULE: Rule = Rule { min: Severity::Medium, dedup: Duration::from_secs(900) };

    fn at(second: u64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + second * 1_000_000)
    }

    fn incident(id: u64, severity: Severity, last: u64) -> Incident {
        Incident {
            id: IncidentId(id),
            state: IncidentState::Open,
            title: String::new(),
            severity,
            first: at(0),
            last: at(last),
            finding_count: 1,
            requests: 1,
            refused: 0,
            succeeded: false,
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn finding(detector: Detector) -> Finding {
        Finding {
            key: Digest(1),
            detector,
            severity: Severity::Medium,
            entity: Entity::address([192, 0, 2, 7].into()),
            endpoint: Some("GET shop /v1/orders".to_owned()),
            title: String::new(),
            first: at(0),
            last: at(0),
            requests: 1,
            refused: 0,
            succeeded: false,
            victims: Vec::new(),
            action: Action::Allow,
            mode: Mode::Monitor,
            risk: 0,
            event: None,
        }
    }

    /// Tells what is news, as a sink would.
    fn tell(memory: &mut Memory, incident: &Incident, now: u64) -> Option<News> {
        let (news, times) = memory.news(incident, RULE, at(now))?;
        memory.note(incident, times, at(now));
        Some(news)
    }

    #[test]
    fn an_incident_is_told_once_and_again_when_it_goes_on() {
        let mut memory = Memory::since(at(0));
        let told = &mut memory;
        assert_eq!(tell(told, &incident(1, Severity::Medium, 10), 11), Some(News::Opened));
        assert_eq!(tell(told, &incident(1, Severity::Medium, 20), 21), None);
        assert_eq!(tell(told, &incident(1, Severity::Medium, 900), 910), None, "not yet");
        assert_eq!(tell(told, &incident(1, Severity::Medium, 10), 912), None, "nothing more");
        assert_eq!(tell(told, &incident(1, Severity::Medium, 912), 913), Some(News::Continues));
        assert_eq!(tell(told, &incident(1, Severity::Medium, 914), 915), None);
        assert_eq!(tell(told, &incident(2, Severity::Medium, 914), 915), Some(News::Opened));
    }

    #[test]
    fn worse_is_told_at_once() {
        let mut memory = Memory::since(at(0));
        let told = &mut memory;
        assert_eq!(tell(told, &incident(1, Severity::Low, 1), 1), None, "too little");
        assert_eq!(tell(told, &incident(1, Severity::Medium, 2), 2), Some(News::Opened));
        assert_eq!(tell(told, &incident(1, Severity::High, 3), 3), Some(News::Graver));
        assert_eq!(tell(told, &incident(1, Severity::High, 4), 4), None);
        let mut entered = incident(1, Severity::Critical, 5);
        entered.succeeded = true;
        assert_eq!(tell(told, &entered, 5), Some(News::Succeeded));
        assert_eq!(tell(told, &entered, 6), None);
        assert_eq!(
            memory.news(&incident(1, Severity::Critical, 2_000), RULE, at(2_000)).map(|it| it.1),
            Some(4)
        );
    }

    #[test]
    fn what_is_no_attack_is_told_once_and_as_what_it_is() {
        for (detector, news) in
            [(Detector::ForgottenEndpoint, News::Exposed), (Detector::Probation, News::TakenBack)]
        {
            let mut memory = Memory::since(at(0));
            let mut found = incident(1, Severity::Medium, 10);
            found.findings = vec![finding(detector)];
            assert_eq!(tell(&mut memory, &found, 11), Some(news));
            (found.severity, found.last) = (Severity::High, at(2_000));
            assert_eq!(tell(&mut memory, &found, 2_000), None);
        }
    }

    #[test]
    fn what_was_before_is_no_news() {
        let mut memory = Memory::since(at(100));
        assert_eq!(tell(&mut memory, &incident(1, Severity::High, 99), 101), None);
        assert_eq!(tell(&mut memory, &incident(1, Severity::High, 100), 101), Some(News::Opened));
    }

    #[test]
    fn what_was_told_survives_being_written_down() {
        let mut memory = Memory::since(at(0));
        tell(&mut memory, &incident(7, Severity::High, 10), 10);
        let text = serde_json::to_string(&memory).expect("JSON");
        let mut read: Memory = serde_json::from_str(&text).expect("the same");
        assert_eq!(tell(&mut read, &incident(7, Severity::High, 20), 20), None);
    }

    #[test]
    fn there_is_a_limit_and_quiet_incidents_make_room() {
        let mut memory = Memory::since(at(0));
        for id in 0..INCIDENTS_MAX as u64 {
            memory.note(&incident(id, Severity::High, 1), 1, at(1));
        }
        assert!(!memory.has_room(IncidentId(u64::MAX), at(2)));
        assert!(memory.has_room(IncidentId(1), at(2)));
        assert!(memory.has_room(IncidentId(u64::MAX), at(3 * 3_600)));
    }
}
