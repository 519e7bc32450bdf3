//! Everything that one exchange has: its bytes, its values, and what rules did with them so far.

use std::net::{IpAddr, Ipv4Addr};

use super::{
    Interruption,
    candidates::Candidates,
    fields::Fields,
    hits::Hits,
    lasting::Opened,
    matches::Matches,
    narrowing::Narrowing,
    singles::Singles,
    store::{Span, Store},
    tx::Tx,
};
use crate::{
    action::{AllowScope, Audit, BodyProcessor, EngineMode},
    operator::Captures,
    rule_set::Settings,
    work::Work,
};

/// How a value is called within its variable.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Key {
    /// Not at all: the variable has one value.
    #[default]
    None,
    Text(Span),
    /// By the name of a slot of `TX`.
    Slot(u16),
}

/// A value that a rule looks at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    pub(super) key: Key,
    pub(super) value: Span,
}

/// The ends of the connection, and when it all began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings {
    pub(super) began_us: u64,
    pub(super) now_us: u64,
    pub(super) remote: (IpAddr, u16),
    pub(super) server: (IpAddr, u16),
}

impl Default for Surroundings {
    fn default() -> Self {
        let nowhere = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        Self { began_us: 0, now_us: 0, remote: nowhere, server: nowhere }
    }
}

/// What `ctl` and the settings say about this exchange.
#[derive(Clone, Copy, Debug)]
pub(super) struct Modes {
    pub(super) engine: EngineMode,
    pub(super) audit: Audit,
    pub(super) request_body_access: bool,
    pub(super) response_body_access: bool,
    pub(super) forces_request_body: bool,
    pub(super) processor: Option<BodyProcessor>,
    pub(super) allow: Option<AllowScope>,
}

impl Modes {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            engine: settings.engine,
            audit: settings.audit,
            request_body_access: settings.request_body_access,
            response_body_access: settings.response_body_access,
            forces_request_body: false,
            processor: None,
            allow: None,
        }
    }
}

/// What one exchange has.
#[derive(Debug)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) surroundings: Surroundings,
    pub(super) singles: Singles,
    pub(super) fields: Fields,
    pub(super) tx: Tx,
    pub(super) modes: Modes,
    pub(super) narrowing: Narrowing,
    pub(super) opened: Vec<Opened>,
    pub(super) matches: Matches,
    pub(super) captures: Captures,
    pub(super) hits: Hits,
    /// What refuses the exchange; with `DetectionOnly` what would.
    pub(super) interruption: Option<Interruption>,
    pub(super) would_interrupt: Option<Interruption>,
    pub(super) work: Work,
    pub(super) candidates: Candidates,
    /// The request's body was cut at its limit.
    pub(super) is_request_body_cut: bool,
    pub(super) is_response_body_cut: bool,
    /// Room that is used again and again.
    pub(super) rows: Vec<Row>,
    pub(super) argument: Vec<u8>,
    pub(super) text: Vec<u8>,
    pub(super) name: Vec<u8>,
}

impl State {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            store: Store::default(),
            surroundings: Surroundings::default(),
            singles: Singles::default(),
            fields: Fields::default(),
            tx: Tx::default(),
            modes: Modes::new(settings),
            narrowing: Narrowing::default(),
            opened: Vec::new(),
            matches: Matches::default(),
            captures: Captures::default(),
            hits: Hits::default(),
            interruption: None,
            would_interrupt: None,
            work: Work::default(),
            candidates: Candidates::default(),
            is_request_body_cut: false,
            is_response_body_cut: false,
            rows: Vec::new(),
            argument: Vec::new(),
            text: Vec::new(),
            name: Vec::new(),
        }
    }

    /// Forgets the exchange and keeps the room.
    pub(super) fn clear(&mut self, settings: &Settings) {
        self.store.clear();
        self.surroundings = Surroundings::default();
        self.singles.clear();
        self.fields.clear();
        self.modes = Modes::new(settings);
        self.narrowing.clear();
        self.opened.clear();
        self.matches.clear();
        self.hits.clear();
        self.interruption = None;
        self.would_interrupt = None;
        self.work = Work::default();
        self.is_request_body_cut = false;
        self.is_response_body_cut = false;
    }
}
