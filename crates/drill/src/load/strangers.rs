//! Callers that nobody has seen before and nobody will see again, as many as it takes to fill every
//! table of a gateway.
//!
//! They come over a few connections, as through a load balancer that names them in
//! `x-forwarded-for`, and several requests to a write: what counts is how many of them come, not
//! how long each waits.

mod script;

use std::{
    cell::{Cell, RefCell},
    fmt,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::LocalSet,
    time::timeout,
};

use super::{till::Till, wire::find, wire::header};

const CONNECTIONS: usize = 32;
/// Requests of one write.
const BATCH: u64 = 4;
/// A batch without all of its answers by then has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// What became of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Met {
    /// Requests sent.
    pub sent: u64,
    /// Answered by the API, whatever it said.
    pub answered: u64,
    /// Refused by the gateway with an event.
    pub refused: u64,
    /// Told to come again.
    pub told_to_wait: u64,
    /// Without an answer.
    pub broken: u64,
    /// How long it took.
    pub took: Duration,
}

/// The API that they call, on a free loopback port.
///
/// # Errors
/// When no port or thread is to be had.
pub fn api() -> Result<Till> {
    Till::answering(script::answer)
}

/// Sends as many as bring `distinct` addresses, tokens and paths.
///
/// # Errors
/// When no runtime can be made, or connections break again and again.
pub fn meet(to: SocketAddr, distinct: u64) -> Result<Met> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let began = Instant::now();
    let requests = script::requests_for(distinct);
    let crowd = Rc::new(Crowd { requests, next: Cell::new(0), met: RefCell::default() });
    LocalSet::new().block_on(&runtime, async {
        let come = |_| {
            let crowd = Rc::clone(&crowd);
            tokio::task::spawn_local(async move { crowd.come(to).await })
        };
        let all: Vec<_> = (0..CONNECTIONS).map(come).collect();
        for one in all {
            // A panic has said what it had to say; what it did not send is missing below.
            let _ = one.await;
        }
    });
    let met = Met { took: began.elapsed(), ..crowd.met.take() };
    ensure!(met.sent == requests, "only {} of {requests} could be sent", met.sent);
    Ok(met)
}

struct Crowd {
    requests: u64,
    next: Cell<u64>,
    met: RefCell<Met>,
}

impl Crowd {
    /// Sends batches over one connection, or over the next when it breaks, until all are sent.
    async fn come(&self, to: SocketAddr) {
        let mut failures = 0;
        while self.next.get() < self.requests && failures < 1_000 {
            let connected = timeout(PATIENCE, TcpStream::connect(to)).await;
            if let Ok(Ok(stream)) = connected {
                let _ = stream.set_nodelay(true);
                self.serve(stream).await;
            }
            failures += 1;
        }
    }

    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let (mut out, mut buffer) = (Vec::new(), Vec::new());
        while self.next.get() < self.requests {
            let first = self.next.get();
            let last = (first + BATCH).min(self.requests);
            self.next.set(last);
            self.met.borrow_mut().sent += last - first;
            out.clear();
            (first..last).for_each(|n| script::write_request(n, &mut out));
            let mut left = last - first;
            let done = timeout(PATIENCE, async {
                stream.write_all(&out).await.ok()?;
                while left > 0 {
                    self.read_answer(&mut stream, &mut buffer).await?;
                    left -= 1;
                }
                Some(())
            });
            let is_done = done.await.ok().flatten().is_some();
            self.met.borrow_mut().broken += left;
            is_done.then_some(())?;
        }
        Some(())
    }

    async fn read_answer(&self, stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
        let head_end = loop {
            if let Some(end) = find(buffer, b"\r\n\r\n") {
                break end + 4;
            }
            read_on(stream, buffer).await?;
        };
        let head = std::str::from_utf8(buffer.get(..head_end)?).ok()?;
        let is_ours = header(head, "palisade-event").is_some();
        let is_busy = head.get(9..12) == Some("503");
        let length: usize = header(head, "content-length")?.parse().ok()?;
        while buffer.len() < head_end + length {
            read_on(stream, buffer).await?;
        }
        buffer.drain(..head_end + length);
        let mut met = self.met.borrow_mut();
        match (is_busy, is_ours) {
            (true, _) => met.told_to_wait += 1,
            (false, true) => met.refused += 1,
            (false, false) => met.answered += 1,
        }
        Some(())
    }
}

async fn read_on(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(buffer).await.ok()? > 0).then_some(())
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} requests in {:.0} s: {} answered, {} refused, {} told to wait, {} broken",
            self.sent,
            self.took.as_secs_f64(),
            self.answered,
            self.refused,
            self.told_to_wait,
            self.broken
        )
    }
}
