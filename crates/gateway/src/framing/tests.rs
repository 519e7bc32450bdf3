//! What the scanner accepts and refuses, as data; every case is also fed byte by byte.

use super::*;

fn scan(input: &[u8], cut: usize) -> Result<(Head, usize), Option<Refusal>> {
    let limits = HeadLimits::default();
    let mut scanner = HeadScanner::default();
    let mut fed = 0;
    loop {
        fed = (fed + cut).min(input.len());
        match scanner.step(&input[..fed], &limits) {
            HeadStep::More if fed == input.len() => return Err(None),
            HeadStep::More => {}
            HeadStep::Complete { head, length } => return Ok((head, length)),
            HeadStep::Refused(refusal) => return Err(Some(refusal)),
        }
    }
}

#[track_caller]
fn refused(input: impl AsRef<[u8]>, expected: Refusal) {
    for cut in [1, 3, usize::MAX >> 1] {
        assert_eq!(scan(input.as_ref(), cut).map(|h| h.1), Err(Some(expected)), "cut {cut}");
    }
}

#[track_caller]
fn accepted(input: impl AsRef<[u8]>) -> Head {
    let whole = scan(input.as_ref(), usize::MAX >> 1).expect("accepted");
    for cut in [1, 2, 7] {
        let parts = scan(input.as_ref(), cut).expect("accepted in parts");
        assert_eq!((&parts.0.raw, parts.1), (&whole.0.raw, whole.1), "cut {cut}");
    }
    whole.0
}

fn with(header: &str) -> String {
    format!("POST /a HTTP/1.1\r\nHost: h\r\n{header}\r\n\r\n")
}

#[test]
fn an_ordinary_head_is_taken_apart() {
    let head =
        accepted("GET /a?b=c HTTP/1.1\r\nHost: h:80\r\nX-A: \t v w \t\r\nEmpty:\r\n\r\nrest");
    assert_eq!(head.method(), b"GET");
    assert_eq!(head.target(), b"/a?b=c");
    let headers: Vec<_> = head.headers().collect();
    assert_eq!(headers, [(&b"Host"[..], &b"h:80"[..]), (b"X-A", b"v w"), (b"Empty", b"")]);
    assert_eq!(head.body, BodyFraming::None);
}

#[test]
fn lengths_and_encodings_that_two_servers_could_read_differently_are_refused() {
    let both = "Content-Length: 3\r\nTransfer-Encoding: chunked";
    refused(with(both), Refusal::LengthAndEncoding);
    refused(with("Transfer-Encoding: chunked\r\nContent-Length: 3"), Refusal::LengthAndEncoding);
    for same in ["3", "4"] {
        let twice = format!("Content-Length: 3\r\nContent-Length: {same}");
        refused(with(&twice), Refusal::RepeatedContentLength);
    }
    for bad in
        ["+3", "-3", "0x3", "3 4", "3,3", "", "3;", "٣", "99999999999999999999", "1e3", "3_0"]
    {
        refused(with(&format!("Content-Length: {bad}")), Refusal::BadContentLength);
    }
    for bad in [
        "chunked, chunked",
        "gzip, chunked",
        "identity",
        "xchunked",
        "chunked;q=1",
        "",
        "\"chunked\"",
    ] {
        refused(with(&format!("Transfer-Encoding: {bad}")), Refusal::BadTransferEncoding);
    }
    refused(
        with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        Refusal::BadTransferEncoding,
    );
    refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Refusal::BadTransferEncoding);
    refused(with("Transfer-Encoding : chunked"), Refusal::BadHeaderName);
    refused(with("Transfer-Encoding: \x0bchunked"), Refusal::BadHeaderValue);
}

#[test]
fn honest_lengths_pass() {
    assert_eq!(accepted(with("Content-Length: 007")).body, BodyFraming::Length(7));
    assert_eq!(accepted(with("content-length:\t5 ")).body, BodyFraming::Length(5));
    assert_eq!(accepted(with("TRANSFER-ENCODING: Chunked")).body, BodyFraming::Chunked);
}

#[test]
fn broken_lines_are_refused() {
    refused("GET / HTTP/1.1\nHost: h\r\n\r\n", Refusal::BareLineBreak);
    refused("GET / HTTP/1.1\r\nHost: h\n\r\n", Refusal::BareLineBreak);
    refused("GET / HTTP/1.1\r\nHost: h\r\n\n", Refusal::BareLineBreak);
    refused("GET / HTTP/1.1\r\nHost: h\r\nA: b\rC: d\r\n\r\n", Refusal::BareLineBreak);
    refused("GET / HTTP/1.1\r\nHost: h\r\nA\rB: d\r\n\r\n", Refusal::BareLineBreak);
    refused("GET / HTTP/1.1\r\nHost: h\r\n\rA: d\r\n\r\n", Refusal::BareLineBreak);
    refused("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", Refusal::FoldedHeader);
    refused("GET / HTTP/1.1\r\n Host: h\r\n\r\n", Refusal::FoldedHeader);
    refused("GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n", Refusal::BadHeaderName);
    refused("GET / HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n", Refusal::BadHeaderName);
    refused("GET / HTTP/1.1\r\nHost: h\r\nnothing\r\n\r\n", Refusal::BadHeaderName);
    refused("GET / HTTP/1.1\r\nHost: h\r\nA\0: b\r\n\r\n", Refusal::BadHeaderName);
    refused("GET / HTTP/1.1\r\nHost: h\r\nA: b\0c\r\n\r\n", Refusal::BadHeaderValue);
    refused("GET / HTTP/1.1\r\nHost: h\r\nA: b\x7f\r\n\r\n", Refusal::BadHeaderValue);
    refused("GET / HTTP/1.1\r\nHost: h\r\nÄ: b\r\n\r\n", Refusal::BadHeaderName);
    refused("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BareLineBreak);
    refused("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadRequestLine);
}

#[test]
fn one_empty_line_before_the_request_line_is_tolerated_and_no_part_of_the_head() {
    let input = "\r\nGET /a HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";
    let head = accepted(input);
    assert_eq!((head.raw.as_ref(), head.target()), (&input.as_bytes()[2..], &b"/a"[..]));
    assert_eq!(head.headers().nth(1), Some((&b"A"[..], &b"b"[..])));
    let absolute = "\r\nGET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(accepted(absolute).origin_target(), "/a");
    refused("\r\nGET http://h/a HTTP/1.1\r\nHost: g\r\n\r\n", Refusal::HostMismatch);
    refused("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadRequestLine);
}

#[test]
fn request_lines_are_strict() {
    refused("GET /\r\nHost: h\r\n\r\n", Refusal::BadVersion);
    refused("GET\r\nHost: h\r\n\r\n", Refusal::BadRequestLine);
    refused("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadTarget);
    refused("GET /  HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadTarget);
    refused("GET / a HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadTarget);
    refused("GET /a\tHTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadVersion);
    refused("GET /a\x01 HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadTarget);
    refused("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadTarget);
    refused("GET a HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadTarget);
    refused("GET * HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadTarget);
    refused("GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadTarget);
    refused("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadMethod);
    refused("G@T / HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadMethod);
    refused(" GET / HTTP/1.1\r\nHost: h\r\n\r\n", Refusal::BadMethod);
    for version in
        ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.10", "HTTP/11", "HTTQ/1.1"]
    {
        refused(format!("GET / {version}\r\nHost: h\r\n\r\n"), Refusal::BadVersion);
    }
}

#[test]
fn unusual_targets_are_legal_and_stay_as_they_are() {
    for target in ["/ä", "/a<b>", "/`", "/{id}?q=\"x\"", "/a|b\\c^d"] {
        let head = accepted(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(head.target(), target.as_bytes());
        assert_eq!(head.origin_target(), target.as_bytes());
    }
}

#[test]
fn hosts_are_authorities_and_single() {
    refused("GET / HTTP/1.1\r\nA: b\r\n\r\n", Refusal::MissingHost);
    refused("GET / HTTP/1.1\r\nHost: h\r\nhost: h\r\n\r\n", Refusal::RepeatedHost);
    for bad in [
        "", "a b", "a/b", "u@h", "h:", "h:8x", "h:123456", "a,b", "[::1", "[]", "[g]", "::1",
        "h:1:2",
    ] {
        if bad == "h:" {
            accepted("GET / HTTP/1.1\r\nHost: h:\r\n\r\n");
            continue;
        }
        refused(format!("GET / HTTP/1.1\r\nHost: {bad}\r\n\r\n"), Refusal::BadHost);
    }
    for good in ["a_b.example", "127.0.0.1:8080", "[::1]:80", "EXAMPLE.com."] {
        accepted(format!("GET / HTTP/1.1\r\nHost: {good}\r\n\r\n"));
    }
    accepted("GET / HTTP/1.0\r\n\r\n");
    accepted("GET http://H:80/a HTTP/1.1\r\nHost: h\r\n\r\n");
    accepted("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    refused("GET http://h/a HTTP/1.1\r\nHost: g\r\n\r\n", Refusal::HostMismatch);
    refused("GET http://h@g/a HTTP/1.1\r\nHost: g\r\n\r\n", Refusal::HostMismatch);
}

#[test]
fn limits_answer_before_the_head_is_complete() {
    let mut long = b"GET /".to_vec();
    long.resize(9 << 10, b'a');
    assert_eq!(scan(&long, 1000).err(), Some(Some(Refusal::TargetTooLong)));
    let mut wide = b"GET / HTTP/1.1\r\nHost: h\r\nA: ".to_vec();
    wide.resize(17 << 10, b'a');
    assert_eq!(scan(&wide, 1).err(), Some(Some(Refusal::HeadersTooLarge)));
    let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a:b\r\n".repeat(100));
    refused(many, Refusal::TooManyHeaders);
    accepted(format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a:b\r\n".repeat(99)));
    refused(vec![b'A'; 100], Refusal::BadMethod);
}

#[test]
fn names_with_underscores_are_rejected_only_on_demand() {
    accepted(with("X_Forwarded_For: 1.2.3.4"));
    let limits = HeadLimits { reject_underscores: true, ..HeadLimits::default() };
    let step = HeadScanner::default().step(with("A_b: c").as_bytes(), &limits);
    assert!(matches!(step, HeadStep::Refused(Refusal::Underscore)));
}

fn pass(body: &[u8], cut: usize) -> Result<(usize, bool), Refusal> {
    let mut scanner = BodyScanner::new(BodyFraming::Chunked);
    let mut passed = 0;
    for piece in body.chunks(cut) {
        let taken = scanner.pass(piece)?;
        passed += taken;
        if taken < piece.len() {
            break;
        }
    }
    Ok((passed, scanner.is_done()))
}

#[test]
fn chunked_bodies_end_where_they_should() {
    let body = b"3\r\nabc\r\n0A;x=\"y\\\"; z\";b;c=d\r\n0123456789\r\n0\r\nT-A: b\r\nC:\r\n\r\n";
    let mut input = body.to_vec();
    input.extend_from_slice(b"GET / HTTP/1.1\r\n");
    for cut in [1, 2, 5, 1000] {
        assert_eq!(pass(&input, cut), Ok((body.len(), true)), "cut {cut}");
    }
    assert_eq!(pass(b"5\r\nabc", 2), Ok((6, false)));
}

#[test]
fn broken_chunks_are_refused() {
    let cases: &[&[u8]] = &[
        b"\r\n",
        b";x\r\n",
        b"+3\r\nabc\r\n",
        b"-1\r\n",
        b"0x3\r\nabc\r\n",
        b" 3\r\nabc\r\n",
        b"3 \r\nabc\r\n",
        b"3_0\r\n",
        b"3\nabc\r\n",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n",
        b"3\r\nabc\r0",
        b"3\rabc\r\n",
        b"g\r\n",
        b"0000000000000003\r\nabc\r\n",
        b"fffffffffffffffff\r\n",
        b"3;a\nb\r\nabc\r\n",
        b"3;a\0\r\nabc\r\n",
        b"0\r\n folded: x\r\n\r\n",
        b"0\r\n: x\r\n\r\n",
        b"0\r\na : x\r\n\r\n",
        b"0\r\na: x\n\r\n",
        b"0\r\n\n",
        b"0\r\na\r\n\r\n",
        b"3;\r\nabc\r\n",
        b"3;a=\r\nabc\r\n",
        b"3;a b\r\nabc\r\n",
        b"3;a=\"x\"y\r\nabc\r\n",
        b"3;a=\"\r\nabc\r\n",
        b"3 ;a\r\nabc\r\n",
        b"3\r\nabc0\r\n\r\n",
    ];
    for case in cases {
        for cut in [1, 1000] {
            assert_eq!(
                pass(case, cut),
                Err(Refusal::BadChunk),
                "{:?}",
                case.escape_ascii().to_string()
            );
        }
    }
    let long = [b"3;".to_vec(), vec![b'x'; 2000]].concat();
    assert_eq!(pass(&long, 7), Err(Refusal::BadChunk));
    let trailers = [b"0\r\n".to_vec(), b"a: b\r\n".repeat(2000)].concat();
    assert_eq!(pass(&trailers, 7), Err(Refusal::BadChunk));
}

#[test]
fn a_body_of_known_length_passes_exactly_that_much() {
    let mut scanner = BodyScanner::new(BodyFraming::Length(5));
    assert_eq!(scanner.pass(b"abc"), Ok(3));
    assert_eq!(scanner.pass(b"deGET /"), Ok(2));
    assert!(scanner.is_done());
    assert_eq!(scanner.pass(b"GET"), Ok(0));
}
