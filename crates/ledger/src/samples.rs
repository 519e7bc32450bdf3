//! Events, findings and decisions for tests.

use traffic::{
    Action, Decision, DecisionId, DecisionKind, Detector, Digest, Entity, Event, EventId, Finding,
    Layer, Mode, Origin, Scope, Severity, Timestamp, event::EventSignal,
};

use crate::{Change, Ledger, Options, Writer};

/// 2026-11-23, noon.
pub(crate) const NOON: Timestamp = Timestamp::from_micros(1_795_435_200_000_000);

/// A ledger in a folder that vanishes with it.
pub(crate) struct Scratch {
    pub(crate) ledger: Ledger,
    writer: Option<Writer>,
    pub(crate) folder: tempfile::TempDir,
    options: Options,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        // The samples lie in the past, and the writer looks at the clock of today.
        let options = Options { events_kept: YEARS, rollups_kept: YEARS, ..options };
        let folder = tempfile::tempdir().expect("a folder");
        let (ledger, writer) = Ledger::open(folder.path(), options.clone()).expect("opens");
        Self { ledger, writer: Some(writer), folder, options }
    }

    /// The ledger closed and opened again; `between` may do something to the files.
    pub(crate) fn reopened(self, between: impl FnOnce(&std::path::Path)) -> Self {
        let Self { ledger, writer, folder, options } = self;
        drop(ledger);
        drop(writer);
        between(folder.path());
        let (ledger, writer) = Ledger::open(folder.path(), options.clone()).expect("opens again");
        Self { ledger, writer: Some(writer), folder, options }
    }

    pub(crate) fn close(&mut self) {
        self.writer.take().expect("still open").close();
    }
}

const YEARS: std::time::Duration = std::time::Duration::from_secs(50 * 365 * 86_400);

/// The ID of the `number`th event made at `at`, as the gateway makes them.
pub(crate) const fn id(at: Timestamp, number: u64) -> EventId {
    let millis = (at.as_micros() / 1_000) as u128;
    EventId((millis << 80) | (7 << 76) | (2 << 62) | number as u128)
}

pub(crate) fn event(at: Timestamp, number: u64) -> Event {
    Event {
        id: id(at, number),
        request_id: format!("request-{number}"),
        at,
        site: "shop".to_owned(),
        is_sample: false,
        action: Action::Deny,
        mode: Mode::Enforce,
        risk: 97,
        nats: 11.5,
        layer: Some(Layer::Takeover),
        method: "POST".to_owned(),
        host: "api.example.com".to_owned(),
        path: "/v1/login".to_owned(),
        endpoint: Some("POST api.example.com /v1/login".to_owned()),
        status: 403,
        took_us: 120,
        client: "192.0.2.7".to_owned(),
        entities: vec!["ip:192.0.2.7".to_owned()],
        is_known: false,
        ja4: None,
        user_agent: Some("curl/8.5.0".to_owned()),
        signals: vec![EventSignal {
            detector: "credential-stuffing".to_owned(),
            layer: "takeover".to_owned(),
            entity: "ip:192.0.2.7".to_owned(),
            nats: 11.5,
            reason: "12 accounts tried from here, 12 of them failed".to_owned(),
        }],
        rules: Vec::new(),
        scope: Some("ip:192.0.2.7".to_owned()),
        decision: Some(DecisionId(1)),
        exception: None,
        policy_version: 3,
        notes: Vec::new(),
        count: 1,
    }
}

pub(crate) fn finding(number: u64, entity: &str, first: Timestamp) -> Finding {
    Finding {
        key: Digest(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        detector: Detector::CredentialStuffing,
        severity: Severity::High,
        entity: Entity::Address(entity.parse().expect("an address")),
        endpoint: Some("POST api.example.com /v1/login".to_owned()),
        title: format!("finding {number}"),
        first,
        last: first,
        requests: 10,
        refused: 3,
        succeeded: false,
        victims: Vec::new(),
        action: Action::Deny,
        mode: Mode::Enforce,
        risk: 97,
        event: None,
    }
}

pub(crate) fn decision(number: u64) -> Decision {
    Decision {
        id: DecisionId(number),
        kind: DecisionKind::Block,
        scope: Scope::whole(Entity::Address("192.0.2.7".parse().expect("an address"))),
        origin: Origin::Operator,
        detector: None,
        reason: "because".to_owned(),
        author: "ada".to_owned(),
        since: NOON,
        until: None,
        hits: number,
    }
}

pub(crate) fn put_decision(number: u64) -> Change {
    Change::PutDecision(decision(number))
}
