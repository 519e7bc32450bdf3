//! An upstream, a running program, and callers: each on loopback, each ended by whoever began it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// How long anything may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A request as the upstream got it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Got {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

impl Answer {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        let media = ("content-type".to_owned(), "application/json".to_owned());
        Self { status, headers: vec![media], body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

// === upstream ===

/// An API that answers by a function, and remembers what it was asked.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Upstream {
    pub(crate) fn serve(answer: impl Fn(&Got) -> Answer + Send + Sync + 'static) -> Self {
        Self::serve_on(TcpListener::bind("127.0.0.1:0").expect("a free port"), answer)
    }

    pub(crate) fn serve_on(
        listener: TcpListener,
        answer: impl Fn(&Got) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("an address");
        let got = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&got));
        // Ends with the test's process: connections are the gateway's to close.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                std::thread::spawn(move || serve_connection(&stream, &*answer, &seen));
            }
        });
        Self { address, got }
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().expect("the list").clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve_connection(
    stream: &TcpStream,
    answer: &(dyn Fn(&Got) -> Answer + Send + Sync),
    seen: &Mutex<Vec<Got>>,
) {
    let mut reader = BufReader::new(stream);
    while let Some(got) = read_request(&mut reader) {
        let answer = answer(&got);
        seen.lock().expect("the list").push(got);
        let mut head = format!("HTTP/1.1 {} X\r\n", answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n{}", answer.body.len(), answer.body));
        if (&*stream).write_all(head.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Got> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace();
    let mut got = Got {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        ..Got::default()
    };
    got.headers = read_headers(reader)?;
    let length = got.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    got.body = String::from_utf8_lossy(&body).into_owned();
    Some(got)
}

fn read_headers(reader: &mut impl std::io::BufRead) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let line = line.trim_end();
        if line.is_empty() {
            return Some(headers);
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

// === the program ===

/// A running `palisade run`. Ended when dropped.
pub(crate) struct Palisade {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) data: PathBuf,
    said: Arc<Mutex<String>>,
}

impl Palisade {
    /// In front of `upstream`, with its data in `data`.
    pub(crate) fn run(upstream: &Upstream, data: &Path, more: &[&str]) -> Self {
        let to = upstream.url();
        let mut args = vec!["--to", &to, "--listen", "127.0.0.1:0"];
        args.extend(more);
        Self::start(data, &args)
    }

    /// With these arguments. Returns once it is ready.
    pub(crate) fn start(data: &Path, args: &[&str]) -> Self {
        Self::start_as(program(), data, args)
    }

    /// The same under a shell that has first done `prepare`: limits, signals.
    pub(crate) fn start_after(prepare: &str, data: &Path, args: &[&str]) -> Self {
        let mut shell = undisturbed(Command::new("sh"));
        shell.arg("-c").arg(format!("{prepare} exec \"$0\" \"$@\""));
        shell.arg(env!("CARGO_BIN_EXE_palisade"));
        Self::start_as(shell, data, args)
    }

    /// With a socket that is open already, as a service manager hands it over.
    pub(crate) fn start_on(socket: TcpListener, data: &Path, args: &[&str]) -> Self {
        let mut shell = undisturbed(Command::new("sh"));
        shell
            .arg("-c")
            .arg("exec 3<&0 </dev/null; export LISTEN_FDS=1 LISTEN_PID=$$; exec \"$0\" \"$@\"");
        shell.arg(env!("CARGO_BIN_EXE_palisade")).stdin(Stdio::from(OwnedFd::from(socket)));
        Self::start_as(shell, data, args)
    }

    /// As a service that says how it stands to the socket at `notify`.
    pub(crate) fn start_notifying(notify: &Path, data: &Path, args: &[&str]) -> Self {
        let mut program = program();
        program.env("NOTIFY_SOCKET", notify).env("WATCHDOG_USEC", "900000");
        Self::start_as(program, data, args)
    }

    fn start_as(mut program: Command, data: &Path, args: &[&str]) -> Self {
        let mut child = program
            .arg("run")
            .args(args)
            .arg("--data")
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stderr = child.stderr.take().expect("its stderr");
        let said = Arc::new(Mutex::new(String::new()));
        let (sender, ready) = mpsc::sync_channel(1);
        let heard = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let address = line
                    .split_once("proxy")
                    .and_then(|(_, rest)| rest.trim().strip_prefix("http://"))
                    .and_then(|rest| rest.split_whitespace().next()?.parse::<SocketAddr>().ok());
                heard.lock().expect("the text").push_str(&format!("{line}\n"));
                if let Some(address) = address {
                    let _ = sender.try_send(address);
                }
            }
        });
        let address = ready.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("not ready; it said:\n{}", said.lock().expect("the text"))
        });
        Self { child, address, data: data.to_owned(), said }
    }

    /// What it said on stderr until now.
    pub(crate) fn said(&self) -> String {
        self.said.lock().expect("the text").clone()
    }

    /// A command to this instance.
    pub(crate) fn command(&self, args: &[&str]) -> Output {
        command(&self.data, args)
    }

    /// The JSON that a command prints; the command must succeed.
    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        let mut args = args.to_vec();
        args.extend(["--output", "json"]);
        let output = self.command(&args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}: {}", text(&output.stdout)))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A counter of `status`.
    pub(crate) fn counter(&self, name: &str) -> u64 {
        let status = self.json(&["status"]);
        status["counters"][name].as_u64().unwrap_or_else(|| panic!("no counter {name}: {status}"))
    }

    pub(crate) fn signal(&self, name: &str) {
        let killed = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(killed.success());
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(mut self) -> i32 {
        self.signal("TERM");
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return status.code().expect("an exit code");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it did not end; it said:\n{}", self.said());
    }
}

impl Drop for Palisade {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, with nothing of this environment that would change it.
pub(crate) fn program() -> Command {
    undisturbed(Command::new(env!("CARGO_BIN_EXE_palisade")))
}

fn undisturbed(mut command: Command) -> Command {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PALISADE_")) {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1").env("USER", "tester");
    command
}

/// A command to whatever runs on `data`.
pub(crate) fn command(data: &Path, args: &[&str]) -> Output {
    program().args(args).arg("--data").arg(data).output().expect("the program runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

// === callers ===

/// Sends one request from 127.0.0.1.
pub(crate) fn call(to: SocketAddr, method: &str, target: &str, body: &str) -> Answer {
    call_with(to, method, target, &[], body)
}

/// The same with headers of its own.
pub(crate) fn call_with(
    to: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut stream = TcpStream::connect(to).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let has = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    let mut request = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n");
    if !has("host") {
        request.push_str("host: shop.test\r\n");
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        if !has("content-type") {
            request.push_str("content-type: application/json\r\n");
        }
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    request.push_str(&format!("\r\n{body}"));
    stream.write_all(request.as_bytes()).expect("sent");
    read_answer(stream)
}

/// Sends bytes as they are and reads what comes back.
pub(crate) fn call_raw(to: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(to).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(bytes).expect("sent");
    read_answer(stream)
}

/// The same with a pause before the last of it, longer than a body is held where nothing enforces.
pub(crate) fn call_slowly(to: SocketAddr, first: String, last: &str) -> Answer {
    let mut stream = TcpStream::connect(to).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(first.as_bytes()).expect("sent");
    std::thread::sleep(Duration::from_millis(1_500));
    stream.write_all(last.as_bytes()).expect("sent");
    read_answer(stream)
}

fn read_answer(stream: TcpStream) -> Answer {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("an answer");
    let status = line.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("not an answer: {line:?}"));
    let headers = read_headers(&mut reader).expect("a head");
    let mut body = Vec::new();
    reader.read_to_end(&mut body).expect("a body");
    Answer { status, headers, body: text(&body) }
}

/// Waits until `done` gives something.
pub(crate) fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = done() {
            return found;
        }
        assert!(since.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A shop with a log-in, orders and nothing else.
pub(crate) fn shop() -> Upstream {
    Upstream::serve(|got| {
        let path = got.target.split('?').next().unwrap_or_default();
        match (got.method.as_str(), path) {
            ("POST", "/api/v1/login") => log_in(got),
            ("GET", "/api/v1/me") => Answer::json(200, r#"{"email":"ada@example.com"}"#),
            ("GET", path) if path.starts_with("/api/v1/orders/") => {
                Answer::json(200, r#"{"id":7,"total":12.5,"items":[1,2]}"#)
            }
            ("GET", "/api/v1/products") => Answer::json(200, r#"[{"id":1,"name":"tea"}]"#),
            _ => Answer::json(404, r#"{"error":"not found"}"#),
        }
    })
}

fn log_in(got: &Got) -> Answer {
    let body: serde_json::Value = serde_json::from_str(&got.body).unwrap_or_default();
    match (body["email"].as_str(), body["password"].as_str()) {
        (Some(email), Some("right-horse")) => {
            let token = format!("tok_{:032x}", email.len() * 7919);
            Answer::json(200, &format!(r#"{{"access_token":"{token}"}}"#))
        }
        _ => Answer::json(401, r#"{"error":"wrong e-mail or password"}"#),
    }
}

/// Tries one log-in.
pub(crate) fn log_in_as(to: SocketAddr, email: &str, password: &str) -> Answer {
    let body = serde_json::json!({ "email": email, "password": password }).to_string();
    call(to, "POST", "/api/v1/login", &body)
}
