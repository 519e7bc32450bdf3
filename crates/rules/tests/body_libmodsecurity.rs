//! Our body parsers beside libmodsecurity's, on the same bytes.
//!
//! Run with `cargo test -p rules --test body_libmodsecurity`; it needs a C++ compiler (`c++`) and
//! libmodsecurity with its headers (Debian: `libmodsecurity-dev`, 3.0.9 when this was written), so
//! plain `cargo test` leaves it out. Where we differ on purpose, the row says why, and the test
//! fails when the difference goes away.

#[path = "oracle/process.rs"]
mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use process::{asked, built, hex};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use rules::body::json::ArrayNames;
use rules::body::multipart::UnmatchedBoundary;
use rules::body::{Arguments, Limits, cookies, json, multipart, urlencoded};
use serde_json::Value;

/// What a parser gives: each variable as text, sorted, since libmodsecurity keeps no order.
type Variables = Vec<String>;

struct Case<'c> {
    content_type: &'c str,
    body: &'c [u8],
    cookie: &'c str,
}

/// Variables that are there or not; the others are flags and numbers, 0 or nothing when unset.
const COLLECTIONS: [&str; 5] =
    ["ARGS", "FILES", "FILES_NAMES", "MULTIPART_PART_HEADERS", "REQUEST_COOKIES"];

/// Asks libmodsecurity; keeps of its variables those in `wanted`.
fn libmodsecurity(cases: &[Case<'_>], wanted: &[&str]) -> Vec<Variables> {
    let lines: String = cases
        .iter()
        .map(|case| {
            let (kind, cookie) = (hex(case.content_type.as_bytes()), hex(case.cookie.as_bytes()));
            format!("{kind} {} {cookie}\n", hex(case.body))
        })
        .collect();
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/body_libmodsecurity/variables.cc");
    let program = PROGRAM.get_or_init(|| built(source, env!("CARGO_TARGET_TMPDIR")));
    let text = asked(program, &[], lines);
    let answers: Vec<_> =
        text.split_terminator("END\n").map(|answer| variables(answer, wanted)).collect();
    assert_eq!(answers.len(), cases.len());
    answers
}

fn variables(answer: &str, wanted: &[&str]) -> Variables {
    let mut all: Variables = answer
        .lines()
        .filter_map(|line| {
            let [variable, name, value] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let value = unhex(value);
            // Header lines have their line ends, except folded ones.
            let value = match variable {
                "MULTIPART_PART_HEADERS" => value.trim_ascii_end(),
                _ => &value[..],
            };
            let is_unset = !COLLECTIONS.contains(&variable) && matches!(value, b"" | b"0");
            (wanted.contains(&variable) && !is_unset).then(|| shown(variable, &unhex(name), value))
        })
        .collect();
    all.sort();
    all
}

fn shown(variable: &str, name: &[u8], value: &[u8]) -> String {
    format!("{variable}:{}={}", name.escape_ascii(), value.escape_ascii())
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    digits
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("hexadecimal")
        })
        .collect()
}

fn named(variable: &str, arguments: &Arguments<'_>) -> Variables {
    arguments.iter().map(|argument| shown(variable, argument.name, argument.value)).collect()
}

fn sorted(mut variables: Variables) -> Variables {
    variables.sort();
    variables
}

/// Compares each row; `reason` tells why we differ, and is empty where we do not.
fn compare(names: &[String], theirs: &[Variables], ours: &[Variables], reasons: &[&str]) {
    let mut wrong = Vec::new();
    for (((name, theirs), ours), reason) in names.iter().zip(theirs).zip(ours).zip(reasons) {
        if (theirs == ours) != reason.is_empty() {
            wrong.push(format!("{name:?}\n  ours   {ours:?}\n  theirs {theirs:?}\n  {reason}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn error(is_error: bool) -> Option<String> {
    is_error.then(|| shown("REQBODY_ERROR", b"", b"1"))
}

fn our_json(body: &[u8]) -> Variables {
    let json = json::parse(body, ArrayNames::ModSecurity, &Limits::default());
    let mut all = named("ARGS", &json.arguments);
    all.extend(error(json.fault.is_some()));
    sorted(all)
}

#[test]
fn json_is_read_as_libmodsecurity_reads_it() {
    const EMPTY: &str = "keys of empty objects and arrays are arguments to us";
    const BROKEN: &str = "what broke off is kept by us";
    const LENIENT: &str = "we read on behind what some servers accept";
    let rows: &[(&str, &str)] = &[
        (r#"{"a":1,"b":{"c":[true,"x"]},"a":-2.50e+7}"#, ""),
        (r#"[1,[2,{"d":3}]]"#, ""),
        (r#"{"a":[[1,2],[3]],"k.l":4}"#, ""),
        (r#""x""#, ""),
        ("123456789012345678901234567890", ""),
        (r#"{"a":null}"#, ""),
        (r#"{"a":"\u00e9\ud83d\ude00\"\/\\\n\u0000z"}"#, ""),
        (r#"{"a":"\ud800x"}"#, "a lone surrogate is `?` to them, U+FFFD to us"),
        (r#"{"\u0061b":1}"#, ""),
        (r#"{"":1}"#, "an empty key is called `empty-key` by them"),
        (r#"{"a":{},"b":[]}"#, EMPTY),
        (r#"{"a":1,"b":"unterm"#, BROKEN),
        (r#"{"a":1,"b"#, BROKEN),
        (r#"{"a":1,"#, ""),
        (r#"{"a":1,}"#, ""),
        (r#"{"a":1}{"b":2}"#, LENIENT),
        (r#"{"a":"x\qy"}"#, LENIENT),
        ("{\"a\":\"x\ny\"}", LENIENT),
        (r#"{"a":01}"#, BROKEN),
        (r#"{"a":'x'}"#, BROKEN),
        ("a=1", BROKEN),
    ];
    let cases: Vec<_> = rows
        .iter()
        .map(|(body, _)| Case {
            content_type: "application/json",
            body: body.as_bytes(),
            cookie: "",
        })
        .collect();
    let theirs = libmodsecurity(&cases, &["ARGS", "REQBODY_ERROR"]);
    let ours: Vec<_> = rows.iter().map(|(body, _)| our_json(body.as_bytes())).collect();
    let names: Vec<_> = rows.iter().map(|(body, _)| (*body).to_owned()).collect();
    let reasons: Vec<_> = rows.iter().map(|(_, reason)| *reason).collect();
    compare(&names, &theirs, &ours, &reasons);
}

/// `count` values drawn in the same way each time.
fn drawn<V: std::fmt::Debug>(strategy: &impl Strategy<Value = V>, count: usize) -> Vec<V> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).expect("it draws").current()).collect()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a\"\\\\/<\n\u{e9}\u{1f600}]{0,8}".prop_map(Value::from),
    ];
    // Neither empty keys nor empty objects and arrays: of those the rows above tell.
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..5).prop_map(Value::from),
            prop::collection::btree_map("[a-c.\"]{1,3}", inner, 1..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn any_json_is_named_as_libmodsecurity_names_it() {
    let bodies: Vec<String> = drawn(&any_json(), 2_000).iter().map(Value::to_string).collect();
    let case = |body| Case { content_type: "application/json", body, cookie: "" };
    let cases: Vec<_> = bodies.iter().map(|body| case(body.as_bytes())).collect();
    let theirs = libmodsecurity(&cases, &["ARGS", "REQBODY_ERROR"]);
    let ours: Vec<_> = bodies.iter().map(|body| our_json(body.as_bytes())).collect();
    compare(&bodies, &theirs, &ours, &vec![""; bodies.len()]);
}

#[test]
fn url_encoded_bodies_are_read_as_libmodsecurity_reads_them() {
    let mut bodies = drawn(&"[a%4=&+Zz\\x00\u{e9};]{0,24}", 2_000);
    bodies.extend(drawn(&"([a-c]{0,2}=?(%[0-9a-f]{2}|%u00e9|\\+|x){0,3}&?){0,6}", 2_000));
    bodies.retain(|body| !body.is_empty());
    let content_type = "application/x-www-form-urlencoded";
    let case = |body| Case { content_type, body, cookie: "" };
    let cases: Vec<_> = bodies.iter().map(|body| case(body.as_bytes())).collect();
    let mut theirs = libmodsecurity(&cases, &["ARGS"]);
    let read = |body: &String| {
        let form = urlencoded::parse(body.as_bytes(), urlencoded::SEPARATOR, &Limits::default());
        sorted(named("ARGS", &form.arguments))
    };
    let mut ours: Vec<_> = bodies.iter().map(read).collect();
    for variables in theirs.iter_mut().chain(&mut ours) {
        // To them the nothing between two separators is an argument, too.
        variables.retain(|variable| variable != "ARGS:=");
    }
    compare(&bodies, &theirs, &ours, &vec![""; bodies.len()]);
}

#[test]
fn cookies_are_read_as_libmodsecurity_reads_them() {
    let rows: &[(&str, &str)] = &[
        ("a=1; b=2;c=3", ""),
        ("a=1; a=2; A=3", ""),
        ("a==%3D+", ""),
        ("=lost; ;;a=", ""),
        ("$Version=1; $Path=\"/\"", ""),
        ("a=\"x;y\"", ""),
        ("a", ""),
        (" a = x y ;b=1", "they trim only behind a semicolon"),
    ];
    let content_type = "text/plain";
    let cases: Vec<_> =
        rows.iter().map(|(cookie, _)| Case { content_type, body: b"x", cookie }).collect();
    let theirs = libmodsecurity(&cases, &["REQUEST_COOKIES"]);
    let read = |header: &str| {
        sorted(named("REQUEST_COOKIES", &cookies::parse(header.as_bytes(), &Limits::default())))
    };
    let ours: Vec<_> = rows.iter().map(|(cookie, _)| read(cookie)).collect();
    let names: Vec<_> = rows.iter().map(|(cookie, _)| (*cookie).to_owned()).collect();
    let reasons: Vec<_> = rows.iter().map(|(_, reason)| *reason).collect();
    compare(&names, &theirs, &ours, &reasons);
}

const MULTIPART_VARIABLES: [&str; 19] = [
    "ARGS",
    "FILES",
    "FILES_NAMES",
    "FILES_COMBINED_SIZE",
    "MULTIPART_PART_HEADERS",
    "REQBODY_ERROR",
    "MULTIPART_STRICT_ERROR",
    "MULTIPART_BOUNDARY_QUOTED",
    "MULTIPART_BOUNDARY_WHITESPACE",
    "MULTIPART_DATA_BEFORE",
    "MULTIPART_DATA_AFTER",
    "MULTIPART_HEADER_FOLDING",
    "MULTIPART_INVALID_HEADER_FOLDING",
    "MULTIPART_LF_LINE",
    "MULTIPART_CRLF_LF_LINES",
    "MULTIPART_MISSING_SEMICOLON",
    "MULTIPART_INVALID_QUOTING",
    "MULTIPART_INVALID_PART",
    "MULTIPART_FILE_LIMIT_EXCEEDED",
];

fn our_multipart(body: &[u8], content_type: &str) -> Variables {
    let multipart = multipart::parse(body, content_type.as_bytes(), &Limits::default());
    let flags = multipart.flags;
    let set = BTreeMap::from([
        ("REQBODY_ERROR", multipart.fault.is_some()),
        ("MULTIPART_STRICT_ERROR", multipart.strict_error()),
        ("MULTIPART_BOUNDARY_QUOTED", flags.boundary_quoted),
        ("MULTIPART_BOUNDARY_WHITESPACE", flags.boundary_whitespace),
        ("MULTIPART_DATA_BEFORE", flags.data_before),
        ("MULTIPART_DATA_AFTER", flags.data_after),
        ("MULTIPART_HEADER_FOLDING", flags.header_folding),
        ("MULTIPART_INVALID_HEADER_FOLDING", flags.invalid_header_folding),
        ("MULTIPART_LF_LINE", flags.lf_line),
        ("MULTIPART_CRLF_LF_LINES", flags.crlf_lf_lines()),
        ("MULTIPART_MISSING_SEMICOLON", flags.missing_semicolon),
        ("MULTIPART_INVALID_QUOTING", flags.invalid_quoting),
        ("MULTIPART_INVALID_PART", flags.invalid_part),
        ("MULTIPART_FILE_LIMIT_EXCEEDED", flags.file_limit_exceeded),
        ("MULTIPART_UNMATCHED_BOUNDARY", flags.unmatched_boundary == UnmatchedBoundary::Open),
    ]);
    let flags = set.into_iter().filter(|(_, is_set)| *is_set);
    let mut all: Variables = flags.map(|(name, _)| shown(name, b"", b"1")).collect();
    all.extend(multipart.fields().map(|field| shown("ARGS", field.name, field.value)));
    for file in multipart.files() {
        all.extend(file.filenames.iter().map(|name| shown("FILES", file.name(), name)));
        all.push(shown("FILES_NAMES", file.name(), file.name()));
    }
    let headers = multipart.part_headers();
    all.extend(
        headers.map(|line| shown("MULTIPART_PART_HEADERS", line.name, line.value.trim_ascii_end())),
    );
    let bytes = multipart.files_combined_bytes();
    if bytes > 0 {
        all.push(shown("FILES_COMBINED_SIZE", b"", bytes.to_string().as_bytes()));
    }
    sorted(all)
}

#[test]
fn multipart_is_read_as_libmodsecurity_reads_it() {
    let rows = multipart_rows();
    let cases: Vec<_> = rows
        .iter()
        .map(|(content_type, body, _)| Case { content_type, body: body.as_bytes(), cookie: "" })
        .collect();
    let wanted: Vec<_> =
        MULTIPART_VARIABLES.into_iter().chain(["MULTIPART_UNMATCHED_BOUNDARY"]).collect();
    let mut theirs = libmodsecurity(&cases, &wanted);
    for variables in &mut theirs {
        // 3.0.9 gives 2 for every body with two true boundaries; only 1 means something.
        variables.retain(|variable| variable != "MULTIPART_UNMATCHED_BOUNDARY:=2");
    }
    let ours: Vec<_> =
        rows.iter().map(|(header, body, _)| our_multipart(body.as_bytes(), header)).collect();
    let names: Vec<_> = rows.iter().map(|(header, body, _)| format!("{header} {body}")).collect();
    let reasons: Vec<_> = rows.iter().map(|(_, _, reason)| *reason).collect();
    compare(&names, &theirs, &ours, &reasons);
}

/// Multipart bodies of any structure: what libmodsecurity flags is flagged, and what neither does
/// is read alike.
#[test]
fn no_multipart_body_passes_that_libmodsecurity_flags() {
    let pieces = [
        "--b\r\n",
        "--b\r\n",
        "--b--\r\n",
        "--b",
        "--",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        " ",
        ":",
        "text",
        "Content-Disposition: form-data; name=\"a\"\r\n\r\n",
        "Content-Disposition: form-data; name=\"a\"; filename=\"x\"\r\n",
        "Content-Disposition: form-data",
        "; name=b",
        "; filename=\"y\"",
        "; name='c'",
    ];
    let any_body = prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12);
    let bodies: Vec<String> = drawn(&any_body, 20_000)
        .iter()
        .map(|pieces| format!("--b\r\n{}\r\n--b--\r\n", pieces.concat()))
        .collect();
    let content_type = "multipart/form-data; boundary=b";
    let case = |body| Case { content_type, body, cookie: "" };
    let cases: Vec<_> = bodies.iter().map(|body| case(body.as_bytes())).collect();
    let theirs = libmodsecurity(&cases, &MULTIPART_VARIABLES);
    let is_flagged = |variables: &Variables| {
        let flags = ["REQBODY_ERROR:=1", "MULTIPART_STRICT_ERROR:=1"];
        variables.iter().any(|variable| flags.contains(&variable.as_str()))
    };
    let mut wrong = Vec::new();
    let mut clean = 0;
    for (body, theirs) in bodies.iter().zip(&theirs) {
        let ours = our_multipart(body.as_bytes(), content_type);
        if is_flagged(&ours) {
            continue;
        }
        clean += 1;
        // 3.0.9 loses line ends within fields and files.
        let comparable =
            !ours.iter().any(|variable| variable.contains("ARGS") && variable.contains("\\n"));
        if is_flagged(theirs) || (comparable && *theirs != ours) {
            wrong.push(format!("{body:?}\n  ours   {ours:?}\n  theirs {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {clean}\n{}", wrong.len(), wrong.join("\n"));
    assert!(clean > 100, "only {clean} bodies were clean");
}

/// Content-Type, body, and why we differ.
fn multipart_rows() -> Vec<(&'static str, String, &'static str)> {
    const KEPT: &str = "we keep what a faulty body holds";
    const STRICT: &str = "a fault is always a strict error to us, and the part is kept";
    const LOST: &str = "3.0.9 loses the line ends of a field";
    const FORM: &str = "multipart/form-data; boundary=b";
    const A: &str = "Content-Disposition: form-data; name=\"a\"";
    const F: &str = "Content-Disposition: form-data; name=\"f\"; filename=\"x.php\"";
    let one = format!("--b\n{A}\n\n1\n--b--\n");
    let part =
        |header: &str| format!("--b\nContent-Disposition: form-data; {header}\n\n1\n--b--\n");
    let mut rows = vec![
        (FORM, one.clone(), ""),
        (FORM, format!("--b\n{A}\n\n1\n--b\n{F}\nContent-Type: text/plain\n\n<?php\n--b--\n"), ""),
        (FORM, format!("--b\n{A}\n\n\n--b\n{A}\n\n2\n3\n--b--"), LOST),
        (FORM, part("name=\"a\"; filename=\"\""), ""),
        (FORM, part("name='a'"), ""),
        (FORM, part("name=\"it's\""), ""),
        (FORM, part("name=a;filename=b.txt"), ""),
        (FORM, part("name=\"a\\\"b\\\\c\\d\""), ""),
        (FORM, format!("x\n{one}"), ""),
        (FORM, format!("{one}evil"), ""),
        (FORM, format!("--b\n{A}\nX: y\n z\n\n1\n--b--\n"), ""),
        (FORM, "--b\nContent-Disposition: form-data;\n\x0bname=a\n\n1\n--b--\n".to_owned(), ""),
        (FORM, format!("--b\n{A}\n\n-----BEGIN\n--b--\n"), ""),
        (FORM, format!("--b\n{A}\n\n1\n--c\n"), STRICT),
        (FORM, format!("--b\n{A}\n\n1\n"), STRICT),
        (FORM, part("name=f; filename=x; filename*=utf-8''y"), "both file names are told"),
        (FORM, part("name=a; filename=x; filename=y"), KEPT),
        (FORM, part("name=a; size=3"), KEPT),
        (FORM, part("name=\"a\"b"), KEPT),
        (FORM, part("filename=x"), KEPT),
        (FORM, format!("--b\n{F}\nX\n\n1\n--b--\n"), STRICT),
        (FORM, format!("--b \n{A}\n\n1\n--b--\n"), KEPT),
        ("multipart/form-data; boundary=\"b\"", one.clone(), ""),
        ("multipart/form-data; boundary =b", one.clone(), ""),
        ("multipart/form-data boundary=b", one.clone(), ""),
        ("multipart/form-data; charset=x; boundary=b", one.clone(), KEPT),
        ("multipart/form-data; boundary=b; boundary=c", one.clone(), KEPT),
        ("multipart/form-data; Boundary=b", one.clone(), KEPT),
        ("multipart/form-data; boundary=c", one.clone(), ""),
    ];
    for (_, body, _) in &mut rows {
        *body = body.replace('\n', "\r\n");
    }
    rows.push((FORM, one.clone(), ""));
    rows.push((FORM, one.replacen('\n', "\r\n", 1), ""));
    rows
}
