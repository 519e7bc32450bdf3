//! Opens a connection to an upstream: look up, try the addresses in turn, TLS with verification.

use std::io;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{
    address::{Speech, Upstream},
    stream::Transport,
};

/// A fresh transport and whether HTTP/2 is spoken over it.
pub(super) async fn connect(upstream: &Upstream) -> io::Result<(Transport, bool)> {
    let stream = connect_tcp(upstream).await?;
    stream.set_nodelay(true)?;
    let Some((config, name)) = &upstream.tls else {
        return Ok((Transport::Tcp(stream), upstream.speech == Speech::H2c));
    };
    let connector = TlsConnector::from(std::sync::Arc::clone(config));
    let stream = connector.connect(name.clone(), stream).await?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Ok((Transport::Tls(Box::new(stream)), http2))
}

async fn connect_tcp(upstream: &Upstream) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    let found = tokio::net::lookup_host((upstream.host.as_str(), upstream.port)).await;
    for address in found.map_err(|error| io::Error::new(io::ErrorKind::NotFound, error))? {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
