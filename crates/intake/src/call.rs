//! From a recorded line to a request and its answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Version};
use shield::timeline::{Call, Reply};
use traffic::recording::{ExchangeLine, RequestPart, ResponsePart};
use traffic::{Peer, Scheme, Timestamp};

/// The peer of an exchange that names none.
const NOBODY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
/// How long an answer takes that does not say.
const AFTER_DEFAULT: Duration = Duration::from_millis(5);

/// What is wrong with a line that is JSON and yet no exchange.
#[derive(Debug, thiserror::Error)]
pub enum NotAnExchange {
    /// The method is no HTTP token.
    #[error("request.method {0:?} is no HTTP method")]
    Method(String),
    /// The URL is neither absolute nor a path.
    #[error("request.url {0:?} is neither a URL nor begins with '/'")]
    Url(String),
    /// The time is no RFC 3339 time.
    #[error("time: {0}")]
    Time(#[from] traffic::time::NotATime),
    /// The client is no address.
    #[error("client {0:?} is no address, with or without a port")]
    Client(String),
    /// A header is none.
    #[error("header {0:?} cannot be sent over HTTP")]
    Header(String),
    /// A body is no base64.
    #[error("{0} is no base64")]
    Base64(&'static str),
}

/// The time at which a line says its request was decided.
pub(crate) fn time(line: &ExchangeLine) -> Result<Option<Timestamp>, NotAnExchange> {
    Ok(line.time.as_deref().map(str::parse).transpose()?)
}

/// The request of a line.
pub(crate) fn call(line: &ExchangeLine) -> Result<Call, NotAnExchange> {
    let request = &line.request;
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|_| NotAnExchange::Method(cut(&request.method)))?;
    let headers = headers(&request.headers)?;
    let (scheme, authority, target) = split_url(request, &headers)?;
    let body =
        body(request.body.as_deref(), request.body_base64.as_deref(), "request.body_base64")?;
    Ok(Call {
        peer: Peer {
            address: client(line.client.as_deref())?,
            scheme,
            ja4: line.tls.as_ref().and_then(|tls| tls.ja4.as_deref()).map(Into::into),
            h2_settings: (!request.h2_settings.is_empty())
                .then(|| request.h2_settings.clone().into()),
        },
        method,
        target: target.into_bytes(),
        version: version(request.version.as_deref()),
        authority,
        headers,
        body: body.unwrap_or_default(),
        is_complete: !request.body_truncated,
        claims: request.claims.clone(),
        rules: [request.rules.as_ref(), line.response.as_ref().and_then(|it| it.rules.as_ref())]
            .map(|rules| rules.cloned().unwrap_or_default()),
        common_password: request.common_password,
    })
}

/// The answer of a line.
pub(crate) fn reply(response: &ResponsePart) -> Result<Reply, NotAnExchange> {
    Ok(Reply {
        status: response.status,
        headers: headers(&response.headers)?,
        body: body(
            response.body.as_deref(),
            response.body_base64.as_deref(),
            "response.body_base64",
        )?,
        is_complete: !response.body_truncated,
        length: response.length,
        after: response.after_us.map_or(AFTER_DEFAULT, Duration::from_micros),
    })
}

fn split_url(
    request: &RequestPart,
    headers: &HeaderMap,
) -> Result<(Scheme, String, String), NotAnExchange> {
    let host =
        || headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let url = request.url.as_str();
    if url.starts_with('/') || url == "*" {
        return Ok((Scheme::Http, host(), url.to_owned()));
    }
    let (scheme, rest) = url.split_once("://").ok_or_else(|| NotAnExchange::Url(cut(url)))?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => Scheme::Http,
        "https" | "wss" => Scheme::Https,
        _ => return Err(NotAnExchange::Url(cut(url))),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let target = target.split('#').next().unwrap_or_default();
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    let named = host();
    Ok((scheme, if named.is_empty() { authority.to_owned() } else { named }, target))
}

fn headers(list: &[(String, String)]) -> Result<HeaderMap, NotAnExchange> {
    let mut map = HeaderMap::with_capacity(list.len());
    for (name, value) in list {
        // Pseudo-headers of HTTP/2 exports are told by the URL already.
        if name.starts_with(':') {
            continue;
        }
        let wrong = || NotAnExchange::Header(cut(name));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        map.append(header, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong())?);
    }
    Ok(map)
}

fn body(
    text: Option<&str>,
    base64: Option<&str>,
    what: &'static str,
) -> Result<Option<Vec<u8>>, NotAnExchange> {
    match (text, base64) {
        (_, Some(base64)) => {
            BASE64.decode(base64).map(Some).map_err(|_| NotAnExchange::Base64(what))
        }
        (Some(text), None) => Ok(Some(text.as_bytes().to_vec())),
        (None, None) => Ok(None),
    }
}

fn client(text: Option<&str>) -> Result<IpAddr, NotAnExchange> {
    let Some(text) = text else { return Ok(NOBODY) };
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()))
        .map_err(|_| NotAnExchange::Client(cut(text)))
}

fn version(text: Option<&str>) -> Version {
    match text.map(|text| text.trim_start_matches("HTTP/")) {
        Some("1.0") => Version::HTTP_10,
        Some("2" | "2.0") => Version::HTTP_2,
        Some("3" | "3.0") => Version::HTTP_3,
        _ => Version::HTTP_11,
    }
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(json: &str) -> ExchangeLine {
        serde_json::from_str(json).expect("a line")
    }

    #[test]
    fn urls_and_clients_come_in_many_forms() {
        for (url, authority, target) in [
            ("/a?b=1", "h.example", "/a?b=1"),
            ("https://x.example:8443/a#frag", "h.example", "/a"),
            ("http://x.example?q=1", "h.example", "/?q=1"),
        ] {
            let json = format!(
                r#"{{"client":"[2001:db8::1]:443","request":{{"method":"GET","url":"{url}","headers":[["Host","h.example"]]}}}}"#
            );
            let call = call(&line(&json)).expect("a call");
            assert_eq!(
                (call.authority.as_str(), call.target.as_slice()),
                (authority, target.as_bytes()),
                "{url}"
            );
            assert_eq!(call.peer.address.to_string(), "2001:db8::1");
        }
        let bare = call(&line(
            r#"{"client":"192.0.2.1:99","request":{"method":"GET","url":"http://x/a"}}"#,
        ))
        .expect("a call");
        assert_eq!(
            (bare.authority.as_str(), bare.peer.address.to_string().as_str()),
            ("x", "192.0.2.1")
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, part) in [
            (r#"{"request":{"method":"G T","url":"/"}}"#, "method"),
            (r#"{"request":{"method":"GET","url":"ftp://x/"}}"#, "url"),
            (r#"{"client":"nobody","request":{"method":"GET","url":"/"}}"#, "client"),
            (r#"{"request":{"method":"GET","url":"/","headers":[["a b","c"]]}}"#, "header"),
            (r#"{"request":{"method":"GET","url":"/","body_base64":"%"}}"#, "base64"),
        ] {
            let error = call(&line(json)).expect_err(json).to_string();
            assert!(error.contains(part), "{error}");
        }
        assert!(time(&line(r#"{"time":"noon","request":{"method":"GET","url":"/"}}"#)).is_err());
    }
}
