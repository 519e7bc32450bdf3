//! What a connection's reader, its exchanges and the worker's clock know together.
//!
//! Why the connection ends, and which deadline runs. One connection lives on one thread, so cells
//! suffice.

use std::{
    cell::{Cell, RefCell},
    task::{Context, Waker},
    time::Duration,
};

use bytes::Bytes;

use crate::{framing::Refusal, terms::CallerTerms};

/// Deadlines of a caller's connection.
#[derive(Clone, Copy, Debug)]
pub struct CallerDeadlines {
    /// From the first byte of a head, or the start of the connection, to the end of the head.
    pub head: Duration,
    /// Between exchanges.
    pub idle: Duration,
    /// How long a caller may let a write wait.
    pub write_stall: Duration,
    /// Bytes a second below which an upload is ended, after `body_grace` of waiting.
    pub body_min_rate: u64,
    /// Waiting for the caller that is free of charge.
    pub body_grace: Duration,
    /// How long an exchange goes on after the caller has closed its sending half.
    pub half_close: Duration,
    /// TLS handshake, from the first byte to the last.
    pub handshake: Duration,
}

impl Default for CallerDeadlines {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            write_stall: Duration::from_secs(60),
            body_min_rate: 500,
            body_grace: Duration::from_secs(5),
            half_close: Duration::from_secs(5),
            handshake: Duration::from_secs(10),
        }
    }
}

impl CallerDeadlines {
    /// Lets no step take longer than this.
    pub(crate) fn hurry(&mut self, most: Duration) {
        for deadline in [
            &mut self.head,
            &mut self.idle,
            &mut self.write_stall,
            &mut self.body_grace,
            &mut self.half_close,
            &mut self.handshake,
        ] {
            *deadline = most.min(*deadline);
        }
    }
}

/// What the reader is waiting for, which says which deadline runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// Nothing yet, or between exchanges.
    Idle,
    /// The first bytes of a head are there.
    Head,
    /// A body is arriving.
    Body,
    /// An exchange is under way and its request is complete.
    Exchange,
    /// HTTP/2 or a tunnel; streams keep their own time.
    Free,
}

/// Which half of the connection has run out of time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expiry {
    /// Nothing more is awaited from the caller; it may still be answered.
    Read,
    /// The caller does not take its answer.
    Write,
}

/// A head that was refused, kept for its event and its answer.
#[derive(Clone, Debug)]
pub(crate) struct RefusedHead {
    pub(crate) refusal: Refusal,
    /// What was received of it.
    pub(crate) raw: Bytes,
}

pub(crate) struct Wire {
    pub(crate) terms: CallerTerms,
    refused: RefCell<Option<RefusedHead>>,
    body_fault: Cell<Option<Refusal>>,
    /// What the HTTP/2 library refused last, and how often in a row.
    http2_fault: Cell<Option<(Refusal, u32)>>,
    closing: Cell<bool>,
    phase: Cell<Phase>,
    /// When the phase began; for a body, the waiting it has cost so far.
    phase_ms: Cell<u64>,
    served: Cell<bool>,
    body_bytes: Cell<u64>,
    starving: Cell<bool>,
    half_closed_ms: Cell<u64>,
    write_blocked_ms: Cell<u64>,
    expired: Cell<Option<Expiry>>,
    waker: RefCell<Option<Waker>>,
    now_ms: Cell<u64>,
}

impl Wire {
    pub(crate) fn new(terms: CallerTerms, now_ms: u64) -> Self {
        Self {
            terms,
            refused: RefCell::default(),
            body_fault: Cell::default(),
            http2_fault: Cell::default(),
            closing: Cell::default(),
            phase: Cell::new(Phase::Idle),
            phase_ms: Cell::new(now_ms),
            served: Cell::default(),
            body_bytes: Cell::default(),
            starving: Cell::default(),
            half_closed_ms: Cell::default(),
            write_blocked_ms: Cell::default(),
            expired: Cell::default(),
            waker: RefCell::default(),
            now_ms: Cell::new(now_ms),
        }
    }

    // === the reader's side ===

    /// A head was accepted.
    pub(crate) fn serve(&self) {
        self.served.set(true);
    }

    pub(crate) fn refuse(&self, refusal: Refusal, mut raw: &[u8]) {
        // Rules look for the request line where the bytes begin.
        while let Some(rest) = raw.strip_prefix(b"\r\n") {
            raw = rest;
        }
        let raw = Bytes::copy_from_slice(raw);
        self.refused.borrow_mut().get_or_insert(RefusedHead { refusal, raw });
    }

    pub(crate) fn fail_body(&self, refusal: Refusal) {
        self.body_fault.set(Some(refusal));
    }

    /// The HTTP/2 library refused something. Of several at once the last is named.
    pub(crate) fn note_http2_fault(&self, refusal: Refusal) {
        let before = self.http2_fault.get().map_or(0, |(_, count)| count);
        self.http2_fault.set(Some((refusal, before.saturating_add(1))));
    }

    pub(crate) fn enter(&self, phase: Phase) {
        if self.phase.replace(phase) != phase {
            let waited = phase == Phase::Body;
            self.phase_ms.set(if waited { 0 } else { self.now_ms.get() });
            self.body_bytes.set(0);
            self.starving.set(false);
        }
    }

    /// HTTP/2 is spoken from here on: between exchanges the connection is idle, from the first.
    pub(crate) fn enter_http2(&self) {
        self.served.set(true);
        self.phase.set(Phase::Idle);
        self.phase_ms.set(self.now_ms.get());
    }

    pub(crate) fn body_progress(&self, bytes: usize) {
        self.body_bytes.set(self.body_bytes.get().saturating_add(bytes as u64));
        self.starving.set(false);
    }

    pub(crate) fn half_close(&self) {
        if self.half_closed_ms.get() == 0 {
            self.half_closed_ms.set(self.now_ms.get().max(1));
        }
    }

    /// The reader has nothing to give: it is woken by its socket, the clock, or the exchange's end.
    pub(crate) fn park(&self, cx: &Context<'_>) {
        self.starving.set(true);
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
    }

    pub(crate) fn write_blocked(&self, blocked: bool) {
        if !blocked {
            self.write_blocked_ms.set(0);
        } else if self.write_blocked_ms.get() == 0 {
            self.write_blocked_ms.set(self.now_ms.get().max(1));
        }
    }

    pub(crate) fn expired(&self) -> Option<Expiry> {
        self.expired.get()
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    // === the exchange's side ===

    pub(crate) fn take_body_fault(&self) -> Option<Refusal> {
        self.body_fault.take()
    }

    /// The answer is out of the exchange's hands: the next head may be read.
    pub(crate) fn exchange_ended(&self) {
        if self.phase.get() == Phase::Exchange {
            self.enter(Phase::Idle);
        }
    }

    // === the connection's side ===

    pub(crate) fn take_http2_fault(&self) -> Option<(Refusal, u32)> {
        self.http2_fault.take()
    }

    pub(crate) fn take_refused(&self) -> Option<RefusedHead> {
        self.refused.borrow_mut().take()
    }

    /// Asks the connection to end after the exchange under way.
    pub(crate) fn close_soon(&self) {
        self.closing.set(true);
        self.wake();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.get()
    }

    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    // === the clock's side ===

    pub(crate) fn tick(&self, now_ms: u64, elapsed_ms: u64) {
        self.now_ms.set(now_ms);
        let since = |ms: u64| Duration::from_millis(now_ms.saturating_sub(ms));
        let late = match self.phase.get() {
            Phase::Idle if self.served.get() => {
                since(self.phase_ms.get()) > self.terms.deadlines.idle
            }
            Phase::Idle | Phase::Head => since(self.phase_ms.get()) > self.terms.deadlines.head,
            Phase::Body => self.starve(elapsed_ms),
            Phase::Exchange | Phase::Free => false,
        };
        let half_closed = self.half_closed_ms.get();
        let gone = half_closed > 0 && since(half_closed) > self.terms.deadlines.half_close;
        let blocked = self.write_blocked_ms.get();
        let stalled = blocked > 0 && since(blocked) > self.terms.deadlines.write_stall;
        let expiry = if stalled {
            Some(Expiry::Write)
        } else if late || gone {
            Some(Expiry::Read)
        } else {
            None
        };
        if expiry.is_some() && expiry != self.expired.get() {
            self.expired.set(expiry);
            self.wake();
        }
    }

    /// Counts waiting for a body; only time the caller takes counts, not the upstream's.
    fn starve(&self, elapsed_ms: u64) -> bool {
        if !self.starving.get() {
            return false;
        }
        let waited_ms = self.phase_ms.get().saturating_add(elapsed_ms);
        self.phase_ms.set(waited_ms);
        let due = self.terms.deadlines.body_min_rate.saturating_mul(waited_ms) / 1000;
        Duration::from_millis(waited_ms) > self.terms.deadlines.body_grace
            && self.body_bytes.get() < due
    }
}
