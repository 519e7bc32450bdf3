//! What each transformation costs: the value it leaves alone, the value it was made for, and
//! whether twice the bytes take twice the time.
//!
//! The first column is a form field of 43 bytes that most transformations leave alone. The worst
//! case is the slowest of several 64 KB values made of what the transformation acts on; the last
//! column is what 128 KB of the same take, divided by that: about 2 where time is linear.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rules::transformation::Transformation;

const PLAIN: &[u8] = b"https://shop.example/search?q=shoes&size=42";
const LARGE: usize = 64 << 10;
/// What worst cases are made of, repeated: escapes, valid, cut and nested, and their marks alone.
const PIECES: [&[u8]; 24] = [
    b"%u003c",
    b"%3c",
    b"%",
    b"+",
    b"\\u003c",
    b"\\x3c",
    b"\\3c ",
    b"\\",
    b"&lt;",
    b"&#0000060;",
    b"&",
    b"&#",
    b"\xc3\xa9",
    b"\xe2\x80\x83",
    b"\xff",
    b"/*",
    b"/**/",
    b"<!-",
    b"*/-->",
    b"../a/",
    b"a/b/../../",
    b" \t",
    b"0x41",
    b"A\0",
];

fn main() {
    // Cargo asks every bench for its tests, too; there are none here.
    if std::env::args().any(|word| word == "--list") {
        return;
    }
    println!("transformation        plain ns   64 KB us   of              doubled");
    for transformation in Transformation::all() {
        let plain = time(transformation, PLAIN);
        let worst = PIECES
            .iter()
            .map(|piece| (time(transformation, &filled(piece, LARGE)), *piece))
            .max_by_key(|(time, _)| *time);
        let Some((worst, piece)) = worst else { continue };
        let doubled = time(transformation, &filled(piece, 2 * LARGE));
        println!(
            "{:20} {:9.1} {:10.1}   {:15} {:7.2}",
            transformation.name(),
            plain.as_secs_f64() * 1e9,
            worst.as_secs_f64() * 1e6,
            piece.escape_ascii().to_string(),
            doubled.as_secs_f64() / worst.as_secs_f64()
        );
    }
}

/// `len` bytes of `piece`, one after another.
fn filled(piece: &[u8], len: usize) -> Vec<u8> {
    piece.iter().copied().cycle().take(len).collect()
}

/// The time of one call: the least of seven rounds, each of at least two milliseconds.
fn time(transformation: Transformation, value: &[u8]) -> Duration {
    let round = || {
        let begun = Instant::now();
        let mut calls = 0_u32;
        while begun.elapsed() < Duration::from_millis(2) {
            // Enough calls that reading the clock costs nothing beside them.
            for _ in 0..if value.len() < 1_000 { 1_000 } else { 1 } {
                black_box(transformation.apply(black_box(value)));
                calls += 1;
            }
        }
        begun.elapsed() / calls.max(1)
    };
    (0..7).map(|_| round()).min().unwrap_or_default()
}
