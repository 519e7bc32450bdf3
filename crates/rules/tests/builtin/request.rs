//! A request as test data: the short notation that examples are written in, and the places of a
//! request that a value can stand in.
//!
//! An example is `PLACE VALUE` ("query 1 or 1=1", "cookie a=b") or a request as it is sent
//! ("POST /x\nName: value\n\nbody"). What is left out is filled in: host, media type.

/// A request, as an engine is fed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target, "")
    }

    pub(crate) fn post(
        target: impl Into<String>,
        media_type: &str,
        body: impl Into<String>,
    ) -> Self {
        Self::new("POST", target, body).with("Content-Type", media_type)
    }

    fn new(method: &str, target: impl Into<String>, body: impl Into<String>) -> Self {
        let headers = vec![("Host".to_owned(), "api.example.com".to_owned())];
        Self { method: method.to_owned(), target: target.into(), headers, body: body.into() }
    }

    /// The same with one header more.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(had, _)| had.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The request that `notation` stands for.
    pub(crate) fn parse(notation: &str) -> Self {
        let (place, value) = notation.split_once(' ').expect("an example is PLACE VALUE");
        match place {
            "query" => Self::get(format!("/v1/items?q={}", percent(value))),
            "name" => Self::get(format!("/v1/items?{}=1", percent(value))),
            "path" => Self::get(format!("/v1/items/{}", percent(value))),
            "raw" => Self::get(value),
            "cookie" => Self::get("/v1/items").with("Cookie", format!("prefs={value}")),
            "agent" => Self::get("/v1/items").with("User-Agent", value),
            "header" => {
                let (name, value) = value.split_once(": ").expect("a header is NAME: VALUE");
                Self::get("/v1/items").with(name, value)
            }
            "json" => Self::json(format!("{{\"note\":{}}}", quoted(value))),
            "key" => Self::json(format!("{{{}:1}}", quoted(value))),
            "form" => Self::form(format!("note={}", percent(value))),
            "body" => Self::typed("POST", "/v1/items", Vec::new(), value),
            method => Self::sent(method, value),
        }
    }

    fn json(body: String) -> Self {
        Self::post("/v1/items", "application/json", body)
    }

    fn form(body: String) -> Self {
        Self::post("/v1/items", "application/x-www-form-urlencoded", body)
    }

    /// A request in full: target, lines of headers, an empty line, the body.
    fn sent(method: &str, text: &str) -> Self {
        assert!(method.chars().all(|c| c.is_ascii_uppercase()), "no such place: {method}");
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let target = lines.next().unwrap_or("/");
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").expect("a header is NAME: VALUE");
            (name.to_owned(), value.to_owned())
        });
        Self::typed(method, target, headers.collect(), body)
    }

    /// With the media type that the body's first character tells, where none is given.
    fn typed(method: &str, target: &str, given: Vec<(String, String)>, body: &str) -> Self {
        let mut request = Self::new(method, target, body);
        request.headers.extend(given);
        if body.is_empty() || request.header("Content-Type").is_some() {
            return request;
        }
        let media_type = match body.trim_start().chars().next() {
            Some('{' | '[') => "application/json",
            Some('<') => "application/xml",
            _ => "application/x-www-form-urlencoded",
        };
        request.with("Content-Type", media_type)
    }
}

/// `text` with everything percent-encoded that is not unreserved.
pub(crate) fn percent(text: &str) -> String {
    percent_unless(text, |byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

/// `text` as a client puts it into a target: what a target cannot hold is encoded, the rest stays.
pub(crate) fn percent_lightly(text: &str) -> String {
    percent_unless(text, |byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}

fn percent_unless(text: &str, stays: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if stays(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
