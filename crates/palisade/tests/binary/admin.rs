//! The admin API over the network: who is let in, how far, and what is written down of it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use crate::support::{
    Answer, Palisade, Upstream, call_raw, call_with, command, program, shop, text, until,
};

/// A program whose admin API listens on loopback, in a folder.
pub(crate) struct Administered {
    pub(crate) palisade: Palisade,
    pub(crate) api: SocketAddr,
    _upstream: Upstream,
    folder: tempfile::TempDir,
}

impl Administered {
    pub(crate) fn start(more: &str) -> Self {
        let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
        let file = folder.path().join("palisade.toml");
        fs::write(&file, policy(&upstream, "listen = \"127.0.0.1:0\"", more)).expect("written");
        let named = file.to_str().expect("a path");
        let palisade = Palisade::start(&folder.path().join("data"), &["--config", named]);
        let api = until("the admin API", || {
            let said = palisade.said();
            let rest = said.split("http://").find(|rest| rest.contains("/api/v1"))?;
            rest.split('/').next()?.parse().ok()
        });
        Self { palisade, api, _upstream: upstream, folder }
    }

    /// A token that was just made.
    pub(crate) fn token(&self, scope: &str, span: &str) -> String {
        let made =
            self.palisade.json(&["token", "create", "tester", "--scope", scope, "--for", span]);
        made["secret"].as_str().expect("a token").to_owned()
    }

    fn call(&self, method: &str, path: &str, token: Option<&str>) -> Answer {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("host", "localhost")];
        headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
        let body = if method == "POST" || method == "PATCH" { "{}" } else { "" };
        call_with(self.api, method, path, &headers, body)
    }
}

fn policy(upstream: &Upstream, admin: &str, more: &str) -> String {
    format!(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[admin]\n{admin}\n{more}\n\
         [[site]]\nname = \"shop\"\nhosts = [\"*\"]\nupstream = [\"{}\"]\n",
        upstream.url()
    )
}

#[test]
fn every_operation_refuses_no_token_a_wrong_one_a_narrow_one_and_one_that_ended() {
    let admin = Administered::start("");
    let [read, tune, enforce, whole] =
        ["read", "tune", "enforce", "admin"].map(|scope| admin.token(scope, "1h"));
    let short = admin.token("admin", "1s");
    let revoked = admin.token("admin", "1h");
    let id = revoked.get(9..17).expect("an id").to_owned();
    assert_eq!(admin.call("GET", "/api/v1/status", Some(&revoked)).status, 200);
    assert!(admin.palisade.command(&["token", "revoke", &id]).status.success());
    std::thread::sleep(Duration::from_millis(1_100));
    // Whoever was let in once is not kept out by the failures below.
    for token in [&read, &tune, &enforce, &whole] {
        assert_eq!(admin.call("GET", "/api/v1/status", Some(token)).status, 200);
    }
    let described = admin.call("GET", "/api/v1/openapi.json", Some(&read));
    let document: serde_json::Value = serde_json::from_str(&described.body).expect("JSON");
    let mut walked = 0;
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let (method, path) = (method.to_uppercase(), path.replace(['{', '}'], ""));
            let scope = operation["x-palisade-scope"].as_str().expect("a scope");
            let status = |token: Option<&str>| admin.call(&method, &path, token).status;
            assert_eq!(status(None), 401, "{method} {path}");
            for ended in [&short, &revoked] {
                let refused = status(Some(ended));
                assert!(matches!(refused, 401 | 429), "{method} {path}: {refused}");
            }
            let narrow: &[&String] = match scope {
                "read" => &[],
                "tune" => &[&read],
                "enforce" => &[&read, &tune],
                "admin" => &[&read, &tune, &enforce],
                other => panic!("{other}"),
            };
            for token in narrow {
                assert_eq!(status(Some(token)), 403, "{method} {path}");
            }
            if path != "/api/v1/events/stream" {
                let let_in = status(Some(&whole));
                assert!(!matches!(let_in, 401 | 403 | 405 | 429), "{method} {path}: {let_in}");
            }
            walked += 1;
        }
    }
    assert!(walked >= 25, "{walked} operations");
    assert_eq!(admin.call("GET", "/nothing", None).status, 401, "not even what there is");
    assert_eq!(admin.call("GET", "/livez", None).status, 200);
}

#[test]
fn other_sites_strange_hosts_and_guessers_are_kept_out() {
    let admin = Administered::start("hosts = [\"admin.test\"]");
    let token = format!("Bearer {}", admin.token("admin", "1h"));
    let status = |headers: &[(&str, &str)]| {
        let mut all = vec![("authorization", token.as_str())];
        all.extend(headers);
        call_with(admin.api, "GET", "/api/v1/status", &all, "").status
    };
    let own = format!("http://{}", admin.api);
    let host = admin.api.to_string();
    assert_eq!(status(&[("host", &host), ("origin", &own)]), 200);
    assert_eq!(status(&[("host", "admin.test")]), 200);
    assert_eq!(status(&[("host", "evil.test")]), 421, "DNS rebinding");
    assert_eq!(status(&[("host", &host), ("origin", "http://evil.test")]), 403);
    assert_eq!(status(&[("host", &host), ("origin", "null")]), 403);
    assert_eq!(status(&[("host", &host), ("sec-fetch-site", "cross-site")]), 403);
    let guess = format!("palisade_00000000_{}", "A".repeat(43));
    let tries: Vec<u16> =
        (0..15).map(|_| admin.call("GET", "/api/v1/status", Some(&guess)).status).collect();
    assert_eq!((tries[0], tries[14]), (401, 429), "{tries:?}");
    let refused = admin.call("GET", "/api/v1/status", Some(&guess));
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert_eq!(status(&[("host", &host)]), 200, "who was let in before is not kept out");
}

#[test]
fn the_command_line_works_from_afar_and_the_audit_log_says_who() {
    let admin = Administered::start("");
    let file = admin.folder.path().join("token");
    fs::write(&file, admin.token("enforce", "1h")).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
    let server = format!("http://{}", admin.api);
    let afar = |args: &[&str]| {
        let mut remote = program();
        remote.args(args).args(["--server", &server, "--token-file"]).arg(&file);
        remote.output().expect("the program runs")
    };
    assert!(afar(&["status"]).status.success());
    let blocked = afar(&["block", "ip:192.0.2.9", "--reason", "test"]);
    assert!(blocked.status.success(), "{}", text(&blocked.stderr));
    assert!(text(&blocked.stderr).contains("--server"), "{}", text(&blocked.stderr));
    let narrow = afar(&["token", "list"]);
    assert_eq!(narrow.status.code(), Some(5), "{}", text(&narrow.stderr));
    let audit = admin.palisade.json(&["audit"]);
    let who = audit["lines"][0]["who"].as_str().expect("an author");
    assert!(who.starts_with("tester (token "), "{audit}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("set");
    let open = afar(&["status"]);
    assert_eq!(open.status.code(), Some(2), "a token that others can read");
}

#[test]
fn a_dry_run_changes_nothing() {
    let admin = Administered::start("");
    let token = format!("Bearer {}", admin.token("admin", "1h"));
    let headers = [("host", "localhost"), ("authorization", token.as_str())];
    let order = |method: &str, path: &str, body: &str| {
        let answer = call_with(admin.api, method, path, &headers, body);
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
        serde_json::from_str::<serde_json::Value>(&answer.body).expect("JSON")
    };
    let block = r#"{"kind":"block","selector":"ip:192.0.2.9","for_s":60}"#;
    let decision = order("POST", "/api/v1/decisions", block);
    // An attack, so that there are an incident and an event to silence.
    let attack = "/api/v1/orders/7?q=1%27%20UNION%20SELECT%20password%20FROM%20users--";
    let attacked = call_with(admin.palisade.address, "GET", attack, &[], "");
    let event = attacked.header("x-request-id").expect("an id").to_owned();
    let incident = until("an incident", || {
        let list = admin.palisade.json(&["incidents", "list"]);
        list["incidents"][0]["id"].as_str().map(str::to_owned)
    });
    let silence = format!(r#"{{"event":"{event}"}}"#);
    let exception = order("POST", "/api/v1/exceptions", &silence);
    let exception = format!("/api/v1/exceptions/{}", exception["id"].as_str().expect("an id"));
    let incident = format!("/api/v1/incidents/{incident}");
    let lines = || admin.palisade.json(&["audit"])["lines"].as_array().expect("lines").len();
    let before = lines();
    let planned = order("POST", "/api/v1/exceptions?dry_run=true", &silence);
    assert_eq!(planned["id"], "", "it has no number");
    order("DELETE", &format!("{exception}?dry_run=true"), "");
    assert_eq!(admin.call("GET", &exception, token.strip_prefix("Bearer ")).status, 200);
    let closed = order("PATCH", &format!("{incident}?dry_run=true"), r#"{"state":"closed"}"#);
    assert_eq!(closed["state"], "closed", "what it would be");
    let still = order("GET", &incident, "");
    assert_eq!(still["incident"]["state"], "open");
    let own = token.strip_prefix("Bearer palisade_").and_then(|it| it.get(..8)).expect("an id");
    order("DELETE", &format!("/api/v1/tokens/{own}?dry_run=true"), "");
    let path = format!("/api/v1/decisions/{}", decision["id"].as_str().expect("an id"));
    order("POST", "/api/v1/decisions?dry_run=true", block);
    order("DELETE", &format!("{path}?dry_run=true"), "");
    order("PATCH", "/api/v1/layers?dry_run=true", r#"{"mode":"enforce"}"#);
    order("POST", "/api/v1/reload?dry_run=true", "");
    let planned = order("POST", "/api/v1/tokens?dry_run=true", r#"{"name":"x","scope":"read"}"#);
    assert!(planned["secret"].is_null(), "{planned}");
    assert_eq!(lines(), before);
    assert_eq!(admin.palisade.json(&["decisions", "list"])["decisions"][0]["id"], decision["id"]);
    assert_eq!(admin.palisade.json(&["token", "list"])["tokens"][1], serde_json::Value::Null);
    assert_eq!(admin.palisade.json(&["status"])["sites"][0]["layers"][0]["mode"], "monitor");
}

#[test]
fn lists_come_in_parts_that_make_up_the_whole() {
    let admin = Administered::start("");
    let token = admin.token("admin", "1h");
    for number in 1..=7 {
        assert!(
            admin.palisade.command(&["block", &format!("ip:192.0.2.{number}")]).status.success()
        );
    }
    let get = |path: &str| admin.call("GET", &format!("/api/v1{path}"), Some(&token));
    for (path, entries) in [("/decisions", "decisions"), ("/audit", "lines"), ("/tokens", "tokens")]
    {
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        let whole = json(&get(path).body)[entries].clone();
        let (mut walked, mut query) = (Vec::new(), "limit=2".to_owned());
        loop {
            let part = json(&get(&format!("{path}?{query}")).body);
            let shown = part[entries].as_array().expect("entries");
            assert!(shown.len() <= 2, "{part}");
            walked.extend(shown.iter().cloned());
            let Some(next) = part["next"].as_str() else { break };
            query = format!("limit=2&cursor={next}");
        }
        assert_eq!(serde_json::Value::Array(walked), whole, "{path}");
        assert_eq!(get(&format!("{path}?cursor=nowhere")).status, 404, "{path}");
    }
}

#[test]
fn what_is_known_is_not_sent_again_and_what_was_not_seen_is_not_changed() {
    let admin = Administered::start("");
    let authorization = format!("Bearer {}", admin.token("admin", "1h"));
    let call = |method: &str, path: &str, condition: (&str, &str), body: &str| {
        let headers = [("host", "localhost"), ("authorization", authorization.as_str()), condition];
        call_with(admin.api, method, path, &headers, body)
    };
    let nothing = ("accept", "*/*");
    let made = r#"{"kind":"block","selector":"ip:192.0.2.9"}"#;
    let made = call("POST", "/api/v1/decisions", nothing, made);
    let made: serde_json::Value = serde_json::from_str(&made.body).expect("JSON");
    let path = format!("/api/v1/decisions/{}", made["id"].as_str().expect("an id"));
    let read = call("GET", &path, nothing, "");
    let tag = read.header("etag").expect("a tag").to_owned();
    let again = call("GET", &path, ("if-none-match", &tag), "");
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(again.header("etag"), Some(tag.as_str()));
    assert_eq!(call("GET", &path, ("if-none-match", "\"other\""), "").status, 200);
    // Not the one that was read, none at all, and one that is weak.
    let weak = format!("W/{tag}");
    for wrong in ["\"other\"", "\"\"", weak.as_str()] {
        assert_eq!(call("DELETE", &path, ("if-match", wrong), "").status, 412, "{wrong}");
    }
    let tried = call("DELETE", &format!("{path}?dry_run=true"), ("if-match", &tag), "");
    assert_eq!(tried.status, 200, "a dry run keeps conditions, too: {}", tried.body);
    assert_eq!(call("DELETE", &path, ("if-match", &tag), "").status, 200);
    assert_eq!(call("DELETE", &path, ("if-match", &tag), "").status, 412, "it is gone");
    assert_eq!(call("DELETE", &path, nothing, "").status, 404);
    // Of two who saw the same modes, one changes them.
    let seen = call("GET", "/api/v1/layers", nothing, "");
    let tag = seen.header("etag").expect("a tag").to_owned();
    let order = r#"{"mode":"enforce","layers":["recon"]}"#;
    let both: Vec<u16> = std::thread::scope(|scope| {
        let one = || call("PATCH", "/api/v1/layers", ("if-match", &tag), order).status;
        let threads = [scope.spawn(one), scope.spawn(one)];
        threads.map(|thread| thread.join().expect("answered")).to_vec()
    });
    assert_eq!(both.iter().sum::<u16>(), 200 + 412, "{both:?}");
}

/// The ids of events that a stream brings, until there are so many.
fn followed(admin: &Administered, token: &str, last: Option<&str>, count: usize) -> Vec<String> {
    let mut stream = TcpStream::connect(admin.api).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let seen = last.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
    let head = format!(
        "GET /api/v1/events/stream?samples=true HTTP/1.1\r\nhost: localhost\r\n\
         authorization: Bearer {token}\r\n{seen}\r\n"
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut lines = BufReader::new(stream).lines().map(|line| line.expect("a line"));
    assert!(lines.next().expect("a status").contains("200"));
    if last.is_none() {
        // Follows from here on: only now is there something to follow.
        for _ in 0..count {
            let framing = b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n";
            call_raw(admin.palisade.address, framing);
        }
    }
    let ids = lines.filter_map(|line| line.strip_prefix("id: ").map(str::to_owned));
    ids.take(count).collect()
}

#[test]
fn whoever_follows_events_goes_on_where_the_connection_broke() {
    let admin = Administered::start("");
    let token = admin.token("read", "1h");
    let seen = followed(&admin, &token, None, 4);
    assert_eq!(seen.len(), 4);
    assert_eq!(followed(&admin, &token, Some(&seen[1]), 2), seen[2..]);
}

#[test]
fn what_other_machines_reach_needs_tls_and_a_token() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("palisade.toml");
    let data = folder.path().join("data");
    let write = |admin: &str, more: &str| {
        fs::write(&file, policy(&upstream, admin, more)).expect("written");
    };
    let run = |args: &[&str]| {
        let output = command(&data, args);
        (output.status.code(), text(&output.stderr))
    };
    let named = file.to_str().expect("a path");
    write("listen = \"0.0.0.0:0\"", "");
    for args in [&["check", "--config", named][..], &["run", "--config", named]] {
        let (code, said) = run(args);
        assert_eq!(code, Some(4), "{said}");
        assert!(said.contains("without TLS"), "{said}");
    }
    certificate(folder.path());
    write(
        "listen = \"0.0.0.0:0\"\ntls = \"main\"",
        "[tls.main]\ncert = \"cert.pem\"\nkey = \"key.pem\"",
    );
    assert_eq!(run(&["check", "--config", named]).0, Some(0));
    let (code, said) = run(&["run", "--config", named]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("no token counts"), "{said}");
    let output = command(&data, &["token", "create", "ops", "--scope", "admin"]);
    assert!(output.status.success(), "without an instance: {}", text(&output.stderr));
    let token = folder.path().join("token");
    fs::write(&token, &output.stdout).expect("written");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("set");
    let palisade = Palisade::start(&data, &["--config", named]);
    let port = until("the admin API", || {
        let said = palisade.said();
        let rest = said.split("https://0.0.0.0:").nth(1)?;
        rest.split('/').next()?.parse::<u16>().ok()
    });
    let afar = |host: &str| {
        let mut remote = program();
        let server = format!("https://{host}:{port}");
        remote.args(["status", "--server", &server, "--token-file"]).arg(&token);
        remote.arg("--ca-file").arg(folder.path().join("cert.pem"));
        remote.output().expect("the program runs")
    };
    let status = afar("localhost");
    assert!(status.status.success(), "{}", text(&status.stderr));
    assert_eq!(afar("127.0.0.1").status.code(), Some(5), "the certificate names localhost alone");
}

fn certificate(folder: &Path) {
    let names = ["localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    fs::write(folder.join("cert.pem"), made.cert.pem()).expect("written");
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("written");
}

#[test]
fn whatever_is_done_to_the_audit_log_shows_before_the_last_checkpoint() {
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let data = folder.path().join("data");
    let palisade = Palisade::run(&upstream, &data, &[]);
    for number in 1..=5 {
        assert!(palisade.command(&["block", &format!("ip:192.0.2.{number}")]).status.success());
    }
    let checkpoint = palisade.command(&["audit", "checkpoint"]);
    let kept = folder.path().join("kept");
    fs::write(&kept, &checkpoint.stdout).expect("written");
    assert!(palisade.command(&["block", "ip:192.0.2.6"]).status.success());
    let kept = kept.to_str().expect("a path").to_owned();
    let verify = ["audit", "verify", "--checkpoint", &kept];
    let said = palisade.command(&verify);
    assert!(said.status.success(), "while it runs: {}", text(&said.stdout));
    palisade.end();
    let file = data.join("palisade.db");
    let whole = fs::read(&file).expect("read");
    let forged = "DELETE FROM audit WHERE seq > 4; UPDATE audit_head SET (seq, hash) = \
                  (SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1)";
    for tampering in [
        "UPDATE audit SET what = 'block ip:192.0.2.99 as d-2' WHERE seq = 2",
        "UPDATE audit SET who = 'eve' WHERE seq = 6",
        "DELETE FROM audit WHERE seq = 3",
        "UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; \
         UPDATE audit SET seq = 3 WHERE seq = 99",
        "DELETE FROM audit WHERE seq > 4",
        forged,
        "DELETE FROM audit; UPDATE audit_head SET seq = 0, hash = zeroblob(32)",
    ] {
        let connection = rusqlite::Connection::open(&file).expect("opens");
        connection.execute_batch(tampering).expect("tampered");
        drop(connection);
        let said = command(&data, &verify);
        assert_eq!(said.status.code(), Some(3), "{tampering}: {}", text(&said.stdout));
        fs::write(&file, &whole).expect("put back");
        assert_eq!(command(&data, &verify).status.code(), Some(0), "{tampering}");
    }
}
