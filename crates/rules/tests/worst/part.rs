//! Parsers, transformations and detectors alone, each with the inputs that could make it slow.

use std::borrow::Cow;
use std::hint::black_box;

use rules::body::{Limits, cookies, json, multipart, urlencoded, xml};
use rules::injection;
use rules::transformation::Transformation;

use super::pair::thread_cpu_us;

/// Reads an input.
pub(crate) type Run = Box<dyn Fn(&[u8])>;
/// Makes an input of so many bytes.
pub(crate) type Input = Box<dyn Fn(usize) -> Vec<u8>>;

/// What transformations undo, begin to undo, or pass over.
const ENCODED: [&str; 26] = [
    "%", "%4", "%41", "%u00", "%u0041", "+", "\\", "\\x4", "\\u004", "\\101", "\\00004", "&", "&#",
    "&#x41", "&amp", "&lt;", "/*", "*/", "/./", "/a/../", "..", "--", "0x41", "QUJD", "\u{e9}",
    "\0 ",
];
/// What detectors read as code.
const CODE: [&str; 40] = [
    "'",
    "\"",
    "`",
    "(",
    ")",
    "((",
    "/*",
    "/*!",
    "*/",
    "--",
    "--\n",
    "#\n",
    "a ",
    "a.",
    "1 ",
    "1,",
    "1e",
    "0x1",
    "'a'",
    "x'",
    "q'(",
    "$a$",
    "$$",
    "@@",
    "@`",
    "{",
    "}",
    "-",
    "+-",
    "!",
    "or ",
    "select ",
    "<",
    "<a ",
    "<a b=",
    "<!--",
    "<![CDATA[",
    "a='",
    "&#x6a;",
    "&#",
];
/// Parts of bodies.
const JSON: [&str; 16] = [
    "[",
    "{\"a\":",
    "\"",
    "\"a\",",
    "1,",
    "{\"a\":1},",
    "\\u0041",
    "\"\\ud800",
    "[[],",
    "{},",
    "tru",
    "-",
    "1e",
    " ",
    "\"a\":1,",
    "\\\"",
];
const XML: [&str; 14] = [
    "<a>",
    "<a/>",
    "</a>",
    "<a b='c'>",
    "<a b='",
    "&lt;",
    "&#x41;",
    "&",
    "<!--",
    "<![CDATA[x]]>",
    "<?a ?>",
    "<!DOCTYPE a [<!ENTITY b 'c'>",
    "text ",
    "<",
];
const MULTIPART: [&str; 12] = [
    "--b\r\n",
    "--b",
    "--",
    "\r\n",
    "\r",
    "\n",
    "x",
    "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n",
    "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n",
    "X: y\r\n z\r\n",
    "; name=\"a\"",
    "\\\"",
];
const PAIRS: [&str; 12] =
    ["&", "=", "a&", "a=1&", "a=%41&", "%", "a=b;", ";", "a=", "=;", " ", "\"a\";"];

/// Each with each of its inputs.
pub(crate) fn parts() -> Vec<(String, Input, Run)> {
    let mut parts = Vec::new();
    for transformation in Transformation::all() {
        let name = transformation.name();
        add(&mut parts, name, b"", &ENCODED, move || {
            Box::new(move |value| drop(black_box(transformation.apply(value))))
        });
    }
    add(&mut parts, "detectSQLi", b"1 ", &CODE, || {
        Box::new(|value| _ = black_box(injection::sqli(value)))
    });
    add(&mut parts, "detectXSS", b"<a ", &CODE, || {
        Box::new(|value| _ = black_box(injection::xss(value)))
    });
    let limits = Limits::default;
    add(&mut parts, "JSON", b"[", &JSON, move || {
        Box::new(move |body| {
            drop(black_box(json::parse(body, json::ArrayNames::default(), &limits())));
        })
    });
    add(&mut parts, "XML", b"<r>", &XML, move || {
        Box::new(move |body| {
            let xml = xml::parse(body, &limits());
            black_box::<Cow<'_, [u8]>>(xml.whole_text());
        })
    });
    let head = b"--b\r\nContent-Disposition: form-data; name=\"a\"";
    for start in [&b"--b\r\n"[..], head] {
        add(&mut parts, "multipart", start, &MULTIPART, move || {
            Box::new(move |body| {
                let kind = b"multipart/form-data; boundary=b";
                drop(black_box(multipart::parse(body, kind, &limits())));
            })
        });
    }
    add(&mut parts, "form", b"", &PAIRS, move || {
        Box::new(move |body| drop(black_box(urlencoded::parse(body, b'&', &limits()))))
    });
    add(&mut parts, "cookies", b"", &PAIRS, move || {
        Box::new(move |header| drop(black_box(cookies::parse(header, &limits()))))
    });
    parts
}

fn add(
    parts: &mut Vec<(String, Input, Run)>,
    name: &str,
    start: &'static [u8],
    pieces: &'static [&'static str],
    run: impl Fn() -> Run,
) {
    for piece in pieces {
        let input = move |bytes: usize| -> Vec<u8> {
            let pieces = piece.bytes().cycle().take(bytes.saturating_sub(start.len()));
            start.iter().copied().chain(pieces).collect()
        };
        parts.push((format!("{name} {piece:?}"), Box::new(input), run()));
    }
    // Every piece after the other, so that states meet.
    let input = move |bytes: usize| -> Vec<u8> {
        let all: Vec<u8> = pieces.concat().into_bytes();
        start.iter().copied().chain(all.iter().copied().cycle()).take(bytes).collect()
    };
    parts.push((format!("{name}, all in turn"), Box::new(input), run()));
}

/// The least of three runs.
pub(crate) fn spent_us(run: &Run, input: &[u8]) -> f64 {
    let spent = |_| {
        let began = thread_cpu_us();
        run(input);
        thread_cpu_us() - began
    };
    (0..3).map(spent).fold(f64::INFINITY, f64::min)
}
