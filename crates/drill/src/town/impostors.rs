//! Programs that call: one that says what it is and reads, and those that pass for somebody else
//! and try stolen passwords, so slowly that nothing but their faces tells.

use std::time::Duration;

use serde_json::json;
use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client};
use super::faces::Face;
use crate::dice::Dice;

/// A library that says so, and reads one product after the other.
#[derive(Debug)]
pub struct Script {
    client: Client,
    from: Timestamp,
    pages_left: u32,
    pace_ms: u32,
    dice: Dice,
}

impl Script {
    /// Asks for `pages`, one about each `pace_ms`.
    #[must_use]
    pub fn new(client: Client, from: Timestamp, pages: u32, pace_ms: u32, dice: Dice) -> Self {
        let client = client.with_face(Face::LIBRARY);
        Self { client, from, pages_left: pages, pace_ms, dice }
    }
}

impl Actor for Script {
    fn kind(&self) -> &'static str {
        "script"
    }

    fn begin(&mut self) -> Vec<Asked> {
        vec![Asked { at: self.from, call: self.client.get("/api/products?page=1") }]
    }

    fn answered(&mut self, _: &Call, _: bool, _: u16, at: Timestamp) -> Vec<Asked> {
        if self.pages_left == 0 {
            return Vec::new();
        }
        self.pages_left -= 1;
        let pause = Duration::from_millis(self.dice.around_ms(self.pace_ms));
        let page = format!("/api/products/{}", self.dice.below(500));
        vec![Asked { at: at.after(pause), call: self.client.get(&page) }]
    }
}

/// A program that passes for a browser or a crawler.
#[derive(Debug)]
pub struct Impostor {
    kind: &'static str,
    client: Client,
    from: Timestamp,
    pairs: u32,
    pace_ms: u32,
}

/// Those of [`Face::POSING`], in its order.
const KINDS: [&str; 4] =
    ["posing-by-head", "posing-by-hello", "posing-without-language", "posing-as-crawler"];

impl Impostor {
    /// Impostor number `n` tries stolen `pairs`, one each `pace_ms`. Every fourth has the same
    /// face.
    #[must_use]
    pub fn new(client: Client, n: u32, from: Timestamp, (pairs, pace_ms): (u32, u32)) -> Self {
        let place = n as usize % KINDS.len();
        let kind = KINDS.get(place).copied().unwrap_or_default();
        let face = Face::POSING.get(place).copied().unwrap_or(Face::ORDINARY);
        Self { kind, client: client.with_face(face), from, pairs, pace_ms }
    }
}

impl Actor for Impostor {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn begin(&mut self) -> Vec<Asked> {
        let pace = Duration::from_millis(u64::from(self.pace_ms));
        let address = self.client.address;
        let try_pair = |n: u32| {
            let account = format!("victim{n}-of-{address}@mail.example");
            let body = json!({"email": account, "password": format!("Stolen{n}!")});
            Asked { at: self.from.after(pace * n), call: self.client.post("/api/login", &body) }
        };
        (0..self.pairs).map(try_pair).collect()
    }

    fn answered(&mut self, _: &Call, _: bool, _: u16, _: Timestamp) -> Vec<Asked> {
        Vec::new()
    }
}
