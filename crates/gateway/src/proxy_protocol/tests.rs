//! Headers as balancers send them, and as they must not be.

use super::*;

fn caller(address: &str) -> Option<Source> {
    Some(Source::Caller(address.parse().expect("an address")))
}

/// A header of version 2.
fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).expect("short").to_be_bytes();
    [SIGNATURE, &[command, family], &length, rest].concat()
}

const V4: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 0xdc, 0x04, 0x01, 0xbb];

fn v6() -> Vec<u8> {
    let source: Ipv6Addr = "2001:db8::7".parse().expect("an address");
    [&source.octets()[..], &[0; 16], &[0xdc, 0x04, 0x01, 0xbb]].concat()
}

#[test]
fn headers_of_both_versions_name_the_caller() {
    let tls = [&V4[..], &[0x20, 0, 5, 1, 0, 0, 0, 0]].concat();
    for (header, expected) in [
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n".to_vec(), caller("192.0.2.7")),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n".to_vec(), caller("2001:db8::7")),
        (b"PROXY TCP6 ::ffff:192.0.2.7 ::1 0 65535\r\n".to_vec(), caller("192.0.2.7")),
        (b"PROXY UNKNOWN\r\n".to_vec(), Some(Source::Peer)),
        (b"PROXY UNKNOWN ffff::1 whatever 1 2\r\n".to_vec(), Some(Source::Peer)),
        (binary(0x21, 0x11, &V4), caller("192.0.2.7")),
        (binary(0x21, 0x21, &v6()), caller("2001:db8::7")),
        (binary(0x21, 0x11, &tls), caller("192.0.2.7")),
        (binary(0x20, 0x00, &[]), Some(Source::Peer)),
        (binary(0x20, 0x11, &V4), Some(Source::Peer)),
        (binary(0x21, 0x00, &[1, 2, 3]), Some(Source::Peer)),
    ] {
        for cut in 0..header.len() {
            assert_eq!(parse(&header[..cut]), Ok(None), "cut at {cut}: {header:?}");
        }
        let followed = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
        let expected = expected.map(|source| (source, header.len()));
        assert_eq!(parse(&followed), Ok(expected), "{header:?}");
    }
}

#[test]
fn what_is_no_header_is_refused_at_once() {
    for (bytes, fault) in [
        (b"GET / HTTP/1.1\r\n".to_vec(), HeaderFault::Missing),
        (b"proxy TCP4 192.0.2.7 10.0.0.1 1 2\r\n".to_vec(), HeaderFault::Missing),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\n".to_vec(), HeaderFault::Line),
        (b"PROXY  TCP4 192.0.2.7 10.0.0.1 1 2\r\n".to_vec(), HeaderFault::Line),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2 \r\n".to_vec(), HeaderFault::Line),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n".to_vec(), HeaderFault::Line),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n".to_vec(), HeaderFault::Line),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 +1 2\r\n".to_vec(), HeaderFault::Line),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 1 65536\r\n".to_vec(), HeaderFault::Line),
        (b"PROXY TCP4 192.0.2.07 10.0.0.1 1 2\r\n".to_vec(), HeaderFault::Line),
        (b"PROXY TCP4 2001:db8::7 ::1 1 2\r\n".to_vec(), HeaderFault::Line),
        (b"PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n".to_vec(), HeaderFault::Line),
        (b"PROXY TCP4 \xff 10.0.0.1 1 2\r\n".to_vec(), HeaderFault::Line),
        (b"PROXY UNKNOWNS\r\n".to_vec(), HeaderFault::Line),
        ([&b"PROXY UNKNOWN "[..], &[b'x'; 107]].concat(), HeaderFault::TooLong),
        (binary(0x11, 0x11, &V4), HeaderFault::Binary),
        (binary(0x22, 0x11, &V4), HeaderFault::Binary),
        (binary(0x21, 0x13, &V4), HeaderFault::Binary),
        (binary(0x21, 0x41, &V4), HeaderFault::Binary),
        (binary(0x21, 0x12, &V4), HeaderFault::Binary),
        (binary(0x21, 0x31, &[0; 216]), HeaderFault::Binary),
        (binary(0x21, 0x11, &V4[..11]), HeaderFault::Binary),
        (binary(0x21, 0x11, &[&V4[..], &[0x20, 0, 9, 1]].concat()), HeaderFault::Binary),
        (binary(0x21, 0x11, &[&V4[..], &[0x20, 0]].concat()), HeaderFault::Binary),
        (binary(0x21, 0x11, &[0; 2049]), HeaderFault::TooLong),
    ] {
        assert_eq!(parse(&bytes), Err(fault), "{}", bytes.escape_ascii());
    }
}

#[tokio::test]
async fn not_a_byte_is_read_beyond_the_header() {
    for header in [
        b"PROXY UNKNOWN\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n".to_vec(),
        binary(0x20, 0x00, &[]),
        binary(0x21, 0x21, &v6()),
    ] {
        let wire = [&header[..], b"next"].concat();
        let mut stream = wire.as_slice();
        read(&mut stream).await.expect("a header");
        assert_eq!(stream, b"next", "{}", header.escape_ascii());
    }
    let mut stream = &b"PROXY TCP4 192.0.2.7"[..];
    let error = read(&mut stream).await.expect_err("cut off");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

/// What the fuzzer holds, over each header with each of its bytes changed to each value: a header
/// is whole at one byte and at no earlier one, and what is none does not become one.
#[test]
fn a_changed_byte_makes_another_header_or_none() {
    for header in [
        b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\nGET".to_vec(),
        b"PROXY TCP6 2001:db8::7 ::1 1 2\r\n".to_vec(),
        b"PROXY UNKNOWN\r\n".to_vec(),
        [binary(0x21, 0x11, &[&V4[..], &[0x20, 0, 2, 1, 0]].concat()), b"GET".to_vec()].concat(),
        binary(0x21, 0x21, &v6()),
        binary(0x20, 0x00, &[]),
    ] {
        for at in 0..header.len() {
            for value in 0..=u8::MAX {
                let mut bytes = header.clone();
                bytes[at] = value;
                let whole = parse(&bytes);
                let first = (0..=bytes.len()).map(|end| parse(&bytes[..end]));
                let first = first.into_iter().find(|step| *step != Ok(None)).unwrap_or(Ok(None));
                assert_eq!(first, whole, "{}", bytes.escape_ascii());
            }
        }
    }
}
