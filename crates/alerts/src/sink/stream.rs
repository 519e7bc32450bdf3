//! A connection to a sink: in the clear or over TLS, and every step of it before a deadline.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use shield::policy::is_out_of_bounds;

use super::ready::Ready;

/// A connection.
pub(super) enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

/// A socket that gives up at a time.
pub(super) struct Timed {
    socket: TcpStream,
    deadline: Instant,
}

impl Stream {
    /// Connects, with the certificate verified where TLS is spoken.
    pub(super) fn open(ready: &Ready, deadline: Instant) -> io::Result<Self> {
        let socket = connect(ready, deadline)?;
        socket.set_nodelay(true)?;
        let timed = Timed { socket, deadline };
        let Some(tls) = &ready.tls else { return Ok(Self::Plain(timed)) };
        let name = ServerName::try_from(ready.to.host.clone()).map_err(io::Error::other)?;
        let connection = ClientConnection::new(Arc::clone(tls), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, timed);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self::Tls(Box::new(stream)))
    }

    /// Everything from now on must be over by then.
    pub(super) fn until(&mut self, deadline: Instant) {
        match self {
            Self::Plain(timed) => timed.deadline = deadline,
            Self::Tls(stream) => stream.sock.deadline = deadline,
        }
    }

    /// Whether the other side has closed the connection within `patience`. What it may say instead
    /// is read and left.
    pub(super) fn has_ended(&mut self, patience: Duration) -> bool {
        self.until(Instant::now() + patience);
        let mut said = [0; 512];
        loop {
            match self.read(&mut said) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return !is_patience_over(&error),
            }
        }
    }
}

fn is_patience_over(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn connect(ready: &Ready, deadline: Instant) -> io::Result<TcpStream> {
    let all = (ready.to.host.as_str(), ready.to.port).to_socket_addrs()?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in all {
        match allowed(address, ready.link_local)
            .and_then(|address| TcpStream::connect_timeout(&address, left(deadline)?))
        {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// A name may lead where an address would have been refused: this is looked at for each connection.
fn allowed(address: SocketAddr, link_local: bool) -> io::Result<SocketAddr> {
    if link_local || !is_out_of_bounds(address.ip()) {
        return Ok(address);
    }
    let what = format!("{} is link-local or a metadata service: not told", address.ip());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(left(self.deadline)?))?;
        self.socket.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(left(self.deadline)?))?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(timed) => timed.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
