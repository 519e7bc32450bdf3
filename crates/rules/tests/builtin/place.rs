//! Where in a request a value of the corpus can stand, and how it can be encoded there.

use super::corpus::{Draw, Kernel, Words};
use super::request::{Request, percent, percent_lightly, quoted};

/// `text`, encoded as `how` says.
pub(crate) fn encoded(text: &str, how: &str, draw: &mut Draw) -> String {
    match how {
        "plain" => text.to_owned(),
        "case" => text.chars().map(|c| if draw.below(2) == 0 { upper(c) } else { c }).collect(),
        "comment" => text.replace(' ', "/**/"),
        "double" => percent(text),
        "base64" => base64(text.as_bytes()),
        "unicode" => escaped(text, |code| format!("\\u{code:04x}")),
        "entity" => escaped(text, |code| format!("&#x{code:x};")),
        other => panic!("no such encoding: {other}"),
    }
}

/// A request with `value` in `place`.
pub(crate) fn placed(
    value: &str,
    place: &str,
    kernel: &Kernel,
    words: &Words,
    draw: &mut Draw,
) -> Request {
    if let Some(media_type) = place.strip_prefix("body:") {
        let mut request = Request::post("/api/v1/import", media_type, value);
        request.headers.retain(|(_, value)| !value.is_empty());
        return dressed(request, words, draw);
    }
    let request = match place {
        "request" => return full(value, words, draw),
        "target" => Request::get(percent_lightly(value)),
        "rawpath" => Request::get(format!("/static/{}", percent_lightly(value))),
        "graphql" => graphql(value, draw),
        "argument" => argument(value, draw),
        "envelope" => envelope(value),
        _ => in_endpoint(value, place, kernel, words, draw),
    };
    dressed(request, words, draw)
}

/// In a field, a header or the path of one of the endpoints.
fn in_endpoint(
    value: &str,
    place: &str,
    kernel: &Kernel,
    words: &Words,
    draw: &mut Draw,
) -> Request {
    let endpoint = draw.one(&words.endpoints);
    let path = words.filled(&endpoint.path, draw);
    let fields = if kernel.fields.is_empty() { &endpoint.fields } else { &kernel.fields };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, text) in &endpoint.with {
        pairs.push((name.clone(), words.filled(text, draw)));
    }
    let at = draw.below(pairs.len() + 1);
    pairs.insert(at, (draw.one(fields).clone(), value.to_owned()));
    let object = || {
        let members: Vec<String> =
            pairs.iter().map(|(name, text)| format!("{}:{}", quoted(name), quoted(text))).collect();
        format!("{{{}}}", members.join(","))
    };
    let form = || {
        let pairs: Vec<String> =
            pairs.iter().map(|(name, text)| format!("{name}={}", percent(text))).collect();
        pairs.join("&")
    };
    match place {
        "json" => Request::post(path, "application/json", object()),
        "nested" => {
            let body = format!("{{\"data\":{{\"items\":[{{\"id\":1}},{}]}}}}", object());
            Request::post(path, "application/json; charset=utf-8", body)
        }
        "form" => Request::post(path, "application/x-www-form-urlencoded", form()),
        "query" => Request::get(format!("{path}?{}", form())),
        "path" => Request::get(format!("{path}/{}", percent(value))),
        "xml" => Request::post(path, "application/xml", xml(&pairs)),
        "key" => Request::post(path, "application/json", format!("{{{}:1}}", quoted(value))),
        "multipart" => multipart(path, &pairs),
        "filename" => file_named(path, value),
        "cookie" => Request::get(path).with("Cookie", cookies(value, draw)),
        "agent" => Request::get(path).with("User-Agent", line(value)),
        "header" => {
            let name = *draw.one(&["X-Api-Version", "X-Forwarded-For", "Referer", "X-Client-Id"]);
            Request::get(path).with(name, line(value))
        }
        other => panic!("no such place: {other}"),
    }
}

/// A request written in full, its target as a client would encode it.
fn full(text: &str, words: &Words, draw: &mut Draw) -> Request {
    let mut request = Request::parse(text);
    request.target = percent_lightly(&request.target);
    dressed(request, words, draw)
}

fn graphql(query: &str, draw: &mut Draw) -> Request {
    if draw.below(4) == 0 {
        return Request::get(format!("/graphql?query={}", percent(query)));
    }
    let body = format!("{{\"query\":{},\"variables\":{{}}}}", quoted(query));
    Request::post("/graphql", "application/json", body)
}

/// A value in a GraphQL document itself, or beside it as a variable.
fn argument(value: &str, draw: &mut Draw) -> Request {
    let (query, variables) = if draw.below(2) == 0 {
        let query = format!("query {{ find(name: {}) {{ id name }} }}", quoted(value));
        (query, "{}".to_owned())
    } else {
        let query = "query Find($name: String!) { find(name: $name) { id name } }".to_owned();
        (query, format!("{{\"name\":{}}}", quoted(value)))
    };
    let body = format!("{{\"query\":{},\"variables\":{variables}}}", quoted(&query));
    Request::post("/graphql", "application/json", body)
}

/// A value in a call of SOAP.
fn envelope(value: &str) -> Request {
    let text = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body = format!(
        "<?xml version=\"1.0\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <soap:Body><Find xmlns=\"urn:shop\"><name>{text}</name></Find></soap:Body></soap:Envelope>"
    );
    Request::post("/services/shop", "text/xml; charset=utf-8", body)
        .with("SOAPAction", "\"urn:shop#Find\"")
}

/// With the headers that clients send along, where the request has none of its own.
fn dressed(mut request: Request, words: &Words, draw: &mut Draw) -> Request {
    if request.header("User-Agent").is_none() {
        request = request.with("User-Agent", words.word("agent", draw));
    }
    if request.header("Accept").is_none() {
        request = request.with("Accept", *draw.one(&["*/*", "application/json"]));
    }
    if request.header("Authorization").is_none() && draw.below(2) == 0 {
        let claims = words.word("base64", draw).replace(['+', '/'], "_");
        let token = format!("Bearer eyJhbGciOiJSUzI1NiJ9.eyJ{claims}.{}", draw.text("aZ09_-", 43));
        request = request.with("Authorization", token);
    }
    request
}

fn xml(pairs: &[(String, String)]) -> String {
    let element = |(name, text): &(String, String)| {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        format!("<{name}>{text}</{name}>")
    };
    let elements: String = pairs.iter().map(element).collect();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><entry>{elements}</entry>")
}

fn multipart(path: String, pairs: &[(String, String)]) -> Request {
    let mut body = String::new();
    for (name, text) in pairs {
        body += &format!("--7d4a\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body += &format!("{text}\r\n");
    }
    Request::post(path, "multipart/form-data; boundary=7d4a", body + "--7d4a--\r\n")
}

/// A file that is uploaded under this name.
fn file_named(path: String, name: &str) -> Request {
    let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let body = format!(
        "--7d4a\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/plain\r\n\r\nhello\r\n--7d4a--\r\n"
    );
    Request::post(path, "multipart/form-data; boundary=7d4a", body)
}

/// The value as a cookie among others, encoded where a cookie cannot hold it as it is.
fn cookies(value: &str, draw: &mut Draw) -> String {
    let plain = value.bytes().all(|byte| byte.is_ascii_graphic() && !b";,\"".contains(&byte));
    let value = if plain { value.to_owned() } else { percent(value) };
    format!("_ga=GA1.2.{}; pref={value}; lang=en", draw.below(1_000_000))
}

/// The value as a header can hold it.
fn line(value: &str) -> String {
    if value.bytes().any(|byte| byte < b' ') { percent_lightly(value) } else { value.to_owned() }
}

fn upper(c: char) -> char {
    c.to_ascii_uppercase()
}

fn escaped(text: &str, escape: impl Fn(u32) -> String) -> String {
    text.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { escape(u32::from(c)) })
        .collect()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = 0_usize;
        for index in 0..3 {
            group = group << 8 | usize::from(chunk.get(index).copied().unwrap_or(0));
        }
        for index in 0..4 {
            let symbol = ALPHABET[group >> (18 - 6 * index) & 63];
            text.push(if index <= chunk.len() { char::from(symbol) } else { '=' });
        }
    }
    text
}
