//! Rows as version 1 of the format wrote them. They must read for ever: whoever changes the
//! vocabulary gives new fields a default, or adds a step to the format that rewrites old rows.

use serde::de::DeserializeOwned;
use traffic::{Entity, Exception, ExceptionId, Finding, Layer, Net, Role, Scope};

use crate::samples::{NOON, decision, event, finding};

const EVENT: &str = r#"{"id":2170547970725484569483871484913909761,"request_id":"request-1",
"at":1795435200000000,"site":"shop","is_sample":false,"action":"deny","mode":"enforce","risk":97,
"nats":11.5,"layer":"takeover","method":"POST","host":"api.example.com","path":"/v1/login",
"endpoint":"POST api.example.com /v1/login","status":403,"took_us":120,"client":"192.0.2.7",
"entities":["ip:192.0.2.7"],"ja4":null,"user_agent":"curl/8.5.0","signals":[{
"detector":"credential-stuffing","layer":"takeover","entity":"ip:192.0.2.7","nats":11.5,
"reason":"12 accounts tried from here, 12 of them failed"}],"scope":"ip:192.0.2.7","decision":1,
"exception":null,"policy_version":3,"notes":[],"count":1}"#;

const FINDING: &str = r#"{"key":11400714819323198485,"detector":"credential-stuffing",
"severity":"high","entity":{"Address":"192.0.2.1"},"endpoint":"POST api.example.com /v1/login",
"title":"finding 1","first":1795435200000000,"last":1795435200000000,"requests":10,"refused":3,
"succeeded":false,"victims":[],"action":"deny","mode":"enforce","risk":97,"event":null}"#;

const DECISION: &str = r#"{"id":1,"kind":"block","scope":{"entity":{"Address":"192.0.2.7"},
"role":null,"device":null,"spares_known":false},"origin":"operator","detector":null,
"reason":"because","author":"ada","since":1795435200000000,"until":null,"hits":1}"#;

const SCOPE: &str = r#"{"entity":{"Net":{"base":"192.0.2.0","prefix":24}},"role":"login",
"device":null,"spares_known":true}"#;

const EXCEPTION: &str = r#"{"id":2,"detector":"forced-browsing","layer":"recon","endpoint":null,
"entity":{"Account":7},"reason":"our scanner","author":"ada","evidence":null,
"since":1795435200000000,"until":1795435200000001,"hits":3,"last_hit":null}"#;

fn read<T: DeserializeOwned>(row: &str) -> T {
    serde_json::from_str(row).expect("reads as what it was")
}

#[test]
fn rows_of_version_1_read_for_ever() {
    assert_eq!(read::<traffic::Event>(EVENT), event(NOON, 1));
    assert_eq!(read::<Finding>(FINDING), finding(1, "192.0.2.1", NOON));
    assert_eq!(read::<traffic::Decision>(DECISION), decision(1));
    let scope: Scope = read(SCOPE);
    assert_eq!(scope.entity, Entity::Net("192.0.2.0/24".parse::<Net>().expect("a block")));
    assert_eq!(scope.role, Some(Role::Login));
    let exception: Exception = read(EXCEPTION);
    assert_eq!((exception.id, exception.layer), (ExceptionId(2), Layer::Recon));
    assert_eq!(exception.entity, Some(Entity::Account(traffic::Digest(7))));
}
