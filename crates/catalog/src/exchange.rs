//! What the catalog is asked and told about one exchange, and what it answers.
//!
//! Views and plain data only: what must be read from bodies is read before, outside the lock.

use http::Method;
use traffic::media::Media;
use traffic::{DataClasses, Digest, EndpointId, Fields, Outcome, Path, Role, ServiceId, Timestamp};

use crate::body::AnswerBody;
use crate::redirect::Redirect;

/// Which resource a request addresses.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The host addressed, without its port.
    pub host: &'a str,
    /// The method.
    pub method: &'a Method,
    /// The path.
    pub path: &'a Path,
    /// When.
    pub now: Timestamp,
}

/// Where a request belongs, as far as is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The host group, once known.
    pub service: Option<ServiceId>,
    /// The endpoint, once known.
    pub endpoint: Option<EndpointId>,
    /// The endpoint's role as learnt; before that, what the request alone suggests.
    pub role: Role,
    /// What all paths of one template share, and a path that is not known with those that differ
    /// from it in identifiers only.
    pub path_shape: Digest,
    /// Whether there is an endpoint of any method at this path.
    pub is_known: bool,
    /// For how many days nobody used the endpoint.
    pub unused_days: u32,
    /// Whether the answer's body would teach the catalog what it does not know yet.
    pub wants_answer: bool,
    /// How often the catalog had changed its shape by then: a place goes stale when it changes.
    pub(crate) revision: u32,
    /// It is known under another spelling only, which not every server takes for the same.
    pub(crate) is_respelt: bool,
    /// The shape of the path as it was asked for.
    pub(crate) asked_shape: Digest,
}

/// Where a caller's credential stood, for the description of the API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Slot<'a> {
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`.
    Basic,
    /// A header of this name.
    Header(&'a str),
    /// A cookie of this name.
    Cookie(&'a str),
    /// A query parameter of this name.
    Query(&'a str),
}

/// What a request teaches.
#[derive(Clone, Copy, Debug)]
pub struct RequestLesson<'a> {
    /// Its query and body.
    pub fields: &'a Fields,
    /// The credential that speaks for the caller; none when it came without.
    pub credential: Option<Slot<'a>>,
    /// Who called, as one caller is told from another. Counted, and nothing else hangs on it.
    pub caller: Digest,
    /// Where it came from, as something that cannot be had by the dozen: the address. What is only
    /// ever refused becomes an endpoint once two such sources asked for it.
    pub source: Digest,
    /// The values of all credentials it carried.
    pub carried: &'a [Digest],
}

/// What an answer teaches.
#[derive(Clone, Copy, Debug)]
pub struct AnswerLesson<'a> {
    /// The status code.
    pub status: u16,
    /// Credentials handed out.
    pub issued: &'a [Digest],
    /// What the body says; none when it was not read.
    pub body: Option<AnswerBody>,
    /// The type of the body.
    pub media: Media,
    /// The length of the whole body in bytes.
    pub length: u64,
    /// Where it redirects to.
    pub redirect: Option<Redirect>,
    /// Sensitive data found in the body.
    pub classes: DataClasses,
    /// From the head being forwarded to the answer's end, in microseconds.
    pub took_us: u64,
}

/// What was made of an exchange.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lesson {
    /// The host group, once known.
    pub service: Option<ServiceId>,
    /// The endpoint, once there is one.
    pub endpoint: Option<EndpointId>,
    /// Whether this exchange created it.
    pub created: bool,
    /// The role under which the outcome was judged.
    pub role: Role,
    /// How the exchange ended.
    pub outcome: Outcome,
}

impl AnswerLesson<'_> {
    pub(crate) const fn is_2xx(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// Whether the answer asks for a (better) credential: by status, or by sending to the log-in.
    pub(crate) fn asks_for_credential(&self) -> bool {
        matches!(self.status, 401 | 403)
            || (matches!(self.status, 301..=303 | 307)
                && self.redirect.is_some_and(|to| to.asks_login))
    }
}
