//! One worker: a thread's clock, connections to upstreams, and identifiers. Nothing in it is shared
//! but the engine and the sites.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::Future,
    net::IpAddr,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use shield::{Engine, Learnt, Pass, RefusedHead, ToldRefusal};
use traffic::{Event, EventId, Peer};

use crate::{
    exchange::{Busy, now},
    framing::Refusal,
    ids::Ids,
    meters::{Meter, Shed},
    settings::Settings,
    sources::{SHARES, Source, Sources},
    terms::Terms,
    ticker::{TICK, Ticker},
    upstream::Group,
};

/// Requests turned away within this time share one event.
const SHED_WINDOW_MS: u64 = 1000;

const TOO_BUSY: &str = "too-busy: more is under way than the gateway takes on";

pub(crate) struct Worker {
    pub(crate) settings: Arc<Settings>,
    pub(crate) terms: Terms,
    pub(crate) engine: Arc<Engine>,
    pub(crate) ticker: Rc<Ticker>,
    pub(crate) ids: Ids,
    pub(crate) busy: Busy,
    pub(crate) meter: Arc<Meter>,
    sources: Sources,
    pools: RefCell<Pools>,
    held_bytes: Rc<Cell<usize>>,
    shedding: RefCell<Option<Shedding>>,
    draining: Cell<bool>,
}

#[derive(Default)]
struct Pools {
    version: u64,
    by_site: BTreeMap<String, Rc<Group>>,
}

/// The event that stands for requests turned away, and since when.
struct Shedding {
    event: Event,
    since_ms: u64,
}

impl Worker {
    pub(crate) fn new(settings: Arc<Settings>, terms: Terms, meter: Arc<Meter>) -> Rc<Self> {
        let ticker = Ticker::new();
        Rc::new(Self {
            engine: Arc::clone(&settings.engine),
            busy: Busy::new(settings.requests_max),
            meter,
            sources: Sources::default(),
            settings,
            terms,
            ticker,
            ids: Ids::new(),
            pools: RefCell::default(),
            held_bytes: Rc::default(),
            shedding: RefCell::default(),
            draining: Cell::new(false),
        })
    }

    /// Where a connection comes from, and what its source has of this worker.
    pub(crate) fn source(&self, peer: IpAddr) -> Rc<Source> {
        let speaks_for_others = self.engine.policy().trusts(peer);
        self.sources.of(peer, self.settings.requests_max, speaks_for_others)
    }

    /// The upstreams of a site, and the connections to them.
    pub(crate) fn group(&self, site: &str) -> Option<Rc<Group>> {
        let mut pools = self.pools.borrow_mut();
        let version = self.settings.sites.version();
        if pools.version != version {
            pools.version = version;
            let table = self.settings.sites.table();
            let is_placed = |name: &String, group: &mut Rc<Group>| {
                table.get(name).is_some_and(|placed| Arc::ptr_eq(placed, &group.placed))
            };
            pools.by_site.retain(is_placed);
        }
        if let Some(group) = pools.by_site.get(site) {
            return Some(Rc::clone(group));
        }
        let placed = Arc::clone(self.settings.sites.table().get(site)?);
        let group = Rc::new(Group::new(placed, &self.ticker, self.ids.draw()));
        pools.by_site.insert(site.to_owned(), Rc::clone(&group));
        Some(group)
    }

    /// Moves the clock and sweeps, for as long as the worker lives.
    pub(crate) async fn keep_time(&self, beat: impl Fn()) {
        let mut interval = tokio::time::interval(TICK);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            interval.tick().await;
            beat();
            self.ticker.tick();
            for group in self.pools.borrow().by_site.values() {
                group.sweep();
            }
            self.settle_shedding(self.ticker.now_ms());
            self.meter.holds(self.held_bytes.get());
        }
    }

    /// What `future` gives, unless `allowed` passes first.
    pub(crate) async fn within<F: Future>(
        &self,
        allowed: Duration,
        future: F,
    ) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut deadline = pin!(self.ticker.deadline(allowed));
        std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => deadline.as_mut().poll(cx).map(|()| None),
        })
        .await
    }

    /// Room to hold this much of a body from or for a source; `None` when there is none left, or
    /// none of the source's share.
    pub(crate) fn hold(&self, bytes: usize, source: &Rc<Source>) -> Option<HeldBytes> {
        let most = self.settings.held_bytes_max;
        let (of, source) = (Rc::clone(&self.held_bytes), Rc::clone(source));
        let mut held = HeldBytes { bytes: 0, most, of, source };
        held.grow(bytes).then_some(held)
    }

    /// Ends idle connections now and the others after their exchange.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
        self.ticker.each_wire(|wire| wire.close_soon());
        self.settle_shedding(u64::MAX);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    // === events ===

    pub(crate) fn note(&self, event: Event) {
        (self.settings.events)(event);
    }

    pub(crate) fn learnt(&self, learnt: Learnt) {
        if let Some(event) = learnt.event {
            self.note(event);
        }
    }

    /// Makes the event of a request that was refused for its form. Gives the rules that matched,
    /// for a caller that is told.
    pub(crate) fn refused(
        &self,
        id: EventId,
        refusal: Refusal,
        raw: &[u8],
        peer: &Peer,
        pass: Option<Box<Pass>>,
    ) -> Option<String> {
        self.meter.refused(refusal, 1);
        let (fault, status) = (refusal.told(), refusal.status());
        let head = RefusedHead { id, fault, status, raw };
        let ToldRefusal { event, rules } = self.engine.refuse_form(&head, peer, pass, now());
        self.note(event);
        rules
    }

    /// Makes the event of what was refused before there was a request to read, `count` times in a
    /// row: by the HTTP/2 library, or for want of a PROXY header.
    pub(crate) fn refused_unread(&self, refusal: Refusal, count: u32, peer: &Peer) {
        self.meter.refused(refusal, count);
        let (fault, status) = (refusal.told(), refusal.status());
        let head = RefusedHead { id: self.ids.event(now()), fault, status, raw: b"" };
        let event = self.engine.turn_away(&head, peer, now());
        self.note(Event { count, ..event });
    }

    /// The event of a request that was turned away; many share one, or writing them all down would
    /// be the next overload.
    pub(crate) fn shed(&self, id: EventId, why: Shed, raw: &[u8], peer: &Peer) -> EventId {
        self.meter.shed(why);
        let mut shedding = self.shedding.borrow_mut();
        if let Some(shedding) = &mut *shedding {
            shedding.event.count = shedding.event.count.saturating_add(1);
            return shedding.event.id;
        }
        let head = RefusedHead { id, fault: TOO_BUSY, status: 503, raw };
        let event = self.engine.turn_away(&head, peer, now());
        *shedding = Some(Shedding { event, since_ms: self.ticker.now_ms() });
        id
    }

    fn settle_shedding(&self, now_ms: u64) {
        let mut shedding = self.shedding.borrow_mut();
        if shedding.as_ref().is_some_and(|s| now_ms.saturating_sub(s.since_ms) >= SHED_WINDOW_MS)
            && let Some(shedding) = shedding.take()
        {
            self.note(shedding.event);
        }
    }
}

/// Bytes of a body that is held; given back when dropped.
pub(crate) struct HeldBytes {
    bytes: usize,
    /// All of them together have no more.
    most: usize,
    of: Rc<Cell<usize>>,
    source: Rc<Source>,
}

impl HeldBytes {
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes it so many bytes, if there is room for them.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let held = self.of.get().saturating_add(more);
        let of_source = self.source.held_bytes.get().saturating_add(more);
        // Beyond its share a source leaves half of all for the others.
        let is_fair = self.source.speaks_for_others()
            || of_source <= self.most / SHARES
            || held <= self.most / 2;
        if held > self.most || !is_fair {
            return false;
        }
        self.of.set(held);
        self.source.held_bytes.set(of_source);
        self.bytes += more;
        true
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.of.set(self.of.get().saturating_sub(self.bytes));
        let of_source = &self.source.held_bytes;
        of_source.set(of_source.get().saturating_sub(self.bytes));
    }
}
