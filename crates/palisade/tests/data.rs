//! The whole program with programs of other makes around it.
//!
//! Real clients and servers (gRPC, WebSocket, HTTP) on both sides, a validator of others for the
//! OpenAPI document, and a browser for the report. They are Python packages, which
//! `make test-data` puts into the folder `PALISADE_PYTHON`, Prometheus' tool
//! by the name `PALISADE_PROMTOOL`, and Chromium. And the Core Rule Sets,
//! in `CRS4_DIR` and `CRS3_DIR`, over sockets. Plain `cargo test` leaves this out.

#[path = "data/program.rs"]
mod program;
#[path = "data/report.rs"]
mod report;
#[path = "data/rule_sets.rs"]
mod rule_sets;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use program::{Program, api, text};

fn python() -> Command {
    let folder = std::env::var("PALISADE_PYTHON")
        .expect("PALISADE_PYTHON names the folder with the Python packages; see `make test-data`");
    Command::new(Path::new(&folder).join("bin/python3"))
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/clients.py")
}

/// Servers of other makes; they end with their input.
struct Servers {
    child: Child,
    ports: serde_json::Value,
}

impl Servers {
    fn start() -> Self {
        let mut child = python()
            .arg(script())
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the servers start");
        let stdout = child.stdout.take().expect("their output");
        let line = BufReader::new(stdout).lines().next().expect("a line").expect("text");
        Self { child, ports: serde_json::from_str(&line).expect("their ports") }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn clients_and_servers_of_other_makes_notice_nothing() {
    let (servers, folder) = (Servers::start(), tempfile::tempdir().expect("a folder"));
    let names = ["localhost", "grpc.test", "ws.test", "web.test"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let port = |name: &str| servers.ports[name].as_u64().expect("a port");
    let policy = format!(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\", \"[::1]:0\", \
         {{ addr = \"127.0.0.1:0\", tls = \"main\" }}]\n\
         [tls.main]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n\
         [[site]]\nhosts = [\"grpc.test\"]\nupstream = \"h2c://127.0.0.1:{}\"\n\
         [[site]]\nhosts = [\"ws.test\"]\nupstream = \"http://127.0.0.1:{}\"\n\
         [[site]]\nupstream = \"http://127.0.0.1:{}\"\n",
        port("grpc"),
        port("ws"),
        port("http"),
    );
    let program = Program::start(folder.path(), &policy);
    let [plain, v6, tls] = &program.listeners[..] else { panic!("three listeners") };
    let places = serde_json::json!({ "plain": plain, "v6": v6, "tls": tls, "ca": cert });
    let output =
        python().arg(script()).arg("call").arg(places.to_string()).output().expect("it runs");
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}");
    println!("{}", text(&output.stdout));
    let known = program.json(&["api", "list"]).to_string();
    for template in ["/echo.Echo/Unary", "/chat", "/events"] {
        assert!(known.contains(template), "{template}: {known}");
    }
}

#[test]
fn a_validator_of_others_accepts_the_exported_document() {
    let folder = tempfile::tempdir().expect("a folder");
    let listen = "listen = [\"127.0.0.1:0\"]";
    let policy =
        format!("version = 1\n[server]\n{listen}\n[[site]]\nupstream = \"http://{}\"\n", api());
    let program = Program::start(folder.path(), &policy);
    let head = "Host: shop.test\r\nAuthorization: Bearer kq93jf8d0s9fk20dkf93kd9fk3k\r\n\
                Connection: close\r\nX-Api-Key: k-1";
    for number in 0..30 {
        // Names that a document has to escape are among them, whatever sense they make.
        for target in [
            format!("/api/v1/orders/{number}?page={number}&expand=items&q=a%20b&q=c"),
            format!("/api/v1/orders/{number}/{{x}}/~a%2Fb;v=1"),
            "/api/v1/products?a[]=1&%7B%7D=2&=3".to_owned(),
            "/api/v1/products?~=1&a/b=2&%22=3".to_owned(),
        ] {
            program.send(&format!("GET {target} HTTP/1.1\r\n{head}\r\n\r\n"));
        }
        let body = format!(r#"{{"email":"u{number}@x.test","password":"no","a/b":{{"~":[1]}}}}"#);
        let media = format!("Content-Type: application/json\r\nContent-Length: {}", body.len());
        for (method, target) in [("POST", "/api/v1/login"), ("PURGE", "/api/v1/products")] {
            program.send(&format!("{method} {target} HTTP/1.1\r\n{head}\r\n{media}\r\n\r\n{body}"));
        }
    }
    let file = folder.path().join("api.json");
    let named = file.to_str().expect("a path");
    program.command(&["api", "export", "openapi", "-o", named]);
    let output = python().args(["-m", "openapi_spec_validator", named]).output().expect("it runs");
    let document = std::fs::read_to_string(&file).expect("the document");
    assert!(output.status.success(), "{}\n{document}", text(&output.stdout));
    assert!(document.contains("/api/v1/orders/{id}"), "{document}");
}

/// The program with its admin API on loopback, and a token of all scopes.
fn administered(folder: &Path) -> (Program, String, String) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = port.local_addr().expect("an address").to_string();
    drop(port);
    let policy = format!(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[admin]\nlisten = \"{address}\"\n\
         [[site]]\nupstream = \"http://{}\"\n",
        api()
    );
    let program = Program::start(folder, &policy);
    let made = program.json(&["token", "create", "tests", "--scope", "admin"]);
    let token = made["secret"].as_str().expect("a token").to_owned();
    (program, address, token)
}

#[test]
fn the_admin_api_is_what_its_description_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let (program, address, token) = administered(folder.path());
    let head = "Host: shop.test\r\nConnection: close";
    for number in 0..30 {
        program.send(&format!("GET /api/v1/orders/{number} HTTP/1.1\r\n{head}\r\n\r\n"));
    }
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/schemathesis.toml");
    let output = python()
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(config)
        .args(["run", &format!("http://{address}/api/v1/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--seed", "1"])
        .args(["--generation-database", "none", "--request-timeout", "30", "--no-color"])
        .current_dir(folder.path())
        .output()
        .expect("it runs");
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}");
    println!("{said}");
    assert_eq!(program.json(&["status"])["alarms"], serde_json::Value::Null, "nothing broke");
}

#[test]
fn prometheus_own_parser_reads_the_metrics() {
    let folder = tempfile::tempdir().expect("a folder");
    let (program, address, token) = administered(folder.path());
    for _ in 0..3 {
        program.send("GET /a HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n");
    }
    let script = "import sys, urllib.request\n\
        from prometheus_client.parser import text_string_to_metric_families as parse\n\
        url, token, kept = sys.argv[1:]\n\
        ask = urllib.request.Request(url, headers={'authorization': 'Bearer ' + token})\n\
        text = urllib.request.urlopen(ask).read().decode()\n\
        open(kept, 'w').write(text)\n\
        families = {family.name: family for family in parse(text)}\n\
        total = sum(s.value for s in families['palisade_requests'].samples)\n\
        timed = families['http_server_request_duration_seconds'].samples\n\
        timed = sum(s.value for s in timed if s.name.endswith('_count'))\n\
        seen = set()\n\
        for family in families.values():\n\
        \x20   assert family.documentation and family.type != 'unknown', family\n\
        \x20   for s in family.samples:\n\
        \x20       key = (s.name, tuple(sorted(s.labels.items())))\n\
        \x20       assert key not in seen, key\n\
        \x20       seen.add(key)\n\
        print(len(families), total, timed)\n";
    let url = format!("http://{address}/metrics");
    let kept = folder.path().join("metrics");
    let output = python().args(["-c", script, &url, &token]).arg(&kept).output();
    let output = output.expect("it runs");
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    let figures: Vec<f64> = said.split_whitespace().filter_map(|it| it.parse().ok()).collect();
    assert!(figures[0] >= 20.0 && figures[1..] == [3.0, 3.0], "{said}");
    let promtool = std::env::var_os("PALISADE_PROMTOOL").expect("PALISADE_PROMTOOL names promtool");
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/prometheus-rules.yml");
    let ruled = Command::new(&promtool).args(["check", "rules"]).arg(&rules).output();
    let ruled = ruled.expect("it runs");
    assert!(ruled.status.success(), "{}{}", text(&ruled.stdout), text(&ruled.stderr));
    let shown = std::fs::read_to_string(&kept).expect("kept");
    let rules = std::fs::read_to_string(rules).expect("the rules");
    let names = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    for name in names.filter(|name| name.starts_with("palisade_")) {
        let family = name.trim_end_matches("_bucket");
        assert!(
            shown.contains(&format!("# TYPE {family} ")),
            "an alert on {name}, which is not told"
        );
    }
    let checked = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(std::fs::File::open(&kept).expect("kept"))
        .output()
        .expect("it runs");
    let said = format!("{}{}", text(&checked.stdout), text(&checked.stderr));
    assert!(checked.status.success() && said.is_empty(), "{said}");
}
