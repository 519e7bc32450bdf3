//! What the operating system tells the program while it runs.
//!
//! SIGTERM and SIGINT end it in order: the gateway drains, what was learnt is kept. A second one
//! ends it at once. SIGHUP reads the configuration again.

use std::sync::Arc;

use gateway::Gateway;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::instance::RunningInstance;
use super::service::Service;
use crate::failure::Failure;
use crate::output::say;

/// Conventional exit codes of a program that a signal ended.
const ENDED_BY_INT: u8 = 130;
const ENDED_BY_TERM: u8 = 143;

/// What is listened for. From the moment it is made no signal ends the program by itself.
pub(crate) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

/// Returns once the program was told to end and the gateway has drained.
pub(crate) async fn until_told(
    instance: &Arc<RunningInstance>,
    gateway: Option<Gateway>,
    mut signals: Signals,
    service: &Service,
) -> Result<(), Failure> {
    let code = loop {
        match signals.next().await {
            Some(code) => break code,
            None => {
                service.reloads();
                let instance = Arc::clone(instance);
                let reload = move || instance.take_up("palisade (SIGHUP)").is_ok();
                if let Err(error) = tokio::task::spawn_blocking(reload).await {
                    tracing::error!(%error, "the reload ended early");
                }
                service.is_ready();
            }
        }
    };
    service.stops();
    say("ending: requests under way are finished first");
    let drain = tokio::task::spawn_blocking(move || gateway.map(Gateway::drain));
    tokio::select! {
        _ = drain => {}
        _ = signals.told_again() => say("ending at once: requests under way are cut off"),
    }
    Err(Failure::Ended(code))
}

impl Signals {
    /// Begins to listen. Only within a runtime.
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The exit code of a signal that ends the program; none for one that reloads.
    async fn next(&mut self) -> Option<u8> {
        tokio::select! {
            _ = self.hangup.recv() => None,
            _ = self.interrupt.recv() => Some(ENDED_BY_INT),
            _ = self.terminate.recv() => Some(ENDED_BY_TERM),
        }
    }

    async fn told_again(&mut self) {
        while self.next().await.is_none() {}
    }
}
