//! One caller's HTTP client: a source address, one kept connection, its cookie or token.
//!
//! HTTP/1.1 in the clear, no redirects, no pool: a drill wants to know exactly what was sent.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, SET_COOKIE, USER_AGENT},
};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpSocket, time::timeout};

const PATIENCE: Duration = Duration::from_secs(30);
const EVENT: HeaderName = HeaderName::from_static("palisade-event");

/// Where the calls go.
#[derive(Clone, Debug)]
pub struct Target {
    address: SocketAddr,
    authority: HeaderValue,
}

impl Target {
    /// Parses `http://host:port` and resolves the host to an IPv4 address.
    pub async fn resolve(url: &str) -> Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("{url} is not a URL"))?;
        if uri.scheme_str() != Some("http") {
            bail!("{url}: the drill speaks http:// only");
        }
        let authority = uri.authority().with_context(|| format!("{url} names no host"))?;
        let port = authority.port_u16().unwrap_or(80);
        let host = authority.host();
        let mut found = tokio::net::lookup_host((host, port))
            .await
            .with_context(|| format!("cannot resolve {host}"))?;
        let address = found
            .find(SocketAddr::is_ipv4)
            .with_context(|| format!("{host} has no IPv4 address"))?;
        Ok(Self { address, authority: HeaderValue::from_str(authority.as_str())? })
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// The gateway's event ID, when the gateway itself answered.
    pub event: Option<String>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A body to send, with its media type.
#[derive(Clone, Debug)]
pub enum Send {
    /// No body.
    Nothing,
    /// `application/json`
    Json(Value),
    /// `application/x-www-form-urlencoded`, written out by the caller of this.
    Form(String),
}

/// One caller.
pub struct Browser {
    target: Target,
    source: Ipv4Addr,
    user_agent: HeaderValue,
    connection: Option<SendRequest<Full<Bytes>>>,
    bearer: Option<HeaderValue>,
    cookie: Option<HeaderValue>,
}

impl Browser {
    /// A caller that sends from `source`.
    #[must_use]
    pub fn new(target: Target, source: Ipv4Addr, user_agent: &'static str) -> Self {
        let user_agent = HeaderValue::from_static(user_agent);
        Self { target, source, user_agent, connection: None, bearer: None, cookie: None }
    }

    /// Shows this bearer token from now on; `None` shows none.
    pub fn carry_token(&mut self, token: Option<&str>) {
        self.bearer = token.and_then(|token| format!("Bearer {token}").try_into().ok());
    }

    /// Forgets token, cookie and connection: a new visitor at the same address.
    pub fn start_over(&mut self) {
        self.connection = None;
        self.bearer = None;
        self.cookie = None;
    }

    /// `GET path`
    pub async fn open(&mut self, path: &str) -> Result<Answer> {
        self.call(Method::GET, path, Send::Nothing).await
    }

    /// Sends one request and reads the whole answer.
    pub async fn call(&mut self, method: Method, path: &str, body: Send) -> Result<Answer> {
        timeout(PATIENCE, self.exchange(method, path, body))
            .await
            .with_context(|| format!("no answer in {} s", PATIENCE.as_secs()))?
    }

    async fn exchange(&mut self, method: Method, path: &str, body: Send) -> Result<Answer> {
        let kept = self.connection.take().filter(|connection| !connection.is_closed());
        let reused = kept.is_some();
        let mut connection = match kept {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        let mut sent = connection.send_request(self.request(&method, path, &body)?).await;
        // A kept connection may have been closed just now; nothing was answered, so ask again.
        if reused && sent.as_ref().is_err_and(|error| error.is_canceled() || error.is_closed()) {
            connection = self.connect().await?;
            sent = connection.send_request(self.request(&method, path, &body)?).await;
        }
        let (head, body) = sent?.into_parts();
        let text = |name| head.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        if let Some(cookie) = text(SET_COOKIE) {
            let pair = cookie.split(';').next().unwrap_or_default();
            self.cookie = Some(pair.try_into()?);
        }
        let body = body.collect().await?.to_bytes().to_vec();
        connection.ready().await.ok();
        self.connection = Some(connection);
        Ok(Answer { status: head.status.as_u16(), event: text(EVENT), body })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>> {
        let socket = TcpSocket::new_v4()?;
        socket
            .bind(SocketAddr::new(IpAddr::V4(self.source), 0))
            .with_context(|| format!("cannot send from {}", self.source))?;
        let stream = socket
            .connect(self.target.address)
            .await
            .with_context(|| format!("cannot reach {}", self.target.address))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the connection, which ends when the sender is dropped.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn request(&self, method: &Method, path: &str, body: &Send) -> Result<Request<Full<Bytes>>> {
        let (media_type, bytes) = match body {
            Send::Nothing => (None, Bytes::new()),
            Send::Json(value) => (Some("application/json"), value.to_string().into()),
            Send::Form(text) => (Some("application/x-www-form-urlencoded"), text.clone().into()),
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.target.authority)
            .header(USER_AGENT, &self.user_agent)
            .header(ACCEPT, "application/json");
        if let Some(media_type) = media_type {
            request = request.header(CONTENT_TYPE, media_type);
        }
        for (name, value) in [(AUTHORIZATION, &self.bearer), (COOKIE, &self.cookie)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        Ok(request.body(Full::new(bytes))?)
    }
}

/// The loopback address of caller `number` in the block 127.`block`.0.0/16.
#[must_use]
pub fn source(block: u8, number: u32) -> Ipv4Addr {
    // 250 to a network, so that no address ends in 0 or 255.
    let network = u8::try_from(number / 250 % 256).unwrap_or(0);
    let host = u8::try_from(number % 250).unwrap_or(0) + 1;
    Ipv4Addr::new(127, block, network, host)
}
