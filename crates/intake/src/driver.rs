//! Exchanges through the engine in the order of their times: decided when they came, learnt from
//! when they were answered.
//!
//! A log is written when answers end, so its lines may be out of order by as long as those take.
//! A window of lines is therefore held back and sorted; what is later than that happens when it
//! comes, because time does not run backwards.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use http::HeaderMap;
use shield::timeline;
use shield::{Decided, End, Engine, Pass, Patience};
use traffic::{AnswerHead, Timestamp};

use crate::open::{Answer, Arrival};

/// Lines that are sorted by time before they are used.
const WINDOW: usize = 4_096;
/// Answers that may be outstanding at one time. More of them come early.
const OUTSTANDING_MAX: usize = 65_536;
/// Clients are told apart up to so many.
const CLIENTS_MAX: usize = 1 << 20;

/// Sends exchanges through an engine.
pub(crate) struct Driver<'e> {
    engine: &'e Engine,
    window: VecDeque<Arrival>,
    outstanding: BinaryHeap<Reverse<Outstanding>>,
    now: Timestamp,
    order: u64,
    no_headers: HeaderMap,
    pub(crate) counts: Counts,
}

/// What the exchanges add up to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) exchanges: u64,
    /// By first digit of the status; 0 for exchanges without an answer.
    pub(crate) by_class: [u64; 6],
    /// Requests that would have been refused.
    pub(crate) refused: u64,
    pub(crate) bytes: u64,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Timestamp,
    /// Exchanges so late that they were taken as happening later.
    pub(crate) out_of_order: u64,
    clients: HashSet<IpAddr>,
}

/// A request on its way.
struct Outstanding {
    at: Timestamp,
    order: u64,
    pass: Box<Pass>,
    answer: Answer,
}

impl Counts {
    /// How many clients there were, and whether there were more.
    pub(crate) fn clients(&self) -> (u64, bool) {
        let count = u64::try_from(self.clients.len()).unwrap_or(u64::MAX);
        (count, self.clients.len() >= CLIENTS_MAX)
    }
}

impl<'e> Driver<'e> {
    pub(crate) fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            window: VecDeque::with_capacity(WINDOW + 1),
            outstanding: BinaryHeap::new(),
            now: Timestamp::EPOCH,
            order: 0,
            no_headers: HeaderMap::new(),
            counts: Counts::default(),
        }
    }

    /// Takes an exchange into the window; the earliest there happens when the window is full.
    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        // Nearly all come in order, at the end.
        match self.window.back() {
            Some(last) if last.at > arrival.at => {
                let place = self.window.partition_point(|known| known.at <= arrival.at);
                self.window.insert(place, arrival);
            }
            _ => self.window.push_back(arrival),
        }
        if self.window.len() > WINDOW
            && let Some(first) = self.window.pop_front()
        {
            self.happen(first);
        }
    }

    /// Lets everything happen that has arrived, and answers all of it: nothing more is to come.
    pub(crate) fn flush(&mut self) {
        self.flush_arrived();
        self.answer_until(Timestamp::from_micros(u64::MAX));
    }

    /// Lets everything happen that has arrived. Answers that are due later wait for what comes.
    pub(crate) fn flush_arrived(&mut self) {
        while let Some(first) = self.window.pop_front() {
            self.happen(first);
        }
    }

    /// The time of the last step.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    fn happen(&mut self, arrival: Arrival) {
        let Arrival { at, after, client, mut pass, answer, .. } = arrival;
        if at < self.now {
            self.counts.out_of_order += 1;
        }
        let at = at.max(self.now);
        self.answer_until(at);
        self.now = at;
        self.count(at, client, &answer);
        let decided = self.engine.decide(&mut pass, at, Patience::Last);
        self.counts.refused +=
            u64::from(pass.verdict().is_some_and(traffic::Verdict::would_refuse));
        match decided {
            Decided::Forward if after == Duration::ZERO => self.learn(pass, &answer),
            Decided::Forward => self.wait(at.after(after), pass, answer),
            Decided::Refuse(..) | Decided::Hold => {}
        }
    }

    fn count(&mut self, at: Timestamp, client: IpAddr, answer: &Answer) {
        let counts = &mut self.counts;
        counts.exchanges += 1;
        counts.first = counts.first.or(Some(at));
        counts.last = at;
        if counts.clients.len() < CLIENTS_MAX {
            counts.clients.insert(client);
        }
        let (status, length) = match answer {
            Answer::None => (0, 0),
            Answer::Bare { status, length } => (*status, *length),
            Answer::Whole(reply) => (reply.status, reply.length.unwrap_or(0)),
        };
        counts.bytes = counts.bytes.saturating_add(length);
        if let Some(count) = counts.by_class.get_mut(usize::from(status / 100)) {
            *count += 1;
        }
    }

    fn wait(&mut self, at: Timestamp, pass: Box<Pass>, answer: Answer) {
        self.order += 1;
        self.outstanding.push(Reverse(Outstanding { at, order: self.order, pass, answer }));
        if self.outstanding.len() > OUTSTANDING_MAX
            && let Some(Reverse(first)) = self.outstanding.pop()
        {
            self.learn(first.pass, &first.answer);
        }
    }

    fn answer_until(&mut self, until: Timestamp) {
        while self.outstanding.peek().is_some_and(|Reverse(next)| next.at <= until) {
            let Some(Reverse(next)) = self.outstanding.pop() else { return };
            self.now = self.now.max(next.at);
            self.learn(next.pass, &next.answer);
        }
    }

    fn learn(&self, pass: Box<Pass>, answer: &Answer) {
        let now = self.now;
        match answer {
            Answer::None => drop(self.engine.abandon(pass, End::CallerGone, now)),
            Answer::Whole(reply) => drop(timeline::learn(self.engine, pass, Some(reply), now)),
            Answer::Bare { status, length } => {
                let head = AnswerHead { status: *status, headers: &self.no_headers };
                let (body, is_complete, length) = (None, false, *length);
                let answer = shield::Answer { head, body, is_complete, length };
                drop(self.engine.learn(pass, &answer, now));
            }
        }
    }
}

impl PartialEq for Outstanding {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Outstanding {}

impl PartialOrd for Outstanding {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Outstanding {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
