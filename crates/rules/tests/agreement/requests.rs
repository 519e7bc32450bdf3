//! The requests that both are asked of: the corpus as bytes, and every request changed a little.

use std::path::Path;

use super::mutant::mutant;
use crate::corpus::{self, Draw};
use crate::request::Request;

/// The corpus in `folder`: so many requests of each of its texts.
pub(crate) fn of_corpus(folder: &Path, times: usize, seed: u64) -> Vec<Vec<u8>> {
    let halves = ["honest-seen", "honest-unseen", "attacks-seen", "attacks-unseen"];
    let samples = halves.map(|half| corpus::drawn(folder, &format!("{half}.toml"), times, seed));
    let samples = samples.iter().flatten();
    samples.map(|sample| raw(&sample.request, &sample.class, &sample.kernel)).collect()
}

/// Each request, changed.
pub(crate) fn mutants(of: &[Vec<u8>], seed: u64) -> Vec<Vec<u8>> {
    let mut draw = Draw::new(seed);
    let mutants = of.iter().map(|request| {
        let other = draw.one(of);
        mutant(request, other, &mut draw)
    });
    mutants.collect()
}

/// A request as it is sent, its origin in a header, where people who read of a difference find it.
fn raw(request: &Request, class: &str, kernel: &str) -> Vec<u8> {
    let Request { method, target, headers, body } = request;
    let mut raw = format!("{method} {target} HTTP/1.1\r\nX-Origin: {class} {kernel}\r\n");
    for (name, value) in headers {
        raw.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        raw.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    (raw + "\r\n" + body).into_bytes()
}
