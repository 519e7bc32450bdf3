//! HTTP/2 says twice what HTTP/1 says once; this makes it one, or refuses.
//!
//! `:authority` and `Host` must agree, the path must be one that HTTP/1 can carry, the limits on
//! heads hold, and cookie crumbs become one header. The h2 crate has refused connection headers and
//! broken names already.

use http::{HeaderMap, HeaderValue, Method, Version, header};
use http_body::Body;

use crate::{
    framing::{HeadLimits, Refusal, authorities_agree, is_authority},
    inbound::{Inbound, InboundBody},
    terms::CallerTerms,
};

/// What a field counts for beside its bytes (RFC 9113 §6.5.2).
const FIELD_BYTES: usize = 32;

pub(crate) fn settle(
    inbound: &mut Inbound,
    body: &InboundBody,
    terms: &CallerTerms,
) -> Result<(), Refusal> {
    if inbound.version != Version::HTTP_2 {
        return Ok(());
    }
    check_size(inbound, &terms.head, terms.http2.header_list_bytes)?;
    let path = inbound.uri.path_and_query().map(|path| path.as_str()).unwrap_or_default();
    let asterisk = path == "*" && inbound.method == Method::OPTIONS;
    if !(path.starts_with('/') || asterisk) || inbound.method == Method::CONNECT {
        return Err(Refusal::BadPseudoHeader);
    }
    let mut hosts = inbound.headers.get_all(header::HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(Refusal::RepeatedHost);
    }
    let authority = inbound.uri.authority().map(|authority| authority.as_str().as_bytes());
    match (authority, host.map(HeaderValue::as_bytes)) {
        (None, None) => return Err(Refusal::MissingHost),
        (Some(name), _) | (None, Some(name)) if !is_authority(name) => {
            return Err(Refusal::BadHost);
        }
        (Some(authority), Some(host)) if !authorities_agree(authority, host) => {
            return Err(Refusal::HostMismatch);
        }
        _ => {}
    }
    if inbound.headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(Refusal::BadTransferEncoding);
    }
    check_length(&inbound.headers, body)?;
    if let Some(authority) = authority
        && let Ok(host) = HeaderValue::from_bytes(authority)
    {
        inbound.headers.insert(header::HOST, host);
    }
    join_cookies(&mut inbound.headers);
    Ok(())
}

/// The limits on heads, as over HTTP/1. Crumbs of cookies will be one header.
fn check_size(inbound: &Inbound, limits: &HeadLimits, list_bytes: u32) -> Result<(), Refusal> {
    let target = inbound.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > limits.target_bytes {
        return Err(Refusal::TargetTooLong);
    }
    let (mut bytes, mut count, mut crumbs) = (target, 0, 0);
    for (name, value) in &inbound.headers {
        bytes += name.as_str().len() + value.len() + FIELD_BYTES;
        crumbs += usize::from(*name == header::COOKIE);
        count += usize::from(*name != header::COOKIE);
        if limits.reject_underscores && name.as_str().contains('_') {
            return Err(Refusal::Underscore);
        }
    }
    if count + crumbs.min(1) > limits.header_count {
        return Err(Refusal::TooManyHeaders);
    }
    if bytes > usize::try_from(list_bytes).unwrap_or(usize::MAX) {
        return Err(Refusal::HeadersTooLarge);
    }
    Ok(())
}

/// A length that is promised twice, or for a body that has ended already, is a lie.
fn check_length(headers: &HeaderMap, body: &InboundBody) -> Result<(), Refusal> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else { return Ok(()) };
    if lengths.next().is_some() {
        return Err(Refusal::RepeatedContentLength);
    }
    let bytes = length.as_bytes();
    if bytes.is_empty() || bytes.len() > 19 || !bytes.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::BadContentLength);
    }
    let promised = bytes.iter().any(|digit| *digit != b'0');
    if promised && body.is_end_stream() {
        return Err(Refusal::BadContentLength);
    }
    Ok(())
}

/// HTTP/2 may send a cookie header per crumb; HTTP/1 knows one (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<_> =
        headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, joined);
    }
}
