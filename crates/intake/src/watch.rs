//! Logs that are being written, through the engine as they grow.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use shield::Engine;
use traffic::{Finding, Timestamp};

use crate::driver::Driver;
use crate::follow::Followed;
use crate::input::{Account, Assumptions, NotAnInput, OpenInput, Reader, format_of};
use crate::lines::Lines;
use crate::open::Opener;

/// Longer lines are passed over.
const LINE_BYTES_MAX: usize = 1 << 20;
/// So many exchanges are taken in one step, so that whoever watches is heard in between.
const STEP_MAX: usize = 10_000;

/// Follows logs.
pub struct Watch<'e> {
    engine: &'e Engine,
    opener: Opener<'e>,
    driver: Driver<'e>,
    logs: Vec<Log>,
    assumed: Assumptions,
}

/// One followed log.
struct Log {
    path: PathBuf,
    state: State,
    /// The time of its latest exchange.
    last: Timestamp,
    /// Its end was reached in this step.
    is_read: bool,
}

enum State {
    /// Nothing is in it yet.
    Waiting(Lines<Reader>),
    Reading(Box<OpenInput>),
    /// What is in it cannot be read.
    GivenUp,
}

/// What a step brought.
#[derive(Debug, Default)]
pub struct Step {
    /// Findings that are new or changed.
    pub findings: Vec<Finding>,
    /// Logs whose format was found out, or could not be.
    pub begun: Vec<(PathBuf, Result<&'static str, NotAnInput>)>,
    /// Whether all that there was has been read.
    pub is_level: bool,
    /// Exchanges so far.
    pub exchanges: u64,
}

impl<'e> Watch<'e> {
    /// Follows `paths` from their beginnings.
    pub fn new(engine: &'e Engine, paths: &[PathBuf], assumed: Assumptions) -> Self {
        let opener = Opener::new(engine, Arc::clone(&assumed.host));
        let log = |path: &PathBuf| Log {
            path: path.clone(),
            state: State::Waiting(lines_of(path)),
            last: Timestamp::EPOCH,
            is_read: false,
        };
        let logs = paths.iter().map(log).collect();
        Self { engine, opener, driver: Driver::new(engine), logs, assumed }
    }

    /// Takes in what has been written since the last step, or a part of it.
    pub fn step(&mut self) -> Step {
        let mut step = Step::default();
        for (place, log) in self.logs.iter_mut().enumerate() {
            log.is_read = false;
            log.begin(place, &self.assumed, &mut step.begun);
        }
        for _ in 0..STEP_MAX {
            // Of several logs the one that is furthest behind is read on.
            let behind = self.logs.iter_mut().filter(|log| !log.is_read).min_by_key(|log| log.last);
            let Some(log) = behind else {
                step.is_level = true;
                break;
            };
            let next = match &mut log.state {
                State::Reading(open) => open.next(&mut self.opener),
                State::Waiting(_) | State::GivenUp => None,
            };
            match next {
                Some(arrival) => {
                    log.last = arrival.at;
                    self.driver.arrive(arrival);
                }
                None => log.is_read = true,
            }
        }
        if step.is_level {
            // Nothing more is there to be sorted among these.
            self.driver.flush_arrived();
        }
        step.findings = self.engine.take_findings();
        step.exchanges = self.driver.counts.exchanges;
        drop(self.engine.take_rollups(self.driver.now(), false));
        step
    }

    /// What became of the lines of each log.
    pub fn accounts(&self) -> impl Iterator<Item = (&Path, &Account)> {
        self.logs.iter().filter_map(|log| match &log.state {
            State::Reading(open) => Some((log.path.as_path(), &open.account)),
            State::Waiting(_) | State::GivenUp => None,
        })
    }
}

impl Log {
    /// Finds out the format once there is a whole line to tell it by.
    fn begin(
        &mut self,
        place: usize,
        assumed: &Assumptions,
        begun: &mut Vec<(PathBuf, Result<&'static str, NotAnInput>)>,
    ) {
        let State::Waiting(lines) = &mut self.state else { return };
        let format = match lines.peek() {
            Ok(sample) if !sample.contains(&b'\n') => return,
            Ok(sample) => format_of(sample, assumed),
            Err(error) => Err(error.into()),
        };
        let State::Waiting(lines) = std::mem::replace(&mut self.state, State::GivenUp) else {
            return;
        };
        let told = format.map(|format| {
            let name = format.name().0;
            self.state = State::Reading(Box::new(OpenInput::growing(format, lines, place)));
            name
        });
        begun.push((self.path.clone(), told));
    }
}

fn lines_of(path: &Path) -> Lines<Reader> {
    Lines::new(Box::new(Followed::new(path)), LINE_BYTES_MAX)
}
