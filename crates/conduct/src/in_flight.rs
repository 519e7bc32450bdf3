//! How many attempts at a secret may wait for their answer at once.
//!
//! Evidence comes with the answers. Two hundred guesses sent together would all be upstream before
//! the first failure is seen, so a source may have few of them unanswered, and more only as its
//! log-ins succeed. The excess is held back and never scored: twenty people behind one address at
//! nine o'clock look just the same. Callers familiar to the account have places of their own, which
//! nobody else's attack can take. With HTTP Basic, a client sends the same pair with all it asks
//! for at once: that is one attempt, and only the first of them needs a place.

use std::collections::BTreeMap;

use traffic::{Digest, Timestamp};

use crate::act::Act;

/// Unanswered attempts that every source may have.
const PER_SOURCE: u32 = 4;
/// Unanswered attempts that one account may have against it.
const PER_ACCOUNT: u32 = 4;
/// Sources and accounts with unanswered attempts, of unfamiliar callers and of familiar ones each.
const KEYS_MAX: usize = 8_192;
/// A place that was not given back for so long is taken back: no log-in takes that long.
const LOST_US: u64 = 600 * 1_000_000;
/// How often lost places are looked for when there are no others.
const SWEEP_EVERY_US: u64 = 1_000_000;

/// The answer to "may this attempt go upstream now?".
#[derive(Debug)]
pub enum Admission {
    /// The request tries no secret: there is nothing to count.
    Free,
    /// It may go. The place is given back by [`crate::Conduct::release`], however the request ends.
    Taken(Place),
    /// Not now: hold it back until others are answered.
    Full {
        /// How many are unanswered.
        unanswered: u32,
        /// How many may be.
        allowed: u32,
    },
}

/// A place among the unanswered attempts.
#[derive(Debug, Eq, PartialEq)]
#[must_use = "a place that is not released counts as an unanswered attempt"]
pub struct Place {
    is_familiar: bool,
    source: Option<Digest>,
    account: Option<Digest>,
}

/// The unanswered attempts. They do not survive a restart, as the requests do not.
#[derive(Clone, Debug, Default)]
pub(crate) struct InFlight {
    strangers: Flights,
    familiars: Flights,
}

/// Unanswered attempts by source and by account.
#[derive(Clone, Debug, Default)]
struct Flights {
    by_key: BTreeMap<Digest, Flight>,
    swept_us: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Flight {
    unanswered: u32,
    last_us: u64,
}

impl InFlight {
    /// Takes a place for `act`. `succeeded` is how many log-ins of established accounts its source
    /// has just had.
    pub(crate) fn admit(&mut self, act: &Act, succeeded: u32, now: Timestamp) -> Admission {
        if !act.role.tries_a_secret() {
            return Admission::Free;
        }
        let is_familiar = act.identity.familiar;
        let pair = act.guess.password.filter(|_| act.guess.is_basic);
        let pair = pair.map(|pair| pair.tagged(0xba));
        if pair.is_some_and(|pair| self.of(is_familiar).unanswered(pair, now) > 0) {
            return Admission::Free;
        }
        let place = Place {
            is_familiar,
            source: (!is_familiar).then_some(act.keys.address.tagged(0x50)),
            account: pair.or(act.identity.attempted.map(|account| account.tagged(0xac))),
        };
        let allowed_source = PER_SOURCE.max(succeeded.saturating_mul(2));
        let flights = self.of(is_familiar);
        for (key, allowed) in [(place.source, allowed_source), (place.account, PER_ACCOUNT)] {
            let unanswered = key.map_or(0, |key| flights.unanswered(key, now));
            if unanswered >= allowed {
                return Admission::Full { unanswered, allowed };
            }
        }
        if flights.is_full(now) {
            let all = u32::try_from(KEYS_MAX).unwrap_or(u32::MAX);
            return Admission::Full { unanswered: all, allowed: all };
        }
        for key in [place.source, place.account].into_iter().flatten() {
            flights.take(key, now);
        }
        Admission::Taken(place)
    }

    /// Gives a place back.
    pub(crate) fn release(&mut self, place: &Place) {
        let flights = self.of(place.is_familiar);
        for key in [place.source, place.account].into_iter().flatten() {
            flights.release(key);
        }
    }

    const fn of(&mut self, is_familiar: bool) -> &mut Flights {
        if is_familiar { &mut self.familiars } else { &mut self.strangers }
    }
}

impl Flights {
    fn unanswered(&self, key: Digest, now: Timestamp) -> u32 {
        self.by_key.get(&key).filter(|flight| !flight.is_lost(now)).map_or(0, |f| f.unanswered)
    }

    fn take(&mut self, key: Digest, now: Timestamp) {
        let flight = self.by_key.entry(key).or_default();
        if flight.is_lost(now) {
            flight.unanswered = 0;
        }
        flight.unanswered += 1;
        flight.last_us = now.as_micros();
    }

    fn release(&mut self, key: Digest) {
        if let Some(flight) = self.by_key.get_mut(&key) {
            flight.unanswered = flight.unanswered.saturating_sub(1);
            if flight.unanswered == 0 {
                self.by_key.remove(&key);
            }
        }
    }

    /// Whether there is no room for a source and an account more, once what was lost is gone.
    fn is_full(&mut self, now: Timestamp) -> bool {
        let is_full = |flights: &Self| flights.by_key.len() + 2 > KEYS_MAX;
        if is_full(self) && now.as_micros().saturating_sub(self.swept_us) >= SWEEP_EVERY_US {
            self.swept_us = now.as_micros();
            self.by_key.retain(|_, flight| !flight.is_lost(now));
        }
        is_full(self)
    }
}

impl Flight {
    const fn is_lost(&self, now: Timestamp) -> bool {
        now.as_micros().saturating_sub(self.last_us) >= LOST_US
    }
}

#[cfg(test)]
mod tests;
