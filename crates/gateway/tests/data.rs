//! The strict request vectors of llhttp: refused where llhttp refuses, and where both accept, read
//! the same way; and with other servers on the far side, `far_sides`. `make test-data` sets
//! `PALISADE_DATA`, installs those servers and runs all of it.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "data/far_sides.rs"]
mod far_sides;
#[path = "data/frames.rs"]
mod frames;
#[path = "data/shapes.rs"]
mod shapes;
#[path = "data/sides.rs"]
mod sides;
#[path = "data/streams.rs"]
mod streams;
#[path = "data/vectors.rs"]
mod vectors;

use crate::vectors::{Vector, scan, vectors};

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
