//! Writes an answer over HTTP/1, with framing that follows from its body (RFC 9112 §6).

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::SystemTime,
};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, Version, header, response::Parts};
use http_body::{Body, Frame};
use tokio::io::{AsyncRead, AsyncWrite};

use super::reader::Reader;
use crate::{
    headers::has_token,
    inbound::Inbound,
    output::{Output, write_field},
    relay::Answer,
    wire::Wire,
};

/// What the request says about how it is to be answered.
pub(super) struct Manner {
    version: Version,
    asked_head: bool,
    takes_trailers: bool,
    /// The caller wants to go on after this exchange.
    persistent: bool,
}

impl Manner {
    pub(super) fn of(inbound: &Inbound) -> Self {
        let says = |token| has_token(&inbound.headers, &header::CONNECTION, token);
        let is_1_1 = inbound.version == Version::HTTP_11;
        Self {
            version: inbound.version,
            asked_head: inbound.method == Method::HEAD,
            takes_trailers: is_1_1 && has_token(&inbound.headers, &header::TE, "trailers"),
            persistent: if is_1_1 { !says("close") } else { says("keep-alive") },
        }
    }
}

/// How the end of an answer's body is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Framing {
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

/// Writes an answer to its end; whether another exchange may follow.
pub(super) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    reader: &RefCell<Reader<S>>,
    response: Response<Answer>,
    manner: &Manner,
    wire: &Wire,
) -> io::Result<bool> {
    let (parts, answer) = response.into_parts();
    let framing = framing(&parts, &answer, manner);
    let stays = manner.persistent
        && framing != Framing::UntilClose
        && !wire.is_closing()
        && !has_token(&parts.headers, &header::CONNECTION, "close");
    let switches = parts.status == StatusCode::SWITCHING_PROTOCOLS;
    let mut writing = Writing {
        answer: (framing != Framing::None).then_some(answer),
        output: Output::default(),
        framing,
        takes_trailers: manner.takes_trailers,
        cut: false,
    };
    write_head(writing.output.front(), &parts, framing, manner, stays || switches);
    reader.borrow_mut().will_not_ask();
    std::future::poll_fn(|cx| writing.poll(reader, cx)).await?;
    if writing.cut {
        // The caller must not take it for whole, and there is no other way to say so.
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(stays && !switches)
}

fn framing(parts: &Parts, answer: &Answer, manner: &Manner) -> Framing {
    let bodiless = manner.asked_head
        || parts.status.is_informational()
        || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    match answer.size_hint().exact() {
        _ if bodiless => Framing::None,
        Some(length) => Framing::Length(length),
        None if manner.version == Version::HTTP_11 => Framing::Chunked,
        None => Framing::UntilClose,
    }
}

fn write_head(out: &mut Vec<u8>, parts: &Parts, framing: Framing, manner: &Manner, stays: bool) {
    out.reserve(512);
    let is_1_1 = manner.version == Version::HTTP_11;
    out.extend_from_slice(if is_1_1 { b"HTTP/1.1 " } else { b"HTTP/1.0 " });
    out.extend_from_slice(parts.status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(parts.status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
    let mut has_date = false;
    let states_length = framing == Framing::None && parts.status != StatusCode::NO_CONTENT;
    for (name, value) in &parts.headers {
        has_date |= *name == header::DATE;
        if *name == header::CONTENT_LENGTH && !states_length {
            continue;
        }
        if *name == header::CONNECTION && !stays {
            continue;
        }
        write_field(out, name, value.as_bytes());
    }
    match framing {
        Framing::Length(length) => {
            write_field(out, &header::CONTENT_LENGTH, HeaderValue::from(length).as_bytes());
        }
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::None | Framing::UntilClose => {}
    }
    if !stays {
        out.extend_from_slice(b"connection: close\r\n");
    } else if !is_1_1 {
        out.extend_from_slice(b"connection: keep-alive\r\n");
    }
    if !has_date {
        let now = httpdate::fmt_http_date(SystemTime::now());
        write_field(out, &header::DATE, now.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// An answer that is being written.
struct Writing {
    /// `None` once its end has been taken in.
    answer: Option<Answer>,
    output: Output,
    framing: Framing,
    takes_trailers: bool,
    /// The body stopped before its end.
    cut: bool,
}

impl Writing {
    fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        reader: &RefCell<Reader<S>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            // What is there already goes out with the head in one piece.
            let waits = self.gather(cx).is_pending();
            let mut reader = reader.borrow_mut();
            while !self.output.is_empty() {
                let output = &mut self.output;
                ready!(reader.io.poll_write_by(cx, |stream, cx| output.poll_write(stream, cx)))?;
            }
            ready!(reader.io.poll_write_by(cx, |stream, cx| Pin::new(stream).poll_flush(cx)))?;
            if self.answer.is_none() {
                return Poll::Ready(Ok(()));
            }
            if waits {
                ready!(reader.poll_gone(cx));
                return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
            }
        }
    }

    /// Takes in pieces of the body until there is enough to write, or no more is here.
    fn gather(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(answer) = &mut self.answer
            && !self.output.is_full()
        {
            let frame = match ready!(Pin::new(&mut *answer).poll_frame(cx)) {
                Some(Ok(frame)) => Some(frame),
                None => None,
                Some(Err(error)) => {
                    tracing::debug!(%error, "answer cut short");
                    self.cut = true;
                    self.answer = None;
                    break;
                }
            };
            // The end of chunks is a piece of its own.
            let ended = self.framing != Framing::Chunked && answer.is_end_stream();
            if !self.push(frame) || ended {
                self.answer = None;
            }
        }
        Poll::Ready(())
    }

    /// Takes in a piece of the body, or its end; whether more may follow.
    fn push(&mut self, frame: Option<Frame<Bytes>>) -> bool {
        if self.framing == Framing::Chunked {
            let takes_trailers = self.takes_trailers;
            return self.output.push_chunk(frame, |trailers| {
                if !takes_trailers {
                    trailers.clear();
                }
            });
        }
        match frame.map(Frame::into_data) {
            Some(Ok(data)) => {
                self.output.push(data);
                true
            }
            Some(Err(_)) | None => false,
        }
    }
}
