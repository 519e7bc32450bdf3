//! Somebody who asks for one thing of a list after the other, and reads ordinary pages in between.

use std::time::Duration;

use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client};

/// What an honest visitor reads.
const PAGE: &str = "/api/products/7";

/// When a list is begun with, and how its things follow each other.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// When the first is asked for.
    pub from: Timestamp,
    /// Ordinary pages after each of them.
    pub between: u32,
    /// Milliseconds from an answer to the next request.
    pub pace_ms: u32,
}

/// All of a list once.
#[derive(Debug)]
pub struct ListReader {
    kind: &'static str,
    list: &'static [&'static str],
    /// Where in the list it begins, and how far it goes on each time.
    order: (u32, u32),
    client: Client,
    pace: Pace,
    asked: u32,
}

impl ListReader {
    /// In the order of the list.
    #[must_use]
    pub const fn new(
        kind: &'static str,
        list: &'static [&'static str],
        client: Client,
        pace: Pace,
    ) -> Self {
        Self { kind, list, order: (0, 1), client, pace, asked: 0 }
    }

    /// In another order: from `first` on, each `step`th. To visit all of the list, a step has no
    /// divisor in common with its length.
    #[must_use]
    pub const fn in_order(mut self, first: u32, step: u32) -> Self {
        self.order = (first, step);
        self
    }

    fn next(&mut self) -> Option<Call> {
        let turn = self.pace.between + 1;
        let (number, is_of_list) = (self.asked / turn, self.asked.is_multiple_of(turn));
        self.asked += 1;
        let (first, step) = self.order;
        let at = (first + number * step) as usize % self.list.len();
        let target = self.list.get(at).filter(|_| (number as usize) < self.list.len())?;
        Some(self.client.get(if is_of_list { target } else { PAGE }))
    }
}

impl Actor for ListReader {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn begin(&mut self) -> Vec<Asked> {
        let at = self.pace.from;
        self.next().map(|call| Asked { at, call }).into_iter().collect()
    }

    fn answered(&mut self, _: &Call, _: bool, _: u16, at: Timestamp) -> Vec<Asked> {
        let at = at.after(Duration::from_millis(u64::from(self.pace.pace_ms)));
        self.next().map(|call| Asked { at, call }).into_iter().collect()
    }
}
