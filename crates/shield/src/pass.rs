//! The life of one request, top to bottom.
//!
//! 1. [`Engine::open`]: the head becomes a [`Pass`]: who sends, what path, which route. No lock.
//! 2. [`Pass::read_body`]: the body, when it was held back, is decoded once. No lock.
//! 3. [`Engine::decide`]: under the one lock, in this order: identity, endpoint, place among the
//!    unanswered attempts, standing decisions, limits and evidence, verdict.
//! 4. The shell forwards or refuses. What the answer says is collected where it is wanted.
//! 5. [`Engine::learn`]: under the lock again: endpoint and outcome, caller, conduct, findings. What
//!    was refused, or would have been, teaches nothing.
//!
//! Steps 3 and 5 each take the next sequence number; carried out in that order they give the same
//! results in a replay.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, MutexGuard};

use caller::Sighting;
use catalog::{AnswerBody, Place, Query, Redirect, RoleHint};
use conduct::{Act, Keys, Wanted};
use http::{HeaderValue, Method};
use traffic::media::Media;
use traffic::{
    AnswerFacts, AnswerHead, DataClasses, Digest, EndpointId, Event, EventId, Fields, Hasher, Head, Identity, Layer,
    Location, Mode, Outcome, Path, Peer, Role, Timestamp, Verdict,
};

use crate::engine::Engine;
use crate::ladder::NOTABLE_NATS;
use crate::memory::Memory;
use crate::policy::{Policy, RouteRef};
use crate::record::Draft;
use crate::report;
use crate::weigh::{self, Weighed};

/// One request on its way through.
#[derive(Debug)]
pub struct Pass {
    pub(crate) id: EventId,
    pub(crate) policy: Arc<Policy>,
    pub(crate) policy_version: u64,
    pub(crate) route: RouteRef,
    pub(crate) modes: [Mode; Layer::ALL.len()],
    pub(crate) method: Method,
    pub(crate) authority: String,
    pub(crate) path: Path,
    pub(crate) user_agent: Option<HeaderValue>,
    pub(crate) peer_ja4: Option<Box<str>>,
    pub(crate) media: Media,
    pub(crate) fields: Fields,
    pub(crate) sighting: Sighting,
    pub(crate) hint: RoleHint,
    pub(crate) wanted: Wanted,
    pub(crate) request_id: Option<Box<str>>,
    pub(crate) notes: Vec<&'static str>,
    pub(crate) settled: Option<Settled>,
    pub(crate) draft: Option<Box<Draft>>,
}

/// What was decided, and on which facts.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) identity: Identity,
    pub(crate) place: Place,
    pub(crate) act: Act,
    pub(crate) verdict: Verdict,
    pub(crate) at: Timestamp,
    pub(crate) seq: u64,
    /// Its place among the unanswered attempts.
    pub(crate) ticket: Option<conduct::Place>,
    pub(crate) reads_answer: bool,
}

/// How long a request may be held that finds no place among the unanswered attempts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Patience {
    /// It may still be held.
    Waiting,
    /// It has waited long enough: now it is forwarded or refused.
    Last,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Decided {
    /// It goes upstream.
    Forward,
    /// It is refused, and this is its event.
    Refuse(Refusal, Box<Event>),
    /// Too many attempts have no answer yet: hold it, and decide again when one was answered.
    Hold,
}

/// How a request is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The status: 403, 429 or 503.
    pub status: u16,
    /// The event that explains it.
    pub event: EventId,
    /// Seconds until another try makes sense.
    pub retry_after_s: Option<u32>,
    /// A title that gives nothing of the rules away.
    pub title: &'static str,
}

/// An answer of the upstream.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its head.
    pub head: AnswerHead<'a>,
    /// What was read of its body, without content coding; none when nothing was.
    pub body: Option<&'a [u8]>,
    /// Whether that is all of it.
    pub is_complete: bool,
    /// The length of the whole body as it was sent on.
    pub length: u64,
}

/// What is left when an exchange is over.
#[derive(Debug, Default)]
pub struct Learnt {
    /// Its event, when it is worth one.
    pub event: Option<Event>,
    /// Its endpoint, now that the answer is known.
    pub endpoint: Option<EndpointId>,
}

/// How an exchange ended that has no answer of the upstream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// The caller hung up.
    CallerGone,
    /// The upstream failed: with this status (502, 503 or 504) the caller was told.
    UpstreamFailed(u16),
    /// The gateway gave up on the request for its own reasons: overload, a bad body.
    Dropped(u16),
}

/// Answers of log-in and code endpoints are read up to here.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Of the other answers one in so many is read.
const ANSWER_SAMPLE: u64 = 16;

// === opening ===

impl Engine {
    /// Looks at the head of a request. `id` is fresh: it names the event, should there be one, and is
    /// the request ID when the caller's is not accepted.
    pub fn open(&self, head: &Head<'_>, peer: &Peer, id: EventId) -> Pass {
        self.open_recorded(head, peer, id, None)
    }

    /// [`Engine::open`] for a recorded request, with the hashed claims of a token that was left out.
    pub fn open_recorded(
        &self,
        head: &Head<'_>,
        peer: &Peer,
        id: EventId,
        claims: Option<&BTreeMap<String, String>>,
    ) -> Pass {
        let hasher = self.hasher();
        let (policy, policy_version) = self.policy_in_force();
        let (raw_path, raw_query) = traffic::path::split_target(head.target);
        let path = Path::parse(raw_path, hasher);
        let route = policy.route(head.host(), head.method, &path);
        let sighting = caller::sight(head, peer, policy.trust(), hasher, claims);
        let mut fields = Fields::default();
        if let Some(query) = raw_query {
            fields.read_pairs(query, Location::Query);
        }
        let content_type = head.header(&http::header::CONTENT_TYPE);
        let draft = self.recorder().map(|recorder| Box::new(Draft::begin(recorder, head, peer, hasher)));
        Pass {
            id,
            modes: policy.modes(&route),
            route,
            method: head.method.clone(),
            authority: head.authority.to_owned(),
            wanted: Wanted::of(head, &path),
            hint: catalog::role_hint(head.method, &path, &fields),
            path,
            user_agent: head.headers.get(http::header::USER_AGENT).cloned(),
            peer_ja4: peer.ja4.clone(),
            media: Media::of(content_type),
            fields,
            sighting,
            request_id: None,
            notes: Vec::new(),
            settled: None,
            draft,
            policy,
            policy_version,
        }
    }
}

impl Engine {
    /// Decides what becomes of a request. With [`Patience::Last`] it is never held.
    pub fn decide(&self, pass: &mut Pass, now: Timestamp, patience: Patience) -> Decided {
        let hasher = self.hasher();
        let attempted = caller::attempted_account(&pass.fields, &pass.sighting, hasher);
        let mut memory = self.memory();
        let identity = memory.callers.identify(&pass.sighting, attempted, now);
        let place = memory.catalog.locate(&pass.query(now), &pass.hint);
        let act = pass.act(identity, &place, hasher);
        let Some(weighed) = weigh::verdict(&mut memory, self.guard(), pass, &act, now, patience) else {
            return Decided::Hold;
        };
        let seq = memory.next_seq();
        if let Some(draft) = &mut pass.draft {
            draft.decided(now, seq);
        }
        let Weighed { verdict, ticket, is_fault } = weighed;
        let reads_answer = act.role.tries_a_secret() || place.wants_answer || seq.is_multiple_of(ANSWER_SAMPLE);
        let settled = Settled { identity, place, act, verdict, at: now, seq, ticket, reads_answer };
        if !settled.verdict.is_refusal() {
            pass.settled = Some(settled);
            return Decided::Forward;
        }
        let id = memory.shared_event(&settled, pass.id, hasher, now);
        let endpoint = settled.place.endpoint.map(|id| memory.catalog.label(id));
        let status = if is_fault { 503 } else if settled.verdict.retry_after_s.is_some() { 429 } else { 403 };
        memory.note_finding(&settled, endpoint.as_deref(), id, hasher, now);
        memory.count(&settled, settled.place.endpoint, status, 0, 0);
        drop(memory);
        let event = report::event(pass, &settled, id, endpoint, status, 0, hasher);
        if let (Some(mut draft), Some(recorder)) = (pass.draft.take(), self.recorder()) {
            draft.verdict(&settled.verdict, event.endpoint.clone());
            (recorder.sink)(draft.refused());
        }
        let refusal = Refusal { status, event: id, retry_after_s: settled.verdict.retry_after_s, title: title(status) };
        pass.settled = Some(settled);
        Decided::Refuse(refusal, Box::new(event))
    }

    /// Takes in the answer of a forwarded request. Gives the event, when the exchange is worth one.
    pub fn learn(&self, mut pass: Pass, answer: &Answer<'_>, now: Timestamp) -> Learnt {
        let Some(mut settled) = pass.settled.take() else { return Learnt::default() };
        let read = ReadAnswer::of(answer, self.hasher());
        let mut memory = self.memory();
        let seq = memory.next_seq();
        self.give_back(&mut memory, &mut settled);
        let took_us = elapsed_us(settled.at, now);
        let lesson = catalog::AnswerLesson {
            status: answer.head.status,
            issued: &read.issued,
            body: read.body,
            media: read.media,
            length: answer.length,
            redirect: read.redirect,
            classes: read.classes,
            took_us,
        };
        let mut facts = AnswerFacts {
            status: answer.head.status,
            outcome: Outcome::Unknown,
            role: settled.act.role,
            issued: Vec::new(),
            classes: read.classes,
            took_us,
        };
        let mut endpoint = settled.place.endpoint;
        if settled.verdict.would_refuse() {
            // Monitor predicts enforce: nothing is learnt from what enforce would have refused.
            facts.outcome = memory.catalog.judge(&settled.place, &lesson);
        } else {
            let carried = pass.sighting.carried();
            let request = catalog::RequestLesson {
                fields: &pass.fields,
                credential: pass.sighting.credentials.first().map(|credential| slot(&credential.slot)),
                caller: settled.identity.session.unwrap_or(settled.identity.device),
                source: settled.act.keys.address,
                carried: &carried,
            };
            let learnt =
                memory.catalog.learn(&settled.place, &pass.query(settled.at), &pass.hint, &request, &lesson, now);
            endpoint = learnt.endpoint.or(endpoint);
            facts.outcome = learnt.outcome;
            facts.role = pass.role_or(learnt.role);
            facts.issued = read.issued;
            memory.callers.learn(&pass.sighting, &settled.identity, &facts, now);
            let lesson = weigh::Lesson { facts: &facts, endpoint, created: learnt.created };
            weigh::learn(&mut memory, self.guard(), &pass, &settled.act, &lesson, now);
        }
        memory.note_success(&settled, &facts, self.hasher());
        let finish = Finish { endpoint, status: facts.status, took_us, length: answer.length, seq, answer: Some(answer) };
        self.finish(memory, pass, settled, &finish, now)
    }

    /// Takes in that a forwarded request has no answer of the upstream. A caller that hangs up and an
    /// upstream that fails are evidence against nobody.
    pub fn abandon(&self, mut pass: Pass, end: End, now: Timestamp) -> Learnt {
        let Some(mut settled) = pass.settled.take().filter(|settled| !settled.verdict.is_refusal()) else {
            return Learnt::default();
        };
        let mut memory = self.memory();
        let seq = memory.next_seq();
        self.give_back(&mut memory, &mut settled);
        let (status, note) = match end {
            End::CallerGone => (CALLER_GONE, "the caller hung up before the answer"),
            End::UpstreamFailed(status) => (status, "the upstream gave no answer"),
            End::Dropped(status) => (status, "the gateway gave the request up"),
        };
        pass.notes.push(note);
        let took_us = elapsed_us(settled.at, now);
        let finish = Finish { endpoint: settled.place.endpoint, status, took_us, length: 0, seq, answer: None };
        self.finish(memory, pass, settled, &finish, now)
    }

    /// Counts the exchange, and makes its event when it is worth one.
    fn finish(
        &self,
        mut memory: MutexGuard<'_, Memory>,
        mut pass: Pass,
        settled: Settled,
        finish: &Finish<'_>,
        now: Timestamp,
    ) -> Learnt {
        memory.count(&settled, finish.endpoint, finish.status, finish.length, finish.took_us);
        let is_notable = settled.verdict.would_refuse()
            || settled.verdict.exception.is_some()
            || settled.verdict.nats >= NOTABLE_NATS
            || matches!(finish.status, 502..=504) && finish.answer.is_none();
        let is_kept = is_notable || memory.takes_sample(now);
        let is_recorded = pass.draft.is_some();
        let endpoint = if is_kept || is_recorded { finish.endpoint.map(|id| memory.catalog.label(id)) } else { None };
        let mut id = pass.id;
        if settled.verdict.would_refuse() {
            id = memory.shared_event(&settled, pass.id, self.hasher(), now);
        }
        if is_notable {
            memory.note_finding(&settled, endpoint.as_deref(), id, self.hasher(), now);
        }
        drop(memory);
        if let (Some(mut draft), Some(recorder)) = (pass.draft.take(), self.recorder()) {
            draft.verdict(&settled.verdict, endpoint.clone());
            (recorder.sink)(match finish.answer {
                Some(answer) => draft.answered(answer, finish.took_us, finish.seq, self.hasher()),
                None => draft.abandoned(finish.seq),
            });
        }
        let event =
            is_kept.then(|| report::event(&pass, &settled, id, endpoint, finish.status, finish.took_us, self.hasher()));
        Learnt { event, endpoint: finish.endpoint }
    }

    fn give_back(&self, memory: &mut Memory, settled: &mut Settled) {
        if let Some(ticket) = settled.ticket.take() {
            memory.conduct.release(ticket);
            self.note_freed();
        }
    }
}

/// What an exchange's end adds to the account.
struct Finish<'a> {
    endpoint: Option<EndpointId>,
    status: u16,
    took_us: u64,
    length: u64,
    seq: u64,
    answer: Option<&'a Answer<'a>>,
}

/// What an answer's head and body say, read outside the lock.
struct ReadAnswer {
    media: Media,
    issued: Vec<Digest>,
    classes: DataClasses,
    body: Option<AnswerBody>,
    redirect: Option<Redirect>,
}

impl ReadAnswer {
    fn of(answer: &Answer<'_>, hasher: &Hasher) -> Self {
        let header = |name| answer.head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let media = Media::of(header(http::header::CONTENT_TYPE));
        let mut fields = Fields::default();
        let mut classes = DataClasses::default();
        if let Some(body) = answer.body {
            traffic::body::read(body, media, answer.is_complete, &mut fields);
            classes = if fields.is_empty() {
                catalog::classes_of_text(&String::from_utf8_lossy(body))
            } else {
                catalog::classes(&fields)
            };
        }
        Self {
            media,
            issued: caller::issued_credentials(&answer.head, &fields, hasher),
            classes,
            body: answer.body.map(|_| AnswerBody::of(&fields)),
            redirect: header(http::header::LOCATION).map(|location| Redirect::of(location, hasher)),
        }
    }
}

/// A credential's place in the catalog's terms.
fn slot(slot: &caller::Slot) -> catalog::Slot<'_> {
    match slot.place {
        caller::Place::Bearer => catalog::Slot::Bearer,
        caller::Place::Basic => catalog::Slot::Basic,
        caller::Place::Authorization => catalog::Slot::Header("authorization"),
        caller::Place::Header => catalog::Slot::Header(slot.name.shown()),
        caller::Place::Query => catalog::Slot::Query(slot.name.shown()),
        caller::Place::Cookie => catalog::Slot::Cookie(slot.name.shown()),
    }
}

// === impl Pass ===

impl Pass {
    /// How much of the request's body is to be held back and handed to [`Pass::read_body`] before the
    /// decision; none when it is to stream on.
    pub fn body_wanted(&self) -> Option<usize> {
        let is_asked = self.modes.iter().any(|mode| *mode != Mode::Off);
        (is_asked && self.media.can_be_inspected()).then(|| self.inspect_bytes())
    }

    /// Takes in the body as far as it was held. `is_complete` says whether it ended there.
    pub fn read_body(&mut self, body: &[u8], is_complete: bool, hasher: &Hasher) {
        traffic::body::read(body, self.media, is_complete, &mut self.fields);
        self.hint = catalog::role_hint(&self.method, &self.path, &self.fields);
        if !is_complete {
            self.notes.push("the body was inspected in part");
        }
        if let Some(draft) = &mut self.draft {
            draft.body(body, self.media, is_complete, hasher);
        }
    }

    /// How much of the answer's body is to be collected for [`Engine::learn`]; none when it need not be.
    pub fn answer_wanted(&self, head: &AnswerHead<'_>) -> Option<usize> {
        let reads = self.settled.as_ref().is_some_and(|settled| settled.reads_answer);
        let content_type = head.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        (reads && Media::of(content_type).can_be_inspected()).then_some(ANSWER_BYTES_MAX)
    }

    /// The name of this request towards caller and upstream, unless a trusted peer named it.
    pub fn request_id(&self) -> String {
        self.request_id.as_deref().map_or_else(|| self.id.to_string(), str::to_owned)
    }

    /// Takes over the name that a trusted peer gave this request.
    pub fn accept_request_id(&mut self, id: &str) {
        self.request_id = Some(id.into());
    }

    /// Notes something odd about the request in its event.
    pub fn note(&mut self, note: &'static str) {
        self.notes.push(note);
    }

    /// The client address: the peer's, or what trusted proxies say.
    pub const fn client(&self) -> IpAddr {
        self.sighting.address
    }

    /// The policy that this request goes by.
    pub const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The site and route that this request falls under.
    pub const fn route(&self) -> &RouteRef {
        &self.route
    }

    /// The verdict, once decided.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.settled.as_ref().map(|settled| &settled.verdict)
    }

    /// The endpoint, as far as the request tells.
    pub fn endpoint(&self) -> Option<EndpointId> {
        self.settled.as_ref().and_then(|settled| settled.place.endpoint)
    }

    /// The sequence number of the decision.
    pub fn decided_seq(&self) -> Option<u64> {
        self.settled.as_ref().map(|settled| settled.seq)
    }

    /// How much of a body is looked at.
    fn inspect_bytes(&self) -> usize {
        usize::try_from(self.policy.limits.inspect_body.value).unwrap_or(usize::MAX)
    }

    pub(crate) fn query(&self, now: Timestamp) -> Query<'_> {
        Query { host: traffic::head::host_of(&self.authority), method: &self.method, path: &self.path, now }
    }

    pub(crate) fn mode(&self, layer: Layer) -> Mode {
        self.modes.get(layer.index()).copied().unwrap_or_default()
    }

    /// The role that the user gave this route, or the one that was learnt.
    pub(crate) fn role_or(&self, learnt: Role) -> Role {
        self.policy.label(&self.route).unwrap_or(learnt)
    }

    fn act(&self, identity: Identity, place: &Place, hasher: &Hasher) -> Act {
        Act {
            identity,
            keys: Keys::of(&identity, hasher),
            service: place.service,
            endpoint: place.endpoint,
            endpoint_known: place.is_known,
            role: self.role_or(place.role),
            path_shape: place.path_shape,
            wanted: self.wanted,
        }
    }
}

/// Log code for a caller that hung up before it got an answer; no client ever sees it.
const CALLER_GONE: u16 = 499;

fn elapsed_us(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.since(from).as_micros()).unwrap_or(u64::MAX)
}

const fn title(status: u16) -> &'static str {
    match status {
        429 => "Too many requests",
        503 => "Cannot be checked at the moment",
        _ => "Request blocked",
    }
}
