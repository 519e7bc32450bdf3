//! Reads the head of an answer over HTTP/1 and settles how its body ends (RFC 9112 §6.3).
//!
//! An upstream is of the house, so a line may end without a CR. What could be read in two ways is
//! refused all the same: whose answer is whose depends on it.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::headers::read_field;

/// More than any server sends, and little enough to hold for each exchange.
const HEAD_BYTES_MAX: usize = 128 << 10;
const FIELDS_MAX: usize = 256;

/// The head of an answer.
#[derive(Debug)]
pub(super) struct AnswerHead {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) framing: Framing,
    /// Another exchange may follow on the connection.
    pub(super) persistent: bool,
}

/// How an answer's body ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// What came is no head of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed;

/// Takes a head off the start of `input`; `None` when it is not complete. What lies before
/// `searched` is known to hold no end of it.
pub(super) fn take(
    input: &mut BytesMut,
    searched: &mut usize,
    asked_head: bool,
) -> Result<Option<AnswerHead>, Malformed> {
    let Some(end) = find_end(input, searched) else {
        return if input.len() > HEAD_BYTES_MAX { Err(Malformed) } else { Ok(None) };
    };
    *searched = 0;
    parse(&input.split_to(end).freeze(), asked_head).map(Some)
}

/// Where the empty line ends that ends a head.
fn find_end(input: &[u8], searched: &mut usize) -> Option<usize> {
    loop {
        let from = input.get(*searched..)?;
        let after = *searched + memchr::memchr(b'\n', from)? + 1;
        match input.get(after..) {
            Some([b'\n', ..]) => return Some(after + 1),
            Some([b'\r', b'\n', ..]) => return Some(after + 2),
            // The empty line may be cut here: look again from this line break on.
            None | Some([] | [b'\r']) => {
                *searched = after - 1;
                return None;
            }
            Some(_) => *searched = after,
        }
    }
}

fn parse(raw: &Bytes, asked_head: bool) -> Result<AnswerHead, Malformed> {
    let mut lines = Lines { raw, at: 0 };
    let (is_1_1, status) = status_line(lines.next().unwrap_or_default())?;
    let mut headers = HeaderMap::with_capacity(12);
    for line in lines {
        if line.is_empty() {
            break;
        }
        let (name, value) = read_field(raw, line).ok_or(Malformed)?;
        headers.append(name, value);
        if headers.len() > FIELDS_MAX {
            return Err(Malformed);
        }
    }
    let (framing, exact) = framing(status, is_1_1, asked_head, &mut headers)?;
    let persistent = exact && keeps_alive(is_1_1, &headers) && framing != Framing::UntilClose;
    Ok(AnswerHead { status, headers, framing, persistent })
}

/// Lines without what ends them.
struct Lines<'a> {
    raw: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.raw.get(self.at..)?;
        let length = memchr::memchr(b'\n', rest)?;
        self.at += length + 1;
        let line = rest.get(..length)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

fn status_line(line: &[u8]) -> Result<(bool, StatusCode), Malformed> {
    let Some((b"HTTP/1.", &[minor, b' ', a, b, c, ref reason @ ..])) = line.split_at_checked(7)
    else {
        return Err(Malformed);
    };
    if !matches!(reason, [] | [b' ', ..]) || !matches!(minor, b'0' | b'1') {
        return Err(Malformed);
    }
    let status = StatusCode::from_bytes(&[a, b, c]).map_err(|_| Malformed)?;
    Ok((minor == b'1', status))
}

/// How the body ends, and whether the head says so in one way only.
fn framing(
    status: StatusCode,
    is_1_1: bool,
    asked_head: bool,
    headers: &mut HeaderMap,
) -> Result<(Framing, bool), Malformed> {
    let length = length(headers)?;
    let bodiless = asked_head
        || status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless {
        return Ok((Framing::Length(0), true));
    }
    if headers.contains_key(header::TRANSFER_ENCODING) {
        // The coding counts, the length does not and must not go on (RFC 9112 §6.1 and §6.3).
        headers.remove(header::CONTENT_LENGTH);
        let exact = is_1_1 && length.is_none();
        let framing = if ends_chunked(headers) { Framing::Chunked } else { Framing::UntilClose };
        return Ok((framing, exact));
    }
    Ok((length.map_or(Framing::UntilClose, Framing::Length), true))
}

/// The length stated, which may be stated more than once but not differently.
fn length(headers: &mut HeaderMap) -> Result<Option<u64>, Malformed> {
    let mut found = None;
    let mut count = 0;
    for value in headers.get_all(header::CONTENT_LENGTH) {
        for part in value.as_bytes().split(|byte| *byte == b',') {
            let part = part.trim_ascii();
            if part.is_empty() || part.len() > 19 || !part.iter().all(u8::is_ascii_digit) {
                return Err(Malformed);
            }
            let length = part.iter().fold(0, |n: u64, digit| n * 10 + u64::from(digit - b'0'));
            if found.is_some_and(|found| found != length) {
                return Err(Malformed);
            }
            found = Some(length);
            count += 1;
        }
    }
    if let Some(length) = found
        && count > 1
    {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(found)
}

fn ends_chunked(headers: &HeaderMap) -> bool {
    let last = headers.get_all(header::TRANSFER_ENCODING).iter().next_back();
    let coding = last.and_then(|value| value.as_bytes().rsplit(|byte| *byte == b',').next());
    coding.is_some_and(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

fn keeps_alive(is_1_1: bool, headers: &HeaderMap) -> bool {
    let has = |token: &[u8]| {
        headers.get_all(header::CONNECTION).iter().any(|value| {
            let mut tokens = value.as_bytes().split(|byte| *byte == b',');
            tokens.any(|part| part.trim_ascii().eq_ignore_ascii_case(token))
        })
    };
    if is_1_1 { !has(b"close") } else { has(b"keep-alive") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<AnswerHead, Malformed> {
        let mut input = BytesMut::from(head);
        let head = take(&mut input, &mut 0, false)?.expect("a whole head");
        assert_eq!(input, "rest");
        Ok(head)
    }

    fn framed(fields: &str) -> Option<(Framing, bool)> {
        let head = read(&format!("HTTP/1.1 200 OK\r\n{fields}\r\nrest")).ok()?;
        Some((head.framing, head.persistent))
    }

    #[test]
    fn a_head_is_found_however_it_is_cut_up() {
        for head in ["HTTP/1.1 200 OK\r\nA: b\r\nC:  d\t\r\n\r\nx", "HTTP/1.1 200\nA: b\nC: d\n\nx"]
        {
            let (mut input, mut searched) = (BytesMut::new(), 0);
            let mut found = None;
            for byte in head.bytes() {
                input.extend_from_slice(&[byte]);
                found = found.or(take(&mut input, &mut searched, false).expect("no fault"));
            }
            let found = found.expect("a head");
            assert_eq!(found.status, 200);
            assert_eq!(
                (&found.headers["a"], &found.headers["c"]),
                (&"b".parse().expect("b"), &"d".parse().expect("d"))
            );
            assert_eq!(input, "x");
        }
    }

    #[test]
    fn the_end_of_a_body_is_told_in_one_way() {
        use Framing::{Chunked, Length, UntilClose};
        for (fields, framing) in [
            ("", Some((UntilClose, false))),
            ("content-length: 5\r\n", Some((Length(5), true))),
            ("content-length: 5\r\nconnection: Close\r\n", Some((Length(5), false))),
            ("content-length: 5\r\nContent-Length: 5\r\n", Some((Length(5), true))),
            ("content-length: 5, 5\r\n", Some((Length(5), true))),
            ("content-length: 5\r\ncontent-length: 6\r\n", None),
            ("content-length: +5\r\n", None),
            ("content-length:\r\n", None),
            ("transfer-encoding: chunked\r\n", Some((Chunked, true))),
            ("transfer-encoding: gzip, Chunked\r\n", Some((Chunked, true))),
            ("transfer-encoding: gzip\r\n", Some((UntilClose, false))),
            ("transfer-encoding: chunked\r\ncontent-length: 5\r\n", Some((Chunked, false))),
        ] {
            assert_eq!(framed(fields), framing, "{fields}");
        }
        let head =
            read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nrest");
        assert!(!head.expect("a head").headers.contains_key("content-length"));
    }

    #[test]
    fn some_answers_have_no_body_whatever_they_say() {
        for start in ["HTTP/1.1 204 No", "HTTP/1.1 304 Not", "HTTP/1.1 100 Go on"] {
            let head = read(&format!("{start}\r\ncontent-length: 5\r\n\r\nrest")).expect("a head");
            assert_eq!((head.framing, head.persistent), (Framing::Length(0), true));
        }
        let mut input = BytesMut::from("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
        let head = take(&mut input, &mut 0, true).expect("no fault").expect("a head");
        assert_eq!(head.framing, Framing::Length(0));
        assert_eq!(head.headers["content-length"], "5");
    }

    #[test]
    fn an_older_server_keeps_the_connection_only_if_it_says_so() {
        let head =
            |field| read(&format!("HTTP/1.0 200 OK\r\ncontent-length: 5\r\n{field}\r\nrest"));
        assert!(!head("").expect("a head").persistent);
        assert!(head("connection: keep-alive\r\n").expect("a head").persistent);
        assert!(
            !head("connection: keep-alive\r\ntransfer-encoding: chunked\r\n")
                .expect("a head")
                .persistent
        );
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for head in [
            "HTTP/2 200 OK\r\n\r\nrest",
            "HTTP/1.1 20 OK\r\n\r\nrest",
            "HTTP/1.1 2000\r\n\r\nrest",
            "HTTP/1.1  200 OK\r\n\r\nrest",
            "\r\nHTTP/1.1 200 OK\r\n\r\nrest",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\nrest",
            "HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\nrest",
            "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\nrest",
            "HTTP/1.1 200 OK\r\n: b\r\n\r\nrest",
            "HTTP/1.1 200 OK\r\nA\r\n\r\nrest",
            "HTTP/1.1 200 OK\r\nA: \0\r\n\r\nrest",
        ] {
            let mut input = BytesMut::from(head);
            assert_eq!(take(&mut input, &mut 0, false).err(), Some(Malformed), "{head:?}");
        }
        let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(HEAD_BYTES_MAX));
        let mut input = BytesMut::from(endless.as_str());
        assert_eq!(take(&mut input, &mut 0, false).err(), Some(Malformed));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(FIELDS_MAX + 1));
        let mut input = BytesMut::from(many.as_str());
        assert_eq!(take(&mut input, &mut 0, false).err(), Some(Malformed));
    }
}
