//! Talks to the running instance: HTTP and JSON over the Unix socket in its data folder.
//!
//! Commands are sequential, so this side is blocking: each call drives a runtime of its own to the
//! end. Timeouts keep a hung instance from hanging the shell.

mod place;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use console::wire::{InParts, Problem};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use crate::args::Global;
use crate::failure::Failure;
use place::Place;

/// An answer must have begun by then.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest answer that is read: an export of a large catalog fits many times.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Entries of a list that are asked for at a time.
const PART: usize = 10_000;

/// A running instance.
pub(crate) struct Client {
    place: Place,
    runtime: Runtime,
}

impl Client {
    /// The instance that the flags name.
    pub(crate) fn new(global: &Global) -> Result<Self, Failure> {
        Self::at(Place::of(global)?)
    }

    /// The instance that owns `data`.
    pub(crate) fn of_folder(data: &Path) -> Result<Self, Failure> {
        Self::at(Place::Folder(data.to_owned()))
    }

    fn at(place: Place) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { place, runtime })
    }

    /// Asks for a document.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::GET, path, Bytes::new())
    }

    /// Asks for a list, in as many parts as it has.
    pub(crate) fn get_all<T: DeserializeOwned + InParts>(&self, path: &str) -> Result<T, Failure> {
        let asked = format!("{path}{}limit={PART}", if path.contains('?') { '&' } else { '?' });
        let mut list: T = self.get(&asked)?;
        while let Some(next) = list.take_next() {
            list.add(self.get(&format!("{asked}&cursor={}", escaped(&next)))?);
        }
        Ok(list)
    }

    /// Orders something.
    pub(crate) fn send<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::of("cannot ask", error))?;
        self.call(method, path, Bytes::from(body))
    }

    /// Removes something.
    pub(crate) fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.call(Method::DELETE, path, Bytes::new())
    }

    /// Follows a stream of server-sent events until it ends or `each` says so.
    pub(crate) fn follow<T: DeserializeOwned>(
        &self,
        path: &str,
        mut each: impl FnMut(T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.runtime.block_on(async {
            let mut body = self.ask(Method::GET, path, Bytes::new()).await?.into_body();
            let mut pending: Vec<u8> = Vec::new();
            while let Some(frame) = body.frame().await {
                let frame =
                    frame.map_err(|_| Failure::Unreachable("the instance ended".to_owned()))?;
                let Ok(data) = frame.into_data() else { continue };
                pending.extend_from_slice(&data);
                while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = pending.drain(..=end).collect();
                    let Some(json) = line.strip_prefix(b"data: ") else { continue };
                    match serde_json::from_slice(json) {
                        Ok(item) => each(item)?,
                        Err(error) => return Err(Failure::of("an answer that is not ours", error)),
                    }
                }
                if pending.len() > ANSWER_BYTES_MAX {
                    return Err(Failure::Failed("an endless line from the instance".to_owned()));
                }
            }
            Ok(())
        })
    }

    fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, Failure> {
        self.runtime.block_on(async {
            let answer = self.ask(method, path, body).await?;
            let bytes = collect(answer.into_body()).await?;
            serde_json::from_slice(&bytes)
                .map_err(|error| Failure::of("an answer that is not ours", error))
        })
    }

    /// One exchange; what is not 2xx has become a failure.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, Failure> {
        let stream = self.place.connect().await?;
        let unreachable = |cause: &dyn std::fmt::Display| self.place.unreachable(cause);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(&error))?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(http::header::CONTENT_TYPE, "application/json");
        for (name, value) in self.place.headers() {
            request = request.header(name, value);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|error| Failure::Usage(format!("cannot ask for {path}: {error}")))?;
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, sender.send_request(request))
            .await
            .map_err(|_| unreachable(&"no answer within 30 s"))?
            .map_err(|error| unreachable(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let bytes = collect(answer.into_body()).await?;
        Err(refused(status, &bytes))
    }
}

async fn collect(body: Incoming) -> Result<Bytes, Failure> {
    http_body_util::Limited::new(body, ANSWER_BYTES_MAX)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .map_err(|error| Failure::of("the answer broke off", error))
}

/// The failure that a problem document tells of.
fn refused(status: u16, body: &[u8]) -> Failure {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_else(|_| Problem {
        status,
        title: format!("the instance answered {status}"),
        details: Vec::new(),
    });
    match status {
        400 => Failure::Usage(said(problem)),
        401 | 403 | 421 | 429 => Failure::Unreachable(said(problem)),
        422 => {
            let Problem { title, details, .. } = problem;
            Failure::Configuration(std::iter::once(title).chain(details).collect())
        }
        _ => Failure::Failed(said(problem)),
    }
}

fn said(problem: Problem) -> String {
    std::iter::once(problem.title).chain(problem.details).collect::<Vec<_>>().join("\n")
}

/// `text` so that it can stand in a path segment or a query value (RFC 3986 §2.3).
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
