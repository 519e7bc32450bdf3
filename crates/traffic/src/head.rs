//! The head of a request and of an answer, as views.
//!
//! Headers are borrowed from whoever holds them (the proxy library live, a recording in a replay);
//! nothing is copied to be looked at.

use std::net::IpAddr;

use http::{HeaderMap, Method, Version};

/// What the connection tells about the caller before a word is said.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The address of the socket's other end.
    pub address: IpAddr,
    /// How the caller came in.
    pub scheme: Scheme,
    /// The JA4 fingerprint of the TLS ClientHello, where TLS ends here.
    pub ja4: Option<Box<str>>,
    /// The SETTINGS of an HTTP/2 caller in the order it sent them, as identifier and value.
    pub h2_settings: Option<Box<[(u16, u32)]>>,
}

/// The scheme of a request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Scheme {
    /// Without TLS.
    #[default]
    Http,
    /// With TLS.
    Https,
}

/// The head of a request.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target as it was received: path and query, or the absolute form.
    pub target: &'a [u8],
    /// The protocol version.
    pub version: Version,
    /// The authority that the caller addressed (`Host` or `:authority`), with its port if it
    /// named one.
    pub authority: &'a str,
    /// The headers as they were received.
    pub headers: &'a HeaderMap,
    /// Request line and header bytes as they came over the wire, where there is such a thing.
    pub raw: Option<&'a [u8]>,
}

/// The head of an answer.
#[derive(Clone, Copy, Debug)]
pub struct AnswerHead<'a> {
    /// The status code.
    pub status: u16,
    /// The headers as the upstream sent them.
    pub headers: &'a HeaderMap,
}

impl Peer {
    /// A peer without TLS.
    pub const fn plain(address: IpAddr) -> Self {
        Self { address, scheme: Scheme::Http, ja4: None, h2_settings: None }
    }
}

impl Scheme {
    /// `http` or `https`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Head<'_> {
    /// The host addressed, without its port.
    pub fn host(&self) -> &str {
        host_of(self.authority)
    }

    /// The value of a header that stands at most once, when it is text.
    pub fn header(&self, name: &http::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The host of an authority: without user information and port.
pub fn host_of(authority: &str) -> &str {
    if memchr::memchr3(b'@', b':', b'[', authority.as_bytes()).is_none() {
        return authority;
    }
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return host.split_once(']').map_or(host, |(inside, _)| inside.trim_start_matches('['));
    }
    host.split_once(':').map_or(host, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn hosts_lose_their_ports() {
        assert_eq!(host_of("api.example.com:8080"), "api.example.com");
        assert_eq!(host_of("[::1]:80"), "::1");
        assert_eq!(host_of("a@b:1"), "b");
        assert_eq!(host_of(""), "");
    }
}
