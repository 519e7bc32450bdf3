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

use shield::Engine;
use traffic::recording::{HeaderLine, Line};

use crate::failure::Failure;

pub(crate) mod state;

/// Lines that may wait to be written.
const WAITING_MAX: usize = 4_096;

const BUFFER_BYTES: usize = 256 << 10;

/// What is written is on its way to the disk within this time.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

/// A file that a recording will be written to. Nothing may be recorded before it has begun.
pub(crate) struct Unbegun {
    out: BufWriter<File>,
    sender: SyncSender<Entry>,
    receiver: Receiver<Entry>,
}

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

impl Unbegun {
    /// Opens the file. It is its owner's alone: even without secrets it tells who did what.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
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
        Ok(Self { out: BufWriter::with_capacity(BUFFER_BYTES, file), sender, receiver })
    }

    /// Writes down what must be known to replay what follows, and begins. There is no traffic yet:
    /// what is known does not change while it is written.
    pub(crate) fn begin(
        self,
        header: HeaderLine,
        engine: &Arc<Engine>,
        keeps_secrets: bool,
    ) -> Result<Recording, Failure> {
        let Self { mut out, sender, receiver } = self;
        let cannot = |error: std::io::Error| Failure::of("cannot begin the recording", error);
        state::write_begin(&mut out, header, engine, keeps_secrets).map_err(cannot)?;
        let lost = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&lost);
        let thread = std::thread::Builder::new()
            .name("recording".to_owned())
            .spawn(move || write_all(out, &receiver, &counter))
            .map_err(cannot)?;
        Ok(Recording { sender, thread: Some(thread), lost })
    }

    /// Where the engine puts exchanges and orders.
    pub(crate) fn sink(&self) -> Box<dyn Fn(Line) + Send + Sync> {
        let sender = self.sender.clone();
        Box::new(move |line| {
            // Once the writer has ended there is nothing to record to.
            let _ = sender.send(Entry::Line(line));
        })
    }
}

impl Recording {
    /// Writes down that another policy is in force.
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
        if let Some(thread) = self.thread.take() {
            let _ = self.sender.send(Entry::End);
            // A writer that panicked has been reported by the panic itself.
            let _ = thread.join();
        }
    }
}

fn write_all(mut out: BufWriter<File>, receiver: &Receiver<Entry>, lost: &AtomicU64) {
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
