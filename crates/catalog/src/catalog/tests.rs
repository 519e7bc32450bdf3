//! Sample APIs, driven as callers would, and what the catalog makes of them.

mod hostile;
mod hosts;
mod log_ins;
mod spellings;
mod state;
mod templates;

use http::Method;
use traffic::media::Media;
use traffic::{Digest, Fields, HashKey, Hasher, Location, Outcome, Path, Role, Timestamp};

use super::Catalog;
use crate::body::AnswerBody;
use crate::exchange::{AnswerLesson, Lesson, Place, Query, RequestLesson, Slot};
use crate::redirect::Redirect;
use crate::role::role_hint;

/// A catalog with the means to talk to it.
struct World {
    catalog: Catalog,
    hasher: Hasher,
    now: Timestamp,
}

/// One exchange, with what most have in common filled in.
#[derive(Clone)]
struct Call<'a> {
    host: &'a str,
    method: Method,
    target: &'a str,
    /// JSON, or a form when it does not begin like JSON.
    body: &'a str,
    /// The value of a bearer token.
    token: &'a str,
    source: u64,
    status: u16,
    answer: &'a str,
    /// Whether the answer's body was read.
    is_read: bool,
    media: Media,
    /// The value of a credential that the answer hands out.
    issues: &'a str,
    location: &'a str,
}

impl<'a> Call<'a> {
    fn new(method: Method, target: &'a str) -> Self {
        Self {
            host: "api.example.com",
            method,
            target,
            body: "",
            token: "",
            source: 1,
            status: 200,
            answer: "",
            is_read: true,
            media: Media::Json,
            issues: "",
            location: "",
        }
    }

    fn get(target: &'a str) -> Self {
        Self::new(Method::GET, target)
    }

    fn post(target: &'a str, body: &'a str) -> Self {
        Self { body, ..Self::new(Method::POST, target) }
    }

    fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    fn answer(self, answer: &'a str) -> Self {
        Self { answer, ..self }
    }

    fn from(self, source: u64) -> Self {
        Self { source, ..self }
    }

    fn token(self, token: &'a str) -> Self {
        Self { token, ..self }
    }

    fn issues(self, issues: &'a str) -> Self {
        Self { issues, ..self }
    }

    fn location(self, location: &'a str) -> Self {
        Self { location, ..self }
    }

    fn host(self, host: &'a str) -> Self {
        Self { host, ..self }
    }

    fn html(self, answer: &'a str) -> Self {
        Self { answer, media: Media::Text, is_read: false, ..self }
    }
}

impl World {
    fn new() -> Self {
        Self::with_memory(8 << 20)
    }

    fn with_memory(bytes_max: usize) -> Self {
        let hasher = Hasher::new(HashKey::new([7; 16]));
        let now = "2026-11-23T12:00:00Z".parse().expect("a time");
        Self { catalog: Catalog::new(bytes_max), hasher, now }
    }

    fn call(&mut self, call: &Call<'_>) -> (Place, Lesson) {
        let (path, query) = traffic::path::split_target(call.target.as_bytes());
        let path = Path::parse(path, &self.hasher);
        let mut fields = Fields::default();
        if let Some(query) = query {
            fields.read_pairs(query, Location::Query);
        }
        let media = if call.body.starts_with(['{', '[']) { Media::Json } else { Media::Form };
        traffic::body::read(call.body.as_bytes(), media, true, &mut fields);
        let hint = role_hint(&call.method, &path, &fields);
        self.now = self.now.after(std::time::Duration::from_millis(20));
        let query = Query { host: call.host, method: &call.method, path: &path, now: self.now };
        let place = self.catalog.locate(&query, &hint);
        let mut answer = Fields::default();
        traffic::json::read(call.answer.as_bytes(), &mut answer);
        let issued: Vec<Digest> = self.digests(call.issues);
        let carried: Vec<Digest> = self.digests(call.token);
        let request = RequestLesson {
            fields: &fields,
            credential: (!call.token.is_empty()).then_some(Slot::Bearer),
            caller: carried.first().copied().unwrap_or(Digest(call.source)),
            source: Digest(call.source),
            carried: &carried,
        };
        let lesson = AnswerLesson {
            status: call.status,
            issued: &issued,
            body: (call.is_read && !call.answer.is_empty()).then(|| AnswerBody::of(&answer)),
            media: call.media,
            length: call.answer.len() as u64,
            redirect: (!call.location.is_empty())
                .then(|| Redirect::of(call.location, &self.hasher)),
            classes: crate::classes(&answer),
            took_us: 1_500,
        };
        let judged = self.catalog.judge(&place, &lesson);
        let learnt = self.catalog.learn(&place, &query, &hint, &request, &lesson, self.now);
        if place.endpoint.is_some()
            && learnt.endpoint == place.endpoint
            && learnt.role == place.role
        {
            // Judging without learning may lag one answer behind, and no more.
            let again = self.catalog.judge(&place, &lesson);
            assert!(judged == learnt.outcome || again == learnt.outcome, "{}", call.target);
        }
        (place, learnt)
    }

    fn learn(&mut self, call: &Call<'_>) -> Lesson {
        self.call(call).1
    }

    fn outcome(&mut self, call: &Call<'_>) -> Outcome {
        self.call(call).1.outcome
    }

    fn locate(&self, method: &Method, target: &str) -> Place {
        let path = Path::parse(traffic::path::split_target(target.as_bytes()).0, &self.hasher);
        let hint = role_hint(method, &path, &Fields::default());
        let query = Query { host: "api.example.com", method, path: &path, now: self.now };
        self.catalog.locate(&query, &hint)
    }

    fn labels(&self) -> Vec<String> {
        self.catalog.endpoints().iter().map(|view| view.label()).collect()
    }

    /// Templates with their methods, without the host.
    fn templates(&self) -> Vec<String> {
        self.catalog
            .endpoints()
            .iter()
            .map(|view| format!("{} {}", view.method, view.template))
            .collect()
    }

    fn role(&self, label: &str) -> Role {
        let id = self
            .catalog
            .endpoint_labelled(label)
            .unwrap_or_else(|| panic!("{label} among {:?}", self.labels()));
        self.catalog.role(id).expect("a role")
    }

    fn digests(&self, value: &str) -> Vec<Digest> {
        if value.is_empty() { Vec::new() } else { vec![self.hasher.hash(value.as_bytes())] }
    }
}
