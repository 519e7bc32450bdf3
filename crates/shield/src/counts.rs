//! What was counted since the start, for whoever watches the gateway from outside.
//!
//! Exchanges by site are one addition each, where the site is looked up anyway. Detections and
//! matches of rules are counted where there are any. Nothing is decided by it, nothing is kept over
//! a restart, and what a caller sends makes no new line.

use std::collections::BTreeMap;

use traffic::{Action, Detector};

use crate::inspection::Found;

/// Rules that are counted one by one; the rest are counted together. The Core Rule Set has some
/// six hundred, and no policy loads thousands that match.
const RULES_MAX: usize = 1_000;
/// Classes of status: 1xx to 5xx, and what is none.
const CLASSES: usize = 6;

/// How exchanges ended: what the evidence asked for, whether that was done, and the first digit of
/// the status.
pub type Ended = (Action, bool, u8);

/// What was counted of one site.
#[derive(Clone, Debug, Default)]
pub struct SiteCounts {
    /// Exchanges.
    pub exchanges: BTreeMap<Ended, u64>,
    /// Exchanges in which a detector found something, by the one that found most, and by what the
    /// evidence asked for and whether that was done.
    pub detections: BTreeMap<(Detector, Action, bool), u64>,
}

/// The same as it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    exchanges: [[[u64; CLASSES]; 2]; Action::ALL.len()],
    detections: BTreeMap<(Detector, Action, bool), u64>,
}

/// Matches of rules.
#[derive(Clone, Debug, Default)]
pub struct RuleHits {
    /// Requests and answers in which a rule matched, by its number.
    pub by_rule: BTreeMap<u64, u64>,
    /// Those of rules that are not counted one by one.
    pub others: u64,
}

impl Counted {
    pub(crate) fn exchange(&mut self, (action, is_enforced, class): Ended) {
        let class = usize::from(class).min(CLASSES - 1);
        let by_class = self.exchanges.get_mut(action as usize);
        let by_class = by_class.and_then(|modes| modes.get_mut(usize::from(is_enforced)));
        if let Some(count) = by_class.and_then(|classes| classes.get_mut(class)) {
            *count += 1;
        }
    }

    pub(crate) fn detection(&mut self, by: Detector, action: Action, is_enforced: bool) {
        *self.detections.entry((by, action, is_enforced)).or_default() += 1;
    }

    /// What was counted.
    pub(crate) fn told(&self) -> SiteCounts {
        let mut exchanges = BTreeMap::new();
        for (action, modes) in Action::ALL.into_iter().zip(&self.exchanges) {
            for (is_enforced, classes) in [false, true].into_iter().zip(modes) {
                for (class, count) in (0_u8..).zip(classes).filter(|(_, count)| **count > 0) {
                    exchanges.insert((action, is_enforced, class), *count);
                }
            }
        }
        SiteCounts { exchanges, detections: self.detections.clone() }
    }
}

impl RuleHits {
    /// Counts what was found in one exchange.
    pub(crate) fn add<'a>(&mut self, found: impl Iterator<Item = &'a Found>) {
        for found in found {
            let has_room = self.by_rule.len() < RULES_MAX;
            match self.by_rule.get_mut(&found.rule) {
                Some(count) => *count += 1,
                None if has_room => {
                    self.by_rule.insert(found.rule, 1);
                }
                None => self.others += 1,
            }
        }
    }
}
