//! The API over TCP, with TLS or without.
//!
//! Everything has an end: connections at one time, the TLS handshake, a head, and the answering of
//! one call. Who may come in is the gate's to say; here a call only gets its peer's address.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::caller::Peer;
use crate::refused::Refused;

/// Connections at one time: operators, a scraper, followers of events.
const CONNECTIONS_MAX: usize = 128;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A call must be answered by then; the stream of events is, once it begins.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// After a failed accept (out of file descriptors, mostly) the loop rests instead of spinning.
const ACCEPT_REST: Duration = Duration::from_millis(50);
/// Heads that are larger are nobody's.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// A TCP socket for the API, open and not yet served.
pub struct Network {
    listener: StdListener,
    tls: Option<TlsAcceptor>,
}

impl Network {
    /// Over a socket that listens already.
    pub fn over(listener: StdListener, tls: Option<Arc<ServerConfig>>) -> Self {
        Self { listener, tls: tls.map(TlsAcceptor::from) }
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves `routes` until it is dropped.
    pub async fn serve(self, routes: Router) -> io::Result<()> {
        self.listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(self.listener)?;
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        // Dropped with this future: every connection ends with it.
        let mut connections = JoinSet::new();
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return Ok(()) };
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "the admin API cannot accept a connection");
                    tokio::time::sleep(ACCEPT_REST).await;
                    continue;
                }
            };
            while connections.try_join_next().is_some() {}
            let (routes, tls) = (routes.clone(), self.tls.clone());
            connections.spawn(async move {
                match tls {
                    None => answer(stream, peer, routes, place).await,
                    Some(tls) => {
                        let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream));
                        if let Ok(Ok(stream)) = shaken.await {
                            answer(stream, peer, routes, place).await;
                        }
                    }
                }
            });
        }
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: SocketAddr,
    routes: Router,
    _place: OwnedSemaphorePermit,
) {
    let service = tower_service(peer, routes);
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%peer, %error, "a connection to the admin API broke off");
    }
}

/// The routes, with the peer's address in each request and an end to each call.
fn tower_service(
    peer: SocketAddr,
    routes: Router,
) -> impl hyper::service::Service<
    hyper::Request<Incoming>,
    Response = Response,
    Error = std::convert::Infallible,
    Future: Send,
> {
    let routes = routes.layer(axum::middleware::from_fn(
        move |mut request: Request, next: axum::middleware::Next| async move {
            request.extensions_mut().insert(Peer(peer));
            match tokio::time::timeout(CALL_TIMEOUT, next.run(request)).await {
                Ok(response) => response,
                Err(_) => {
                    let title = "the call took too long";
                    Refused::of(StatusCode::REQUEST_TIMEOUT, title).into_response()
                }
            }
        },
    ));
    TowerToHyperService::new(routes)
}
