//! A decision on a request that nobody sends: the whole shield in enforce mode, with the rules that
//! are meant, and a caller that nobody knows.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use shield::{Budget, Decided, Engine, Pass, Patience, Settings};
use traffic::{AnswerHead, EventId, HashKey, Head, Mode, Peer, Timestamp};

use super::configuration;
use crate::args::Global;
use crate::args::rules::Of;
use crate::failure::Failure;

/// Decides requests as a gateway would that enforces.
pub(super) struct Judge {
    engine: Engine,
    no_headers: HeaderMap,
}

/// A request as it would be sent.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

impl Judge {
    /// With the configuration that is meant, everything in it enforced.
    pub(super) fn new(global: &Global, of: &Of) -> Result<Self, Failure> {
        let mut configuration = configuration(global, of);
        configuration.flags.mode = Some(Mode::Enforce);
        let policy = configuration.compile().map_err(Failure::Configuration)?.policy;
        let table_bytes = Budget::of(policy.server.memory_budget.value, &policy.rules).tables();
        let key = HashKey::new([0; 16]);
        let (reads_redacted, recorder) = (false, None);
        let engine = Engine::new(Settings { policy, key, reads_redacted, table_bytes, recorder });
        Ok(Self { engine, no_headers: HeaderMap::new() })
    }

    /// What is decided on the request when `client` sends it.
    pub(super) fn decide(&self, request: &Request, client: IpAddr, now: Timestamp) -> Box<Pass> {
        let host = request.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let raw = request.raw_head();
        let head = Head {
            method: &request.method,
            target: request.target.as_bytes(),
            version: http::Version::HTTP_11,
            authority: host.unwrap_or_default(),
            headers: &request.headers,
            raw: Some(&raw),
        };
        let mut pass = self.engine.open(&head, &Peer::plain(client), EventId(1));
        if let Some(body) = &request.body
            && let Some(most) = pass.wanted_of(body, true)
        {
            let held = body.get(..most).unwrap_or(body);
            pass.read_body(held, held.len() == body.len(), self.engine.hasher());
        }
        let _: Decided = self.engine.decide(&mut pass, now, Patience::Last);
        pass
    }

    /// Lets a request that was let pass be answered with success, so that it is learnt from.
    pub(super) fn answer(&self, pass: Box<Pass>, now: Timestamp) {
        let head = AnswerHead { status: 200, headers: &self.no_headers };
        let answer = shield::Answer { head, body: None, is_complete: true, length: 0 };
        drop(self.engine.learn(pass, &answer, now));
    }
}

impl Request {
    /// With what every client sends along, where the request has none of its own.
    pub(super) fn dressed(mut self) -> Self {
        let common = [("host", "api.example.com"), ("user-agent", "rules-why/1.0")];
        for (name, value) in common.into_iter().chain([("accept", "*/*")]) {
            let name = HeaderName::from_static(name);
            self.headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if let Some(body) = &self.body {
            self.headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        self
    }

    /// The head as bytes, the way HTTP/1.1 has it.
    fn raw_head(&self) -> Vec<u8> {
        let mut raw = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            raw.extend_from_slice(name.as_str().as_bytes());
            raw.extend_from_slice(b": ");
            raw.extend_from_slice(value.as_bytes());
            raw.extend_from_slice(b"\r\n");
        }
        raw.extend_from_slice(b"\r\n");
        raw
    }
}
