//! `scan` and `watch`: access logs through the real program.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;

use crate::support::{PATIENCE, program, text};

/// A shop's log: honest callers, and from 203.0.113.66 a search for hidden paths.
fn shop_log(honest: usize) -> String {
    let mut log = String::new();
    let second = |at: usize| {
        let (hour, minute) = (10 + at / 3_600, at / 60 % 60);
        format!("01/Jun/2024:{hour:02}:{minute:02}:{:02} +0000", at % 60)
    };
    let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0";
    for at in 0..honest {
        let (client, time) = (at % 40, second(at));
        let request = match at % 4 {
            0 => "GET /api/v1/products HTTP/1.1".to_owned(),
            1 => format!("GET /api/v1/products/{} HTTP/1.1", at % 97),
            2 => format!("GET /api/v1/orders/{} HTTP/1.1", 1_000 + at),
            _ => "POST /api/v1/cart HTTP/1.1".to_owned(),
        };
        log.push_str(&format!(
            "192.0.2.{client} - - [{time}] \"{request}\" 200 512 \"-\" \"{browser}\"\n"
        ));
    }
    log + &search("203.0.113.66", &second(honest))
}

/// Somebody looks for what is not there.
fn search(from: &str, time: &str) -> String {
    let words = [
        "admin",
        "git/config",
        "backup.zip",
        "phpmyadmin",
        "wp-login.php",
        "env",
        "old",
        "console",
        "actuator/env",
        "server-status",
        "cgi-bin/test",
        "db.sql",
        "secret",
        "api/debug",
    ];
    let line = |word: &&str| {
        format!("{from} - - [{time}] \"GET /{word} HTTP/1.1\" 404 19 \"-\" \"curl/8.5.0\"\n")
    };
    words.iter().map(line).collect()
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    path
}

fn scan(args: &[&str]) -> Output {
    program().arg("scan").args(args).output().expect("runs")
}

fn json(args: &[&str]) -> serde_json::Value {
    let output = scan(&[args, &["--output", "json"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("json")
}

fn shown(path: &Path) -> &str {
    path.to_str().expect("a path")
}

#[test]
fn a_log_shows_the_api_and_who_attacks_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = shop_log(800);
    log.push_str("no line of any log\n");
    log.push_str(
        "198.51.100.9 - - [01/Jun/2024:10:13:21 +0000] \"\\x16\\x03\\x01\" 400 0 \"-\" \"-\"\n",
    );
    write(folder.path(), "access.log", log);
    let output = program()
        .args(["scan", "access.log", "--utc"])
        .current_dir(folder.path())
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "no bar where no terminal is");
    let page = text(&output.stdout);
    for row in [
        "format      common/combined, 816 lines, 814 requests",
        "no request  1 line: not HTTP, first from 198.51.100.9 in line 816",
        "1× no time, first in line 815: no line of any log",
        "time        2024-06-01 10:00:00 to 2024-06-01 10:13:20 UTC",
        "What the API is: 4 endpoints on site",
        "/api/v1/products/{",
        "Who attacks it: 1 incident",
        "credential stuffing (in part)",
    ] {
        assert!(page.contains(row), "{row:?} is missing in\n{page}");
    }
    let attack = page.lines().find(|line| line.contains("203.0.113.66")).expect("the attacker");
    assert!(attack.starts_with("high"), "{attack}");
    let again = program()
        .args(["scan", "access.log", "--utc"])
        .current_dir(folder.path())
        .output()
        .expect("runs");
    assert_eq!(again.stdout, output.stdout, "the same input gives the same bytes");
}

#[test]
fn a_log_in_under_attack_is_known_by_path_and_status() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = String::new();
    for at in 0..600 {
        let time = format!("01/Jun/2024:10:{:02}:{:02} +0000", at / 60, at % 60);
        let honest = if at % 12 == 0 { 401 } else { 200 };
        log.push_str(&format!(
            "192.0.2.{} - - [{time}] \"POST /api/v1/login HTTP/1.1\" {honest} 99 \"-\" \"shop/4\"\n",
            at % 200
        ));
        if (300..360).contains(&at) {
            log.push_str(&format!(
                "203.0.113.9 - - [{time}] \"POST /api/v1/login HTTP/1.1\" 401 30 \"-\" \"okhttp/4\"\n"
            ));
        }
    }
    let path = write(folder.path(), "access.log", log);
    let document = json(&[shown(&path)]);
    let incidents = document["incidents"].as_array().expect("a list");
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!(incidents[0]["callers"], serde_json::json!(["ip:203.0.113.9"]));
    let finding = &incidents[0]["findings"][0];
    assert_eq!(finding["detector"], "credential-stuffing");
    assert_eq!(finding["endpoint"], "POST site /api/v1/login");
    let title = finding["title"].as_str().expect("a title");
    assert!(title.contains("whose accounts"), "{title}");
    let login =
        document["endpoints"].as_array().expect("a list").iter().find(|endpoint| {
            endpoint["template"] == "/api/v1/login" && endpoint["role"] == "login"
        });
    assert!(login.is_some(), "{:#?}", document["endpoints"]);
}

#[test]
fn what_was_forgotten_and_answers_is_told_of_the_api_and_not_of_its_finder() {
    let folder = tempfile::tempdir().expect("a folder");
    let bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let log = shop_log(800).replace("/api/v1/", "/api/v2/")
        + &format!(
            "66.249.66.1 - - [01/Jun/2024:10:20:00 +0000] \"GET /api/v1/products HTTP/1.1\" 200 512 \"-\" \"{bot}\"\n"
        );
    let path = write(folder.path(), "access.log", log);
    let args = [shown(&path), "--utc"];
    let page = text(&scan(&args).stdout);
    let (attacks, rest) =
        page.split_once("What answers and was forgotten: 1 endpoint").expect("told");
    assert!(attacks.contains("Who attacks it: 1 incident") && !attacks.contains("66.249.66.1"));
    let row = rest.lines().nth(2).expect("a row");
    let words = ["medium", "GET site /api/v1/products", "815", "ip:66.249.66.1"];
    assert!(words.iter().all(|word| row.contains(word)), "{row}");
    let document = json(&args);
    assert_eq!(document["incidents"].as_array().map(Vec::len), Some(1));
    let found = &document["exposures"][0];
    assert_eq!((&found["found_by"], found.get("caller")), (&"ip:66.249.66.1".into(), None));
    assert_eq!(found["detector"], "forgotten-endpoint");
    let as_sarif = scan(&[&args[..], &["--output", "sarif"]].concat());
    let sarif: serde_json::Value = serde_json::from_slice(&as_sarif.stdout).expect("SARIF");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let found = results.iter().find(|it| it["ruleId"] == "forgotten-endpoint").expect("told");
    assert_eq!(found["properties"]["caller"], serde_json::Value::Null);
    assert_eq!(found["properties"]["foundBy"], "ip:66.249.66.1");
    let junit = text(&scan(&[&args[..], &["--output", "junit"]].concat()).stdout);
    assert!(junit.contains("classname=\"forgotten-endpoint\""), "{junit}");
    assert!(junit.contains("tests=\"3\" failures=\"2\""), "{junit}");
    let html = text(&scan(&[&args[..], &["--output", "html"]].concat()).stdout);
    assert!(html.contains("GET site /api/v1/products") && !html.contains("66.249.66.1"));
    let gate = scan(&[&args[..], &["--fail-on", "medium"]].concat());
    assert_eq!(gate.status.code(), Some(3));
    let said = text(&gate.stderr);
    assert!(said.contains("1 incident and 1 exposure at or above --fail-on"), "{said}");
}

#[test]
fn rotated_and_packed_logs_are_read_in_the_order_of_their_times() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = shop_log(400);
    let whole = json(&[shown(&write(folder.path(), "whole.log", &log))]);
    let lines: Vec<&str> = log.lines().collect();
    let (old, new) = lines.split_at(250);
    let rotated = folder.path().join("rotated");
    fs::create_dir(&rotated).expect("a folder");
    write(&rotated, "access.log", new.join("\n"));
    let mut packer =
        Command::new("gzip").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("gzip");
    let mut into = packer.stdin.take().expect("its input");
    into.write_all(old.join("\n").as_bytes()).expect("written");
    drop(into);
    write(&rotated, "access.log.1.gz", packer.wait_with_output().expect("packs").stdout);
    write(&rotated, "error.log", "2024/06/01 10:00:00 [error] 4#4: *1 limiting requests\n");
    let parts = json(&[shown(&rotated)]);
    let order: Vec<&str> = parts["inputs"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|input| Path::new(input["name"].as_str().expect("a name")).file_name().expect("one"))
        .map(|name| name.to_str().expect("text"))
        .collect();
    assert_eq!(order, ["access.log.1.gz", "access.log"]);
    assert!(
        parts["passed_over"][0]["name"].as_str().is_some_and(|name| name.ends_with("error.log"))
    );
    assert_eq!(parts["endpoints"], whole["endpoints"]);
    assert_eq!(parts["traffic"], whole["traffic"]);
    let titles = |document: &serde_json::Value| document["incidents"][0]["title"].clone();
    assert_eq!(titles(&parts), titles(&whole));
}

#[test]
fn standard_input_and_a_format_of_ones_own() {
    let mut child = program()
        .args(["scan", "-", "--log-format", "$time_iso8601|$remote_addr|$host|$request|$status"])
        .args(["--output", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut into = child.stdin.take().expect("its input");
    for second in 0..50 {
        let line = format!(
            "2024-06-01T10:00:{second:02}+02:00|2001:db8::7|shop.example|GET /a/{second} HTTP/2.0|200\n"
        );
        into.write_all(line.as_bytes()).expect("written");
    }
    drop(into);
    let output = child.wait_with_output().expect("ends");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("json");
    assert_eq!(document["traffic"]["exchanges"], 50);
    assert_eq!(document["traffic"]["first"], "2024-06-01T08:00:00.000000Z");
    assert_eq!(document["endpoints"][0]["label"], "GET shop.example /a/{id}");
}

#[test]
fn what_one_of_several_formats_hides_is_hidden_in_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |at: usize| {
        format!(
            "{{\"ts\":{}.5,\"request\":{{\"remote_ip\":\"192.0.2.7\",\"method\":\"GET\",\"host\":\"shop.test\",\
             \"uri\":\"/api/v1/products\",\"headers\":{{}}}},\"duration\":0.012,\"size\":9,\"status\":200}}\n",
            1_717_236_000 + at
        )
    };
    let caddy = write(folder.path(), "caddy.log", (0..20).map(line).collect::<String>());
    let combined = write(folder.path(), "access.log", shop_log(200));
    let both = [shown(&caddy), shown(&combined)];
    let hidden = |args: &[&str], what: &str| {
        let document = json(args);
        let all = document["cannot_show"].as_array().expect("a list").clone();
        let found = all.into_iter().find(|it| it["what"] == what);
        found.map(|it| it["in_part"].as_bool().expect("told"))
    };
    for (what, in_caddy) in
        [("hosts", None), ("attempts at once", None), ("known callers", Some(false))]
    {
        assert_eq!(hidden(&both[..1], what), in_caddy, "{what}");
        assert_eq!(hidden(&both[1..], what), Some(false), "{what}");
        assert_eq!(hidden(&both, what), Some(in_caddy.is_none()), "{what}");
    }
    let page = text(&scan(&both).stdout);
    assert!(!page.contains("0.0 ms"), "times that one log does not have: {page}");
}

#[test]
fn build_servers_are_told_in_their_own_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(folder.path(), "access.log", shop_log(800));
    let gate = |severity: &str| scan(&[shown(&path), "--fail-on", severity]).status.code();
    assert_eq!(gate("high"), Some(3));
    assert_eq!(gate("critical"), Some(0));
    let sarif = folder.path().join("scan.sarif");
    assert!(scan(&[shown(&path), "-o", shown(&sarif)]).status.success());
    let sarif: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(sarif).expect("a file")).expect("json");
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&sarif["version"], &result["level"]), (&"2.1.0".into(), &"error".into()));
    let line = result["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64();
    assert!(line.is_some_and(|line| (801..=814).contains(&line)), "{result}");
    let junit = scan(&[shown(&path), "--output", "junit", "--fail-on", "high"]);
    assert_eq!(junit.status.code(), Some(3));
    let xml = text(&junit.stdout);
    assert!(xml.contains("failures=\"1\"") && xml.contains("<failure type=\"high\""), "{xml}");
    let other =
        program().args(["replay", "none.jsonl", "--output", "sarif"]).output().expect("runs");
    assert_eq!(other.status.code(), Some(2));
}

#[test]
fn what_cannot_be_read_is_said_and_not_guessed() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content, said) in [
        ("notes.txt", "dear diary\nthe weather was fine\n", "its format is not known"),
        ("error.log", "2024/06/01 10:00:00 [error] 4#4: *1 limiting requests\n", "no requests"),
        ("empty.log", "", "it is empty"),
        ("x.har", "{\"log\":{\"entries\":7}}", "HAR"),
    ] {
        let path = write(folder.path(), name, content);
        let output = scan(&[shown(&path)]);
        let words = text(&output.stderr) + &text(&output.stdout);
        assert!(words.contains(said), "{name}: {words}");
        assert_ne!(output.status.code(), Some(101));
    }
    let missing = scan(&["/nowhere/access.log"]);
    assert_eq!(missing.status.code(), Some(1));
    let wrong = scan(&[shown(&write(folder.path(), "a", "x")), "--log-format", "$status"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));
}

/// A running `palisade watch`.
struct Watching {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Watching {
    fn start(log: &Path) -> Self {
        let mut child = program()
            .args(["watch", shown(log), "--output", "jsonl"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        let (sender, lines) = mpsc::sync_channel(1_000);
        let stdout = child.stdout.take().expect("its output");
        let stderr = child.stderr.take().expect("its talk");
        let talk = sender.clone();
        std::thread::spawn(move || pass_on(stdout, &sender));
        std::thread::spawn(move || pass_on(stderr, &talk));
        Self { child, lines }
    }

    /// Waits for a line that holds all of `words`.
    fn hears(&self, words: &[&str]) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("never heard of {words:?}"));
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pass_on(from: impl std::io::Read, to: &mpsc::SyncSender<String>) {
    for line in BufReader::new(from).lines().map_while(Result::ok) {
        if to.send(line).is_err() {
            return;
        }
    }
}

#[test]
fn a_log_that_is_not_there_yet_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("access.log");
    let watching = Watching::start(&log);
    watching.hears(&["not there yet; waiting for it"]);
    watching.hears(&["0 requests there before"]);
    fs::write(&log, shop_log(800)).expect("written");
    watching.hears(&["palisade.v1.finding", "ip:203.0.113.66\""]);
}

#[test]
fn a_log_is_followed_through_rotation() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = write(folder.path(), "access.log", shop_log(800));
    let mut watching = Watching::start(&log);
    watching.hears(&["814 requests there before"]);
    let append = |text: &str| {
        let mut file = File::options().append(true).create(true).open(&log).expect("opens");
        file.write_all(text.as_bytes()).expect("written");
    };
    append(&search("203.0.113.1", "01/Jun/2024:11:00:00 +0000"));
    watching.hears(&["palisade.v1.finding", "ip:203.0.113.1\""]);
    fs::rename(&log, folder.path().join("access.log.1")).expect("renamed");
    append(&search("203.0.113.2", "01/Jun/2024:11:05:00 +0000"));
    watching.hears(&["palisade.v1.finding", "ip:203.0.113.2\""]);
    File::options().write(true).open(&log).expect("opens").set_len(0).expect("truncated");
    // Shorter than what was read: of the same length it would pass for what is known already.
    let third = search("203.0.113.3", "01/Jun/2024:11:10:00 +0000");
    append(&third[..third.trim_end().rfind('\n').expect("lines") + 1]);
    let line = watching.hears(&["palisade.v1.finding", "ip:203.0.113.3\""]);
    let finding: serde_json::Value = serde_json::from_str(&line).expect("json");
    assert_eq!(finding["detector"], "forced-browsing");
    let pid = watching.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    watching.hears(&["855 lines, 855 requests, 0 skipped"]);
    assert_eq!(watching.child.wait().expect("ends").code(), Some(130));
}
