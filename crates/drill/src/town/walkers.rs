//! Those who walk through versions and copies of what there is, and apps that only look like it.

use std::time::Duration;

use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client};
use super::lists::{ListReader, Pace};
use crate::dice::Dice;

/// What a walker tries around paths that it knows to be there; one of them was left behind and
/// answers.
const WALK: [&str; 16] = [
    "/api/v1/products",
    "/api/v2/products",
    "/api/v3/orders",
    "/v1/api/products",
    "/v4/api/orders",
    "/beta/api/products",
    "/api/internal/products",
    "/api/products.bak",
    "/api/products_old",
    "/api/%6cegacy/products",
    "/api-v5/products",
    "/api/v0/products",
    "/api/products~",
    "/dev/api/orders",
    "/staging/api/products",
    "/api/V6/products/",
];

/// Walks through all of it, in an order of its own.
#[must_use]
pub fn walker(client: Client, pace: Pace, mut dice: Dice) -> ListReader {
    // An odd step visits all of a list of sixteen.
    let (first, step) = (dice.below(16), 2 * dice.below(8) + 1);
    ListReader::new("walker", &WALK, client, pace).in_order(first, step)
}

/// An app that was never brought up to date: all that it asks for is of a version that is gone.
/// Every other one falls back from the version that it would like to have, as libraries do.
#[derive(Debug)]
pub struct OldApp {
    client: Client,
    from: Timestamp,
    calls_left: u32,
    falls_back: bool,
    pace_ms: u32,
}

impl OldApp {
    /// So many calls, one each `pace_ms`.
    #[must_use]
    pub const fn new(
        client: Client,
        from: Timestamp,
        calls: u32,
        falls_back: bool,
        pace_ms: u32,
    ) -> Self {
        Self { client, from, calls_left: calls, falls_back, pace_ms }
    }

    fn next(&mut self) -> Option<Call> {
        self.calls_left = self.calls_left.checked_sub(1)?;
        let paths: &[&str] = match self.falls_back {
            true => &["/api/v3/products", "/api/v2/products", "/api/products"],
            false => &["/api/v1/products", "/api/v1/orders", "/api/v1/products/7"],
        };
        let path = paths.get(self.calls_left as usize % paths.len())?;
        Some(self.client.get(path))
    }
}

impl Actor for OldApp {
    fn kind(&self) -> &'static str {
        "old-app"
    }

    fn begin(&mut self) -> Vec<Asked> {
        let at = self.from;
        self.next().map(|call| Asked { at, call }).into_iter().collect()
    }

    fn answered(&mut self, _: &Call, _: bool, _: u16, at: Timestamp) -> Vec<Asked> {
        let at = at.after(Duration::from_millis(u64::from(self.pace_ms)));
        self.next().map(|call| Asked { at, call }).into_iter().collect()
    }
}
