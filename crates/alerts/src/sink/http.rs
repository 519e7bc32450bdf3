//! One POST, and what comes back. No redirect is followed: whoever answers with one might send what
//! is told to somebody else.

use std::io::{self, Read, Write};
use std::time::Duration;

use traffic::plain;

use super::ready::Ready;
use crate::alert::cut;
use crate::render::Message;

/// A longer head is not read.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Of an answer's body so much is read, so that the connection can be used again.
const BODY_BYTES_MAX: usize = 64 << 10;
/// And so much of it is shown.
const SAID_CHARS_MAX: usize = 100;

/// What a sink said.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// The beginning of what it said, made harmless.
    pub(super) said: String,
    /// Whether another request can follow on the same connection.
    pub(super) stays: bool,
}

pub(super) fn post<S: Read + Write>(
    stream: &mut S,
    ready: &Ready,
    message: &Message,
) -> io::Result<Answer> {
    let mut request = format!(
        "POST {} HTTP/1.1\r\nhost: {}\r\nuser-agent: palisade/{}\r\naccept: */*\r\n\
         content-type: {}\r\ncontent-length: {}\r\n",
        ready.to.target(),
        ready.to.authority(),
        env!("CARGO_PKG_VERSION"),
        message.media,
        message.bytes.len(),
    );
    if let Some(authorization) = &ready.authorization {
        request.push_str(&format!("authorization: {authorization}\r\n"));
    }
    request.push_str("\r\n");
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(&message.bytes);
    stream.write_all(&bytes)?;
    stream.flush()?;
    answer(stream)
}

fn answer(stream: &mut impl Read) -> io::Result<Answer> {
    let mut read = Vec::new();
    loop {
        let end = head_end(stream, &mut read)?;
        let rest = read.split_off(end);
        let head = Head::of(&read)?;
        read = rest;
        // Interim answers say nothing.
        if head.status >= 200 {
            return finished(stream, &head, read);
        }
    }
}

/// Reads until a head is whole, and tells where it ends.
fn head_end(stream: &mut impl Read, read: &mut Vec<u8>) -> io::Result<usize> {
    loop {
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            return Ok(at + 4);
        }
        if read.len() > HEAD_BYTES_MAX {
            return Err(io::Error::other("the answer's head does not end"));
        }
        if more(stream, read)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "no answer"));
        }
    }
}

fn more(stream: &mut impl Read, read: &mut Vec<u8>) -> io::Result<usize> {
    let mut buffer = [0; 4_096];
    let count = stream.read(&mut buffer)?;
    read.extend_from_slice(buffer.get(..count).unwrap_or_default());
    Ok(count)
}

fn finished(stream: &mut impl Read, head: &Head, mut body: Vec<u8>) -> io::Result<Answer> {
    let length = if head.status == 204 { Some(0) } else { head.length };
    let is_short = length.is_some_and(|length| length <= BODY_BYTES_MAX);
    while is_short && body.len() < length.unwrap_or_default() {
        if more(stream, &mut body)? == 0 {
            break;
        }
    }
    let said = String::from_utf8_lossy(&body);
    let said = said.lines().next().unwrap_or_default();
    Ok(Answer {
        status: head.status,
        retry_after: head.retry_after,
        said: cut(&plain(said), SAID_CHARS_MAX),
        stays: head.stays && is_short && length == Some(body.len()),
    })
}

#[derive(Debug, Default)]
struct Head {
    status: u16,
    length: Option<usize>,
    retry_after: Option<Duration>,
    stays: bool,
}

impl Head {
    fn of(bytes: &[u8]) -> io::Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let version = words.next().unwrap_or_default();
        let status = words.next().and_then(|status| status.parse().ok());
        let known = version.starts_with("HTTP/1.") && status.is_some_and(|it: u16| it >= 100);
        let (true, Some(status)) = (known, status) else {
            return Err(io::Error::other("the answer is not HTTP/1"));
        };
        let mut head = Self { status, stays: version == "HTTP/1.1", ..Self::default() };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.parse().ok(),
                "connection" if value.eq_ignore_ascii_case("close") => head.stays = false,
                "transfer-encoding" => head.stays = false,
                "retry-after" => head.retry_after = value.parse().ok().map(Duration::from_secs),
                _ => {}
            }
        }
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Answer> {
        answer(&mut text.as_bytes())
    }

    #[test]
    fn answers_are_read_to_their_end() {
        let answer = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").expect("an answer");
        assert_eq!(
            answer,
            Answer { status: 200, retry_after: None, said: "ok".to_owned(), stays: true }
        );
        let answer = read("HTTP/1.1 204 No Content\r\n\r\n").expect("an answer");
        assert!(answer.stays && answer.status == 204);
        let interim = "HTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 202 A\r\n\r\n";
        let answer = read(interim).expect("an answer");
        assert!(!answer.stays && answer.status == 202, "{answer:?}");
    }

    #[test]
    fn a_sink_may_ask_for_patience_and_to_be_left() {
        let busy = "HTTP/1.1 429 Slow\r\nRetry-After: 30\r\nConnection: close\r\n\
                    Content-Length: 0\r\n\r\n";
        let answer = read(busy).expect("an answer");
        assert_eq!(answer.retry_after, Some(Duration::from_secs(30)));
        assert!(!answer.stays);
    }

    #[test]
    fn what_it_says_is_cut_and_harmless() {
        let long = format!("\x1b[31m{}", "x".repeat(200));
        let text = format!("HTTP/1.1 400 No\r\nContent-Length: {}\r\n\r\n{long}", long.len());
        let said = read(&text).expect("an answer").said;
        assert!(said.starts_with("\\x1b[31mxx") && said.chars().count() <= 101, "{said}");
    }

    #[test]
    fn what_is_no_answer_is_a_fault() {
        for text in
            ["", "SSH-2.0-x\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200"]
        {
            assert!(read(text).is_err(), "{text:?}");
        }
        assert!(read(&format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(40_000))).is_err());
        let endless = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\nx", u64::MAX);
        assert!(!read(&endless).expect("an answer").stays);
    }
}
