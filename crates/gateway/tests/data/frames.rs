//! HTTP/2 by hand: frames and header blocks written byte by byte, because every library refuses to
//! write what has to be refused.
//!
//! Header blocks use literals only, without Huffman and the dynamic table (RFC 7541 §6.2.2), so
//! that any byte can stand in a name or a value.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;

/// A header list as it is written.
pub(crate) type Fields = &'static [(&'static [u8], &'static [u8])];

/// A frame to send.
#[derive(Clone, Copy)]
pub(crate) enum Frame {
    /// A whole header block.
    Head { stream: u32, flags: u8, fields: Fields },
    /// A piece of a body.
    Body { stream: u32, flags: u8, bytes: &'static [u8] },
    /// A header block with padding: how much is claimed, and how much is there.
    PaddedHead { flags: u8, claimed: u8, padding: usize, fields: Fields },
    /// A header block of this many fields more, in frames that fit.
    Flood { fields: Fields, more: usize },
    /// Anything.
    Raw { kind: u8, flags: u8, stream: u32, payload: &'static [u8] },
}

/// What came back on the stream of the request.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// An answer of our own with an event.
    Refused { status: u16, event: String },
    /// An answer of the far side.
    Answered(u16),
    /// The stream was reset, or the connection ended.
    Reset,
    /// Nothing in time.
    Silence,
}

impl Frame {
    fn write(&self, to: &mut Vec<u8>) {
        match *self {
            Self::Head { stream, flags, fields } => {
                put(to, HEADERS, flags | END_HEADERS, stream, &block(fields));
            }
            Self::Body { stream, flags, bytes } => put(to, DATA, flags, stream, bytes),
            Self::PaddedHead { flags, claimed, padding, fields } => {
                let payload = [&[claimed], &block(fields)[..], &vec![0; padding]].concat();
                put(to, HEADERS, flags | END_HEADERS | PADDED, 1, &payload);
            }
            Self::Flood { fields, more } => {
                put(to, HEADERS, END_STREAM, 1, &block(fields));
                for number in 0..more {
                    let last = if number + 1 == more { END_HEADERS } else { 0 };
                    let value = [b'a'; 4000];
                    put(to, CONTINUATION, last, 1, &literal(b"x-flood", &value));
                }
            }
            Self::Raw { kind, flags, stream, payload } => put(to, kind, flags, stream, payload),
        }
    }
}

/// Sends the frames on a connection of their own, and waits for what becomes of stream 1.
pub(crate) fn exchange(front: SocketAddr, frames: &[Frame]) -> Outcome {
    let mut stream = TcpStream::connect(front).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut bytes = PREFACE.to_vec();
    put(&mut bytes, SETTINGS, 0, 0, &[]);
    for frame in frames {
        frame.write(&mut bytes);
    }
    // It may have been refused before its end was written; what was said then is what counts.
    let _ = stream.write_all(&bytes);
    let (mut status, mut body) = (None, Vec::new());
    loop {
        let mut head = [0; 9];
        if let Err(error) = stream.read_exact(&mut head) {
            let waited = matches!(
                error.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            );
            return if waited { Outcome::Silence } else { Outcome::Reset };
        }
        let [a, b, c, kind, flags, ref id @ ..] = head;
        let id = u32::from_be_bytes(*id);
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload).expect("a whole frame");
        match kind {
            GOAWAY if payload.get(4..8) != Some(&[0; 4][..]) => return Outcome::Reset,
            RST_STREAM if id == 1 && status.is_none() => return Outcome::Reset,
            HEADERS if id == 1 => status = status.or(Some(status_of(&payload))),
            DATA if id == 1 => body.extend_from_slice(&payload),
            PUSH_PROMISE => panic!("nobody asked for a push"),
            _ => {}
        }
        let ended = matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0
            || kind == RST_STREAM && status.is_some();
        if id == 1 && ended {
            return told(status.expect("a head"), &body);
        }
    }
}

fn told(status: u16, body: &[u8]) -> Outcome {
    let text = String::from_utf8_lossy(body);
    let event = text.split_once("urn:uuid:").and_then(|(_, rest)| rest.split('"').next());
    match event {
        Some(event) => Outcome::Refused { status: said(&text), event: event.to_owned() },
        None => Outcome::Answered(status),
    }
}

/// The status that a problem document says.
fn said(text: &str) -> u16 {
    let status = text.split_once("\"status\":").and_then(|(_, rest)| rest.get(..3));
    status.and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// The statuses of the static table; others are told by our own documents, or do not matter.
fn status_of(block: &[u8]) -> u16 {
    match block.first() {
        Some(0x88) => 200,
        Some(0x8c) => 400,
        Some(0x8d) => 404,
        Some(0x8e) => 500,
        _ => 0,
    }
}

fn put(to: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("a frame's length").to_be_bytes();
    to.extend_from_slice(&length[1..]);
    to.extend_from_slice(&[kind, flags]);
    to.extend_from_slice(&stream.to_be_bytes());
    to.extend_from_slice(payload);
}

fn block(fields: Fields) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| literal(name, value)).collect()
}

/// A literal field without indexing, its name new.
fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0];
    for text in [name, value] {
        length(&mut bytes, text.len());
        bytes.extend_from_slice(text);
    }
    bytes
}

/// An integer with a prefix of seven bits (RFC 7541 §5.1).
fn length(to: &mut Vec<u8>, length: usize) {
    if length < 127 {
        to.push(u8::try_from(length).expect("below 127"));
        return;
    }
    to.push(127);
    let mut rest = length - 127;
    while rest >= 128 {
        to.push(u8::try_from(rest % 128 + 128).expect("a byte"));
        rest /= 128;
    }
    to.push(u8::try_from(rest).expect("below 128"));
}
