//! What reads bytes of strangers, each as a function of bytes that must not fail: what a fuzzer
//! calls, and what plain tests call on seeds.
//!
//! Beyond not failing, what must hold for every input is asserted here.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use bytes::Bytes;
use rules::body::{Arguments, Limits, cookies, json, multipart, urlencoded, xml};
use rules::builtin::FILES;
use rules::engine::{Context, Engine, Transaction};
use rules::head::Head;
use rules::injection;
use rules::pattern::Pattern;
use rules::rule::Phase;
use rules::rule_set::RuleSet;
use rules::seclang::Texts;
use rules::transformation::Transformation;

/// A name, and what is called with an input.
type Target = (&'static str, fn(&[u8]));

/// Every target.
pub(crate) const TARGETS: [Target; 11] = [
    ("cookies", cookies_target),
    ("engine", engine_target),
    ("json", json_target),
    ("multipart", multipart_target),
    ("pattern", pattern_target),
    ("seclang", seclang_target),
    ("sqli", sqli_target),
    ("transformation", transformation_target),
    ("urlencoded", urlencoded_target),
    ("xml", xml_target),
    ("xss", xss_target),
];

fn touch(arguments: &Arguments<'_>) -> usize {
    arguments.iter().map(|argument| argument.name.len() + argument.value.len()).sum()
}

fn cookies_target(bytes: &[u8]) {
    let cookies = cookies::parse(bytes, &Limits::default());
    assert!(touch(&cookies) <= bytes.len());
}

fn urlencoded_target(bytes: &[u8]) {
    let form = urlencoded::parse(bytes, urlencoded::SEPARATOR, &Limits::default());
    assert!(touch(&form.arguments) <= bytes.len());
}

/// What a strict reader accepts has no fault to us, and nothing of it is left unread.
fn json_target(bytes: &[u8]) {
    for names in [json::ArrayNames::Coraza, json::ArrayNames::ModSecurity] {
        let json = json::parse(bytes, names, &Limits::default());
        touch(&json.arguments);
        assert!(bytes.ends_with(json.unread));
        if serde_json::from_slice::<serde_json::Value>(bytes).is_ok() {
            assert!(json.fault.is_none(), "{:?}", json.fault);
        }
    }
}

fn xml_target(bytes: &[u8]) {
    let xml = xml::parse(bytes, &Limits::default());
    let texts: usize = xml.texts().map(<[u8]>::len).sum();
    assert!(texts <= xml.whole_text().len());
    assert!(bytes.ends_with(xml.unread));
}

/// The first line is the Content-Type; without one, the usual.
fn multipart_target(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (head, body) = bytes.split_at(end);
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    let head =
        if head.is_empty() { b"multipart/form-data; boundary=7d4a".as_slice() } else { head };
    let parts = multipart::parse(body, head, &Limits::default());
    let fields: usize = parts.fields().map(|it| it.value.len()).sum();
    assert!(fields <= body.len());
    assert!(parts.files_combined_bytes() <= body.len());
    let _ = (parts.part_headers().count(), parts.strict_error());
    assert!(body.ends_with(parts.unread));
}

fn sqli_target(bytes: &[u8]) {
    if let Some(fingerprint) = injection::sqli(bytes) {
        assert!((1..=8).contains(&fingerprint.as_bytes().len()));
    }
}

fn xss_target(bytes: &[u8]) {
    let is_script = injection::xss(bytes);
    // What the sieve relies on.
    assert!(!is_script || bytes.iter().any(|byte| matches!(byte, b'<' | b'=')));
}

/// Each transformation, and a chain that the first bytes choose.
fn transformation_target(bytes: &[u8]) {
    let all: Vec<Transformation> = Transformation::all().collect();
    let (chain, value) = bytes.split_at(bytes.len().min(3));
    let present = |value: &[u8]| {
        value.iter().fold([false; 256], |mut present, byte| {
            present[usize::from(*byte)] = true;
            present
        })
    };
    let here = present(value);
    for transformation in &all {
        let after = transformation.apply(value);
        assert!(after.len() <= transformation.output_max(value.len()), "{transformation:?}");
        let triggers = transformation.triggers();
        let is_triggered =
            (0..=255_u8).any(|byte| here[usize::from(byte)] && triggers.contains(byte));
        assert!(is_triggered || value.is_empty() || after == value, "{transformation:?}");
    }
    let mut value = value.to_vec();
    for byte in chain {
        let Some(transformation) = all.get(usize::from(*byte) % all.len()) else { continue };
        value = transformation.apply(&value).into_owned();
    }
}

/// A pattern, a NUL, and a value.
fn pattern_target(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (pattern, value) = bytes.split_at(end);
    let Ok(pattern) = Pattern::parse(pattern) else { return };
    let mut groups = vec![None; 10];
    let is_match = pattern.captures(value, &mut groups);
    assert_eq!(is_match, groups[0].is_some());
    assert_eq!(is_match, pattern.is_match(value));
}

/// A file of rules, and a request under them.
fn seclang_target(bytes: &[u8]) {
    let files: Texts =
        [("a.conf", bytes), ("b.data", b"x\ny z\n".as_slice())].into_iter().collect();
    if let Ok(set) = RuleSet::load(&["a.conf"], &files) {
        let request = b"GET /a?b=c HTTP/1.1\r\nHost: a.example\r\nCookie: d=e\r\n\r\n";
        exchange(&Engine::new(set), request, 1_000_000);
    }
}

/// A request under the built-in rules, sieved and plain.
fn engine_target(bytes: &[u8]) {
    static ENGINES: LazyLock<(Engine, Engine)> = LazyLock::new(|| {
        let base = "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\n";
        let names = FILES.iter().map(|(name, _)| *name);
        let paths: Vec<&str> = std::iter::once("base").chain(names).collect();
        let texts: Texts = std::iter::once(("base", base)).chain(FILES.iter().copied()).collect();
        let set = RuleSet::load(&paths, &texts).expect("the built-in rules");
        (Engine::new(set.clone()), Engine::plain(set))
    });
    let (sieved, plain) = &*ENGINES;
    let ids = |engine: &Engine| -> Vec<(u64, usize)> {
        let transaction = exchange(engine, bytes, u64::MAX);
        transaction.hits().map(|hit| (hit.rule.id, hit.matched())).collect()
    };
    assert_eq!(ids(sieved), ids(plain));
}

fn exchange(engine: &Engine, raw: &[u8], work_max: u64) -> Transaction {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut transaction = engine.begin(&Context {
        now_us: 1_790_000_000_000_000,
        remote: (loopback, 40_000),
        server: (loopback, 443),
        unique_id: "exchange-1",
        work_max,
    });
    let head = Head::split(raw);
    transaction.request_line(head.line, head.method, head.uri, head.protocol);
    for (name, value) in head.headers() {
        transaction.request_header(name, value);
    }
    transaction.run(Phase::RequestHeaders);
    transaction.request_body(Bytes::copy_from_slice(head.rest), false);
    transaction.run(Phase::RequestBody);
    transaction.response(200, b"HTTP/1.1", [(&b"Content-Type"[..], &b"text/html"[..])]);
    transaction.run(Phase::ResponseHeaders);
    transaction.response_body(Bytes::from_static(b"<html>"), false);
    transaction.run(Phase::ResponseBody);
    transaction.finish();
    transaction
}
