//! After a switch of protocols: bytes go both ways, unread, until one side ends or both are silent.

use std::{
    cell::Cell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{arrival::Arrival, hello::Replayed, ticker::Ticker, upstream::Link};

/// A stream that notes when it last gave a byte.
struct Noted<S> {
    stream: S,
    ticker: Rc<Ticker>,
    last_ms: Rc<Cell<u64>>,
}

pub(crate) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    arrival: &Arrival,
    caller: S,
    link: Link,
    idle: Duration,
) -> io::Result<()> {
    let ticker = &arrival.worker.ticker;
    let last_ms = Rc::new(Cell::new(ticker.now_ms()));
    let note = |last_ms: &Rc<Cell<u64>>| (Rc::clone(ticker), Rc::clone(last_ms));
    let (transport, early) = link.into_transport();
    let (clock, last) = note(&last_ms);
    let mut caller = Noted { stream: caller, ticker: clock, last_ms: last };
    let (clock, last) = note(&last_ms);
    let upstream = Replayed::new(early.to_vec(), transport);
    let mut upstream = Noted { stream: upstream, ticker: clock, last_ms: last };
    let silence = async {
        loop {
            let quiet = Duration::from_millis(ticker.now_ms().saturating_sub(last_ms.get()));
            match idle.checked_sub(quiet) {
                Some(left) if !left.is_zero() => ticker.deadline(left).await,
                _ => return,
            }
        }
    };
    tokio::select! {
        copied = tokio::io::copy_bidirectional(&mut caller, &mut upstream) => copied.map(|_| ()),
        () = silence => Ok(()),
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if polled.is_ready() {
            self.last_ms.set(self.ticker.now_ms());
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
