//! The PROXY protocol, versions 1 and 2: before the first byte of a connection a balancer says
//! whose it is.
//!
//! Whoever may say so decides who the caller is, so a header is read only where a listener expects
//! one and from trusted peers, and there it must be whole, in time, and exactly as the protocol has
//! it. Nothing is guessed from what else may come. Exactly the header is read from the stream; what
//! follows it is left where it is.
//!
//! After <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>. Type-length-values are held
//! to their framing and otherwise passed over; so is the checksum among them, because TCP has one.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::TcpStream,
};
use traffic::Peer;

use crate::{framing::Refusal, worker::Worker};

/// A header must be there by then: the time that one lost segment takes to be sent again.
const WITHIN: Duration = Duration::from_secs(3);

/// The longest header of version 1, its line end included.
const LINE_BYTES_MAX: usize = 107;
/// The shortest: `PROXY UNKNOWN` and its line end. Nothing that this program speaks is shorter.
const LEAST: usize = 15;
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// What follows the fixed part of version 2: addresses and values. The protocol allows 64 KiB;
/// balancers send some dozens of bytes, with a client's certificate some hundreds.
const REST_BYTES_MAX: usize = 2048;

/// Whose connection it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// That of a caller at this address.
    Caller(IpAddr),
    /// The peer's own, as for its health checks, or one of which it knows no more.
    Peer,
}

/// Why a header is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum HeaderFault {
    /// It begins as neither version does.
    #[error("there is no PROXY header")]
    Missing,
    /// A line that is not as version 1 has it.
    #[error("the PROXY line is malformed")]
    Line,
    /// A header that is not as version 2 has it.
    #[error("the PROXY header is malformed")]
    Binary,
    /// More than anybody sends.
    #[error("the PROXY header is too long")]
    TooLong,
}

/// Reads a header at the start of `bytes`: whose connection it is, and how long the header is.
/// `None` when there is more to come.
///
/// # Errors
/// When what is there cannot become a header.
pub fn parse(bytes: &[u8]) -> Result<Option<(Source, usize)>, HeaderFault> {
    let known = bytes.len().min(SIGNATURE.len());
    if bytes.get(..known) == SIGNATURE.get(..known) {
        return parse_binary(bytes);
    }
    const WORD: &[u8] = b"PROXY ";
    let known = bytes.len().min(WORD.len());
    if bytes.get(..known) != WORD.get(..known) {
        return Err(HeaderFault::Missing);
    }
    let within = bytes.get(..bytes.len().min(LINE_BYTES_MAX)).unwrap_or_default();
    match within.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let line = within.get(..end).and_then(|line| line.strip_suffix(b"\r"));
            let source = line.and_then(parse_line).ok_or(HeaderFault::Line)?;
            Ok(Some((source, end + 1)))
        }
        None if within.len() == LINE_BYTES_MAX => Err(HeaderFault::TooLong),
        None => Ok(None),
    }
}

/// Version 1, without its line end.
fn parse_line(line: &[u8]) -> Option<Source> {
    let line = std::str::from_utf8(line).ok()?;
    let rest = line.strip_prefix("PROXY ")?;
    // What follows UNKNOWN is to be ignored, whatever it says.
    if rest == "UNKNOWN" || rest.starts_with("UNKNOWN ") {
        return Some(Source::Peer);
    }
    let mut words = rest.split(' ');
    let family = words.next()?;
    let (source, destination) = (words.next()?, words.next()?);
    let ports = [words.next()?, words.next()?];
    if words.next().is_some() || !ports.iter().all(|port| is_port(port)) {
        return None;
    }
    let (source, _) = match family {
        "TCP4" => {
            (IpAddr::V4(source.parse().ok()?), IpAddr::V4(destination.parse::<Ipv4Addr>().ok()?))
        }
        "TCP6" => {
            (IpAddr::V6(source.parse().ok()?), IpAddr::V6(destination.parse::<Ipv6Addr>().ok()?))
        }
        _ => return None,
    };
    Some(Source::Caller(source.to_canonical()))
}

/// Decimal, without a sign or a leading zero.
fn is_port(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain && (text == "0" || !text.starts_with('0')) && text.parse::<u16>().is_ok()
}

fn parse_binary(bytes: &[u8]) -> Result<Option<(Source, usize)>, HeaderFault> {
    let Some(&[command, family, high, low]) = bytes.get(SIGNATURE.len()..SIGNATURE.len() + 4)
    else {
        return Ok(None);
    };
    let start = SIGNATURE.len() + 4;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let is_local = match command {
        0x20 => true,
        0x21 => false,
        _ => return Err(HeaderFault::Binary),
    };
    let address_bytes = match family {
        0x00 => 0,
        0x11 | 0x12 => 12,
        0x21 | 0x22 => 36,
        0x31 | 0x32 => 216,
        _ => return Err(HeaderFault::Binary),
    };
    if length > REST_BYTES_MAX {
        return Err(HeaderFault::TooLong);
    }
    if length < address_bytes && !is_local {
        return Err(HeaderFault::Binary);
    }
    let Some(rest) = bytes.get(start..start + length) else { return Ok(None) };
    let whole = start + length;
    // What a local connection or one without a family carries is to be skipped unread.
    if is_local || family == 0x00 {
        return Ok(Some((Source::Peer, whole)));
    }
    if !rest.get(address_bytes..).is_some_and(are_values) {
        return Err(HeaderFault::Binary);
    }
    let source = match family {
        0x11 => rest.first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
        0x21 => rest.first_chunk::<16>().map(|octets| IpAddr::from(*octets)),
        // Datagrams and local sockets do not carry HTTP from anywhere.
        _ => return Err(HeaderFault::Binary),
    };
    let source = source.ok_or(HeaderFault::Binary)?;
    Ok(Some((Source::Caller(source.to_canonical()), whole)))
}

/// Whether type-length-values fill their place exactly.
fn are_values(mut rest: &[u8]) -> bool {
    while let Some((&[_, high, low], after)) = rest.split_first_chunk::<3>() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(next) = after.get(length..) else { return false };
        rest = next;
    }
    rest.is_empty()
}

/// Whose connection a trusted peer passes on; `None` when it does not say so, which gets an event.
pub(crate) async fn caller(
    worker: &Worker,
    stream: &mut TcpStream,
    peer: IpAddr,
) -> Option<IpAddr> {
    let read = worker.within(WITHIN, read(stream)).await;
    let error = match read.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())) {
        Ok(Source::Caller(caller)) => return Some(caller),
        Ok(Source::Peer) => return Some(peer),
        Err(error) => error,
    };
    // Nothing can be said to it: what it speaks is not known. One that says nothing at all has only
    // looked whether somebody is there.
    tracing::debug!(%error, balancer = %peer, "connection refused");
    if error.kind() != io::ErrorKind::UnexpectedEof {
        worker.refused_unread(Refusal::NoProxyHeader, 1, &Peer::plain(peer));
    }
    None
}

/// Reads a header, and nothing beyond it.
async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Source> {
    let mut bytes = vec![0; LEAST];
    stream.read_exact(&mut bytes).await?;
    loop {
        let parsed = parse(&bytes);
        let parsed = parsed.map_err(|fault| io::Error::new(io::ErrorKind::InvalidData, fault))?;
        if let Some((source, _)) = parsed {
            return Ok(source);
        }
        let more = missing(&bytes);
        let from = bytes.len();
        bytes.resize(from + more, 0);
        stream.read_exact(bytes.get_mut(from..).unwrap_or_default()).await?;
    }
}

/// How many bytes are missing at the least, so that none is read that belongs to what follows.
fn missing(bytes: &[u8]) -> usize {
    if !bytes.starts_with(SIGNATURE) {
        return 1;
    }
    let start = SIGNATURE.len() + 4;
    let length = bytes.get(start - 2..start).and_then(|length| length.first_chunk::<2>());
    let whole = length.map_or(start, |length| start + usize::from(u16::from_be_bytes(*length)));
    whole.saturating_sub(bytes.len()).max(1)
}

#[cfg(test)]
mod tests;
