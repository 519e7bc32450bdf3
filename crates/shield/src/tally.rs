//! What kind of exchange each one was, counted by the hour for whoever reports on a day or a year.
//!
//! Counted where exchanges are counted anyway, under the lock: one look-up in a map that holds as
//! many entries as there are kinds of exchange, some dozens in a normal hour.

use std::collections::BTreeMap;

use traffic::{
    AttackKind, CallerKind, Cve, Detector, Disguise, ExchangeKind, Fate, Role, Surface, Tally,
    TallyKey, Timestamp, Verdict,
};

use crate::pass::{Pass, Settled};
use crate::standing::Standing;

/// Counts not yet fetched; beyond it they are counted under what is common to all.
const TALLIES_MAX: usize = 4_096;
/// Of one request, so many vulnerabilities are counted.
const PROBES_MAX: usize = 8;
const HOUR_S: u32 = 3_600;

/// Counts that the wiring has not fetched yet.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    /// By hours since the epoch.
    counts: BTreeMap<(u32, TallyKey), u64>,
}

impl Tallies {
    /// Counts one more.
    pub(crate) fn count(&mut self, at: Timestamp, mut key: TallyKey) {
        let hour = at.as_secs() / HOUR_S;
        if self.counts.len() >= TALLIES_MAX && !self.counts.contains_key(&(hour, key)) {
            key = match key {
                TallyKey::Exchange(ExchangeKind { fate, attack, .. }) => {
                    TallyKey::Exchange(ExchangeKind { fate, attack, ..ExchangeKind::default() })
                }
                TallyKey::Probe { .. } => return,
            };
        }
        *self.counts.entry((hour, key)).or_default() += 1;
    }

    /// What was not fetched yet.
    pub(crate) fn running(&self) -> Vec<Tally> {
        self.counts.iter().map(|(key, count)| tally(*key, *count)).collect()
    }

    /// The first `most` counts; they begin anew.
    pub(crate) fn take(&mut self, most: usize) -> Vec<Tally> {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some((key, count)) = self.counts.pop_first()
        {
            taken.push(tally(key, count));
        }
        taken
    }
}

/// What kind of exchange it was, now that its answer is known or that it was refused.
pub(crate) fn kind(
    pass: &Pass,
    settled: &Settled,
    role: Role,
    surface: Surface,
    standing: &Standing,
) -> ExchangeKind {
    let verdict = &settled.verdict;
    let (attack, is_machine) = match culprit(verdict, standing) {
        Some(detector) => (Some(AttackKind::of(detector, role)), shows_a_machine(detector)),
        None => (None, false),
    };
    let program = &pass.program;
    let caller = match (program.says, program.oddity) {
        (_, Some(Disguise::NotItsNetwork)) => CallerKind::Automated,
        (CallerKind::DeclaredBot, _) => CallerKind::DeclaredBot,
        _ if is_machine => CallerKind::Automated,
        // What says it is a browser and is none does not say what it is.
        (_, Some(_)) => CallerKind::Unknown,
        (says, None) => says,
    };
    let fate = fate(verdict);
    let is_known = |it: &traffic::Signal| it.detector == Detector::GoodStanding;
    let established = fate != Fate::Passed && verdict.signals.iter().any(is_known);
    ExchangeKind { surface, caller, role, fate, attack, established }
}

/// The vulnerabilities that rules name in a request, each once.
pub(crate) fn probes(pass: &Pass) -> Vec<Cve> {
    let mut probes = Vec::new();
    let found = pass.inspection.iter().flat_map(|inspection| &inspection.request.found);
    for found in found {
        if let Some(cve) = found.cve()
            && !probes.contains(&cve)
            && probes.len() < PROBES_MAX
        {
            probes.push(cve);
        }
    }
    probes
}

/// The kind of a request whose head was refused before anybody knew what it was.
pub(crate) const fn malformed() -> TallyKey {
    TallyKey::Exchange(ExchangeKind {
        surface: Surface::Untold,
        caller: CallerKind::Unknown,
        role: Role::Other,
        fate: Fate::Refused,
        attack: Some(AttackKind::Other),
        established: false,
    })
}

const fn fate(verdict: &Verdict) -> Fate {
    if verdict.would_refuse() {
        let is_refused = matches!(verdict.action, traffic::Action::Reject)
            || matches!(verdict.mode, traffic::Mode::Enforce);
        if is_refused { Fate::Refused } else { Fate::WouldRefuse }
    } else if verdict.exception.is_some() {
        Fate::Excepted
    } else {
        Fate::Passed
    }
}

/// The detector on whose evidence a request is, or would be, refused. What a standing decision
/// refuses belongs to what led to the decision.
fn culprit(verdict: &Verdict, standing: &Standing) -> Option<Detector> {
    let signal = verdict.signals.first().filter(|_| verdict.would_refuse())?;
    if signal.detector != Detector::StandingDecision {
        return Some(signal.detector);
    }
    let decided = verdict.decision.and_then(|id| standing.decision(id));
    decided.and_then(|decision| decision.detector).or(Some(Detector::StandingDecision))
}

/// Whether what this detector sees is too fast, or too much, for a hand.
const fn shows_a_machine(detector: Detector) -> bool {
    matches!(
        detector,
        Detector::CredentialStuffing
            | Detector::InFlight
            | Detector::ForcedBrowsing
            | Detector::RateLimit
            | Detector::AttackProbing
            | Detector::CveProbing
            | Detector::CommonPassword
            | Detector::VersionWalk
            | Detector::Disguise
    )
}

const fn tally((hour, key): (u32, TallyKey), count: u64) -> Tally {
    let hour = Timestamp::from_micros(hour as u64 * HOUR_S as u64 * 1_000_000);
    Tally { at: hour, key, count }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_fetched_once_and_stay_bounded() {
        let mut tallies = Tallies::default();
        let at = |hour: u32| Timestamp::from_micros(u64::from(hour) * 3_600_000_000 + 5);
        let key = TallyKey::Exchange(ExchangeKind::default());
        for hour in 0..6_000 {
            tallies.count(at(hour), key);
            tallies.count(at(hour), key);
            let cve = Cve { year: 2014, number: hour };
            tallies.count(at(hour), TallyKey::Probe { cve, answered: false });
        }
        assert!(tallies.counts.len() <= 6_000 + TALLIES_MAX);
        let taken = tallies.take(2);
        assert_eq!(taken.first().map(|it| (it.at, it.count)), Some((at(0).before(FIVE_US), 2)));
        let mut exchanges = 0;
        loop {
            let more = tallies.take(256);
            if more.is_empty() {
                break;
            }
            let of_exchanges = more.iter().filter(|it| it.key == key);
            exchanges += of_exchanges.map(|it| it.count).sum::<u64>();
        }
        assert_eq!(exchanges, 2 * 6_000 - 2, "none is lost");
        assert!(tallies.running().is_empty());
    }

    const FIVE_US: std::time::Duration = std::time::Duration::from_micros(5);
}
