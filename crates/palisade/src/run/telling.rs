//! The thread that looks for news and hands it to whoever is to be told. It is never on the way of
//! a request, and no sink keeps it waiting.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use alerts::{Outbox, Teller};
use ledger::Ledger;

use super::instance::now;

/// Events stay in memory for some thousands of others; a flood must not outrun this.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The thread that tells.
pub(crate) struct Telling {
    stop: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
    outbox: Arc<Outbox>,
}

impl Telling {
    /// Begins.
    pub(crate) fn begin(ledger: Ledger, outbox: Arc<Outbox>) -> std::io::Result<Self> {
        let (stop, stopped) = sync_channel::<()>(1);
        let mut teller = Teller::begin(ledger, Arc::clone(&outbox));
        let look = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(LOOK_EVERY) {
                teller.look(now());
            }
            teller.end(now());
        };
        let thread = std::thread::Builder::new().name("telling".to_owned()).spawn(look)?;
        Ok(Self { stop, thread: Some(thread), outbox })
    }

    /// Looks a last time. What cannot be told any more waits on disk for the next start.
    pub(crate) fn end(mut self) {
        let _ = self.stop.try_send(());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("telling ended by a panic; the next start tells what was left out");
        }
        self.outbox.end();
    }
}
