//! Reads the TLS ClientHello before TLS does, and replays it.
//!
//! The fingerprint needs the bytes as they came; rustls keeps none of them. What is read is bounded
//! and goes back in front of the stream, so the handshake sees exactly what was sent.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// A ClientHello with post-quantum shares and padding stays below 4 KiB; this is room for the rest.
const HELLO_BYTES_MAX: usize = 64 << 10;
const RECORD_HEADER: usize = 5;
const HANDSHAKE_HEADER: usize = 4;

/// A stream that gives some bytes once more before it goes on.
pub(crate) struct Replayed<S> {
    first: Vec<u8>,
    given: usize,
    stream: S,
}

impl<S> Replayed<S> {
    pub(crate) fn new(first: Vec<u8>, stream: S) -> Self {
        Self { first, given: 0, stream }
    }
}

/// Reads until the ClientHello is complete, or is clearly none; what was read is returned.
pub(crate) async fn read_hello<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Vec<u8>> {
    let mut read = Vec::with_capacity(2048);
    while read.len() < HELLO_BYTES_MAX && !is_settled(&read) {
        if stream.read_buf(&mut read).await? == 0 {
            break;
        }
    }
    Ok(read)
}

/// Whether the records hold the whole ClientHello, or something that is none.
fn is_settled(read: &[u8]) -> bool {
    let mut message_bytes = 0;
    let mut header = [0; HANDSHAKE_HEADER];
    let mut rest = read;
    while let Some((&[kind, major, _, high, low], after)) =
        rest.split_first_chunk::<RECORD_HEADER>()
    {
        let length = usize::from(u16::from_be_bytes([high, low]));
        if kind != 22 || major != 3 || length == 0 {
            return true;
        }
        let part = after.get(..length.min(after.len())).unwrap_or_default();
        for (place, byte) in header.iter_mut().skip(message_bytes).zip(part) {
            *place = *byte;
        }
        message_bytes += part.len();
        if message_bytes > 0 && header.first() != Some(&1) {
            return true;
        }
        let Some(next) = after.get(length..) else { break };
        rest = next;
    }
    let [_, a, b, c] = header;
    let body_bytes = u32::from_be_bytes([0, a, b, c]) as usize;
    message_bytes >= HANDSHAKE_HEADER && message_bytes >= HANDSHAKE_HEADER + body_bytes
}

impl<S: AsyncRead + Unpin> AsyncRead for Replayed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let rest = this.first.get(this.given..).unwrap_or_default();
        if rest.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let now = rest.get(..rest.len().min(buf.remaining())).unwrap_or_default();
        buf.put_slice(now);
        this.given += now.len();
        if this.given == this.first.len() {
            this.first = Vec::new();
            this.given = 0;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Replayed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).expect("small").to_be_bytes();
        [&[22, 3, 1][..], &length, payload].concat()
    }

    #[test]
    fn a_hello_is_complete_over_any_number_of_records() {
        let hello = [&[1, 0, 0, 40][..], &[7; 40]].concat();
        let whole = record(&hello);
        let split = [record(&hello[..10]), record(&hello[10..])].concat();
        let tiny = [record(&hello[..2]), record(&hello[2..])].concat();
        for input in [whole, split, tiny] {
            for cut in 0..input.len() {
                assert!(!is_settled(&input[..cut]), "cut {cut}");
            }
            assert!(is_settled(&input));
        }
    }

    #[test]
    fn what_is_no_hello_is_left_to_tls_at_once() {
        assert!(is_settled(b"GET / HTTP/1.1\r\n"));
        assert!(is_settled(&record(&[2, 0, 0, 1, 0])));
    }

    #[tokio::test]
    async fn replayed_bytes_come_first() {
        let mut stream = Replayed::new(b"abc".to_vec(), &b"def"[..]);
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.expect("reads");
        assert_eq!(all, b"abcdef");
    }
}
