//! The life of one request, top to bottom.
//!
//! 1. [`Engine::open`]: the head becomes a [`Pass`]: who sends, what path, which route. No lock.
//! 2. [`Pass::read_body`]: the body, when it was held back, is decoded once. No lock.
//! 3. [`Engine::decide`]: under the one lock, in this order: identity, endpoint, place among the
//!    unanswered attempts, standing decisions, limits and evidence, verdict.
//! 4. The shell forwards or refuses. What the answer says is collected where it is wanted.
//!    Where rules look at answers, they look before it goes out: see [`screen`].
//! 5. [`Engine::learn`]: under the lock again: endpoint and outcome, caller, conduct, findings.
//!    What was refused, or would have been, teaches nothing.
//!
//! Steps 3 and 5 each take the next sequence number; carried out in that order they give the same
//! results in a replay.

mod answer;
mod program;
mod screen;
mod state;

use std::collections::BTreeMap;
use std::sync::MutexGuard;

use catalog::RoleHint;
use conduct::{Variant, Wanted};
use traffic::media::Media;
use traffic::{
    AnswerFacts, EndpointId, Event, EventId, Fields, Head, Layer, Location, Mode, Outcome, Path,
    Peer, Role, Signal, Surface, SurfaceHint, Timestamp, Verdict,
};

use crate::engine::Engine;
use crate::inspection::{Circumstances, Inspection};
use crate::ladder::NOTABLE_NATS;
use crate::memory::Memory;
use crate::record::Draft;
use crate::report::{self, Ending};
use crate::shared::Telling;
use crate::weigh::{self, Weighed};

pub use answer::{Answer, End, Learnt};
pub use state::Pass;

use answer::{ReadAnswer, slot};
pub(crate) use state::{BodySeen, Settled};

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
    /// It is refused. The event is there to be kept, unless one that was begun within the last
    /// seconds stands for it, too.
    Refuse(Refusal, Option<Box<Event>>),
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

impl Refusal {
    const fn new(status: u16, event: EventId, retry_after_s: Option<u32>) -> Self {
        Self { status, event, retry_after_s, title: title(status) }
    }
}

/// Of the other answers one in so many is read.
const ANSWER_SAMPLE: u64 = 16;

// === opening ===

impl Engine {
    /// Looks at the head of a request. `id` is fresh: it names the event, should there be one,
    /// and is the request ID when the caller's is not accepted.
    pub fn open(&self, head: &Head<'_>, peer: &Peer, id: EventId) -> Box<Pass> {
        self.open_recorded(head, peer, id, None)
    }

    /// [`Engine::open`] for a recorded request, with the hashed claims of a token that was left
    /// out.
    pub fn open_recorded(
        &self,
        head: &Head<'_>,
        peer: &Peer,
        id: EventId,
        claims: Option<&BTreeMap<String, String>>,
    ) -> Box<Pass> {
        let hasher = self.hasher();
        let (policy, policy_version) = self.policy_in_force();
        let (raw_path, raw_query) = traffic::path::split_target(head.target);
        let path = Path::parse(raw_path, hasher);
        let route = policy.route(head.host(), head.method, &path);
        let sighting = caller::sight(head, peer, policy.trust(), hasher, claims, self.readings());
        let mut fields = Fields::default();
        if let Some(query) = raw_query {
            fields.read_pairs(query, Location::Query);
        }
        let content_type = head.header(&http::header::CONTENT_TYPE);
        let mut notes = Vec::new();
        if sighting.forwarding.is_some() {
            notes.push("the forwarding header could not be read to its end");
        }
        let modes = policy.modes(&route);
        let rules_look = modes.get(Layer::Rules.index()).is_some_and(|mode| *mode != Mode::Off);
        let inspection = policy.rulebook().filter(|_| rules_look).map(|rulebook| {
            let of = Circumstances { id, client: sighting.address };
            Box::new(Inspection::begin(rulebook, head, of))
        });
        let is_body_unread = may_have_body(head);
        let is_provoked = conduct::is_provoked(head);
        let draft = self.recorder().map(|recorder| {
            Box::new(Draft::begin(recorder, head, peer, hasher).with_body_unread(is_body_unread))
        });
        Box::new(Pass {
            id,
            modes,
            route,
            method: head.method.clone(),
            authority: head.authority.to_owned(),
            wanted: Wanted::of(head, &path, is_provoked),
            variant: Variant::of(&path, hasher),
            program: program::of(head, &sighting, &policy),
            is_provoked,
            surface: SurfaceHint::of(head.headers, &path),
            hint: RoleHint::default(),
            tried: None,
            had_common_password: false,
            path,
            user_agent: head.headers.get(http::header::USER_AGENT).cloned(),
            peer_ja4: peer.ja4.clone(),
            media: Media::of(content_type),
            fields,
            is_body_unread,
            sighting,
            request_id: None,
            notes,
            body_seen: BodySeen::default(),
            settled: None,
            draft,
            inspection,
            policy,
            policy_version,
        })
    }
}

impl Engine {
    /// Decides what becomes of a request. With [`Patience::Last`] it is never held.
    pub fn decide(&self, pass: &mut Pass, now: Timestamp, patience: Patience) -> Decided {
        let hasher = self.hasher();
        self.look(pass, now, |inspection| inspection.run(now, self.hasher()));
        pass.hint = catalog::role_hint(&pass.method, &pass.path, &pass.fields);
        if pass.role_or(pass.hint.role()).names_an_account() {
            pass.fields.read_rest();
        }
        let mut attempted = caller::attempted(&pass.fields, &pass.sighting, hasher);
        let role = pass.role_or(pass.hint.role());
        if role.tries_a_secret() || role.takes_a_password() {
            pass.tried = Some(caller::tried(&pass.fields, &pass.sighting, hasher));
        }
        let mut memory = self.memory();
        let place = memory.catalog.locate(&pass.query(now), &pass.hint);
        if pass.fields.has_rest() && pass.role_or(place.role).names_an_account() {
            // Under the lock, but next to never: a log-in that nothing in the request speaks for,
            // with hundreds of fields.
            pass.fields.read_rest();
            attempted = caller::attempted(&pass.fields, &pass.sighting, hasher);
        }
        let tries_basic = pass.tries_basic(&memory.callers, place.role, &mut attempted);
        let identity = memory.callers.identify(&pass.sighting, &attempted, now);
        let act = pass.act(identity, &place, tries_basic, hasher);
        let Some(weighed) = weigh::verdict(&mut memory, self.guard(), pass, &act, now, patience)
        else {
            return Decided::Hold;
        };
        let seq = memory.next_seq();
        memory.count_body(pass.body_seen);
        memory.cut_short += u64::from(pass.inspection.as_ref().is_some_and(|it| it.is_cut_short()));
        if let Some(draft) = &mut pass.draft {
            draft.decided(now, seq);
            draft.common_password(act.guess.is_common);
            draft.found(pass.inspection.as_ref().and_then(|it| it.request.part()));
        }
        let Weighed { verdict, ticket, is_fault } = weighed;
        memory.failed_closed += u64::from(is_fault);
        let reads_answer = (act.role.tries_a_secret() && !act.guess.is_basic)
            || place.wants_answer
            || seq.is_multiple_of(ANSWER_SAMPLE);
        let settled = Box::new(Settled { place, act, verdict, at: now, ticket, reads_answer });
        if !settled.verdict.is_refusal() {
            pass.settled = Some(settled);
            return Decided::Forward;
        }
        let telling = memory.telling(&settled, pass.id, hasher, now);
        let status = status(&settled.verdict, is_fault);
        memory.note_finding(&settled, telling.id, hasher, now);
        memory.count(&settled, settled.place.endpoint, status, 0, 0);
        let role = settled.place.endpoint.map_or(Role::Other, |_| settled.act.role);
        memory.tally(pass, &settled, role, pass.surface.with_answer(None), status);
        let is_wanted = telling.count.is_some() || pass.draft.is_some();
        let labelled = settled.place.endpoint.filter(|_| is_wanted);
        let endpoint = labelled.map(|id| memory.catalog.label(id));
        drop(memory);
        self.end_inspection(pass, now);
        if let (Some(mut draft), Some(recorder)) = (pass.draft.take(), self.recorder()) {
            draft.verdict(&settled.verdict, endpoint.clone());
            (recorder.sink)(draft.refused());
        }
        let ending = Ending { telling, endpoint, status, took_us: 0, is_failure: false };
        let event = report::event(pass, &settled, ending, hasher);
        let refusal = Refusal::new(status, telling.id, settled.verdict.retry_after_s);
        pass.settled = Some(settled);
        Decided::Refuse(refusal, event.map(Box::new))
    }

    /// Takes in the answer of a forwarded request. Gives the event, when the exchange is worth one,
    /// and what becomes of an answer that was held for the rules.
    pub fn learn(&self, mut pass: Box<Pass>, answer: &Answer<'_>, now: Timestamp) -> Learnt {
        let most = pass.answer_read(&answer.head);
        let Some(mut settled) = pass.settled.take() else { return Learnt::default() };
        self.screen_rest(&mut pass, answer, now);
        let read = ReadAnswer::of(answer, most, self.hasher());
        let content_type = answer.head.headers.get(http::header::CONTENT_TYPE);
        let surface = pass.surface.with_answer(content_type.map(http::HeaderValue::as_bytes));
        let mut memory = self.memory();
        let seq = memory.next_seq();
        self.give_back(&mut memory, &mut settled);
        let changed = weigh::answer::verdict(&mut memory, &pass, &settled, now);
        if let Some(verdict) = &changed {
            settled.verdict.clone_from(verdict);
        }
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
        let mut found = None;
        let endpoint = if settled.verdict.would_refuse() {
            // Monitor predicts enforce: nothing is learnt from what enforce would have refused.
            facts.outcome = memory.catalog.judge(&settled.place, &lesson);
            settled.place.endpoint
        } else {
            facts.issued.clone_from(&read.issued);
            let taught = self.teach(&mut memory, &pass, &mut settled, &lesson, &mut facts, now);
            found = taught.found.filter(|_| !answer.is_page());
            taught.endpoint
        };
        let attempt = weigh::attempt(&memory, &pass, &settled.act, &facts);
        memory.note_success(&settled, &attempt, self.hasher());
        let refused = settled.verdict.is_refusal().then(|| status(&settled.verdict, false));
        let finish = Finish {
            endpoint,
            role: facts.role,
            surface,
            status: refused.unwrap_or(facts.status),
            took_us,
            length: answer.length,
            seq,
            answer: Some(answer),
            found,
        };
        let mut learnt = self.finish(memory, pass, settled, &finish, now);
        let refusal = refused.zip(learnt.told_as);
        learnt.refusal = refusal.map(|(status, event)| Refusal::new(status, event, None));
        learnt.verdict = changed;
        learnt
    }

    /// What an exchange teaches that nothing speaks against. Gives its endpoint.
    fn teach(
        &self,
        memory: &mut Memory,
        pass: &Pass,
        settled: &mut Settled,
        lesson: &catalog::AnswerLesson<'_>,
        facts: &mut AnswerFacts,
        now: Timestamp,
    ) -> Taught {
        let carried = pass.sighting.carried();
        let request = catalog::RequestLesson {
            fields: &pass.fields,
            credential: pass.sighting.credentials.first().map(|credential| slot(&credential.slot)),
            caller: settled.counted_caller(&memory.callers, lesson.status),
            source: settled.act.keys.address,
            carried: &carried,
        };
        let learnt = memory.catalog.learn(
            &settled.place,
            &pass.query(settled.at),
            &pass.hint,
            &request,
            lesson,
            now,
        );
        let endpoint = learnt.endpoint.or(settled.place.endpoint);
        facts.outcome = learnt.outcome;
        facts.role = pass.role_or(learnt.role);
        memory.callers.learn(&pass.sighting, &settled.act.identity, facts, now);
        let lesson = weigh::Lesson { facts, endpoint, created: learnt.created };
        let found = weigh::learn(memory, self.guard(), pass, &mut settled.act, &lesson, now);
        Taught { endpoint, found }
    }

    /// Takes in that a forwarded request has no answer of the upstream. A caller that hangs up
    /// and an upstream that fails are evidence against nobody.
    pub fn abandon(&self, mut pass: Box<Pass>, end: End, now: Timestamp) -> Learnt {
        let Some(mut settled) = pass.settled.take().filter(|settled| !settled.verdict.is_refusal())
        else {
            return Learnt::default();
        };
        self.end_inspection(&mut pass, now);
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
        let finish = Finish {
            endpoint: settled.place.endpoint,
            role: settled.act.role,
            surface: pass.surface.with_answer(None),
            status,
            took_us,
            length: 0,
            seq,
            answer: None,
            found: None,
        };
        self.finish(memory, pass, settled, &finish, now)
    }

    /// Counts the exchange, and makes its event when it is worth one.
    fn finish(
        &self,
        mut memory: MutexGuard<'_, Memory>,
        mut pass: Box<Pass>,
        settled: Box<Settled>,
        finish: &Finish<'_>,
        now: Timestamp,
    ) -> Learnt {
        memory.count(&settled, finish.endpoint, finish.status, finish.length, finish.took_us);
        // A path that leads nowhere is for nothing, whatever it is called.
        let role = finish.endpoint.map_or(Role::Other, |_| finish.role);
        memory.tally(&pass, &settled, role, finish.surface, finish.status);
        let is_failure = matches!(finish.status, 502..=504) && finish.answer.is_none();
        let is_notable = settled.verdict.would_refuse()
            || settled.verdict.exception.is_some()
            || settled.verdict.nats >= NOTABLE_NATS
            || finish.found.is_some()
            || is_failure;
        let mut telling = Telling { id: pass.id, count: None };
        if is_notable {
            telling = memory.telling(&settled, pass.id, self.hasher(), now);
            memory.note_finding(&settled, telling.id, self.hasher(), now);
            if finish.answer.is_some_and(|answer| pass.is_answered_probe(&settled, answer)) {
                memory.note_answered_probe(&settled, self.hasher());
            }
            if let Some(found) = &finish.found {
                let place = finish.endpoint;
                memory.note_forgotten(&settled, found, place, telling.id, self.hasher(), now);
            }
        } else if memory.takes_sample(now) {
            telling = Telling::alone(pass.id);
        }
        let is_wanted = telling.count.is_some() || pass.draft.is_some();
        let labelled = finish.endpoint.filter(|_| is_wanted);
        let endpoint = labelled.map(|id| memory.catalog.label(id));
        drop(memory);
        if let (Some(mut draft), Some(recorder)) = (pass.draft.take(), self.recorder()) {
            draft.verdict(&settled.verdict, endpoint.clone());
            (recorder.sink)(match finish.answer {
                Some(answer) => {
                    let rules = pass.inspection.as_ref().and_then(|it| it.answer.part());
                    draft.found_in_answer(rules);
                    draft.answered(answer, finish.took_us, finish.seq, self.hasher())
                }
                None => draft.abandoned(finish.seq),
            });
        }
        let (status, took_us) = (finish.status, finish.took_us);
        let told_as = Some(telling.id);
        let ending = Ending { telling, endpoint, status, took_us, is_failure };
        let event = report::event(&pass, &settled, ending, self.hasher());
        if let Some(inspection) = pass.inspection.take() {
            inspection.retire();
        }
        Learnt { event, endpoint: finish.endpoint, told_as, ..Learnt::default() }
    }

    fn give_back(&self, memory: &mut Memory, settled: &mut Settled) {
        if let Some(ticket) = settled.ticket.take() {
            memory.conduct.release(ticket);
            self.note_freed();
        }
    }
}

/// Whether a body follows the head, as far as that tells.
fn may_have_body(head: &Head<'_>) -> bool {
    let is_sized = head.header(&http::header::CONTENT_LENGTH).map(|length| length.trim() != "0");
    // HTTP/2 ends a request without saying how long it is.
    let is_typed = || {
        head.version > http::Version::HTTP_11
            && head.headers.contains_key(http::header::CONTENT_TYPE)
    };
    let is_chunked = || head.headers.contains_key(http::header::TRANSFER_ENCODING);
    is_sized.unwrap_or_else(|| is_chunked() || is_typed())
}

/// What an exchange's end adds to the account.
struct Finish<'a> {
    endpoint: Option<EndpointId>,
    role: Role,
    surface: Surface,
    status: u16,
    took_us: u64,
    length: u64,
    seq: u64,
    answer: Option<&'a Answer<'a>>,
    /// A forgotten endpoint that came to light.
    found: Option<Signal>,
}

/// What an exchange taught.
struct Taught {
    endpoint: Option<EndpointId>,
    /// A forgotten endpoint that came to light.
    found: Option<Signal>,
}

/// Log code for a caller that hung up before it got an answer; no client ever sees it.
const CALLER_GONE: u16 = 499;

fn elapsed_us(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.since(from).as_micros()).unwrap_or(u64::MAX)
}

const fn status(verdict: &Verdict, is_fault: bool) -> u16 {
    match verdict.retry_after_s {
        _ if is_fault => 503,
        Some(_) => 429,
        None => 403,
    }
}

const fn title(status: u16) -> &'static str {
    match status {
        429 => "Too many requests",
        503 => "Cannot be checked at the moment",
        _ => "Request blocked",
    }
}
