//! Attackers over real sockets: credential stuffing and a scan for hidden paths.
//!
//! Each comes from one address and say what they got back; neither reacts to being stopped, because
//! the drill wants to see that they stay stopped.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::Result;
use http::Method;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    browser::{Browser, Send, Target},
    tally::Tally,
};
use crate::sample::seed;

/// Of this many stolen pairs, one still opens an account.
const PAIRS_PER_VALID: u32 = 200;

/// Where the attack comes from and how fast.
#[derive(Clone, Debug)]
pub struct Attack {
    /// The attacker's address.
    pub from: Ipv4Addr,
    /// Calls in all.
    pub calls: u32,
    /// Calls in a second.
    pub per_second: u32,
}

impl Attack {
    /// Tries stolen pairs at the log-in that fails with 401, each account once.
    pub async fn stuffing(&self, target: &Target) -> Result<Tally> {
        self.try_pairs(target, "/api/v1/login", |email, password| {
            Send::Json(json!({ "email": email, "password": password }))
        })
        .await
    }

    /// The same at the old form, which fails with 200 and an error in the body.
    pub async fn form_stuffing(&self, target: &Target) -> Result<Tally> {
        // No pair holds a character that a form would have to escape, except the @.
        self.try_pairs(target, "/login", |email, password| {
            Send::Form(format!("email={}&password={password}", email.replace('@', "%40")))
        })
        .await
    }

    async fn try_pairs(
        &self,
        target: &Target,
        path: &str,
        login: impl Fn(&str, &str) -> Send,
    ) -> Result<Tally> {
        let mut browser = Browser::new(target.clone(), self.from, "python-requests/2.32.3");
        let mut tally = Tally::default();
        let mut ticks = interval(Duration::from_secs(1) / self.per_second.max(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0..self.calls {
            ticks.tick().await;
            let (email, password) = stolen_pair(number);
            tally.count(&browser.call(Method::POST, path, login(&email, &password)).await);
        }
        Ok(tally)
    }

    /// Asks for paths of a word list that mostly do not exist.
    pub async fn scan(&self, target: &Target) -> Result<Tally> {
        let mut browser = Browser::new(target.clone(), self.from, "gobuster/3.6");
        let mut tally = Tally::default();
        let mut ticks = interval(Duration::from_secs(1) / self.per_second.max(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0..self.calls {
            ticks.tick().await;
            tally.count(&browser.open(&scanned_path(number)).await);
        }
        Ok(tally)
    }
}

/// Pair `number` of a list stolen elsewhere: most accounts do not exist here, some have another
/// password, one in two hundred is right.
#[must_use]
pub fn stolen_pair(number: u32) -> (String, String) {
    let person = seed::person(number * 7 % seed::PEOPLE);
    if number % PAIRS_PER_VALID == PAIRS_PER_VALID / 2 {
        (person.email, person.password)
    } else if number.is_multiple_of(5) {
        (person.email, format!("summer{number}"))
    } else {
        (format!("user{number}@example.net"), format!("letmein{number}"))
    }
}

/// Path `number` of a word list of a scanner; the first 10,000 differ.
#[must_use]
pub fn scanned_path(number: u32) -> String {
    const FOLDERS: [&str; 10] =
        ["", "admin/", "api/", "api/v2/", "backup/", "old/", "internal/", "dev/", "test/", "app/"];
    const WORDS: [&str; 25] = [
        "config", "users", "dump", "db", "login", "console", "status", "debug", "secret", "keys",
        "shell", "upload", "export", "phpinfo", "server", "env", "settings", "token", "metrics",
        "actuator", "graphql", "swagger", "setup", "install", "private",
    ];
    const ENDINGS: [&str; 8] = ["", ".php", ".bak", ".sql", ".zip", ".json", ".old", "/"];
    let mut rest = number as usize;
    let mut pick = |list: &[&'static str]| {
        let picked = list[rest % list.len()];
        rest /= list.len();
        picked
    };
    let (word, folder, ending) = (pick(&WORDS), pick(&FOLDERS), pick(&ENDINGS));
    match rest {
        0 => format!("/{folder}{word}{ending}"),
        again => format!("/{folder}{word}{again}{ending}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn lists_do_not_repeat_and_one_pair_in_two_hundred_is_right() {
        let paths: BTreeSet<String> = (0..10_000).map(scanned_path).collect();
        assert_eq!(paths.len(), 10_000);
        let people: Vec<seed::Person> = (0..seed::PEOPLE).map(seed::person).collect();
        let right = (0..2_000).map(stolen_pair).filter(|(email, password)| {
            people.iter().any(|p| p.email == *email && p.password == *password)
        });
        assert_eq!(right.count(), 10);
    }
}
