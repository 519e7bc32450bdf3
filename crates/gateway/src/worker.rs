//! One worker: a thread's clock, connections to upstreams, and identifiers. Nothing in it is shared.

use std::{cell::Cell, future::Future, pin::pin, rc::Rc, sync::Arc, task::Poll, time::Duration};

use traffic::{EventId, Timestamp, head::Peer};

use crate::{
    ids::Ids,
    settings::Settings,
    ticker::{TICK, Ticker},
    upstream::Pool,
    wire::RefusedHead,
};

pub(crate) struct Worker {
    pub(crate) settings: Arc<Settings>,
    pub(crate) ticker: Rc<Ticker>,
    pub(crate) ids: Ids,
    pool: Rc<Pool>,
    draining: Cell<bool>,
}

impl Worker {
    pub(crate) fn new(settings: Arc<Settings>) -> Rc<Self> {
        let ticker = Ticker::new();
        let pool = Rc::new(Pool::new(
            settings.upstream.clone(),
            settings.upstream_deadlines,
            Rc::clone(&ticker),
        ));
        Rc::new(Self { settings, ticker, ids: Ids::new(), pool, draining: Cell::new(false) })
    }

    pub(crate) fn pool(&self) -> Rc<Pool> {
        Rc::clone(&self.pool)
    }

    /// Moves the clock and sweeps, for as long as the worker lives.
    pub(crate) async fn keep_time(&self) {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            interval.tick().await;
            self.ticker.tick();
            self.pool.sweep();
        }
    }

    /// What `future` gives, unless `allowed` passes first.
    pub(crate) async fn within<F: Future>(&self, allowed: Duration, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut deadline = pin!(self.ticker.deadline(allowed));
        std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => deadline.as_mut().poll(cx).map(|()| None),
        })
        .await
    }

    /// Ends idle connections now and the others after their exchange.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        self.ticker.each_wire(|wire| wire.close_soon());
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Makes the event of a refused head.
    pub(crate) fn refused(&self, _refused: &RefusedHead, _peer: &Peer) -> EventId {
        self.ids.event(Timestamp::EPOCH)
    }
}
