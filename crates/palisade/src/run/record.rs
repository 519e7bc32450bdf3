//! `--record`: the recording file, written by a thread of its own.
//!
//! A recording with holes cannot be replayed exactly, so a full queue makes exchanges wait rather
//! than lose their lines. A disk that takes nothing more ends the recording, never the traffic.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use shield::Engine;
use traffic::recording::{HeaderLine, Line};
use traffic::{Decision, Exception};

use super::instance::now;
use crate::failure::Failure;

/// Lines that may wait to be written.
const WAITING_MAX: usize = 4_096;

/// What is written is on its way to the disk within this time.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

/// A recording that is being written.
pub(crate) struct Recording {
    sender: SyncSender<Entry>,
    thread: Option<JoinHandle<()>>,
    lost: Arc<AtomicU64>,
}

enum Entry {
    Line(Line),
    End,
}

impl Recording {
    /// Begins a recording. The file is its owner's alone: even without secrets it tells who did
    /// what.
    pub(crate) fn begin(path: &Path) -> Result<Self, Failure> {
        let cannot = |error| Failure::of(format!("cannot record to {}", path.display()), error);
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(cannot)?;
        // The mode above counts only for a file that was not there.
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        file.set_permissions(owner_only).map_err(cannot)?;
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&lost);
        let thread = std::thread::Builder::new()
            .name("recording".to_owned())
            .spawn(move || write_all(file, &receiver, &counter))
            .map_err(cannot)?;
        Ok(Self { sender, thread: Some(thread), lost })
    }

    /// Where the engine puts exchanges and orders.
    pub(crate) fn sink(&self) -> Box<dyn Fn(Line) + Send + Sync> {
        let sender = self.sender.clone();
        Box::new(move |line| {
            // Once the writer has ended there is nothing to record to.
            let _ = sender.send(Entry::Line(line));
        })
    }

    /// Writes down what must be known to replay what follows.
    pub(crate) fn header(&self, header: HeaderLine) {
        let _ = self.sender.send(Entry::Line(Line::Header(Box::new(header))));
    }

    /// Lines that the disk did not take.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }
}

impl Drop for Recording {
    /// What waits is written. The engine's sink may outlive this, so the end is said.
    fn drop(&mut self) {
        let _ = self.sender.send(Entry::End);
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has been reported by the panic itself.
            let _ = thread.join();
        }
    }
}

/// Of a memory budget, what tables may take; the rest is for connections, bodies and queues. A
/// replay sizes its tables by the same rule, or it would forget at other times.
pub(crate) fn table_bytes(memory_budget: u64) -> usize {
    usize::try_from(memory_budget / 2).unwrap_or(usize::MAX)
}

/// The header of a recording that begins now: the policy, the key's name, and what is known.
pub(crate) fn begun(
    mut header: HeaderLine,
    engine: &Engine,
    memory_budget: u64,
    keeps_secrets: bool,
) -> HeaderLine {
    let hasher = engine.hasher();
    header.hash_key_id = Some(hasher.key_id().to_string());
    if keeps_secrets {
        let digits = hasher.key().bytes().iter().map(|byte| format!("{byte:02x}"));
        header.hash_key = Some(digits.collect());
    }
    header.memory_budget = Some(memory_budget);
    header.state = State::of(engine).written();
    header
}

/// What was known and stood when a recording began.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Learnt state by part.
    pub(crate) parts: Vec<(String, Vec<u8>)>,
    /// Standing decisions.
    pub(crate) decisions: Vec<Decision>,
    /// Exceptions.
    pub(crate) exceptions: Vec<Exception>,
    /// The last number that one of them was given: orders name them by number.
    pub(crate) last_number: u64,
}

/// A state that is none.
#[derive(Debug, thiserror::Error)]
#[error("{0} is damaged")]
pub(crate) struct Damaged(String);

/// How decisions and exceptions are called among the parts.
const DECISIONS: &str = "decisions";
const EXCEPTIONS: &str = "exceptions";
const LAST_NUMBER: &str = "last-number";

impl State {
    fn of(engine: &Engine) -> Self {
        let parts = engine.snapshot();
        Self {
            parts: parts.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect(),
            decisions: engine.decisions(now()),
            exceptions: engine.exceptions(),
            last_number: engine.last_number(),
        }
    }

    /// As `name:base64` words; none when it cannot be written, which a replay then says.
    fn written(&self) -> Option<String> {
        let decisions = serde_json::to_vec(&self.decisions).ok()?;
        let exceptions = serde_json::to_vec(&self.exceptions).ok()?;
        let last_number = serde_json::to_vec(&self.last_number).ok()?;
        let standing =
            [(DECISIONS, decisions), (EXCEPTIONS, exceptions), (LAST_NUMBER, last_number)];
        let learnt = self.parts.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let standing = standing.iter().map(|(name, bytes)| (*name, bytes.as_slice()));
        let words: Vec<String> = learnt
            .chain(standing)
            .map(|(name, bytes)| format!("{name}:{}", BASE64.encode(bytes)))
            .collect();
        Some(words.join(" "))
    }

    /// Reads what [`State::written`] wrote.
    pub(crate) fn read(text: &str) -> Result<Self, Damaged> {
        let mut state = Self::default();
        for word in text.split_whitespace() {
            let damaged = || Damaged(word.chars().take(32).collect());
            let (name, base64) = word.split_once(':').ok_or_else(damaged)?;
            let bytes = BASE64.decode(base64).map_err(|_| damaged())?;
            match name {
                DECISIONS => {
                    state.decisions = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
                }
                EXCEPTIONS => {
                    state.exceptions = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
                }
                LAST_NUMBER => {
                    state.last_number = serde_json::from_slice(&bytes).map_err(|_| damaged())?;
                }
                _ => state.parts.push((name.to_owned(), bytes)),
            }
        }
        Ok(state)
    }
}

fn write_all(file: File, receiver: &Receiver<Entry>, lost: &AtomicU64) {
    let mut out = BufWriter::with_capacity(256 * 1024, file);
    let mut has_failed = false;
    loop {
        let entry = match receiver.recv_timeout(FLUSH_EVERY) {
            Ok(Entry::End) | Err(RecvTimeoutError::Disconnected) => break,
            Ok(entry) => entry,
            Err(RecvTimeoutError::Timeout) => {
                has_failed |= out.flush().is_err();
                continue;
            }
        };
        if has_failed {
            lost.fetch_add(1, Relaxed);
            continue;
        }
        if let Err(error) = write_one(&mut out, &entry) {
            tracing::error!(%error, "the recording ends here: its file takes no more");
            lost.fetch_add(1, Relaxed);
            has_failed = true;
        }
    }
    if let Err(error) = out.flush() {
        tracing::error!(%error, "the end of the recording is not written");
    }
}

fn write_one(out: &mut impl Write, entry: &Entry) -> std::io::Result<()> {
    match entry {
        Entry::Line(line) => serde_json::to_writer(&mut *out, line)?,
        Entry::End => return Ok(()),
    }
    out.write_all(b"\n")
}
