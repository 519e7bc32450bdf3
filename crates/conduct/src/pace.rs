//! How fast honest callers call each endpoint, and the limit that follows from it.
//!
//! For each caller and endpoint the requests of the running minute and of the running ten seconds
//! are counted; when one is over, its count goes into the endpoint's histogram. A limit is
//! suggested from the histograms' upper ends once a day of at least fifty callers is in them.
//! Nothing here limits anything.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use traffic::slices::{SliceReader, SliceWriter, Sliced};
use traffic::{Digest, EndpointId, Timestamp};

use crate::baseline::DAY_S;
use crate::linear_count::LinearCount;
use crate::nats;
use crate::table::{Line, Table};
use crate::view::Suggestion;

/// No limit is suggested below this.
const PER_MINUTE_MIN: u32 = 10;
const CALLERS_MIN: u32 = 50;
const MINUTE_S: u32 = 60;
const BURST_S: u32 = 10;

/// The pace of every endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Paces {
    running: Table<Running>,
    endpoints: ByEndpoint,
}

/// The paces of endpoints, as many as there is room for.
#[derive(Clone, Debug)]
struct ByEndpoint {
    paces: BTreeMap<EndpointId, Pace>,
    paces_max: usize,
}

/// What one caller does on one endpoint right now.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Running {
    minute: u32,
    in_minute: u16,
    tenth: u32,
    in_tenth: u16,
}

/// What callers did on one endpoint.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Pace {
    since_s: u32,
    callers: LinearCount,
    minutes: Histogram,
    tenths: Histogram,
}

/// Counts of counts: exact up to 8, then in steps of an eighth of an octave.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Histogram(Vec<u32>);

impl Paces {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            running: Table::new(bytes / 2),
            endpoints: ByEndpoint { paces: BTreeMap::new(), paces_max: endpoints_max(bytes / 2) },
        }
    }

    /// Counts one request of a caller without suspicion.
    pub(crate) fn learn(&mut self, endpoint: EndpointId, caller: Digest, now: Timestamp) {
        let now_s = now.as_secs();
        let key = caller.then(Digest(u64::from(endpoint.0)));
        let mut running = self.running.read(key).unwrap_or_default();
        let (minute, tenth) = (now_s / MINUTE_S, now_s / BURST_S);
        if tenth > running.tenth {
            self.close(endpoint, caller, &running, minute > running.minute, now_s);
            running.tenth = tenth;
            running.in_tenth = 0;
        }
        if minute > running.minute {
            running.minute = minute;
            running.in_minute = 0;
        }
        running.in_tenth = running.in_tenth.saturating_add(1);
        running.in_minute = running.in_minute.saturating_add(1);
        self.running.write(key, now_s, running);
    }

    /// The limit that would spare honest callers of `endpoint`, when that is known.
    pub(crate) fn suggestion(&self, endpoint: EndpointId, now: Timestamp) -> Option<Suggestion> {
        let pace = self.endpoints.paces.get(&endpoint)?;
        let callers = nats::count(pace.callers.estimate());
        let watched_s = now.as_secs().saturating_sub(pace.since_s);
        if callers < CALLERS_MIN || watched_s < DAY_S {
            return None;
        }
        let per_minute = pace.minutes.quantile(99, 100).saturating_mul(3).max(PER_MINUTE_MIN);
        let burst = pace.tenths.quantile(999, 1_000).clamp(1, per_minute);
        Some(Suggestion { endpoint, per_minute, burst, callers })
    }

    /// All suggestions, by endpoint.
    pub(crate) fn suggestions(&self, now: Timestamp) -> Vec<Suggestion> {
        self.endpoints.paces.keys().filter_map(|endpoint| self.suggestion(*endpoint, now)).collect()
    }

    pub(crate) const fn table(&self) -> &Table<Running> {
        &self.running
    }

    /// What is kept over a restart.
    pub(crate) const fn parts(&mut self) -> [&mut dyn Sliced; 2] {
        [&mut self.running, &mut self.endpoints]
    }

    fn close(
        &mut self,
        endpoint: EndpointId,
        caller: Digest,
        over: &Running,
        is_minute_over: bool,
        now_s: u32,
    ) {
        let ByEndpoint { paces, paces_max } = &mut self.endpoints;
        let is_full = paces.len() >= *paces_max;
        let pace = match paces.entry(endpoint) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(_) if is_full => return,
            std::collections::btree_map::Entry::Vacant(place) => place.insert(Pace {
                since_s: now_s,
                callers: LinearCount::default(),
                minutes: Histogram::default(),
                tenths: Histogram::default(),
            }),
        };
        pace.callers.insert(caller);
        if over.in_tenth > 0 {
            pace.tenths.count(u32::from(over.in_tenth));
        }
        if is_minute_over && over.in_minute > 0 {
            pace.minutes.count(u32::from(over.in_minute));
        }
    }
}

/// Two histograms of at most [`Histogram::STEPS`] and what surrounds them.
fn endpoints_max(bytes: usize) -> usize {
    (bytes / (2 * 4 * Histogram::STEPS + 128)).max(16)
}

impl Sliced for ByEndpoint {
    fn write_slice(&self, from: u64, slice: &mut SliceWriter) -> Option<u64> {
        self.paces.write_slice(from, slice)
    }

    fn read_slice(&mut self, slice: &mut SliceReader<'_>, _: Timestamp) -> Option<()> {
        while !slice.is_empty() {
            let (endpoint, pace) = slice.pull()?;
            if self.paces.len() < self.paces_max {
                self.paces.insert(endpoint, pace);
            }
        }
        Some(())
    }
}

impl Line for Running {
    /// What was called lately and often.
    fn worth(&self, now_s: u32) -> f32 {
        let idle_min = (now_s / MINUTE_S).saturating_sub(self.minute);
        f32::from(self.in_minute).min(8.0) - nats::number(idle_min)
    }
}

impl Histogram {
    const STEPS: usize = 116;
    /// Above this many observations, all are halved, so that the past fades.
    const OBSERVATIONS_MAX: u32 = 1 << 20;

    fn count(&mut self, value: u32) {
        let step = step_of(value).min(Self::STEPS - 1);
        if self.0.len() <= step {
            self.0.resize(step + 1, 0);
        }
        if let Some(count) = self.0.get_mut(step) {
            *count = count.saturating_add(1);
            if *count > Self::OBSERVATIONS_MAX {
                self.0.iter_mut().for_each(|count| *count /= 2);
            }
        }
    }

    /// The least value that at least `part` of `whole` observations do not exceed.
    fn quantile(&self, part: u64, whole: u64) -> u32 {
        let all: u64 = self.0.iter().map(|count| u64::from(*count)).sum();
        let mut below = 0;
        for (step, count) in self.0.iter().enumerate() {
            below += u64::from(*count);
            if below * whole >= all * part && below > 0 {
                return most_of(step);
            }
        }
        0
    }
}

/// Steps 0 to 8 are the values themselves; each octave above has eight.
fn step_of(value: u32) -> usize {
    if value <= 8 {
        return value as usize;
    }
    let octave = value.ilog2();
    let eighth = (value >> (octave - 3)) & 7;
    ((octave - 3) * 8 + eighth + 8) as usize
}

/// The greatest value of a step.
fn most_of(step: usize) -> u32 {
    let step = u32::try_from(step).unwrap_or(0);
    if step <= 8 {
        return step;
    }
    let (octave, eighth) = ((step - 8) / 8, (step - 8) % 8);
    (((9 + eighth) << octave).max(1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_what_they_say() {
        let mut before = 0;
        for value in 1..20_000_u32 {
            let step = step_of(value);
            let most = most_of(step);
            assert!(value <= most && most <= value + value / 8, "{value} in step {step}: {most}");
            assert!(step >= before && step < Histogram::STEPS);
            before = step;
        }
        assert!(step_of(u32::from(u16::MAX)) < Histogram::STEPS);
    }

    #[test]
    fn a_limit_is_suggested_after_a_day_of_fifty_callers() {
        let mut paces = Paces::new(1 << 20);
        let endpoint = EndpointId(3);
        let begin_s = 1_700_000_000_u32;
        let at = |s: u32| Timestamp::from_micros(u64::from(begin_s + s) * 1_000_000);
        for minute in 0..25 * 60 {
            for caller in 0..60_u32 {
                if (minute + caller) % 30 == 0 {
                    for call in 0..1 + caller % 8 {
                        let caller = Digest(u64::from(caller)).tagged(1);
                        paces.learn(endpoint, caller, at(minute * 60 + call * 5));
                    }
                }
            }
            if minute == 23 * 60 {
                assert!(paces.suggestion(endpoint, at(minute * 60)).is_none());
            }
        }
        let suggestion = paces.suggestion(endpoint, at(25 * 3_600)).expect("a suggestion");
        assert_eq!((suggestion.per_minute, suggestion.burst), (24, 2));
        assert!((50..75).contains(&suggestion.callers), "{}", suggestion.callers);
        assert!(paces.suggestion(EndpointId(4), at(0)).is_none());
    }

    #[test]
    fn endless_endpoints_stay_bounded() {
        let mut paces = Paces::new(64 * 1_024);
        for number in 0..50_000 {
            let now = Timestamp::from_micros(u64::from(number) * 1_000_000);
            paces.learn(EndpointId(number), Digest(1), now);
        }
        assert!(paces.endpoints.paces.len() <= paces.endpoints.paces_max);
    }
}
