//! The far sides: node's http, Go's net/http and nginx, each a real program of its own that tells
//! which requests it understood.
//!
//! node and Go say it on stdout. nginx cannot say what it understood of a body, so it hands each
//! request on to a recorder in this process, which need only read the one form that nginx writes.

use std::{
    fs,
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(10);
/// Requests that wait to be looked at; a shape makes two or three.
const SEEN_MAX: usize = 1024;

/// Set on the way by us or by nginx, or meant for one hop only: no part of the meaning.
const NOT_THE_CALLERS: [&str; 14] = [
    "connection",
    "content-length",
    "expect",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "traceparent",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

/// A server behind the gateway. Ended when dropped.
pub(crate) struct FarSide {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    seen: Receiver<Value>,
    program: Child,
    _folder: TempDir,
}

impl FarSide {
    pub(crate) fn all() -> [Self; 3] {
        [Self::node(), Self::go(), Self::nginx()]
    }

    fn node() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = source("far.mjs");
        let mut command = Command::new("node");
        Self::that_tells("node", command.arg(script), folder)
    }

    fn go() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("far");
        let mut build = Command::new("go");
        build.args(["build", "-o"]).arg(&program).arg(source("far.go"));
        assert!(build.status().expect("go runs").success(), "far.go does not build");
        Self::that_tells("go", &mut Command::new(program), folder)
    }

    /// A program that says its port, and then each request on a line.
    fn that_tells(name: &'static str, command: &mut Command, folder: TempDir) -> Self {
        let mut program = command
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let mut lines = BufReader::new(program.stdout.take().expect("its stdout"));
        let mut port = String::new();
        lines.read_line(&mut port).expect("a port");
        let (sender, seen) = sync_channel(SEEN_MAX);
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let request = serde_json::from_str(&line).expect("a line of JSON");
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        let url = format!("http://127.0.0.1:{}", port.trim());
        Self { name, url, seen, program, _folder: folder }
    }

    fn nginx() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (sender, seen) = sync_channel(SEEN_MAX);
        let recorder = TcpListener::bind("127.0.0.1:0").expect("a port");
        let records_at = recorder.local_addr().expect("an address");
        std::thread::spawn(move || {
            for stream in recorder.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                std::thread::spawn(move || record(&stream, &sender));
            }
        });
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let text = fs::read_to_string(source("nginx.conf"))
            .expect("the template")
            .replace("FOLDER", &folder.path().display().to_string())
            .replace("PORT", &address.port().to_string())
            .replace("RECORDER", &records_at.to_string());
        let file = folder.path().join("nginx.conf");
        fs::write(&file, text).expect("written");
        let debian = Path::new("/usr/sbin/nginx");
        let nginx = if debian.exists() { debian } else { Path::new("nginx") };
        let program = Command::new(nginx)
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "nginx does not listen on {address}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { name: "nginx", url: format!("http://{address}"), seen, program, _folder: folder }
    }

    /// What was understood since the last time, after the last word has come through `front`: the
    /// connection that a shape went over carries it too, behind whatever was smuggled.
    pub(crate) fn understood(&self, front: SocketAddr, word: &str) -> Vec<String> {
        let mut stream = TcpStream::connect(front).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let request = format!("GET {word} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{}: after {word}: {answer}", self.name);
        let mut understood = Vec::new();
        loop {
            let request = self.seen.recv_timeout(PATIENCE).expect("the last word is heard");
            if request["target"] == word {
                return understood;
            }
            understood.push(meaning_of(&request));
        }
    }
}

impl Drop for FarSide {
    fn drop(&mut self) {
        // nginx ends its worker upon TERM; by KILL the worker would be left behind.
        let pid = self.program.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.program.wait();
    }
}

fn source(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Start line, end-to-end headers in the order of their names, a blank line, the body.
fn meaning_of(request: &Value) -> String {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    let mut headers: Vec<(String, String)> = request["headers"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|pair| (text(&pair[0]).to_ascii_lowercase(), text(&pair[1])))
        .filter(|(name, _)| !is_the_ways(name))
        .collect();
    headers.sort();
    let mut meaning = format!("{} {}\n", text(&request["method"]), text(&request["target"]));
    for (name, value) in headers {
        meaning.push_str(&format!("{name}: {value}\n"));
    }
    meaning + "\n" + &text(&request["body"])
}

/// Whether a header belongs to the way a request takes, and not to what it means.
pub(crate) fn is_the_ways(name: &str) -> bool {
    NOT_THE_CALLERS.contains(&name)
}

/// Reads what nginx hands on: a head, and a body of known length.
fn record(stream: &TcpStream, to: &SyncSender<Value>) {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if reader.read_until(b'\n', &mut head).is_ok_and(|read| read > 0) {
            continue;
        }
        return;
    }
    let head = latin1(&head);
    let mut lines = head.lines();
    let mut words = lines.next().expect("a request line").split(' ');
    let (method, target) = (words.next().expect("a method"), words.next().expect("a target"));
    let headers: Vec<(&str, &str)> =
        lines.filter_map(|line| line.split_once(':')).map(|(n, v)| (n, v.trim())).collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(0, |(_, value)| value.parse().expect("a length"));
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body = latin1(&body);
    let seen = serde_json::json!({
        "method": method, "target": target, "headers": headers, "body": body
    });
    if to.send(seen).is_ok() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nseen\n";
        let _ = (&*stream).write_all(answer);
    }
}

pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
