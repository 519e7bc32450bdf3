//! The connections of one worker to one upstream, and the one retry a stale connection earns.
//!
//! The connection used last is used first, so that those a quiet hour does not need fall idle and
//! go. When none is idle, one that is in use may be free in a moment, which is cheaper than a new
//! one: a request waits that moment, and under load the connections stay as few as the upstream's
//! speed asks for.
//!
//! An upstream may close an idle connection just as a request is written to it. If no byte of an
//! answer came, and the request is safe to repeat or was not written at all, it is sent once more,
//! on a fresh connection; a request that fails on a fresh one is never repeated.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    pin::pin,
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::oneshot;

use super::{
    AnswerBody, Answered, Link, Outbound, UpstreamDeadlines, connect,
    health::{Fault, Health, Row},
    link::{Broken, Counted},
    patience::{Over, Patience},
    stream::Transport,
};
use crate::{
    listen::LocalExecutor,
    ticker::{Deadline, Ticker},
    upload::Upload,
};

/// With so many connections a request waits a moment for one of them before it opens another. Fewer
/// would make a burst wait for the answers to its own first half.
const FEW: usize = 64;
/// That moment: an upstream that answers within it needs no more connections.
const MOMENT: Duration = Duration::from_millis(2);
/// The same when all that may be kept are open: another one would be closed right after use.
const LONG_MOMENT: Duration = Duration::from_millis(20);
/// As many such moments are worth it while connections come free in each: who waits has a turn.
const LONG_MOMENTS_MAX: usize = 10;

/// How often a request looks up that waits for a connection to be opened.
const CONNECT_LOOK: Duration = Duration::from_millis(250);

/// Why an upstream gave no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum UpstreamFault {
    /// No connection could be made.
    Unreachable,
    /// The connection ended, or what came over it was no HTTP.
    Broken,
    /// Connecting, or the first byte of the answer, took too long.
    TimedOut,
}

/// A request that got no answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed {
    pub(super) fault: UpstreamFault,
    /// Not a byte of the request was written; its body is where it was.
    pub(super) unsent: bool,
    pub(super) blame: Blame,
}

/// Who is to blame for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Blame {
    Upstream(Fault),
    Caller,
    /// This machine has run out of something, or nobody waited to the end.
    Nobody,
}

pub(crate) struct Pool {
    pub(super) row: Arc<Row>,
    pub(super) health: Arc<Health>,
    /// Requests that it has here and whose answers have not ended.
    pub(super) load: Cell<u32>,
    pub(super) hearing: Hearing,
    deadlines: UpstreamDeadlines,
    ticker: Rc<Ticker>,
    idle: RefCell<Vec<Idle>>,
    /// HTTP/1 connections that are idle, in use or being opened.
    open: Rc<Cell<usize>>,
    /// Requests that wait for one of them, the first first; those that have given up are skipped.
    takers: RefCell<VecDeque<oneshot::Sender<Box<Link>>>>,
    /// How many have come free after an answer, ever.
    freed: Cell<u64>,
    /// Whether connections can serve again after an answer, by the last one.
    come_back: Cell<bool>,
    http2: RefCell<Option<http2::SendRequest<Upload>>>,
    speaks_http2: Cell<bool>,
}

/// Whether the upstream has been heard of since it was asked.
#[derive(Default)]
pub(super) struct Hearing {
    /// Since when not, and how many answers the others had given by then.
    pub(super) quiet_since: Cell<Option<(u64, u64)>>,
    /// It is being pinged.
    pub(super) pinging: Cell<bool>,
}

struct Idle {
    link: Box<Link>,
    since_ms: u64,
}

enum Connection {
    Http1(Box<Link>),
    Http2(http2::SendRequest<Upload>),
}

impl Pool {
    pub(crate) fn new(
        row: Arc<Row>,
        health: Arc<Health>,
        deadlines: UpstreamDeadlines,
        ticker: Rc<Ticker>,
    ) -> Self {
        let speaks_http2 = Cell::new(health.upstream().speech == super::Speech::H2c);
        Self {
            row,
            health,
            load: Cell::new(0),
            hearing: Hearing::default(),
            deadlines,
            ticker,
            idle: RefCell::default(),
            open: Rc::default(),
            takers: RefCell::default(),
            freed: Cell::new(0),
            come_back: Cell::new(true),
            http2: RefCell::default(),
            speaks_http2,
        }
    }

    pub(crate) fn deadlines(&self) -> &UpstreamDeadlines {
        &self.deadlines
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(&self, outbound: &mut Outbound) -> Result<Answered, Failed> {
        let connection = match self.waiting() {
            Some(connection) => connection,
            // Boxed because it is large and rare: each request would carry it along.
            None => Box::pin(self.obtain()).await?,
        };
        let reused = match &connection {
            Connection::Http1(link) => link.reused,
            Connection::Http2(_) => true,
        };
        let broken = match self.send_on(connection, outbound).await {
            Ok(answered) => return Ok(answered),
            Err(broken) => broken,
        };
        let again = broken.unsent || (outbound.repeatable && !broken.answered);
        if broken.over.is_some() || broken.by_caller || !(reused && again) {
            return Err(Failed::from(broken));
        }
        let connection = Box::pin(self.connect()).await?;
        Box::pin(self.send_on(connection, outbound)).await.map_err(Failed::from)
    }

    /// Takes back a connection whose answer has ended.
    pub(crate) fn put_back(&self, mut link: Box<Link>) {
        self.come_back.set(link.may_serve_again());
        if !self.come_back.get() {
            return;
        }
        link.rest();
        self.freed.set(self.freed.get() + 1);
        while let Some(taker) = self.takers.borrow_mut().pop_front() {
            match taker.send(link) {
                Ok(()) => return,
                Err(unwanted) => link = unwanted,
            }
        }
        let mut idle = self.idle.borrow_mut();
        if idle.len() < self.deadlines.keep_max {
            idle.push(Idle { link, since_ms: self.ticker.now_ms() });
        }
    }

    /// Closes what has been idle for too long.
    pub(crate) fn sweep(&self) {
        let now_ms = self.ticker.now_ms();
        let keep = |idle: &mut Idle| {
            Duration::from_millis(now_ms.saturating_sub(idle.since_ms)) < self.deadlines.keep_idle
        };
        self.idle.borrow_mut().retain_mut(keep);
        self.takers.borrow_mut().retain(|taker| !taker.is_closed());
    }

    /// A deadline on this worker's clock.
    pub(crate) fn deadline(&self, after: Duration) -> Deadline {
        self.ticker.deadline(after)
    }

    fn waiting(&self) -> Option<Connection> {
        if self.speaks_http2.get() {
            let sender = self.http2.borrow().clone().filter(|sender| !sender.is_closed())?;
            return Some(Connection::Http2(sender));
        }
        loop {
            let link = self.idle.borrow_mut().pop()?.link;
            if let Some(link) = link.if_usable() {
                return Some(Connection::Http1(link));
            }
        }
    }

    /// A connection that becomes free in a moment, or a new one.
    async fn obtain(&self) -> Result<Connection, Failed> {
        let (moment, moments) = match self.open.get() {
            open if open >= self.deadlines.keep_max => (LONG_MOMENT, LONG_MOMENTS_MAX),
            open if open >= FEW => (MOMENT, 1),
            _ => return self.connect().await,
        };
        if !self.come_back.get() {
            return self.connect().await;
        }
        let link = self.turn(moment, moments).await;
        match link.and_then(Link::if_usable) {
            Some(link) => Ok(Connection::Http1(link)),
            None => self.connect().await,
        }
    }

    /// Waits in turn for a connection that comes free; `None` when that takes too long.
    async fn turn(&self, moment: Duration, moments: usize) -> Option<Box<Link>> {
        let (taker, mut taken) = oneshot::channel();
        self.takers.borrow_mut().push_back(taker);
        let mut freed = self.freed.get();
        for _ in 0..moments {
            if let Ok(taken) = tokio::time::timeout(moment, &mut taken).await {
                return taken.ok();
            }
            if self.freed.get() == freed {
                break;
            }
            freed = self.freed.get();
        }
        taken.close();
        // It may have come just now.
        taken.try_recv().ok()
    }

    async fn connect(&self) -> Result<Connection, Failed> {
        let counted = Counted::one_more(&self.open);
        let opened = async {
            let (transport, http2) = connect::connect(self.health.upstream()).await?;
            self.speaks_http2.set(http2);
            if !http2 {
                return Ok(Connection::Http1(Link::new(transport, counted)));
            }
            let sender = open_http2(transport, self.deadlines.keep_idle).await?;
            *self.http2.borrow_mut() = Some(sender.clone());
            Ok::<_, io::Error>(Connection::Http2(sender))
        };
        let mut opened = pin!(opened);
        let mut left = self.deadlines.connect;
        // Whoever has somewhere else to go looks up now and then.
        let looks_up = !self.is_alone() && !self.health.is_silent();
        loop {
            let step = if looks_up { CONNECT_LOOK.min(left) } else { left };
            if let Ok(opened) = tokio::time::timeout(step, &mut opened).await {
                return opened.map_err(|error| self.not_connected(&error));
            }
            left = left.saturating_sub(step);
            let blame = match (left.is_zero(), self.health.is_silent()) {
                (true, _) => Blame::Upstream(Fault::Unreachable),
                (false, true) => Blame::Nobody,
                (false, false) => continue,
            };
            return Err(Failed { fault: UpstreamFault::TimedOut, unsent: true, blame });
        }
    }

    /// Whether its site has no other upstream.
    pub(super) fn is_alone(&self) -> bool {
        self.row.members.len() <= 1
    }

    fn not_connected(&self, error: &io::Error) -> Failed {
        tracing::debug!(upstream = %self.health.upstream(), %error, "cannot connect");
        let blame = match is_the_upstreams(error) {
            true => Blame::Upstream(Fault::Unreachable),
            false => Blame::Nobody,
        };
        Failed { fault: UpstreamFault::Unreachable, unsent: true, blame }
    }

    async fn send_on(&self, to: Connection, outbound: &mut Outbound) -> Result<Answered, Broken> {
        let moves = outbound.repeatable && !self.is_alone();
        let of = moves.then(|| Arc::clone(&self.health));
        let allowed = self.deadlines.first_byte;
        let mut patience = Patience::new(self.ticker.deadline(allowed), allowed, of);
        let upstream = self.health.upstream();
        let mut sender = match to {
            Connection::Http1(link) => return link.send(outbound, upstream, patience).await,
            Connection::Http2(sender) => sender,
        };
        let streams = matches!(outbound.body, Upload::Stream(_));
        let Some(request) = outbound.take_for_http2(upstream) else {
            return Err(Broken { answered: true, by_caller: true, ..Broken::default() });
        };
        tokio::select! {
            biased;
            sent = sender.try_send_request(request) => match sent {
                Ok(response) => {
                    let (parts, incoming) = response.into_parts();
                    let body = AnswerBody::Http2(incoming);
                    Ok(Answered { status: parts.status, headers: parts.headers, body })
                }
                Err(mut error) => {
                    let unsent = error.take_message().map(|request| {
                        outbound.body = request.into_body();
                    });
                    Err(Broken { unsent: unsent.is_some(), ..Broken::default() })
                }
            },
            // What it waits for may be the rest of the caller's body.
            over = std::future::poll_fn(|cx| patience.poll(cx)) => {
                Err(Broken { over: Some(over), by_caller: streams, ..Broken::default() })
            }
        }
    }
}

impl From<Broken> for Failed {
    fn from(broken: Broken) -> Self {
        let (fault, blame) = match broken.over {
            Some(Over::TimedOut) => (UpstreamFault::TimedOut, Blame::Upstream(Fault::TimedOut)),
            Some(Over::GivenUp) => (UpstreamFault::TimedOut, Blame::Nobody),
            None => (UpstreamFault::Broken, Blame::Upstream(Fault::Broken)),
        };
        let blame = if broken.by_caller { Blame::Caller } else { blame };
        Self { fault, unsent: broken.unsent, blame }
    }
}

/// Begins HTTP/2 on a fresh connection.
pub(super) async fn open_http2(
    transport: Transport,
    keep_alive: Duration,
) -> io::Result<http2::SendRequest<Upload>> {
    let (sender, connection) = http2::Builder::new(LocalExecutor)
        .timer(TokioTimer::new())
        .keep_alive_interval(keep_alive)
        .handshake(TokioIo::new(transport))
        .await
        .map_err(|error| io::Error::new(io::ErrorKind::ConnectionAborted, error))?;
    // The task ends when the last sender is dropped, or the upstream goes away.
    tokio::task::spawn_local(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "http/2 upstream connection ended");
        }
    });
    Ok(sender)
}

/// Whether a connection failed for what the upstream did, and not because this machine has no
/// sockets or ports left: callers can bring that about.
pub(super) fn is_the_upstreams(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionRefused
            | Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::BrokenPipe
            | Kind::HostUnreachable
            | Kind::TimedOut
            | Kind::UnexpectedEof
            | Kind::InvalidData
            | Kind::NotFound
    )
}
