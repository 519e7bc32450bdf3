//! The tests over sockets: a client that sends what theirs sends, and a backend that answers what
//! theirs answers, with a running gateway between them.
//!
//! The gateway must be on this machine, under [`crate::SETUP`] and with `[debug] rule_header`, so
//! that each answer names the rules that held.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rules::{rule_set::RuleSet, template::Piece};

use crate::{
    Report, Suite, backend, chunks, report, request,
    session::Seen,
    suite::{Stage, Test},
};

/// How long the gateway may take for an answer, and the backend for the whole of a request.
const PATIENCE: Duration = Duration::from_secs(20);
/// Tests that are under way at a time.
const AT_ONCE: usize = 4;
/// A request of the tests is never longer.
const REQUEST_BYTES_MAX: usize = 16 << 20;

/// What else is known of an exchange, by its request ID: lines as a log has them. Asked for tests
/// that look for more than numbers.
pub type Explain<'e> = dyn Fn(&str) -> Vec<String> + Sync + 'e;

/// Runs every test of the suite through the gateway at `address`, which has the rules of `set`.
#[must_use]
pub fn run(address: SocketAddr, set: &RuleSet, suite: &Suite, explain: &Explain<'_>) -> Report {
    let client = Client { address, messages: messages(set), explain };
    let began = Instant::now();
    let tests = suite.tests();
    let seen = Mutex::new(vec![Vec::new(); tests.len()]);
    let run = |at: usize, test: &Test| {
        let stages = client.run(test);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = seen.get_mut(at) {
            *place = stages;
        }
    };
    // Those that are asked about come first, and one after the other: events are shared by many
    // that are alike, and the first of them is told of.
    let all = || tests.iter().enumerate();
    all().filter(|(_, test)| looks_for_more(test)).for_each(|(at, test)| run(at, test));
    let others: Vec<_> = all().filter(|(_, test)| !looks_for_more(test)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((at, test)) = others.get(next.fetch_add(1, Relaxed)) {
                    run(*at, test);
                }
            });
        }
    });
    report(suite, &seen.into_inner().unwrap_or_else(PoisonError::into_inner), began)
}

/// Does it look for more than the numbers of rules?
fn looks_for_more(test: &Test) -> bool {
    test.stages.iter().any(|stage| stage.expected.pattern.is_some())
}

/// What each rule says, as far as that is fixed.
fn messages(set: &RuleSet) -> BTreeMap<u64, String> {
    let message = |rule: &rules::rule::Rule| {
        let message = rule.links.iter().find_map(|link| link.message.as_ref())?;
        let fixed = message.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => String::from_utf8_lossy(text).into_owned(),
            Piece::Macro(_) => String::new(),
        });
        Some((rule.id, fixed.collect()))
    };
    set.rules().filter_map(message).collect()
}

struct Client<'c> {
    address: SocketAddr,
    messages: BTreeMap<u64, String>,
    explain: &'c Explain<'c>,
}

impl Client<'_> {
    fn run(&self, test: &Test) -> Vec<Seen> {
        // What does not come back was seen by nobody: status 0.
        test.stages.iter().map(|stage| self.exchange(stage).unwrap_or_default()).collect()
    }

    fn exchange(&self, stage: &Stage) -> io::Result<Seen> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        // Who is refused before all was sent may find the connection closed.
        let sent = stream.write_all(&request::serialise(&stage.input));
        let mut reader = BufReader::new(stream);
        let head = read_head(&mut reader).or_else(|error| sent.and(Err(error)))?;
        let status = head.line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let rules = head.header("x-palisade-rules").unwrap_or_default();
        let ids: Vec<u64> = rules.split(',').filter_map(|id| id.trim().parse().ok()).collect();
        let mut log = Vec::new();
        for id in &ids {
            let message = self.messages.get(id).map_or("", String::as_str);
            log.extend_from_slice(format!("[id \"{id}\"] [msg \"{message}\"]\n").as_bytes());
        }
        if stage.expected.pattern.is_some()
            && let Some(id) = head.header("x-request-id")
        {
            // The exchange must be over, or nobody knows of it.
            let _ = io::copy(&mut reader, &mut io::sink());
            for line in (self.explain)(id) {
                log.extend_from_slice(line.as_bytes());
                log.push(b'\n');
            }
        }
        Ok(Seen { status: status.unwrap_or(0), ids, log })
    }
}

/// A first line and headers.
struct Head {
    line: String,
    headers: Vec<(String, String)>,
}

impl Head {
    fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }
}

fn read_head(reader: &mut impl io::BufRead) -> io::Result<Head> {
    let mut next = || {
        let mut line = Vec::new();
        if reader.take(1 << 20).read_until(b'\n', &mut line)? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    };
    let mut head = Head { line: next()?, headers: Vec::new() };
    loop {
        let line = next()?;
        if line.is_empty() {
            return Ok(head);
        }
        if let Some((name, value)) = line.split_once(':') {
            head.headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
}

/// Serves the backend of the tests on a free port, for as long as the process lives.
///
/// # Errors
/// When there is no port.
pub fn serve_backend() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::Builder::new().name("backend".to_owned()).spawn(move || {
        for stream in listener.incoming().flatten() {
            // Connections are the gateway's to close; it has few.
            std::thread::spawn(move || while serve_one(&stream).is_ok() {});
        }
    })?;
    Ok(address)
}

fn serve_one(stream: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let head = read_head(&mut reader)?;
    let mut words = head.line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let length = head.header("content-length").and_then(|length| length.parse::<usize>().ok());
    let mut body = Vec::new();
    if let Some(length) = length {
        body.resize(length.min(REQUEST_BYTES_MAX), 0);
        reader.read_exact(&mut body)?;
    } else if head.header("transfer-encoding").is_some() {
        body = chunks::joined(&read_chunks(&mut reader)?);
    }
    let answer = backend::answer(method.as_bytes(), path.as_bytes(), &body);
    let mut bytes = format!("HTTP/1.1 {} X\r\n", answer.status);
    for (name, value) in &answer.headers {
        let is_framing = name.eq_ignore_ascii_case("content-length");
        if !is_framing && !value.contains(['\r', '\n']) {
            bytes.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    let has_body = method != "HEAD" && !matches!(answer.status, 100..=199 | 204 | 304);
    bytes.push_str(&format!("content-length: {}\r\n\r\n", answer.body.len()));
    let mut bytes = bytes.into_bytes();
    if has_body {
        bytes.extend_from_slice(&answer.body);
    }
    let mut stream = stream;
    stream.write_all(&bytes)
}

/// Chunks as they come, to the empty one.
fn read_chunks(reader: &mut impl io::BufRead) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    loop {
        let start = raw.len();
        if reader.take(1 << 10).read_until(b'\n', &mut raw)? == 0 || raw.len() > REQUEST_BYTES_MAX {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(raw.get(start..).unwrap_or_default()).into_owned();
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        if size == 0 {
            while reader.take(1 << 16).read_until(b'\n', &mut raw)? > 2 {}
            return Ok(raw);
        }
        let start = raw.len();
        raw.resize(start.saturating_add(size.min(REQUEST_BYTES_MAX) + 2), 0);
        reader.read_exact(raw.get_mut(start..).unwrap_or_default())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backend_answers_one_request_after_the_other() {
        let address = serve_backend().expect("a port");
        let stream = TcpStream::connect(address).expect("a connection");
        let mut reader = BufReader::new(stream.try_clone().expect("a half"));
        let described = r#"{"status":503,"body":"gone"}"#;
        let chunked = format!("{:x}\r\n{described}\r\n0\r\n\r\n", described.len());
        for request in [
            format!("POST /reflect HTTP/1.1\r\ncontent-length: 28\r\n\r\n{described}"),
            format!("POST /reflect HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n{chunked}"),
        ] {
            (&stream).write_all(request.as_bytes()).expect("sent");
            let head = read_head(&mut reader).expect("a head");
            assert_eq!(head.line, "HTTP/1.1 503 X");
            let mut body = [0; 4];
            reader.read_exact(&mut body).expect("a body");
            assert_eq!(&body, b"gone");
        }
    }
}
