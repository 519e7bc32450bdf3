//! What all exchanges of one connection share: who is there, over what, and what comes after.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use http::HeaderValue;
use shield::policy::Policy;
use traffic::head::Peer;

use crate::{
    flow::Flow,
    sources::Source,
    upstream::Link,
    wire::{Phase, Wire},
    worker::Worker,
};

pub(crate) struct Arrival {
    pub(crate) worker: Rc<Worker>,
    pub(crate) wire: Rc<Wire>,
    pub(crate) peer: Peer,
    pub(crate) source: Rc<Source>,
    /// The peer's address as it goes into `X-Forwarded-For`.
    pub(crate) peer_text: HeaderValue,
    /// False when there are too many connections: then it is only told so.
    pub(crate) welcome: bool,
    /// HTTP/2: exchanges run side by side and the wire knows nothing of them.
    multiplexed: bool,
    exchanges: Cell<usize>,
    tunnel: RefCell<Option<(Link, Duration)>>,
    /// Over HTTP/2, how the answer flows whose task is about to be made.
    flow: RefCell<Option<Rc<Flow>>>,
    /// Whether the peer is a trusted proxy, under which version of the policy.
    trusted: Cell<Option<(u64, bool)>>,
}

impl Arrival {
    pub(crate) fn new(
        worker: Rc<Worker>,
        wire: Rc<Wire>,
        peer: Peer,
        multiplexed: bool,
        welcome: bool,
    ) -> Self {
        let text = peer.address.to_canonical().to_string();
        let peer_text = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("unknown"));
        let source = worker.source(peer.address);
        Self {
            worker,
            wire,
            peer,
            source,
            peer_text,
            welcome,
            multiplexed,
            exchanges: Cell::new(0),
            tunnel: RefCell::default(),
            flow: RefCell::default(),
            trusted: Cell::default(),
        }
    }

    pub(crate) fn exchange_begins(&self) {
        self.exchanges.set(self.exchanges.get() + 1);
        self.worker.meter.begins();
        if self.multiplexed {
            self.wire.enter(Phase::Free);
        }
    }

    pub(crate) fn exchange_ended(&self) {
        let left = self.exchanges.get().saturating_sub(1);
        self.exchanges.set(left);
        self.worker.meter.ended();
        if !self.multiplexed {
            self.wire.exchange_ended();
        } else if left == 0 {
            self.wire.enter(Phase::Idle);
        }
    }

    pub(crate) fn flow_begins(&self, flow: Rc<Flow>) {
        *self.flow.borrow_mut() = Some(flow);
    }

    pub(crate) fn take_flow(&self) -> Option<Rc<Flow>> {
        self.flow.borrow_mut().take()
    }

    /// Whether the peer may speak for others.
    pub(crate) fn is_trusted(&self, policy: &Policy) -> bool {
        let version = policy.version();
        if let Some((known, trusted)) = self.trusted.get()
            && known == version
        {
            return trusted;
        }
        let trusted = policy.trusts(self.peer.address);
        self.trusted.set(Some((version, trusted)));
        trusted
    }

    /// Once the answer is written, bytes go both ways between caller and `link`, with no longer
    /// silence than `idle`.
    pub(crate) fn switch_to(&self, link: Link, idle: Duration) {
        *self.tunnel.borrow_mut() = Some((link, idle));
    }

    pub(crate) fn take_tunnel(&self) -> Option<(Link, Duration)> {
        self.tunnel.borrow_mut().take()
    }
}
