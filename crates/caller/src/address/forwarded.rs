//! Takes the lines of `X-Forwarded-For` and of RFC 7239 `Forwarded` apart.
//!
//! Both are given right to left, because that is the order in which they are believed. A value
//! that cannot be read stays in its place as `None`: leaving it out would shift trust to the
//! entry on its left, which is the caller's to write.

use std::net::{IpAddr, Ipv6Addr, SocketAddrV4};

/// The entries of a comma-separated line, right-most first.
pub(super) fn list(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.rsplit(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

/// The elements of a `Forwarded` line, right-most first; commas in quotes do not part them.
///
/// Quotes are paired from the right, so that a quote which the caller left open cannot swallow
/// what a trusted proxy appended behind it.
pub(super) fn elements(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let separator = last_separator(line);
        rest = separator.and_then(|at| line.get(..at));
        let element = separator.and_then(|at| line.get(at + 1..)).unwrap_or(line);
        Some(element.trim_ascii())
    })
}

/// The address of the one `for=` parameter of an element.
pub(super) fn for_parameter(element: &[u8]) -> Option<IpAddr> {
    let mut found = None;
    let mut rest = element;
    while !rest.is_empty() {
        let end = unquoted(rest, b';').unwrap_or(rest.len());
        let (pair, tail) = rest.split_at_checked(end)?;
        let equals = pair.iter().position(|&byte| byte == b'=');
        if let Some((name, value)) = equals.and_then(|at| pair.split_at_checked(at))
            && name.trim_ascii().eq_ignore_ascii_case(b"for")
        {
            if found.is_some() {
                return None;
            }
            let value = value.get(1..)?.trim_ascii();
            found = Some(node(unquote(value)?));
        }
        rest = tail.get(1..).unwrap_or_default();
    }
    found.flatten()
}

/// The address of a node: bare, in brackets, and with a port; `unknown` and names have none.
pub(super) fn node(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?;
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (address, rest) = inner.split_once(']')?;
        let port = rest.strip_prefix(':');
        let port_is_right = rest.is_empty() || port.is_some_and(|port| port.parse::<u16>().is_ok());
        let address: Ipv6Addr = address.parse().ok()?;
        return port_is_right.then_some(address.into());
    }
    text.parse::<SocketAddrV4>().ok().map(|address| IpAddr::V4(*address.ip()))
}

/// A quoted value holds no escapes when it is an address, so one with a backslash is none.
fn unquote(value: &[u8]) -> Option<&[u8]> {
    match value.strip_prefix(b"\"") {
        Some(inner) => {
            inner.strip_suffix(b"\"").filter(|text| !text.contains(&b'\\') && !text.contains(&b'"'))
        }
        None => Some(value),
    }
}

/// The place of the first `separator` outside quotes.
fn unquoted(bytes: &[u8], separator: u8) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    bytes.iter().position(|&byte| {
        let found = byte == separator && !quoted;
        if escaped {
            escaped = false;
        } else if quoted && byte == b'\\' {
            escaped = true;
        } else if byte == b'"' {
            quoted = !quoted;
        }
        found
    })
}

/// The place of the last comma outside quotes, as paired from the right.
fn last_separator(line: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut before = line;
    while let Some((&byte, earlier)) = before.split_last() {
        if byte == b',' && !quoted {
            return Some(earlier.len());
        }
        if byte == b'"' {
            let backslashes = earlier.iter().rev().take_while(|&&byte| byte == b'\\').count();
            quoted ^= backslashes % 2 == 0;
        }
        before = earlier;
    }
    None
}
