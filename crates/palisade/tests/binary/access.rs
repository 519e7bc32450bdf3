//! The access log: a line for each exchange, without secrets, through rotation.

use std::fs;

use crate::support::{Palisade, call_with, shop, until};

#[test]
fn each_exchange_has_a_line_without_secrets_and_rotation_needs_no_signal() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let (log, file) = (folder.path().join("access.log"), folder.path().join("palisade.toml"));
    let policy = format!(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\naccess_log = \"access.log\"\n\
         [[site]]\nname = \"shop\"\nhosts = [\"*\"]\nupstream = [\"{}\"]\n",
        upstream.url()
    );
    fs::write(&file, policy).expect("written");
    let named = file.to_str().expect("a path");
    let palisade = Palisade::start(&folder.path().join("data"), &["--config", named]);
    let lines = || -> Vec<serde_json::Value> {
        let text = fs::read_to_string(&log).unwrap_or_default();
        // The last one may be half written.
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole.map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let secrets = [("authorization", "Bearer c4naryc4naryc4nary"), ("user-agent", "tests/1")];
    let answer = call_with(
        palisade.address,
        "GET",
        "/api/v1/orders/7?token=c4naryc4naryc4nary",
        &secrets,
        "",
    );
    let id = answer.header("x-request-id").expect("an id").to_owned();
    let line = until("a line", || lines().into_iter().next());
    assert_eq!(line["request_id"], id.as_str());
    assert_eq!(line["path"], "/api/v1/orders/7", "without its query");
    assert_eq!(line["status"], answer.status);
    assert_eq!(line["bytes"], answer.body.len());
    assert_eq!((&line["site"], &line["method"]), (&"shop".into(), &"GET".into()));
    assert_eq!((&line["client"], &line["user_agent"]), (&"127.0.0.1".into(), &"tests/1".into()));
    assert!(line["took_us"].as_u64().expect("a number") > 0, "{line}");
    assert!(!line.to_string().contains("c4nary"), "{line}");
    for number in 0..50 {
        call_with(palisade.address, "GET", &format!("/api/v1/orders/{number}"), &[], "");
    }
    until("all lines", || (lines().len() == 51).then_some(()));
    let moved = folder.path().join("access.log.1");
    fs::rename(&log, &moved).expect("moved away");
    until("a new file", || log.exists().then_some(()));
    call_with(palisade.address, "GET", "/api/v1/orders/after", &[], "");
    until("its line", || (lines().len() == 1).then_some(()));
    assert_eq!(fs::read_to_string(&moved).expect("read").lines().count(), 51);
    call_with(palisade.address, "GET", "/api/v1/orders/last", &[], "");
    palisade.end();
    assert_eq!(lines().len(), 2, "what waits is written at the end");
}
