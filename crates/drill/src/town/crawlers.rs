//! Programs that read a site by themselves: crawlers that say who they are and keep to what
//! `robots.txt` allows, and those that look into every corner.

use std::time::Duration;

use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client};
use crate::dice::Dice;

/// What crawlers call themselves; the index chooses.
const CRAWLERS: [&str; 6] = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "CCBot/2.0 (https://commoncrawl.org/faq/)",
    "Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
];

/// Reads pages from a list of links, some of them dead, day and night.
#[derive(Debug)]
pub struct Crawler {
    client: Client,
    from: Timestamp,
    pages_left: u32,
    pace_ms: u32,
    dice: Dice,
}

impl Crawler {
    /// A crawler that asks for `pages`, one about each `pace_ms`.
    #[must_use]
    pub fn new(client: Client, from: Timestamp, pages: u32, pace_ms: u32, mut dice: Dice) -> Self {
        let name = CRAWLERS.get(dice.below(6) as usize).copied().unwrap_or_default();
        Self { client: client.calling_itself(name), from, pages_left: pages, pace_ms, dice }
    }

    fn next(&mut self) -> Call {
        match self.dice.below(40) {
            0 => self.client.get("/robots.txt"),
            1 => self.client.get("/sitemap.xml"),
            2 => self.client.get("/favicon.ico"),
            3 => self.client.get("/.well-known/security.txt"),
            4 => self.client.get("/offers/spring"),
            5 | 6 => self.client.get("/sale"),
            7..12 => self.client.get("/api/products?page=1"),
            _ => self.client.get(&format!("/api/products/{}", self.dice.below(505))),
        }
    }
}

impl Actor for Crawler {
    fn kind(&self) -> &'static str {
        "crawler"
    }

    fn begin(&mut self) -> Vec<Asked> {
        vec![Asked { at: self.from, call: self.client.get("/robots.txt") }]
    }

    fn answered(&mut self, _: &Call, _: bool, _: u16, at: Timestamp) -> Vec<Asked> {
        if self.pages_left == 0 {
            return Vec::new();
        }
        self.pages_left -= 1;
        let pause = self.dice.around_ms(self.pace_ms);
        let call = self.next();
        vec![Asked { at: at.after(Duration::from_millis(pause)), call }]
    }
}

/// Touches a decoy, and then reads on as if nothing had happened.
#[derive(Debug)]
pub struct Rummager {
    client: Client,
    from: Timestamp,
    decoy: &'static str,
    pages_left: u32,
    dice: Dice,
}

/// The decoys; the index chooses.
const DECOYS: [&str; 6] = [
    "/.env",
    "/api/.env.production",
    "/.git/config",
    "/%2e%61ws/credentials",
    "/archive-2019/customers.csv",
    "//archive-2019/./index.html",
];

impl Rummager {
    /// Touches decoy number `decoy` and asks for `pages` afterwards.
    #[must_use]
    pub fn new(client: Client, from: Timestamp, decoy: u32, pages: u32, dice: Dice) -> Self {
        let decoy = DECOYS.get(decoy as usize % DECOYS.len()).copied().unwrap_or_default();
        Self { client, from, decoy, pages_left: pages, dice }
    }
}

impl Actor for Rummager {
    fn kind(&self) -> &'static str {
        "rummager"
    }

    fn begin(&mut self) -> Vec<Asked> {
        vec![Asked { at: self.from, call: self.client.get(self.decoy) }]
    }

    fn answered(&mut self, _: &Call, _: bool, _: u16, at: Timestamp) -> Vec<Asked> {
        if self.pages_left == 0 {
            return Vec::new();
        }
        self.pages_left -= 1;
        let page = format!("/api/products/{}", self.dice.below(500));
        vec![Asked { at: at.after(Duration::from_secs(30)), call: self.client.get(&page) }]
    }
}
