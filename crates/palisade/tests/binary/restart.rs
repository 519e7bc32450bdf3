//! What survives: learnt state, decisions, exceptions, switches, events.

use crate::support::{Palisade, call, log_in_as, shop, text, until};

#[test]
fn a_restart_forgets_nothing() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    for number in 0..5 {
        call(palisade.address, "GET", &format!("/api/v1/orders/{number}"), "");
    }
    assert!(palisade.command(&["block", "ip:203.0.113.9", "--for", "ever"]).status.success());
    let again = palisade.json(&["block", "ip:203.0.113.9"]);
    assert!(again["warnings"][0].to_string().contains("stands already"), "{again}");
    assert!(palisade.command(&["enforce", "recon"]).status.success());
    let before = palisade.json(&["api", "list"]);
    let refused = (0..60)
        .map(|number| log_in_as(palisade.address, &format!("u{number}@example.com"), "wrong"))
        .count();
    assert_eq!(refused, 60);
    let event = until("an event", || {
        palisade.json(&["events"])["events"].get(0)?["id"].as_str().map(str::to_owned)
    });
    assert_eq!(palisade.end(), 143);

    let palisade = Palisade::run(&upstream, data.path(), &[]);
    let after = palisade.json(&["api", "list"]);
    let templates = |list: &serde_json::Value| {
        let endpoints = list["endpoints"].as_array().expect("a list").clone();
        let labels = endpoints.iter().map(|endpoint| endpoint["label"].to_string());
        labels.collect::<Vec<_>>()
    };
    for label in templates(&before) {
        assert!(templates(&after).contains(&label), "{label} is forgotten");
    }
    let decisions = palisade.json(&["decisions", "list"])["decisions"].to_string();
    assert!(decisions.contains("ip:203.0.113.9"), "{decisions}");
    let status = palisade.json(&["status"]).to_string();
    assert!(status.contains("overlay.toml:"), "{status}");
    let why = palisade.command(&["why", &event]);
    assert!(why.status.success(), "{}", text(&why.stderr));
    let incidents = palisade.json(&["incidents", "list"]);
    assert!(!incidents["incidents"].as_array().expect("a list").is_empty());
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let (upstream, data) = (shop(), tempfile::tempdir().expect("a folder"));
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    assert!(palisade.command(&["block", "ip:203.0.113.9"]).status.success());
    assert!(palisade.command(&["enforce"]).status.success());
    palisade.signal("KILL");
    drop(palisade);
    let palisade = Palisade::run(&upstream, data.path(), &[]);
    let decisions = palisade.json(&["decisions", "list"])["decisions"].to_string();
    assert!(decisions.contains("ip:203.0.113.9"), "{decisions}");
    let status = palisade.json(&["status"]);
    assert_eq!(status["sites"][0]["layers"][0]["mode"], "enforce");
}
