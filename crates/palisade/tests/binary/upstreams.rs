//! Upstreams that are slow, break off or lie, before the real program: an answer with an ID, words
//! about it, and everything as before once they have recovered.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{Answer, PATIENCE, Palisade, call, text};

/// What an upstream does with a request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Says this and closes.
    Says(&'static str),
    /// Says this and then nothing.
    Stalls(&'static str),
}

/// How it ends for the caller.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// An answer of the gateway's own with this status and an event.
    Status(u16),
    /// The upstream's answer, visibly cut off.
    CutOff,
    /// The upstream's answer.
    Whole(&'static str),
}

const FAULTS: &[(&str, Fault, End)] = &[
    ("closes without a word", Fault::Says(""), End::Status(502)),
    ("says nothing", Fault::Stalls(""), End::Status(504)),
    ("stalls within the head", Fault::Stalls("HTTP/1.1 200 OK\r\nContent-"), End::Status(504)),
    ("closes within the head", Fault::Says("HTTP/1.1 200 OK\r\nContent-"), End::Status(502)),
    ("speaks no HTTP", Fault::Says("+OK ready\r\n"), End::Status(502)),
    (
        "promises two lengths",
        Fault::Says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        End::Status(502),
    ),
    (
        "sends less than it promised",
        Fault::Says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"),
        End::CutOff,
    ),
    (
        "stalls before all it promised",
        Fault::Stalls("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"),
        End::CutOff,
    ),
    (
        "never ends its chunks",
        Fault::Says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n"),
        End::CutOff,
    ),
    (
        "stalls between chunks",
        Fault::Stalls("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n"),
        End::CutOff,
    ),
    (
        "sends more than it promised",
        Fault::Says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwholeHTTP/1.1 200 OK\r\n\r\n"),
        End::Whole("whole"),
    ),
    (
        "sends garbage after its chunks",
        Fault::Says(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\nevil",
        ),
        End::Whole("whole"),
    ),
];

/// Serves request `/N` with fault N, and anything else well.
fn unreliable() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) -> Option<()> {
    let mut head = Vec::new();
    loop {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).ok().filter(|read| *read > 0)?;
        head.extend_from_slice(&piece[..read]);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let path = text(&head).split(' ').nth(1)?.trim_start_matches('/').to_owned();
        head.clear();
        match path.parse::<usize>().ok().and_then(|number| FAULTS.get(number)) {
            Some((_, Fault::Says(words), _)) => return stream.write_all(words.as_bytes()).ok(),
            Some((_, Fault::Stalls(words), _)) => {
                stream.write_all(words.as_bytes()).ok()?;
                std::thread::sleep(Duration::from_secs(5));
                return None;
            }
            None => {
                if path == "slow" {
                    std::thread::sleep(Duration::from_millis(150));
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell").ok()?;
            }
        }
    }
}

fn before_an_unreliable_one(data: &std::path::Path) -> Palisade {
    let file = data.join("palisade.toml");
    let written = format!(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\"]\n[[site]]\nname = \"shop\"\n\
         hosts = [\"*\"]\nupstream = [\"http://{}\"]\n\
         first_byte_timeout = \"700ms\"\nidle_timeout = \"700ms\"\n",
        unreliable()
    );
    fs::write(&file, written).expect("written");
    Palisade::start(&data.join("data"), &["--config", file.to_str().expect("a path")])
}

#[test]
fn an_upstream_that_fails_is_told_with_an_id_and_recovers() {
    let data = tempfile::tempdir().expect("a folder");
    let palisade = before_an_unreliable_one(data.path());
    for (number, (name, _, expected)) in FAULTS.iter().enumerate() {
        let raw = raw(&palisade, &format!("/{number}"));
        let (head, body) = raw.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{name}: {raw:?}"));
        match expected {
            End::Status(status) => {
                assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {raw}");
                let id = head.split("palisade-event: ").nth(1).expect(name);
                let id = id.split('\r').next().expect(name);
                let words = text(&palisade.command(&["why", id]).stdout);
                assert!(words.contains("the upstream gave no answer"), "{name}: {words}");
            }
            End::CutOff => {
                assert!(body.contains("part"), "{name}: {raw}");
                let in_chunks = head.contains("transfer-encoding: chunked");
                let whole = if in_chunks { body.ends_with("0\r\n\r\n") } else { body.len() == 9 };
                assert!(!whole, "{name}: passed off as whole: {raw}");
            }
            End::Whole(words) => {
                assert!(body.contains(words) && !body.contains("evil"), "{name}: {raw}");
            }
        }
        let well = call(palisade.address, "GET", "/well", "");
        assert_eq!((well.status, well.body.as_str()), (200, "well"), "after one that {name}");
    }
    let failed = |end: &End| matches!(end, End::Status(_));
    let listed = palisade.json(&["events"])["events"].as_array().expect("events").clone();
    let listed = listed.iter().filter(|event| event["status"].as_u64() >= Some(502)).count();
    assert_eq!(listed, FAULTS.iter().filter(|(_, _, end)| failed(end)).count());
}

#[test]
fn callers_that_hang_up_are_no_fault_of_the_upstream() {
    let data = tempfile::tempdir().expect("a folder");
    let palisade = before_an_unreliable_one(data.path());
    for _ in 0..100 {
        let mut stream = TcpStream::connect(palisade.address).expect("a connection");
        stream.write_all(b"GET /slow HTTP/1.1\r\nhost: h\r\n\r\n").expect("sent");
    }
    let failed = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let (address, failed) = (palisade.address, Arc::clone(&failed));
            std::thread::spawn(move || {
                let Answer { status, body, .. } = call(address, "GET", "/slow", "");
                if (status, body.as_str()) != (200, "well") {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for caller in callers {
        caller.join().expect("an answer");
    }
    assert_eq!(failed.load(Ordering::Relaxed), 0);
    let events = palisade.json(&["events"])["events"].to_string();
    assert!(!events.contains("502") && !events.contains("504"), "{events}");
}

#[test]
fn an_upstream_that_is_gone_is_left_out_and_shown() {
    let data = tempfile::tempdir().expect("a folder");
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let file = data.path().join("palisade.toml");
    let written = format!(
        "version = 1\n[server]\nlisten = \"127.0.0.1:0\"\n[[site]]\nname = \"shop\"\n\
         upstream = [\"http://{gone}\", \"http://{}\"]\n",
        unreliable()
    );
    fs::write(&file, written).expect("written");
    let args = ["--config", file.to_str().expect("a path")];
    let palisade = Palisade::start(&data.path().join("data"), &args);
    for number in 0..40 {
        let method = if number % 2 == 0 { "GET" } else { "POST" };
        let answer = call(palisade.address, method, "/well", "");
        assert_eq!((answer.status, answer.body.as_str()), (200, "well"), "{number}");
    }
    let shown = palisade.json(&["status"])["sites"][0]["upstreams"].clone();
    assert_eq!(
        (&shown[0]["serves"], &shown[1]["serves"]),
        (&false.into(), &true.into()),
        "{shown}"
    );
    assert_eq!((&shown[0]["ejections"], &shown[1]["faults"]), (&1.into(), &0.into()), "{shown}");
    let words = text(&palisade.command(&["status"]).stdout);
    assert!(words.contains(&format!("upstream http://{gone} of site shop is out")), "{words}");
    assert!(palisade.said().contains("upstream is out for 10 s"), "{}", palisade.said());
}

/// All that comes for a request until the connection ends, whole or not.
fn raw(palisade: &Palisade, path: &str) -> String {
    let mut stream = TcpStream::connect(palisade.address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let request = format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut all = Vec::new();
    // A connection cut off may end in a reset; what came before it is what is looked at.
    let _ = stream.read_to_end(&mut all);
    text(&all)
}
