//! What is normal, place by place: a baseline for each endpoint or host group.
//!
//! There are only so many; beyond that, and before the catalog knows a place, all share one. A
//! place that has none of its own yet is judged by the shared one.

use std::collections::BTreeMap;

use traffic::slices::Sliced;
use traffic::{Detector, Digest, EndpointId, ServiceId};

use crate::baseline::{Baseline, Prior};
use crate::view::{BaselineView, Subject};

/// What a baseline is kept for.
pub(crate) trait Placed: Copy + Ord {
    /// Stands for all places without a baseline of their own.
    const SHARED: Self;
    /// More places than this share one baseline.
    const MAX: usize;

    /// How people are told of it.
    fn subject(self) -> Subject;
}

impl Placed for EndpointId {
    const SHARED: Self = Self(u32::MAX);
    const MAX: usize = 512;

    fn subject(self) -> Subject {
        if self == Self::SHARED { Subject::NotYetPlaced } else { Subject::Endpoint(self) }
    }
}

impl Placed for ServiceId {
    const SHARED: Self = Self(u32::MAX);
    const MAX: usize = 256;

    fn subject(self) -> Subject {
        if self == Self::SHARED { Subject::NotYetPlaced } else { Subject::Service(self) }
    }
}

/// Baselines by place.
#[derive(Clone, Debug)]
pub(crate) struct Baselines<P>(BTreeMap<P, Baseline>);

impl<P: Placed> Default for Baselines<P> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<P: Placed> Baselines<P>
where
    BTreeMap<P, Baseline>: Sliced,
{
    /// What is kept over a restart.
    pub(crate) const fn part(&mut self) -> &mut dyn Sliced {
        &mut self.0
    }
}

impl<P: Placed> Baselines<P> {
    /// What is normal at `place`.
    pub(crate) fn at(&self, place: Option<P>) -> Baseline {
        let own = place.and_then(|place| self.0.get(&place));
        own.or_else(|| self.0.get(&P::SHARED)).copied().unwrap_or_default()
    }

    /// Counts one observation of an unsuspected caller.
    pub(crate) fn learn(
        &mut self,
        place: Option<P>,
        prior: &Prior,
        is_bad: bool,
        caller: Digest,
        now_s: u32,
    ) {
        let is_full = self.0.len() >= P::MAX;
        let place = place.filter(|place| !is_full || self.0.contains_key(place));
        let baseline = self.0.entry(place.unwrap_or(P::SHARED)).or_default();
        baseline.learn(prior, is_bad, caller, now_s);
    }

    /// All of them, for people.
    pub(crate) fn views(
        &self,
        detector: Detector,
        prior: &'static Prior,
    ) -> impl Iterator<Item = BaselineView> + '_ {
        self.0.iter().map(move |(place, baseline)| {
            BaselineView::of(detector, place.subject(), baseline, prior)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stuffing::FIRST_TRIES;

    #[test]
    fn places_beyond_the_bound_share_a_baseline() {
        let mut baselines = Baselines::<EndpointId>::default();
        for place in 0..2_000 {
            baselines.learn(Some(EndpointId(place)), &FIRST_TRIES, true, Digest(1), 0);
        }
        let count = |place| baselines.at(Some(EndpointId(place))).observations();
        assert!(baselines.0.len() <= EndpointId::MAX + 1);
        assert_eq!(count(7), 1, "a baseline of its own");
        assert_eq!(count(1_999), 2_000 - u32::try_from(EndpointId::MAX).expect("small"), "shared");
        assert_eq!(baselines.at(None), baselines.at(Some(EndpointId(1_999))));
    }
}
