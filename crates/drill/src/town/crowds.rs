//! Honest callers who look like attackers: followers of a broken link, readers of a broken page.

use std::time::Duration;

use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client};
use crate::dice::Dice;

/// Follows a link that leads nowhere, and tries again once or twice.
#[derive(Debug)]
pub struct LinkFollower {
    client: Client,
    at: Timestamp,
    target: &'static str,
    tries_left: u32,
    dice: Dice,
}

impl LinkFollower {
    /// Follows the link to `target` at `at`.
    #[must_use]
    pub const fn new(client: Client, at: Timestamp, target: &'static str, dice: Dice) -> Self {
        Self { client, at, target, tries_left: 2, dice }
    }
}

impl Actor for LinkFollower {
    fn kind(&self) -> &'static str {
        "link-follower"
    }

    fn begin(&mut self) -> Vec<Asked> {
        vec![Asked { at: self.at, call: self.client.get(self.target) }]
    }

    fn answered(
        &mut self,
        _call: &Call,
        _refused: bool,
        _status: u16,
        at: Timestamp,
    ) -> Vec<Asked> {
        if self.tries_left == 0 || !self.dice.percent(50) {
            return Vec::new();
        }
        self.tries_left -= 1;
        let at = at.after(Duration::from_secs(3));
        vec![Asked { at, call: self.client.get(self.target) }]
    }
}

/// Opens a page whose images are gone; the browser asks for all of them at once.
#[derive(Debug)]
pub struct PageReader {
    client: Client,
    at: Timestamp,
    dead: u32,
}

impl PageReader {
    /// Opens the page at `at`; `dead` of its images do not exist.
    #[must_use]
    pub const fn new(client: Client, at: Timestamp, dead: u32) -> Self {
        Self { client, at, dead }
    }
}

impl Actor for PageReader {
    fn kind(&self) -> &'static str {
        "page-reader"
    }

    fn begin(&mut self) -> Vec<Asked> {
        vec![Asked { at: self.at, call: self.client.get("/sale") }]
    }

    fn answered(&mut self, call: &Call, _refused: bool, _status: u16, at: Timestamp) -> Vec<Asked> {
        if call.target != b"/sale" {
            return Vec::new();
        }
        let at = at.after(Duration::from_millis(30));
        let image = |n: u32| {
            format!("/images/summer-{}.png", char::from(b'a' + u8::try_from(n % 26).unwrap_or(0)))
        };
        (0..self.dead).map(|n| Asked { at, call: self.client.get(&image(n)) }).collect()
    }
}
