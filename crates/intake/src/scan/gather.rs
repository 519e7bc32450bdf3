//! Findings as they leave the engine, each in its last state and with the line that tells of it.

use std::collections::BTreeMap;

use shield::Engine;
use traffic::{Digest, EventId, Finding};

use crate::input::place_of;

/// More findings than this are not kept: someone with many addresses makes many.
const FINDINGS_MAX: usize = 100_000;

/// Where a finding shows in the input.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Evidence {
    /// Which input, from 0 in the order of reading.
    pub input: usize,
    /// Which line of it, from 1; of a HAR document, which entry.
    pub line: u64,
}

/// A finding and its place.
#[derive(Clone, Debug)]
pub struct Found {
    /// The finding.
    pub finding: Finding,
    /// The line that tells it best.
    pub evidence: Evidence,
}

/// The findings so far.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    found: BTreeMap<Digest, Found>,
    pub(crate) dropped: u64,
}

impl Evidence {
    /// Where the event of a finding happened.
    pub fn of(finding: &Finding) -> Self {
        let event = finding.event.as_deref().and_then(|event| event.parse::<EventId>().ok());
        let n = event.map_or(0, |event| u64::try_from(event.0 & u128::from(u64::MAX)).unwrap_or(0));
        let (input, line) = place_of(n);
        Self { input: usize::try_from(input).unwrap_or(usize::MAX), line }
    }
}

impl Gathered {
    /// Takes what changed out of the engine, and tells it on.
    pub(crate) fn take(&mut self, engine: &Engine, told: &mut dyn FnMut(&[Finding])) {
        let changed = engine.take_findings();
        if changed.is_empty() {
            return;
        }
        told(&changed);
        for finding in changed {
            let has_room = self.found.len() < FINDINGS_MAX;
            if has_room || self.found.contains_key(&finding.key) {
                let evidence = Evidence::of(&finding);
                self.found.insert(finding.key, Found { finding, evidence });
            } else {
                self.dropped += 1;
            }
        }
    }

    pub(crate) fn into_found(self) -> Vec<Found> {
        self.found.into_values().collect()
    }
}
