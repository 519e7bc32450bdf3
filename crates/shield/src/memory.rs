//! Everything that is learnt or stands, behind one lock.
//!
//! Touched in two short steps a request, `decide` and `learn`, each of which takes the next
//! sequence number. Nothing here waits, and nothing grows past what the memory budget gave it.

use caller::Callers;
use catalog::Catalog;
use conduct::Conduct;
use traffic::slices::Sliced;
use traffic::{
    AnswerFacts, Detector, Digest, EndpointId, EventId, Hasher, Outcome, Reason, Role, Severity,
    Signal, Surface, TallyKey, Timestamp,
};

use crate::budget::TableShares;
use crate::counts::RuleHits;
use crate::findings::{Findings, Sighted};
use crate::ladder::{CHALLENGE_NATS, NOTABLE_NATS};
use crate::pacing::Pacing;
use crate::pass::{BodySeen, Pass, Settled};
use crate::rollup::{RollupKey, Rollups};
use crate::shared::{SharedEvents, Telling};
use crate::standing::Standing;
use crate::tally::{self, Tallies};
use crate::welfare::{Fared, WelfareBySite};

/// What is learnt and what stands.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) callers: Callers,
    pub(crate) catalog: Catalog,
    pub(crate) conduct: Conduct,
    pub(crate) standing: Standing,
    pub(crate) pacing: Pacing,
    pub(crate) findings: Findings,
    pub(crate) rollups: Rollups,
    pub(crate) tallies: Tallies,
    pub(crate) seq: u64,
    pub(crate) keeps_samples: bool,
    bodies_in_part: u64,
    bodies_unread: u64,
    /// Requests on which not all rules could look.
    pub(crate) cut_short: u64,
    /// Requests that were refused because a layer failed.
    pub(crate) failed_closed: u64,
    pub(crate) rule_hits: RuleHits,
    samples: Samples,
    pub(crate) shared: SharedEvents,
    pub(crate) welfare: WelfareBySite,
}

/// How full the tables are.
#[derive(Clone, Debug)]
pub struct Overview {
    /// Steps taken since the state began.
    pub seq: u64,
    /// Endpoints in the catalog.
    pub endpoints: usize,
    /// The tables of conduct.
    pub tables: Vec<conduct::TableView>,
    /// The tables of callers.
    pub callers: caller::Fill,
    /// Bodies of requests that were looked at in part.
    pub bodies_in_part: u64,
    /// Bodies that were to be looked at and were not.
    pub bodies_unread: u64,
    /// Requests on which not all rules looked: it would have cost too much.
    pub cut_short: u64,
    /// Requests that were refused because a layer failed.
    pub failed_closed: u64,
}

/// Honest exchanges kept as samples each second.
const SAMPLES_PER_S: u32 = 20;
#[derive(Debug, Default)]
struct Samples {
    second: u32,
    taken: u32,
}

impl Memory {
    /// Empty memory within `bytes_max`.
    pub(crate) fn new(bytes_max: usize) -> Self {
        let shares = TableShares::of(bytes_max);
        Self {
            callers: Callers::new(shares.callers),
            catalog: Catalog::new(shares.catalog),
            conduct: Conduct::new(shares.conduct),
            standing: Standing::new(shares.standing),
            pacing: Pacing::default(),
            findings: Findings::default(),
            rollups: Rollups::default(),
            tallies: Tallies::default(),
            seq: 0,
            keeps_samples: true,
            bodies_in_part: 0,
            bodies_unread: 0,
            cut_short: 0,
            failed_closed: 0,
            rule_hits: RuleHits::default(),
            samples: Samples::default(),
            shared: SharedEvents::default(),
            welfare: WelfareBySite::default(),
        }
    }

    /// The parts of learnt state by name, in the order in which they are kept.
    pub(crate) fn parts(&mut self) -> impl Iterator<Item = (&'static str, &mut dyn Sliced)> {
        let own: [(&str, &mut dyn Sliced); 3] = [
            ("catalog", &mut self.catalog),
            ("findings", self.findings.part()),
            ("seq", &mut self.seq),
        ];
        self.callers.parts().into_iter().chain(self.conduct.parts()).chain(own)
    }

    pub(crate) const fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    /// Whether this honest exchange is kept as a sample.
    pub(crate) fn takes_sample(&mut self, now: Timestamp) -> bool {
        if self.samples.second != now.as_secs() {
            self.samples = Samples { second: now.as_secs(), taken: 0 };
        }
        self.samples.taken += 1;
        self.keeps_samples && self.samples.taken <= SAMPLES_PER_S
    }

    /// Under which event an exchange is told, if it is told now.
    pub(crate) fn telling(
        &mut self,
        settled: &Settled,
        fresh: EventId,
        hasher: &Hasher,
        now: Timestamp,
    ) -> Telling {
        let verdict = &settled.verdict;
        let Some(signal) = verdict.signals.first().filter(|_| verdict.would_refuse()) else {
            return Telling::alone(fresh);
        };
        let path = settled.act.path_shape;
        let place = settled.act.endpoint.map_or(path, |id| Digest(u64::from(id.0)));
        let rule = match signal.reason {
            Reason::KnownAttack { rule, .. } | Reason::Answer { rule, .. } => rule,
            _ => 0,
        };
        let cause = signal
            .entity
            .digest(hasher)
            .tagged(signal.detector as u8)
            .then(place)
            .then(Digest(verdict.decision.map_or(0, |id| id.0)))
            .then(Digest(rule))
            .tagged(verdict.action as u8);
        self.shared.add(cause, fresh, now)
    }

    /// Adds a decided exchange to its finding, when the evidence is worth one.
    pub(crate) fn note_finding(
        &mut self,
        settled: &Settled,
        event: EventId,
        hasher: &Hasher,
        now: Timestamp,
    ) {
        let verdict = &settled.verdict;
        let is_worth_it = verdict.would_refuse()
            || verdict.nats >= CHALLENGE_NATS
            || (verdict.nats >= NOTABLE_NATS && settled.act.role.is_sensitive());
        let Some(signal) = verdict.signals.first().filter(|_| is_worth_it) else { return };
        let mut signal = *signal;
        if signal.detector == Detector::StandingDecision {
            // What a block of ours refuses belongs to what led to the block.
            let decided = verdict.decision.and_then(|id| self.standing.decision(id));
            let Some(detector) = decided.and_then(|decision| decision.detector) else { return };
            signal.detector = detector;
        }
        let place = settled.act.endpoint;
        let sighted = Sighted { verdict, signal: &signal, place, event, now };
        let catalog = &self.catalog;
        self.findings.sight(&sighted, hasher, |id| catalog.label(id));
    }

    /// Marks the finding of guessed log-ins when one of them entered an account.
    pub(crate) fn note_success(&mut self, settled: &Settled, facts: &AnswerFacts, hasher: &Hasher) {
        let Settled { verdict, act, .. } = settled;
        let identity = &act.identity;
        if facts.outcome != Outcome::Success || !act.role.tries_a_secret() || identity.familiar {
            return;
        }
        let guessed = verdict.signals.iter().find(|signal| match signal.detector {
            Detector::CredentialStuffing => verdict.nats >= NOTABLE_NATS,
            Detector::CommonPassword => verdict.nats >= NOTABLE_NATS && signal.nats > 0.0,
            Detector::PasswordGuessing | Detector::CodeGuessing => true,
            _ => false,
        });
        let Some(signal) = guessed else { return };
        if let Some(key) = self.findings.key_of(signal, act.endpoint, settled.at, hasher) {
            self.findings.succeeded(key, identity.attempted);
        }
    }

    /// Notes that a stranger found an endpoint that nobody used for long. It is a finding on the
    /// endpoint, and a grave one where its finder was looking for such.
    pub(crate) fn note_forgotten(
        &mut self,
        settled: &Settled,
        found: &Signal,
        place: Option<EndpointId>,
        event: EventId,
        hasher: &Hasher,
        now: Timestamp,
    ) {
        let verdict = &settled.verdict;
        let walks = verdict.signals.iter().any(|it| it.detector == Detector::VersionWalk);
        let severity = if walks { Severity::High } else { Severity::Medium };
        let sighted = Sighted { verdict, signal: found, place, event, now };
        let catalog = &self.catalog;
        self.findings.sight(&sighted, hasher, |id| catalog.label(id));
        if let Some(key) = self.findings.key_of(found, place, now, hasher) {
            self.findings.raise(key, severity);
        }
    }

    /// Marks the finding of a probe that was answered with success.
    pub(crate) fn note_answered_probe(&mut self, settled: &Settled, hasher: &Hasher) {
        let Some(signal) = settled.verdict.signals.first() else { return };
        if let Some(key) = self.findings.key_of(signal, settled.act.endpoint, settled.at, hasher) {
            self.findings.succeeded(key, None);
        }
    }

    /// Counts an exchange.
    pub(crate) fn count(
        &mut self,
        settled: &Settled,
        endpoint: Option<EndpointId>,
        status: u16,
        bytes: u64,
        took_us: u64,
    ) {
        let key = RollupKey {
            minute: settled.at.minute(),
            endpoint,
            status_class: u8::try_from(status / 100).unwrap_or(0),
            action: settled.verdict.action,
            enforced: settled.verdict.is_refusal(),
        };
        self.rollups.count(key, bytes, took_us);
    }

    /// Counts what kind of exchange it was, and which vulnerabilities it tried.
    pub(crate) fn tally(
        &mut self,
        pass: &Pass,
        settled: &Settled,
        role: Role,
        surface: Surface,
        status: u16,
    ) {
        let verdict = &settled.verdict;
        let is_refused = verdict.is_refusal();
        let counted = match pass.policy.site(&pass.route) {
            Some(site) => {
                let is_known = settled.act.identity.established;
                let known = is_known.then(|| settled.act.caller());
                let fared = Fared { known, is_refused, status };
                self.welfare.count(&site.name, fared, settled.at)
            }
            None => self.welfare.of_no_site(),
        };
        let class = u8::try_from(status / 100).unwrap_or(0);
        counted.exchange((verdict.action, is_refused, class));
        let is_notable =
            verdict.would_refuse() || verdict.exception.is_some() || verdict.nats >= NOTABLE_NATS;
        if let Some(signal) = verdict.signals.first().filter(|_| is_notable) {
            counted.detection(signal.detector, verdict.action, is_refused);
        }
        self.rule_hits.add(pass.inspection.iter().flat_map(|it| it.all_found()));
        let kind = tally::kind(pass, settled, role, surface, &self.standing);
        self.tallies.count(settled.at, TallyKey::Exchange(kind));
        if pass.is_suspicious() {
            let answered = (200..300).contains(&status);
            for cve in tally::probes(pass) {
                self.tallies.count(settled.at, TallyKey::Probe { cve, answered });
            }
        }
    }

    /// Counts the bodies that went on without having been looked at to their end.
    pub(crate) fn count_body(&mut self, seen: BodySeen) {
        match seen {
            BodySeen::Whole => {}
            BodySeen::InPart => self.bodies_in_part += 1,
            BodySeen::NotAtAll => self.bodies_unread += 1,
        }
    }

    /// How full the tables are.
    pub(crate) fn overview(&self) -> Overview {
        Overview {
            seq: self.seq,
            endpoints: self.catalog.len(),
            tables: self.conduct.tables(),
            callers: self.callers.fill(),
            bodies_in_part: self.bodies_in_part,
            bodies_unread: self.bodies_unread,
            cut_short: self.cut_short,
            failed_closed: self.failed_closed,
        }
    }
}
