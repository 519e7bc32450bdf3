//! A request on its way out, and how it is written in HTTP/1 and in HTTP/2.
//!
//! It is written anew from what was parsed, with framing of our own: lengths and codings that the
//! caller stated are not repeated but follow from the body that goes along.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};
use http_body::Body;

use super::Upstream;
use crate::{output::write_field, upload::Upload};

/// A request on its way out.
pub(crate) struct Outbound {
    pub(crate) method: Method,
    /// As received, in origin form, or `*`.
    pub(crate) target: Bytes,
    pub(crate) headers: HeaderMap,
    /// They stand in place of received ones of the same names.
    pub(crate) own: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Upload,
    /// It has no body and changes nothing: a connection found stale earns it a second one.
    pub(crate) repeatable: bool,
    /// The upstream may switch protocols.
    pub(crate) upgrades: bool,
}

/// How the end of a body is told over HTTP/1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    None,
    Length(u64),
    Chunked,
}

impl Outbound {
    pub(super) fn framing(&self) -> Framing {
        if self.body.is_end_stream() {
            return Framing::None;
        }
        self.body.size_hint().exact().map_or(Framing::Chunked, Framing::Length)
    }

    /// Writes the head as HTTP/1.1.
    pub(super) fn write_head(&self, upstream: &Upstream, out: &mut Vec<u8>) {
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(&self.target);
        out.extend_from_slice(b" HTTP/1.1\r\n");
        if !self.headers.contains_key(header::HOST) {
            // Only HTTP/1.0 may leave it out.
            write_field(out, &header::HOST, upstream.authority().as_bytes());
        }
        let mut has_length = false;
        for (name, value) in &self.headers {
            if *name == header::CONTENT_LENGTH {
                has_length = true;
            } else if *name != header::TRANSFER_ENCODING
                && !self.own.iter().any(|(own, _)| own == name)
            {
                write_field(out, name, value.as_bytes());
            }
        }
        for (name, value) in &self.own {
            write_field(out, name, value.as_bytes());
        }
        match self.framing() {
            // An empty body that was announced stays announced: some servers insist on it.
            Framing::None if has_length => out.extend_from_slice(b"content-length: 0\r\n"),
            Framing::None => {}
            Framing::Length(length) => {
                write_field(out, &header::CONTENT_LENGTH, HeaderValue::from(length).as_bytes());
            }
            Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        }
        out.extend_from_slice(b"\r\n");
    }

    /// The same for HTTP/2, which wants scheme and authority in the target and no Host beside them.
    pub(super) fn take_for_http2(&mut self, upstream: &Upstream) -> Option<Request<Upload>> {
        let mut headers = self.headers.clone();
        for (name, value) in &self.own {
            headers.insert(name, value.clone());
        }
        headers.remove(header::TRANSFER_ENCODING);
        let host = headers.remove(header::HOST);
        let mut uri = Uri::builder().scheme(upstream.scheme());
        uri = match host.as_ref().map(HeaderValue::as_bytes) {
            None | Some(b"") => uri.authority(upstream.authority()),
            Some(host) => uri.authority(host),
        };
        uri = uri.path_and_query(percent_encode(&self.target));
        let mut request = Request::new(std::mem::replace(&mut self.body, Upload::Empty));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri.build().ok()?;
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = headers;
        Some(request)
    }
}

/// Writes what a URI cannot hold as `%XX`; what is encoded already stays as it is.
fn percent_encode(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len() * 2);
    for &byte in raw {
        let plain = byte.is_ascii_graphic()
            && !matches!(
                byte,
                b'<' | b'>' | b'"' | b'`' | b'\\' | b'^' | b'|' | b'{' | b'}' | b'#'
            );
        if plain {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for nibble in [byte >> 4, byte & 15] {
                out.push(
                    char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase(),
                );
            }
        }
    }
    out
}
