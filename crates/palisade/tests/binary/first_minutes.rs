//! What a newcomer does first, and what must not happen meanwhile.

use std::io::BufRead as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Palisade, call, call_raw, call_with, log_in_as, program, shop, text, until};

#[test]
fn the_first_call_is_in_the_inventory_within_a_second() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    assert!(palisade.said().contains("nothing is blocked"), "{}", palisade.said());
    let answer = call(palisade.address, "GET", "/api/v1/orders/7", "");
    assert_eq!(answer.status, 200);
    let since = Instant::now();
    let list = palisade.json(&["api", "list"]);
    let endpoint = &list["endpoints"][0];
    assert_eq!(list["schema"], "palisade.v1.apis");
    assert_eq!(endpoint["method"], "GET");
    assert_eq!(endpoint["template"], "/api/v1/orders/{id}");
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
}

#[test]
fn monitor_mode_never_changes_an_answer() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    for number in 0..40 {
        let answer = log_in_as(palisade.address, &format!("u{number}@example.com"), "wrong");
        assert_eq!(answer.status, 401);
        assert_eq!(answer.body, r#"{"error":"wrong e-mail or password"}"#);
        assert_eq!(answer.header("palisade-event"), None);
    }
    assert_eq!(upstream.got().len(), 40);
    let would = until("a would-be refusal", || {
        let list = palisade.json(&["events"]);
        let events = list["events"].as_array()?.clone();
        events.into_iter().find(|event| event["action"] != "allow")
    });
    assert_eq!(would["refused"], false);
    assert_eq!(would["mode"], "monitor");
    let incident =
        until("an incident", || palisade.json(&["incidents", "list"])["incidents"].get(0).cloned());
    assert_ne!(incident["severity"], "low", "{incident}");
}

#[test]
fn stuffing_that_is_only_paced_is_no_trifle() {
    for mode in ["monitor", "enforce"] {
        let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
        let palisade = Palisade::run(&upstream, data.path(), &["--mode", mode]);
        let mut events = serde_json::Value::Null;
        for number in 0..12 {
            log_in_as(palisade.address, &format!("u{number}@example.com"), "wrong");
            events = palisade.json(&["events"])["events"].clone();
            let hardest = events.as_array().expect("a list").iter().map(|event| &event["action"]);
            if hardest.clone().any(|action| action != "allow") {
                break;
            }
        }
        assert_eq!(events[0]["action"], "challenge", "{mode}: paced, not blocked yet: {events}");
        let incident = until("an incident", || {
            palisade.json(&["incidents", "list"])["incidents"].get(0).cloned()
        });
        assert_eq!(incident["severity"], "medium", "{mode}: {incident}");
    }
}

#[test]
fn traffic_is_told_in_figures_at_once_and_after_a_restart() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    for _ in 0..7 {
        call(palisade.address, "GET", "/api/v1/orders/7", "");
    }
    call(palisade.address, "GET", "/nowhere", "");
    palisade.json(&["block", "ip:127.0.0.1"]);
    call(palisade.address, "GET", "/api/v1/orders/7", "");
    let check = |palisade: &Palisade| {
        let all = palisade.json(&["status"])["traffic"].clone();
        for (at, span) in ["1h", "24h"].into_iter().enumerate() {
            assert_eq!(all[at]["span"], span);
            assert_eq!(all[at]["requests"], 9, "{all}");
            assert_eq!(all[at]["refused"], 1, "{all}");
            assert_eq!(all[at]["statuses"]["2xx"], 7, "{all}");
            assert!(all[at]["p95_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{all}");
        }
        let one = palisade.json(&["api", "show", "GET /api/v1/orders/{id}"])["traffic"].clone();
        assert_eq!((&one[0]["requests"], &one[0]["refused"]), (&8.into(), &1.into()), "{one}");
        let words = text(&palisade.command(&["status"]).stdout);
        assert!(words.contains("last 24h"), "{words}");
    };
    check(&palisade);
    palisade.end();
    check(&Palisade::run(&upstream, data.path(), &["--mode", "enforce"]));
}

#[test]
fn stuffing_is_stopped_and_the_caller_holds_an_id_that_explains_it() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &["--mode", "enforce"]);
    let refused = (0..60)
        .map(|number| log_in_as(palisade.address, &format!("u{number}@example.com"), "wrong"))
        .find(|answer| answer.status != 401)
        .expect("sixty stolen pairs from one source are refused");
    assert!(matches!(refused.status, 403 | 429), "{}", refused.status);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    let id = refused.header("palisade-event").expect("an id").to_owned();
    let problem: serde_json::Value = serde_json::from_str(&refused.body).expect("a problem");
    assert_eq!(problem["instance"], format!("urn:uuid:{id}"));
    assert!(!refused.body.contains("stuffing"), "no oracle: {}", refused.body);
    assert!(upstream.got().len() <= 16, "{} reached the upstream", upstream.got().len());

    let detail = palisade.json(&["why", &id]);
    assert_eq!(detail["schema"], "palisade.v1.event");
    assert_eq!(detail["event"]["refused"], true);
    let signals = detail["event"]["signals"].as_array().expect("signals");
    assert!(!signals.is_empty());
    let words = text(&palisade.command(&["why", &id]).stdout);
    assert!(words.contains("carried out"), "{words}");
    assert!(words.contains("ip:127.0.0.1"), "{words}");

    let incident =
        until("an incident", || palisade.json(&["incidents", "list"])["incidents"].get(0).cloned());
    assert!(incident["title"].as_str().expect("a title").contains("Credential stuffing"));
    let gate = palisade.command(&["incidents", "list", "--fail-on", "low"]);
    assert_eq!(gate.status.code(), Some(3));
}

#[test]
fn a_request_that_two_parsers_could_read_differently_is_explained_too() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    let smuggled = b"POST / HTTP/1.1\r\nhost: shop.test\r\ncontent-length: 4\r\n\
        transfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let answer = call_raw(palisade.address, smuggled);
    assert_eq!(answer.status, 400);
    let id = answer.header("palisade-event").expect("an id").to_owned();
    let words = text(&palisade.command(&["why", &id]).stdout);
    assert!(words.contains("rejected as malformed"), "{words}");
    assert!(words.contains("contradict each other"), "{words}");
    assert!(upstream.got().is_empty());
}

#[test]
fn escape_sequences_of_attackers_stay_out_of_the_terminal() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    let hostile = [("user-agent", "x\u{9b}31m\u{202e}gnp"), ("x-request-id", "a\u{9b}2J")];
    call_with(palisade.address, "GET", "/api/v1/products?q=%1b%5b2J", &hostile, "");
    call_with(palisade.address, "GET", "/%1b%5b2J%0aFAKE", &hostile, "");
    for args in [vec!["events", "--samples"], vec!["api", "list"], vec!["status"]] {
        let output = palisade.command(&args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let shown = text(&output.stdout);
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.contains(acts), "{args:?}: {shown:?}");
    }
}

#[test]
fn tail_follows_what_happens() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    let mut tail = program()
        .args(["tail", "--samples", "--output", "jsonl", "--data"])
        .arg(data.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tail starts");
    let stdout = tail.stdout.take().expect("its stdout");
    let (sender, lines) = std::sync::mpsc::sync_channel(16);
    std::thread::spawn(move || {
        for line in std::io::BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let line = until("a line", || {
        call(palisade.address, "GET", "/api/v1/orders/7", "");
        lines.recv_timeout(Duration::from_millis(200)).ok()
    });
    let event: serde_json::Value = serde_json::from_str(&line).expect("an event");
    assert_eq!(event["endpoint"], "GET shop.test /api/v1/orders/{id}");
    assert_eq!(palisade.end(), 143, "somebody who follows does not keep it from ending");
    until("tail to end", || tail.try_wait().expect("a status"));
}

#[test]
fn the_exported_document_names_what_was_seen() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    call(palisade.address, "GET", "/api/v1/orders/7", "");
    let document = palisade.json(&["api", "export", "openapi"]);
    assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"));
    assert!(document["paths"]["/api/v1/orders/{id}"]["get"].is_object(), "{document}");
    let file = data.path().join("api.json");
    let named = file.to_str().expect("a path");
    let output = palisade.command(&["api", "export", "openapi", "-o", named]);
    assert!(output.status.success() && output.stdout.is_empty());
    let written = std::fs::read_to_string(&file).expect("the file");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&written).expect("json"), document);
}

#[test]
fn wrong_words_are_usage_and_nobody_there_is_unreachable() {
    let data = tempfile::tempdir().expect("a folder");
    let code = |args: &[&str]| {
        program().args(args).arg("--data").arg(data.path()).output().expect("runs").status.code()
    };
    assert_eq!(code(&["stauts"]), Some(2));
    assert_eq!(code(&["block", "ip:203.0.113.7", "--for", "soon"]), Some(2));
    assert_eq!(code(&["status"]), Some(5));
    assert_eq!(code(&["run", "--to", "localhost:3000"]), Some(2));
    let output = program().args(["stauts"]).output().expect("runs");
    assert!(text(&output.stderr).contains("status"), "did you mean: {}", text(&output.stderr));
}
