//! A recording through the engine, in virtual time.
//!
//! Requests are decided at the times they name and answered as long after as their answers took.
//! Lines may be out of order within a window; answers to the reader come in the order of the input.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::io::BufRead;
use std::time::Duration;

use serde::Serialize;
use shield::Engine;
use shield::timeline::{Arrivals, Call, Outcome, Reply, Timeline, World};
use traffic::Timestamp;
use traffic::recording::{ExchangeLine, VerdictPart};

use crate::reader::{Item, NotReadable, Recording};
use crate::summary::{Skipped, Summary};
use crate::{call, exact};

/// Where time begins when the first line names none: 2026-01-01T00:00:00Z.
pub(crate) const BEGINNING: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
/// From one line to the next when it names no time.
const STEP: Duration = Duration::from_millis(1);
/// Lines that are sorted by time before they are used.
const WINDOW: usize = 4_096;

/// What a replay says of one exchange.
#[derive(Clone, Debug, Serialize)]
pub struct Answered {
    /// Which exchange, from 1 in the order of the input.
    pub n: u64,
    /// What was decided.
    #[serde(flatten)]
    pub decided: VerdictPart,
    /// What the input knows it to be.
    pub label: Option<serde_json::Value>,
}

/// Takes each answer in turn; an error ends the replay.
pub type Emit<'a> = dyn FnMut(&Answered) -> std::io::Result<()> + 'a;

/// How a replay ended.
pub type Replayed = Result<Summary, NotReadable>;

/// Replays `recording` through `engine`.
pub fn replay<R: BufRead>(
    engine: &Engine,
    mut recording: Recording<R>,
    emit: &mut Emit<'_>,
) -> Replayed {
    let mut out = Output::new(emit);
    let mut lookahead = Lookahead::default();
    let first = lookahead.fill(&mut recording, &mut out)?;
    if first.is_some_and(|line| line.seq.is_some()) {
        let between = std::mem::take(&mut lookahead.between);
        exact::replay(engine, between, lookahead.into_lines(), &mut recording, &mut out)?;
    } else {
        by_time(engine, lookahead, &mut recording, &mut out)?;
    }
    out.close(engine)
}

fn by_time<R: BufRead>(
    engine: &Engine,
    mut lookahead: Lookahead,
    recording: &mut Recording<R>,
    out: &mut Output<'_, '_>,
) -> Result<(), NotReadable> {
    let mut timeline = Timeline::new(engine);
    while let Some(Reverse(next)) = lookahead.sorted.pop() {
        lookahead.fill(recording, out)?;
        let Next { at, n, line } = next;
        if at < timeline.now() {
            out.summary.out_of_order += 1;
        }
        match call::call(&line) {
            Ok(call) => {
                timeline.arrive(at, Sender { n, line }, call);
                let until = lookahead.sorted.peek().map_or(at, |Reverse(next)| next.at.max(at));
                timeline.run_until(until, &mut Recorded { out });
            }
            Err(error) => out.skip(n, error.to_string()),
        }
        out.check()?;
    }
    timeline.run(&mut Recorded { out });
    out.check()
}

/// Lines read ahead and sorted by time.
#[derive(Debug, Default)]
struct Lookahead {
    sorted: BinaryHeap<Reverse<Next>>,
    /// Changes of the policy and orders among them. Without sequence numbers nobody knows when they
    /// took effect: then the first policy holds throughout, and nothing is ordered.
    between: Vec<Item>,
    last: Option<Timestamp>,
    read: u64,
    is_over: bool,
}

#[derive(Debug)]
struct Next {
    at: Timestamp,
    n: u64,
    line: Box<ExchangeLine>,
}

impl Lookahead {
    /// Reads on until the window is full. Gives the earliest line.
    fn fill<R: BufRead>(
        &mut self,
        recording: &mut Recording<R>,
        out: &mut Output<'_, '_>,
    ) -> Result<Option<&ExchangeLine>, NotReadable> {
        while !self.is_over && self.sorted.len() < WINDOW {
            match recording.next()? {
                None => self.is_over = true,
                Some(Item::Skipped(skipped)) => out.summary.skip(skipped),
                Some(between @ (Item::Header(_) | Item::Order(..))) => self.between.push(between),
                Some(Item::Exchange(number, line)) => {
                    self.read += 1;
                    out.number(self.read, number);
                    match call::time(&line) {
                        Ok(time) => {
                            let at = time.unwrap_or_else(|| {
                                self.last.map_or(BEGINNING, |last| last.after(STEP))
                            });
                            self.last = Some(at);
                            self.sorted.push(Reverse(Next { at, n: self.read, line }));
                        }
                        Err(error) => out.skip(self.read, error.to_string()),
                    }
                }
            }
        }
        Ok(self.sorted.peek().map(|Reverse(next)| &*next.line))
    }

    fn into_lines(self) -> Vec<(u64, Box<ExchangeLine>)> {
        self.sorted.into_sorted_vec().into_iter().map(|Reverse(next)| (next.n, next.line)).collect()
    }
}

/// The exchange a call belongs to.
#[derive(Debug)]
struct Sender {
    n: u64,
    line: Box<ExchangeLine>,
}

/// The recorded world: answers are those of the recording.
struct Recorded<'o, 'a, 'e> {
    out: &'o mut Output<'a, 'e>,
}

impl World for Recorded<'_, '_, '_> {
    type Sender = Sender;

    fn answer(&mut self, sender: &mut Sender, _call: &Call, _now: Timestamp) -> Option<Reply> {
        let response = sender.line.response.as_ref()?;
        match call::reply(response) {
            Ok(reply) => Some(reply),
            Err(error) => {
                self.out.note(sender.n, error.to_string());
                None
            }
        }
    }

    fn ended(
        &mut self,
        sender: Sender,
        _call: Call,
        outcome: Outcome,
        _arrivals: &mut Arrivals<Sender>,
    ) {
        self.out.answered(
            sender.n,
            &sender.line,
            VerdictPart::new(&outcome.verdict, outcome.endpoint),
        );
    }
}

/// Puts answers back into the order of the input.
pub(crate) struct Output<'a, 'e> {
    emit: &'a mut Emit<'e>,
    waiting: BTreeMap<u64, Option<Answered>>,
    lines: BTreeMap<u64, u64>,
    next: u64,
    failed: Option<std::io::Error>,
    pub(crate) summary: Summary,
}

impl<'a, 'e> Output<'a, 'e> {
    fn new(emit: &'a mut Emit<'e>) -> Self {
        Self {
            emit,
            waiting: BTreeMap::new(),
            lines: BTreeMap::new(),
            next: 1,
            failed: None,
            summary: Summary::default(),
        }
    }

    /// Remembers on which line the exchange `n` stands.
    pub(crate) fn number(&mut self, n: u64, line: u64) {
        self.lines.insert(n, line);
    }

    /// Takes the answer to exchange `n`.
    pub(crate) fn answered(&mut self, n: u64, line: &ExchangeLine, decided: VerdictPart) {
        self.summary.count(&decided, line.decided.as_ref(), line.label.as_ref());
        self.put(n, Some(Answered { n, decided, label: line.label.clone() }));
    }

    /// Exchange `n` cannot be used.
    pub(crate) fn skip(&mut self, n: u64, reason: String) {
        self.note(n, reason);
        self.put(n, None);
    }

    fn note(&mut self, n: u64, reason: String) {
        let line = self.lines.get(&n).copied().unwrap_or(n);
        self.summary.skip(Skipped { line, reason });
    }

    fn put(&mut self, n: u64, answered: Option<Answered>) {
        self.waiting.insert(n, answered);
        while let Some(next) = self.waiting.remove(&self.next) {
            self.lines.remove(&self.next);
            self.next += 1;
            if let Some(answered) = next
                && self.failed.is_none()
                && let Err(error) = (self.emit)(&answered)
            {
                self.failed = Some(error);
            }
        }
    }

    /// Whether the reader still listens.
    pub(crate) fn check(&mut self) -> Result<(), NotReadable> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    fn close(mut self, engine: &Engine) -> Replayed {
        self.check()?;
        self.summary.close(engine.findings(), engine.overview().endpoints);
        Ok(self.summary)
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.n) == (other.at, other.n)
    }
}

impl Eq for Next {}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Next {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.n).cmp(&(other.at, other.n))
    }
}
