//! Logs with one JSON object a line: nginx, Envoy, Caddy, Traefik.
//!
//! An object is read into flat fields once; each dialect says what its names mean. Names are
//! compared in lower case with `_` for `-`, because people write nginx's as they like.

use std::borrow::Cow;

use http::HeaderName;
use traffic::Fields;
use traffic::fields::Field as JsonField;

use super::field::{self, Field, Unit};
use super::line::{LogLine, Moment};
use super::pattern::{nginx_variable, request_header};
use super::{Fault, Zone};

/// Longer paths of names are none that a log has.
const PATH_BYTES_MAX: usize = 96;
/// Deeper members are not looked at.
const DEPTH_MAX: usize = 4;

/// Whose names an object has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dialect {
    /// nginx's variables, and what people call them.
    Plain,
    Envoy,
    Caddy,
    Traefik,
}

impl Dialect {
    /// The closest first: what an nginx log may call its fields, others may, too.
    pub(crate) const ALL: [Self; 4] = [Self::Traefik, Self::Caddy, Self::Envoy, Self::Plain];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "JSON",
            Self::Envoy => "Envoy JSON",
            Self::Caddy => "Caddy JSON",
            Self::Traefik => "Traefik JSON",
        }
    }

    fn field(self, path: &str) -> Option<Field> {
        match self {
            Self::Plain => plain(path),
            Self::Envoy => envoy(path),
            Self::Caddy => caddy(path),
            Self::Traefik => traefik(path),
        }
    }
}

/// Reads a line into `fields` and from there.
pub(super) fn read<'a>(
    dialect: Dialect,
    text: &[u8],
    fields: &'a mut Fields,
    zone: Zone,
) -> Result<LogLine<'a>, Fault> {
    parse(text, fields)?;
    let mut line = LogLine::default();
    let mut buffer = [0; PATH_BYTES_MAX];
    for member in fields.leaves() {
        let Some(path) = path(&member, &mut buffer) else { continue };
        if path.starts_with("request.tls.") {
            line.is_tls = true;
        }
        let Some(field) = dialect.field(path) else { continue };
        // Caddy writes this in place of credentials.
        if member.value_bytes() != b"REDACTED" {
            field::put(&mut line, &field, Cow::Borrowed(member.value_bytes()), zone)?;
        }
    }
    Ok(line)
}

fn parse(text: &[u8], fields: &mut Fields) -> Result<(), Fault> {
    let text = text.trim_ascii();
    if !text.starts_with(b"{") {
        return Err(Fault::Json);
    }
    fields.clear();
    traffic::json::read(text, fields);
    if fields.anomalies().broken && memchr::memmem::find(text, b"\\x").is_some() {
        // nginx without `escape=json` writes `\x22`, which JSON does not know.
        fields.clear();
        traffic::json::read(&with_unicode_escapes(text), fields);
    }
    let anomalies = fields.anomalies();
    if anomalies.broken || anomalies.too_deep { Err(Fault::Json) } else { Ok(()) }
}

/// `\xHH` as `\u00HH`.
fn with_unicode_escapes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        let from = rest.get(at..).unwrap_or_default();
        let (escape, taken) = match from {
            [_, b'x', ..] => (&b"\\u00"[..], 2),
            _ => (from.get(..2).unwrap_or(from), 2.min(from.len())),
        };
        out.extend_from_slice(escape);
        rest = from.get(taken..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// The names down to a member, joined by dots. Elements of arrays have their array's.
fn path<'b>(member: &JsonField<'_>, buffer: &'b mut [u8; PATH_BYTES_MAX]) -> Option<&'b str> {
    let mut names: [&[u8]; DEPTH_MAX] = [&[]; DEPTH_MAX];
    let mut count = 0;
    let mut at = Some(*member);
    while let Some(field) = at {
        let name = field.name_bytes();
        if !name.is_empty() {
            *names.get_mut(count)? = name;
            count += 1;
        }
        at = field.parent();
    }
    let mut length = 0;
    for name in names.get(..count)?.iter().rev() {
        if length > 0 {
            *buffer.get_mut(length)? = b'.';
            length += 1;
        }
        for byte in *name {
            *buffer.get_mut(length)? = if *byte == b'-' { b'_' } else { byte.to_ascii_lowercase() };
            length += 1;
        }
    }
    std::str::from_utf8(buffer.get(..length)?).ok()
}

fn plain(path: &str) -> Option<Field> {
    Some(match path {
        "time" | "timestamp" | "@timestamp" | "ts" | "date" | "datetime" | "logged_at" => {
            Field::Time(Moment::End)
        }
        "start_time" | "started_at" => Field::Time(Moment::Start),
        "remote_ip" | "client_ip" | "clientip" | "client" | "ip" | "remote_address" | "c_ip"
        | "client_addr" | "client_address" | "remote_host" | "src_ip" | "source_ip"
        | "source.ip" | "client.ip" | "source.address" => Field::Client,
        "request_line" => Field::Request,
        "method" | "verb" | "http_method" | "http.request.method" | "httprequest.requestmethod" => {
            Field::Method
        }
        "url" | "request_url" | "target" | "url.original" | "httprequest.requesturl" => {
            Field::Target
        }
        "path" | "request_path" | "url.path" | "uri_path" => Field::Path,
        "query" | "url.query" | "uri_query" => Field::Query,
        "protocol" | "proto" | "http_version" | "request_protocol" => Field::Version,
        "vhost" | "authority" | "domain" | "hostname" | "server_host" | "url.domain" => Field::Host,
        "status_code"
        | "response_code"
        | "response_status"
        | "code"
        | "response"
        | "http.response.status_code"
        | "httprequest.status" => Field::Status,
        "size" | "bytes" | "response_size" | "response_length" | "http.response.body.bytes" => {
            Field::Bytes
        }
        "response_time" => Field::Took(Unit::Seconds),
        "duration_ms" | "latency_ms" | "request_time_ms" | "response_time_ms" | "elapsed_ms" => {
            Field::Took(Unit::Millis)
        }
        "user_agent" | "useragent" | "agent" | "user_agent.original" => {
            request_header("user-agent")
        }
        "x_forwarded_for" | "xff" => request_header("x-forwarded-for"),
        "cookie" => request_header("cookie"),
        "ja4" => Field::Ja4,
        variable if !variable.contains('.') => match nginx_variable(variable) {
            Field::Other => return None,
            field => field,
        },
        _ => return None,
    })
}

fn envoy(path: &str) -> Option<Field> {
    Some(match path {
        "start_time" => Field::Time(Moment::Start),
        "method" | "request_method" => Field::Method,
        "path" | "request_path" => Field::Target,
        "protocol" => Field::Version,
        "response_code" => Field::Status,
        "bytes_sent" => Field::Bytes,
        "duration" => Field::Took(Unit::Millis),
        "authority" | "host" => Field::Host,
        "downstream_remote_address" | "downstream_remote_address_without_port" => Field::Client,
        "user_agent" => request_header("user-agent"),
        "x_forwarded_for" => request_header("x-forwarded-for"),
        "ja4" | "tls_ja4_fingerprint" => Field::Ja4,
        _ => return None,
    })
}

fn caddy(path: &str) -> Option<Field> {
    if let Some(name) = path.strip_prefix("request.headers.") {
        return Some(request_header(&name.replace('_', "-")));
    }
    if let Some(name) = path.strip_prefix("resp_headers.") {
        return answer_header(name);
    }
    Some(match path {
        "ts" => Field::Time(Moment::End),
        // The peer, and then whom trusted proxies name: the later one counts.
        "request.remote_addr" | "request.remote_ip" | "request.client_ip" => Field::Client,
        "request.method" => Field::Method,
        "request.uri" => Field::Target,
        "request.proto" => Field::Version,
        "request.host" => Field::Host,
        "status" => Field::Status,
        "size" => Field::Bytes,
        "duration" => Field::Took(Unit::Seconds),
        "user_id" => Field::User,
        _ => return None,
    })
}

fn traefik(path: &str) -> Option<Field> {
    Some(match path {
        "startutc" => Field::Time(Moment::Start),
        "time" => Field::Time(Moment::End),
        "clientaddr" | "clienthost" => Field::Client,
        "clientusername" => Field::User,
        "requestmethod" => Field::Method,
        "requestpath" => Field::Target,
        "requestprotocol" => Field::Version,
        "requesthost" => Field::Host,
        "requestaddr" => Field::HostByConfiguration,
        "requestscheme" => Field::Scheme,
        "downstreamstatus" => Field::Status,
        "downstreamcontentsize" => Field::Bytes,
        "duration" => Field::Took(Unit::Nanos),
        _ => match path.split_once('_') {
            Some(("request", name)) => request_header(&name.replace('_', "-")),
            Some(("downstream", name)) => return answer_header(name),
            _ => return None,
        },
    })
}

fn answer_header(name: &str) -> Option<Field> {
    HeaderName::try_from(name.replace('_', "-")).ok().map(Field::AnswerHeader)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(dialect: Dialect, text: &str) -> String {
        let mut fields = Fields::default();
        match read(dialect, text.as_bytes(), &mut fields, Zone::UTC) {
            Ok(line) => {
                let request = line.request.read().expect("a request");
                let (at, took) = line.times().expect("times");
                let client = line.caller().expect("a client");
                let target = String::from_utf8_lossy(&request.target).into_owned();
                let host =
                    String::from_utf8_lossy(line.host.as_deref().unwrap_or(b"-")).into_owned();
                let names: Vec<_> = line.headers.iter().map(|(name, _)| name.as_str()).collect();
                format!(
                    "{at} {took:?} {client} {} {host}{target} {:?} {:?} {names:?}",
                    request.method, line.status, line.bytes
                )
            }
            Err(fault) => format!("{fault:?}"),
        }
    }

    #[test]
    fn four_dialects_are_read() {
        expect_test::expect![[
            r#"2024-06-01T10:00:00.000000Z 0ns 192.0.2.7 GET shop.example/a?q="x" Some(200) Some(17) ["user-agent", "x-forwarded-for"]"#
        ]]
        .assert_eq(&read_line(Dialect::Plain, r#"{"time_iso8601":"2024-06-01T12:00:00+02:00","remote_addr":"192.0.2.7","request":"GET /a?q=\x22x\x22 HTTP/2.0","status":"200","body_bytes_sent":17,"request_time":"0.012","http_host":"shop.example","http_user_agent":"curl/8","http_x_forwarded_for":"198.51.100.9"}"#));
        expect_test::expect![[
            r#"2024-06-01T10:00:00.500000Z 12ms 192.0.2.7 POST api.example/v1/orders?x=1 Some(201) Some(5) ["user-agent"]"#
        ]]
        .assert_eq(&read_line(Dialect::Envoy, r#"{"start_time":"2024-06-01T10:00:00.500Z","method":"POST","path":"/v1/orders?x=1","protocol":"HTTP/2","response_code":201,"bytes_sent":5,"duration":12,"authority":"api.example","user_agent":"x","downstream_remote_address":"192.0.2.7:5555"}"#));
        expect_test::expect![[
            r#"2023-09-04T15:19:51.756499Z 2.5ms 192.0.2.9 GET x.example/ Some(401) Some(0) ["user-agent", "accept"]"#
        ]]
        .assert_eq(&read_line(Dialect::Caddy, r#"{"level":"info","ts":1693840791.7589995,"request":{"remote_ip":"10.0.0.1","client_ip":"192.0.2.9","proto":"HTTP/1.1","method":"GET","host":"x.example","uri":"/","headers":{"User-Agent":["curl/7"],"Accept":["*/*"],"Authorization":["REDACTED"]}},"duration":0.0025,"size":0,"status":401}"#));
        expect_test::expect![[
            r#"2021-12-08T14:02:43.587782Z 357.313µs 172.17.0.1 GET t.example/x.save Some(200) Some(357) ["user-agent"]"#
        ]]
        .assert_eq(&read_line(Dialect::Traefik, r#"{"ClientAddr":"172.17.0.1:39496","ClientHost":"172.17.0.1","DownstreamContentSize":357,"DownstreamStatus":200,"Duration":357313,"RequestHost":"t.example","RequestMethod":"GET","RequestPath":"/x.save","RequestProtocol":"HTTP/1.1","RequestScheme":"http","StartUTC":"2021-12-08T14:02:43.587782192Z","downstream_Content-Type":"text/plain","request_User-Agent":"Nikto","time":"2021-12-08T14:02:43Z"}"#));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[1]", "{", r#"{"a":1"#, "GET / HTTP/1.1"] {
            assert_eq!(read_line(Dialect::Plain, text), "Json", "{text}");
        }
    }
}
