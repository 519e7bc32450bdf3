//! The request line: method, target and version, split strictly at two single spaces.
//!
//! It classifies the target's form (RFC 9112 §3.2). It does not decode or normalise anything: what
//! was sent is what goes upstream.

use super::{HeadLimits, Refusal, Span, fields::is_token};

/// HTTP/1 minor version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// HTTP/1.0: no chunks, Host optional.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2, for heads that are written down from frames.
    Http2,
}

/// The forms of a request target that are served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TargetForm {
    /// `/path?query`.
    Origin,
    /// `http://host/path`; the span is its authority, the second the path and query.
    Absolute {
        /// The authority.
        authority: Span,
        /// Path and query, possibly empty.
        path: Span,
    },
    /// `*`, with OPTIONS only.
    Asterisk,
}

#[derive(Debug)]
pub(super) struct RequestLine {
    pub(super) method: Span,
    pub(super) target: Span,
    pub(super) version: Version,
    pub(super) form: TargetForm,
}

/// The longest method that is served; IANA's longest has 17 letters.
const METHOD_BYTES_MAX: usize = 64;
const VERSION_BYTES: usize = " HTTP/1.1".len();

/// Parses a complete request line without its CRLF, which starts at `base` in the head.
pub(super) fn parse(line: &[u8], base: usize, limits: &HeadLimits) -> Result<RequestLine, Refusal> {
    let split = memchr::memchr(b' ', line).ok_or(Refusal::BadRequestLine)?;
    let (method, rest) = line.split_at_checked(split).ok_or(Refusal::BadRequestLine)?;
    if method.is_empty() || method.len() > METHOD_BYTES_MAX || !is_token(method) {
        return Err(Refusal::BadMethod);
    }
    if method == b"CONNECT" {
        return Err(Refusal::BadMethod);
    }
    let (target, version) = split_version(rest.get(1..).unwrap_or_default())?;
    if target.len() > limits.target_bytes {
        return Err(Refusal::TargetTooLong);
    }
    let version = match version {
        b"HTTP/1.1" => Version::Http11,
        b"HTTP/1.0" => Version::Http10,
        _ => return Err(Refusal::BadVersion),
    };
    check_target(target)?;
    let target_start = base + split + 1;
    Ok(RequestLine {
        method: Span::new(base, base + split),
        target: Span::new(target_start, target_start + target.len()),
        version,
        form: form_of(target, target_start, method)?,
    })
}

/// What can be said of a request line before its end has come.
pub(super) fn check_partial(partial: &[u8], limits: &HeadLimits) -> Result<(), Refusal> {
    if partial.len() > METHOD_BYTES_MAX
        && !partial.iter().take(METHOD_BYTES_MAX + 1).any(|b| *b == b' ')
    {
        return Err(Refusal::BadMethod);
    }
    if partial.len() > METHOD_BYTES_MAX + 1 + limits.target_bytes + VERSION_BYTES + 1 {
        return Err(Refusal::TargetTooLong);
    }
    Ok(())
}

fn split_version(rest: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let split = memchr::memrchr(b' ', rest).ok_or(Refusal::BadVersion)?;
    let (target, version) = rest.split_at_checked(split).ok_or(Refusal::BadVersion)?;
    Ok((target, version.get(1..).unwrap_or_default()))
}

/// Refuses what no target may hold.
fn check_target(target: &[u8]) -> Result<(), Refusal> {
    // Without an early exit, because it then runs many bytes at a time.
    let illegal =
        target.iter().fold(false, |bad, &b| bad | (b <= 0x20) | (b == 0x7f) | (b == b'#'));
    if illegal || target.is_empty() { Err(Refusal::BadTarget) } else { Ok(()) }
}

fn form_of(target: &[u8], start: usize, method: &[u8]) -> Result<TargetForm, Refusal> {
    if target.first() == Some(&b'/') {
        return Ok(TargetForm::Origin);
    }
    if target == b"*" {
        return if method == b"OPTIONS" {
            Ok(TargetForm::Asterisk)
        } else {
            Err(Refusal::BadTarget)
        };
    }
    let scheme = [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|t| t.eq_ignore_ascii_case(scheme)))
        .ok_or(Refusal::BadTarget)?;
    let after = target.get(scheme.len()..).unwrap_or_default();
    let length = memchr::memchr2(b'/', b'?', after).unwrap_or(after.len());
    let authority_start = start + scheme.len();
    Ok(TargetForm::Absolute {
        authority: Span::new(authority_start, authority_start + length),
        path: Span::new(authority_start + length, start + target.len()),
    })
}
