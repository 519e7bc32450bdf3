//! Where an instance is asked: on the socket of its data folder, or over the network.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use console::socket::SocketPath;
use http::uri::{Authority, Uri};
use http::{HeaderValue, header};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::args::Global;
use crate::failure::Failure;

/// A connection must stand by then.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer files hold something else.
const TOKEN_BYTES_MAX: u64 = 4_096;

/// Where an instance is asked.
pub(super) enum Place {
    /// On the socket of this data folder.
    Folder(PathBuf),
    /// Over the network.
    Server(Box<Server>),
}

/// An instance on another machine.
pub(super) struct Server {
    url: String,
    authority: Authority,
    tls: Option<TlsConnector>,
    /// `Bearer …`; never printed.
    authorization: HeaderValue,
}

/// A connection to either.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Place {
    /// The one that the flags name.
    pub(super) fn of(global: &Global) -> Result<Self, Failure> {
        let remote = &global.remote;
        let Some(url) = &remote.server else {
            return Ok(Self::Folder(crate::commands::data_folder(global)));
        };
        let file = remote.token_file.as_deref().ok_or_else(|| {
            Failure::Usage("--server needs --token-file: a file with a token in it".to_owned())
        })?;
        let server = Server::of(url, file, remote.ca_file.as_deref())?;
        Ok(Self::Server(Box::new(server)))
    }

    /// Connects.
    pub(super) async fn connect(&self) -> Result<Box<dyn Stream>, Failure> {
        match self {
            Self::Folder(data) => {
                let socket = SocketPath::in_folder(data).map_err(|e| self.unreachable(&e))?;
                let stream = UnixStream::connect(socket.path()).await;
                Ok(Box::new(stream.map_err(|error| self.unreachable(&error))?))
            }
            Self::Server(server) => {
                let connected = tokio::time::timeout(CONNECT_TIMEOUT, server.connect()).await;
                let connected = connected.map_err(|_| self.unreachable(&"no answer in 10 s"))?;
                connected.map_err(|error| self.unreachable(&error))
            }
        }
    }

    /// What a request says of whom it is for and from: host and authorization.
    pub(super) fn headers(&self) -> Vec<(header::HeaderName, HeaderValue)> {
        match self {
            Self::Folder(_) => vec![(header::HOST, HeaderValue::from_static("palisade"))],
            Self::Server(server) => {
                let host = HeaderValue::from_str(server.authority.as_str()).ok();
                let host = host.map(|host| (header::HOST, host));
                let token = (header::AUTHORIZATION, server.authorization.clone());
                host.into_iter().chain([token]).collect()
            }
        }
    }

    /// Nobody answers there.
    pub(super) fn unreachable(&self, cause: &dyn std::fmt::Display) -> Failure {
        Failure::Unreachable(match self {
            Self::Folder(data) => format!(
                "no palisade answers on {}: {cause}\n\
                 start one with `palisade run --to URL`, or name its data folder with --data",
                data.display()
            ),
            Self::Server(server) => format!("no palisade answers on {}: {cause}", server.url),
        })
    }
}

impl Server {
    fn of(url: &str, token_file: &Path, authorities: Option<&Path>) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::Usage(format!(
                "--server {url}: {why}; write it as in https://admin.example.com:9443"
            ))
        };
        let uri: Uri = url.parse().map_err(|_| wrong("this is no URL"))?;
        let authority = uri.authority().cloned().ok_or_else(|| wrong("it names no host"))?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("the path is /api/v1 by itself"));
        }
        let is_here = matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]");
        let tls = match uri.scheme_str() {
            Some("https") => Some(connector(authorities)?),
            Some("http") if is_here => None,
            Some("http") => return Err(wrong("a token must not travel without TLS")),
            _ => return Err(wrong("it is neither http nor https")),
        };
        let authorization = authorization(token_file)?;
        Ok(Self { url: url.to_owned(), authority, tls, authorization })
    }

    async fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        let host = self.authority.host().trim_start_matches('[').trim_end_matches(']');
        let port = self.authority.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let stream = TcpStream::connect((host, port)).await?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
        Ok(Box::new(tls.connect(name, stream).await?))
    }
}

fn connector(authorities: Option<&Path>) -> Result<TlsConnector, Failure> {
    let mut config = gateway::client_tls(authorities).map_err(|e| Failure::of("--ca-file", e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The header that a token file makes. Nothing of the token is in an error.
fn authorization(file: &Path) -> Result<HeaderValue, Failure> {
    let unusable = |why: &str| Failure::Usage(format!("--token-file {}: {why}", file.display()));
    let metadata = fs::metadata(file).map_err(|error| unusable(&error.to_string()))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(unusable("others can read it; chmod 600 it first"));
    }
    if metadata.len() > TOKEN_BYTES_MAX {
        return Err(unusable("too long for a token"));
    }
    let text = fs::read_to_string(file).map_err(|_| unusable("it cannot be read"))?;
    let value = HeaderValue::from_str(&format!("Bearer {}", text.trim()));
    let mut value = value.map_err(|_| unusable("it holds something else than a token"))?;
    value.set_sensitive(true);
    Ok(value)
}
