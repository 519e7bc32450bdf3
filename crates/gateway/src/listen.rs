//! The workers and their accept loops.
//!
//! Every worker is one thread with a runtime of its own, and all of them accept from the same
//! sockets. A connection stays with the worker that took it, so nothing it touches needs a lock.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    future::Future,
    io,
    net::{IpAddr, SocketAddr, TcpListener as StdListener, ToSocketAddrs},
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{net::TcpListener, sync::watch, task::LocalSet};
use tokio_rustls::TlsAcceptor;

use crate::{
    connection,
    meters::{Meters, Shed},
    proxy_protocol,
    pulse::Pulse,
    settings::{Listener, Settings},
    sources::network,
    terms::Terms,
    upstream::watch,
    worker::Worker,
};

const BACKLOG: i32 = 4096;
/// After a failed accept (out of file descriptors, mostly) the loop rests instead of spinning.
const ACCEPT_REST: Duration = Duration::from_millis(50);
/// Connections beyond those allowed that may be told so at one time, all workers together. Each
/// ends within seconds; when there are more, somebody does not want to be told, and they are
/// closed.
const TURNED_AWAY_MAX: usize = 1024;

/// Runs hyper's tasks on the worker that asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalExecutor;

impl<F: Future + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move {
            future.await;
        });
    }
}

/// Binds a listening socket that all workers share.
///
/// # Errors
/// When the address cannot be resolved or bound.
pub fn bind(address: impl ToSocketAddrs) -> io::Result<StdListener> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in address.to_socket_addrs()? {
        match bind_one(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_one(address: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A running gateway. It drains when told to, or when dropped.
pub struct Gateway {
    addresses: Vec<SocketAddr>,
    terms: Terms,
    pulse: Pulse,
    meters: Meters,
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Starts the workers.
    ///
    /// # Errors
    /// When a thread or its runtime cannot be made.
    pub fn start(listeners: Vec<Listener>, settings: Settings) -> io::Result<Self> {
        let addresses = listeners
            .iter()
            .map(|listener| listener.socket.local_addr())
            .collect::<Result<_, _>>()?;
        let (stop, stopped) = watch::channel(false);
        let terms = Terms::new(settings.terms);
        let settings = Arc::new(settings);
        let pulse = Pulse::new(settings.workers.max(1));
        let meters = Meters::new(settings.workers.max(1));
        let crowd = Arc::new(Mutex::new(Crowd::default()));
        let mut workers = Vec::new();
        for number in 0..settings.workers.max(1) {
            let listeners = listeners.iter().map(Entrance::of).collect::<io::Result<Vec<_>>>()?;
            let (settings, terms) = (Arc::clone(&settings), terms.clone());
            let (felt, meter) = (pulse.clone(), meters.of(number));
            let (crowd, stopped) = (Arc::clone(&crowd), stopped.clone());
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let work = move || {
                let local = LocalSet::new();
                let worker = Worker::new(settings, terms, meter);
                if number == 0 {
                    let sites = worker.settings.sites.clone();
                    local.spawn_local(watch(sites, Rc::clone(&worker.ticker)));
                }
                let beat = move || felt.beat(number);
                runtime.block_on(local.run_until(work(worker, listeners, crowd, stopped, beat)));
            };
            let name = format!("gateway-{number}");
            workers.push(std::thread::Builder::new().name(name).spawn(work)?);
        }
        Ok(Self { addresses, terms, pulse, meters, stop, workers })
    }

    /// What is listened on, in the order given.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What callers to come are held to.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Whether the workers still turn.
    #[must_use]
    pub const fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// What the workers count.
    #[must_use]
    pub const fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Stops accepting, lets exchanges under way finish, and returns when all workers have ended.
    pub fn drain(mut self) {
        self.stop.send_replace(true);
        for worker in self.workers.drain(..) {
            // A worker that panicked has been reported by the panic itself.
            let _ = worker.join();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// A socket of one worker.
struct Entrance {
    socket: StdListener,
    spoken: Spoken,
}

/// What is spoken on the connections of a socket.
#[derive(Clone)]
pub(crate) struct Spoken {
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) proxy_protocol: bool,
}

impl Entrance {
    fn of(listener: &Listener) -> io::Result<Self> {
        let tls = listener.tls.clone().map(TlsAcceptor::from);
        let spoken = Spoken { tls, proxy_protocol: listener.proxy_protocol };
        Ok(Self { socket: listener.socket.try_clone()?, spoken })
    }
}

async fn work(
    worker: Rc<Worker>,
    listeners: Vec<Entrance>,
    crowd: Arc<Mutex<Crowd>>,
    mut stopped: watch::Receiver<bool>,
    beat: impl Fn() + 'static,
) {
    let time = Rc::clone(&worker);
    let clock = tokio::task::spawn_local(async move { time.keep_time(beat).await });
    let mine = Rc::new(());
    let accepting: Vec<_> = listeners
        .into_iter()
        .map(|entrance| {
            let (worker, crowd, mine) = (Rc::clone(&worker), Arc::clone(&crowd), Rc::clone(&mine));
            tokio::task::spawn_local(accept(worker, entrance, crowd, mine))
        })
        .collect();
    // An error means that the gateway is gone, which is an order to stop as well.
    let _ = stopped.wait_for(|stop| *stop).await;
    for task in &accepting {
        task.abort();
    }
    worker.drain();
    let drained = async {
        // Accept loops and connections hold a clone each.
        while Rc::strong_count(&mine) > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let _ = tokio::time::timeout(worker.settings.drain_timeout, drained).await;
    clock.abort();
}

async fn accept(worker: Rc<Worker>, entrance: Entrance, crowd: Arc<Mutex<Crowd>>, mine: Rc<()>) {
    let Entrance { socket, spoken } = entrance;
    let listener = match TcpListener::from_std(socket) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "cannot listen");
            return;
        }
    };
    loop {
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_REST).await;
                continue;
            }
        };
        let peer = address.ip().to_canonical();
        let passes_on = spoken.proxy_protocol && worker.engine.policy().trusts(peer);
        let Some(mut place) = Place::take(&crowd, peer, &worker.settings, passes_on, &mine) else {
            worker.meter.shed(Shed::Unheard);
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (worker, spoken) = (Rc::clone(&worker), spoken.clone());
        tokio::task::spawn_local(async move {
            let mut stream = stream;
            let mut caller = address.ip();
            if passes_on {
                let introduced = proxy_protocol::caller(&worker, &mut stream, caller);
                let Some(introduced) = Box::pin(introduced).await else { return };
                caller = introduced;
                place.pass_on(caller, &worker.settings);
            }
            connection::serve(worker, stream, caller, spoken.tls, place.welcome).await;
            drop(place);
        });
    }
}

/// The connections that are open, over all workers. Looked at once per connection, not per request.
#[derive(Default)]
struct Crowd {
    open: usize,
    by_source: BTreeMap<IpAddr, usize>,
    turned_away: usize,
}

/// A connection's place among those allowed, or among those that are told to come again.
struct Place {
    crowd: Arc<Mutex<Crowd>>,
    source: IpAddr,
    welcome: bool,
    _mine: Rc<()>,
}

impl Place {
    fn take(
        crowd: &Arc<Mutex<Crowd>>,
        source: IpAddr,
        settings: &Settings,
        passes_on: bool,
        mine: &Rc<()>,
    ) -> Option<Self> {
        let source = network(source);
        let mut counts = crowd.lock().unwrap_or_else(PoisonError::into_inner);
        let from_here = counts.by_source.get(&source).copied().unwrap_or(0);
        // Those that a balancer passes on are counted by whose they are.
        let most = if passes_on { usize::MAX } else { settings.connections_per_source_max };
        let welcome = counts.open < settings.connections_max && from_here < most;
        if welcome {
            counts.open += 1;
            counts.by_source.insert(source, from_here + 1);
        } else if counts.turned_away < TURNED_AWAY_MAX {
            counts.turned_away += 1;
        } else {
            return None;
        }
        Some(Self { crowd: Arc::clone(crowd), source, welcome, _mine: Rc::clone(mine) })
    }
}

impl Place {
    /// The connection is not the balancer's but that of a caller, who may have too many.
    fn pass_on(&mut self, caller: IpAddr, settings: &Settings) {
        if !self.welcome {
            return;
        }
        let mut counts = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = network(caller);
        counts.leave(self.source);
        self.source = caller;
        let from_there = counts.by_source.get(&caller).copied().unwrap_or(0);
        if from_there < settings.connections_per_source_max {
            counts.by_source.insert(caller, from_there + 1);
        } else {
            self.welcome = false;
            counts.open = counts.open.saturating_sub(1);
            counts.turned_away += 1;
        }
    }
}

impl Crowd {
    /// One connection from there less.
    fn leave(&mut self, source: IpAddr) {
        if let Entry::Occupied(mut entry) = self.by_source.entry(source) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.welcome {
            counts.turned_away = counts.turned_away.saturating_sub(1);
            return;
        }
        counts.open = counts.open.saturating_sub(1);
        counts.leave(self.source);
    }
}
