//! Passwords and codes that are guessed, before the real program: how many guesses the API gets to
//! see, what it is told of them, and that nobody else learns of it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::{
    Answer, Got, Palisade, Upstream, call, call_with, log_in_as, program, shop, text,
};

/// One of the passwords that everybody tries, unlike anything else that is written here.
const COMMON: &str = "1Q2w3E4r5T6y7U8i9o";

#[test]
fn the_upstream_is_told_of_a_common_password_and_nobody_else_is() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let recording = data.path().join("recording.jsonl");
    let named = recording.to_str().expect("a path").to_owned();
    let folder = data.path().join("data");
    let palisade = Palisade::run(&upstream, &folder, &["--mode", "enforce", "--record", &named]);
    assert_eq!(log_in_as(palisade.address, "ada@example.com", "right-horse").status, 200);
    assert_eq!(log_in_as(palisade.address, "bob@example.com", COMMON).status, 401);
    let forged = [("x-common-password", "1"), ("x_common_password", "1")];
    let body = json!({"email": "eve@example.com", "password": "right-horse"}).to_string();
    call_with(palisade.address, "POST", "/api/v1/login", &forged, &body);
    let signup = json!({"email": "cy@example.com", "password": COMMON, "name": "Cy"}).to_string();
    call(palisade.address, "POST", "/api/v1/signup", &signup);
    let marks: Vec<bool> = upstream.got().iter().map(is_marked).collect();
    assert_eq!(marks, [false, true, false, true]);
    // The same password at one account after the other is a list.
    let statuses: Vec<u16> = (0..8)
        .map(|n| log_in_as(palisade.address, &format!("u{n}@example.com"), COMMON).status)
        .collect();
    let answered = statuses.iter().filter(|status| **status == 401).count();
    assert!((1..=6).contains(&answered), "{statuses:?}");
    // Blocked; or, where evidence has faded a little in these seconds, paced until the next.
    let is_refused = |status: &u16| matches!(status, 403 | 429);
    assert!(statuses[answered..].iter().all(is_refused), "{statuses:?}");
    let last = log_in_as(palisade.address, "z@example.com", COMMON);
    let why = palisade.command(&["why", last.header("palisade-event").expect("an event")]);
    assert!(text(&why.stdout).contains("most common"), "{}", text(&why.stdout));
    let said = palisade.said();
    assert_eq!(palisade.end(), 143);
    for place in [folder.as_path(), recording.as_path()] {
        assert!(!holds(place, COMMON), "the password is in {}", place.display());
    }
    assert!(!said.contains(COMMON) && !text(&why.stdout).contains(COMMON));
    let summary = replayed(&folder, &named);
    assert_eq!(summary["different"], 0, "{summary}");
}

#[test]
fn one_account_is_guessed_at_a_few_times_and_its_owner_gets_in() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let owner = [("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0")];
    let enter = |password: &str, agent: &[(&str, &str)]| {
        let body = json!({"email": "ada@example.com", "password": password}).to_string();
        call_with(palisade.address, "POST", "/api/v1/login", agent, &body)
    };
    let entered = enter("right-horse", &owner);
    assert_eq!(entered.status, 200);
    // Whoever uses what a log-in handed out is known to its account from then on.
    let answer: Value = serde_json::from_str(&entered.body).expect("JSON");
    let bearer = format!("Bearer {}", answer["access_token"].as_str().expect("a token"));
    let used = [owner[0], ("authorization", bearer.as_str())];
    assert_eq!(call_with(palisade.address, "GET", "/api/v1/me", &used, "").status, 200);
    let enter = |password: &str, agent: &[(&str, &str)]| enter(password, agent).status;
    let before = upstream.got().len();
    let statuses: Vec<u16> =
        (0..40).map(|n| enter(&format!("Guess-{n}"), &[("user-agent", "curl/8.11.0")])).collect();
    let evaluated = upstream.got().len() - before;
    assert!((1..=9).contains(&evaluated), "{evaluated} of 40 guesses: {statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(enter("right-horse", &owner), 200, "the owner is not locked out");
}

#[test]
fn codes_sent_all_at_once_are_not_evaluated_all() {
    let upstream = Upstream::serve(|got| match got.target.as_str() {
        "/api/v1/otp/verify" if got.body.contains("\"7777\"") => {
            Answer::json(200, r#"{"access_token":"tok_4f0d6a9be1c34e87a2d5"}"#)
        }
        "/api/v1/otp/verify" => Answer::json(401, r#"{"error":"wrong code"}"#),
        _ => Answer::json(404, r#"{"error":"not found"}"#),
    });
    let data = tempfile::tempdir().expect("a folder");
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let to = palisade.address;
    let threads: Vec<_> = (0..16)
        .map(|thread| {
            std::thread::spawn(move || (0..12).map(|n| guess(to, thread * 12 + n)).collect())
        })
        .collect();
    let statuses: Vec<u16> = threads
        .into_iter()
        .flat_map(|thread: std::thread::JoinHandle<Vec<u16>>| thread.join().expect("its statuses"))
        .collect();
    let evaluated = upstream.got().len();
    assert!((1..=10).contains(&evaluated), "{evaluated} of 192 codes: {statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 401 | 403 | 429)), "{statuses:?}");
}

#[test]
fn a_log_in_has_no_other_names() {
    // A server that decodes before it splits, and takes no notice of the case of letters.
    let upstream = Upstream::serve(|got| {
        let path = got.target.to_lowercase().replace("%2f", "/");
        let is_right = got.body.contains("right-horse");
        match path.as_str() {
            "/v1/login" if is_right => Answer::json(200, r#"{"ok":true,"name":"Ada"}"#),
            "/v1/login" => Answer::json(200, r#"{"ok":false,"error":"wrong"}"#),
            _ => Answer::json(404, r#"{"error":"not found"}"#),
        }
    });
    let data = tempfile::tempdir().expect("a folder");
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let enter = |target: &str, name: &str, password: &str| {
        let body = json!({"email": format!("{name}@example.com"), "password": password});
        call(palisade.address, "POST", target, &body.to_string()).status
    };
    for number in 0..12 {
        assert_eq!(enter("/v1/login", &format!("u{number}"), "right-horse"), 200);
    }
    let before = upstream.got().len();
    let spellings =
        ["/v1%2Flogin", "/V1/Login", "/v1/LOGIN", "/V1%2fLOGIN", "/x%2F..%2Fv1%2Flogin"];
    let statuses: Vec<u16> = (0..60)
        .map(|n| enter(spellings[n % spellings.len()], "ada", &format!("Guess-{n}")))
        .collect();
    let evaluated = upstream.got().len() - before;
    assert!((1..=9).contains(&evaluated), "{evaluated} of 60 guesses: {statuses:?}");
    let list = palisade.json(&["api", "list"]);
    let endpoints = list["endpoints"].as_array().expect("a list");
    let told: Vec<_> = endpoints.iter().map(|it| (&it["template"], &it["role"])).collect();
    assert_eq!(told, [(&json!("/v1/login"), &json!("login"))]);
}

fn guess(to: SocketAddr, code: u32) -> u16 {
    let body = json!({"email": "ada@example.com", "code": format!("{code:04}")}).to_string();
    call(to, "POST", "/api/v1/otp/verify", &body).status
}

fn is_marked(got: &Got) -> bool {
    assert!(got.header("x_common_password").is_none());
    got.header("x-common-password").is_some()
}

/// Whether a file, or one below a folder, holds `secret` in any case of its letters.
fn holds(path: &Path, secret: &str) -> bool {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).expect("a folder");
        return entries.flatten().any(|entry| holds(&entry.path(), secret));
    }
    // Sockets and the like hold nothing.
    let Ok(bytes) = std::fs::read(path) else { return false };
    String::from_utf8_lossy(&bytes).to_lowercase().contains(&secret.to_lowercase())
}

fn replayed(folder: &Path, recording: &str) -> Value {
    let output: Output = program()
        .args(["replay", recording, "--output", "jsonl", "--data"])
        .arg(folder)
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    let last = lines.lines().last().expect("a summary");
    serde_json::from_str::<Value>(last).expect("a line")["summary"].take()
}
