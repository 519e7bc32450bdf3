//! How callers fare: how many of those who are known here, and of all others, were answered, told
//! of an error, or refused, over the last half hour.
//!
//! It is what a switch to enforcing is watched by. Counted where exchanges are counted anyway: one
//! look-up by the site's name and two numbers more, the other of which counts since the start.
//! Nothing is decided by it.

mod headcount;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use traffic::{Digest, Timestamp};

use crate::counts::{Counted, SiteCounts};
use headcount::Headcount;

/// How finely time is told apart.
const SLOT_S: u32 = 5;
/// So many slots are kept.
const SLOTS: usize = 360;
/// A policy has no more sites than this that are told apart; others are not counted.
const SITES_MAX: usize = 64;

/// How callers fared.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Welfare {
    /// Of those who are known here and in good standing.
    pub known: Fates,
    /// Of all others.
    pub others: Fates,
    /// How many there were who are known.
    #[serde(default)]
    pub known_callers: u64,
    /// How many of these were told of errors.
    #[serde(default)]
    pub known_erring: u64,
}

/// How often which end came.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Fates {
    /// Answered, whatever was in the answer but an error.
    pub answered: u64,
    /// Told by 4xx that the request was wrong, by the upstream.
    pub wrong: u64,
    /// Told by 5xx that it failed.
    pub failed: u64,
    /// Refused by us, on evidence.
    pub refused: u64,
}

/// How one exchange ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fared {
    /// Who it was, when it is somebody known.
    pub(crate) known: Option<Digest>,
    pub(crate) is_refused: bool,
    /// What the caller was told.
    pub(crate) status: u16,
}

/// The last half hour of each site.
#[derive(Debug, Default)]
pub(crate) struct WelfareBySite {
    sites: BTreeMap<Box<str>, Site>,
    /// Of sites that are not told apart, and of hosts that no site names.
    others: Counted,
}

#[derive(Debug, Default)]
struct Site {
    recent: Recent,
    counted: Counted,
}

/// A ring of slots.
#[derive(Debug)]
struct Recent {
    slots: Vec<Slot>,
    heads: Headcount,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Which slot of all time; what another says is of another round.
    number: u32,
    known: [u32; 4],
    others: [u32; 4],
}

impl Fates {
    /// All of them.
    pub const fn all(&self) -> u64 {
        self.answered + self.wrong + self.failed + self.refused
    }

    /// The share that got an error which is not our refusal; none of nothing.
    pub fn error_share(&self) -> Option<f64> {
        share(self.wrong + self.failed, self.answered + self.wrong + self.failed)
    }

    /// The share that failed.
    pub fn failure_share(&self) -> Option<f64> {
        share(self.failed, self.answered + self.wrong + self.failed)
    }

    /// The share that was refused.
    pub fn refused_share(&self) -> Option<f64> {
        share(self.refused, self.all())
    }

    fn add(&mut self, counts: [u32; 4]) {
        let [answered, wrong, failed, refused] = counts.map(u64::from);
        self.answered += answered;
        self.wrong += wrong;
        self.failed += failed;
        self.refused += refused;
    }
}

impl Welfare {
    /// Both together.
    pub const fn all(&self) -> u64 {
        self.known.all() + self.others.all()
    }
}

impl WelfareBySite {
    /// Counts one exchange.
    /// Counts one exchange. Gives what is counted of its site since the start.
    pub(crate) fn count(&mut self, site: &str, fared: Fared, at: Timestamp) -> &mut Counted {
        if !self.sites.contains_key(site) && self.sites.len() < SITES_MAX {
            self.sites.insert(site.into(), Site::default());
        }
        let Some(site) = self.sites.get_mut(site) else { return &mut self.others };
        site.recent.count(fared, at);
        &mut site.counted
    }

    /// What is counted since the start where no site is told apart.
    pub(crate) const fn of_no_site(&mut self) -> &mut Counted {
        &mut self.others
    }

    /// What was counted since the start by site; under no name, of those not told apart.
    pub(crate) fn counts(&self) -> BTreeMap<Option<String>, SiteCounts> {
        let named = self.sites.iter().map(|(name, site)| (Some(name.to_string()), &site.counted));
        let all = named.chain([(None, &self.others)]);
        all.map(|(name, counted)| (name, counted.told())).collect()
    }

    /// The sum of the slots that lie within, those at the edges left out.
    pub(crate) fn sum(&self, site: &str, from: Timestamp, to: Timestamp) -> Welfare {
        let mut sum = Welfare::default();
        let within = from.as_secs() / SLOT_S + 1..to.as_secs().div_ceil(SLOT_S);
        let Some(Site { recent, .. }) = self.sites.get(site) else { return sum };
        (sum.known_callers, sum.known_erring) = recent.heads.sum(from, to);
        for slot in recent.slots.iter().filter(|slot| within.contains(&slot.number)) {
            sum.known.add(slot.known);
            sum.others.add(slot.others);
        }
        sum
    }
}

impl Default for Recent {
    fn default() -> Self {
        Self { slots: vec![Slot::default(); SLOTS], heads: Headcount::default() }
    }
}

impl Recent {
    fn count(&mut self, fared: Fared, at: Timestamp) {
        let Fared { known, is_refused, status } = fared;
        let end = match status {
            _ if is_refused => 3,
            // The caller hung up: nobody told it anything.
            499 => return,
            500.. => 2,
            400..=499 => 1,
            _ => 0,
        };
        if let Some(caller) = known {
            self.heads.count(caller, matches!(end, 1 | 2), at);
        }
        let number = at.as_secs() / SLOT_S;
        let Some(slot) = self.slots.get_mut(place(number)) else { return };
        if slot.number != number {
            *slot = Slot { number, ..Slot::default() };
        }
        let counts = if known.is_some() { &mut slot.known } else { &mut slot.others };
        if let Some(count) = counts.get_mut(end) {
            *count = count.saturating_add(1);
        }
    }
}

const fn place(number: u32) -> usize {
    number as usize % SLOTS
}

#[allow(clippy::cast_precision_loss, reason = "counts of half an hour are small")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Timestamp {
        Timestamp::from_micros((1_700_000_000 + second) * 1_000_000)
    }

    fn fared(is_known: bool, is_refused: bool, status: u16) -> Fared {
        Fared { known: is_known.then_some(Digest(7)), is_refused, status }
    }

    #[test]
    fn ends_are_told_apart_by_caller_and_time() {
        let mut welfare = WelfareBySite::default();
        for second in 0..100 {
            welfare.count("shop", fared(true, false, 200), at(second));
            welfare.count("shop", fared(false, true, 403), at(second));
        }
        welfare.count("shop", fared(true, false, 404), at(50));
        welfare.count("shop", fared(true, false, 503), at(50));
        welfare.count("shop", fared(true, false, 499), at(50));
        let before = welfare.sum("shop", at(0), at(40));
        let after = welfare.sum("shop", at(40), at(100));
        assert_eq!((before.known.answered, before.known.wrong), (35, 0), "the edge is left out");
        assert_eq!((after.known.answered, after.known.wrong, after.known.failed), (55, 1, 1));
        assert_eq!(after.others.refused_share(), Some(1.0));
        assert_eq!((after.known_callers, after.known_erring), (1, 1));
        assert_eq!(after.known.refused_share(), Some(0.0));
        assert_eq!(welfare.sum("other", at(0), at(100)), Welfare::default());
    }

    #[test]
    fn what_is_long_ago_is_forgotten_and_sites_are_bounded() {
        let mut welfare = WelfareBySite::default();
        for second in (0..7_200).step_by(5) {
            welfare.count("shop", fared(true, false, 200), at(second));
        }
        assert!(welfare.sum("shop", at(0), at(7_200)).known.answered <= SLOTS as u64);
        for number in 0..1_000 {
            welfare.count(&format!("site-{number}"), fared(true, false, 200), at(0));
        }
        assert_eq!(welfare.sites.len(), SITES_MAX);
    }
}
