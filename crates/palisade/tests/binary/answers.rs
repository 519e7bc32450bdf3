//! Rules of a user's own over real sockets, those for answers above all: what they find is kept
//! back, explained, told in a header; what streams goes on streaming; where they only watch,
//! nothing changes; and what the catalog knows better is no evidence.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::support::{Answer, PATIENCE, Palisade, Upstream, call, call_raw, program, text, until};

/// Rules of a user, in the form of a rule set: for heads of requests and answers, for bodies of
/// answers, and for when all is done.
const RULES: &str = r#"
SecResponseBodyMimeType application/json text/event-stream text/plain
SecResponseBodyLimit 4096
SecRule REQUEST_HEADERS:X-Odd "@rx ." "id:101,phase:1,pass,log,msg:'an odd header'"
SecRule REQUEST_HEADERS:Content-Length "@rx \+" "id:102,phase:1,pass,log,severity:CRITICAL,msg:'a signed length'"
SecRule RESPONSE_HEADERS:X-Debug "@rx ." "id:103,phase:3,deny,log,msg:'debugging in an answer'"
SecRule RESPONSE_BODY "@rx ORA-[0-9]{5}" "id:104,phase:4,deny,log,msg:'an Oracle error'"
SecRule RESPONSE_BODY "@rx Traceback" "id:105,phase:4,pass,log,severity:CRITICAL,msg:'a stack trace'"
SecAction "id:106,phase:5,pass,log,msg:'the end'"
SecRule ARGS "@rx ^[0-9]{6}$" "id:107,phase:2,pass,log,severity:CRITICAL,msg:'six digits'"
"#;

/// A folder that is laid out as a rule set, with these rules.
fn rule_set(folder: &Path, rules: &str) -> PathBuf {
    let set = folder.join("set");
    fs::create_dir_all(set.join("rules")).expect("a folder");
    fs::write(set.join("crs-setup.conf"), "SecAction \"id:1,phase:1,pass,nolog\"\n").expect("set");
    fs::write(set.join("rules/REQUEST-901-INITIALIZATION.conf"), rules).expect("rules");
    set
}

/// Started with these rules and lines of policy.
fn started(folder: &Path, upstream: &str, mode: &str, more: &str) -> Palisade {
    started_with(folder, upstream, mode, more, &[])
}

/// The same with arguments of its own.
fn started_with(folder: &Path, upstream: &str, mode: &str, more: &str, args: &[&str]) -> Palisade {
    let set = rule_set(folder, RULES);
    let file = folder.join("palisade.toml");
    let policy = format!(
        "version = 1\n{more}\n[server]\nlisten = \"127.0.0.1:0\"\n\
         [rules]\ncrs = \"{}\"\npreset = \"none\"\n[[site]]\nupstream = \"{upstream}\"\nmode = \"{mode}\"\n",
        set.display(),
    );
    fs::write(&file, policy).expect("a file");
    let args = [&["--config", file.to_str().expect("a name")], args].concat();
    Palisade::start(&folder.join("data"), &args)
}

/// An API that leaks.
fn leaky() -> Upstream {
    Upstream::serve(|got| match got.target.as_str() {
        "/oracle" => Answer::json(500, r#"{"error":"ORA-00942: table or view does not exist"}"#),
        "/trace" => Answer::json(500, r#"{"error":"Traceback (most recent call last)"}"#),
        "/debug" => {
            let mut answer = Answer::json(200, "{}");
            answer.headers.push(("X-Debug".to_owned(), "1".to_owned()));
            answer
        }
        "/image" => Answer {
            headers: vec![("content-type".to_owned(), "image/png".to_owned())],
            ..Answer::json(200, "ORA-00942")
        },
        _ => Answer::json(200, r#"{"fine":true}"#),
    })
}

#[test]
fn an_answer_that_leaks_is_kept_back_and_explained() {
    let (upstream, folder) = (leaky(), tempfile::tempdir().expect("a folder"));
    let palisade = started(folder.path(), &upstream.url(), "enforce", "");
    for (target, rule) in [("/oracle", 104), ("/debug", 103), ("/trace", 105)] {
        let answer = call(palisade.address, "GET", target, "");
        assert_eq!(answer.status, 403, "{target}: {}", answer.body);
        assert!(!answer.body.contains("ORA") && !answer.body.contains("Trace"), "{}", answer.body);
        assert_eq!(answer.header("x-debug"), None);
        let id = answer.header("palisade-event").expect("an id").to_owned();
        let event = &palisade.json(&["why", &id])["event"];
        assert_eq!(event["rules"][0]["id"], rule, "{event}");
        assert_eq!((&event["layer"], &event["status"]), (&"rules".into(), &403.into()));
        let words = text(&palisade.command(&["why", &id]).stdout);
        assert!(words.contains(&format!("rule {rule} matched the answer")), "{words}");
    }
    for target in ["/fine", "/image"] {
        let answer = call(palisade.address, "GET", target, "");
        assert_eq!(answer.status, 200, "{target}");
        assert!(!answer.body.is_empty());
    }
    assert_eq!(upstream.got().len(), 5, "each request went upstream");
}

#[test]
fn what_was_found_in_answers_stands_against_nobody_and_can_be_silenced() {
    let (upstream, folder) = (leaky(), tempfile::tempdir().expect("a folder"));
    let palisade = started(folder.path(), &upstream.url(), "enforce", "");
    let mut last = Answer::default();
    for _ in 0..20 {
        last = call(palisade.address, "GET", "/oracle", "");
        assert_eq!(last.status, 403);
        assert_eq!(call(palisade.address, "GET", "/fine", "").status, 200);
    }
    let id = last.header("palisade-event").expect("an id").to_owned();
    let silenced = palisade.command(&["silence", &id, "--scope", "detector"]);
    assert!(silenced.status.success(), "{}", text(&silenced.stderr));
    let answer = call(palisade.address, "GET", "/oracle", "");
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("ORA-00942"));
}

#[test]
fn monitor_changes_no_answer_and_says_what_enforce_would_do() {
    let (upstream, folder) = (leaky(), tempfile::tempdir().expect("a folder"));
    let palisade = started(folder.path(), &upstream.url(), "monitor", "");
    let answer = call(palisade.address, "GET", "/oracle", "");
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("ORA-00942"));
    let event = until("an event", || {
        let list = palisade.json(&["events"]);
        list["events"].as_array()?.iter().find(|event| event["layer"] == "rules").cloned()
    });
    assert_eq!((&event["action"], &event["refused"]), (&"deny".into(), &false.into()));
    assert_eq!((&event["status"], &event["rules"][0]["id"]), (&500.into(), &104.into()));
}

#[test]
fn the_header_names_the_rules_of_every_phase() {
    let (upstream, folder) = (leaky(), tempfile::tempdir().expect("a folder"));
    let told = "[debug]\nrule_header = true";
    let palisade = started(folder.path(), &upstream.url(), "monitor", told);
    let head = |target: &str| format!("GET {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n");
    for (request, status, rules) in [
        (format!("{}\r\n", head("/fine")), 200, "106"),
        (format!("{}x-odd: 1\r\n\r\n", head("/trace")), 500, "101,105,106"),
        (format!("{}x-odd: 1\r\ncontent-length: +1\r\n\r\n", head("/")), 400, "101,102,106"),
    ] {
        let answer = call_raw(palisade.address, request.as_bytes());
        assert_eq!((answer.status, answer.header("x-palisade-rules")), (status, Some(rules)));
    }
    let event = until("the refusal's event", || {
        let list = palisade.json(&["events"]);
        list["events"].as_array()?.iter().find(|event| event["status"] == 400).cloned()
    });
    assert_eq!(event["rules"][0]["id"], 102, "{event}");
}

/// An upstream that writes what it is told, when it is told, to each connection in turn.
fn scripted() -> (SocketAddr, SyncSender<Option<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (sender, pieces): (_, Receiver<Option<Vec<u8>>>) = sync_channel(16);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(&stream);
            let mut line = String::new();
            // The program looks once whether anybody is here, and asks nothing.
            if reader.read_line(&mut line).is_ok_and(|read| read == 0) {
                continue;
            }
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {}
            // Nothing stands for the end of the answer, which is that of the connection.
            while let Ok(Some(piece)) = pieces.recv() {
                let _ = (&stream).write_all(&piece);
            }
        }
    });
    (address, sender)
}

fn asked(to: SocketAddr) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(to).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(b"GET /a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").expect("sent");
    BufReader::new(stream)
}

fn read_until(reader: &mut impl std::io::BufRead, mark: &str) -> String {
    let mut seen = Vec::new();
    while !text(&seen).contains(mark) {
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error}: {}", text(&seen)));
        seen.push(byte[0]);
    }
    text(&seen)
}

#[test]
fn streams_and_long_answers_are_not_held() {
    let (upstream, pieces) = scripted();
    let folder = tempfile::tempdir().expect("a folder");
    let palisade = started(folder.path(), &format!("http://{upstream}"), "enforce", "");
    let send = |piece: &str| pieces.send(Some(piece.as_bytes().to_vec())).expect("sent");
    // Events without an end, although the rules name their type.
    let mut caller = asked(palisade.address);
    send("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: first\n\n");
    read_until(&mut caller, "data: first");
    send("data: ORA-00942\n\n");
    read_until(&mut caller, "data: ORA-00942");
    pieces.send(None).expect("sent");
    // Text without a length goes on once as much of it is here as rules look at.
    let mut caller = asked(palisade.address);
    send(&format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n{}", "a".repeat(5_000)));
    let seen = read_until(&mut caller, &"a".repeat(1_000));
    assert!(seen.starts_with("HTTP/1.1 200"), "{seen}");
    send("the end ORA-00942");
    read_until(&mut caller, "the end ORA-00942");
    pieces.send(None).expect("sent");
    // What trickles is held for a second.
    let mut caller = asked(palisade.address);
    send("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nslow");
    read_until(&mut caller, "slow");
    pieces.send(None).expect("sent");
}

#[test]
fn a_coded_answer_is_looked_at_without_its_coding() {
    let (upstream, pieces) = scripted();
    let folder = tempfile::tempdir().expect("a folder");
    let palisade = started(folder.path(), &format!("http://{upstream}"), "enforce", "");
    // `{"e":"ORA-00942"}` as gzip has it.
    let coded: [u8; 37] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a, 0x55, 0xb2,
        0x52, 0xf2, 0x0f, 0x72, 0xd4, 0x35, 0x30, 0xb0, 0x34, 0x31, 0x52, 0xaa, 0x05, 0x00, 0x87,
        0x4a, 0x92, 0x9e, 0x11, 0x00, 0x00, 0x00,
    ];
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\
                content-length: 37\r\n\r\n";
    let mut caller = asked(palisade.address);
    pieces.send(Some([head.as_bytes(), &coded].concat())).expect("sent");
    let mut line = String::new();
    caller.read_line(&mut line).expect("an answer");
    assert!(line.starts_with("HTTP/1.1 403"), "{line}");
}

#[test]
fn an_answer_that_breaks_off_while_it_is_held_is_a_bad_gateway() {
    let (upstream, pieces) = scripted();
    let folder = tempfile::tempdir().expect("a folder");
    let palisade = started(folder.path(), &format!("http://{upstream}"), "enforce", "");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    let mut caller = asked(palisade.address);
    pieces.send(Some(head.as_bytes().to_vec())).expect("sent");
    pieces.send(None).expect("sent");
    let mut line = String::new();
    caller.read_line(&mut line).expect("an answer");
    assert!(line.starts_with("HTTP/1.1 502"), "{line}");
}

#[test]
fn a_recording_of_answers_replays_to_the_same_verdicts() {
    let (upstream, folder) = (leaky(), tempfile::tempdir().expect("a folder"));
    let file = folder.path().join("recording.jsonl");
    let file = file.to_str().expect("a path");
    let palisade = started_with(folder.path(), &upstream.url(), "enforce", "", &["--record", file]);
    let targets = ["/oracle", "/fine", "/trace", "/debug", "/image", "/oracle", "/fine"];
    let statuses = targets.map(|target| call(palisade.address, "GET", target, "").status);
    assert_eq!(statuses, [403, 200, 403, 403, 200, 403, 200]);
    assert_eq!(palisade.end(), 143);
    let output = program()
        .args(["replay", file, "--output", "jsonl", "--data"])
        .arg(folder.path().join("data"))
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let denied = said.lines().filter(|line| line.contains(r#""verdict":"deny""#)).count();
    assert_eq!(denied, 4, "{said}");
    assert!(said.contains(r#""different":0"#), "{said}");
}

#[test]
fn rule_files_are_watched_and_bad_ones_leave_the_old_in_force() {
    let (upstream, folder) = (leaky(), tempfile::tempdir().expect("a folder"));
    let palisade = started(folder.path(), &upstream.url(), "enforce", "");
    assert_eq!(call(palisade.address, "GET", "/oracle", "").status, 403);
    let version = || palisade.json(&["status"])["policy_version"].as_u64().expect("a number");
    let before = version();
    rule_set(folder.path(), "SecRule ARGS \"@nonsense\" \"id:1\"\n");
    let fault = until("the fault", || {
        let status = palisade.json(&["status"]);
        let faults = status["policy_faults"].as_array()?.clone();
        faults.first().map(ToString::to_string)
    });
    assert!(fault.contains("REQUEST-901-INITIALIZATION.conf:1"), "{fault}");
    assert_eq!(call(palisade.address, "GET", "/oracle", "").status, 403, "the old set stays");
    assert_eq!(version(), before);
    rule_set(folder.path(), "SecAction \"id:100,phase:1,pass,nolog\"\n");
    until("the new rules", || (version() > before).then_some(()));
    assert_eq!(call(palisade.address, "GET", "/oracle", "").status, 500);
}

#[test]
fn a_number_where_only_numbers_are_sent_is_no_attack() {
    let (upstream, folder) = (leaky(), tempfile::tempdir().expect("a folder"));
    let palisade = started(folder.path(), &upstream.url(), "enforce", "");
    let status = |target: &str| call(palisade.address, "GET", target, "").status;
    assert_eq!(status("/list?page=123456"), 403, "nothing is known yet");
    for page in 1..=70 {
        assert_eq!(status(&format!("/list?page={page}&word=w{page}")), 200);
    }
    assert_eq!(status("/list?page=123456&word=a"), 200);
    assert_eq!(status("/list?page=1&word=123456"), 403, "words are not numbers");
}
