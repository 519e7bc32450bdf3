//! Common and combined, as nginx and Apache write them, and their close relatives.
//!
//! One grammar, `[host ]client ident user [time] "request" status bytes[ "referer" "agent"[ …]]`:
//! with a virtual host before it, with further fields behind it (Traefik, ingress controllers,
//! request times), or without referer and agent. All of it is in one family because servers mix
//! them within one file; nothing about a line is guessed.

use std::borrow::Cow;

use http::header::USER_AGENT;

use super::field::{self, Field};
use super::line::{LogLine, Moment};
use super::text::{closing_quote, undone, word};
use super::time::{self, Point};
use super::{Fault, Zone};

/// A reader of this family. Lines of one second share their time's text, so the last is kept.
#[derive(Clone, Debug)]
pub(crate) struct Clf {
    zone: Zone,
    last: Option<(TimeText, Point)>,
}

/// `17/May/2015:10:05:03 +0000`.
type TimeText = [u8; 26];

impl Clf {
    pub(crate) const fn new(zone: Zone) -> Self {
        Self { zone, last: None }
    }

    /// Reads a line.
    pub(crate) fn read<'a>(&mut self, text: &'a [u8]) -> Result<LogLine<'a>, Fault> {
        let mut line = LogLine::default();
        let (before, time, rest) = around_time(text).ok_or(Fault::NoTime)?;
        line.happened(self.time(time)?, Moment::End);
        who(&mut line, before)?;
        let quoted = rest.strip_prefix(b" \"").ok_or(Fault::NoRequest)?;
        let end = closing_quote(quoted).ok_or(Fault::Quotes)?;
        let (request, rest) = quoted.split_at_checked(end).ok_or(Fault::Quotes)?;
        let request = if request == b"-" { &[][..] } else { request };
        line.request.line = Some(undone(request));
        let rest = rest.strip_prefix(b"\" ").ok_or(Fault::Status)?;
        let (status, rest) = word(rest);
        field::put(&mut line, &Field::Status, Cow::Borrowed(status), self.zone)?;
        let (bytes, rest) = word(rest);
        field::put(&mut line, &Field::Bytes, Cow::Borrowed(bytes), self.zone)?;
        if let Some(agent) = agent(rest)? {
            line.header(&USER_AGENT, agent);
        }
        Ok(line)
    }

    fn time(&mut self, text: &[u8]) -> Result<Point, Fault> {
        if let Some((known, point)) = &self.last
            && known == text
        {
            return Ok(*point);
        }
        let point = time::any(text, self.zone)?;
        self.last = TimeText::try_from(text).ok().map(|text| (text, point));
        Ok(point)
    }
}

/// What stands before the time, the time, and what follows its bracket. A user's name may hold a
/// bracket, so a bracket counts when a time follows it.
fn around_time(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    memchr::memchr_iter(b'[', text).take(16).find_map(|at| {
        let inside = text.get(at + 1..)?;
        let is_time = inside.get(2) == Some(&b'/') || inside.get(4) == Some(&b'-');
        (is_time && inside.first()?.is_ascii_digit()).then_some(())?;
        let end = memchr::memchr(b']', inside.get(..40.min(inside.len()))?)?;
        Some((text.get(..at)?, inside.get(..end)?, inside.get(end + 1..)?))
    })
}

/// Client and user, and the virtual host where one comes first.
fn who<'a>(line: &mut LogLine<'a>, before: &'a [u8]) -> Result<(), Fault> {
    let (mut first, mut rest) = word(before);
    // A list of addresses: the last is the one that the nearest proxy saw itself.
    while first.ends_with(b",") {
        (first, rest) = word(rest);
    }
    if let Some(address) = field::client(first) {
        line.client = Some(address);
    } else {
        let (second, after) = word(rest);
        line.client = Some(field::client(second).ok_or(Fault::Client)?);
        line.host = Some(Cow::Borrowed(first)).filter(|host| host.as_ref() != b"-");
        rest = after;
    }
    let (_ident, user) = word(rest);
    let user = user.trim_ascii();
    line.user = (!user.is_empty() && user != b"-").then(|| undone(user));
    Ok(())
}

/// The agent behind the referer; none where the line ends before them.
fn agent(rest: &[u8]) -> Result<Option<Cow<'_, [u8]>>, Fault> {
    let Some(quoted) = rest.strip_prefix(b"\"") else { return Ok(None) };
    let end = closing_quote(quoted).ok_or(Fault::Quotes)?;
    let rest = quoted.get(end + 1..).unwrap_or_default();
    let Some(quoted) = rest.strip_prefix(b" \"") else { return Ok(None) };
    let end = closing_quote(quoted).ok_or(Fault::Quotes)?;
    let agent = quoted.get(..end).unwrap_or_default();
    Ok((!agent.is_empty() && agent != b"-").then(|| undone(agent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, Fault> {
        let mut clf = Clf::new(Zone::UTC);
        let line = clf.read(text.as_bytes())?;
        let shown = |text: &Option<Cow<'_, [u8]>>| {
            text.as_deref().map_or("-".to_owned(), |text| String::from_utf8_lossy(text).into())
        };
        Ok(format!(
            "{} {} {} {} {:?} {:?} {:?} {}",
            line.times()?.0,
            shown(&line.host),
            line.client.map_or("-".to_owned(), |client| client.to_string()),
            shown(&line.user),
            line.request
                .read()
                .map(|request| String::from_utf8_lossy(&request.target).into_owned()),
            line.status,
            line.bytes,
            line.headers
                .first()
                .map_or("-", |(_, agent)| std::str::from_utf8(agent).expect("text")),
        ))
    }

    #[test]
    fn the_relatives_are_read() {
        let text =
            |rows: &[&str]| rows.iter().map(|row| format!("{:?}\n", read(row))).collect::<String>();
        expect_test::expect![[r#"
            Ok("2015-05-17T10:05:03.000000Z - 83.149.9.216 - Ok(\"/a.png\") Some(200) Some(203023) Mozilla/5.0")
            Ok("2021-03-05T08:01:38.000000Z - 116.203.1.1 - Ok(\"/x.txt\") Some(200) Some(1513) -")
            Ok("2020-06-08T08:04:43.000000Z www.example.net:80 192.0.2.1 - Ok(\"/\") Some(301) Some(0) curl/8")
            Ok("2021-12-08T09:16:05.000000Z - 172.17.0.1 - Ok(\"/s.dll\") Some(200) Some(414) Nikto")
            Ok("2021-12-08T09:16:05.000000Z - 172.17.0.1 - Ok(\"/m.cs\") None None Nikto")
            Ok("2021-12-08T09:16:05.000000Z - 2001:db8::7 ada [x Ok(\"/\") Some(200) Some(1) say \"hi\"")
            Ok("2021-12-08T09:16:05.000000Z - 192.0.2.1 - Err(NotHttp) Some(400) Some(226) -")
            Ok("2021-12-08T09:16:05.000000Z - 192.0.2.1 - Err(Empty) Some(408) Some(0) -")
            Ok("2021-12-08T09:16:05.000000Z - 192.0.2.9 - Ok(\"/\") Some(200) Some(5) -")
        "#]]
        .assert_eq(&text(&[
            r#"83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a.png HTTP/1.1" 200 203023 "http://x/" "Mozilla/5.0""#,
            r#"116.203.1.1 - - [05/Mar/2021:09:01:38 +0100] "GET /x.txt HTTP/1.0" 200 1513"#,
            r#"www.example.net:80 192.0.2.1 - - [08/Jun/2020:08:04:43 +0000] "GET / HTTP/1.1" 301 0 "-" "curl/8""#,
            r#"172.17.0.1 - - [08/Dec/2021:09:16:05 +0000] "GET /s.dll HTTP/1.1" 200 414 "-" "Nikto" 500 "test@docker" "http://172.17.0.3:80" 0ms"#,
            r#"172.17.0.1 - - [08/Dec/2021:09:16:05 +0000] "GET /m.cs HTTP/1.1" - - "-" "Nikto" 7 "-" "-" 0ms"#,
            r#"2001:db8::7 - ada [x [08/Dec/2021:09:16:05 +0000] "GET / HTTP/1.1" 200 1 "-" "say \"hi\"""#,
            r#"192.0.2.1 - - [08/Dec/2021:09:16:05 +0000] "\x16\x03\x01\x01" 400 226 "-" "-""#,
            r#"192.0.2.1 - - [08/Dec/2021:09:16:05 +0000] "-" 408 0 "-" "-""#,
            r#"198.51.100.4, 192.0.2.9 - - [08/Dec/2021:09:16:05 +0000] "GET / HTTP/1.1" 200 5 "-" "-""#,
        ]));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, fault) in [
            ("", Fault::NoTime),
            ("192.0.2.1 - - \"GET / HTTP/1.1\" 200 5", Fault::NoTime),
            (r#"192.0.2.1 - - [99/Dec/2021:09:16:05 +0000] "GET / HTTP/1.1" 200 5"#, Fault::Time),
            (r#"a b c [08/Dec/2021:09:16:05 +0000] "GET / HTTP/1.1" 200 5"#, Fault::Client),
            (r#"192.0.2.1 - - [08/Dec/2021:09:16:05 +0000] GET / 200 5"#, Fault::NoRequest),
            (r#"192.0.2.1 - - [08/Dec/2021:09:16:05 +0000] "GET / HTTP/1.1 200 5"#, Fault::Quotes),
            (r#"192.0.2.1 - - [08/Dec/2021:09:16:05 +0000] "GET / HTTP/1.1" abc 5"#, Fault::Status),
        ] {
            assert_eq!(read(text).map(|_| ()), Err(fault), "{text}");
        }
    }
}
