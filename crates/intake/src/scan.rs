//! A scan: logs and other recorded traffic through the engine, and what that adds up to.
//!
//! One thread reads, takes lines apart and opens requests; another decides and learns, in the
//! order of time. What is decided does not depend on how the two take turns.

mod blind;
mod campaigns;
mod gather;
mod tallied;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use shield::Engine;
use traffic::{Tally, Timestamp};

use crate::driver::Driver;
use crate::input::{Account, Assumptions, Kind, Known, NotAnInput, OpenInput};
use crate::open::{Arrival, Opener, Shown};
use crate::source::{NoSource, Source, sources};

pub use blind::Blind;
pub use campaigns::Campaign;
pub use gather::{Evidence, Found};

use gather::Gathered;
use tallied::Tallied;

/// Exchanges that change threads together.
const BATCH: usize = 256;
/// Batches on the way.
const BATCHES_WAITING_MAX: usize = 16;
/// Counts of minutes are taken out of the engine every so many batches.
const BATCHES_BETWEEN_ROLLUPS: u64 = 64;

/// What is to be scanned, found and known.
pub struct Inputs {
    known: Vec<Known>,
    /// Files in folders that hold nothing that can be read.
    passed_over: Vec<(String, NotAnInput)>,
    assumed: Assumptions,
    progress: Arc<Progress>,
}

/// How far a scan has come.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of all inputs as they lie there; 0 when that is not known.
    pub bytes: AtomicU64,
    /// How many of them have been read.
    pub read: Arc<AtomicU64>,
    /// Exchanges that have been through the engine.
    pub exchanges: AtomicU64,
    /// Set from outside: the scan is to end early.
    pub is_stopped: AtomicBool,
}

/// Nothing can be scanned.
#[derive(Debug, thiserror::Error)]
pub enum NotScanned {
    /// A path leads nowhere.
    #[error("{0}")]
    NoSource(#[from] NoSource),
    /// A file that was named cannot be read.
    #[error("cannot scan {0}: {1}")]
    NotAnInput(String, NotAnInput),
    /// No file in the folders can be read.
    #[error("nothing here can be scanned: {0}")]
    Nothing(String),
}

/// One input, when it has been read.
#[derive(Clone, Debug)]
pub struct InputSummary {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub format: &'static str,
    /// What became of its lines.
    pub account: Account,
}

/// What a scan adds up to. The endpoints are in the engine.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// The inputs, in the order they were read.
    pub inputs: Vec<InputSummary>,
    /// Files that hold nothing that can be read, and why.
    pub passed_over: Vec<(String, String)>,
    /// Exchanges in all.
    pub exchanges: u64,
    /// By first digit of the status; 0 for those without an answer.
    pub by_class: [u64; 6],
    /// Distinct clients, and whether there were even more.
    pub clients: (u64, bool),
    /// Bytes of answers.
    pub bytes: u64,
    /// Requests that would have been refused.
    pub refused: u64,
    /// When it begins and ends.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Exchanges so late that they were taken as happening later.
    pub out_of_order: u64,
    /// Kinds of exchange by the hour; of very long stretches by the day.
    pub tallies: Vec<Tally>,
    /// Seconds that one of these counts stands for.
    pub tally_grain_s: u32,
    /// Findings as the campaigns they make up, the gravest first.
    pub campaigns: Vec<Campaign>,
    /// Findings that were dropped because there were too many.
    pub findings_dropped: u64,
    /// What this input cannot show.
    pub blind: Vec<Blind>,
    /// Whether times are finer than a second, so that how long answers took is known.
    pub has_fine_times: bool,
}

impl Inputs {
    /// Finds what `paths` name, and what that is.
    pub fn find(paths: &[PathBuf], assumed: Assumptions) -> Result<Self, NotScanned> {
        let mut known: Vec<Known> = Vec::new();
        let mut passed_over = Vec::new();
        for source in sources(paths)? {
            let (name, is_found) = (source.name(), matches!(source, Source::Found(_)));
            match Known::of(source, &assumed) {
                Ok(input) => known.push(input),
                // A file that somebody named has to be one; in a folder there may be others.
                Err(error) if is_found => passed_over.push((name, error)),
                Err(NotAnInput::Empty) => passed_over.push((name, NotAnInput::Empty)),
                Err(error) => return Err(NotScanned::NotAnInput(name, error)),
            }
        }
        if known.is_empty() {
            let why: Vec<String> =
                passed_over.iter().take(5).map(|(name, why)| format!("{name}: {why}")).collect();
            return Err(NotScanned::Nothing(why.join("; ")));
        }
        // Rotated logs are named backwards; their times say in which order they are.
        known.sort_by_key(|input| input.begins);
        let sizes: Option<Vec<u64>> = known.iter().map(|input| input.source.bytes()).collect();
        let progress = Progress {
            bytes: AtomicU64::new(sizes.map_or(0, |sizes| sizes.iter().sum())),
            ..Progress::default()
        };
        Ok(Self { known, passed_over, assumed, progress: Arc::new(progress) })
    }

    /// Whether they hold hashes in place of secrets, as recordings do.
    pub fn are_redacted(&self) -> bool {
        let is_redacted =
            |input: &Known| matches!(input.kind, Kind::Recording { is_redacted: true });
        self.known.iter().any(is_redacted)
    }

    /// How far the scan has come, for whoever shows it.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }
}

/// Sends all of `inputs` through `engine`. `told` is given new and changed findings as they come.
pub fn scan(engine: &Engine, inputs: Inputs, told: &mut dyn FnMut(&[traffic::Finding])) -> Scanned {
    let Inputs { known, passed_over, assumed, progress } = inputs;
    let (sender, receiver) = sync_channel(BATCHES_WAITING_MAX);
    let (read, (driver, gathered, tallied)) = std::thread::scope(|scope| {
        let reader = scope.spawn({
            let progress = &progress;
            move || {
                let opener = Opener::new(engine, assumed.host);
                Feed::new(known, opener, progress).run(&sender)
            }
        });
        let driven = drive(engine, receiver, &progress, told);
        (reader.join(), driven)
    });
    let (inputs, shown) = match read {
        Ok(read) => read,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let counts = driver.counts;
    Scanned {
        inputs,
        passed_over: passed_over.into_iter().map(|(name, why)| (name, why.to_string())).collect(),
        exchanges: counts.exchanges,
        by_class: counts.by_class,
        clients: counts.clients(),
        bytes: counts.bytes,
        refused: counts.refused,
        span: counts.first.map(|first| (first, counts.last)),
        out_of_order: counts.out_of_order,
        tally_grain_s: tallied.grain_s(),
        tallies: tallied.into_tallies(),
        findings_dropped: gathered.dropped,
        campaigns: campaigns::of(gathered.into_found()),
        has_fine_times: shown.iter().all(|shown| shown.fine_times),
        blind: blind::of(&shown, &counts),
    }
}

/// Decides and learns until nothing more comes.
fn drive<'e>(
    engine: &'e Engine,
    receiver: Receiver<Vec<Arrival>>,
    progress: &Progress,
    told: &mut dyn FnMut(&[traffic::Finding]),
) -> (Driver<'e>, Gathered, Tallied) {
    let (mut driver, mut gathered) = (Driver::new(engine), Gathered::default());
    let mut tallied = Tallied::default();
    let mut batches = 0_u64;
    while let Ok(batch) = receiver.recv() {
        for arrival in batch {
            driver.arrive(arrival);
        }
        progress.exchanges.store(driver.counts.exchanges, Relaxed);
        gathered.take(engine, told);
        batches += 1;
        if batches.is_multiple_of(BATCHES_BETWEEN_ROLLUPS) {
            // Nobody keeps them here; they would grow to their limit and stay there.
            drop(engine.take_rollups(driver.now(), false));
            tallied.take(engine);
        }
    }
    driver.flush();
    gathered.take(engine, told);
    tallied.take(engine);
    (driver, gathered, tallied)
}

/// All inputs as one stream, in the order of their times as far as each is in order.
struct Feed<'e, 'p> {
    known: Vec<Option<Known>>,
    open: Vec<Option<OpenInput>>,
    opener: Opener<'e>,
    /// What each input showed.
    shown: Vec<Shown>,
    progress: &'p Progress,
    summaries: Vec<(usize, InputSummary)>,
    batch: Vec<Arrival>,
}

/// The next exchange of an input, or its beginning while it is not open.
struct Head {
    at: Timestamp,
    place: usize,
    arrival: Option<Arrival>,
}

impl<'e, 'p> Feed<'e, 'p> {
    fn new(known: Vec<Known>, opener: Opener<'e>, progress: &'p Progress) -> Self {
        let open = known.iter().map(|_| None).collect();
        let shown = vec![Shown::default(); known.len()];
        let known = known.into_iter().map(Some).collect();
        let (summaries, batch) = (Vec::new(), Vec::with_capacity(BATCH));
        Self { known, open, opener, shown, progress, summaries, batch }
    }

    /// Gives what became of each input, and what each format showed.
    fn run(mut self, sender: &SyncSender<Vec<Arrival>>) -> (Vec<InputSummary>, Vec<Shown>) {
        let mut heads: BinaryHeap<Reverse<Head>> = self
            .known
            .iter()
            .enumerate()
            .filter_map(|(place, known)| Some((place, known.as_ref()?.begins)))
            .map(|(place, at)| Reverse(Head { at, place, arrival: None }))
            .collect();
        while let Some(Reverse(head)) = heads.pop() {
            if let Some(arrival) = head.arrival {
                self.batch.push(arrival);
            }
            let until = heads.peek().map(|Reverse(next)| next.at);
            match self.run_ahead(head.place, until, sender) {
                Ok(Some(arrival)) => {
                    let (at, place) = (arrival.at, head.place);
                    heads.push(Reverse(Head { at, place, arrival: Some(arrival) }));
                }
                Ok(None) => self.close(head.place),
                Err(()) => break,
            }
        }
        let batch = std::mem::take(&mut self.batch);
        let _ = sender.send(batch);
        for place in 0..self.open.len() {
            self.close(place);
        }
        self.summaries.sort_by_key(|(place, _)| *place);
        let mut shown: BTreeMap<&str, Shown> = BTreeMap::new();
        for (place, summary) in self.summaries.iter().filter(|(_, it)| it.account.exchanges > 0) {
            let of_format = shown.entry(summary.format).or_default();
            self.shown.get(*place).into_iter().for_each(|shown| of_format.join(*shown));
        }
        let shown = shown.into_values().collect();
        let summaries = self.summaries.into_iter().map(|(_, summary)| summary).collect();
        (summaries, shown)
    }

    /// Sends the exchanges of one input up to `until`; gives the first one after that, or none at
    /// its end.
    fn run_ahead(
        &mut self,
        place: usize,
        until: Option<Timestamp>,
        sender: &SyncSender<Vec<Arrival>>,
    ) -> Result<Option<Arrival>, ()> {
        loop {
            if self.batch.len() >= BATCH {
                let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
                if self.progress.is_stopped.load(Relaxed) || sender.send(batch).is_err() {
                    return Err(());
                }
            }
            let Some(arrival) = self.next(place) else { return Ok(None) };
            if until.is_some_and(|until| arrival.at > until) {
                return Ok(Some(arrival));
            }
            self.batch.push(arrival);
        }
    }

    fn next(&mut self, place: usize) -> Option<Arrival> {
        let slot = self.open.get_mut(place)?;
        if slot.is_none() {
            let known = self.known.get_mut(place)?.as_mut()?;
            match known.read(place, &self.progress.read) {
                Ok(open) => *slot = Some(open),
                Err(error) => {
                    let account = Account { broken: Some(error.to_string()), ..Account::default() };
                    self.summarise(place, account);
                    return None;
                }
            }
        }
        let open = self.open.get_mut(place)?.as_mut()?;
        let arrival = open.next(&mut self.opener).or_else(|| open.rest(&mut self.opener));
        let shown = std::mem::take(&mut self.opener.shown);
        self.shown.get_mut(place)?.join(shown);
        arrival
    }

    fn close(&mut self, place: usize) {
        if let Some(open) = self.open.get_mut(place).and_then(Option::take) {
            self.summarise(place, open.account);
        }
    }

    fn summarise(&mut self, place: usize, account: Account) {
        if let Some(known) = self.known.get_mut(place).and_then(Option::take) {
            let (name, format) = (known.source.name(), known.kind.name());
            self.summaries.push((place, InputSummary { name, format, account }));
        }
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.place) == (other.at, other.place)
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.place).cmp(&(other.at, other.place))
    }
}
