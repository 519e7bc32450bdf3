//! What reads the bytes of a connection, for libFuzzer: `TARGET` names one of the functions below,
//! `SEEDS` a folder into which its seeds are written first.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use gateway::decode::{Codings, decode};
use gateway::framing::{BodyFraming, BodyScanner, HeadLimits, HeadScanner, HeadStep};
use gateway::proxy_protocol::parse;
use libfuzzer_sys::fuzz_target;

type Target = (&'static str, fn(&[u8]), &'static [&'static [u8]]);

/// Each with its seeds.
const TARGETS: [Target; 5] = [
    (
        "head",
        head_target,
        &[
            b"GET /a?b=c HTTP/1.1\r\nHost: a.example\r\nCookie: d=e\r\n\r\n",
            b"POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc",
            b"\r\nPOST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            b"OPTIONS * HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
        ],
    ),
    (
        "chunks",
        chunks_target,
        &[b"3\r\nabc\r\n0\r\n\r\n", b"a;b=\"c\"\r\n0123456789\r\n0\r\nX: y\r\n\r\n"],
    ),
    (
        "proxy",
        proxy_target,
        &[
            b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\nGET /",
            b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n",
            b"PROXY UNKNOWN\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14\xc0\0\x02\x07\x0a\0\0\x01\xdc\x04\x01\xbb\x20\0\x05\x01\0\0\0\0",
            b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0",
        ],
    ),
    ("hello", hello_target, &[include_bytes!("hello.bin")]),
    (
        "coding",
        coding_target,
        &[
            b"g\x1f\x8b\x08\0\0\0\0\0\0\x03KLJ\x06\0\xc2A$5\x03\0\0\0",
            b"dx\x9cKLJ\x06\0\x02M\x01'",
            b"b\x0b\x01\x80abc\x03",
            b"z\x28\xb5\x2f\xfd\x04\x00\x19\x00\x00abc\x1d\xcd\xf6\x24",
        ],
    ),
];

/// A header is found by its beginning alone, at the first byte at which it is whole; what is none
/// stays none, and what follows changes nothing.
fn proxy_target(bytes: &[u8]) {
    let whole = parse(bytes);
    let first = (0..=bytes.len().min(2400)).map(|end| parse(&bytes[..end]));
    match first.into_iter().find(|step| *step != Ok(None)) {
        Some(step) => assert_eq!(step, whole),
        None => assert!(bytes.len() > 2400 || whole == Ok(None)),
    }
    if let Ok(Some((source, length))) = whole {
        assert_eq!(parse(&bytes[..length]), Ok(Some((source, length))));
        assert_eq!(parse(&bytes[..length - 1]), Ok(None));
    }
}

/// However a head is cut up, what is said of it is the same.
fn head_target(bytes: &[u8]) {
    let limits = HeadLimits::default();
    let whole = HeadScanner::default().step(bytes, &limits);
    let mut scanner = HeadScanner::default();
    let mut end = 0;
    let piecewise = loop {
        end = (end + 1 + bytes.len() / 7).min(bytes.len());
        match scanner.step(&bytes[..end], &limits) {
            HeadStep::More if end < bytes.len() => {}
            step => break step,
        }
    };
    match (whole, piecewise) {
        (HeadStep::More, HeadStep::More) => {}
        (HeadStep::Refused(_), HeadStep::Refused(_)) => {}
        (HeadStep::Complete { head, length }, HeadStep::Complete { head: other, length: same }) => {
            assert_eq!((length, head.target(), head.body), (same, other.target(), other.body));
            assert!(head.headers().eq(other.headers()));
            assert!(length <= bytes.len() && !head.origin_target().is_empty());
        }
        (whole, piecewise) => panic!("{whole:?} and {piecewise:?}"),
    }
}

/// However a chunked body is cut up, it ends at the same byte.
fn chunks_target(bytes: &[u8]) {
    let whole = BodyScanner::new(BodyFraming::Chunked).pass(bytes);
    let mut scanner = BodyScanner::new(BodyFraming::Chunked);
    let mut passed = Ok(0);
    for piece in bytes.chunks(1 + bytes.len() / 5) {
        let Ok(before) = passed else { break };
        passed = scanner.pass(piece).map(|length| before + length);
        if scanner.is_done() {
            break;
        }
    }
    assert_eq!(whole, passed);
    assert!(whole.is_err() || whole == Ok(bytes.len()) || scanner.is_done());
}

fn hello_target(bytes: &[u8]) {
    if let Some(print) = caller::ja4::fingerprint(bytes) {
        assert_eq!(print.len(), 36, "{print}");
    }
}

/// The first byte names the coding; no more comes out than is wanted.
fn coding_target(bytes: &[u8]) {
    const BYTES_MAX: usize = 1 << 20;
    let Some((first, body)) = bytes.split_first() else { return };
    let coding = match first {
        b'g' => "gzip",
        b'd' => "deflate",
        b'b' => "br",
        _ => "zstd",
    };
    let mut headers = http::HeaderMap::new();
    headers.insert(http::header::CONTENT_ENCODING, coding.parse().expect("a header value"));
    for codings in [Codings::All, Codings::Bounded] {
        if let Some(decoded) = decode(&headers, body, BYTES_MAX, codings) {
            assert!(decoded.bytes.len() <= BYTES_MAX);
        }
    }
}

/// The target, after its seeds were written.
static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let wanted = std::env::var("TARGET").expect("TARGET names a target");
    let known = TARGETS.iter().find(|(name, ..)| *name == wanted);
    let (_, run, seeds) = known.unwrap_or_else(|| panic!("there is no target {wanted}"));
    if let Ok(folder) = std::env::var("SEEDS") {
        for (number, seed) in seeds.iter().enumerate() {
            let path = Path::new(&folder).join(format!("seed-{number}"));
            std::fs::write(path, seed).expect("a folder for seeds");
        }
    }
    *run
});

fuzz_target!(init: { LazyLock::force(&TARGET); }, |bytes: &[u8]| TARGET(bytes));
