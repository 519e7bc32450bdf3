//! The workers and their accept loops.
//!
//! Every worker is one thread with a runtime of its own, and all of them accept from the same sockets.
//! A connection stays with the worker that took it, so nothing it touches needs a lock.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener as StdListener, ToSocketAddrs},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{net::TcpListener, sync::watch, task::LocalSet};
use tokio_rustls::TlsAcceptor;

use crate::{
    connection,
    settings::{Listener, Settings},
    worker::Worker,
};

const BACKLOG: i32 = 4096;
/// After a failed accept (out of file descriptors, mostly) the loop rests instead of spinning.
const ACCEPT_REST: Duration = Duration::from_millis(50);

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
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
}

impl Gateway {
    /// Starts the workers.
    ///
    /// # Errors
    /// When a thread or its runtime cannot be made.
    pub fn start(listeners: Vec<Listener>, settings: Settings) -> io::Result<Self> {
        let addresses =
            listeners.iter().map(|listener| listener.socket.local_addr()).collect::<Result<_, _>>()?;
        let (stop, stopped) = watch::channel(false);
        let settings = Arc::new(settings);
        let open = Arc::new(AtomicUsize::new(0));
        let mut workers = Vec::new();
        for number in 0..settings.workers.max(1) {
            let listeners = listeners
                .iter()
                .map(|l| Ok((l.socket.try_clone()?, l.tls.clone().map(TlsAcceptor::from))))
                .collect::<io::Result<Vec<_>>>()?;
            let (settings, open, stopped) = (Arc::clone(&settings), Arc::clone(&open), stopped.clone());
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let work = move || {
                let local = LocalSet::new();
                let worker = Worker::new(settings);
                runtime.block_on(local.run_until(work(worker, listeners, open, stopped)));
            };
            let name = format!("gateway-{number}");
            workers.push(std::thread::Builder::new().name(name).spawn(work)?);
        }
        Ok(Self { addresses, stop, workers })
    }

    /// What is listened on, in the order given.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
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

async fn work(
    worker: Rc<Worker>,
    listeners: Vec<(StdListener, Option<TlsAcceptor>)>,
    open: Arc<AtomicUsize>,
    mut stopped: watch::Receiver<bool>,
) {
    let time = Rc::clone(&worker);
    let clock = tokio::task::spawn_local(async move { time.keep_time().await });
    let mine = Rc::new(());
    let accepting: Vec<_> = listeners
        .into_iter()
        .map(|(socket, tls)| {
            let (worker, open, mine) = (Rc::clone(&worker), Arc::clone(&open), Rc::clone(&mine));
            tokio::task::spawn_local(accept(worker, socket, tls, open, mine))
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

async fn accept(
    worker: Rc<Worker>,
    socket: StdListener,
    tls: Option<TlsAcceptor>,
    open: Arc<AtomicUsize>,
    mine: Rc<()>,
) {
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
        if open.load(Ordering::Relaxed) >= worker.settings.connections_max {
            continue;
        }
        let _ = stream.set_nodelay(true);
        let place = Place::take(&open, &mine);
        let (worker, tls) = (Rc::clone(&worker), tls.clone());
        tokio::task::spawn_local(async move {
            connection::serve(worker, stream, address, tls).await;
            drop(place);
        });
    }
}

/// A connection's place among those allowed.
struct Place {
    open: Arc<AtomicUsize>,
    _mine: Rc<()>,
}

impl Place {
    fn take(open: &Arc<AtomicUsize>, mine: &Rc<()>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self { open: Arc::clone(open), _mine: Rc::clone(mine) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}
