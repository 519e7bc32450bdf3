//! Campaigns: findings about one caller, or by one detector on one endpoint, close upon another.
//! What tells of the API and is nobody's attack goes by its endpoint alone.
//!
//! The same rule by which the ledger makes incidents, over findings that are all known already.

use std::collections::BTreeMap;
use std::time::Duration;

use traffic::{Detector, Entity, Severity, Timestamp};

use super::gather::Found;

/// Findings further apart than this are different campaigns.
const GAP: Duration = Duration::from_secs(3_600);

/// Findings of one campaign.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The gravest finding's.
    pub severity: Severity,
    /// When it began.
    pub first: Timestamp,
    /// When it was last seen.
    pub last: Timestamp,
    /// Requests of all findings.
    pub requests: u64,
    /// Whether any attempt succeeded.
    pub succeeded: bool,
    /// The findings, the gravest first. Never empty.
    pub findings: Vec<Found>,
}

impl Campaign {
    /// Whether it is an attack: if not, it tells of the API.
    pub fn is_attack(&self) -> bool {
        self.findings.iter().any(|found| found.finding.detector.is_attack())
    }

    /// The callers, in the order of their findings, each once.
    pub fn callers(&self) -> Vec<Entity> {
        let mut callers = Vec::new();
        for found in &self.findings {
            if !callers.contains(&found.finding.entity) {
                callers.push(found.finding.entity);
            }
        }
        callers
    }

    fn of(found: Found) -> Self {
        let finding = &found.finding;
        Self {
            severity: finding.severity,
            first: finding.first,
            last: finding.last,
            requests: finding.requests,
            succeeded: finding.succeeded,
            findings: vec![found],
        }
    }

    fn add(&mut self, found: Found) {
        let finding = &found.finding;
        self.severity = self.severity.max(finding.severity);
        self.last = self.last.max(finding.last);
        self.requests += finding.requests;
        self.succeeded |= finding.succeeded;
        self.findings.push(found);
    }
}

/// The campaigns that `found` make up, the gravest first.
pub(super) fn of(mut found: Vec<Found>) -> Vec<Campaign> {
    found.sort_by_key(|found| (found.finding.first, found.finding.key));
    let mut campaigns: Vec<Campaign> = Vec::new();
    let mut by_caller: BTreeMap<Entity, usize> = BTreeMap::new();
    let mut by_place: BTreeMap<(Detector, String), usize> = BTreeMap::new();
    for found in found {
        let (caller, first) = (found.finding.entity, found.finding.first);
        let place = found.finding.endpoint.clone().map(|place| (found.finding.detector, place));
        let goes_on = |at: &&usize| {
            campaigns.get(**at).is_some_and(|campaign| first.since(campaign.last) <= GAP)
        };
        let is_attack = found.finding.detector.is_attack();
        let known = by_caller.get(&caller).filter(|at| is_attack && goes_on(at));
        let known = known.or_else(|| by_place.get(place.as_ref()?).filter(goes_on)).copied();
        let at = match known {
            Some(at) => {
                if let Some(campaign) = campaigns.get_mut(at) {
                    campaign.add(found);
                }
                at
            }
            None => {
                campaigns.push(Campaign::of(found));
                campaigns.len() - 1
            }
        };
        if is_attack {
            by_caller.insert(caller, at);
        }
        if let Some(place) = place {
            by_place.insert(place, at);
        }
    }
    for campaign in &mut campaigns {
        campaign.findings.sort_by(|a, b| {
            let (a, b) = (&a.finding, &b.finding);
            b.severity.cmp(&a.severity).then(b.requests.cmp(&a.requests)).then(a.key.cmp(&b.key))
        });
    }
    campaigns.sort_by(|a, b| {
        b.severity.cmp(&a.severity).then(b.requests.cmp(&a.requests)).then(a.first.cmp(&b.first))
    });
    campaigns
}

#[cfg(test)]
mod tests {
    use traffic::{Action, Digest, Finding, Mode};

    use super::*;
    use crate::scan::gather::Evidence;

    fn found(key: u64, address: &str, endpoint: Option<&str>, minute: u64) -> Found {
        let at = Timestamp::from_micros(minute * 60_000_000);
        let finding = Finding {
            key: Digest(key),
            detector: Detector::CredentialStuffing,
            severity: if key.is_multiple_of(2) { Severity::High } else { Severity::Low },
            entity: Entity::address(address.parse().expect("an address")),
            endpoint: endpoint.map(str::to_owned),
            title: String::new(),
            first: at,
            last: at,
            requests: key,
            refused: 0,
            succeeded: false,
            victims: Vec::new(),
            action: Action::Deny,
            mode: Mode::Monitor,
            risk: 99,
            event: None,
        };
        Found { evidence: Evidence::of(&finding), finding }
    }

    #[test]
    fn one_caller_or_one_place_within_an_hour_is_one_campaign() {
        let campaigns = of(vec![
            found(1, "192.0.2.1", Some("POST h /login"), 0),
            found(2, "192.0.2.2", Some("POST h /login"), 59),
            found(3, "192.0.2.1", None, 100),
            found(4, "192.0.2.9", None, 0),
            found(5, "192.0.2.9", None, 61),
        ]);
        let keys: Vec<Vec<u64>> = campaigns
            .iter()
            .map(|campaign| campaign.findings.iter().map(|found| found.finding.key.0).collect())
            .collect();
        assert_eq!(keys, [vec![2, 3, 1], vec![4], vec![5]]);
        assert_eq!(campaigns.first().map(|campaign| campaign.callers().len()), Some(2));
        assert!(campaigns.iter().all(Campaign::is_attack));
    }

    #[test]
    fn what_is_found_of_the_api_is_no_part_of_an_attack() {
        let mut forgotten = found(2, "192.0.2.1", Some("GET h /v1/orders"), 1);
        forgotten.finding.detector = Detector::ForgottenEndpoint;
        let campaigns =
            of(vec![found(1, "192.0.2.1", None, 0), forgotten, found(3, "192.0.2.1", None, 2)]);
        let told: Vec<(bool, usize)> =
            campaigns.iter().map(|it| (it.is_attack(), it.findings.len())).collect();
        assert_eq!(told, [(false, 1), (true, 2)]);
    }
}
