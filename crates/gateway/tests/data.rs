//! The strict request vectors of llhttp: refused where llhttp refuses, and where both accept, read
//! the same way. Run by `make test-data`, which sets `PALISADE_DATA`.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{io::Read, path::PathBuf};

use gateway::framing::{BodyScanner, HeadLimits, HeadScanner, HeadStep, Refusal};

/// One vector: what is sent, and llhttp's account of it.
struct Vector {
    name: String,
    input: Vec<u8>,
    log: String,
}

/// What was understood of a stream: method, target and header lines of each head, and all bodies.
#[derive(Debug, Default, Eq, PartialEq)]
struct Understood {
    heads: Vec<(String, String, Vec<(String, String)>)>,
    refused: Option<Refusal>,
    /// The last head or body is not complete: nothing was made of it.
    waiting: bool,
}

#[test]
fn llhttp_and_the_scanner_agree_wherever_both_accept() {
    let vectors = vectors();
    assert!(vectors.len() > 90, "only {} vectors found", vectors.len());
    let mut wrong = Vec::new();
    let (mut same, mut stricter, mut both_refuse) = (0, 0, 0);
    for vector in &vectors {
        let ours = scan(&vector.input);
        let theirs_refuse = vector.log.contains("error code=");
        match (ours.refused, theirs_refuse) {
            (Some(_), true) => both_refuse += 1,
            (Some(_), false) => stricter += 1,
            (None, true) if ours.waiting => both_refuse += 1,
            (None, true) if is_legal(vector) => same += 1,
            (None, true) => wrong.push(format!("{}: accepted, but {}", vector.name, vector.log)),
            (None, false) => {
                let theirs = account(&vector.log);
                // llhttp stops after what it takes for the last message; we must begin as it does.
                let begins = ours.heads.iter().zip(&theirs).all(|(a, b)| {
                    // Its account lists trailers as headers.
                    (&a.0, &a.1) == (&b.0, &b.1) && b.2.starts_with(&a.2)
                });
                if begins && ours.heads.len() <= theirs.len() {
                    same += 1;
                } else {
                    wrong.push(format!("{}: {:?} and not {theirs:?}", vector.name, ours.heads));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        same > 25 && both_refuse > 25,
        "same {same}, refused {both_refuse}, stricter {stricter}"
    );
}

/// What llhttp does not serve although HTTP allows it: methods outside its own list, protocols
/// other than HTTP's, bytes after a message that closes the connection.
fn is_legal(vector: &Vector) -> bool {
    [
        "Invalid method",
        "Expected SOURCE method",
        "Expected space after method",
        "Pause on CONNECT/Upgrade",
        "after `Connection: close`",
        "Data after",
    ]
    .iter()
    .any(|reason| vector.log.contains(reason))
}

fn scan(input: &[u8]) -> Understood {
    let limits = HeadLimits::default();
    let mut understood = Understood::default();
    let mut rest = input;
    while !rest.is_empty() {
        match HeadScanner::default().step(rest, &limits) {
            HeadStep::More => {
                understood.waiting = true;
                break;
            }
            HeadStep::Refused(refusal) => {
                understood.refused = Some(refusal);
                break;
            }
            HeadStep::Complete { head, length } => {
                // As llhttp's account has it: UTF-8 where it is, Latin-1 otherwise.
                let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
                    Ok(text) => text.to_owned(),
                    Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
                };
                let headers = head
                    .headers()
                    .filter(|(name, value)| (*name, *value) != (b"Host", b"inserted.example"))
                    .map(|(name, value)| (text(name), text(value)))
                    .collect();
                understood.heads.push((text(head.method()), text(head.target()), headers));
                rest = &rest[length..];
                let mut body = BodyScanner::new(head.body);
                match body.pass(rest) {
                    Ok(passed) => {
                        understood.waiting = !body.is_done();
                        rest = &rest[passed..];
                    }
                    Err(refusal) => {
                        understood.refused = Some(refusal);
                        break;
                    }
                }
            }
        }
    }
    understood
}

/// The same out of llhttp's log, whose spans may come in pieces.
fn account(log: &str) -> Vec<(String, String, Vec<(String, String)>)> {
    let mut heads: Vec<(String, String, Vec<(String, String)>)> = Vec::new();
    let mut fresh_header = true;
    for line in log.lines() {
        let span = |name: &str| {
            let start = format!("span[{name}]=\"");
            let value = line.split_once(&start)?.1.strip_suffix('"')?;
            Some(value.replace("\\t", "\t"))
        };
        if line.contains("message begin") {
            heads.push(Default::default());
        }
        if line.contains("header_field complete") || line.contains("header_value complete") {
            fresh_header = line.contains("value complete");
        }
        let Some(head) = heads.last_mut() else { continue };
        if let Some(method) = span("method") {
            head.0.push_str(&method);
        } else if let Some(target) = span("url") {
            head.1.push_str(&target);
        } else if let Some(field) = span("header_field") {
            if fresh_header {
                head.2.push(Default::default());
                fresh_header = false;
            }
            head.2.last_mut().unwrap().0.push_str(&field);
        } else if let Some(value) = span("header_value") {
            let value = value.trim_end();
            head.2.last_mut().unwrap().1.push_str(value);
        }
    }
    heads.retain(|head| !head.0.is_empty());
    heads
}

fn vectors() -> Vec<Vector> {
    let folder = std::env::var_os("PALISADE_DATA").expect("PALISADE_DATA names the data folder");
    let archive = PathBuf::from(folder).join("http/llhttp-vectors.tar.gz");
    let mut tar = Vec::new();
    let file = std::fs::File::open(&archive).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut tar).unwrap();
    let mut vectors = Vec::new();
    let mut rest = &tar[..];
    while rest.len() > 512 && rest[0] != 0 {
        let field = |from: usize, to: usize| {
            String::from_utf8_lossy(&rest[from..to]).trim_matches(['\0', ' ']).to_owned()
        };
        let size = usize::from_str_radix(&field(124, 136), 8).unwrap();
        let name = field(0, 100);
        let content = &rest[512..512 + size];
        if name.contains("/request/") && name.ends_with(".md") {
            collect(&name, &String::from_utf8_lossy(content), &mut vectors);
        }
        rest = &rest[512 + size.div_ceil(512) * 512..];
    }
    vectors
}

/// The strict request vectors of one document.
fn collect(file: &str, text: &str, vectors: &mut Vec<Vector>) {
    for part in text.split("<!-- meta=").skip(1) {
        let meta = part.lines().next().unwrap_or_default().replace(' ', "");
        let strict = meta.starts_with("{\"type\":\"request\"}")
            || meta.starts_with("{\"type\":\"request\",\"noScan\":true}");
        let block = |kind: &str| {
            let after = part.split_once(&format!("```{kind}\n"))?.1;
            Some(after.split_once("\n```").map_or("", |(block, _)| block).to_owned())
        };
        if let (true, Some(input), Some(log)) = (strict, block("http"), block("log")) {
            let name = format!("{file} #{}", vectors.len());
            vectors.push(Vector { name, input: with_host(unescape(&input)), log });
        }
    }
}

/// Most vectors have no Host, which HTTP/1.1 must have; that is not what they are about.
fn with_host(input: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&input).to_ascii_lowercase();
    match input.windows(2).position(|pair| pair == b"\r\n") {
        Some(end) if end > 0 && !text.contains("\nhost") => {
            [&input[..end], b"\r\nHost: inserted.example", &input[end..]].concat()
        }
        _ => input,
    }
}

/// The escapes of the documents: lines end in CRLF, a backslash at the end joins two lines.
fn unescape(block: &str) -> Vec<u8> {
    let joined = block.replace("\\\n", "").replace('\n', "\r\n");
    let plain = joined
        .replace("\\r", "\r")
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("\\f", "\x0c");
    let mut out = Vec::new();
    let mut parts = plain.split("\\x");
    out.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let (hex, rest) = part.split_at(2);
        out.push(u8::from_str_radix(hex, 16).unwrap());
        out.extend_from_slice(rest.as_bytes());
    }
    out
}
