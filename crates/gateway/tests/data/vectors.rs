//! The strict request vectors of llhttp, out of their documents, and what the framing scanner says
//! of them.

use std::{io::Read, path::PathBuf};

use gateway::framing::{
    BodyFraming, BodyScanner, Head, HeadLimits, HeadScanner, HeadStep, Refusal,
};

use crate::sides::{is_the_ways, latin1};

/// One vector: what is sent, and llhttp's account of it.
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) input: Vec<u8>,
    pub(crate) log: String,
}

/// What was understood of a stream: method, target and header lines of each head, and all bodies.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Understood {
    pub(crate) heads: Vec<(String, String, Vec<(String, String)>)>,
    pub(crate) refused: Option<Refusal>,
    /// The last head or body is not complete: nothing was made of it.
    pub(crate) waiting: bool,
    /// Whole requests, as a far side should understand them.
    pub(crate) meanings: Vec<String>,
}

pub(crate) fn scan(input: &[u8]) -> Understood {
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
                        if body.is_done() {
                            let meaning = meaning_of(&head, &rest[..passed]);
                            understood.meanings.push(meaning);
                        }
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

/// One request as it should arrive: the target in origin form, end-to-end headers in the order of
/// their names, and the body out of its chunks.
fn meaning_of(head: &Head, body: &[u8]) -> String {
    let target = head.origin_target();
    let target = target.as_ref();
    let all: Vec<(String, String)> = head
        .headers()
        .map(|(name, value)| (latin1(name).to_ascii_lowercase(), latin1(value)))
        .collect();
    let of_the_way = |name: &str| {
        let mut listed = all.iter().filter(|(key, _)| key == "connection");
        is_the_ways(name)
            || name.starts_with("proxy-")
            || listed.any(|(_, list)| list.split(',').any(|t| t.trim().eq_ignore_ascii_case(name)))
    };
    let mut headers: Vec<_> = all.iter().filter(|(name, _)| !of_the_way(name)).collect();
    headers.sort();
    let mut meaning = format!("{} {}\n", latin1(head.method()), latin1(target));
    for (name, value) in headers {
        meaning.push_str(&format!("{name}: {value}\n"));
    }
    let body = match head.body {
        BodyFraming::Chunked => unchunked(body),
        BodyFraming::None | BodyFraming::Length(_) => body.to_vec(),
    };
    meaning + "\n" + &latin1(&body)
}

/// The bytes of chunks that the scanner has found to be well formed.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = rest.split(|byte| *byte == b'\r').next().unwrap();
        let digits = latin1(line.split(|byte| *byte == b';').next().unwrap());
        let size = usize::from_str_radix(&digits, 16).unwrap();
        if size == 0 {
            return body;
        }
        rest = &rest[line.len() + 2..];
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

pub(crate) fn vectors() -> Vec<Vector> {
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
