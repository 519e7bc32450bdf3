//! Whether a Host value is an authority, and whether two authorities name the same place.
//!
//! RFC 3986 lets a registered name hold more than DNS does (`;`, `,`, `%41`); servers read those
//! differently, so only letters, digits, `-`, `.`, `_`, `~`, and a bracketed IPv6 address pass.

/// Whether `value` is `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(crate) fn is_authority(value: &[u8]) -> bool {
    split(value).is_some()
}

/// Whether two authorities agree: hosts without regard to case, ports after the defaults.
pub(crate) fn agree(host: &[u8], authority: &[u8]) -> bool {
    let (Some(a), Some(b)) = (split(host), split(authority)) else { return false };
    a.0.eq_ignore_ascii_case(b.0) && (a.1 == b.1 || (is_default(a.1) && is_default(b.1)))
}

fn is_default(port: &[u8]) -> bool {
    matches!(port, b"" | b"80" | b"443")
}

/// Host and port; `None` when it is no authority.
fn split(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let (host, port) = if value.first() == Some(&b'[') {
        let close = memchr::memchr(b']', value)?;
        let inner = value.get(1..close)?;
        let v6 = inner.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
        if inner.is_empty() || !v6 {
            return None;
        }
        value.split_at_checked(close + 1)?
    } else {
        let end = memchr::memchr(b':', value).unwrap_or(value.len());
        let (host, port) = value.split_at_checked(end)?;
        if host.is_empty() || !host.iter().all(|b| is_host_byte(*b)) {
            return None;
        }
        (host, port)
    };
    let digits = match port.split_first() {
        None => port,
        Some((b':', digits)) => digits,
        Some(_) => return None,
    };
    (digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit)).then_some((host, digits))
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
