//! One connection of a load, with as little between the socket and the count as possible: a general
//! client would cost more than the gateway that it measures.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::Load;

/// A request that has no answer after this is counted as one without.
const PATIENCE: Duration = Duration::from_secs(20);
const BUFFER_BYTES: usize = 4096;
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJsb2FkIn0.c2lnbmF0dXJlc2lnbmF0dXJl";

/// A request, by the number that must come back.
#[derive(Clone, Copy)]
pub(super) struct Request {
    number: u64,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// 200 with the request's own number.
    Right,
    /// 503 with `Retry-After`.
    ToldToWait,
    /// An answer to another request.
    MixedUp,
    /// Any other answer.
    Other(u16),
    /// The connection broke, could not be made, or brought no answer in time.
    Broken,
}

/// An open connection.
pub(super) struct Caller {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Request {
    pub(super) fn new(number: u64) -> Self {
        Self { number }
    }

    /// Head and body; made when it is sent, because many may be due before that.
    fn bytes(&self, body: Option<&str>) -> Vec<u8> {
        let (method, length) = match body {
            Some(body) => ("POST", format!("content-length: {}\r\n", body.len())),
            None => ("GET", String::new()),
        };
        let head = format!(
            "{method} /api/items/{} HTTP/1.1\r\nhost: load.test\r\naccept: application/json\r\n\
             authorization: Bearer {TOKEN}\r\ncontent-type: application/json\r\n\
             x-number: {}\r\n{length}\r\n",
            self.number % 64,
            self.number,
        );
        [head.as_bytes(), body.unwrap_or_default().as_bytes()].concat()
    }
}

/// Sends one request, on a new connection if there is none. A connection that can serve no more
/// requests is gone afterwards.
pub(super) async fn exchange(
    load: &Load,
    caller: &mut Option<Caller>,
    request: &Request,
) -> Outcome {
    let done = timeout(PATIENCE, attempt(load, caller, request)).await;
    match done {
        Ok(Some((outcome, keeps))) => {
            if !keeps {
                *caller = None;
            }
            outcome
        }
        _ => {
            *caller = None;
            Outcome::Broken
        }
    }
}

/// The outcome, and whether the connection goes on; `None` when it broke.
async fn attempt(
    load: &Load,
    caller: &mut Option<Caller>,
    request: &Request,
) -> Option<(Outcome, bool)> {
    if caller.as_mut().is_some_and(Caller::has_ended) {
        *caller = None;
    }
    let caller = match caller {
        Some(caller) => caller,
        None => caller.insert(connect(load, request.number).await?),
    };
    caller.stream.write_all(&request.bytes(load.body.as_deref())).await.ok()?;
    let head_end = loop {
        if let Some(end) = find(&caller.buffer, b"\r\n\r\n") {
            break end + 4;
        }
        caller.read_on().await?;
    };
    let head = std::str::from_utf8(caller.buffer.get(..head_end)?).ok()?;
    let status: u16 = head.get(9..12)?.parse().ok()?;
    let length: usize = header(head, "content-length")?.parse().ok()?;
    let told_to_wait = status == 503 && header(head, "retry-after").is_some();
    let keeps = header(head, "connection") != Some("close");
    while caller.buffer.len() < head_end + length {
        caller.read_on().await?;
    }
    let body = caller.buffer.get(head_end..head_end + length)?;
    let outcome = match status {
        200 if body == request.number.to_string().as_bytes() => Outcome::Right,
        200 => Outcome::MixedUp,
        _ if told_to_wait => Outcome::ToldToWait,
        other => Outcome::Other(other),
    };
    // More than was answered would be an answer that nobody asked for.
    let exact = caller.buffer.len() == head_end + length;
    caller.buffer.clear();
    let outcome = if exact { outcome } else { Outcome::MixedUp };
    Some((outcome, keeps))
}

async fn connect(load: &Load, number: u64) -> Option<Caller> {
    let socket = TcpSocket::new_v4().ok()?;
    let turn = u8::try_from(number % u64::from(load.sources.max(1))).unwrap_or(0);
    let from = Ipv4Addr::new(127, 40, 0, 1 + turn);
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0)).ok()?;
    let stream = socket.connect(load.to).await.ok()?;
    stream.set_nodelay(true).ok()?;
    Some(Caller { stream, buffer: Vec::with_capacity(BUFFER_BYTES) })
}

impl Caller {
    /// Whether the server has closed the connection while it was idle, as it may.
    fn has_ended(&mut self) -> bool {
        let mut byte = [0];
        match self.stream.try_read(&mut byte) {
            Ok(0) => true,
            Ok(_) => {
                // An answer that nobody asked for: it is found in the way of the next one.
                self.buffer.extend(byte);
                false
            }
            Err(_) => false,
        }
    }

    async fn read_on(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.buffer).await.ok()?;
        (read > 0).then_some(())
    }
}

/// A header of a head.
pub(super) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

pub(super) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
