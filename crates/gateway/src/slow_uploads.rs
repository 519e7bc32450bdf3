//! Uploads that come slowly, by source.
//!
//! Many upstreams give a whole worker to each request and have few of them. A handful of uploads at
//! the least pace that bodies are held to would keep all of them busy for hours. So a source may
//! have few uploads on their way to an upstream that come slower than honest networks are; one more
//! is broken off. Counted over all workers, and only once an upload has turned out to be slow.

use std::{
    collections::HashMap,
    net::IpAddr,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{sources::Source, ticker::Ticker, upload::Pace};

/// Slow uploads of one source at a time: an upstream with four workers has one left.
const PER_SOURCE: u32 = 3;
/// An upload is slow that brings less, after a while: a telephone at the edge of its network does
/// better.
const BYTES_PER_S: u64 = 8 << 10;
const AFTER: Duration = Duration::from_secs(5);

/// The slow uploads of each source.
#[derive(Clone, Debug, Default)]
pub struct SlowUploads(Arc<Mutex<HashMap<IpAddr, u32>>>);

/// A slow upload, counted until it is dropped.
struct SlowUpload {
    of: SlowUploads,
    source: IpAddr,
}

/// Watches whether an upload is slow, and counts it when it is.
pub(crate) struct Watch {
    pace: Pace,
    of: SlowUploads,
    source: IpAddr,
    counted: Option<SlowUpload>,
}

impl SlowUploads {
    fn begin(&self, source: IpAddr) -> Option<SlowUpload> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(source).or_default();
        if *count >= PER_SOURCE {
            return None;
        }
        *count += 1;
        Some(SlowUpload { of: self.clone(), source })
    }
}

impl Drop for SlowUpload {
    fn drop(&mut self) {
        let mut counts = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.source);
            }
        }
    }
}

impl Watch {
    /// Of an upload from `source`; none where that speaks for many.
    pub(crate) fn new(of: &SlowUploads, source: &Source, ticker: &Rc<Ticker>) -> Option<Box<Self>> {
        let watch = || {
            Box::new(Self {
                pace: Pace::least(Rc::clone(ticker), AFTER, BYTES_PER_S),
                of: of.clone(),
                source: source.address(),
                counted: None,
            })
        };
        (!source.speaks_for_others()).then(watch)
    }

    /// How long the caller has us wait, and for what.
    pub(crate) const fn pace(&mut self) -> Option<&mut Pace> {
        if self.counted.is_none() { Some(&mut self.pace) } else { None }
    }

    /// The upload is slow: whether there may be one more of them.
    pub(crate) fn is_allowed(&mut self) -> bool {
        self.counted = self.of.begin(self.source);
        self.counted.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_few_and_is_forgotten_with_its_last() {
        let slow = SlowUploads::default();
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|it| it.parse().expect("an address"));
        let mut begun: Vec<_> = (0..4).map(|_| slow.begin(one)).collect();
        assert!(begun[2].is_some() && begun[3].is_none());
        assert!(slow.begin(other).is_some());
        begun.truncate(2);
        assert!(slow.begin(one).is_some());
        drop(begun);
        assert!(slow.0.lock().expect("the counts").is_empty());
    }
}
