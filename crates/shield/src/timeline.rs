//! Requests and answers in virtual time: what the gateway does with sockets, without any.
//!
//! Replays of recordings and the simulator both run here: requests arrive, are held while too
//! many attempts wait for an answer, go upstream or are refused, and are answered later.
//! Everything happens in the order of its time, and at the same time in the order it was put in,
//! so that one input has one outcome.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use http::{HeaderMap, Method, Version};
use traffic::recording::RulesPart;
use traffic::{AnswerHead, Event, EventId, Head, Peer, Timestamp, Verdict};

use crate::engine::Engine;
use crate::pass::{Answer, Decided, End, Learnt, Pass, Patience};

/// How long a request is held at most.
pub const HOLD_MAX: Duration = Duration::from_secs(2);

/// A whole request.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who sends it.
    pub peer: Peer,
    /// The method.
    pub method: Method,
    /// The target as it is sent.
    pub target: Vec<u8>,
    /// The protocol version.
    pub version: Version,
    /// The authority addressed.
    pub authority: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as far as it is known.
    pub body: Vec<u8>,
    /// Whether that is all of it.
    pub is_complete: bool,
    /// Hashes of claims that a recording kept when it left the token out.
    pub claims: BTreeMap<String, String>,
    /// What rules found when it was recorded, in the request and in its answer.
    pub rules: [RulesPart; 2],
    /// Whether a recording says that its password was one of the most common.
    pub common_password: bool,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body without content coding; none when it was not looked at.
    pub body: Option<Vec<u8>>,
    /// Whether that is all of it.
    pub is_complete: bool,
    /// The length of the whole body as it was sent on; none is that of `body`.
    pub length: Option<u64>,
    /// From the decision to the answer's end.
    pub after: Duration,
}

/// How a call ended.
#[derive(Debug)]
pub struct Outcome {
    /// When.
    pub at: Timestamp,
    /// The verdict.
    pub verdict: Verdict,
    /// The endpoint as `METHOD host-group /template`, once known.
    pub endpoint: Option<String>,
    /// The status that the caller got: the upstream's, or ours when it was refused.
    pub status: u16,
    /// The event, if the exchange was worth one.
    pub event: Option<Event>,
}

/// The world around the engine.
pub trait World {
    /// What a caller sends and keeps track of.
    type Sender;

    /// What the upstream answers to a call that was forwarded; none when it does not.
    fn answer(&mut self, sender: &mut Self::Sender, call: &Call, now: Timestamp) -> Option<Reply>;

    /// Told how a call ended. What the sender does next goes into `arrivals`.
    fn ended(
        &mut self,
        sender: Self::Sender,
        call: Call,
        outcome: Outcome,
        arrivals: &mut Arrivals<Self::Sender>,
    );
}

/// Calls yet to come.
#[derive(Debug)]
pub struct Arrivals<S> {
    due: Vec<(Timestamp, S, Call)>,
}

impl<S> Arrivals<S> {
    /// A call that comes at `at`.
    pub fn push(&mut self, at: Timestamp, sender: S, call: Call) {
        self.due.push((at, sender, call));
    }
}

/// The state of a run.
#[derive(Debug)]
pub struct Timeline<'e, S> {
    engine: &'e Engine,
    steps: BinaryHeap<Reverse<Due<S>>>,
    held: VecDeque<Waiting<S>>,
    order: u64,
    now: Timestamp,
}

#[derive(Debug)]
struct Due<S> {
    at: Timestamp,
    order: u64,
    step: Step<S>,
}

#[derive(Debug)]
enum Step<S> {
    Arrive(Box<(S, Call)>),
    Answer(Box<Underway<S>>),
    /// Somebody's patience ends.
    Patience,
}

#[derive(Debug)]
struct Underway<S> {
    sender: S,
    call: Call,
    pass: Box<Pass>,
    reply: Option<Reply>,
}

#[derive(Debug)]
struct Waiting<S> {
    until: Timestamp,
    sender: S,
    call: Call,
    pass: Box<Pass>,
}

impl<'e, S> Timeline<'e, S> {
    /// A run of `engine` in which nothing has happened yet.
    pub fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            steps: BinaryHeap::new(),
            held: VecDeque::new(),
            order: 0,
            now: Timestamp::EPOCH,
        }
    }

    /// Adds a call that comes at `at`.
    pub fn arrive(&mut self, at: Timestamp, sender: S, call: Call) {
        self.put(at, Step::Arrive(Box::new((sender, call))));
    }

    /// Runs everything that is due until `until`.
    pub fn run_until(&mut self, until: Timestamp, world: &mut impl World<Sender = S>) {
        while self.steps.peek().is_some_and(|Reverse(due)| due.at <= until) {
            let Some(Reverse(due)) = self.steps.pop() else { return };
            // A step that was put in late happens now: time does not run backwards.
            self.now = self.now.max(due.at);
            match due.step {
                Step::Arrive(arrival) => self.open(arrival.0, arrival.1, world),
                Step::Answer(underway) => self.answered(*underway, world),
                Step::Patience => self.settle_held(world),
            }
        }
    }

    /// Runs to the end.
    pub fn run(&mut self, world: &mut impl World<Sender = S>) {
        self.run_until(Timestamp::from_micros(u64::MAX), world);
    }

    /// The time of the last step.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    fn put(&mut self, at: Timestamp, step: Step<S>) {
        self.order += 1;
        self.steps.push(Reverse(Due { at, order: self.order, step }));
    }

    fn open(&mut self, sender: S, call: Call, world: &mut impl World<Sender = S>) {
        let id = EventId(u128::from(self.now.as_micros()) << 64 | u128::from(self.order));
        let pass = open(self.engine, &call, id);
        let waiting = Waiting { until: self.now.after(HOLD_MAX), sender, call, pass };
        if let Some(waiting) = self.decide(waiting, world) {
            self.put(waiting.until, Step::Patience);
            self.held.push_back(waiting);
        }
    }

    /// Decides a call; gives it back when it is to be held on.
    fn decide(
        &mut self,
        mut waiting: Waiting<S>,
        world: &mut impl World<Sender = S>,
    ) -> Option<Waiting<S>> {
        let patience = if self.now >= waiting.until { Patience::Last } else { Patience::Waiting };
        match self.engine.decide(&mut waiting.pass, self.now, patience) {
            Decided::Hold => return Some(waiting),
            Decided::Forward => {
                let Waiting { mut sender, call, pass, .. } = waiting;
                let reply = world.answer(&mut sender, &call, self.now);
                let after = reply.as_ref().map_or(Duration::ZERO, |reply| reply.after);
                let underway = Underway { sender, call, pass, reply };
                self.put(self.now.after(after), Step::Answer(Box::new(underway)));
            }
            Decided::Refuse(refusal, event) => {
                let Waiting { sender, call, pass, .. } = waiting;
                let outcome = Outcome {
                    at: self.now,
                    verdict: pass.verdict().cloned().unwrap_or_default(),
                    endpoint: pass.endpoint().map(|id| self.engine.label(id)),
                    status: refusal.status,
                    event: event.map(|event| *event),
                };
                self.end(sender, call, outcome, world);
            }
        }
        None
    }

    fn answered(&mut self, underway: Underway<S>, world: &mut impl World<Sender = S>) {
        let Underway { sender, call, pass, reply } = underway;
        let verdict = pass.verdict().cloned().unwrap_or_default();
        let freed = self.engine.freed();
        let learnt = learn(self.engine, pass, reply.as_ref(), self.now);
        let refused = learnt.refusal.map(|refusal| refusal.status);
        let outcome = Outcome {
            at: self.now,
            verdict: learnt.verdict.unwrap_or(verdict),
            endpoint: learnt.endpoint.map(|id| self.engine.label(id)),
            status: refused.unwrap_or_else(|| reply.map_or(502, |reply| reply.status)),
            event: learnt.event,
        };
        self.end(sender, call, outcome, world);
        if self.engine.freed() != freed {
            self.settle_held(world);
        }
    }

    fn end(&mut self, sender: S, call: Call, outcome: Outcome, world: &mut impl World<Sender = S>) {
        let mut arrivals = Arrivals { due: Vec::new() };
        world.ended(sender, call, outcome, &mut arrivals);
        for (at, sender, call) in arrivals.due {
            self.arrive(at, sender, call);
        }
    }

    /// Gives every held call another try, in the order they came.
    fn settle_held(&mut self, world: &mut impl World<Sender = S>) {
        for _ in 0..self.held.len() {
            let Some(waiting) = self.held.pop_front() else { return };
            if let Some(waiting) = self.decide(waiting, world) {
                self.held.push_back(waiting);
            }
        }
    }
}

/// Opens a pass for a whole call and reads its body.
pub fn open(engine: &Engine, call: &Call, id: EventId) -> Box<Pass> {
    let head = Head {
        method: &call.method,
        target: &call.target,
        version: call.version,
        authority: &call.authority,
        headers: &call.headers,
        raw: None,
    };
    let claims = engine.hasher().reads_redacted().then_some(&call.claims);
    let mut pass = engine.open_recorded(&head, &call.peer, id, claims);
    pass.recall(call.rules.clone(), call.common_password);
    if call.body.is_empty() && call.is_complete {
        pass.is_body_unread = false;
    } else if let Some(most) = pass.wanted_of(&call.body, call.is_complete) {
        let body = call.body.get(..most.min(call.body.len())).unwrap_or_default();
        pass.read_body(body, call.is_complete && body.len() == call.body.len(), engine.hasher());
    }
    pass
}

/// Takes in the answer to a forwarded call, or that there is none.
pub fn learn(
    engine: &Engine,
    mut pass: Box<Pass>,
    reply: Option<&Reply>,
    now: Timestamp,
) -> Learnt {
    let Some(reply) = reply else { return engine.abandon(pass, End::UpstreamFailed(502), now) };
    let head = AnswerHead { status: reply.status, headers: &reply.headers };
    engine.screen_head(&mut pass, &head, now);
    let all = reply.body.as_deref();
    let read =
        pass.answer_wanted(&head).and_then(|most| all.map(|body| body.get(..most).unwrap_or(body)));
    let answer = Answer {
        head,
        body: read,
        is_complete: reply.is_complete && read.map(<[u8]>::len) == all.map(<[u8]>::len),
        length: reply
            .length
            .unwrap_or_else(|| all.map_or(0, |body| u64::try_from(body.len()).unwrap_or(u64::MAX))),
    };
    engine.learn(pass, &answer, now)
}

impl<S> PartialEq for Due<S> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl<S> Eq for Due<S> {}

impl<S> PartialOrd for Due<S> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<S> Ord for Due<S> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
