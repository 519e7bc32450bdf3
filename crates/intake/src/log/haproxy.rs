//! HAProxy's HTTP log (`option httplog`), bare or behind syslog.
//!
//! `client:port [accepted] frontend backend/server timers status bytes cookies state counts queues
//! {headers} "request"`. Captured headers have no names, so they do not count. The accept date has
//! no zone: HAProxy writes local time.

use std::borrow::Cow;
use std::time::Duration;

use super::field::{self, Field};
use super::line::{LogLine, Moment};
use super::text::{undone, word};
use super::{Fault, Zone, time};

/// A reader of this format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Haproxy {
    zone: Zone,
}

impl Haproxy {
    pub(crate) const fn new(zone: Zone) -> Self {
        Self { zone }
    }

    /// Reads a line.
    pub(crate) fn read<'a>(&self, text: &'a [u8]) -> Result<LogLine<'a>, Fault> {
        let mut line = LogLine::default();
        let (client, rest) = word(text);
        line.client = Some(field::client(client).ok_or(Fault::Client)?);
        let (accepted, rest) = word(rest);
        let accepted = accepted.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
        line.happened(time::any(accepted.ok_or(Fault::NoTime)?, self.zone)?, Moment::Start);
        let (frontend, rest) = word(rest);
        if frontend.ends_with(b":") {
            // `frontend/bind: SSL handshake failure` and the like.
            return Err(Fault::Message);
        }
        line.is_tls = frontend.ends_with(b"~");
        let (_backend, rest) = word(rest);
        let (timers, rest) = word(rest);
        line.took = total(timers);
        let (status, rest) = word(rest);
        field::put(&mut line, &Field::Status, Cow::Borrowed(status), self.zone)?;
        let (bytes, rest) = word(rest);
        field::put(&mut line, &Field::Bytes, Cow::Borrowed(bytes), self.zone)?;
        let at = memchr::memmem::find(rest, b" \"").ok_or(Fault::NoRequest)?;
        let request = rest.get(at + 2..).unwrap_or_default();
        // HAProxy escapes no quotes; the request is the last field, so the last quote ends it. A
        // line that was cut off has none.
        let end = memchr::memrchr(b'"', request).unwrap_or(request.len());
        let request = undone(request.get(..end).unwrap_or_default());
        // What could not be read is written so.
        let is_bad = request.as_ref() == b"<BADREQ>";
        line.request.line = Some(if is_bad { Cow::Borrowed(b"") } else { request });
        Ok(line)
    }
}

/// The last of the timers, in milliseconds. `+` before it says that the line was written early.
fn total(timers: &[u8]) -> Option<Duration> {
    let last = timers.rsplit(|byte| *byte == b'/').next()?;
    let text = std::str::from_utf8(last).ok()?;
    text.trim_start_matches('+').parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_with_captured_headers_and_without() {
        let haproxy = Haproxy::new(Zone { east_s: 3_600 });
        for text in [
            r#"192.0.2.7:14853 [14/Jan/2015:12:48:57.127] https-in~ b/s 170/0/0/3/173 200 739 - - --NN 0/0/0/0/0 0/0 "GET /a?b HTTP/1.1""#,
            r#"192.0.2.7:14853 [14/Jan/2015:12:48:57.127] https-in~ b/s 170/0/0/3/173 200 739 - - ---- 1/1/1/1/0 0/0 {shop.example|Mozilla/5.0 (X; Y)} {} "GET /a?b HTTP/1.1""#,
        ] {
            let line = haproxy.read(text.as_bytes()).expect(text);
            let request = line.request.read().expect("a request");
            assert_eq!((request.target.as_ref(), line.status), (&b"/a?b"[..], Some(200)), "{text}");
            let (at, took) = line.times().expect("times");
            assert_eq!(at.to_string(), "2015-01-14T11:48:57.127000Z");
            assert_eq!(took.as_millis(), 173);
        }
    }

    #[test]
    fn what_is_no_exchange_is_told() {
        let haproxy = Haproxy::new(Zone::UTC);
        let read = |text: &str| haproxy.read(text.as_bytes()).map(|_| ());
        let message = "192.0.2.1:5 [28/Feb/2025:02:43:10.123] front/b: SSL handshake failure again";
        assert_eq!(read(message), Err(Fault::Message));
        assert_eq!(read("192.0.2.1:5 [28/Feb/2025:02:43:10.123] front b/s"), Err(Fault::NoRequest));
        let bad = r#"192.0.2.1:5 [28/Feb/2025:02:43:10.123] f f/<NOSRV> -1/-1/-1/-1/5 400 187 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>""#;
        let line = haproxy.read(bad.as_bytes()).expect("a line");
        assert_eq!(line.request.read(), Err(super::super::NoRequest::Empty));
    }
}
