//! Those who guess one account's password or code from many addresses, and those who only look as
//! if they did: a client with an old password, somebody who has forgotten the new one.

use std::time::Duration;

use serde_json::json;
use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client, address};
use super::shop;
use crate::dice::Dice;

/// What is guessed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum At {
    /// The account's password, at the log-in.
    Password,
    /// The code that was sent to its owner.
    Code,
}

/// Guesses at one account.
#[derive(Debug)]
pub struct Guesser {
    at: At,
    account: String,
    sources: u32,
    from: Timestamp,
    guesses: u32,
    /// Milliseconds between two guesses; 0 is all at once.
    pace_ms: u32,
    /// Guesses in one body.
    batch: u32,
    /// Each guess hides the account in another way.
    is_disguised: bool,
    dice: Dice,
}

impl Guesser {
    /// `guesses` at the secret of `account` from `sources` addresses in turn, one each `pace_ms`.
    #[must_use]
    pub fn new(
        (at, account): (At, String),
        sources: u32,
        from: Timestamp,
        (guesses, pace_ms): (u32, u32),
        dice: Dice,
    ) -> Self {
        let (batch, is_disguised) = (1, false);
        Self { at, account, sources, from, guesses, pace_ms, batch, is_disguised, dice }
    }

    /// Hides the account in each guess, in one way after the other.
    #[must_use]
    pub const fn disguised(mut self, is_disguised: bool) -> Self {
        self.is_disguised = is_disguised;
        self
    }

    /// Puts so many guesses into one body.
    #[must_use]
    pub const fn in_batches(mut self, batch: u32) -> Self {
        self.batch = batch;
        self
    }

    fn call(&mut self, guess: u32) -> Call {
        let source = guess % self.sources.max(1);
        let client = Client::new(address(66, source + 1), self.dice.below(64));
        let account = &self.account;
        match self.at {
            _ if self.is_disguised => disguise(&client, account, guess),
            At::Password => {
                let body = json!({"email": account, "password": format!("Guess{guess}!")});
                client.post("/api/login", &body)
            }
            At::Code if self.batch > 1 => {
                let codes: Vec<String> =
                    (0..self.batch).map(|n| format!("{:04}", guess * self.batch + n)).collect();
                client.post("/api/otp/verify", &json!({"email": account, "code": codes}))
            }
            At::Code => {
                let body = json!({"email": account, "code": format!("{guess:04}")});
                client.post("/api/otp/verify", &body)
            }
        }
    }
}

impl Actor for Guesser {
    fn kind(&self) -> &'static str {
        "guesser"
    }

    fn begin(&mut self) -> Vec<Asked> {
        let pace = Duration::from_millis(u64::from(self.pace_ms));
        (0..self.guesses)
            .map(|guess| Asked { at: self.from.after(pace * guess), call: self.call(guess) })
            .collect()
    }

    fn answered(&mut self, _: &Call, _: bool, _: u16, _: Timestamp) -> Vec<Asked> {
        Vec::new()
    }
}

/// A guess at the password of `account` that hides whose it is.
fn disguise(client: &Client, account: &str, guess: u32) -> Call {
    const LOGIN: &str = "/api/login";
    let password = format!("Guess{guess}!");
    let body = json!({"email": account, "password": password});
    let text = body.to_string();
    let inside = text.trim_start_matches('{');
    let json = "application/json";
    match guess % 10 {
        0 => client.post(&format!("{LOGIN}?user=r{guess}"), &body),
        1 => client.send(LOGIN, json, format!("{{\"phone\":\"{guess}\",{inside}").into()),
        2 => client.send(LOGIN, json, format!("{{\"email\":\"r{guess}\",{inside}").into()),
        3 => {
            let nested = format!("{{\"x\":{{\"email\":\"r{guess}\"}},{inside}");
            client.send(LOGIN, json, nested.into())
        }
        4 => {
            let deep = format!("{{\"a\":{}{},{inside}", "[".repeat(99), "]".repeat(99));
            client.send(LOGIN, json, deep.into())
        }
        5 => {
            let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            client.send(LOGIN, json, utf16)
        }
        6 => {
            let part = |name: &str, value: &str| {
                format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            };
            let parts = part("email", account) + &part("password", &password) + "--b--\r\n";
            client.send(LOGIN, "multipart/form-data; boundary=b", parts.into())
        }
        7 => {
            let xml = format!("<l><email>{account}</email><password>{password}</password></l>");
            client.send(LOGIN, "application/xml", xml.into())
        }
        8 => {
            let form = format!("email=r{guess}&email={account}&password={password}");
            client.send(LOGIN, "application/x-www-form-urlencoded", form.into())
        }
        // What nobody can read.
        _ => client.send(LOGIN, "application/x-unheard-of", vec![0x93, 0x82, 0xff]),
    }
}

/// A client that was never told of the new password: it tries the old one again and again.
#[derive(Debug)]
pub struct StaleClient {
    client: Client,
    account: String,
    from: Timestamp,
    tries: u32,
    pace_ms: u32,
}

impl StaleClient {
    /// `tries` log-ins of `account` with one wrong password, one each `pace_ms`.
    #[must_use]
    pub const fn new(
        client: Client,
        account: String,
        from: Timestamp,
        tries: u32,
        pace_ms: u32,
    ) -> Self {
        Self { client, account, from, tries, pace_ms }
    }
}

impl Actor for StaleClient {
    fn kind(&self) -> &'static str {
        "stale-client"
    }

    fn begin(&mut self) -> Vec<Asked> {
        let body = json!({"email": self.account, "password": "the old one"});
        let pace = Duration::from_millis(u64::from(self.pace_ms));
        (0..self.tries)
            .map(|n| Asked {
                at: self.from.after(pace * n),
                call: self.client.post("/api/login", &body),
            })
            .collect()
    }

    fn answered(&mut self, _: &Call, _: bool, _: u16, _: Timestamp) -> Vec<Asked> {
        Vec::new()
    }
}

/// Somebody on a new device who has to try some passwords, or to type a code again, before it is
/// the right one.
#[derive(Debug)]
pub struct Forgetful {
    at: At,
    client: Client,
    account: String,
    from: Timestamp,
    wrong_left: u32,
    /// What it tries are passwords that everybody tries.
    common_passwords: bool,
    dice: Dice,
}

impl Forgetful {
    /// Tries `wrong` others before the right one.
    #[must_use]
    pub fn new(
        (at, account): (At, String),
        client: Client,
        from: Timestamp,
        wrong: u32,
        dice: Dice,
    ) -> Self {
        Self { at, client, account, from, wrong_left: wrong, common_passwords: false, dice }
    }

    /// All of its passwords are weak ones.
    #[must_use]
    pub const fn with_common_passwords(mut self) -> Self {
        self.common_passwords = true;
        self
    }

    fn call(&mut self) -> Call {
        let (account, left) = (&self.account, self.wrong_left);
        match self.at {
            At::Password => {
                let right = shop::password(account);
                let given = match left {
                    0 => right,
                    _ if self.common_passwords => shop::common_password(&mut self.dice).to_owned(),
                    _ => format!("maybe{left}"),
                };
                self.client.post("/api/login", &json!({"email": account, "password": given}))
            }
            At::Code => {
                let given = if left > 0 { format!("{left:04}") } else { shop::code(account) };
                self.client.post("/api/otp/verify", &json!({"email": account, "code": given}))
            }
        }
    }
}

impl Actor for Forgetful {
    fn kind(&self) -> &'static str {
        "forgetful"
    }

    fn begin(&mut self) -> Vec<Asked> {
        vec![Asked { at: self.from, call: self.call() }]
    }

    fn answered(&mut self, _: &Call, refused: bool, status: u16, at: Timestamp) -> Vec<Asked> {
        if status == 200 || refused {
            return Vec::new();
        }
        self.wrong_left = self.wrong_left.saturating_sub(1);
        let at = at.after(Duration::from_secs(u64::from(5 + self.dice.below(20))));
        vec![Asked { at, call: self.call() }]
    }
}
