//! Access logs of AWS application load balancers.
//!
//! Fields stand apart by single spaces and some are quoted; the list grows at its end, so what is
//! behind the user agent is not looked at, except that the client chose the host it addressed.

use super::line::{LogLine, NoRequest};
use super::pattern::{NotAFormat, Pattern};
use super::{Fault, Zone};

/// The documented order. The time is that of the answer, and three spans add up to how long it
/// took; a span of -1 was not measured.
const FORMAT: &str = "$kind $time_iso8601 $elb $remote_addr $target $request_processing_time \
    $target_processing_time $response_processing_time $status $target_status_code $received_bytes \
    $bytes_sent \"$request\" \"$http_user_agent\" $ssl_cipher";

/// Kinds of connection that a line begins with.
const KINDS: [&[u8]; 6] = [b"http ", b"https ", b"h2 ", b"grpcs ", b"ws ", b"wss "];

/// The format, taken apart.
pub(super) fn pattern(zone: Zone) -> Result<Pattern, NotAFormat> {
    Pattern::of(FORMAT, zone)
}

/// Reads a line.
pub(super) fn read<'a>(pattern: &Pattern, text: &'a [u8]) -> Result<LogLine<'a>, Fault> {
    let kind = KINDS.iter().find(|kind| text.starts_with(kind)).ok_or(Fault::Shape)?;
    let mut line = pattern.read(text)?;
    line.is_tls = matches!(*kind, b"https " | b"h2 " | b"grpcs " | b"wss ");
    // A request that could not be read is written as `- http://host:port- -`.
    if line.request.read() == Err(NoRequest::NotHttp)
        && line.request.line.as_deref().is_some_and(|line| line.starts_with(b"- "))
    {
        line.request.line = Some((&b""[..]).into());
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_and_its_spans_add_up() {
        let pattern = pattern(Zone::UTC).expect("the format");
        let text = br#"https 2023-04-26T12:23:00.186641Z app/x/49 [2001:db8::7]:44740 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/robots.txt HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2 - "-""#;
        let line = read(&pattern, text).expect("a line");
        assert_eq!(line.caller().map(|client| client.to_string()).as_deref(), Some("2001:db8::7"));
        let (at, took) = line.times().expect("times");
        assert_eq!(
            (at.to_string().as_str(), took.as_millis()),
            ("2023-04-26T12:23:00.015641Z", 171)
        );
        assert_eq!((line.status, line.bytes, line.is_tls), (Some(200), Some(57), true));
        let refused = br#"http 2023-04-26T12:23:00.186641Z app/x/49 192.0.2.1:4 - -1 -1 -1 400 - 0 57 "- http://www.example.com:80- -" "-" - -"#;
        let line = read(&pattern, refused).expect("a line");
        assert_eq!(line.request.read(), Err(NoRequest::Empty));
        assert!(read(&pattern, b"tcp 2023-04-26T12:23:00.186641Z").is_err());
    }
}
