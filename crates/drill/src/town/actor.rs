//! Whoever lives in a town, and how it makes a call.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Version};
use shield::timeline::Call;
use traffic::{Peer, Timestamp};

use super::faces::Face;

/// Somebody who makes calls.
pub trait Actor {
    /// What it is, for tallies.
    fn kind(&self) -> &'static str;

    /// Its first calls.
    fn begin(&mut self) -> Vec<Asked>;

    /// Told how `call` ended; what it does next.
    fn answered(&mut self, call: &Call, refused: bool, status: u16, at: Timestamp) -> Vec<Asked>;
}

/// A call to come.
#[derive(Debug)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    /// What.
    pub call: Call,
}

/// The host that the town's API answers to.
pub const HOST: &str = "api.town.example";

/// Browsers and apps that people here use; the index chooses.
const AGENTS: [(&str, &str); 8] = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
        "en-US,en;q=0.9",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
        "en-GB,en;q=0.8",
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "de,en-US;q=0.7,en;q=0.3",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
        "fr-FR,fr;q=0.9",
    ),
    ("TownShop/4.2.0 (Android 15; Pixel 9)", "en-US"),
    ("TownShop/4.1.3 (iOS 18.1; iPhone15,2)", "en-GB"),
    (
        "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36",
        "es-ES,es;q=0.9",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
        "en-US,en;q=0.9",
    ),
];

/// From where and with what somebody calls.
#[derive(Clone, Debug)]
pub struct Client {
    /// The address.
    pub address: IpAddr,
    agent: usize,
    face: Face,
    token: Option<String>,
}

impl Client {
    /// A client at `address`; `agent` chooses among the programs that people use.
    #[must_use]
    pub fn new(address: IpAddr, agent: u32) -> Self {
        Self { address, agent: agent as usize % AGENTS.len(), face: Face::ORDINARY, token: None }
    }

    /// The same with this as its `User-Agent`.
    #[must_use]
    pub const fn calling_itself(mut self, name: &'static str) -> Self {
        self.face.name = Some(name);
        self
    }

    /// The same, with heads and hellos like these.
    #[must_use]
    pub const fn with_face(mut self, face: Face) -> Self {
        self.face = face;
        self
    }

    /// From now on every call carries `token`; with none, none does.
    pub fn carry(&mut self, token: Option<String>) {
        self.token = token;
    }

    /// A GET of `target`.
    #[must_use]
    pub fn get(&self, target: &str) -> Call {
        self.call(Method::GET, target, None)
    }

    /// A POST of a JSON body to `target`.
    #[must_use]
    pub fn post(&self, target: &str, body: &serde_json::Value) -> Call {
        self.call(Method::POST, target, Some(body.to_string()))
    }

    /// A POST of any body to `target`.
    #[must_use]
    pub fn send(&self, target: &str, content_type: &'static str, body: Vec<u8>) -> Call {
        let mut call = self.call(Method::POST, target, None);
        call.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        call.headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        call.body = body;
        call
    }

    fn call(&self, method: Method, target: &str, body: Option<String>) -> Call {
        let (agent, language) = AGENTS.get(self.agent).copied().unwrap_or(("curl/8.11", "*"));
        let mut headers = HeaderMap::new();
        let mut put = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        for (name, value) in self.face.headers(agent, language) {
            put(name, value);
        }
        if body.is_some() {
            put(CONTENT_TYPE, "application/json");
        }
        if let Some(token) = &self.token {
            put(AUTHORIZATION, &format!("Bearer {token}"));
        }
        Call {
            peer: Peer { ja4: self.face.hello.map(Into::into), ..Peer::plain(self.address) },
            method,
            target: target.as_bytes().to_vec(),
            version: Version::HTTP_11,
            authority: HOST.to_owned(),
            headers,
            body: body.unwrap_or_default().into_bytes(),
            is_complete: true,
            claims: Default::default(),
            rules: Default::default(),
            common_password: false,
        }
    }
}

/// The address of house `number` in the district that `district` names.
#[must_use]
pub fn address(district: u8, number: u32) -> IpAddr {
    let [_, a, b, c] = number.to_be_bytes();
    [10 + district % 100, a, b, c].into()
}
