//! The two threads that write.
//!
//! One has `palisade.db`, where each commit waits for the disk; the other has the files of events,
//! where none does. Nothing they do ever holds up those who hand in.

mod apply;
mod buffered;
mod synced;

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use traffic::Timestamp;

use crate::ledger::Shared;

/// What is handed in is written this long after, at the latest.
const FLUSH_EVERY: Duration = Duration::from_millis(200);
/// While the disk takes nothing, it is asked again this often, unless somebody waits.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// Owns the writing threads. Closing (or dropping) it writes what is there and ends them.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(shared: Arc<Shared>, main: Option<Connection>) -> std::io::Result<Self> {
        let mut writer = Self { shared: Arc::clone(&shared), threads: Vec::new() };
        let events = buffered::Work::new(Arc::clone(&shared));
        let rest = synced::Work::new(shared, main);
        // Should the second not start, dropping the writer ends the first.
        let name = |name: &str| Builder::new().name(name.to_owned());
        writer.threads.push(name("ledger-events").spawn(move || events.run())?);
        writer.threads.push(name("ledger").spawn(move || rest.run())?);
        Ok(writer)
    }

    /// Writes what was handed in until now and ends the threads. Whatever is handed in later is
    /// dropped, and later writes are refused; reading goes on.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.lane.close();
        self.shared.queue.close();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a writer of the ledger ended by a panic");
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

/// The time of day, for retention only.
fn wall_clock() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::EPOCH.after(since_epoch)
}
