//! The socket: who may speak here, and until when.
//!
//! The folder is its owner's alone and so is the socket; whoever can open it owns the installation.
//! There is no other authentication here; the way in over the network is `network`.

use std::fs;
use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;

use crate::caller::CallerUid;
use crate::socket::SocketPath;

/// The socket, open and not yet served.
#[derive(Debug)]
pub struct Door {
    listener: StdListener,
    path: SocketPath,
}

impl Door {
    /// Opens the socket in the data folder. Whoever holds the folder's lock may do so: a socket
    /// that is there already was left by a process that ended.
    pub fn open(data: &Path) -> io::Result<Self> {
        let path = SocketPath::in_folder(data)?;
        match fs::remove_file(path.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = StdListener::bind(path.path())?;
        listener.set_nonblocking(true)?;
        fs::set_permissions(path.path(), fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// Serves `routes` until `stop`, then removes the socket.
    pub async fn serve(
        self,
        routes: Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let listener = UnixListener::from_std(self.listener)?;
        let service = routes.into_make_service_with_connect_info::<CallerUid>();
        let served = axum::serve(listener, service).with_graceful_shutdown(stop).await;
        let _ = fs::remove_file(self.path.path());
        served
    }
}

impl Connected<IncomingStream<'_, UnixListener>> for CallerUid {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}
