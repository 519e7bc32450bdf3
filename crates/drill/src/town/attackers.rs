//! Those who come for accounts that are not theirs, and for paths that nobody linked.

use std::time::Duration;

use serde_json::json;
use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client};
use super::shop;
use crate::dice::Dice;

/// Tries a list of stolen pairs from one address.
#[derive(Debug)]
pub struct Stuffer {
    client: Client,
    from: Timestamp,
    pairs: u32,
    /// Milliseconds between two tries; 0 is all at once.
    pace_ms: u32,
    valid_per_mille: u32,
    /// Before each stolen pair, so many log-ins of accounts that are the attacker's own.
    own_between: u32,
    /// Fields that mean nothing, before those that count.
    padding: u32,
    /// In place of stolen passwords it tries those that everybody tries.
    common_passwords: bool,
    tried: u32,
    dice: Dice,
}

impl Stuffer {
    /// `pairs` stolen pairs from `from` on, one each `pace_ms`, five in a thousand of them valid.
    #[must_use]
    pub const fn new(
        client: Client,
        from: Timestamp,
        pairs: u32,
        pace_ms: u32,
        dice: Dice,
    ) -> Self {
        Self {
            client,
            from,
            pairs,
            pace_ms,
            valid_per_mille: 5,
            own_between: 0,
            padding: 0,
            common_passwords: false,
            tried: 0,
            dice,
        }
    }

    /// Washes itself: before each stolen pair it enters `own` accounts of its own.
    #[must_use]
    pub const fn washing(mut self, own: u32) -> Self {
        self.own_between = own;
        self
    }

    /// Hides what counts behind so many fields that mean nothing.
    #[must_use]
    pub const fn padded(mut self, padding: u32) -> Self {
        self.padding = padding;
        self
    }

    /// Tries common passwords, at one account after the other.
    #[must_use]
    pub const fn with_common_passwords(mut self) -> Self {
        self.common_passwords = true;
        self
    }

    fn next(&mut self, at: Timestamp) -> Asked {
        self.tried += 1;
        let turn = self.own_between + 1;
        let (account, valid) = if self.tried.is_multiple_of(turn) {
            let stolen = self.tried / turn;
            (format!("victim{stolen}@mail.example"), self.dice.below(1_000) < self.valid_per_mille)
        } else {
            (format!("own{}@mail.example", self.tried % 10), true)
        };
        let password = match valid {
            true => shop::password(&account),
            false if self.common_passwords => shop::common_password(&mut self.dice).to_owned(),
            false => format!("Stolen{}!", self.tried),
        };
        let mut body = json!({"email": account, "password": password});
        for n in 0..self.padding {
            // Names in front of the others': an object's members are sent sorted.
            body[format!("a{n}")] = json!(n);
        }
        Asked { at, call: self.client.post("/api/login", &body) }
    }
}

impl Actor for Stuffer {
    fn kind(&self) -> &'static str {
        "stuffer"
    }

    fn begin(&mut self) -> Vec<Asked> {
        (0..self.pairs)
            .map(|n| {
                self.next(
                    self.from.after(Duration::from_millis(u64::from(n) * u64::from(self.pace_ms))),
                )
            })
            .collect()
    }

    fn answered(
        &mut self,
        _call: &Call,
        _refused: bool,
        _status: u16,
        _at: Timestamp,
    ) -> Vec<Asked> {
        Vec::new()
    }
}

/// Guesses paths from a word list.
#[derive(Debug)]
pub struct Scanner {
    client: Client,
    from: Timestamp,
    words: u32,
    /// Paths asked for at a time.
    parallel: u32,
    pace_ms: u32,
    /// Between two guesses it visits so many honest pages.
    honest_between: u32,
    /// Every guess is an image's name.
    as_images: bool,
    asked: u32,
    dice: Dice,
}

impl Scanner {
    /// A list of `words` from `from` on, one guess each `pace_ms`.
    #[must_use]
    pub const fn new(
        client: Client,
        from: Timestamp,
        words: u32,
        pace_ms: u32,
        dice: Dice,
    ) -> Self {
        Self {
            client,
            from,
            words,
            parallel: 1,
            pace_ms,
            honest_between: 0,
            as_images: false,
            asked: 0,
            dice,
        }
    }

    /// Asks for `parallel` paths at a time.
    #[must_use]
    pub const fn in_parallel(mut self, parallel: u32) -> Self {
        self.parallel = parallel;
        self
    }

    /// Visits honest pages between two guesses.
    #[must_use]
    pub const fn interleaved(mut self, honest: u32) -> Self {
        self.honest_between = honest;
        self
    }

    /// Gives every guess an image's name.
    #[must_use]
    pub const fn dressed_as_images(mut self) -> Self {
        self.as_images = true;
        self
    }

    fn next(&mut self, at: Timestamp) -> Option<Asked> {
        const PARTS: [&str; 12] = [
            "admin", "backup", "old", "config", "test", "dev", "private", "db", "dump", "staging",
            "console", "internal",
        ];
        const MORE: [&str; 10] =
            ["", ".php", ".bak", ".zip", "/login", "_v1", "2", ".sql", "/index", "-copy"];
        if self.asked >= self.words {
            return None;
        }
        self.asked += 1;
        if self.honest_between > 0 && !self.asked.is_multiple_of(self.honest_between + 1) {
            let product = self.dice.below(500);
            return Some(Asked { at, call: self.client.get(&format!("/api/products/{product}")) });
        }
        let word = |list: &[&'static str], n: u32| {
            list.get(n as usize % list.len()).copied().unwrap_or_default()
        };
        let letters: String = (0..3)
            .map(|place| {
                char::from(b'a' + u8::try_from((self.asked / 26_u32.pow(place)) % 26).unwrap_or(0))
            })
            .collect();
        let tail = if self.as_images { ".png" } else { word(&MORE, self.asked) };
        let target = format!("/{}-{letters}{tail}", word(&PARTS, self.asked / 7));
        Some(Asked { at, call: self.client.get(&target) })
    }
}

impl Actor for Scanner {
    fn kind(&self) -> &'static str {
        "scanner"
    }

    fn begin(&mut self) -> Vec<Asked> {
        (0..self.parallel).filter_map(|_| self.next(self.from)).collect()
    }

    fn answered(
        &mut self,
        _call: &Call,
        _refused: bool,
        _status: u16,
        at: Timestamp,
    ) -> Vec<Asked> {
        let at = at.after(Duration::from_millis(u64::from(self.pace_ms)));
        self.next(at).into_iter().collect()
    }
}
