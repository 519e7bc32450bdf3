//! A browser logs in to the admin API, and a change that is sent twice happens once.

use serde_json::Value;

use crate::admin::Administered;
use crate::support::{Answer, call_with};

/// A browser: it keeps its cookie and says where its pages come from.
struct Browser<'a> {
    admin: &'a Administered,
    cookie: String,
    csrf: String,
}

impl<'a> Browser<'a> {
    fn log_in(admin: &'a Administered, token: &str) -> Self {
        let authorization = format!("Bearer {token}");
        let headers = [("host", "localhost"), ("authorization", authorization.as_str())];
        let answer = call_with(admin.api, "POST", "/api/v1/session", &headers, "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        let told: Value = serde_json::from_str(&answer.body).expect("JSON");
        let csrf = told["csrf_token"].as_str().expect("a second secret").to_owned();
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        Self { admin, cookie, csrf }
    }

    fn call(&self, method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Answer {
        let mut headers = vec![("host", "localhost"), ("cookie", self.cookie.as_str())];
        headers.extend(more);
        call_with(self.admin.api, method, path, &headers, body)
    }

    fn change(&self, method: &str, path: &str, body: &str) -> Answer {
        self.call(method, path, &[("x-csrf-token", self.csrf.as_str())], body)
    }
}

const BLOCK: &str = r#"{"kind":"block","selector":"ip:192.0.2.9","for_s":60}"#;

#[test]
fn a_browser_logs_in_changes_something_and_logs_out() {
    let admin = Administered::start("");
    let token = admin.token("enforce", "1h");
    let browser = Browser::log_in(&admin, &token);
    assert_eq!(browser.call("GET", "/api/v1/status", &[], "").status, 200);
    let told = browser.call("GET", "/api/v1/session", &[], "");
    let told: Value = serde_json::from_str(&told.body).expect("JSON");
    assert_eq!((&told["name"], &told["scope"]), (&Value::from("tester"), &Value::from("enforce")));
    assert_eq!(told["csrf_token"], browser.csrf.as_str(), "a page that is loaded again needs it");
    // A page of somebody else has the cookie sent along at worst, and nothing more.
    let forged = browser.call("POST", "/api/v1/decisions", &[], BLOCK);
    assert_eq!(forged.status, 403, "{}", forged.body);
    let wrong = [("x-csrf-token", "AAAA")];
    assert_eq!(browser.call("POST", "/api/v1/decisions", &wrong, BLOCK).status, 403);
    let foreign = [("origin", "http://evil.test"), ("x-csrf-token", browser.csrf.as_str())];
    assert_eq!(browser.call("POST", "/api/v1/decisions", &foreign, BLOCK).status, 403);
    assert_eq!(browser.change("POST", "/api/v1/decisions", BLOCK).status, 200);
    assert_eq!(
        browser.change("POST", "/api/v1/tokens", "{}").status,
        403,
        "no more than the token"
    );
    let out = browser.change("DELETE", "/api/v1/session", "");
    assert_eq!(out.status, 200, "{}", out.body);
    assert!(out.header("set-cookie").expect("a cookie").contains("Max-Age=0"));
    assert_eq!(browser.call("GET", "/api/v1/status", &[], "").status, 401);
    let audit = admin.palisade.json(&["audit"]).to_string();
    for what in ["opened a session", "closed a session", "block ip:192.0.2.9"] {
        assert!(audit.contains(what), "{what}: {audit}");
    }
}

#[test]
fn a_session_ends_with_its_token_and_log_ins_are_limited() {
    let admin = Administered::start("");
    let token = admin.token("admin", "1h");
    let browser = Browser::log_in(&admin, &token);
    assert_eq!(browser.call("GET", "/api/v1/status", &[], "").status, 200);
    let id = token.get(9..17).expect("an id");
    assert!(admin.palisade.command(&["token", "revoke", id]).status.success());
    assert_eq!(browser.call("GET", "/api/v1/status", &[], "").status, 401);
    let guess = format!("Bearer palisade_00000000_{}", "A".repeat(43));
    let headers = [("host", "localhost"), ("authorization", guess.as_str())];
    let tries: Vec<u16> = (0..15)
        .map(|_| call_with(admin.api, "POST", "/api/v1/session", &headers, "").status)
        .collect();
    assert_eq!((tries[0], tries[14]), (401, 429), "{tries:?}");
}

#[test]
fn a_change_that_is_sent_twice_under_one_key_happens_once() {
    let admin = Administered::start("");
    let token = format!("Bearer {}", admin.token("admin", "1h"));
    let send = |key: &str, method: &str, path: &str, body: &str| {
        let headers =
            [("host", "localhost"), ("authorization", token.as_str()), ("idempotency-key", key)];
        call_with(admin.api, method, path, &headers, body)
    };
    let first = send("k-1", "POST", "/api/v1/decisions", BLOCK);
    let again = send("k-1", "POST", "/api/v1/decisions", BLOCK);
    assert_eq!((first.status, &first.body), (200, &again.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.header("idempotent-replayed"), None);
    let other = BLOCK.replace("192.0.2.9", "192.0.2.10");
    assert_eq!(send("k-1", "POST", "/api/v1/decisions", &other).status, 409);
    assert_eq!(send("k-2", "POST", "/api/v1/decisions", &other).status, 200);
    let decisions = admin.palisade.json(&["decisions", "list"]);
    assert_eq!(decisions["decisions"].as_array().expect("decisions").len(), 2);
    assert_eq!(send("two words", "POST", "/api/v1/decisions", BLOCK).status, 400);
    // What was refused may be tried again, and a secret is not told twice.
    assert_eq!(send("k-3", "DELETE", "/api/v1/decisions/d-99", "").status, 404);
    assert_eq!(send("k-3", "DELETE", "/api/v1/decisions/d-1", "").status, 200);
    let order = r#"{"name":"ci","scope":"read"}"#;
    assert_eq!(send("k-4", "POST", "/api/v1/tokens", order).status, 200);
    let again = send("k-4", "POST", "/api/v1/tokens", order);
    assert_eq!(again.status, 409, "{}", again.body);
    assert!(!again.body.contains("palisade_"), "{}", again.body);
}
