//! Load that does not wait for answers: requests leave when their time has come, whatever became of
//! those before them.
//!
//! A closed loop slows down with the server it measures and so never overloads it; this one does
//! not. Every request carries a number of its own and expects it back, so that an answer that went
//! to the wrong request is seen. Latency counts from the moment at which a request was due.

pub mod bulk;
mod counts;
pub mod moody;
pub mod strangers;
mod till;
mod wire;

pub use counts::{Counts, Latency};
pub use till::{Origin, Shape, Till};

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::task::LocalSet;

use wire::{Caller, Request};

/// How often requests that are due are sent off; tokio's timers know nothing shorter.
const STEP: Duration = Duration::from_millis(1);
/// How long after the last request answers are waited for.
const AFTERMATH: Duration = Duration::from_secs(25);
/// A request that has found no connection by then was never sent: the load itself has no more,
/// which says nothing about the server.
const FOUND_WITHIN: Duration = Duration::from_secs(1);

/// Connections are opened and caches filled in this time.
const WARM_UP: Duration = Duration::from_secs(1);
/// From so many addresses, unless told otherwise.
const SOURCES: u8 = 8;

/// What to send, where to, and over how many connections at most.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where requests go.
    pub to: SocketAddr,
    /// Connections at one time; requests that find none free wait for one, and their time runs.
    pub connections: usize,
    /// A JSON body to post; `None` makes it a GET.
    pub body: Option<String>,
    /// How many loopback addresses the connections come from.
    pub sources: u8,
    /// For so long latency is not looked at: connections are being opened, caches filled.
    pub warm_up: Duration,
    /// Where the requests end up, when the load itself is to serve it. Then it also sends each
    /// request to the microsecond instead of those of a [`STEP`] at once, and never sleeps.
    pub origin: Option<Origin>,
}

impl Load {
    /// GETs over so many connections at most, from eight addresses, to an origin elsewhere; of the
    /// first second no latency is noted.
    #[must_use]
    pub fn gets(to: SocketAddr, connections: usize) -> Self {
        Self { to, connections, body: None, sources: SOURCES, warm_up: WARM_UP, origin: None }
    }

    /// Sends `rate` requests a second for `lasting`, and then waits for the last answers.
    ///
    /// # Errors
    /// When no runtime can be made.
    pub fn at_rate(&self, rate: f64, lasting: Duration) -> Result<Counts> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let field = Field::new(self);
        LocalSet::new().block_on(&runtime, async {
            self.serve_origin()?;
            send_at(&field, rate, lasting).await;
            Ok(field.counted())
        })
    }

    /// Keeps `callers` connections busy for `lasting`: as much as the server can do.
    ///
    /// # Errors
    /// When no runtime can be made.
    pub fn flat_out(&self, callers: usize, lasting: Duration) -> Result<Counts> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let field = Field::new(self);
        let until = Instant::now() + lasting;
        LocalSet::new().block_on(&runtime, async {
            self.serve_origin()?;
            for _ in 0..callers {
                field.begin(field.next(Instant::now()), Some(until));
            }
            tokio::time::sleep(lasting).await;
            field.empty(AFTERMATH).await;
            Ok(field.counted())
        })
    }

    fn serve_origin(&self) -> Result<()> {
        self.origin.as_ref().map_or(Ok(()), Origin::serve_here)
    }
}

async fn send_at(field: &Rc<Field>, rate: f64, lasting: Duration) {
    let began = Instant::now();
    let mut step = tokio::time::interval(STEP);
    step.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut sent = 0_u32;
    while began.elapsed() < lasting {
        match field.load.origin {
            None => _ = step.tick().await,
            // What else is ready on this thread comes first, once.
            Some(_) => tokio::task::yield_now().await,
        }
        while f64::from(sent) / rate <= began.elapsed().as_secs_f64().min(lasting.as_secs_f64()) {
            let due = began + Duration::from_secs_f64(f64::from(sent) / rate);
            field.begin(field.next(due), None);
            sent += 1;
        }
    }
    field.empty(AFTERMATH).await;
}

/// A request that is due.
struct Job {
    request: Request,
    due: Instant,
}

/// What one thread of load shares: connections that are free, requests that wait for one, counts.
struct Field {
    load: Load,
    free: RefCell<Vec<Caller>>,
    waiting: RefCell<VecDeque<Job>>,
    open: Cell<usize>,
    number: Cell<u64>,
    under_way: Cell<usize>,
    counts: RefCell<Counts>,
}

impl Field {
    fn new(load: &Load) -> Rc<Self> {
        Rc::new(Self {
            load: load.clone(),
            free: RefCell::default(),
            waiting: RefCell::default(),
            open: Cell::new(0),
            number: Cell::new(0),
            under_way: Cell::new(0),
            counts: RefCell::new(Counts::begin()),
        })
    }

    fn next(&self, due: Instant) -> Job {
        let number = self.number.get();
        self.number.set(number + 1);
        Job { request: Request::new(number), due }
    }

    /// Sends a request as soon as there is a connection; with `until` set, another one after it.
    fn begin(self: &Rc<Self>, job: Job, until: Option<Instant>) {
        self.under_way.set(self.under_way.get() + 1);
        let caller = self.free.borrow_mut().pop();
        if caller.is_none() && self.open.get() >= self.load.connections {
            self.waiting.borrow_mut().push_back(job);
            return;
        }
        if caller.is_none() {
            self.open.set(self.open.get() + 1);
        }
        let field = Rc::clone(self);
        tokio::task::spawn_local(async move { field.serve(caller, job, until).await });
    }

    async fn serve(&self, mut caller: Option<Caller>, mut job: Job, until: Option<Instant>) {
        loop {
            let outcome = wire::exchange(&self.load, &mut caller, &job.request).await;
            self.counts.borrow_mut().count(outcome, job.due, self.load.warm_up);
            self.under_way.set(self.under_way.get() - 1);
            let next = match (self.first_waiting(), until) {
                (Some(job), _) => Some(job),
                (None, Some(until)) if Instant::now() < until => {
                    self.under_way.set(self.under_way.get() + 1);
                    Some(self.next(Instant::now()))
                }
                _ => None,
            };
            let Some(next) = next else { break };
            job = next;
        }
        match caller {
            Some(caller) => self.free.borrow_mut().push(caller),
            None => self.open.set(self.open.get() - 1),
        }
    }

    /// The first request that still waits for a connection; those that have waited too long go.
    fn first_waiting(&self) -> Option<Job> {
        loop {
            let job = self.waiting.borrow_mut().pop_front()?;
            if job.due.elapsed() < FOUND_WITHIN {
                return Some(job);
            }
            self.under_way.set(self.under_way.get() - 1);
            self.counts.borrow_mut().unsent += 1;
        }
    }

    /// Waits until nothing is under way.
    async fn empty(&self, at_most: Duration) {
        let until = Instant::now() + at_most;
        self.counts.borrow_mut().sending_ended();
        while self.under_way.get() > 0 && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.counts.borrow_mut().unanswered += self.under_way.get() as u64;
    }

    fn counted(&self) -> Counts {
        self.counts.take()
    }
}
