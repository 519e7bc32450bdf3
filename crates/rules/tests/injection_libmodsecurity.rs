//! Our detectors of injection beside the original, libinjection, on the same values.
//!
//! Run with `cargo test -p rules --test injection_libmodsecurity`; it needs a C compiler (`cc`),
//! and libmodsecurity (Debian: `libmodsecurity-dev`, 3.0.9 when this was written, with libinjection
//! 3.9.2), so plain `cargo test` leaves it out. `PALISADE_LIBINJECTION` may name a checkout of
//! libinjection: its test data is compared, too. So are the values in `PALISADE_DATA`, by default
//! `../shared/data`.
//!
//! Ours is libinjection 4.0, which differs from 3.9.2 in two places: a number whose exponent has no
//! digits is nothing there and was a name; attributes that begin with `on` are events there if they
//! begin as one does, and were all events. Only values in which the first occurs may have another
//! fingerprint, and few of them; where a script is found by 3.9.2 alone, it must be by such an
//! attribute.

#[path = "oracle/process.rs"]
mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use process::{asked, built, hex};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use regex::bytes::Regex;
use rules::injection::{Fingerprint, sqli, xss};

/// The fingerprint, `-` for none, and whether there is a script.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Verdict {
    fingerprint: String,
    is_script: bool,
}

/// Asks libinjection about each of the values.
fn theirs(values: &[Vec<u8>]) -> Vec<Verdict> {
    let lines: String = values.iter().map(|value| hex(value) + "\n").collect();
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/injection_libmodsecurity/original.c");
    let program = PROGRAM.get_or_init(|| built(source, env!("CARGO_TARGET_TMPDIR")));
    let text = asked(program, &[], lines);
    let verdicts: Vec<Verdict> = text
        .lines()
        .map(|line| {
            let (fingerprint, verdict) = line.split_once(' ').expect("two words");
            Verdict { fingerprint: fingerprint.to_owned(), is_script: verdict == "1" }
        })
        .collect();
    assert_eq!(verdicts.len(), values.len());
    verdicts
}

fn ours(value: &[u8]) -> Verdict {
    let fingerprint = sqli(value);
    let letters = fingerprint.as_ref().map_or(&b"-"[..], Fingerprint::as_bytes);
    Verdict { fingerprint: String::from_utf8_lossy(letters).into_owned(), is_script: xss(value) }
}

/// Compares all of them, and prints how many.
fn compare(what: &str, values: &[Vec<u8>]) {
    let exponent = Regex::new(r"(?-u)[0-9.][eE](?:[+-]?(?:[^0-9+-]|$)|[+-][+-])").expect("valid");
    let event = Regex::new(r"(?-u)[oO][nN]").expect("valid");
    let (mut attacks, mut by_exponent, mut wrong, mut by_event) = (0, 0, Vec::new(), Vec::new());
    for (value, theirs) in values.iter().zip(theirs(values)) {
        let ours = ours(value);
        attacks += usize::from(ours.fingerprint != "-" || ours.is_script);
        let shown = || format!("{}\n  ours   {ours:?}\n  theirs {theirs:?}", value.escape_ascii());
        if ours.fingerprint != theirs.fingerprint {
            if exponent.is_match(value) {
                by_exponent += 1;
            } else {
                wrong.push(shown());
            }
        }
        if ours.is_script != theirs.is_script {
            if theirs.is_script && event.is_match(value) {
                by_event.push(value.clone());
            } else {
                wrong.push(shown());
            }
        }
    }
    // Without its attributes that begin with `on`, such a value is none to 3.9.2, either.
    let renamed: Vec<Vec<u8>> =
        by_event.iter().map(|value| event.replace_all(value, &b"ox"[..]).into_owned()).collect();
    for (value, verdict) in by_event.iter().zip(theirs(&renamed)) {
        if verdict.is_script {
            wrong.push(format!("{}: a script, and not by an event", value.escape_ascii()));
        }
    }
    println!(
        "{what}: {} values, {attacks} attacks, {} differ; {by_exponent} by exponents, {} \
         events of 3.9.2 alone",
        values.len(),
        wrong.len(),
        by_event.len()
    );
    assert!(
        wrong.is_empty(),
        "{} differ\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    assert!(by_exponent * 100 <= values.len());
}

/// Each line of each file in the folder as it is and with its percent signs resolved, and each
/// whole file.
fn lines_of(folder: &Path) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder of test data") {
        let text = fs::read(entry.expect("an entry").path()).expect("a readable file");
        for line in text.split(|byte| *byte == b'\n') {
            values.push(line.to_vec());
            values.push(decoded(line));
        }
        values.push(text);
    }
    values
}

fn decoded(value: &[u8]) -> Vec<u8> {
    use rules::transformation::Transformation;
    let decode = Transformation::named("urlDecodeUni").expect("it exists");
    decode.apply(value).into_owned()
}

#[test]
fn the_originals_own_test_data_is_judged_alike() {
    let Some(folder) = std::env::var_os("PALISADE_LIBINJECTION") else {
        println!("PALISADE_LIBINJECTION names no checkout: left out");
        return;
    };
    for part in ["data", "tests"] {
        compare(part, &lines_of(&Path::new(&folder).join(part)));
    }
}

#[test]
fn recorded_parameters_are_judged_alike() {
    let data = std::env::var_os("PALISADE_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    for name in ["httpparams_malicious", "httpparams_normal"] {
        let file = data.join("attacks").join(name).with_extension("jsonl.gz");
        let unpacked = Command::new("gzip").arg("-dc").arg(&file).output().expect("gzip");
        assert!(unpacked.status.success(), "{}", file.display());
        let values: Vec<Vec<u8>> = unpacked
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| {
                let exchange: serde_json::Value = serde_json::from_slice(line).expect("JSON");
                let url = exchange["url"].as_str().expect("a text");
                decoded(url.split_once("q=").map_or(url, |(_, value)| value).as_bytes())
            })
            .collect();
        assert!(values.len() > 10_000);
        compare(name, &values);
    }
}

/// Everything that either language has, in order of nothing.
const PIECES: [&str; 150] = [
    "'",
    "\"",
    "`",
    "''",
    "\\'",
    "\\",
    "--",
    "-- ",
    "#",
    "/*",
    "*/",
    "/*!",
    "/**/",
    " ",
    "  ",
    "\n",
    "\t",
    "\0",
    "1",
    "0",
    "1.5",
    ".5",
    ".",
    "1e5",
    "0x41",
    "0x",
    "0b01",
    "0b",
    "b'01'",
    "x'4f'",
    "x'4",
    "n'a'",
    "e'a'",
    "q'(a)'",
    "nq'[a]'",
    "q'",
    "u&'a'",
    "$1",
    "$1,000",
    "$$",
    "$$a$$",
    "$a$",
    "$a$b$a$",
    "$.",
    "@",
    "@@",
    "@a",
    "@`a`",
    "@'a'",
    "[a]",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ",",
    ";",
    "?",
    ":",
    "::",
    ":=",
    "=",
    "==",
    "<",
    "<=>",
    "<>",
    "<=",
    "!=",
    "!",
    "!!",
    "|",
    "||",
    "&",
    "&&",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "~",
    "\\N",
    "a",
    "foo",
    "a.b",
    "`a`",
    "``",
    "select",
    "union",
    "union all",
    "or",
    "and",
    "in",
    "not",
    "like",
    "is null",
    "if(",
    "user(",
    "into outfile",
    "insert",
    "collate",
    "utf8_bin",
    "int",
    "cast(",
    "exec",
    "waitfor",
    "begin",
    "order by",
    "having",
    "case",
    "password",
    "abs.",
    "or.",
    "sp_password",
    "char(",
    "natural",
    "{``.``.id}",
    "1d",
    "1fu",
    "at",
    "time",
    "zone",
    "\u{e9}",
    "\u{a0}",
    "<a ",
    "</a ",
    "/>",
    "<script",
    "<img src=",
    " onerror=",
    " onfoo=",
    "href=",
    "style=",
    "javascript:",
    "&#106;",
    "&#x6a",
    "&#0;",
    "data:",
    "xmlns",
    "attributename=",
    "<!--",
    "-->",
    "--!>",
    "<!doctype",
    "<![CDATA[",
    "]]>",
    "<?import",
    "<%",
    "%>",
];

/// How many of such values are drawn.
const DRAWN: usize = 1_200_000;

#[test]
fn any_value_is_judged_alike() {
    let piece = prop::sample::select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec());
    let byte = any::<u8>().prop_map(|byte| vec![byte]);
    let pieces = prop::collection::vec(prop_oneof![12 => piece, 1 => byte], 0..14);
    let bytes = prop::collection::vec(any::<u8>(), 0..24);
    let value = prop_oneof![8 => pieces.prop_map(|pieces| pieces.concat()), 1 => bytes];
    let mut runner = TestRunner::deterministic();
    for part in 0..12 {
        let values: Vec<Vec<u8>> = (0..DRAWN / 12)
            .map(|_| value.new_tree(&mut runner).expect("no value is refused").current())
            .collect();
        compare(&format!("drawn, part {part}"), &values);
    }
}
