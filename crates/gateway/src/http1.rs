//! HTTP/1 towards callers: one exchange after the other on one connection.
//!
//! Written here because framing is what this product is about: every byte is read once, by the
//! scanner that refuses what can be read in two ways, and what is answered follows from the same
//! reading. The exchange, its upload and its answer are driven by the connection's own task.

mod answering;
mod reader;

use std::{cell::RefCell, future::Future, io, pin::Pin, rc::Rc, task::Poll};

use http::{Version, header};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{
    arrival::Arrival,
    exchange,
    framing::{BodyFraming, Head},
    inbound::{Inbound, InboundBody},
    io::CallerIo,
};
use answering::Manner;
use reader::{Reader, ReaderBody};

/// How a connection ended, and what is left of it.
pub(crate) struct Ended<S> {
    pub(crate) stream: S,
    /// What was read and not used.
    pub(crate) held: Vec<u8>,
    pub(crate) why: Why,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Why {
    /// Nothing more is to be said, or somebody has gone.
    Done,
    /// An answer was given before all of the request was read.
    Unread,
}

/// Serves until one side has had enough; `None` when the connection has failed.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    io: CallerIo<S>,
    arrival: &Rc<Arrival>,
) -> Option<Ended<S>> {
    let reader = Rc::new(RefCell::new(Reader::new(io)));
    let why = match exchanges(&reader, arrival).await {
        Ok(why) => why,
        Err(error) => {
            tracing::debug!(%error, "exchange ended early");
            return None;
        }
    };
    // A body that somebody still holds on to keeps the connection from being used any further.
    let io = Rc::try_unwrap(reader).ok()?.into_inner().io;
    Some(Ended { stream: io.stream, held: io.input.to_vec(), why })
}

async fn exchanges<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    reader: &Rc<RefCell<Reader<S>>>,
    arrival: &Rc<Arrival>,
) -> io::Result<Why> {
    loop {
        let head = std::future::poll_fn(|cx| reader.borrow_mut().poll_head(cx)).await?;
        let Some(head) = head else { return Ok(Why::Done) };
        let inbound = match Inbound::of_head(&head) {
            Ok(inbound) => Box::new(inbound),
            Err(refusal) => {
                arrival.wire.refuse(refusal, &head.raw);
                return Ok(Why::Done);
            }
        };
        let manner = Manner::of(&inbound);
        let body = body(reader, &head, &inbound);
        // Boxed, so that a connection without an exchange does without its room.
        let exchange = Box::pin(exchange::serve(Rc::clone(arrival), Some(head), inbound, body));
        let Some(response) = unless_gone(reader, exchange).await else { return Ok(Why::Done) };
        let again = answering::answer(reader, response, &manner, &arrival.wire).await?;
        let is_read = reader.borrow_mut().is_read();
        if !is_read {
            return Ok(Why::Unread);
        }
        if !again {
            return Ok(Why::Done);
        }
    }
}

fn body<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    reader: &Rc<RefCell<Reader<S>>>,
    head: &Head,
    inbound: &Inbound,
) -> InboundBody {
    if matches!(head.body, BodyFraming::None) {
        return InboundBody::Empty;
    }
    let waits = inbound.headers.get(header::EXPECT).is_some_and(|expected| {
        inbound.version == Version::HTTP_11
            && expected.as_bytes().eq_ignore_ascii_case(b"100-continue")
    });
    if waits {
        reader.borrow_mut().will_ask();
    }
    InboundBody::Http1(Rc::new(ReaderBody::new(reader)))
}

/// What `future` gives, unless the caller goes away first.
async fn unless_gone<S: AsyncRead + AsyncWrite + Unpin, F: Future + Unpin>(
    reader: &RefCell<Reader<S>>,
    mut future: F,
) -> Option<F::Output> {
    std::future::poll_fn(|cx| match Pin::new(&mut future).poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => reader.borrow_mut().poll_gone(cx).map(|()| None),
    })
    .await
}
