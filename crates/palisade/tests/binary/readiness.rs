//! May a layer enforce? What is told, what `enforce` asks, and what is taken back by itself.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::past;
use crate::support::{Answer, Palisade, Upstream, call_with, shop, text, until};

/// What a rule takes for an attack, and what honest callers of this shop send now and then.
const ODD: &str = "/api/v1/products?q=1%27%20union%20select%20name,pass%20from%20users--%20";
const EVEN: &str = "/api/v1/me";
const KNOWN: usize = 6;

/// On `data`, where a day has passed. Callers say who they are.
fn start(folder: &Path, upstream: &Upstream, lines: &str) -> Palisade {
    let file = folder.join("palisade.toml");
    let text = format!(
        "version = 1\n{lines}\n[server]\nlisten = \"127.0.0.1:0\"\n\
         trusted_proxies = [\"127.0.0.1/32\"]\n\
         [[site]]\nname = \"shop\"\nupstream = \"{}\"\n",
        upstream.url()
    );
    fs::write(&file, text).expect("written");
    Palisade::start(&folder.join("data"), &["-c", file.to_str().expect("a path")])
}

fn known(palisade: &Palisade, caller: usize, target: &str) -> Answer {
    let (from, token) = (past::address(caller), format!("Bearer {}", past::token(caller)));
    let headers = [("x-forwarded-for", from.as_str()), ("authorization", token.as_str())];
    call_with(palisade.address, "GET", target, &headers, "")
}

fn stranger(palisade: &Palisade, number: usize, target: &str) -> Answer {
    let from = format!("203.0.113.{number}");
    let headers = [("x-forwarded-for", from.as_str())];
    call_with(palisade.address, "GET", target, &headers, "")
}

fn layer(readiness: &Value, name: &str) -> Value {
    let layers = readiness["layers"].as_array().expect("layers");
    layers.iter().find(|layer| layer["layer"] == name).expect("the layer").clone()
}

fn mode(palisade: &Palisade, name: &str) -> String {
    let readiness = palisade.json(&["readiness"]);
    layer(&readiness, name)["mode"].as_str().expect("a mode").to_owned()
}

#[test]
fn what_would_be_refused_is_told_and_enforcing_waits_until_somebody_has_looked() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    past::a_day(&folder.path().join("data"), KNOWN);
    let palisade = start(folder.path(), &upstream, "");
    for caller in 0..KNOWN {
        assert_eq!(known(&palisade, caller, "/api/v1/products?q=tea").status, 200);
        assert_eq!(known(&palisade, caller, ODD).status, 200, "monitor mode changes no answer");
    }
    for number in 1..4 {
        assert_eq!(stranger(&palisade, number, ODD).status, 200);
    }
    let readiness = until("the events", || {
        let told = palisade.json(&["readiness"]);
        (layer(&told, "rules")["would_refuse"] == 9).then_some(told)
    });
    let rules = layer(&readiness, "rules");
    assert_eq!(rules["verdict"], "look-first", "{rules}");
    assert_eq!((&rules["known"], &rules["known_callers"]), (&Value::from(6), &Value::from(6)));
    assert_eq!(rules["callers"], 9);
    assert_eq!(rules["endpoints"][0]["endpoint"], "GET shop.test /api/v1/products");
    assert_eq!(rules["foremost"][0]["known"], true);
    for fine in ["rate", "recon", "takeover"] {
        let fine = layer(&readiness, fine);
        assert_eq!(fine["verdict"], "ready", "{fine}");
    }
    let summary = readiness["summary"].as_str().expect("a summary");
    assert!(summary.contains("ready: rate, recon, takeover"), "{summary}");
    assert!(summary.contains("look first: rules"), "{summary}");
    assert_eq!(palisade.json(&["status"])["readiness"], summary);
    let table = text(&palisade.command(&["readiness"]).stdout);
    assert!(table.contains("look first"), "{table}");
    assert!(table.contains("6 callers with an established session"), "{table}");
    assert!(table.contains("palisade events --layer rules --known --since 24h --data"), "{table}");
    let lines = text(&palisade.command(&["readiness", "rules", "--output", "jsonl"]).stdout);
    let line: Value = serde_json::from_str(&lines).expect("one line");
    assert_eq!(line["layer"], "rules");
    let shown = palisade.json(&["events", "--layer", "rules", "--known"]);
    assert_eq!(shown["events"].as_array().expect("events").len(), 6);

    let output = palisade.command(&["enforce", "rules"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("look first: rules on site shop"), "{said}");
    assert!(said.contains("nothing was changed; --yes goes on"), "{said}");
    assert_eq!(mode(&palisade, "rules"), "monitor");
    let output = palisade.command(&["enforce", "rate,recon,takeover"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("on probation until"), "{}", text(&output.stderr));
    silence_and_look_again(&palisade, rules["foremost"][0]["event"].as_str().expect("an event"));
}

/// What an exception silences does not count any more, and counts again without it.
fn silence_and_look_again(palisade: &Palisade, event: &str) {
    let dry = palisade.json(&["silence", event, "--scope", "endpoint", "--dry-run"]);
    let preview = &dry["preview"];
    assert_eq!((&preview["events"], &preview["requests"]), (&Value::from(9), &Value::from(9)));
    assert_eq!((&preview["callers"], &preview["refused"]), (&Value::from(9), &Value::from(0)));
    assert_eq!(preview["complete"], true);
    let narrow = palisade.json(&["silence", event, "--dry-run"]);
    assert_eq!(narrow["preview"]["requests"], 1, "{narrow}");
    let shown = palisade.command(&["silence", event, "--scope", "endpoint"]);
    let (shown, said) = (text(&shown.stdout), text(&shown.stderr));
    assert!(shown.contains("9 requests of 9 callers (9 events) would have passed"), "{shown}");
    let told = palisade.json(&["readiness"]);
    assert_eq!(layer(&told, "rules")["verdict"], "ready", "{told}");
    let undo = said.lines().find_map(|line| line.strip_prefix("undo: palisade ")).expect("an undo");
    let words: Vec<&str> = undo.split_whitespace().take(3).collect();
    assert!(palisade.command(&words).status.success(), "{undo}");
    assert_eq!(layer(&palisade.json(&["readiness"]), "rules")["verdict"], "look-first");
    let output = palisade.command(&["enforce", "rules", "--yes"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(mode(palisade, "rules"), "enforce");
}

#[test]
fn enforcing_that_refuses_known_callers_is_taken_back_even_after_a_restart() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let told = Upstream::serve(|_| Answer::json(200, "ok"));
    past::a_day(&folder.path().join("data"), KNOWN);
    let lines = format!("[alerts]\nwebhook = {{ url = \"{}/in\" }}\n", told.url());
    let palisade = start(folder.path(), &upstream, &lines);
    let output = palisade.command(&["enforce", "rules,recon"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(palisade.json(&["readiness"])["probation"]["what"], "rules, recon in enforce mode");
    palisade.signal("KILL");
    drop(palisade);
    let palisade = start(folder.path(), &upstream, &lines);
    assert_eq!((mode(&palisade, "rules"), mode(&palisade, "recon")), enforced());
    // Two who are refused may be attackers with a session; more than that are none.
    let mut refused = 0;
    until("the way back", || {
        for caller in 0..KNOWN {
            known(&palisade, caller, EVEN);
            refused += usize::from(known(&palisade, caller, ODD).status == 403);
        }
        (mode(&palisade, "rules") == "monitor").then_some(())
    });
    assert!(refused >= KNOWN, "{refused}");
    assert_eq!(mode(&palisade, "recon"), "monitor", "all of the switch goes back");
    assert_eq!(known(&palisade, 0, ODD).status, 200);
    let readiness = palisade.json(&["readiness"]);
    assert_eq!(readiness["probation"], Value::Null);
    let taken_back = &readiness["taken_back"][0];
    let reason = taken_back["reason"].as_str().expect("a reason");
    assert!(reason.contains("callers with an established session were refused"), "{reason}");
    let status = text(&palisade.command(&["status"]).stdout);
    assert!(status.contains("enforcing was taken back at"), "{status}");
    let audit = palisade.json(&["audit"]);
    assert!(audit["chain"].as_str().expect("a chain").starts_with("whole"));
    let lines = audit["lines"].to_string();
    assert!(lines.contains("taken back: rules, recon as file and flags say"), "{lines}");
    assert!(lines.contains("palisade (probation)"), "{lines}");
    until("an incident", || {
        let incidents = palisade.json(&["incidents", "list"]);
        incidents.to_string().contains("Enforcing was taken back").then_some(())
    });
    until("an alert", || {
        told.got().iter().any(|got| got.body.contains("\"taken_back\"")).then_some(())
    });
    let report = palisade.json(&["report"]);
    assert!(!report.to_string().contains("Enforcing was taken back"), "it is no attack");
    // Whoever switches again has seen it.
    assert!(palisade.command(&["enforce", "rules", "--force"]).status.success());
    let readiness = palisade.json(&["readiness"]);
    assert_eq!(readiness["probation"], Value::Null, "for good");
    assert_eq!(readiness["taken_back"], Value::Null);
}

fn enforced() -> (String, String) {
    ("enforce".to_owned(), "enforce".to_owned())
}

#[test]
fn an_attack_that_begins_right_after_is_refused_and_takes_nothing_back() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    past::a_day(&folder.path().join("data"), KNOWN);
    let palisade = start(folder.path(), &upstream, "");
    assert!(palisade.command(&["enforce"]).status.success());
    let (began, mut refused) = (Instant::now(), 0);
    // Longer than it takes to see harm in the other test.
    while began.elapsed() < Duration::from_secs(12) {
        for number in 1..40 {
            refused += usize::from(stranger(&palisade, number, ODD).status == 403);
            stranger(&palisade, number, &format!("/backup-{number}-{refused}.zip"));
        }
        for caller in 0..KNOWN {
            assert_eq!(known(&palisade, caller, EVEN).status, 200);
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(refused > 100, "{refused}");
    for layer in ["rules", "recon", "takeover", "rate"] {
        assert_eq!(mode(&palisade, layer), "enforce");
    }
    assert!(palisade.json(&["readiness"])["probation"]["until"].is_string());
    // Who takes it back by hand ends the probation, too.
    assert!(palisade.command(&["monitor"]).status.success());
    assert_eq!(palisade.json(&["readiness"])["probation"], Value::Null);
}
