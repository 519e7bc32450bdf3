//! One exchange, from an accepted head to the end of its answer: the life of a request, top to
//! bottom.
//!
//! The engine decides; this carries out. Whatever way an exchange ends (answered, refused, left by
//! its caller, failed by the upstream), its pass goes back to the engine exactly once, so that
//! places held for it are given back and what it taught is learnt.

mod ahead;
mod busy;
mod held;
mod inspect;
mod lesson;
mod onward;
mod probe;
mod pseudo;
mod screen;

use std::{convert::Infallible, future::Future, pin::Pin, rc::Rc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use shield::{Decided, End, Pass, Patience, policy::AcceptFrom};
use traffic::{AnswerHead, EventId, Timestamp};

pub(crate) use busy::{Busy, Place};
use lesson::{Begun, Lesson};

use crate::{
    access::Access,
    answer::{Problem, prefers_html},
    arrival::Arrival,
    flow::Flow,
    framing::{Head, Refusal},
    headers::{self, X_PALISADE_RULES, X_REQUEST_ID},
    inbound::{Inbound, InboundBody},
    meters::{Phase, Shed},
    relay::{Answer, HeldAnswer},
    upload::CallerFault,
    upstream::{AnswerBody, Answered, Group, Lease, UpstreamFault},
    worker::HeldBytes,
};

/// How long a request may be held while others like it have no answer yet.
const HOLD: Duration = Duration::from_secs(2);
/// How often a held request looks whether a place is free.
const HOLD_STEP: Duration = Duration::from_millis(5);

/// What hyper calls for each request of an HTTP/2 connection.
pub(crate) struct Front(pub(crate) Rc<Arrival>);

impl hyper::service::Service<Request<Incoming>> for Front {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>>>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let arrival = Rc::clone(&self.0);
        let (parts, body) = request.into_parts();
        let (inbound, body) = (Box::new(Inbound::of_http2(parts)), InboundBody::Http2(body));
        let flow = Flow::new(&arrival);
        // The task that writes the answer is made right after this.
        arrival.flow_begins(Rc::clone(&flow));
        Box::pin(async move {
            let response = serve(arrival, None, inbound, body).await;
            Ok(response.map(|answer| answer.flowing(flow)))
        })
    }
}

/// Answers one request; `head` is its head as received over HTTP/1. What it holds is boxed, as the
/// future is moved before it runs.
pub(crate) fn serve(
    arrival: Rc<Arrival>,
    head: Option<Head>,
    inbound: Box<Inbound>,
    body: InboundBody,
) -> impl Future<Output = Response<Answer>> {
    run(Ongoing::new(arrival, head), inbound, body)
}

async fn run(
    mut ongoing: Box<Ongoing>,
    inbound: Box<Inbound>,
    body: InboundBody,
) -> Response<Answer> {
    let html = prefers_html(&inbound.headers);
    let mut response = match ongoing.run(inbound, body).await {
        Ok(response) => response,
        Err(problem) => {
            // It is wholly here, however long its caller takes to have it.
            ongoing.place = None;
            ongoing.held = None;
            problem.response(html)
        }
    };
    if !response.headers().contains_key(X_REQUEST_ID) {
        response.headers_mut().insert(X_REQUEST_ID, ongoing.request_id.clone());
    }
    if let Some(rules) = ongoing.rules.take()
        && let Ok(rules) = HeaderValue::from_str(&rules)
    {
        response.headers_mut().insert(X_PALISADE_RULES, rules);
    }
    if let Some(access) = &mut ongoing.access {
        access.status = response.status().as_u16();
        ongoing.request_id.to_str().unwrap_or_default().clone_into(&mut access.request_id);
    }
    response.map(|answer| answer.ending(ongoing))
}

/// An exchange that has not ended. Dropping it ends it, however that came about. It goes from hand
/// to hand, so it is boxed, as is its pass: copying them cost more than what most layers do.
pub(crate) struct Ongoing {
    arrival: Rc<Arrival>,
    /// The head as received over HTTP/1.
    head: Option<Head>,
    id: EventId,
    request_id: HeaderValue,
    /// When the clock was looked at last.
    looked: Timestamp,
    pass: Option<Box<Pass>>,
    lesson: Option<Lesson>,
    place: Option<Place>,
    /// Of the request's body, and of the answer's.
    held: Option<HeldBytes>,
    held_answer: Option<HeldBytes>,
    /// The rules that matched, for a caller that is told.
    rules: Option<String>,
    /// Its entry in the access log, where there is one.
    access: Option<Box<Access>>,
}

impl Ongoing {
    fn new(arrival: Rc<Arrival>, head: Option<Head>) -> Box<Self> {
        arrival.exchange_begins();
        let at = now();
        let id = arrival.worker.ids.event(at);
        let access = arrival.worker.settings.access.as_ref().map(|_| Access::begin(at, id));
        let request_id = HeaderValue::from_bytes(&id.text());
        let request_id = request_id.unwrap_or_else(|_| HeaderValue::from_static(""));
        let (pass, lesson, place, held, held_answer, rules) = Default::default();
        Box::new(Self {
            arrival,
            head,
            id,
            request_id,
            looked: at,
            pass,
            lesson,
            place,
            held,
            held_answer,
            rules,
            access,
        })
    }

    /// The life of a request.
    async fn run(
        &mut self,
        mut inbound: Box<Inbound>,
        body: InboundBody,
    ) -> Result<Response<Answer>, Problem> {
        if let Some(answer) = probe::answer(&self.arrival.worker, &inbound) {
            return Ok(answer);
        }
        if !self.arrival.welcome {
            return Err(self.turned_away());
        }
        self.settle(&mut inbound, &body)?;
        let place = self.arrival.worker.busy.enter(&self.arrival.source).await;
        let place = place.ok_or_else(|| self.shed(Shed::Requests))?;
        if place.has_waited {
            self.look();
        }
        self.place = Some(place);
        self.open(&inbound)?;
        self.lap(Phase::Head);
        let fault = CallerFault::default();
        let has_body = !body.is_end_stream();
        let upload = inspect::inspect(self, &inbound.headers, body, &fault).await?;
        if has_body {
            self.look();
        }
        self.decide().await?;
        let group = self.group()?;
        let mut outbound = onward::outbound(self, *inbound, upload);
        match group.send(&mut outbound, &fault).await {
            Ok((answered, lease)) => self.answer(answered, outbound.upgrades, lease).await,
            Err(cause) => Err(self.failed(cause, &fault)),
        }
    }

    /// Brings a request of HTTP/2 into the form of HTTP/1, or refuses it.
    fn settle(&mut self, inbound: &mut Inbound, body: &InboundBody) -> Result<(), Problem> {
        pseudo::settle(inbound, body, &self.arrival.wire.terms).map_err(|refusal| {
            let target = inbound.uri.path_and_query().map_or("", |target| target.as_str());
            let mut raw = format!("{} {target} HTTP/2\r\n", inbound.method).into_bytes();
            for (name, value) in &inbound.headers {
                raw.extend_from_slice(
                    &[name.as_str().as_bytes(), b": ", value.as_bytes()].concat(),
                );
                raw.extend_from_slice(b"\r\n");
            }
            self.refused_as(refusal, &raw)
        })
    }

    /// Opens the pass: the engine looks at the head.
    fn open(&mut self, inbound: &Inbound) -> Result<(), Problem> {
        let worker = &self.arrival.worker;
        let authority = inbound.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let target = match &self.head {
            Some(head) => head.target(),
            None => &inbound.target,
        };
        let head = traffic::Head {
            method: &inbound.method,
            target,
            version: inbound.version,
            authority: authority.unwrap_or_default(),
            headers: &inbound.headers,
            raw: self.head.as_ref().map(|head| head.raw.as_ref()),
        };
        let mut pass = worker.engine.open(&head, &self.arrival.peer, self.id);
        if pass.policy().server.request_id_from.value == AcceptFrom::Trusted
            && self.arrival.is_trusted(pass.policy())
            && let Some(id) = headers::accepted_request_id(&inbound.headers)
        {
            if let Ok(text) = id.to_str() {
                pass.accept_request_id(text);
            }
            self.request_id = id;
        }
        if let Some(access) = &mut self.access {
            access.asked = Some(worker.engine.accessed(&pass));
        }
        self.pass = Some(pass);
        Ok(())
    }

    /// Asks for the verdict and carries a refusal out. A request may be held for a while.
    async fn decide(&mut self) -> Result<(), Problem> {
        let worker = Rc::clone(&self.arrival.worker);
        let engine = &worker.engine;
        let mut since = None;
        let mut patience = Patience::Waiting;
        loop {
            let Some(pass) = &mut self.pass else { return Ok(()) };
            let freed = engine.freed();
            let decided = engine.decide(pass, self.looked, patience);
            self.rules = pass.rules_to_tell();
            self.lap(Phase::Decision);
            match decided {
                Decided::Forward => return Ok(()),
                Decided::Refuse(refusal, event) => {
                    self.pass = None;
                    if let Some(event) = event {
                        worker.note(*event);
                    }
                    let problem = Problem::new(refusal.status, refusal.event);
                    return Err(Problem { retry_after_s: refusal.retry_after_s, ..problem });
                }
                Decided::Hold => {}
            }
            let since = *since.get_or_insert_with(tokio::time::Instant::now);
            while engine.freed() == freed && since.elapsed() < HOLD {
                tokio::time::sleep(HOLD_STEP).await;
            }
            self.look();
            if since.elapsed() >= HOLD {
                patience = Patience::Last;
            }
        }
    }

    /// The upstreams of this request's site.
    fn group(&mut self) -> Result<Rc<Group>, Problem> {
        let group = self
            .pass
            .as_ref()
            .and_then(|pass| self.arrival.worker.group(pass.policy().site_name(pass.route())));
        group.ok_or_else(|| self.refused(Refusal::UnknownHost))
    }

    /// The longest body that the policy lets this request have.
    fn body_bytes_max(&self) -> u64 {
        let allowed =
            self.pass.as_ref().and_then(|pass| pass.policy().body_bytes_max(pass.route()));
        allowed.unwrap_or(u64::MAX)
    }

    /// Passes an answer on, and takes from it what is to be learnt.
    async fn answer(
        &mut self,
        answered: Answered,
        may_switch: bool,
        lease: Lease,
    ) -> Result<Response<Answer>, Problem> {
        let Answered { status, mut headers, mut body } = answered;
        // It is with the upstream, which has made of it what it did.
        self.held = None;
        self.lap(Phase::Upstream);
        let switched = status == StatusCode::SWITCHING_PROTOCOLS;
        if switched && !may_switch {
            lease.cut_off();
            return Err(self.failed(UpstreamFault::Broken, &CallerFault::default()));
        }
        let mut held = HeldAnswer::default();
        if self.pass.as_ref().is_some_and(|pass| pass.screens_answer()) {
            held = Box::pin(screen::screen(self, status, &headers, &mut body, &lease)).await?;
            self.look();
        }
        let exact = held.size_hint(&body).exact();
        if self.head.is_none() {
            ahead::take(self, &mut held, &mut body).map_err(|fault| {
                if fault.is_the_upstreams() {
                    lease.cut_off();
                }
                self.failed(UpstreamFault::Broken, &CallerFault::default())
            })?;
        }
        let begin = |pass| Lesson::begin(&self.arrival, pass, status, &headers, exact);
        match self.pass.as_deref().map(begin) {
            Some(Begun::Now { length }) => self.learn_head(status, &headers, length),
            Some(Begun::Later(lesson)) => self.lesson = Some(lesson),
            None => {}
        }
        headers::prepare_answer(&mut headers, switched);
        if !switched && body.is_end_stream() && held.trailers.is_none() {
            // All of it is here: nothing more is learnt by waiting until its caller has it.
            self.note_answer(&held.bytes);
            self.answer_complete();
        }
        // A stream without an end would keep its place for as long as it pleases.
        if exact.is_none() {
            self.place = None;
        }
        let answer = match body {
            AnswerBody::Http1(link) if switched => {
                self.arrival.switch_to(*link, lease.deadlines().answer_idle);
                lease.switched();
                Answer::empty()
            }
            body => Answer::relayed(held, body, lease),
        };
        let mut response = Response::new(answer);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// Looks at the clock: what has passed was waiting.
    fn look(&mut self) -> Timestamp {
        self.looked = now();
        self.looked
    }

    /// Looks at the clock: what has passed since the last look went into this phase.
    fn lap(&mut self, phase: Phase) {
        let before = std::mem::replace(&mut self.looked, now());
        let us = u64::try_from(self.looked.since(before).as_micros()).unwrap_or(u64::MAX);
        self.arrival.worker.meter.took(phase, us);
    }

    /// Marks something odd about the request in its event.
    fn note(&mut self, note: &'static str) {
        if let Some(pass) = &mut self.pass {
            pass.note(note);
        }
    }

    pub(crate) fn note_answer(&mut self, data: &Bytes) {
        if let Some(access) = &mut self.access {
            access.bytes = access.bytes.saturating_add(data.len() as u64);
        }
        if let Some(lesson) = &mut self.lesson {
            lesson.take_in(data);
        }
    }

    /// The answer's last byte has come.
    pub(crate) fn answer_complete(&mut self) {
        if let Some(lesson) = &mut self.lesson {
            lesson.complete();
        }
        self.learn();
        self.place = None;
    }

    /// An answer of which only the head is to be learnt.
    fn learn_head(&mut self, status: StatusCode, headers: &HeaderMap, length: u64) {
        let Some(pass) = self.pass.take() else { return };
        let head = AnswerHead { status: status.as_u16(), headers };
        let answer = shield::Answer { head, body: None, is_complete: true, length };
        let worker = &self.arrival.worker;
        worker.learnt(worker.engine.learn(pass, &answer, self.looked));
        self.lap(Phase::Answer);
    }

    fn learn(&mut self) {
        if let (Some(pass), Some(lesson)) = (self.pass.take(), self.lesson.take()) {
            let now = self.look();
            let worker = &self.arrival.worker;
            worker.learnt(lesson.teach(&worker.engine, pass, now));
            self.lap(Phase::Answer);
        }
    }

    /// Gives the pass back without an answer; the ID to tell the caller.
    fn abandon(&mut self, end: End) -> EventId {
        let Some(pass) = self.pass.take() else { return self.id };
        let worker = &self.arrival.worker;
        let learnt = worker.engine.abandon(pass, end, now());
        let id = learnt.event.as_ref().map_or(self.id, |event| event.id);
        worker.learnt(learnt);
        id
    }

    /// The upstream gave no answer, or the caller no body.
    fn failed(&mut self, cause: UpstreamFault, fault: &CallerFault) -> Problem {
        if let Some(refusal) = self.arrival.wire.take_body_fault() {
            return self.refused(refusal);
        }
        if let Some(refusal) = fault.get() {
            return self.refused(refusal);
        }
        let status = match cause {
            UpstreamFault::TimedOut => 504,
            UpstreamFault::Broken | UpstreamFault::Unreachable => 502,
        };
        Problem::new(status, self.abandon(End::UpstreamFailed(status)))
    }

    /// The request itself is at fault: an event says so, and the connection ends.
    fn refused(&mut self, refusal: Refusal) -> Problem {
        let raw = self.head.as_ref().map_or_else(Bytes::new, |head| head.raw.clone());
        self.refused_as(refusal, &raw)
    }

    fn refused_as(&mut self, refusal: Refusal, raw: &[u8]) -> Problem {
        let (arrival, pass) = (&self.arrival, self.pass.take());
        self.rules = arrival.worker.refused(self.id, refusal, raw, &arrival.peer, pass);
        let problem = Problem::new(refusal.status(), self.id);
        if self.head.is_some() { problem.closing() } else { problem }
    }

    /// There is no room for the body of a request that must not go on unread.
    fn too_busy(&mut self) -> Problem {
        self.pass = None;
        self.shed(Shed::Memory)
    }

    /// Too many connections are open.
    fn turned_away(&self) -> Problem {
        let problem = self.shed(Shed::Connections);
        if self.head.is_some() {
            return problem.closing();
        }
        // HTTP/2 has no header for it: the connection says good-bye.
        self.arrival.wire.close_soon();
        problem
    }

    fn shed(&self, why: Shed) -> Problem {
        let raw = self.head.as_ref().map_or(&b""[..], |head| head.raw.as_ref());
        let event = self.arrival.worker.shed(self.id, why, raw, &self.arrival.peer);
        Problem::new(503, event).retry_after(1)
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        // An answer whose head has come teaches even if its caller did not wait for the rest:
        // hanging up early must not be a way to leave no trace.
        self.learn();
        self.abandon(End::CallerGone);
        if let (Some(access), Some(sink)) =
            (self.access.take(), &self.arrival.worker.settings.access)
        {
            sink(access.end(now()));
        }
        self.arrival.exchange_ended();
    }
}

pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_micros(since.map_or(0, |s| u64::try_from(s.as_micros()).unwrap_or(u64::MAX)))
}
