//! Honest callers: people who log in, mistype, look at things and order some of them.

use std::time::Duration;

use serde_json::json;
use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client};
use super::shop;
use crate::dice::Dice;

/// How a shopper behaves.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Mistyped first tries, in percent.
    pub typos_percent: u32,
    /// Of those who failed, how many give up for the day, in percent.
    pub give_up_percent: u32,
    /// Of those who mistype, how many try a password that everybody tries, in percent.
    pub common_percent: u32,
    /// Visits: how many, within how long a day.
    pub visits: u32,
    /// When the day's visits begin, after midnight.
    pub from: Duration,
    /// How long they spread.
    pub within: Duration,
}

impl Habits {
    /// Two visits between seven in the morning and eleven at night.
    #[must_use]
    pub const fn ordinary(typos_percent: u32) -> Self {
        Self {
            typos_percent,
            give_up_percent: 3,
            common_percent: 0,
            visits: 2,
            from: Duration::from_secs(7 * 3_600),
            within: Duration::from_secs(16 * 3_600),
        }
    }

    /// One visit around nine o'clock, when everybody comes to the office.
    #[must_use]
    pub const fn office(typos_percent: u32) -> Self {
        Self {
            typos_percent,
            give_up_percent: 5,
            common_percent: 0,
            visits: 1,
            from: Duration::from_secs(8 * 3_600 + 1_800),
            within: Duration::from_secs(3_600),
        }
    }
}

/// One honest caller.
#[derive(Debug)]
pub struct Shopper {
    kind: &'static str,
    account: String,
    client: Client,
    habits: Habits,
    day: Timestamp,
    dice: Dice,
    failed: u32,
    clicks_left: u32,
}

impl Shopper {
    /// A shopper of the account `account` on the day that begins at `day`.
    #[must_use]
    pub const fn new(
        kind: &'static str,
        account: String,
        client: Client,
        habits: Habits,
        day: Timestamp,
        dice: Dice,
    ) -> Self {
        Self { kind, account, client, habits, day, dice, failed: 0, clicks_left: 0 }
    }

    fn log_in(&mut self, at: Timestamp) -> Asked {
        let right = self.failed > 0 && self.dice.percent(90)
            || !self.dice.percent(self.habits.typos_percent);
        let password = if right {
            shop::password(&self.account)
        } else if self.habits.common_percent > 0 && self.dice.percent(self.habits.common_percent) {
            shop::common_password(&mut self.dice).to_owned()
        } else {
            format!("{}x{}", shop::password(&self.account), self.failed)
        };
        self.client.carry(None);
        Asked {
            at,
            call: self
                .client
                .post("/api/login", &json!({"email": self.account, "password": password})),
        }
    }

    fn click(&mut self, at: Timestamp) -> Vec<Asked> {
        if self.clicks_left == 0 {
            return Vec::new();
        }
        self.clicks_left -= 1;
        let at = at.after(Duration::from_millis(self.dice.around_ms(6_000)));
        let call = match self.dice.below(12) {
            0..4 => self.client.get("/api/products?page=1"),
            4..9 => self.client.get(&format!("/api/products/{}", self.dice.below(505))),
            9 => self.client.get("/api/orders"),
            10 => self.client.get("/api/me"),
            _ => self.client.post("/api/orders", &json!({"product": 3, "count": 1})),
        };
        vec![Asked { at, call }]
    }
}

impl Actor for Shopper {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn begin(&mut self) -> Vec<Asked> {
        (0..self.habits.visits)
            .map(|_| {
                let seconds = u32::try_from(self.habits.within.as_secs()).unwrap_or(u32::MAX);
                let offset = Duration::from_millis(
                    u64::from(self.dice.below(seconds)) * 1_000 + u64::from(self.dice.below(1_000)),
                );
                let at = self.day.after(self.habits.from + offset);
                self.log_in(at)
            })
            .collect()
    }

    fn answered(&mut self, call: &Call, refused: bool, _status: u16, at: Timestamp) -> Vec<Asked> {
        if shop::attempted(call).is_none() {
            return if refused { Vec::new() } else { self.click(at) };
        }
        let entered = !refused && is_right(call, &self.account);
        if entered {
            self.failed = 0;
            self.client
                .carry(Some(shop::token(&self.account, at.as_micros().saturating_sub(40_000))));
            self.clicks_left = 4 + self.dice.below(12);
            return self.click(at);
        }
        self.failed += 1;
        if self.failed > 4 || self.dice.percent(self.habits.give_up_percent) {
            self.failed = 0;
            return Vec::new();
        }
        let wait = Duration::from_secs(u64::from(5 + self.dice.below(36)));
        vec![self.log_in(at.after(wait))]
    }
}

/// Whether a log-in call carries the right password.
fn is_right(call: &Call, account: &str) -> bool {
    let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap_or_default();
    body.get("password").and_then(serde_json::Value::as_str)
        == Some(shop::password(account).as_str())
}
