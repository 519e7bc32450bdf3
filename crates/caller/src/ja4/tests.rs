//! Unit and property tests of the ClientHello reader; the captures are in `tests/data.rs`.

use proptest::prelude::*;

use super::*;

struct Hello {
    version: u16,
    ciphers: Vec<u16>,
    extensions: Vec<(u16, Vec<u8>)>,
}

impl Hello {
    fn handshake(&self) -> Vec<u8> {
        let mut body = self.version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.push(0);
        body.extend(vector_u16(&list(&self.ciphers)));
        body.extend([1, 0]);
        let mut extensions = Vec::new();
        for (kind, content) in &self.extensions {
            extensions.extend(kind.to_be_bytes());
            extensions.extend(vector_u16(content));
        }
        body.extend(vector_u16(&extensions));
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        let mut message = vec![1, length[1], length[2], length[3]];
        message.extend(body);
        message
    }
}

fn list(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn vector_u16(content: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(content);
    bytes
}

fn records(message: &[u8], payload_bytes: usize) -> Vec<u8> {
    message
        .chunks(payload_bytes)
        .flat_map(|chunk| [&[22, 3, 1][..], &vector_u16(chunk)].concat())
        .collect()
}

fn alpn(protocol: &[u8]) -> (u16, Vec<u8>) {
    let mut entry = vec![u8::try_from(protocol.len()).unwrap()];
    entry.extend(protocol);
    (0x0010, vector_u16(&entry))
}

fn sample() -> Hello {
    Hello {
        version: 0x0303,
        ciphers: vec![0x2a2a, 0x1302, 0x1301],
        extensions: vec![
            (0x1a1a, vec![0]),
            (0x0000, vec![0, 0]),
            alpn(b"h2"),
            (0x000d, vector_u16(&list(&[0x0804, 0x0403]))),
            (0x002b, [&[6][..], &list(&[0x3a3a, 0x0303, 0x0304])].concat()),
        ],
    }
}

fn first_part(hello: &Hello) -> String {
    fingerprint(&hello.handshake()).unwrap().split('_').next().unwrap().to_owned()
}

#[test]
fn grease_is_gone_ciphers_are_sorted_and_signatures_keep_their_order() {
    let hash = |text: &str| truncated_hash(text);
    let expected = format!("t13d0204h2_{}_{}", hash("1301,1302"), hash("000d,002b_0804,0403"));
    assert_eq!(fingerprint(&sample().handshake()), Some(expected));
}

#[test]
fn the_known_hash_of_the_specification_comes_out() {
    // The worked example of the published description.
    let ciphers = "002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9";
    assert_eq!(truncated_hash(ciphers), "8daaf6152771");
}

#[test]
fn records_may_split_the_hello_anywhere() {
    let message = sample().handshake();
    let whole = fingerprint(&message);
    for payload_bytes in [1, 2, 3, 5, 50, 16_384] {
        assert_eq!(fingerprint(&records(&message, payload_bytes)), whole, "{payload_bytes}");
    }
}

#[test]
fn each_proper_prefix_is_incomplete_and_nothing_else() {
    let stream = records(&sample().handshake(), 40);
    for end in 0..stream.len() {
        let outcome = ClientHello::from_records(&stream[..end]);
        assert_eq!(outcome, Err(HelloError::Incomplete), "{end}");
    }
}

#[test]
fn bytes_behind_the_hello_change_nothing() {
    let mut stream = records(&sample().handshake(), 40);
    let expected = fingerprint(&stream);
    stream.extend([20, 3, 3, 0, 1, 1]);
    assert_eq!(fingerprint(&stream), expected);
}

#[test]
fn what_is_no_hello_is_refused() {
    let check = |bytes: &[u8], expected| {
        assert_eq!(ClientHello::from_records(bytes), Err(expected), "{bytes:?}");
    };
    check(b"GET / HTTP/1.1\r\n\r\n", HelloError::NotClientHello);
    check(&[22, 2, 0, 0, 1, 1], HelloError::NotClientHello);
    check(&[22, 3, 1, 0, 4, 2, 0, 0, 0], HelloError::NotClientHello);
    check(&[22, 3, 1, 0, 0], HelloError::Malformed);
    check(&[22, 3, 1, 0xff, 0xff], HelloError::TooLarge);
    check(&[22, 3, 1, 0, 4, 1, 0xff, 0, 0], HelloError::TooLarge);
    check(&[22, 3, 1, 0, 5, 1, 0, 0, 1, 3], HelloError::Malformed);
}

#[test]
fn alpn_is_told_by_its_ends() {
    let check = |protocol: &[u8], expected: &str| {
        let mut hello = sample();
        hello.extensions[2] = alpn(protocol);
        let part = first_part(&hello);
        assert_eq!(&part[8..], expected, "{protocol:?}");
    };
    check(b"http/1.1", "h1");
    check(b"h2", "h2");
    check(b"x", "xx");
    check(b"", "00");
    check(&[0xba, 0xad], "99");
    check(b"h\xad", "h9");
    check(&[0x0a, 0x1b], "0b");
}

#[test]
fn versions_and_absent_extensions() {
    for (version, digits) in
        [(0x0304, "13"), (0x0303, "12"), (0x0301, "10"), (0x0300, "s3"), (0x7777, "00")]
    {
        let hello = Hello { version, ciphers: vec![], extensions: vec![] };
        let expected = format!("t{digits}i000000_{EMPTY_LIST_HASH}_{EMPTY_LIST_HASH}");
        assert_eq!(fingerprint(&hello.handshake()), Some(expected));
    }
}

#[test]
fn counts_stop_at_ninety_nine() {
    let ciphers: Vec<u16> = (1..=300).collect();
    let extensions = (0x4000..0x4100).map(|kind| (kind, vec![])).collect();
    let hello = Hello { version: 0x0303, ciphers, extensions };
    assert_eq!(first_part(&hello), "t12i999900");
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fingerprint(&bytes);
        let mut shaped = vec![22, 3, 1];
        shaped.extend(vector_u16(&[&[1, 0, 2, 0][..], &bytes].concat()));
        let _ = fingerprint(&shaped);
    }

    #[test]
    fn a_flipped_byte_never_panics(position in 0_usize..160, value in any::<u8>()) {
        let mut message = sample().handshake();
        let position = position % message.len();
        message[position] = value;
        let _ = fingerprint(&message);
        let _ = fingerprint(&records(&message, 33));
    }
}
