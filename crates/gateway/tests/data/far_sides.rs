//! Each way to smuggle a request, with a real server of another make on the far side.
//!
//! Two parsers that read one byte stream differently are what smuggling lives on. So each shape is
//! sent over a raw socket, through the gateway, to node's http, Go's net/http and nginx in turn. It
//! is either refused with an event, or understood over there as what it means (method, target,
//! headers and body) and as not a request more. The recorded vectors of llhttp are sent as well;
//! what they mean is what the framing scanner says.
//!
//! It needs these three programs, so `make test-data` runs it and plain `cargo test` does not.

use std::{
    fmt,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use gateway::{Gateway, Listener, Settings, Site, Sites, Upstream, UpstreamDeadlines, bind};
use shield::{Engine, policy, policy::Sources};
use traffic::{Event, HashKey};

use crate::{
    frames::{self, Outcome},
    shapes,
    sides::FarSide,
    streams,
    vectors::{scan, vectors},
};

const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway before one far side, and the events it made.
struct Front {
    address: SocketAddr,
    events: Arc<Mutex<Vec<Event>>>,
    gateway: Option<Gateway>,
}

/// What became of the shapes before one far side.
#[derive(Default)]
struct Score {
    refused: usize,
    understood: usize,
    /// The far side refused what we let pass.
    refused_there: usize,
    wrong: Vec<String>,
}

#[test]
fn shapes_over_http1_are_refused_or_mean_the_same() {
    let mut scores = Vec::new();
    for side in FarSide::all() {
        let front = Front::before(&side);
        let mut score = Score::default();
        for (number, shape) in shapes::SHAPES.iter().enumerate() {
            let answers = Answers::to(front.address, shape.sent);
            let understood = side.understood(front.address, &format!("/word/{number}"));
            let may_refuse = shape.refused_by.contains(&side.name);
            let verdict = judge(&front, shape.meaning, &understood, &answers, may_refuse);
            score.count(shape.name, verdict);
        }
        println!("HTTP/1.1, {} shapes, {}: {score}", shapes::SHAPES.len(), side.name);
        scores.push(score);
    }
    all_right(&scores);
}

#[test]
fn shapes_over_http2_are_refused_or_mean_the_same() {
    let mut scores = Vec::new();
    for side in FarSide::all() {
        let front = Front::before(&side);
        let mut score = Score::default();
        for (number, shape) in streams::SHAPES.iter().enumerate() {
            let outcome = frames::exchange(front.address, &shape.frames());
            let understood = side.understood(front.address, &format!("/word/{number}"));
            let verdict = match &outcome {
                Outcome::Refused { event, .. } if !front.has(event) => {
                    Err(format!("no event {event}"))
                }
                Outcome::Reset if !front.told_within_http2() => {
                    Err("reset without an event".to_owned())
                }
                Outcome::Refused { .. } | Outcome::Reset
                    if shape.meaning.is_empty() && understood.is_empty() =>
                {
                    Ok(Verdict::Refused)
                }
                Outcome::Answered(200) if understood == shape.meaning => Ok(Verdict::Understood),
                Outcome::Answered(400)
                    if shape.refused_by.contains(&side.name) && understood.is_empty() =>
                {
                    Ok(Verdict::RefusedThere)
                }
                _ => Err(format!("{outcome:?}, and the far side understood {understood:?}")),
            };
            score.count(shape.name, verdict);
        }
        println!("HTTP/2, {} shapes, {}: {score}", streams::SHAPES.len(), side.name);
        scores.push(score);
    }
    all_right(&scores);
}

#[test]
fn recorded_vectors_are_refused_or_mean_the_same() {
    let vectors = vectors();
    let mut scores = Vec::new();
    for side in FarSide::all() {
        let front = Front::before(&side);
        let mut score = Score::default();
        for (number, vector) in vectors.iter().enumerate() {
            let expected = scan(&vector.input);
            let answers = Answers::to(front.address, &vector.input);
            let understood = side.understood(front.address, &format!("/word/{number}"));
            let meaning: Vec<&str> = expected.meanings.iter().map(String::as_str).collect();
            let verdict = if expected.waiting && meaning.is_empty() && understood.is_empty() {
                // Nothing whole was sent, and nothing was understood.
                Ok(Verdict::Refused)
            } else {
                judge(&front, &meaning, &understood, &answers, true)
            };
            score.count(&vector.name, verdict);
        }
        println!("{} vectors of llhttp, {}: {score}", vectors.len(), side.name);
        scores.push(score);
    }
    all_right(&scores);
}

/// What a shape came to.
enum Verdict {
    Refused,
    Understood,
    RefusedThere,
}

/// Whether a shape was refused with an event, or understood as `meaning`.
fn judge(
    front: &Front,
    meaning: &[&str],
    understood: &[String],
    answers: &Answers,
    may_refuse_there: bool,
) -> Result<Verdict, String> {
    let complaint = || format!("{answers:?}; the far side understood {understood:?}");
    if let Some(event) = answers.events.iter().find(|event| !front.has(event)) {
        return Err(format!("no event {event}"));
    }
    if understood == meaning && !meaning.is_empty() {
        return Ok(Verdict::Understood);
    }
    if meaning.is_empty() && understood.is_empty() && !answers.events.is_empty() {
        return Ok(Verdict::Refused);
    }
    let refused_there = answers.statuses.contains(&400) && answers.events.is_empty();
    if may_refuse_there && refused_there && begins(meaning, understood) {
        return Ok(Verdict::RefusedThere);
    }
    Err(complaint())
}

/// Whether the far side understood nothing else before it refused.
fn begins(meaning: &[&str], understood: &[String]) -> bool {
    understood.len() <= meaning.len() && meaning.iter().zip(understood).all(|(a, b)| a == b)
}

impl Score {
    fn count(&mut self, name: &str, verdict: Result<Verdict, String>) {
        match verdict {
            Ok(Verdict::Refused) => self.refused += 1,
            Ok(Verdict::Understood) => self.understood += 1,
            Ok(Verdict::RefusedThere) => self.refused_there += 1,
            Err(complaint) => self.wrong.push(format!("{name}: {complaint}")),
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { refused, understood, refused_there, wrong } = self;
        write!(
            f,
            "{refused} refused, {understood} understood the same, {refused_there} refused by the \
             far side, {} wrong",
            wrong.len()
        )
    }
}

fn all_right(scores: &[Score]) {
    let wrong: Vec<&str> = scores.iter().flat_map(|s| &s.wrong).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// === the gateway and its raw callers ===

impl Front {
    fn before(side: &FarSide) -> Self {
        let text =
            format!("version = 1\n[[site]]\nhosts = [\"*\"]\nupstream = [\"{}\"]\n", side.url);
        let sources = Sources { file: Some(("palisade.toml", &text)), ..Sources::default() };
        let (policy, _warnings) = policy::load(&sources).unwrap();
        let engine = Engine::new(shield::Settings {
            policy,
            key: HashKey::new([7; 16]),
            reads_redacted: false,
            table_bytes: 8 << 20,
            recorder: None,
        });
        let site = Site::before(Upstream::parse(&side.url, None).unwrap());
        let sites = Sites::new([(engine.policy().sites[0].name.clone(), site)].into());
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&events);
        let settings = Settings {
            workers: 1,
            ..Settings::new(
                Arc::new(engine),
                Arc::new(move |event| sink.lock().unwrap().push(event)),
                sites,
            )
        };
        let socket = bind("127.0.0.1:0").unwrap();
        let gateway = Gateway::start(vec![Listener::new(socket, None)], settings).unwrap();
        Self { address: gateway.addresses()[0], events, gateway: Some(gateway) }
    }

    /// Whether there is an event under this ID.
    fn has(&self, id: &str) -> bool {
        self.told(|event| event.id.to_string() == id)
    }

    /// Whether there is an event of what the HTTP/2 library refused; it is taken away.
    fn told_within_http2(&self) -> bool {
        let is_library = |event: &Event| {
            event.signals.first().is_some_and(|signal| signal.reason.starts_with("http2-"))
        };
        let told = self.told(is_library);
        self.events.lock().unwrap().retain(|event| !is_library(event));
        told
    }

    fn told(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if self.events.lock().unwrap().iter().any(&wanted) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.drain();
        }
    }
}

/// What came back over HTTP/1: the statuses, and the events of our own refusals.
#[derive(Debug)]
struct Answers {
    statuses: Vec<u16>,
    events: Vec<String>,
}

impl Answers {
    /// Sends bytes as they are, says that no more will come, and reads to the end.
    fn to(front: SocketAddr, bytes: &[u8]) -> Self {
        let mut stream = TcpStream::connect(front).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // It may have been refused before its end was written; what was said then is what counts.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        let text = String::from_utf8_lossy(&all);
        let after = |marker: &'static str, stop: char| {
            let parts: Vec<&str> = text.split(marker).skip(1).collect();
            parts.into_iter().map(move |part| part.split(stop).next().unwrap_or_default())
        };
        // HTTP/1.0 is answered in its own version: the minor digit comes before the status.
        let statuses = after("HTTP/1.", '\r').filter_map(|line| line.get(2..5)?.parse().ok());
        let events = after("palisade-event: ", '\r').map(str::to_owned).collect();
        Self { statuses: statuses.collect(), events }
    }
}
