//! The town's API: a shop with accounts, products, orders, a page with images and some dead links.
//!
//! A function from call to answer. What it answers depends on the call alone, so that the order of
//! events in a run is the only thing that a seed decides.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};
use shield::timeline::{Call, Reply};
use traffic::Timestamp;

use super::basic;
use crate::dice::Dice;

/// How this shop tells that a log-in failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failures {
    /// With the status 401.
    Status,
    /// With 200 and an error in the body.
    Body,
}

/// The shop.
#[derive(Clone, Copy, Debug)]
pub struct Shop {
    failures: Failures,
}

/// The right password of an account.
#[must_use]
pub fn password(account: &str) -> String {
    format!("right-{account}")
}

/// A password that is right until then.
#[must_use]
pub fn password_until(end: Timestamp) -> String {
    format!("until-{}", end.as_micros())
}

fn is_right(account: &str, given: &str, now: Timestamp) -> bool {
    let until = given.strip_prefix("until-").and_then(|end| end.parse::<u64>().ok());
    given == password(account) || until.is_some_and(|end| now.as_micros() < end)
}

/// One of the passwords that everybody tries first.
#[must_use]
pub fn common_password(dice: &mut Dice) -> &'static str {
    const COMMON: [&str; 8] =
        ["123456", "Password1", "qwerty", "iloveyou", "letmein", "Welcome1", "football", "abc123"];
    COMMON.get(dice.below(8) as usize).copied().unwrap_or_default()
}

/// The code that was sent to an account: four digits, the same for ever.
#[must_use]
pub fn code(account: &str) -> String {
    let sum: u32 = account.bytes().map(u32::from).sum();
    format!("{:04}", 5_000 + sum % 5_000)
}

/// The token that a log-in of `account` hands out; `nonce` makes each log-in's another.
#[must_use]
pub fn token(account: &str, nonce: u64) -> String {
    let mut state = nonce ^ 0x5bd1_e995;
    for byte in account.bytes() {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(17);
    }
    let again = state.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ nonce;
    format!("t{state:016x}k{again:016x}")
}

/// The account that a call tries to enter.
#[must_use]
pub fn attempted(call: &Call) -> Option<String> {
    if let Some((account, _)) = basic::pair(call) {
        return Some(account);
    }
    let body: Value = serde_json::from_slice(&call.body).ok()?;
    (call.target.starts_with(b"/api/login")).then_some(())?;
    body.get("email")?.as_str().map(str::to_owned)
}

impl Shop {
    /// A shop that tells failures as `failures` says.
    #[must_use]
    pub const fn new(failures: Failures) -> Self {
        Self { failures }
    }

    /// What the shop answers.
    #[must_use]
    pub fn answer(&self, call: &Call, now: Timestamp) -> Reply {
        let target = String::from_utf8_lossy(&call.target);
        let (path, _) = target.split_once('?').unwrap_or((&target, ""));
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let entered = call.headers.contains_key(AUTHORIZATION);
        match (call.method == Method::POST, parts.as_slice()) {
            (true, ["api", "login"]) => self.log_in(call, now),
            (true, ["api", "otp", "verify"]) => self.verify(call, now),
            (false, ["api", "products"]) => {
                reply(200, &json!({"items": [{"id": 1, "name": "lamp"}], "next": 2}))
            }
            // Nobody remembers that it is there.
            (false, ["api", "v0", "products"]) => {
                reply(200, &json!({"items": [{"id": 1, "name": "lamp", "cost": 4.1}]}))
            }
            (false, ["api", "products", id]) => match id.parse::<u32>() {
                Ok(id) if id < 500 => {
                    reply(200, &json!({"id": id, "name": format!("product {id}"), "price": 9.5}))
                }
                _ => reply(404, &json!({"error": "no such product"})),
            },
            (false, ["api", "ledger", ..]) => match basic::pair(call) {
                Some((account, given)) if is_right(&account, &given, now) => {
                    reply(200, &json!({"lines": [{"id": 1, "amount": 12}]}))
                }
                _ => reply(401, &json!({"error": "name and password, please"})),
            },
            (_, ["api", "me" | "orders", ..]) if !entered => {
                reply(401, &json!({"error": "log in first"}))
            }
            (false, ["api", "me"]) => {
                reply(200, &json!({"email": "somebody@town.example", "since": "2024-03-01"}))
            }
            (false, ["api", "orders"]) => reply(200, &json!({"orders": [{"id": 7, "total": 12}]})),
            (false, ["api", "orders", id]) if id.parse::<u32>().is_ok() => {
                reply(200, &json!({"id": 7, "total": 12}))
            }
            (true, ["api", "orders"]) => reply(201, &json!({"id": 8})),
            (false, ["api", "health"]) => reply(200, &json!({"ok": true})),
            (false, ["sale"]) => page(),
            (false, ["images", name]) if name.starts_with("live") => image(),
            _ => reply(404, &json!({"error": "not found"})),
        }
    }

    fn log_in(&self, call: &Call, now: Timestamp) -> Reply {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let text =
            |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (account, given) = (text("email"), text("password"));
        if given == password(&account) {
            return reply(
                200,
                &json!({"token": token(&account, now.as_micros()), "user": {"email": account}}),
            );
        }
        self.refuse("wrong e-mail or password")
    }

    fn verify(&self, call: &Call, now: Timestamp) -> Reply {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let account = body.get("email").and_then(Value::as_str).unwrap_or_default();
        if body.get("code").and_then(Value::as_str) == Some(code(account).as_str()) {
            return reply(200, &json!({"token": token(account, now.as_micros())}));
        }
        self.refuse("wrong code")
    }

    fn refuse(&self, error: &str) -> Reply {
        match self.failures {
            Failures::Status => reply(401, &json!({"error": error})),
            Failures::Body => reply(200, &json!({"error": error})),
        }
    }
}

fn reply(status: u16, body: &Value) -> Reply {
    answer(status, "application/json", body.to_string().into_bytes())
}

fn page() -> Reply {
    answer(200, "text/html", b"<html><body>sale</body></html>".to_vec())
}

fn image() -> Reply {
    answer(200, "image/png", vec![0x89, b'P', b'N', b'G'])
}

fn answer(status: u16, content_type: &'static str, body: Vec<u8>) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Reply {
        status,
        headers,
        body: Some(body),
        is_complete: true,
        length: None,
        after: Duration::from_millis(40),
    }
}
