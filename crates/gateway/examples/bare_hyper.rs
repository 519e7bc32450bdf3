//! A reverse proxy of hyper and nothing else, for measurements: what a proxy costs before it looks
//! at anything. `bare_hyper LISTEN UPSTREAM`, both as ADDRESS:PORT. One thread, as one worker of
//! the gateway is, with the same allocator and settings. It passes headers on as they are.

use std::{cell::RefCell, net::SocketAddr, rc::Rc};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{LocalSet, spawn_local},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Connections to the upstream, in use or not.
type Pool = Rc<RefCell<Vec<SendRequest<Incoming>>>>;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), AnyError> {
    let mut args = std::env::args().skip(1);
    let listen: SocketAddr = args.next().ok_or("LISTEN")?.parse()?;
    let upstream: SocketAddr = args.next().ok_or("UPSTREAM")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, accept(listen, upstream))
}

async fn accept(listen: SocketAddr, upstream: SocketAddr) -> Result<(), AnyError> {
    let listener = TcpListener::bind(listen).await?;
    let pool = Pool::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let pool = Rc::clone(&pool);
        spawn_local(async move {
            let service = service_fn(|request| forward(&pool, upstream, request));
            // A caller that goes away is no matter here.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn forward(
    pool: &Pool,
    upstream: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Incoming>, AnyError> {
    let ready = pool.borrow().iter().position(SendRequest::is_ready);
    let idle = ready.map(|at| pool.borrow_mut().swap_remove(at));
    let mut sender = match idle {
        Some(sender) => sender,
        None => connect(upstream).await?,
    };
    let response = sender.send_request(request).await?;
    pool.borrow_mut().retain(|sender| !sender.is_closed());
    pool.borrow_mut().push(sender);
    Ok(response)
}

async fn connect(upstream: SocketAddr) -> Result<SendRequest<Incoming>, AnyError> {
    let stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    spawn_local(async move {
        let _ = connection.await;
    });
    Ok(sender)
}
