//! The backend of the tests (albedo): at `/reflect` it answers what the request's JSON says, and
//! elsewhere nothing in particular.

use base64::Engine as _;
use serde_json::Value;

/// An answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Answers a request.
pub(crate) fn answer(method: &[u8], path: &[u8], body: &[u8]) -> Answer {
    let described = (method == b"POST" && path == b"/reflect")
        .then(|| serde_json::from_slice::<Value>(body).ok())
        .flatten();
    let Some(described) = described else {
        return Answer { status: 200, ..Answer::default() };
    };
    let status = described["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    let headers = described["headers"].as_object().into_iter().flatten();
    let headers =
        headers.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let mut headers: Vec<(String, String)> = headers.collect();
    let plain = described["body"].as_str().map(|text| text.as_bytes().to_vec());
    let coded = described["encodedBody"].as_str();
    let coded = coded.and_then(|text| base64::prelude::BASE64_STANDARD.decode(text).ok());
    let body = plain.or(coded).unwrap_or_default();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("Content-Type".to_owned(), sniffed(&body).to_owned()));
    }
    Answer { status: status.unwrap_or(200), headers, body }
}

/// The media type that the backend's HTTP library guesses.
fn sniffed(body: &[u8]) -> &'static str {
    let start = body.trim_ascii_start().to_ascii_lowercase();
    let html = [
        "<!doctype html",
        "<html",
        "<head",
        "<script",
        "<iframe",
        "<h1",
        "<div",
        "<font",
        "<table",
        "<a",
        "<style",
        "<title",
        "<b",
        "<body",
        "<br",
        "<p",
        "<!--",
    ];
    let is_html = html.iter().any(|mark| {
        let rest = start.strip_prefix(mark.as_bytes());
        rest.is_some_and(|rest| matches!(rest.first(), Some(b' ' | b'>')))
    });
    let is_binary =
        body.iter().any(|byte| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f));
    match (is_html, is_binary) {
        (true, _) => "text/html; charset=utf-8",
        _ if start.starts_with(b"<?xml") => "text/xml; charset=utf-8",
        (false, true) => "application/octet-stream",
        (false, false) => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_request_describes_is_answered() {
        let body = br#"{"status": 503, "headers": {"X-A": "b"}, "encodedBody": "AAE="}"#;
        let described = answer(b"POST", b"/reflect", body);
        assert_eq!((described.status, described.body.as_slice()), (503, &b"\x00\x01"[..]));
        assert_eq!(described.headers[0], ("X-A".to_owned(), "b".to_owned()));
        assert_eq!(described.headers[1].1, "application/octet-stream");
        assert_eq!(answer(b"GET", b"/", b"{}").status, 200);
    }
}
