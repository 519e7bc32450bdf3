//! What is exported is what OCSF says it is: against the published schema, with a validator of
//! others.
//!
//! The schema and the validator are Python packages, which `make test-data` puts into the folder
//! `PALISADE_PYTHON`. Plain `cargo test` leaves this out.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use alerts::{Alert, Evidence, Item, News, ocsf};
use traffic::event::{EventRule, EventSignal};
use traffic::{Action, Detector, Event, EventId, Layer, Mode, Severity, Timestamp};

const AT: Timestamp = Timestamp::from_micros(1_795_000_000_123_456);
const MODES: [Mode; 3] = [Mode::Off, Mode::Monitor, Mode::Enforce];
const SEVERITIES: [Severity; 5] =
    [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
const ENTITIES: [&str; 8] = [
    "ip:203.0.113.9",
    "ip:2001:db8::9",
    "net:203.0.113.0/24",
    "ja4:t13d1516h2_8daaf6152771_02713d6af862",
    "device:0c0ffee0",
    "account:6a1f0c0e4b11",
    "principal:6a1f0c0e4b11",
    "session:6a1f0c0e4b11",
];

fn alert(number: usize) -> Alert {
    let pick = |count: usize| number % count;
    let news = [News::Opened, News::Graver, News::Succeeded, News::Continues, News::Test];
    let evidence = Detector::ALL.iter().zip(ENTITIES.iter().cycle().skip(number));
    Alert {
        uid: format!("00c0ffee-i-{number}-1"),
        news: news[pick(5)],
        at: AT,
        machine: "edge-1".to_owned(),
        incident: format!("i-{number}"),
        incident_uid: format!("00c0ffee-i-{number}"),
        title: "Decoy touched from ip:203.0.113.9: \"größe\" \\ \u{1f6e1}".repeat(number),
        severity: SEVERITIES[pick(5)],
        first: AT,
        last: AT,
        findings: 2,
        requests: number as u64,
        refused: 1,
        succeeded: number % 2 == 0,
        action: Action::ALL[pick(6)],
        mode: MODES[pick(3)],
        risk: u8::try_from(number % 101).expect("a risk"),
        evidence: evidence
            .take(number)
            .map(|(detector, entity)| Evidence {
                detector: detector.to_string(),
                owasp: detector.owasp().to_owned(),
                title: "a title".to_owned(),
                entity: (*entity).to_owned(),
                endpoint: (number % 2 == 0).then(|| "GET shop.test /orders/{id}".to_owned()),
                requests: 3,
                victims: 1,
                event: None,
            })
            .collect(),
    }
}

fn event(number: usize) -> Event {
    let methods = ["GET", "POST", "PURGE", "delete", "", "CONNECT", "PATCH", "HEAD", "TRACE"];
    let detector = Detector::ALL[number % Detector::ALL.len()];
    let has = |every: usize| number % every == 0;
    Event {
        id: EventId(number as u128),
        request_id: "r-1".to_owned(),
        at: AT,
        site: if has(3) { String::new() } else { "shop".to_owned() },
        is_sample: false,
        action: Action::ALL[number % 6],
        mode: MODES[number % 3],
        risk: u8::try_from(number % 101).expect("a risk"),
        nats: 6.5,
        layer: has(2).then_some(Layer::Rules),
        method: methods[number % methods.len()].to_owned(),
        host: if has(4) { String::new() } else { "shop.test".to_owned() },
        path: if has(5) { String::new() } else { "/größe/\u{1f6e1}".repeat(number) },
        endpoint: has(2).then(|| "GET shop.test /orders/{id}".to_owned()),
        status: [200, 403, 429, 502][number % 4],
        took_us: 1_234,
        client: if has(2) { "203.0.113.9" } else { "2001:db8::9" }.to_owned(),
        entities: ENTITIES.map(str::to_owned).to_vec(),
        is_known: false,
        ja4: has(2).then(|| "t13d1516h2_8daaf6152771_02713d6af862".to_owned()),
        user_agent: has(3).then(|| "curl/8".to_owned()),
        signals: vec![EventSignal {
            detector: detector.to_string(),
            layer: detector.layer().to_string(),
            entity: "ip:203.0.113.9".to_owned(),
            nats: 6.5,
            reason: "a reason".to_owned(),
        }],
        rules: if has(2) { Vec::new() } else { vec![rule()] },
        scope: None,
        decision: None,
        exception: None,
        policy_version: 3,
        notes: Vec::new(),
        count: u32::try_from(number).expect("a count"),
    }
}

fn rule() -> EventRule {
    EventRule {
        id: 942_100,
        message: "SQL injection".to_owned(),
        field: "ARGS:q".to_owned(),
        found: "1' or 1=1".to_owned(),
        severity: Some("CRITICAL".to_owned()),
        names: Vec::new(),
        quotes: None,
    }
}

/// What the validator says of these events, one a line.
fn validated(events: &[String]) -> (bool, String) {
    let folder = std::env::var("PALISADE_PYTHON")
        .expect("PALISADE_PYTHON names the folder with the Python packages; see `make test-data`");
    let mut child = Command::new(Path::new(&folder).join("bin/python3"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ocsf.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("the validator starts");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(events.join("\n").as_bytes()).expect("written");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn events_are_what_the_schema_says() {
    let alerts = (0..30).map(|number| Item::Alert(Box::new(alert(number))));
    let events = (0..60).map(|number| Item::Event(Box::new(event(number))));
    let all: Vec<String> =
        alerts.chain(events).map(|item| ocsf::event(&item).to_string()).collect();
    let (is_valid, said) = validated(&all);
    assert!(is_valid, "{said}");
    assert_eq!(said.trim(), "90 events are valid");
}

#[test]
fn the_validator_finds_what_is_wrong() {
    let valid = ocsf::event(&Item::Alert(Box::new(alert(4))));
    for (field, value) in [
        ("severity_id", serde_json::json!("high")),
        ("activity_id", serde_json::json!(77)),
        ("not_a_field", serde_json::json!(1)),
        ("time", serde_json::json!("now")),
        ("finding_info", serde_json::json!({ "title": "without a uid" })),
    ] {
        let mut wrong = valid.clone();
        wrong[field] = value;
        let (is_valid, said) = validated(&[wrong.to_string()]);
        assert!(!is_valid, "{field}: {said}");
    }
}
