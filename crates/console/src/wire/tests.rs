//! The documents as scripts know them. A test that fails here means that a script would break:
//! fields may be added, nothing else.

use serde_json::json;
use traffic::event::EventSignal;
use traffic::{
    Action, DecisionId, DecisionKind, Detector, Entity, EventId, ExceptionId, Layer, Mode, Origin,
    Role, Scope, Timestamp,
};

use super::{Decision, DecisionList, Event, EventList, Exception, Problem};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros((1_795_000_000 + seconds) * 1_000_000)
}

fn event() -> traffic::Event {
    traffic::Event {
        id: EventId(0x0193_594e_2b7e_7c3a_9d55_6a1f_0c0e_4b11),
        request_id: "r-1".to_owned(),
        at: at(0),
        site: "shop".to_owned(),
        is_sample: false,
        action: Action::Challenge,
        mode: Mode::Monitor,
        risk: 97,
        nats: 6.5,
        layer: Some(Layer::Takeover),
        method: "POST".to_owned(),
        host: "shop.test".to_owned(),
        path: "/login".to_owned(),
        endpoint: Some("POST shop.test /login".to_owned()),
        status: 401,
        took_us: 1_200,
        client: "203.0.113.7".to_owned(),
        entities: vec!["ip:203.0.113.7".to_owned()],
        is_known: false,
        ja4: None,
        user_agent: None,
        signals: vec![EventSignal {
            detector: "credential-stuffing".to_owned(),
            layer: "takeover".to_owned(),
            entity: "ip:203.0.113.7".to_owned(),
            nats: 6.5,
            reason: "14 accounts".to_owned(),
        }],
        rules: Vec::new(),
        scope: None,
        decision: Some(DecisionId(3)),
        exception: None,
        policy_version: 2,
        notes: Vec::new(),
        count: 1,
    }
}

#[test]
fn an_event_keeps_its_fields() {
    let list = EventList::of([Event::from(&event())]);
    let expected = json!({
        "schema": "palisade.v1.events",
        "events": [{
            "id": "0193594e-2b7e-7c3a-9d55-6a1f0c0e4b11",
            "request_id": "r-1",
            "at": "2026-11-18T11:06:40.000000Z",
            "site": "shop",
            "sample": false,
            "action": "challenge",
            "mode": "monitor",
            "refused": false,
            "risk": 97,
            "nats": 6.5,
            "layer": "takeover",
            "method": "POST",
            "host": "shop.test",
            "path": "/login",
            "endpoint": "POST shop.test /login",
            "status": 401,
            "took_us": 1_200,
            "client": "203.0.113.7",
            "entities": ["ip:203.0.113.7"],
            "known": false,
            "ja4": null,
            "user_agent": null,
            "signals": [{
                "detector": "credential-stuffing",
                "layer": "takeover",
                "entity": "ip:203.0.113.7",
                "nats": 6.5,
                "reason": "14 accounts",
            }],
            "scope": null,
            "decision": "d-3",
            "exception": null,
            "policy_version": 2,
            "notes": [],
            "count": 1,
        }],
    });
    assert_eq!(serde_json::to_value(&list).expect("json"), expected);
}

#[test]
fn only_what_was_carried_out_counts_as_refused() {
    let refused = |action, mode| Event::from(&traffic::Event { action, mode, ..event() }).refused;
    assert!(refused(Action::Deny, Mode::Enforce));
    assert!(!refused(Action::Deny, Mode::Monitor));
    assert!(refused(Action::Reject, Mode::Monitor), "malformed requests are refused in every mode");
    assert!(!refused(Action::Allow, Mode::Enforce));
}

#[test]
fn a_decision_keeps_its_fields() {
    let entity = Entity::address("203.0.113.7".parse().expect("an address"));
    let scope = Scope { role: Some(Role::Login), spares_known: true, ..Scope::whole(entity) };
    let decision = traffic::Decision {
        id: DecisionId(3),
        kind: DecisionKind::Block,
        scope,
        origin: Origin::Detector,
        detector: Some(Detector::CredentialStuffing),
        reason: "14 accounts".to_owned(),
        author: "palisade".to_owned(),
        since: at(0),
        until: Some(at(600)),
        hits: 9,
    };
    let older = traffic::Decision { id: DecisionId(2), until: None, ..decision.clone() };
    let list = DecisionList::of([&older, &decision]);
    assert_eq!(list.decisions.get(1).map(|one| one.until.clone()), Some(None));
    let expected = json!({
        "id": "d-3",
        "kind": "block",
        "entity": "ip:203.0.113.7",
        "scope": "ip:203.0.113.7 on login endpoints, known callers spared",
        "origin": "detector",
        "detector": "credential-stuffing",
        "reason": "14 accounts",
        "author": "palisade",
        "since": "2026-11-18T11:06:40.000000Z",
        "until": "2026-11-18T11:16:40.000000Z",
        "hits": 9,
    });
    assert_eq!(serde_json::to_value(Decision::from(&decision)).expect("json"), expected);
}

#[test]
fn an_exception_says_what_it_silences() {
    let exception = traffic::Exception {
        id: ExceptionId(1),
        detector: Some(Detector::ForcedBrowsing),
        layer: Layer::Recon,
        rules: Vec::new(),
        endpoint: None,
        entity: Some(Entity::address("203.0.113.7".parse().expect("an address"))),
        reason: String::new(),
        author: "ana".to_owned(),
        evidence: None,
        since: at(0),
        until: None,
        hits: 0,
        last_hit: None,
    };
    let silences = |exception: &traffic::Exception| Exception::from(exception).silences;
    assert_eq!(silences(&exception), "forced-browsing on every endpoint for ip:203.0.113.7");
    let wide = traffic::Exception { detector: None, entity: None, ..exception };
    assert_eq!(silences(&wide), "everything of layer recon on every endpoint for every caller");
}

#[test]
fn a_problem_without_details_has_none() {
    let problem = Problem { status: 404, title: "gone".to_owned(), details: Vec::new() };
    let text = serde_json::to_string(&problem).expect("json");
    assert_eq!(text, r#"{"status":404,"title":"gone"}"#);
    assert_eq!(serde_json::from_str::<Problem>(&text).expect("a problem"), problem);
}
