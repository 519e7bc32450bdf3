//! A described request as bytes, as the tests' own client (go-ftw) sends it.
//!
//! Its peculiarities decide tests: data for a form is encoded anew when it is not encoded yet,
//! Content-Type and Content-Length are added when they are missing, and the connection is closed.

use crate::suite::Input;

const FORM: &str = "application/x-www-form-urlencoded";

/// The bytes that are sent.
pub(crate) fn serialise(input: &Input) -> Vec<u8> {
    if let Some(raw) = &input.raw {
        return raw.clone();
    }
    let mut headers = input.headers.clone();
    let has_data = input.data.as_ref().is_some_and(|data| !data.is_empty());
    if has_data && input.completes_headers && find(&headers, "Content-Type").is_none() {
        headers.push(("Content-Type".to_owned(), FORM.to_owned()));
    }
    let is_form = find(&headers, "Content-Type").is_some_and(|it| it == FORM);
    let data = input.data.clone().unwrap_or_default();
    let data = if is_form { encoded(&data) } else { data };
    if input.completes_headers {
        if find(&headers, "Connection").is_none() {
            headers.push(("Connection".to_owned(), "close".to_owned()));
        }
        if !data.is_empty() && find(&headers, "Content-Length").is_none() {
            headers.push(("Content-Length".to_owned(), data.len().to_string()));
        }
    }
    let mut raw = format!("{} {} {}\r\n", input.method, input.uri, input.version);
    for (name, value) in &headers {
        raw.push_str(&format!("{name}: {value}\r\n"));
    }
    raw.push_str("\r\n");
    raw.push_str(&data);
    raw.into_bytes()
}

fn find<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let mut named = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.as_str())
}

/// The data of a form, encoded unless it already is.
fn encoded(data: &str) -> String {
    if is_encoded(data) {
        return data.to_owned();
    }
    let pairs = data.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) => format!("{}={}", escaped(name), escaped(value)),
        None => escaped(pair),
    });
    let encoded = pairs.collect::<Vec<_>>().join("&");
    encoded.trim_end_matches('&').to_owned()
}

/// Does decoding change it, or fail?
fn is_encoded(data: &str) -> bool {
    data.bytes().any(|byte| matches!(byte, b'%' | b'+'))
}

/// The text as a form has it: what is not a letter, a digit or one of `-_.~` as `%HH`, a blank as
/// `+`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            b' ' => escaped.push('+'),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(headers: &[(&str, &str)], data: &str) -> Input {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Input {
            method: "POST".into(),
            uri: "/a".into(),
            version: "HTTP/1.1".into(),
            headers: headers.collect(),
            data: Some(data.into()),
            raw: None,
            completes_headers: true,
        }
    }

    #[test]
    fn a_form_is_encoded_and_completed() {
        let raw = serialise(&input(&[("Host", "h")], "a=1' x&b=;&c&"));
        assert_eq!(
            String::from_utf8(raw).unwrap(),
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Connection: close\r\nContent-Length: 16\r\n\r\na=1%27+x&b=%3B&c"
        );
        let raw = serialise(&input(&[("content-type", FORM)], "a=%27 x"));
        assert!(raw.ends_with(b"\r\n\r\na=%27 x"));
    }

    #[test]
    fn what_is_not_to_be_completed_is_not() {
        let plain = Input { completes_headers: false, ..input(&[("Host", "h")], "a= b") };
        assert_eq!(serialise(&plain), b"POST /a HTTP/1.1\r\nHost: h\r\n\r\na= b");
        let json = input(&[("Content-Type", "application/json"), ("content-length", "3")], "{ }");
        assert!(serialise(&json).ends_with(b"content-length: 3\r\nConnection: close\r\n\r\n{ }"));
    }
}
