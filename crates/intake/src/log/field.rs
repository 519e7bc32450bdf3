//! The fields of a log line, by what they mean and in which unit they stand.
//!
//! Each format names its fields in its own way; here they come down to one list, and a value is
//! put into its place in the [`LogLine`] by one function.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::HeaderName;

use super::line::{LogLine, Moment};
use super::time;
use super::{Fault, Zone};

/// What a field holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Field {
    /// The client's address, with or without a port; of several the last, which the nearest proxy
    /// saw itself.
    Client,
    /// The name that Basic credentials gave.
    User,
    /// When, in whichever of the usual forms.
    Time(Moment),
    /// When, in seconds since the epoch with a fraction, or in so many parts of a second.
    Epoch(Moment, Unit),
    /// The whole request line.
    Request,
    /// Its method.
    Method,
    /// Its target.
    Target,
    /// The target's path, where the query is a field of its own.
    Path,
    /// The query, with or without its question mark.
    Query,
    /// The protocol.
    Version,
    /// The host addressed.
    Host,
    /// The host, where nothing better names it.
    HostByConfiguration,
    /// http or https.
    Scheme,
    /// The status that the client got.
    Status,
    /// Bytes of the answer.
    Bytes,
    /// How long it took.
    Took(Unit),
    /// A part of how long it took; parts add up.
    TookPart(Unit),
    /// The JA4 fingerprint.
    Ja4,
    /// A header of the request.
    Header(HeaderName),
    /// A header of the answer.
    AnswerHeader(HeaderName),
    /// Nothing that counts here.
    Other,
}

/// The unit of a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    /// So many nanoseconds.
    pub(crate) const fn nanos(self) -> u64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Millis => 1_000_000,
            Self::Micros => 1_000,
            Self::Nanos => 1,
        }
    }
}

/// Puts `value` into its place. What is empty or `-` is not there.
pub(crate) fn put<'a>(
    line: &mut LogLine<'a>,
    field: &Field,
    value: Cow<'a, [u8]>,
    zone: Zone,
) -> Result<(), Fault> {
    if value.is_empty() || value.as_ref() == b"-" {
        // The time is the only one whose absence is told here: nothing could be done without it.
        return Ok(());
    }
    match field {
        Field::Client => line.client = Some(client(&value).ok_or(Fault::Client)?),
        Field::User => line.user = Some(value),
        Field::Time(moment) => line.happened(time::any(&value, zone)?, *moment),
        Field::Epoch(moment, unit) => line.happened(time::epoch(&value, *unit)?, *moment),
        Field::Request => line.request.line = Some(value),
        Field::Method => line.request.method = Some(value),
        Field::Target => line.request.target = Some(value),
        Field::Path if line.request.target.is_none() => line.request.path = Some(value),
        Field::Path => {}
        Field::Query => line.request.query = Some(value),
        Field::Version => line.request.version = Some(value),
        Field::Host => line.host = Some(value),
        Field::HostByConfiguration if line.host.is_none() && value.as_ref() != b"_" => {
            line.host = Some(value);
        }
        Field::HostByConfiguration => {}
        Field::Scheme => line.is_tls = value.eq_ignore_ascii_case(b"https"),
        Field::Status => line.status = status(&value)?,
        Field::Bytes => line.bytes = number(&value),
        // Of two, the finer says more: it is the larger, as the other was rounded down.
        Field::Took(unit) => line.took = line.took.max(span(&value, *unit)),
        Field::TookPart(unit) => {
            if let Some(part) = span(&value, *unit) {
                line.took = Some(line.took.unwrap_or_default().saturating_add(part));
            }
        }
        Field::Ja4 => line.ja4 = Some(value),
        Field::Header(name) => line.header(name, value),
        Field::AnswerHeader(name) => line.answer_header(name, value),
        Field::Other => {}
    }
    Ok(())
}

/// The address in `text`: bare, in brackets, with a port, the last of a list.
pub(crate) fn client(text: &[u8]) -> Option<IpAddr> {
    let last = text.rsplit(|byte| matches!(byte, b',' | b' ')).next()?;
    if let Some(address) = v4(last) {
        return Some(address);
    }
    let text = std::str::from_utf8(last).ok()?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(socket.ip().to_canonical());
    }
    let bare = text.trim_start_matches('[').split([']', '%']).next()?;
    bare.parse::<Ipv6Addr>().ok().map(|address| IpAddr::V6(address).to_canonical()).or_else(|| {
        // HAProxy writes an IPv6 address and its port without brackets.
        let (address, port) = text.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        address.parse::<Ipv6Addr>().ok().map(|address| IpAddr::V6(address).to_canonical())
    })
}

/// The commonest form, read by hand: each line has one.
fn v4(text: &[u8]) -> Option<IpAddr> {
    let mut octets = [0_u8; 4];
    let mut at = 0;
    let mut digits = 0;
    for byte in text {
        match byte {
            b'0'..=b'9' if digits < 3 => {
                let octet = octets.get_mut(at)?;
                *octet = octet.checked_mul(10)?.checked_add(byte - b'0')?;
                digits += 1;
            }
            b'.' if digits > 0 && at < 3 => {
                at += 1;
                digits = 0;
            }
            _ => return None,
        }
    }
    (at == 3 && digits > 0).then(|| IpAddr::from(octets))
}

/// A status; none where the log says that there was none (0, -1).
fn status(value: &[u8]) -> Result<Option<u16>, Fault> {
    match value {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            let digit = |byte: &u8| u16::from(byte - b'0');
            Ok(Some(digit(a) * 100 + digit(b) * 10 + digit(c)))
        }
        b"0" | b"000" | b"-1" => Ok(None),
        _ => Err(Fault::Status),
    }
}

/// A whole number; nothing else is one.
fn number(value: &[u8]) -> Option<u64> {
    value.iter().try_fold(0_u64, |sum, byte| {
        byte.is_ascii_digit().then_some(())?;
        sum.checked_mul(10)?.checked_add(u64::from(byte - b'0'))
    })
}

/// A span; what is no number, or negative, says nothing. Of several (one an upstream) the first.
fn span(value: &[u8], unit: Unit) -> Option<Duration> {
    let first = value.split(|byte| matches!(byte, b',' | b' ' | b':')).next()?;
    let text = first.strip_suffix(b"ms").unwrap_or(first);
    time::decimal_nanos(text, unit).map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_come_in_many_forms() {
        for (text, address) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:4711", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:443", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("fe80::1%eth0", "fe80::1"),
            ("198.51.100.1, 192.0.2.7", "192.0.2.7"),
            ("198.51.100.1,192.0.2.7", "192.0.2.7"),
            ("2001:db8:0:0:0:0:0:7:443", "2001:db8::7"),
        ] {
            let read = client(text.as_bytes()).map(|address| address.to_string());
            assert_eq!(read.as_deref(), Some(address), "{text}");
        }
        for wrong in ["", "host.example", "192.0.2", "192.0.2.256", "1.2.3.4.5", "unix:"] {
            assert_eq!(client(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn spans_have_units() {
        let read = |text: &str, unit| span(text.as_bytes(), unit).map(|span| span.as_micros());
        assert_eq!(read("0.042", Unit::Seconds), Some(42_000));
        assert_eq!(read("17ms", Unit::Millis), Some(17_000));
        assert_eq!(read("2.67e-06", Unit::Seconds), None);
        assert_eq!(read("0.010, 0.002", Unit::Seconds), Some(10_000));
        assert_eq!(read("-1", Unit::Seconds), None);
    }
}
