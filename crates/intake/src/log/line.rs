//! One line of a log, in the terms of HTTP.
//!
//! Values are borrowed from the line they stand in; only where the log escaped something is there
//! a copy. What the line says of its request is taken apart here, for every format alike: what is
//! no HTTP (a TLS hello on a plain port, an empty connection) is told from what the line lacks.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderName, Method, Version};
use traffic::Timestamp;

use super::time::Point;
use super::{Fault, field};

/// More headers than this in one line are not taken over.
const HEADERS_MAX: usize = 64;

/// What a time in a log is the time of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// The request's arrival.
    Start,
    /// The answer's end, which is when a line is written.
    End,
}

/// A line as far as it was understood.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogLine<'a> {
    start: Option<Point>,
    end: Option<Point>,
    pub(crate) took: Option<Duration>,
    pub(crate) client: Option<IpAddr>,
    pub(crate) user: Option<Cow<'a, [u8]>>,
    pub(crate) request: RequestPart<'a>,
    pub(crate) host: Option<Cow<'a, [u8]>>,
    pub(crate) is_tls: bool,
    pub(crate) status: Option<u16>,
    pub(crate) bytes: Option<u64>,
    pub(crate) ja4: Option<Cow<'a, [u8]>>,
    pub(crate) headers: Vec<(HeaderName, Cow<'a, [u8]>)>,
    pub(crate) answer_headers: Vec<(HeaderName, Cow<'a, [u8]>)>,
}

/// What a line says of its request: a whole request line, or its parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestPart<'a> {
    pub(crate) line: Option<Cow<'a, [u8]>>,
    pub(crate) method: Option<Cow<'a, [u8]>>,
    pub(crate) target: Option<Cow<'a, [u8]>>,
    pub(crate) path: Option<Cow<'a, [u8]>>,
    pub(crate) query: Option<Cow<'a, [u8]>>,
    pub(crate) version: Option<Cow<'a, [u8]>>,
}

/// A request that an HTTP server can understand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) target: Cow<'a, [u8]>,
    pub(crate) version: Version,
}

/// Why what a client sent is no request to this server.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum NoRequest {
    /// Nothing was sent.
    Empty,
    /// It is not HTTP: TLS on a plain port, another protocol, bytes at random.
    NotHttp,
    /// It asks for a tunnel to somewhere else.
    Tunnel,
    /// Its target is neither a path nor a URL.
    Target,
}

impl NoRequest {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Empty => "nothing was sent",
            Self::NotHttp => "not HTTP",
            Self::Tunnel => "asks for a tunnel (CONNECT)",
            Self::Target => "the target is neither a path nor a URL",
        }
    }
}

impl<'a> LogLine<'a> {
    /// Notes a time.
    pub(crate) fn happened(&mut self, point: Point, moment: Moment) {
        let place = match moment {
            Moment::Start => &mut self.start,
            Moment::End => &mut self.end,
        };
        // Of two times the finer one counts: Caddy and Traefik write both.
        if place.is_none_or(|known| point.is_fine || !known.is_fine) {
            *place = Some(point);
        }
    }

    /// When the request came, and how long after it the answer had been sent.
    ///
    /// Times in whole seconds say too little to put one answer before the next request: there the
    /// order of the lines holds, and an answer follows its request at once.
    pub(crate) fn times(&self) -> Result<(Timestamp, Duration), Fault> {
        let took = self.took.unwrap_or_default();
        match (self.start, self.end) {
            (Some(start), _) if start.is_fine => Ok((start.at, took)),
            (None, Some(end)) if end.is_fine => Ok((end.at.before(took), took)),
            (_, Some(end)) if end.is_fine => Ok((end.at.before(took), took)),
            (Some(point), _) | (None, Some(point)) => Ok((point.at, Duration::ZERO)),
            (None, None) => Err(Fault::NoTime),
        }
    }

    /// Adds a header of the request.
    pub(crate) fn header(&mut self, name: &HeaderName, value: Cow<'a, [u8]>) {
        if self.headers.len() < HEADERS_MAX {
            self.headers.push((name.clone(), value));
        }
    }

    /// Adds a header of the answer.
    pub(crate) fn answer_header(&mut self, name: &HeaderName, value: Cow<'a, [u8]>) {
        if self.answer_headers.len() < HEADERS_MAX {
            self.answer_headers.push((name.clone(), value));
        }
    }

    /// Whether its times are finer than a second.
    pub(crate) fn is_fine(&self) -> bool {
        self.start.is_some_and(|start| start.is_fine) || self.end.is_some_and(|end| end.is_fine)
    }

    /// Who called: the address that the server saw, else what the nearest proxy wrote.
    pub(crate) fn caller(&self) -> Option<IpAddr> {
        self.client.or_else(|| {
            let forwarded = self.headers.iter().find(|(name, _)| name == "x-forwarded-for")?;
            field::client(&forwarded.1)
        })
    }

    /// Whether the line tells of a request at all, be it a good one.
    pub(crate) const fn tells_of_a_request(&self) -> bool {
        self.request.line.is_some()
            || self.request.target.is_some()
            || self.request.path.is_some()
            || (self.request.method.is_some() && self.status.is_some())
    }
}

impl RequestPart<'_> {
    /// The request, or why there is none.
    pub(crate) fn read(&self) -> Result<Request<'_>, NoRequest> {
        let (method, target, version) = match &self.line {
            Some(line) if self.target.is_none() && self.path.is_none() => split(line)?,
            _ => {
                let method = self.method.as_deref().ok_or(NoRequest::Empty)?;
                (method, self.whole_target()?, self.version.as_deref())
            }
        };
        let method = method_of(method).ok_or(NoRequest::NotHttp)?;
        if method == Method::CONNECT {
            return Err(NoRequest::Tunnel);
        }
        let is_path = target.starts_with(b"/") || target.as_ref() == b"*";
        if !is_path && split_absolute(&target).is_none() {
            return Err(NoRequest::Target);
        }
        Ok(Request { method, target, version: version.map_or(Version::HTTP_11, version_of) })
    }

    fn whole_target(&self) -> Result<Cow<'_, [u8]>, NoRequest> {
        if let Some(target) = &self.target {
            return Ok(Cow::Borrowed(target.as_ref()));
        }
        let path = self.path.as_deref().ok_or(NoRequest::Empty)?;
        let Some(query) = self.query.as_deref() else { return Ok(Cow::Borrowed(path)) };
        let query = query.strip_prefix(b"?").unwrap_or(query);
        Ok(Cow::Owned([path, b"?", query].concat()))
    }
}

/// Method, target and protocol of a request line. A target may hold spaces: servers log what they
/// refused, too.
#[allow(clippy::type_complexity, reason = "three parts of one line, named by who takes them")]
fn split(line: &[u8]) -> Result<(&[u8], Cow<'_, [u8]>, Option<&[u8]>), NoRequest> {
    let line = line.trim_ascii_end();
    if line.is_empty() {
        return Err(NoRequest::Empty);
    }
    let at = memchr::memchr(b' ', line).ok_or(NoRequest::NotHttp)?;
    let (method, rest) = line.split_at_checked(at).ok_or(NoRequest::NotHttp)?;
    let rest = rest.get(1..).unwrap_or_default();
    let (target, version) = match memchr::memrchr(b' ', rest) {
        Some(at) if rest.get(at + 1..).is_some_and(|last| last.starts_with(b"HTTP/")) => {
            (rest.get(..at).unwrap_or_default(), rest.get(at + 1..))
        }
        // Without a protocol it is HTTP/0.9, which has no spaces to lose.
        _ => (rest, None),
    };
    Ok((method, Cow::Borrowed(target), version))
}

/// The method, when it is a token of at most 32 letters.
fn method_of(text: &[u8]) -> Option<Method> {
    let is_plain = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
    (text.len() <= 32 && text.first().is_some_and(u8::is_ascii_alphabetic)).then_some(())?;
    text.iter().all(is_plain).then_some(())?;
    Method::from_bytes(text).ok()
}

fn version_of(text: &[u8]) -> Version {
    match text.strip_prefix(b"HTTP/").unwrap_or(text) {
        b"0.9" => Version::HTTP_09,
        b"1.0" => Version::HTTP_10,
        b"2" | b"2.0" => Version::HTTP_2,
        b"3" | b"3.0" => Version::HTTP_3,
        _ => Version::HTTP_11,
    }
}

/// Scheme (whether it is TLS), authority and target of a target in absolute form.
pub(crate) fn split_absolute(target: &[u8]) -> Option<(bool, &[u8], &[u8])> {
    let at = memchr::memmem::find(target.get(..target.len().min(16))?, b"://")?;
    let (scheme, rest) = (target.get(..at)?, target.get(at + 3..)?);
    let is_tls = match scheme.to_ascii_lowercase().as_slice() {
        b"https" | b"wss" => true,
        b"http" | b"ws" => false,
        _ => return None,
    };
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let (authority, rest) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
    Some((is_tls, authority, if rest.is_empty() { b"/" } else { rest }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Result<(String, String), NoRequest> {
        let line = Some(Cow::Borrowed(line.as_bytes()));
        let part = RequestPart { line, ..RequestPart::default() };
        let request = part.read()?;
        let target = String::from_utf8_lossy(&request.target).into_owned();
        Ok((request.method.to_string(), target))
    }

    #[test]
    fn request_lines_are_taken_apart() {
        for (line, method, target) in [
            ("GET /a?b=1 HTTP/1.1", "GET", "/a?b=1"),
            ("GET /a b c HTTP/1.1", "GET", "/a b c"),
            ("OPTIONS * HTTP/1.1", "OPTIONS", "*"),
            ("GET /", "GET", "/"),
            ("GET http://x.example/a HTTP/1.1", "GET", "http://x.example/a"),
            ("PROPFIND /dav HTTP/2.0", "PROPFIND", "/dav"),
        ] {
            assert_eq!(request(line), Ok((method.to_owned(), target.to_owned())), "{line}");
        }
    }

    #[test]
    fn what_is_no_request_has_a_reason() {
        for (line, reason) in [
            ("", NoRequest::Empty),
            ("\u{16}\u{3}\u{1}", NoRequest::NotHttp),
            ("HELP", NoRequest::NotHttp),
            ("\u{16}\u{3} /a HTTP/1.1", NoRequest::NotHttp),
            ("CONNECT foo.com:25 HTTP/1.1", NoRequest::Tunnel),
            ("GET %2Fa HTTP/1.1", NoRequest::Target),
            ("GET javascript://x HTTP/1.1", NoRequest::Target),
        ] {
            assert_eq!(request(line), Err(reason), "{line:?}");
        }
    }

    #[test]
    fn a_fine_time_is_the_requests_and_a_coarse_one_the_lines() {
        let point = |second: u64, is_fine| Point {
            at: Timestamp::from_micros(second * 1_000_000),
            is_fine,
        };
        let mut line = LogLine { took: Some(Duration::from_secs(2)), ..LogLine::default() };
        assert!(line.times().is_err());
        line.happened(point(10, false), Moment::End);
        assert_eq!(line.times().expect("times"), (point(10, false).at, Duration::ZERO));
        line.happened(point(10, true), Moment::End);
        assert_eq!(line.times().expect("times"), (point(8, true).at, Duration::from_secs(2)));
        line.happened(point(7, true), Moment::Start);
        assert_eq!(line.times().expect("times").0, point(7, true).at);
    }
}
