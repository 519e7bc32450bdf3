//! HAR (HTTP Archive 1.2): what a browser or an intercepting proxy saved, bodies and all.
//!
//! Unlike a log it is one document, so it is read whole, up to a limit.

use serde::Deserialize;
use traffic::recording::{ExchangeLine, RequestPart, ResponsePart};

/// Larger documents are not read.
pub(crate) const HAR_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Whether a document that begins with `text` is one: an object whose first member is `log`.
pub(crate) fn begins_like_one(text: &[u8]) -> bool {
    let inside = |text: &[u8], byte: u8| -> Option<usize> {
        let at = text.iter().position(|found| !found.is_ascii_whitespace())?;
        (text.get(at) == Some(&byte)).then_some(at + 1)
    };
    (|| {
        let text = text.get(inside(text, b'{')?..)?;
        let at = text.iter().position(|found| !found.is_ascii_whitespace())?;
        let text = text.get(at..)?.strip_prefix(b"\"log\"")?;
        let text = text.get(inside(text, b':')?..)?;
        inside(text, b'{')
    })()
    .is_some()
}

/// The exchanges of a document, in its order.
pub(crate) fn read(document: &[u8]) -> Result<Vec<ExchangeLine>, String> {
    let Document { log } =
        serde_json::from_slice(document).map_err(|error| format!("not a HAR document: {error}"))?;
    Ok(log.entries.into_iter().map(Entry::exchange).collect())
}

#[derive(Deserialize)]
struct Document {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: Option<String>,
    /// Milliseconds.
    time: Option<f64>,
    request: Request,
    #[serde(default)]
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    http_version: Option<String>,
    #[serde(default)]
    headers: Vec<Header>,
    post_data: Option<PostData>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    status: i32,
    #[serde(default)]
    headers: Vec<Header>,
    content: Option<Content>,
    body_size: Option<i64>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostData {
    mime_type: Option<String>,
    text: Option<String>,
    #[serde(default)]
    params: Vec<Param>,
}

#[derive(Deserialize)]
struct Param {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct Content {
    text: Option<String>,
    encoding: Option<String>,
    size: Option<i64>,
}

impl Entry {
    fn exchange(self) -> ExchangeLine {
        let Self { started_date_time, time, request, response } = self;
        ExchangeLine {
            time: started_date_time,
            request: request.part(),
            response: response.part(time),
            ..ExchangeLine::default()
        }
    }
}

impl Request {
    fn part(self) -> RequestPart {
        let mut headers = pairs(self.headers);
        let body = self.post_data.and_then(|data| {
            let named = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
            if let Some(media) = data.mime_type.clone().filter(|_| !named) {
                headers.push(("content-type".to_owned(), media));
            }
            data.body()
        });
        RequestPart {
            method: self.method,
            url: self.url,
            version: self.http_version.map(version),
            headers,
            body,
            ..RequestPart::default()
        }
    }
}

impl PostData {
    /// The text, or a form put together from its fields.
    fn body(self) -> Option<String> {
        let text = self.text.filter(|text| !text.is_empty());
        text.or_else(|| {
            let encoded =
                |param: &Param| format!("{}={}", encode(&param.name), encode(&param.value));
            let fields: Vec<String> = self.params.iter().map(encoded).collect();
            (!fields.is_empty()).then(|| fields.join("&"))
        })
    }
}

impl Response {
    /// The answer; none where the browser got none (status 0).
    fn part(self, time_ms: Option<f64>) -> Option<ResponsePart> {
        let status = u16::try_from(self.status).ok().filter(|status| *status >= 100)?;
        let size = self.content.as_ref().and_then(|content| content.size).or(self.body_size);
        let (mut body, mut body_base64) = (None, None);
        if let Some(content) = self.content {
            match content.encoding.as_deref() {
                Some("base64") => body_base64 = content.text,
                _ => body = content.text,
            }
        }
        // The text is without content coding, whatever the headers say of it.
        let mut headers = pairs(self.headers);
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-encoding"));
        let micros = time_ms.filter(|ms| ms.is_finite() && *ms >= 0.0).map(|ms| ms * 1_000.0);
        Some(ResponsePart {
            status,
            headers,
            body,
            body_base64,
            length: size.and_then(|size| u64::try_from(size).ok()),
            after_us: micros.and_then(whole),
            ..ResponsePart::default()
        })
    }
}

/// Microseconds without their fraction, up to a day.
fn whole(micros: f64) -> Option<u64> {
    format!("{:.0}", micros.min(86_400e6)).parse().ok()
}

fn pairs(headers: Vec<Header>) -> Vec<(String, String)> {
    // HTTP/2 exports list pseudo-headers; the URL tells what they do.
    let plain = headers.into_iter().filter(|header| !header.name.starts_with(':'));
    plain.map(|header| (header.name, header.value.replace(['\r', '\n'], " "))).collect()
}

fn version(text: String) -> String {
    match text.to_ascii_lowercase().as_str() {
        "h2" | "http/2" | "http/2.0" => "2".to_owned(),
        "h3" | "http/3" | "http/3.0" => "3".to_owned(),
        "http/1.0" => "1.0".to_owned(),
        _ => "1.1".to_owned(),
    }
}

/// What a form's reader undoes.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'@' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_known_by_their_beginning() {
        for (text, expected) in [
            ("{\n \"log\" : {\"version\":\"1.2\"", true),
            ("{\"log\":{", true),
            ("{\"log\":\"x\"}", false),
            ("{\"level\":\"info\"}", false),
            ("", false),
        ] {
            assert_eq!(begins_like_one(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn an_entry_becomes_an_exchange() {
        let document = r#"{"log":{"entries":[{"startedDateTime":"2024-06-01T10:00:00.250Z","time":12.5,
            "request":{"method":"POST","url":"https://shop.example/login","httpVersion":"h2",
              "headers":[{"name":":path","value":"/login"},{"name":"accept","value":"*/*"}],
              "postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"user","value":"a b"}]}},
            "response":{"status":200,"headers":[{"name":"Content-Encoding","value":"br"}],
              "content":{"size":11,"text":"{\"ok\":true}"}}},
            {"request":{"method":"GET","url":"https://shop.example/"},"response":{"status":0}}]}}"#;
        let exchanges = read(document.as_bytes()).expect("a document");
        let text = serde_json::to_string(&exchanges).expect("json");
        expect_test::expect![[r#"[{"time":"2024-06-01T10:00:00.250Z","request":{"method":"POST","url":"https://shop.example/login","version":"2","headers":[["accept","*/*"],["content-type","application/x-www-form-urlencoded"]],"body":"user=a%20b"},"response":{"status":200,"body":"{\"ok\":true}","length":11,"after_us":12500}},{"request":{"method":"GET","url":"https://shop.example/"}}]"#]]
        .assert_eq(&text);
        assert!(read(b"{\"log\":7}").is_err());
    }
}
