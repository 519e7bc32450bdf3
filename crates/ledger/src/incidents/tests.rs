//! Tests of findings and incidents: what belongs together, what does not, and what adds up.

use rusqlite::Connection;
use traffic::{Action, Entity};

use super::*;
use crate::samples::{NOON, finding};

const MINUTE: Duration = Duration::from_secs(60);

fn tables() -> Connection {
    let connection = Connection::open_in_memory().expect("opens");
    connection.execute_batch(SCHEMA).expect("tables");
    connection
}

fn incidents(connection: &Connection) -> Vec<Incident> {
    list(connection, IncidentFilter::default()).expect("an answer")
}

/// How many incidents these findings become.
fn campaigns(findings: &[Finding]) -> usize {
    let connection = tables();
    for finding in findings {
        put(&connection, finding).expect("stored");
    }
    incidents(&connection).len()
}

fn later(finding: Finding, minutes: u32) -> Finding {
    Finding {
        first: finding.first.after(MINUTE * minutes),
        last: finding.last.after(MINUTE * minutes),
        ..finding
    }
}

fn nowhere(finding: Finding) -> Finding {
    Finding { endpoint: None, ..finding }
}

#[test]
fn one_campaign_is_one_incident() {
    let one = finding(1, "192.0.2.1", NOON);
    let elsewhere = Finding { endpoint: Some("GET shop /x".to_owned()), ..one.clone() };
    let same_entity = Finding { key: Digest(2), ..elsewhere };
    let other_entity = finding(3, "198.51.100.3", NOON);
    let forgotten = |number: u64, entity: &str| {
        let found = finding(number, entity, NOON);
        Finding { detector: Detector::ForgottenEndpoint, ..found }
    };
    let (found, again) = (forgotten(4, "192.0.2.1"), forgotten(5, "198.51.100.3"));
    let cases: [(&str, &[Finding], usize); 9] = [
        ("an attack, and what its caller found of the API", &[one.clone(), found.clone()], 2),
        ("found before, and by somebody else, too", &[found, again, one.clone()], 2),
        ("one", std::slice::from_ref(&one), 1),
        ("the same again", &[one.clone(), later(one.clone(), 5)], 1),
        ("one entity, two endpoints", &[one.clone(), same_entity.clone()], 1),
        ("two entities, one endpoint", &[one.clone(), other_entity.clone()], 1),
        ("more than an hour later", &[one.clone(), later(same_entity, 61)], 2),
        ("just within the hour", &[one.clone(), later(other_entity.clone(), 59)], 1),
        ("two scanners of no endpoint", &[nowhere(one.clone()), nowhere(other_entity)], 2),
    ];
    for (what, findings, expected) in cases {
        assert_eq!(campaigns(findings), expected, "{what}");
    }
}

#[test]
fn a_finding_that_counts_anew_after_a_restart_loses_nothing() {
    let connection = tables();
    let before = Finding {
        requests: 4_000,
        severity: Severity::Critical,
        succeeded: true,
        victims: (0..40).map(Digest).collect(),
        event: Some("the telling one".to_owned()),
        ..finding(1, "192.0.2.1", NOON)
    };
    put(&connection, &before).expect("stored");
    let after = Finding {
        requests: 3,
        severity: Severity::Low,
        action: Action::Throttle,
        victims: vec![Digest(7), Digest(99)],
        ..later(finding(1, "192.0.2.1", NOON), 10)
    };
    put(&connection, &after).expect("stored");
    let incident = incidents(&connection).remove(0);
    assert_eq!((incident.finding_count, incident.requests), (1, 4_000));
    assert!(incident.succeeded);
    let kept = &incident.findings[0];
    assert_eq!((kept.severity, kept.action), (Severity::Critical, Action::Deny));
    assert_eq!((kept.first, kept.last), (NOON, NOON.after(MINUTE * 10)));
    assert_eq!(kept.event.as_deref(), Some("the telling one"));
    assert_eq!(kept.victims.len(), VICTIMS_MAX);
}

#[test]
fn a_closed_incident_stays_closed_and_the_next_finding_opens_another() {
    let connection = tables();
    let one = finding(1, "192.0.2.1", NOON);
    put(&connection, &one).expect("stored");
    let id = incidents(&connection)[0].id;
    set_state(&connection, id, IncidentState::Closed).expect("asked").expect("closed");
    put(&connection, &later(one, 5)).expect("stored");
    assert_eq!(incidents(&connection).len(), 1);
    assert_eq!(incidents(&connection)[0].state, IncidentState::Closed);
    put(&connection, &finding(2, "192.0.2.1", NOON.after(MINUTE))).expect("stored");
    let open = IncidentFilter { state: Some(IncidentState::Open), ..IncidentFilter::default() };
    let open = list(&connection, open).expect("an answer");
    assert_eq!(open.len(), 1);
    assert_ne!(open[0].id, id);
    let missing = IncidentId(77);
    let refused = set_state(&connection, missing, IncidentState::Open).expect("asked");
    assert_eq!(refused.expect_err("no such").to_string(), "there is no incident i-77");
}

#[test]
fn notes_are_kept_in_order() {
    let connection = tables();
    put(&connection, &finding(1, "192.0.2.1", NOON)).expect("stored");
    let id = incidents(&connection)[0].id;
    for text in ["first", "second"] {
        let note = IncidentNote { at: NOON, author: "ada".to_owned(), note: text.to_owned() };
        add_note(&connection, id, &note).expect("asked").expect("added");
    }
    let shown = show(&connection, id).expect("an answer").expect("there");
    let notes: Vec<&str> = shown.notes.iter().map(|note| note.note.as_str()).collect();
    assert_eq!(notes, ["first", "second"]);
    assert_eq!(id.to_string().parse::<IncidentId>().expect("an id"), id);
    assert_eq!(show(&connection, IncidentId(9)).expect("an answer"), None);
}

#[test]
fn an_attack_from_ten_thousand_addresses_is_one_incident_and_costs_little() {
    let connection = tables();
    let begun = std::time::Instant::now();
    let transaction = connection.unchecked_transaction().expect("begins");
    for number in 0..10_000_u64 {
        let [_, _, high, low] = (number as u32).to_be_bytes();
        let entity = Entity::Address([198, 18, high, low].into());
        put(&transaction, &Finding { entity, ..finding(number, "192.0.2.1", NOON) })
            .expect("stored");
    }
    transaction.commit().expect("committed");
    let incidents = incidents(&connection);
    assert_eq!((incidents.len(), incidents[0].finding_count), (1, 10_000));
    let shown = show(&connection, incidents[0].id).expect("an answer").expect("there");
    assert_eq!((shown.findings.len(), shown.requests), (SHOWN_FINDINGS_MAX, 100_000));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn old_findings_go_with_their_incidents() {
    let connection = tables();
    put(&connection, &finding(1, "192.0.2.1", NOON)).expect("stored");
    put(&connection, &nowhere(finding(2, "192.0.2.9", NOON.after(MINUTE * 600)))).expect("stored");
    trim(&connection, NOON.after(MINUTE * 300)).expect("trimmed");
    let left = incidents(&connection);
    assert_eq!(
        left.iter().map(|incident| incident.title.as_str()).collect::<Vec<_>>(),
        ["finding 2"]
    );
}
