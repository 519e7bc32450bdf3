//! One caller's connection, from the first byte to the last.
//!
//! It tells HTTP/1 from HTTP/2, has either served, and does what comes after HTTP/1: the answer to
//! a refused head, or the tunnel that a switch of protocols opens.

use std::{io, net::IpAddr, pin::Pin, rc::Rc, task::Poll, time::Duration};

use hyper::server::conn::http2;
use hyper_util::rt::TokioTimer;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsAcceptor;
use traffic::head::{Peer, Scheme};

use crate::{
    answer::Problem,
    arrival::Arrival,
    exchange::{Front, now},
    framing::Refusal,
    hello::{Replayed, read_hello},
    http1::{self, Ended, Why},
    io::CallerIo,
    listen::LocalExecutor,
    tunnel,
    wire::{Phase, RefusedHead, Wire},
    worker::Worker,
};

/// How long and how much a refused caller may still send, so that it reads our answer and no reset.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 256 << 10;
/// How long each step of a connection may take that is there only to be told to come again.
const TURNED_AWAY_WITHIN: Duration = Duration::from_secs(2);

/// A connection that does not answer a ping for this long is gone.
const HTTP2_PING: Duration = Duration::from_secs(20);

pub(crate) async fn serve(
    worker: Rc<Worker>,
    stream: TcpStream,
    address: IpAddr,
    tls: Option<TlsAcceptor>,
    welcome: bool,
) {
    let mut terms = worker.terms.current();
    if !welcome {
        terms.deadlines.hurry(TURNED_AWAY_WITHIN);
    }
    let deadlines = terms.deadlines;
    let wire = Rc::new(Wire::new(terms, worker.ticker.now_ms()));
    let _watched = worker.ticker.watch(Rc::clone(&wire));
    let mut peer = Peer::plain(address);
    let outcome = match tls {
        None => speak(&worker, stream, wire, peer, None, welcome).await,
        Some(acceptor) => {
            peer.scheme = Scheme::Https;
            let handshake = Box::pin(async {
                let mut stream = stream;
                let hello = read_hello(&mut stream).await?;
                let ja4 = shield::ja4::fingerprint(&hello);
                let stream = acceptor.accept(Replayed::new(hello, stream)).await?;
                Ok::<_, io::Error>((stream, ja4))
            });
            match worker.within(deadlines.handshake, handshake).await {
                Some(Ok((stream, ja4))) => {
                    peer.ja4 = ja4.map(String::into_boxed_str);
                    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                    speak(&worker, stream, wire, peer, Some(http2), welcome).await
                }
                Some(Err(error)) => Err(error),
                None => Err(io::ErrorKind::TimedOut.into()),
            }
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "connection ended");
    }
}

/// Serves whichever version of HTTP is spoken.
async fn speak<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    worker: &Rc<Worker>,
    stream: S,
    wire: Rc<Wire>,
    mut peer: Peer,
    negotiated_http2: Option<bool>,
    welcome: bool,
) -> io::Result<()> {
    let mut caller = CallerIo::new(stream, Rc::clone(&wire));
    let http2 = caller.speaks_http2().await?;
    if negotiated_http2 == Some(true) && !http2 {
        if caller.has_begun() {
            worker.refused_unread(Refusal::Http2Preface, 1, &peer);
        }
        return Err(io::ErrorKind::InvalidData.into());
    }
    if http2 {
        peer.h2_settings = caller.settings().await?;
    }
    let arrival = Rc::new(Arrival::new(Rc::clone(worker), wire, peer, http2, welcome));
    // Boxed, as what few connections come to is below: each has room for its largest moment.
    if http2 {
        Box::pin(serve_http2(caller, arrival)).await
    } else {
        serve_http1(caller, arrival).await
    }
}

async fn serve_http1<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    caller: CallerIo<S>,
    arrival: Rc<Arrival>,
) -> io::Result<()> {
    let Some(Ended { mut stream, held, why }) = http1::serve(caller, &arrival).await else {
        return Ok(());
    };
    if let Some((link, idle)) = arrival.take_tunnel() {
        return Box::pin(tunnel::run(&arrival, Replayed::new(held, stream), link, idle)).await;
    }
    if let Some(refused) = arrival.wire.take_refused() {
        return Box::pin(refuse(&arrival, &mut stream, &refused)).await;
    }
    if !arrival.welcome || why == Why::Unread {
        // Closing now would reset away an answer that was given before all of the request was read.
        let farewell = Box::pin(take_leave(&mut stream));
        return arrival.worker.within(LINGER, farewell).await.unwrap_or(Ok(()));
    }
    stream.shutdown().await
}

async fn serve_http2<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    caller: CallerIo<S>,
    arrival: Rc<Arrival>,
) -> io::Result<()> {
    let wire = Rc::clone(&arrival.wire);
    let limits = wire.terms.http2;
    let (_counted, streams) = arrival.source.begin_http2(limits.streams);
    let mut builder = http2::Builder::new(Streams(Rc::clone(&arrival)));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(streams)
        .initial_stream_window_size(limits.stream_window_bytes)
        .initial_connection_window_size(limits.connection_window_bytes)
        // Up to the limit with room to spare requests are read, so that a refusal has its ID.
        .max_header_list_size(limits.header_list_bytes.saturating_mul(2))
        .max_send_buf_size(limits.send_buffer_bytes)
        .max_pending_accept_reset_streams(limits.resets)
        .max_local_error_reset_streams(limits.resets)
        .keep_alive_interval(HTTP2_PING)
        .keep_alive_timeout(HTTP2_PING);
    let mut conn = builder.serve_connection(caller.into_http2(), Front(Rc::clone(&arrival)));
    let mut told = false;
    let mut farewell = None;
    std::future::poll_fn(|cx| {
        if (wire.is_closing() || wire.expired().is_some()) && !told {
            told = true;
            Pin::new(&mut conn).graceful_shutdown();
        }
        let polled = Future::poll(Pin::new(&mut conn), cx);
        if let Some((refusal, count)) = wire.take_http2_fault() {
            arrival.worker.refused_unread(refusal, count, &arrival.peer);
        }
        if wire.expired().is_none() || wire.phase() != Phase::Idle {
            farewell = None;
        } else if polled.is_pending() {
            // No exchange is under way, and the ends of some answers may not have been taken.
            let stall = wire.terms.deadlines.write_stall;
            let deadline = farewell.get_or_insert_with(|| arrival.worker.ticker.deadline(stall));
            if Pin::new(deadline).poll(cx).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        polled.map_err(io::Error::other)
    })
    .await
}

/// Runs the tasks of one HTTP/2 connection: each answer for as long as its caller takes it.
#[derive(Clone)]
struct Streams(Rc<Arrival>);

impl<F: Future + 'static> hyper::rt::Executor<F> for Streams {
    fn execute(&self, future: F) {
        match self.0.take_flow() {
            Some(flow) => {
                tokio::task::spawn_local(flow.watch(future));
            }
            None => LocalExecutor.execute(future),
        }
    }
}

/// Answers a head that was refused, and lets the caller read the answer.
async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
    arrival: &Arrival,
    stream: &mut S,
    refused: &RefusedHead,
) -> io::Result<()> {
    let worker = &arrival.worker;
    let event = worker.ids.event(now());
    let rules = worker.refused(event, refused.refusal, &refused.raw, &arrival.peer, None);
    let answer = Problem::new(refused.refusal.status(), event).wire_bytes(rules.as_deref());
    let farewell = async {
        stream.write_all(&answer).await?;
        take_leave(stream).await
    };
    worker.within(LINGER, farewell).await.unwrap_or(Ok(()))
}

/// Says that no more will be said, and listens until the caller has done the same.
async fn take_leave<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<()> {
    stream.shutdown().await?;
    // On the heap, too.
    let mut scrap = vec![0; 4096];
    let mut seen = 0;
    while seen < LINGER_BYTES_MAX {
        match stream.read(&mut scrap).await? {
            0 => break,
            more => seen += more,
        }
    }
    Ok(())
}
