//! The running program, and as much of an API and its callers as a document needs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A running `palisade run`. Ended when dropped.
pub(crate) struct Program {
    child: Child,
    data: PathBuf,
    /// The addresses that it listens on, in the order of the policy.
    pub(crate) listeners: Vec<String>,
}

impl Program {
    /// Starts under a policy. Returns once it is ready.
    pub(crate) fn start(folder: &Path, policy: &str) -> Self {
        Self::begin(folder, policy, None)
    }

    /// The same, and records what passes.
    pub(crate) fn start_recording(folder: &Path, policy: &str, recording: &Path) -> Self {
        Self::begin(folder, policy, Some(recording))
    }

    /// Ends it as an operator does, and waits until everything is written.
    pub(crate) fn end(mut self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(told.success(), "it runs until now");
        self.child.wait().expect("it ends");
    }

    fn begin(folder: &Path, policy: &str, recording: Option<&Path>) -> Self {
        let record = recording.map(|recording| [Path::new("--record"), recording]);
        let (file, data) = (folder.join("palisade.toml"), folder.join("data"));
        std::fs::write(&file, policy).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_palisade"))
            .args(["run", "-c"])
            .arg(file)
            .arg("--data")
            .arg(&data)
            .args(record.into_iter().flatten())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut said = BufReader::new(child.stderr.take().expect("its stderr"));
        let mut line = String::new();
        // The last line of its greeting.
        while !line.contains("palisade tail") {
            line.clear();
            assert!(said.read_line(&mut line).expect("text") > 0, "it ended before it was ready");
        }
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        let mut program = Self { child, data, listeners: Vec::new() };
        let status = program.json(&["status"]);
        let urls = status["listeners"].as_array().expect("a list").iter();
        let address = |url: &serde_json::Value| Some(url.as_str()?.split_once("://")?.1.to_owned());
        program.listeners = urls.map(|url| address(url).expect("a URL")).collect();
        program
    }

    pub(crate) fn command(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        let output = command.args(args).arg("--data").arg(&self.data).output().expect("it runs");
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        output
    }

    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.command(&[args, &["--output", "json"]].concat());
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Sends a request to the first listener, and waits for the end of the answer.
    pub(crate) fn send(&self, request: &str) {
        self.answer(request);
    }

    /// The same, and gives the answer.
    pub(crate) fn answer(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.listeners[0]).expect("a connection");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        answer
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An API that answers everything with the same object.
pub(crate) fn api() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut reader = BufReader::new(&stream);
                let (mut line, mut length) = (String::new(), 0);
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                    let value = line.to_ascii_lowercase();
                    let value = value.strip_prefix("content-length:").map(str::trim);
                    length = value.and_then(|value| value.parse().ok()).unwrap_or(length);
                    line.clear();
                }
                let _ = reader.read_exact(&mut vec![0; length]);
                let body = r#"{"id":7,"email":"ada@example.com","items":[1,2]}"#;
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
                let _ = write!(&stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            });
        }
    });
    address
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
