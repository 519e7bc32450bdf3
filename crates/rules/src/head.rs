//! The head of an HTTP/1 request taken apart without judging it.
//!
//! What a strict scanner refuses is still to be shown to rules, so that they can say what it was.
//! Nothing is repaired: lines are split where a lenient server would split them, and what has no
//! place in a head is left out.

/// A head as it was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Head<'a> {
    /// The request line, without its end.
    pub line: &'a [u8],
    /// What stands before the first blank.
    pub method: &'a [u8],
    /// What stands between.
    pub uri: &'a [u8],
    /// What stands behind the last blank if it looks like a protocol; else nothing, as in HTTP/0.9.
    pub protocol: &'a [u8],
    section: &'a [u8],
    /// What follows the empty line.
    pub rest: &'a [u8],
}

impl<'a> Head<'a> {
    /// Takes the head apart that `raw` begins with.
    #[must_use]
    pub fn split(raw: &'a [u8]) -> Self {
        let (line, section) = next_line(raw);
        let head = Self::of_line(line);
        let mut rest = section;
        while !rest.is_empty() {
            let (line, after) = next_line(rest);
            if line.is_empty() {
                let length = section.len() - rest.len();
                let section = section.get(..length).unwrap_or_default();
                return Self { section, rest: after, ..head };
            }
            rest = after;
        }
        Self { section, ..head }
    }

    fn of_line(line: &'a [u8]) -> Self {
        let trimmed = line.trim_ascii_start();
        let blank = memchr::memchr(b' ', trimmed).unwrap_or(trimmed.len());
        let (method, rest) = trimmed.split_at(blank);
        let rest = rest.trim_ascii();
        let last = memchr::memrchr(b' ', rest).map_or(0, |at| at + 1);
        let (uri, protocol) = rest.split_at(last);
        let (uri, protocol) = if protocol.starts_with(b"HTTP/") {
            (uri.trim_ascii(), protocol)
        } else {
            (rest, &b""[..])
        };
        Self { line, method, uri, protocol, section: &[], rest: &[] }
    }

    /// The header lines in order: names as they stand before the first colon, values without the
    /// blanks around them. A line without a colon has no name, and none that begins with a blank.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut rest = self.section;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (line, after) = next_line(rest);
            rest = after;
            let colon = memchr::memchr(b':', line).unwrap_or(0);
            let (name, value) = line.split_at(colon);
            Some((name, value.strip_prefix(b":").unwrap_or(value).trim_ascii()))
        })
    }
}

/// The first line without its end, and what follows it.
fn next_line(raw: &[u8]) -> (&[u8], &[u8]) {
    let Some(end) = memchr::memchr(b'\n', raw) else { return (raw, &[]) };
    let line = raw.get(..end).unwrap_or_default();
    (line.strip_suffix(b"\r").unwrap_or(line), raw.get(end + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, parts: [&str; 4], headers: &[(&str, &str)], rest: &str) {
        let head = Head::split(raw.as_bytes());
        let read = [head.line, head.method, head.uri, head.protocol];
        assert_eq!(read, parts.map(str::as_bytes), "{raw:?}");
        let read: Vec<_> = head.headers().collect();
        let expected: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        assert_eq!(read, expected, "{raw:?}");
        assert_eq!(head.rest, rest.as_bytes(), "{raw:?}");
    }

    #[test]
    fn a_head_is_taken_apart_as_it_stands() {
        check(
            "GET /a?b=c d HTTP/1.1\r\nHost: x\r\nA:b:c\r\n\r\nbody\n\n",
            ["GET /a?b=c d HTTP/1.1", "GET", "/a?b=c d", "HTTP/1.1"],
            &[("Host", "x"), ("A", "b:c")],
            "body\n\n",
        );
        check("GET /\n\n", ["GET /", "GET", "/", ""], &[], "");
        check(
            "  GET / HTTP/1.0\nno colon\n folded: x\n",
            ["  GET / HTTP/1.0", "GET", "/", "HTTP/1.0"],
            &[("", "no colon"), (" folded", "x")],
            "",
        );
        check("", ["", "", "", ""], &[], "");
        check("FOO", ["FOO", "FOO", "", ""], &[], "");
    }
}
