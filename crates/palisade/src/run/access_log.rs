//! The access log: a line of JSON for each exchange, written by a thread of its own.
//!
//! Traffic never waits for it: what does not fit into its queue is dropped and counted. A file that
//! was moved away is begun anew, so that rotating it needs no signal.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gateway::{Access, AccessSink};
use serde::Serialize;
use shield::policy::AccessLogTo;

use crate::failure::Failure;

/// Lines that may wait to be written: about 2 MiB.
const WAITING_MAX: usize = 4_096;
/// What is written can be read within this time, and so is a file found that was moved away.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

/// An access log that is being written.
pub(crate) struct AccessLog {
    sender: SyncSender<Option<Box<Access>>>,
    thread: JoinHandle<()>,
    lost: Arc<AtomicU64>,
}

impl AccessLog {
    /// Opens it and begins.
    pub(crate) fn begin(to: &AccessLogTo) -> Result<Self, Failure> {
        let place = Place::open(to)?;
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let thread = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write(place, &receiver, &counted))?;
        Ok(Self { sender, thread, lost })
    }

    /// Where the gateway gives its exchanges to.
    pub(crate) fn sink(&self) -> AccessSink {
        let (sender, lost) = (self.sender.clone(), Arc::clone(&self.lost));
        Arc::new(move |access| {
            if sender.try_send(Some(Box::new(access))).is_err() {
                lost.fetch_add(1, Relaxed);
            }
        })
    }

    /// How many lines were lost until now.
    pub(crate) fn lost(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.lost)
    }

    /// Writes down what waits, and ends.
    pub(crate) fn end(self) {
        // A thread that has ended takes nothing more, and one that panicked said so itself.
        let _ = self.sender.send(None);
        let _ = self.thread.join();
    }
}

/// Where lines go.
enum Place {
    Stdout(BufWriter<io::Stdout>),
    File { path: PathBuf, file: BufWriter<File> },
}

impl Place {
    fn open(to: &AccessLogTo) -> Result<Self, Failure> {
        match to {
            AccessLogTo::Stdout => Ok(Self::Stdout(BufWriter::new(io::stdout()))),
            AccessLogTo::File(path) => {
                let file = open(path).map_err(|error| {
                    Failure::of(format!("cannot open the access log {}", path.display()), error)
                })?;
                Ok(Self::File { path: path.clone(), file: BufWriter::new(file) })
            }
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(out) => out,
            Self::File { file, .. } => file,
        }
    }

    /// Makes what was written readable, and begins the file anew when it was moved away.
    fn settle(&mut self) -> io::Result<()> {
        self.writer().flush()?;
        if let Self::File { path, file } = self {
            let written = file.get_ref().metadata()?;
            let is_there = fs::metadata(&*path)
                .is_ok_and(|there| (there.dev(), there.ino()) == (written.dev(), written.ino()));
            if !is_there {
                *file = BufWriter::new(open(path)?);
            }
        }
        Ok(())
    }
}

/// It tells who did what, so it is its owner's alone.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

fn write(mut place: Place, receiver: &Receiver<Option<Box<Access>>>, lost: &AtomicU64) {
    let mut settled = Instant::now();
    let mut is_failing = false;
    loop {
        let access = match receiver.recv_timeout(FLUSH_EVERY) {
            Ok(Some(access)) => Some(access),
            Err(RecvTimeoutError::Timeout) => None,
            Ok(None) | Err(RecvTimeoutError::Disconnected) => break,
        };
        let mut written = access.map_or(Ok(()), |access| line(place.writer(), &access));
        if settled.elapsed() >= FLUSH_EVERY {
            settled = Instant::now();
            written = written.and(place.settle());
        }
        match written {
            Ok(()) => is_failing = false,
            Err(error) => {
                lost.fetch_add(1, Relaxed);
                if !is_failing {
                    tracing::error!(%error, "the access log cannot be written; lines are lost");
                }
                is_failing = true;
            }
        }
    }
    if let Err(error) = place.settle() {
        tracing::error!(%error, "the end of the access log was not written");
    }
}

/// A line as it is written.
#[derive(Serialize)]
struct Line<'a> {
    at: String,
    request_id: &'a str,
    event: String,
    site: Option<&'a str>,
    client: Option<&'a str>,
    method: Option<&'a str>,
    host: Option<&'a str>,
    path: Option<&'a str>,
    status: u16,
    bytes: u64,
    took_us: u64,
    user_agent: Option<&'a str>,
}

fn line(out: &mut dyn Write, access: &Access) -> io::Result<()> {
    let asked = access.asked.as_ref();
    let line = Line {
        at: access.at.to_string(),
        request_id: &access.request_id,
        event: access.event.to_string(),
        site: asked.map(|asked| asked.site.as_str()),
        client: asked.map(|asked| asked.client.as_str()),
        method: asked.map(|asked| asked.method.as_str()),
        host: asked.map(|asked| asked.host.as_str()),
        path: asked.map(|asked| asked.path.as_str()),
        status: access.status,
        bytes: access.bytes,
        took_us: access.took_us,
        user_agent: asked.and_then(|asked| asked.user_agent.as_deref()),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}
