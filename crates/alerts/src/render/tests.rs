//! What is sent, as it is sent, and what becomes of texts that callers chose.

use expect_test::expect;
use traffic::{Action, Mode, Severity};

use super::*;
use crate::alert::{Evidence, News};

/// What a caller can bring into a title or the name of an endpoint, at its worst.
const HOSTILE: &str =
    "<!channel> <https://evil.test|your bank> & \"]\\ \u{1b}[31m\u{202e}\r\n<13>1";

fn alert() -> Alert {
    let at = |second: u64| Timestamp::from_micros((1_795_000_000 + second) * 1_000_000);
    Alert {
        uid: "00c0ffee-i-12-1".to_owned(),
        news: News::Opened,
        at: at(60),
        machine: "edge-1".to_owned(),
        incident: "i-12".to_owned(),
        incident_uid: "00c0ffee-i-12".to_owned(),
        title: "Decoy touched from ip:203.0.113.9: a file that no page links to".to_owned(),
        severity: Severity::High,
        first: at(0),
        last: at(59),
        findings: 2,
        requests: 9,
        refused: 8,
        succeeded: false,
        action: Action::Deny,
        mode: Mode::Enforce,
        risk: 99,
        evidence: vec![Evidence {
            detector: "decoy".to_owned(),
            owasp: "API9:2023 OAT-014".to_owned(),
            title: "Decoy touched".to_owned(),
            entity: "ip:203.0.113.9".to_owned(),
            endpoint: None,
            requests: 9,
            victims: 0,
            event: Some("0193594e-2b7e-7c3a-9d55-6a1f0c0e4b11".to_owned()),
        }],
    }
}

fn hostile() -> Alert {
    let mut alert = alert();
    alert.title = HOSTILE.to_owned();
    alert.evidence[0].endpoint = Some(format!("GET shop.test /{HOSTILE}"));
    alert.evidence[0].entity = HOSTILE.to_owned();
    alert
}

fn sender() -> Sender {
    Sender { machine: "edge 1".to_owned(), process: 77 }
}

fn http(kind: SinkKind, alert: Alert) -> String {
    let message = over_http(kind, &Item::Alert(Box::new(alert))).expect("a message");
    let value: serde_json::Value = serde_json::from_slice(&message.bytes).expect("JSON");
    serde_json::to_string_pretty(&value).expect("text")
}

fn syslog(kind: SinkKind, alert: Alert) -> String {
    let message = over_syslog(kind, &Item::Alert(Box::new(alert)), &sender()).expect("a message");
    String::from_utf8(message.bytes).expect("UTF-8")
}

#[test]
fn a_webhook_gets_all_there_is_to_say() {
    expect![[r#"
        {
          "at": "2026-11-18T11:07:40.000000Z",
          "incident": {
            "action": "deny",
            "evidence": [
              {
                "detector": "decoy",
                "endpoint": null,
                "entity": "ip:203.0.113.9",
                "event": "0193594e-2b7e-7c3a-9d55-6a1f0c0e4b11",
                "owasp": "API9:2023 OAT-014",
                "requests": 9,
                "title": "Decoy touched",
                "victims": 0
              }
            ],
            "findings": 2,
            "first": "2026-11-18T11:06:40.000000Z",
            "id": "i-12",
            "last": "2026-11-18T11:07:39.000000Z",
            "mode": "enforce",
            "refused": 8,
            "requests": 9,
            "risk": 99,
            "severity": "high",
            "succeeded": false,
            "title": "Decoy touched from ip:203.0.113.9: a file that no page links to",
            "uid": "00c0ffee-i-12"
          },
          "machine": "edge-1",
          "news": "opened",
          "next": "palisade incidents show i-12",
          "schema": "palisade.v1.alert",
          "uid": "00c0ffee-i-12-1"
        }"#]]
    .assert_eq(&http(SinkKind::Json, alert()));
}

#[test]
fn slack_gets_plain_text() {
    expect![[r#"
        {
          "blocks": [
            {
              "text": {
                "emoji": false,
                "text": "An attack has begun: Decoy touched from ip:203.0.113.9: a file that no page links to",
                "type": "plain_text"
              },
              "type": "section"
            },
            {
              "fields": [
                {
                  "emoji": false,
                  "text": "Severity: high",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "Requests: 9, 8 refused",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "Since: 2026-11-18T11:06:40Z",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "Mode: enforce",
                  "type": "plain_text"
                },
                {
                  "emoji": false,
                  "text": "By: ip:203.0.113.9",
                  "type": "plain_text"
                }
              ],
              "type": "section"
            },
            {
              "elements": [
                {
                  "emoji": false,
                  "text": "edge-1  palisade incidents show i-12",
                  "type": "plain_text"
                }
              ],
              "type": "context"
            }
          ],
          "text": "An attack has begun: Decoy touched from ip:203.0.113.9: a file that no page links to",
          "unfurl_links": false,
          "unfurl_media": false
        }"#]].assert_eq(&http(SinkKind::Slack, alert()));
}

#[test]
fn nothing_that_a_caller_chose_acts_in_slack() {
    let text = http(SinkKind::Slack, hostile());
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let shown = value["text"].as_str().expect("a text");
    assert!(!shown.contains(['<', '>']) && shown.contains("&lt;!channel&gt;"), "{shown}");
    assert!(!text.contains("mrkdwn"), "{text}");
    assert!(!text.contains('\u{202e}') && !text.contains("\\u001b"), "{text}");
    assert_eq!((&value["unfurl_links"], &value["unfurl_media"]), (&false.into(), &false.into()));
}

#[test]
fn slack_takes_what_is_long() {
    let mut long = alert();
    long.title = "é".repeat(100_000);
    long.evidence[0].endpoint = Some("x".repeat(100_000));
    assert!(http(SinkKind::Slack, long).chars().count() < 8_000);
}

#[test]
fn a_line_of_syslog_has_its_length_before_it() {
    let line = syslog(SinkKind::Syslog, alert());
    let (length, rest) = line.split_once(' ').expect("a length");
    assert_eq!(length.parse(), Ok(rest.len()));
    let (data, words) = rest.split_once('\u{feff}').expect("the mark before UTF-8");
    expect![[r#"<83>1 2026-11-18T11:07:40.000000Z edge1 palisade 77 alert [palisade@32473 uid="00c0ffee-i-12-1" news="opened" incident="i-12" severity="high" detector="decoy" entity="ip:203.0.113.9" requests="9" refused="8" succeeded="false" mode="enforce"] An attack has begun: Decoy touched from ip:203.0.113.9: a file that no page links to (palisade incidents show i-12)"#]]
    .assert_eq(&format!("{data}{words}"));
}

#[test]
fn a_caller_makes_no_line_and_no_parameter_of_its_own() {
    let line = syslog(SinkKind::Syslog, hostile());
    assert!(!line.contains(['\r', '\n', '\u{1b}', '\u{202e}']), "{line}");
    // Between unescaped quotes there are as many values as were put there.
    let data = line.split_once("[palisade@32473").expect("data").1;
    let mut quotes = 0;
    let mut escaped = false;
    for c in data.chars() {
        match c {
            ']' if !escaped && quotes % 2 == 0 => break,
            '"' if !escaped => quotes += 1,
            ']' if !escaped => panic!("a bracket within a value: {line}"),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    assert_eq!(quotes, 22, "{line}");
}

#[test]
fn an_event_of_ocsf_is_the_message_of_a_line() {
    let line = syslog(SinkKind::Ocsf, alert());
    let head = line.split_once('{').expect("JSON").0;
    assert!(head.ends_with("Z edge1 palisade 77 detection_finding - "), "{head}");
    let json: serde_json::Value =
        serde_json::from_str(line.get(head.len()..).expect("JSON")).expect("JSON");
    assert_eq!(json["class_uid"], 2004);
    assert!(line.len() < 8_192, "{}", line.len());
}

#[test]
fn each_sink_gets_what_it_understands() {
    let item = Item::Alert(Box::new(alert()));
    assert_eq!(over_http(SinkKind::Syslog, &item), None);
    assert_eq!(over_syslog(SinkKind::Slack, &item, &sender()), None);
}
