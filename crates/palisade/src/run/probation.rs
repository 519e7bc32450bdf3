//! The ten minutes after a switch to enforcing: it is taken back by itself when it does harm.
//!
//! Harm is that callers who are known here are refused, or that they meet errors, far more than
//! before the switch. What happens to strangers is no harm: an attack that begins in that time is
//! refused as it should be, and whoever attacks must not be able to have enforcing taken back.
//!
//! An attacker may have accounts that are known here by now. So harm is told by heads and not by
//! requests, of which anybody can make thousands; it takes a share of all who are known and about;
//! of those who come from one address few count; and who touched a decoy, or probed for published
//! vulnerabilities, counts as nobody.

mod refused;

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use console::Refused;
use console::wire::ModeChange;
use ledger::{Entry, EventFilter, Grain, Ledger, Tail};
use shield::policy::Policy;
use shield::policy::overlay::{ModeScope, ModeSwitch};
use shield::{Engine, Fates, Welfare};
use traffic::{Action, Detector, Digest, Entity, Event, Finding, Mode, Net, Severity, Timestamp};

use super::instance::{RunningInstance, now};
use super::layer_log::{Before, Cell, LayerLog, Probation, TakenBack, cells};
use refused::Callers;

/// How long a switch is watched.
const LASTS: Duration = Duration::from_secs(600);
/// How far back is looked for what was usual.
const WELFARE_BACK: Duration = Duration::from_secs(1_800);
const CALLERS_BACK: Duration = Duration::from_secs(3_600);
/// Fewer known callers than this who are refused may be attackers with a session.
const KNOWN_CALLERS_MIN: u64 = 3;
/// Of the known callers that are about, one in so many may be one.
const KNOWN_ONE_IN: u64 = 100;
/// The share of requests by known callers that may be refused more than before.
const KNOWN_REFUSED_MORE: f64 = 0.01;
/// Errors beyond twice the usual share and this on top are a jump, …
const ERRORS_MORE: f64 = 0.1;
/// … if there are so many of them, …
const ERRORS_MIN: u64 = 20;
/// … and so many exchanges to compare with.
const EXCHANGES_MIN: u64 = 20;
/// With this share of all requests refused to strangers, an attack is on: errors are its doing.
const ATTACK_SHARE: f64 = 0.1;
/// Events read at a time.
const EVENTS_AT_ONCE: usize = 256;
const EVENTS_MAX: usize = 1_000;
/// Who takes it back, in the audit log.
const AUTHOR: &str = "palisade (probation)";

/// What watches over a switch.
pub(super) struct Guard {
    pub(super) log: LayerLog,
    tail: Tail,
    /// By site: the known callers that were refused since the switch.
    refused: BTreeMap<String, Callers>,
}

/// What a look at a probation comes to.
enum Look {
    Fine,
    Passed(Probation),
    Harm(Probation, String),
}

impl Guard {
    /// As it was left in the data folder, under the policy that is in force now. A switch that was
    /// on probation still is.
    pub(super) fn resume(ledger: &Ledger, policy: &Policy, now: Timestamp) -> Self {
        let tail = ledger.tail();
        let read = LayerLog::read(ledger.folder());
        // An installation that is older than the file has watched since it counts.
        let counted = || ledger.tallied_since(Grain::Hour).ok().flatten();
        let since = if read.is_some() { now } else { counted().unwrap_or(now) };
        let mut log = read.unwrap_or_else(|| LayerLog::empty(ledger.folder()));
        if log.take_in(policy, since) {
            log.keep();
        }
        let mut guard = Self { log, tail, refused: BTreeMap::new() };
        if let Some(probation) = guard.log.probation.clone() {
            for event in known_since(ledger, probation.at) {
                guard.note(&probation, &event);
            }
        }
        guard
    }

    fn look(&mut self, engine: &Engine, ledger: &Ledger, now: Timestamp) -> Look {
        let Some(probation) = self.log.probation.clone() else {
            self.tail = ledger.tail();
            self.refused.clear();
            return Look::Fine;
        };
        if now >= probation.until {
            self.log.probation = None;
            self.log.keep();
            return Look::Passed(probation);
        }
        loop {
            let (events, _) = ledger.follow(&mut self.tail, EVENTS_AT_ONCE);
            events.iter().for_each(|event| self.note(&probation, event));
            if events.len() < EVENTS_AT_ONCE {
                break;
            }
        }
        let found = probation.before.iter().find_map(|(site, before)| {
            let since = engine.welfare(site, probation.at, now);
            let callers = self.refused.get(site).map_or(0, Callers::heads);
            Some(format!("on site {site} {}", harm(before, &since, callers)?))
        });
        found.map_or(Look::Fine, |reason| Look::Harm(probation, reason))
    }

    fn note(&mut self, probation: &Probation, event: &Event) {
        let Some(layer) = event.layer.filter(|_| event.is_known && event.is_refused()) else {
            return;
        };
        let is_meant = |cell: &Cell| cell.site == event.site && cell.layer == layer;
        if event.at >= probation.at && probation.cells.iter().any(is_meant) {
            self.refused.entry(event.site.clone()).or_default().note(event);
        }
    }
}

/// The harm that was done, in words.
fn harm(before: &Before, since: &Welfare, known_callers: u64) -> Option<String> {
    let refused = since.known.refused_share().unwrap_or(0.0);
    let was_refused = before.welfare.known.refused_share().unwrap_or(0.0);
    let callers_min = KNOWN_CALLERS_MIN
        .max(before.known_callers.div_ceil(2))
        .max(since.known_callers.div_ceil(KNOWN_ONE_IN));
    if known_callers >= callers_min && refused >= was_refused + KNOWN_REFUSED_MORE {
        return Some(format!(
            "{known_callers} callers with an established session were refused, {} of their requests",
            percent(refused)
        ));
    }
    let of_all = since.others.refused as f64 / since.all().max(1) as f64;
    if of_all >= ATTACK_SHARE {
        return None;
    }
    let known = (&before.welfare.known, &since.known);
    let others = (&before.welfare.others, &since.others);
    if has_enough(known) {
        let share = |fates: &Fates| fates.error_share();
        return jump(known, share, since.known.wrong + since.known.failed)
            .filter(|_| is_shared(&before.welfare, since))
            .map(|(was, is)| format!("errors told to known callers rose from {was} to {is}"));
    }
    // What strangers ask for may be wrong by intent; that it fails is not their doing.
    let share = |fates: &Fates| fates.failure_share();
    let jumped = has_enough(others).then(|| jump(others, share, since.others.failed)).flatten();
    jumped.map(|(was, is)| format!("answers of 5xx rose from {was} to {is}"))
}

/// Whether so many of those who are known were told of errors that it is not one who looks for
/// them: as large a share of heads as of requests.
fn is_shared(before: &Welfare, since: &Welfare) -> bool {
    let share = |of: &Welfare| of.known_erring as f64 / of.known_callers.max(1) as f64;
    let least = KNOWN_CALLERS_MIN.min(before.known_callers.max(since.known_callers));
    since.known_erring >= least && share(since) >= ERRORS_MORE.max(share(before))
}

fn has_enough((before, since): (&Fates, &Fates)) -> bool {
    before.all() >= EXCHANGES_MIN && since.all() >= EXCHANGES_MIN
}

/// The shares before and since, when they are far apart.
fn jump(
    (before, since): (&Fates, &Fates),
    share: impl Fn(&Fates) -> Option<f64>,
    count: u64,
) -> Option<(String, String)> {
    let (was, is) = (share(before)?, share(since)?);
    let has_jumped = count >= ERRORS_MIN && is >= was * 2.0 + ERRORS_MORE;
    has_jumped.then(|| (percent(was), percent(is)))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Refusals of known callers since `from`, in fact or as they would have been.
fn known_since(ledger: &Ledger, from: Timestamp) -> Vec<Event> {
    let filter = EventFilter {
        from: Some(from),
        actions: vec![Action::Throttle, Action::Challenge, Action::Deny],
        known: true,
        limit: EVENTS_MAX,
        ..EventFilter::default()
    };
    match ledger.events(&filter) {
        Ok(page) => page.events,
        Err(error) => {
            tracing::warn!(%error, "refusals before now cannot be read");
            Vec::new()
        }
    }
}

// === the instance ===

impl RunningInstance {
    /// Looks whether a switch that is on probation does harm, and takes it back if so.
    pub(crate) fn look_at_probation(&self) {
        let looked = self.guard().look(&self.engine, &self.ledger, now());
        match looked {
            Look::Fine => {}
            Look::Passed(probation) => {
                tracing::warn!(what = probation.what, "it did no harm in ten minutes: it stays");
            }
            Look::Harm(probation, reason) => self.take_back(probation, reason),
        }
    }

    /// What enforces in `after` and did not before, as a probation to be.
    pub(super) fn probation(
        &self,
        what: &str,
        (before, after): (&Policy, &Policy),
        undo: &[ModeSwitch],
    ) -> Option<Probation> {
        let enforced = cells(before, |mode| mode == Mode::Enforce);
        let mut fresh = cells(after, |mode| mode == Mode::Enforce);
        fresh.retain(|cell| !enforced.contains(cell));
        if fresh.is_empty() {
            return None;
        }
        let at = now();
        let mut would_refuse: BTreeMap<String, Callers> = BTreeMap::new();
        for event in known_since(&self.ledger, at.before(CALLERS_BACK)) {
            let is_meant = |cell: &Cell| cell.site == event.site && Some(cell.layer) == event.layer;
            if event.would_be_refused() && fresh.iter().any(is_meant) {
                would_refuse.entry(event.site.clone()).or_default().note(&event);
            }
        }
        let usual = |cell: &Cell| {
            let welfare = self.engine.welfare(&cell.site, at.before(WELFARE_BACK), at);
            let known_callers = would_refuse.get(&cell.site).map_or(0, Callers::heads);
            (cell.site.clone(), Before { welfare, known_callers })
        };
        Some(Probation {
            what: what.to_owned(),
            at,
            until: at.after(LASTS),
            before: fresh.iter().map(usual).collect(),
            undo: undo.iter().map(order).collect(),
            cells: fresh,
        })
    }

    /// Takes in that somebody switches modes there; what begins to enforce by it is watched.
    pub(super) fn enter(&self, scope: &ModeScope, fresh: Option<Probation>) {
        let mut guard = self.guard();
        guard.log.settle(scope);
        if let Some(fresh) = fresh {
            guard.log.begin(fresh);
        }
        guard.log.keep();
    }

    fn take_back(&self, probation: Probation, reason: String) {
        let at = now();
        let mut failures: Vec<Refused> = Vec::new();
        for change in &probation.undo {
            failures.extend(self.switch_because(change, AUTHOR, &reason).err());
        }
        let reason = match failures.first() {
            None => reason,
            Some(failure) => format!("{reason}; it could NOT be taken back: {failure}"),
        };
        tracing::error!(what = probation.what, reason, "enforcing was taken back");
        self.ledger.record(Entry::Finding(Box::new(finding(&probation, &reason, at))));
        let Probation { what, cells, .. } = probation;
        let mut guard = self.guard();
        guard.log.probation = None;
        guard.log.remember(TakenBack { what, at, reason, cells });
        guard.log.keep();
    }

    pub(super) fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A switch as an order.
fn order(switch: &ModeSwitch) -> ModeChange {
    ModeChange {
        mode: switch.mode.map(|mode| mode.key().to_owned()),
        layers: switch.scope.layers.iter().map(ToString::to_string).collect(),
        site: switch.scope.site.clone(),
        route: switch.scope.route.clone(),
        author: String::new(),
        for_good: true,
    }
}

/// What incidents, and with them alerts, tell of it. It is about nobody, so about all.
fn finding(probation: &Probation, reason: &str, at: Timestamp) -> Finding {
    Finding {
        key: Digest(at.as_micros()).tagged(Detector::Probation as u8),
        detector: Detector::Probation,
        severity: Severity::High,
        entity: Entity::Net(Net::around([0, 0, 0, 0].into(), 0)),
        endpoint: None,
        title: format!("Enforcing was taken back ({}): {reason}", probation.what),
        first: probation.at,
        last: at,
        requests: 0,
        refused: 0,
        succeeded: false,
        victims: Vec::new(),
        action: Action::Allow,
        mode: Mode::Monitor,
        risk: 0,
        event: None,
    }
}

#[cfg(test)]
mod tests;
