//! Which accounts a source has tried, and what its first try came to.
//!
//! Only the first outcome of a source and an account counts as evidence; somebody who mistypes ten
//! times has tried one account. The memory is exact for half a day and bounded for ever.

use serde::{Deserialize, Serialize};
use traffic::Digest;

use crate::nats::decayed;
use crate::stuffing::HALF_LIFE_S;
use crate::table::{Line, Table};

/// How long a first try is remembered.
const MEMORY_S: u32 = 12 * 3_600;

/// First tries by source and account.
#[derive(Clone, Debug)]
pub(crate) struct Pairs(Table<Pair>);

/// What one source did with one account.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Pair {
    /// When the first try was answered.
    first_s: u32,
    /// What it added to the source's suspicion and has not been given back.
    nats: f32,
}

impl Pairs {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Table::new(bytes))
    }

    /// The first try of `source` at `account`, while it is remembered.
    pub(crate) fn first_try(&self, source: Digest, account: Digest, now_s: u32) -> Option<Pair> {
        let pair = self.0.read(source.then(account))?;
        (now_s.saturating_sub(pair.first_s) < MEMORY_S).then_some(pair)
    }

    /// Notes a first try that added `nats`.
    pub(crate) fn note(&mut self, source: Digest, account: Digest, nats: f32, now_s: u32) {
        self.0.write(source.then(account), now_s, Pair { first_s: now_s, nats });
    }

    /// Marks a failed first try as made good.
    pub(crate) fn settle(&mut self, source: Digest, account: Digest, pair: Pair, now_s: u32) {
        self.0.write(source.then(account), now_s, Pair { nats: 0.0, ..pair });
    }

    pub(crate) const fn table(&self) -> &Table<Pair> {
        &self.0
    }

    pub(crate) const fn table_mut(&mut self) -> &mut Table<Pair> {
        &mut self.0
    }
}

impl Pair {
    /// What is left of the suspicion that the failed first try added.
    pub(crate) fn owed(&self, now_s: u32) -> f32 {
        decayed(self.nats, now_s.saturating_sub(self.first_s), HALF_LIFE_S)
    }
}

impl Line for Pair {
    /// The latest is worth most: its retry is still to come.
    fn worth(&self, now_s: u32) -> f32 {
        let age_s = now_s.saturating_sub(self.first_s).min(MEMORY_S);
        (if self.nats > 0.0 { 0.5 } else { 0.0 }) - age_s as f32 / MEMORY_S as f32
    }
}
