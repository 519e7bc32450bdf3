//! One HTTP/1 connection to an upstream, driven by whoever uses it.
//!
//! hyper's client wants its connection polled beside the request. A task for that would be woken
//! twice per request; here the exchange polls it. While it does, wake-ups that polling itself
//! causes are noted instead of waking the task that is running already.

use std::{
    cell::Cell,
    future::Future,
    pin::pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::http1::{Connection, SendRequest},
};

use super::stream::{Marks, Transport, UpstreamIo};
use crate::{ticker::Deadline, upload::Upload};

pub(crate) struct Link {
    sender: SendRequest<Upload>,
    conn: Connection<UpstreamIo, Upload>,
    driver: Arc<Driver>,
    waker: Waker,
    marks: Rc<Marks>,
    closed: bool,
    /// It has carried an exchange before.
    pub(super) reused: bool,
    _counted: Counted,
}

/// Counts an open connection for as long as it lives.
pub(super) struct Counted(Rc<Cell<usize>>);

impl Counted {
    pub(super) fn one_more(open: &Rc<Cell<usize>>) -> Self {
        open.set(open.get() + 1);
        Self(Rc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// An answer's head, and the connection its body comes over.
pub(crate) struct Answered {
    pub(crate) response: Response<Incoming>,
    /// `None` when HTTP/2 carries it: its connection lives by itself.
    pub(crate) link: Option<Box<Link>>,
}

/// Why a link brought no answer.
pub(super) struct Broken {
    /// The request, if not a byte of it was written.
    pub(super) unsent: Option<Request<Upload>>,
    /// A byte of an answer had arrived.
    pub(super) answered: bool,
    pub(super) timed_out: bool,
}

impl Link {
    pub(super) async fn open(transport: Transport, counted: Counted) -> hyper::Result<Box<Self>> {
        let marks = Rc::new(Marks::default());
        let io = UpstreamIo::new(transport, Rc::clone(&marks));
        let (sender, conn) = hyper::client::conn::http1::Builder::new().handshake(io).await?;
        let driver = Arc::new(Driver::default());
        let waker = Waker::from(Arc::clone(&driver));
        let (closed, reused, _counted) = (false, false, counted);
        Ok(Box::new(Self { sender, conn, driver, waker, marks, closed, reused, _counted }))
    }

    /// Sends `request` and waits for the head of its answer.
    pub(super) async fn send(
        mut self: Box<Self>,
        request: Request<Upload>,
        raw_target: Option<Bytes>,
        first_byte: Deadline,
    ) -> Result<Answered, Broken> {
        self.marks.answered.set(false);
        *self.marks.raw_target.borrow_mut() = raw_target;
        let mut answer = pin!(self.sender.try_send_request(request));
        let mut first_byte = pin!(first_byte);
        let link = &mut self;
        let outcome = std::future::poll_fn(|cx| {
            let _ = link.drive(cx);
            // Only driving the connection can complete the answer, so nobody need be woken for it.
            let mut quiet = Context::from_waker(Waker::noop());
            if let Poll::Ready(outcome) = answer.as_mut().poll(&mut quiet) {
                return Poll::Ready(outcome.map_err(|mut error| (error.take_message(), false)));
            }
            if first_byte.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err((None, true)));
            }
            Poll::Pending
        })
        .await;
        match outcome {
            Ok(response) => Ok(Answered { response, link: Some(self) }),
            Err((unsent, timed_out)) => {
                Err(Broken { unsent, answered: self.marks.answered.get(), timed_out })
            }
        }
    }

    /// Moves bytes both ways; ready once the connection has ended.
    pub(crate) fn drive(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.driver.task.register(cx.waker());
        self.poll_conn()
    }

    fn poll_conn(&mut self) -> Poll<()> {
        if self.closed {
            return Poll::Ready(());
        }
        self.driver.driving.store(true, Ordering::Relaxed);
        let mut cx = Context::from_waker(&self.waker);
        let mut polled = self.conn.poll_without_shutdown(&mut cx);
        if polled.is_pending() && self.driver.again.swap(false, Ordering::Relaxed) {
            polled = self.conn.poll_without_shutdown(&mut cx);
        }
        self.driver.driving.store(false, Ordering::Relaxed);
        if polled.is_ready() {
            self.closed = true;
            return Poll::Ready(());
        }
        if self.driver.again.swap(false, Ordering::Relaxed) {
            // It asks a second time, perhaps only to let others run: then it shall.
            self.driver.task.wake();
        }
        Poll::Pending
    }

    /// Whether another request can be sent; looks at the connection to find out.
    pub(super) fn is_usable(&mut self) -> bool {
        self.poll_conn().is_pending() && self.sender.is_ready()
    }

    /// Nobody uses it now: what happens on it must wake nobody.
    pub(super) fn rest(&mut self) {
        self.driver.task.take();
        self.reused = true;
    }

    /// The transport after a switch of protocols, and what hyper has read ahead.
    pub(crate) fn into_transport(self) -> (Transport, Bytes) {
        let parts = self.conn.into_parts();
        (parts.io.into_transport(), parts.read_buf)
    }
}

/// The waker of a link: wakes the exchange, unless the exchange is what is polling.
#[derive(Default)]
struct Driver {
    driving: AtomicBool,
    again: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Driver {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.driving.load(Ordering::Relaxed) {
            self.again.store(true, Ordering::Relaxed);
        } else {
            self.task.wake();
        }
    }
}
