//! From a line to a request that the engine has looked at: the part of the work that needs no lock.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use shield::timeline::{self, Reply};
use shield::{Engine, Pass};
use traffic::recording::ExchangeLine;
use traffic::{EventId, Head, Peer, Scheme, Timestamp};

use crate::call;
use crate::log::{LogLine, NoRequest, split_absolute};

/// A request that has been looked at, and what was answered.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Timestamp,
    /// From the request to the answer's end.
    pub(crate) after: Duration,
    pub(crate) client: IpAddr,
    pub(crate) pass: Box<Pass>,
    pub(crate) answer: Answer,
}

/// What was answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Nothing: the caller hung up.
    None,
    /// What a log says of it.
    Bare { status: u16, length: u64 },
    /// Headers, or a body, too.
    Whole(Box<Reply>),
}

/// Which facts inputs showed: what is absent makes detectors blind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Shown {
    pub(crate) hosts: bool,
    pub(crate) agents: bool,
    pub(crate) users: bool,
    pub(crate) credentials: bool,
    pub(crate) queries: bool,
    pub(crate) request_bodies: bool,
    pub(crate) answer_bodies: bool,
    pub(crate) ja4: bool,
    pub(crate) fine_times: bool,
    pub(crate) forwarded: bool,
}

impl Shown {
    /// Adds what `other` showed.
    pub(crate) fn join(&mut self, other: Self) {
        self.hosts |= other.hosts;
        self.agents |= other.agents;
        self.users |= other.users;
        self.credentials |= other.credentials;
        self.queries |= other.queries;
        self.request_bodies |= other.request_bodies;
        self.answer_bodies |= other.answer_bodies;
        self.ja4 |= other.ja4;
        self.fine_times |= other.fine_times;
        self.forwarded |= other.forwarded;
    }
}

/// Opens requests for an engine.
pub(crate) struct Opener<'e> {
    engine: &'e Engine,
    /// The host of lines that name none.
    host: Arc<str>,
    headers: HeaderMap,
    pub(crate) shown: Shown,
}

impl<'e> Opener<'e> {
    pub(crate) fn new(engine: &'e Engine, host: Arc<str>) -> Self {
        Self { engine, host, headers: HeaderMap::new(), shown: Shown::default() }
    }

    /// Opens the request of a log line that was read without a fault; `n` is the line's place. None
    /// is a line without client or time, which no format gives.
    pub(crate) fn line(
        &mut self,
        line: &LogLine<'_>,
        n: u64,
    ) -> Option<Result<Arrival, (IpAddr, NoRequest)>> {
        let client = line.caller()?;
        let (at, after) = line.times().ok()?;
        let request = match line.request.read() {
            Ok(request) => request,
            Err(why) => return Some(Err((client, why))),
        };
        let (mut is_tls, mut authority) = (line.is_tls, line.host.as_deref().unwrap_or_default());
        let mut target = request.target.as_ref();
        if let Some((tls, named, rest)) = split_absolute(target) {
            target = rest;
            is_tls |= tls;
            if authority.is_empty() {
                authority = named;
            }
        }
        let authority = std::str::from_utf8(authority).unwrap_or_default();
        self.shown.hosts |= !authority.is_empty();
        self.shown.queries |= memchr::memchr(b'?', target).is_some();
        self.shown.fine_times |= line.is_fine();
        self.take_headers(line);
        let host: &str = if authority.is_empty() { &self.host } else { authority };
        let head = Head {
            method: &request.method,
            target,
            version: request.version,
            authority: host,
            headers: &self.headers,
            raw: None,
        };
        let ja4 = line.ja4.as_deref().map(|ja4| String::from_utf8_lossy(ja4).into());
        self.shown.ja4 |= ja4.is_some();
        let scheme = if is_tls { Scheme::Https } else { Scheme::Http };
        let peer = Peer { address: client, scheme, ja4, h2_settings: None };
        let id = id(at, n);
        let pass = self.engine.open(&head, &peer, id);
        Some(Ok(Arrival { at, after, client: pass.client(), pass, answer: answer(line) }))
    }

    /// Opens a recorded exchange.
    pub(crate) fn exchange(
        &mut self,
        exchange: &ExchangeLine,
        at: Timestamp,
        n: u64,
    ) -> Result<Arrival, call::NotAnExchange> {
        let mut call = call::call(exchange)?;
        let reply = exchange.response.as_ref().map(call::reply).transpose()?;
        self.shown.hosts |= !call.authority.is_empty();
        if call.authority.is_empty() {
            call.authority = self.host.as_ref().to_owned();
        }
        let has = |name: HeaderName| call.headers.contains_key(name);
        self.shown.agents |= has(http::header::USER_AGENT);
        self.shown.credentials |= has(AUTHORIZATION) || has(http::header::COOKIE);
        self.shown.queries |= call.target.contains(&b'?');
        self.shown.request_bodies |= !call.body.is_empty();
        self.shown.ja4 |= call.peer.ja4.is_some();
        self.shown.fine_times = true;
        let id = id(at, n);
        let pass = timeline::open(self.engine, &call, id);
        let after = reply.as_ref().map_or(Duration::ZERO, |reply| reply.after);
        let answer = match reply {
            Some(reply) => {
                self.shown.answer_bodies |= reply.body.is_some();
                Answer::Whole(Box::new(reply))
            }
            None => Answer::None,
        };
        Ok(Arrival { at, after, client: pass.client(), pass, answer })
    }

    /// The headers of a line, in the one map that all lines share.
    fn take_headers(&mut self, line: &LogLine<'_>) {
        self.headers.clear();
        for (name, value) in &line.headers {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                self.headers.append(name.clone(), value);
            }
        }
        // The log has the name that Basic credentials gave, and not the password. Refused ones are
        // told from accepted ones, or whoever guesses at a name would stand in its good standing.
        if let Some(user) = &line.user
            && !self.headers.contains_key(AUTHORIZATION)
        {
            self.shown.users = true;
            let password = if matches!(line.status, Some(401 | 403)) { ":refused" } else { ":" };
            let pair = [user.as_ref(), password.as_bytes()].concat();
            let basic = format!("Basic {}", BASE64.encode(pair));
            if let Ok(value) = HeaderValue::try_from(basic) {
                self.headers.insert(AUTHORIZATION, value);
            }
        }
        let has = |name: HeaderName| self.headers.contains_key(name);
        self.shown.agents |= has(http::header::USER_AGENT);
        self.shown.credentials |=
            has(http::header::COOKIE) || (line.user.is_none() && has(AUTHORIZATION));
        self.shown.forwarded |= has(HeaderName::from_static("x-forwarded-for"));
    }
}

/// The answer of a log line. What a status of 499 or none says is that the caller was gone.
fn answer(line: &LogLine<'_>) -> Answer {
    let Some(status) = line.status.filter(|status| *status != 499) else { return Answer::None };
    let length = line.bytes.unwrap_or(0);
    if line.answer_headers.is_empty() {
        return Answer::Bare { status, length };
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &line.answer_headers {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name.clone(), value);
        }
    }
    Answer::Whole(Box::new(Reply {
        status,
        headers,
        body: None,
        is_complete: false,
        length: Some(length),
        after: Duration::ZERO,
    }))
}

/// An identity from which the line can be found again.
fn id(at: Timestamp, n: u64) -> EventId {
    EventId(u128::from(at.as_micros()) << 64 | u128::from(n))
}
