//! A town in virtual time: an API, its honest callers, and whoever attacks it.
//!
//! Everybody in it is an [`Actor`] that makes a call, sees the answer, and decides what to do
//! next and when. Days pass in seconds, through the real engine, and the same seed gives the same
//! days.

pub mod actor;
pub mod attackers;
pub mod basic;
pub mod crawlers;
pub mod crowds;
pub mod faces;
pub mod guessers;
pub mod impostors;
pub mod lists;
mod patches;
pub mod probers;
pub mod scenario;
pub mod shop;
pub mod shoppers;
pub mod walkers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use http::HeaderValue;
use shield::Engine;
use shield::timeline::{Arrivals, Call, Outcome, Reply, Timeline, World};
use traffic::{Action, Detector, Disguise, Reason, Timestamp};

use actor::{Actor, Asked};
use shop::Shop;

/// When the first day begins: Monday, 2026-01-05T00:00:00Z.
pub const MONDAY: Timestamp = Timestamp::from_micros(1_767_571_200_000_000);

/// The town.
pub struct Town {
    shop: Shop,
    actors: Vec<Box<dyn Actor>>,
    tallies: Vec<Tally>,
    /// The key that is built into the application of this shop: every call has it.
    app_key: Option<HeaderValue>,
}

/// What happened to one actor's calls.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Calls made.
    pub calls: u64,
    /// Calls that reached the upstream.
    pub forwarded: u64,
    /// Calls refused with 429.
    pub delayed: u64,
    /// Calls refused with 403.
    pub denied: u64,
    /// Distinct accounts whose log-in reached the upstream.
    pub accounts: BTreeSet<String>,
    /// Distinct paths that reached the upstream and do not exist.
    pub misses: BTreeSet<String>,
    /// The most calls that reached the upstream within an hour.
    pub busiest_hour: u64,
    /// When those of the last hour did.
    hour: VecDeque<Timestamp>,
    /// Calls that were taken for touches of a decoy.
    pub decoys: u64,
    /// Calls in which a disguise counted, by its kind.
    pub disguises: BTreeMap<Disguise, u64>,
    /// The verdict was to refuse, whether it was carried out or not.
    pub would_refuse: u64,
}

impl Town {
    /// A town around `shop` in which nobody lives yet.
    #[must_use]
    pub fn new(shop: Shop) -> Self {
        Self { shop, actors: Vec::new(), tallies: Vec::new(), app_key: None }
    }

    /// The same, with an application that sends this key with every call.
    #[must_use]
    pub fn with_app_key(mut self, key: &str) -> Self {
        self.app_key = HeaderValue::from_str(key).ok().filter(|key| !key.is_empty());
        self
    }

    fn sent(&self, mut call: Call) -> Call {
        if let Some(key) = &self.app_key {
            call.headers.insert("x-api-key", key.clone());
        }
        call
    }

    /// Runs the town until `until` with `newcomers`, who make their first calls at their times.
    pub fn live(
        &mut self,
        engine: &Engine,
        newcomers: Vec<Box<dyn Actor>>,
        until: Timestamp,
    ) -> Vec<usize> {
        let mut timeline = Timeline::new(engine);
        let first = self.actors.len();
        for mut actor in newcomers {
            let index = self.actors.len();
            for Asked { at, call } in actor.begin() {
                timeline.arrive(at, index, self.sent(call));
            }
            self.actors.push(actor);
            self.tallies.push(Tally::default());
        }
        timeline.run_until(until, self);
        (first..self.actors.len()).collect()
    }

    /// What happened to an actor's calls.
    #[must_use]
    pub fn tally(&self, actor: usize) -> Tally {
        self.tallies.get(actor).cloned().unwrap_or_default()
    }

    /// What happened to the calls of all actors of `kind`, together.
    #[must_use]
    pub fn tally_of(&self, kind: &str) -> Tally {
        let mut sum = Tally::default();
        for (_, tally) in
            self.actors.iter().zip(&self.tallies).filter(|(actor, _)| actor.kind() == kind)
        {
            sum.add(tally);
        }
        sum
    }
}

impl World for Town {
    type Sender = usize;

    fn answer(&mut self, sender: &mut usize, call: &Call, now: Timestamp) -> Option<Reply> {
        let reply = self.shop.answer(call, now);
        if let Some(tally) = self.tallies.get_mut(*sender) {
            tally.forwarded += 1;
            tally.note_hour(now);
            if let Some(account) = shop::attempted(call) {
                tally.accounts.insert(account);
            }
            if reply.status == 404 {
                tally.misses.insert(String::from_utf8_lossy(&call.target).into_owned());
            }
        }
        Some(reply)
    }

    fn ended(
        &mut self,
        sender: usize,
        call: Call,
        outcome: Outcome,
        arrivals: &mut Arrivals<usize>,
    ) {
        let Some(actor) = self.actors.get_mut(sender) else { return };
        if let Some(tally) = self.tallies.get_mut(sender) {
            tally.calls += 1;
            let is_decoy = |it: &traffic::Signal| it.detector == Detector::Decoy;
            tally.decoys += u64::from(outcome.verdict.signals.iter().any(is_decoy));
            for disguise in disguises(&outcome) {
                *tally.disguises.entry(disguise).or_default() += 1;
            }
            tally.would_refuse += u64::from(outcome.verdict.action.refuses());
            if outcome.verdict.is_refusal() {
                tally.denied += u64::from(outcome.verdict.action == Action::Deny);
                tally.delayed += u64::from(outcome.verdict.action != Action::Deny);
            }
        }
        let refused = outcome.verdict.is_refusal();
        for Asked { at, call } in actor.answered(&call, refused, outcome.status, outcome.at) {
            arrivals.push(at.max(outcome.at), sender, self.sent(call));
        }
    }
}

/// The disguises that speak against a call, each once.
fn disguises(outcome: &Outcome) -> BTreeSet<Disguise> {
    let counted = outcome.verdict.signals.iter().filter(|signal| signal.nats > 0.0);
    let named = counted.filter_map(|signal| match signal.reason {
        Reason::Disguise(disguise) => Some(disguise),
        _ => None,
    });
    named.collect()
}

/// The hour of [`Tally::busiest_hour`].
const HOUR: Duration = Duration::from_secs(3_600);

impl Tally {
    fn note_hour(&mut self, now: Timestamp) {
        while self.hour.front().is_some_and(|first| now.since(*first) >= HOUR) {
            self.hour.pop_front();
        }
        self.hour.push_back(now);
        self.busiest_hour = self.busiest_hour.max(u64::try_from(self.hour.len()).unwrap_or(0));
    }

    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.forwarded += other.forwarded;
        self.delayed += other.delayed;
        self.denied += other.denied;
        self.busiest_hour = self.busiest_hour.max(other.busiest_hour);
        self.decoys += other.decoys;
        self.would_refuse += other.would_refuse;
        for (disguise, count) in &other.disguises {
            *self.disguises.entry(*disguise).or_default() += count;
        }
        self.accounts.extend(other.accounts.iter().cloned());
        self.misses.extend(other.misses.iter().cloned());
    }
}
