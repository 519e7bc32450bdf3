//! Callers who say who they are with every request: HTTP Basic, at an API without a log-in for it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::Value;
use shield::timeline::Call;
use traffic::Timestamp;

use super::actor::{Actor, Asked, Client};
use super::shop;

/// Where the shop wants a name and a password.
const LEDGER: &str = "/api/ledger";

/// Somebody who tries at the ledger what would go to the log-in.
pub struct OverBasic(pub Box<dyn Actor>);

impl OverBasic {
    fn instead(asked: Asked) -> Asked {
        let Asked { at, call } = asked;
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let client = Client::new(call.peer.address, 0);
        // A parameter that names somebody else, each time.
        let target = format!("{LEDGER}?user=r{}", at.as_micros());
        Asked { at, call: with_basic(client.get(&target), text("email"), text("password")) }
    }
}

impl Actor for OverBasic {
    fn kind(&self) -> &'static str {
        self.0.kind()
    }

    fn begin(&mut self) -> Vec<Asked> {
        self.0.begin().into_iter().map(Self::instead).collect()
    }

    fn answered(&mut self, call: &Call, refused: bool, status: u16, at: Timestamp) -> Vec<Asked> {
        self.0.answered(call, refused, status, at).into_iter().map(Self::instead).collect()
    }
}

/// A program that reads the ledger, many lines at once, each time with the same name and password,
/// also when its password has been changed after half of it, of which nobody told it.
#[derive(Debug)]
pub struct Machine {
    client: Client,
    account: String,
    from: Timestamp,
    /// Times it reads.
    times: u32,
    is_changed: bool,
    pace_ms: u32,
    /// Lines at once.
    parallel: u32,
}

impl Machine {
    /// Reads `times` times, `parallel` lines each `pace_ms`.
    #[must_use]
    pub const fn new(
        client: Client,
        account: String,
        from: Timestamp,
        (times, pace_ms): (u32, u32),
        (parallel, is_changed): (u32, bool),
    ) -> Self {
        Self { client, account, from, times, is_changed, pace_ms, parallel }
    }
}

impl Actor for Machine {
    fn kind(&self) -> &'static str {
        "machine"
    }

    fn begin(&mut self) -> Vec<Asked> {
        let pace = Duration::from_millis(u64::from(self.pace_ms));
        let lines = |n: u32| (0..self.parallel).map(move |line| (n, line));
        let password = match self.is_changed {
            true => shop::password_until(self.from.after(pace * (self.times / 2))),
            false => shop::password(&self.account),
        };
        let ask = |(n, line): (u32, u32)| {
            let call = self.client.get(&format!("{LEDGER}?line={line}"));
            Asked {
                at: self.from.after(pace * n),
                call: with_basic(call, &self.account, &password),
            }
        };
        (0..self.times).flat_map(lines).map(ask).collect()
    }

    fn answered(&mut self, _: &Call, _: bool, _: u16, _: Timestamp) -> Vec<Asked> {
        Vec::new()
    }
}

/// The name and password of a call that goes to the ledger.
#[must_use]
pub fn pair(call: &Call) -> Option<(String, String)> {
    if !call.target.starts_with(LEDGER.as_bytes()) {
        return None;
    }
    let value = call.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}

fn with_basic(mut call: Call, name: &str, password: &str) -> Call {
    let value = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
    if let Ok(value) = HeaderValue::from_str(&value) {
        call.headers.insert(AUTHORIZATION, value);
    }
    call
}
