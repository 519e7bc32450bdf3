//! What passes between the program and the service manager that started it: sockets that it opened
//! (`LISTEN_FDS`), and words on how the program stands (`NOTIFY_SOCKET`), as systemd has them.
//!
//! Started by hand none of it is there, and nothing is said. A word that cannot be delivered is
//! logged: the service manager will draw its own conclusions.

use std::cell::Cell;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use gateway::Pulse;
use listenfd::ListenFd;
use rustix::time::{ClockId, clock_gettime};

use crate::failure::Failure;

/// The service manager, if there is one.
#[derive(Debug)]
pub(crate) struct Service {
    at: Option<(UnixDatagram, SocketAddr)>,
    /// It must hear of the program so often.
    watchdog: Option<Duration>,
    ending: Cell<bool>,
}

impl Service {
    /// As the environment tells.
    pub(crate) fn find() -> Self {
        let variable = |name| std::env::var(name).ok();
        let at = variable("NOTIFY_SOCKET").and_then(|path| {
            let address = match path.strip_prefix('@') {
                Some(name) => SocketAddr::from_abstract_name(name),
                None => SocketAddr::from_pathname(&path),
            };
            let socket = UnixDatagram::unbound().and_then(|socket| Ok((socket, address?)));
            socket.inspect_err(|error| tracing::warn!(%error, "NOTIFY_SOCKET is unusable")).ok()
        });
        let meant =
            variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let micros = variable("WATCHDOG_USEC").and_then(|micros| micros.parse::<u64>().ok());
        let watchdog = micros.filter(|micros| meant && *micros > 0).map(Duration::from_micros);
        Self { at, watchdog, ending: Cell::new(false) }
    }

    /// It serves.
    pub(crate) fn is_ready(&self) {
        self.tell("READY=1\nSTATUS=serving");
    }

    /// It reads its configuration again.
    pub(crate) fn reloads(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000);
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// It ends.
    pub(crate) fn stops(&self) {
        self.ending.set(true);
        self.tell("STOPPING=1\nSTATUS=requests under way are finished first");
    }

    /// Says again and again that all is well, as long as it is.
    pub(crate) async fn keep_watch(&self, pulse: Option<Pulse>) {
        let (Some(allowed), Some(pulse)) = (self.watchdog, pulse) else {
            return std::future::pending().await;
        };
        // Workers that have finished their last request leave no mark, and need not.
        while !self.ending.get() {
            tokio::time::sleep(allowed / 3).await;
            // A worker leaves a mark four times a second, on a busy machine later.
            if pulse.is_felt_within(allowed.max(Duration::from_secs(2))) {
                self.tell("WATCHDOG=1");
            } else {
                tracing::error!("a worker stands still; the service manager is told no more");
            }
        }
        std::future::pending().await
    }

    fn tell(&self, state: &str) {
        let Some((socket, address)) = &self.at else { return };
        if let Err(error) = socket.send_to_addr(state.as_bytes(), address) {
            tracing::warn!(%error, "the service manager is not reached");
        }
    }
}

/// The sockets that were opened before the program was started.
pub(crate) fn inherited() -> Result<Vec<TcpListener>, Failure> {
    let mut handed_over = ListenFd::from_env();
    let mut sockets = Vec::new();
    for number in 0..handed_over.len() {
        let socket = handed_over.take_tcp_listener(number).map_err(|error| {
            Failure::Failed(format!(
                "socket {number} that is handed over is none to serve on: {error}"
            ))
        })?;
        if let Some(socket) = socket {
            socket.set_nonblocking(true)?;
            sockets.push(socket);
        }
    }
    Ok(sockets)
}
