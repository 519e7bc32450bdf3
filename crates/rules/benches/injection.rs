//! What the detectors of injection cost beside the original, and whether twice the bytes take twice
//! the time.
//!
//! The original is libinjection as libmodsecurity brings it along; its columns stay empty when it
//! or a C compiler is missing. The worst cases are 128 KB of what a reader could be made to look at
//! again and again; the last columns are what 256 KB of the same take, divided by that: about 2
//! where time is linear.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rules::injection::{sqli, xss};

const LARGE: usize = 128 << 10;

/// What worst cases are made of, repeated: words that fold into nothing, literals that never end,
/// names that are cut, tags and comments that almost end.
const PIECES: [&str; 40] = [
    "1+",
    "or.",
    "like.",
    "or ",
    "a.",
    "a.b`",
    "(",
    "-",
    "'",
    "\\'",
    "''",
    "\\",
    "\"",
    "`",
    "$a",
    "$a$",
    "$$",
    "x'0",
    "b'1",
    "q'(",
    "/*",
    "/**/",
    "--\n",
    "#\n",
    "@",
    "[",
    "{a ",
    "1.e",
    ";",
    "::int ",
    "<",
    "<a ",
    "</a ",
    "<!--",
    "<!---",
    "<%",
    "a=",
    "a='",
    "on=",
    "href=&#0;",
];

fn main() {
    // Cargo asks every bench for its tests, too; there are none here.
    if std::env::args().any(|word| word == "--list") {
        return;
    }
    let values = values();
    let original = original(values.iter().map(|(_, value)| value.as_slice()));
    println!("value          bytes   sqli ns  original       xss ns  original");
    for (place, (name, value)) in values.iter().enumerate() {
        let of_sqli = nanoseconds(|| sqli(black_box(value)).is_some());
        let of_xss = nanoseconds(|| xss(black_box(value)));
        let (their_sqli, their_xss) =
            original.get(place).map_or(("-", "-"), |(one, two)| (one.as_str(), two.as_str()));
        println!(
            "{name:12} {:7} {of_sqli:9.1} {their_sqli:>9}    {of_xss:9.1} {their_xss:>9}",
            value.len()
        );
    }
    worst("sqli", |value| sqli(value).is_some());
    worst("xss", xss);
}

/// Prints the slowest three values that repeat one piece, or two in turn.
fn worst(name: &str, detect: impl Fn(&[u8]) -> bool) {
    let mut repeated: Vec<String> = PIECES.iter().map(|piece| (*piece).to_owned()).collect();
    for one in PIECES {
        repeated.extend(PIECES.iter().map(|other| format!("{one}{other}")));
    }
    let once = |piece: &str, length| {
        let value: Vec<u8> = piece.bytes().cycle().take(length).collect();
        let begun = Instant::now();
        black_box(detect(black_box(&value)));
        begun.elapsed()
    };
    let least = |piece: &str, length| (0..9).map(|_| once(piece, length)).min().unwrap_or_default();
    let mut times: Vec<(Duration, String)> =
        repeated.into_iter().map(|piece| (once(&piece, LARGE), piece)).collect();
    times.sort_unstable();
    println!("\n{name}, of {} worst cases      128 KB ms   doubled", times.len());
    for (_, piece) in times.iter().rev().take(3) {
        let (single, double) = (least(piece, LARGE), least(piece, 2 * LARGE));
        println!(
            "{:30} {:11.2} {:9.2}",
            piece.escape_default().to_string(),
            single.as_secs_f64() * 1e3,
            double.as_secs_f64() / single.as_secs_f64()
        );
    }
}

/// Honest values of all lengths, and one attack of each kind.
fn values() -> Vec<(&'static str, Vec<u8>)> {
    let base64: String = (0..400_usize)
        .map(|at| char::from(b"QWxhZGRpbjpvcGVuIHNlc2FtZSBvcg0K"[(at * 7 + at / 31) % 32]))
        .collect();
    let json: String = (0..13)
        .map(|at| {
            format!(
                "{{\"id\": {at}, \"name\": \"Item {at}\", \"note\": \"It's as good as new\"}},\n"
            )
        })
        .collect();
    let texts = [
        ("42", "42".to_owned()),
        ("name", "Johann Sebastian Miller".to_owned()),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000".to_owned()),
        ("e-mail", "jane.doe+news@example.com".to_owned()),
        ("url", "https://shop.example/search?q=shoes&size=42".to_owned()),
        ("sentence", "Please leave the parcel at the door of number 12, thanks".to_owned()),
        ("JWT", format!("eyJhbGciOiJIUzI1NiJ9.{}.{}", &base64[..72], &base64[100..143])),
        ("base64", base64),
        ("JSON", format!("[{json}]")),
        ("SQL attack", "1' and 1=2 union select 1,user(),3 from users -- x".to_owned()),
        ("XSS attack", "\"><img src=x onerror=alert(document.cookie)>".to_owned()),
    ];
    texts.into_iter().map(|(name, text)| (name, text.into_bytes())).collect()
}

/// The least of many short rounds, some of which nothing else interrupts.
fn nanoseconds(call: impl Fn() -> bool) -> f64 {
    let round = || {
        let begun = Instant::now();
        let mut calls = 0_u32;
        while begun.elapsed() < Duration::from_micros(300) {
            // Enough calls that reading the clock costs nothing beside them.
            for _ in 0..100 {
                black_box(call());
                calls += 1;
            }
        }
        begun.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    };
    (0..60).map(|_| round()).fold(f64::MAX, f64::min)
}

/// What libinjection takes for each of the values, if it can be asked.
fn original<'v>(values: impl Iterator<Item = &'v [u8]>) -> Vec<(String, String)> {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("timed");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/injection_libmodsecurity/original.c");
    let built = Command::new("cc")
        .args(["-std=gnu11", "-O2", "-o"])
        .arg(&program)
        .args([source, "-lmodsecurity"])
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return Vec::new();
    }
    let child =
        Command::new(program).arg("time").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else { return Vec::new() };
    let lines: String = values
        .map(|value| value.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n")
        .collect();
    if let Some(mut input) = child.stdin.take() {
        // What it could not read is missing in the answer.
        let _ = input.write_all(lines.as_bytes());
    }
    let Ok(output) = child.wait_with_output() else { return Vec::new() };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(one, two)| (one.to_owned(), two.to_owned()))
        .collect()
}
