//! How long a request waits for its answer, and whether it is worth waiting for.
//!
//! Where there are others to go to, a request that waits looks up now and then: an upstream that
//! has been found silent meanwhile will not answer it either.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use super::health::Health;
use crate::ticker::Deadline;

/// How often it looks up.
const LOOK: Duration = Duration::from_millis(250);

/// What waiting has come to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Over {
    TimedOut,
    /// The upstream has been found silent.
    GivenUp,
}

pub(super) struct Patience {
    allowed: Duration,
    /// When to look up next.
    next: Deadline,
    /// What is left after that.
    left: Duration,
    /// Whose standing is looked at; nobody's when there is nowhere else to go.
    of: Option<Arc<Health>>,
}

impl Patience {
    /// `next` is due now or later; waiting begins with [`Self::restart`].
    pub(super) fn new(next: Deadline, allowed: Duration, of: Option<Arc<Health>>) -> Self {
        // Who is asked although it is silent is asked because there is nobody else.
        let of = of.filter(|of| !of.is_silent());
        let mut patience = Self { allowed, next, left: Duration::ZERO, of };
        patience.restart();
        patience
    }

    /// The upstream has just taken something: all of the time is left.
    pub(super) fn restart(&mut self) {
        self.left = self.allowed;
        self.step();
    }

    fn step(&mut self) {
        let step = if self.of.is_some() { LOOK.min(self.left) } else { self.left };
        self.left = self.left.saturating_sub(step);
        self.next.restart(step);
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Over> {
        loop {
            ready!(Pin::new(&mut self.next).poll(cx));
            if self.of.as_ref().is_some_and(|of| of.is_silent()) {
                return Poll::Ready(Over::GivenUp);
            }
            if self.left.is_zero() {
                return Poll::Ready(Over::TimedOut);
            }
            self.step();
        }
    }
}
