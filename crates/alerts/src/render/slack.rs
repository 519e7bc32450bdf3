//! A message of Slack.
//!
//! Everything stands in `plain_text`, where Slack reads no mark-up, no mentions and no links. The
//! notification's text has no such form: its three special characters are escaped, which is what
//! keeps `<!channel>` and `<https://…|bank>` from being more than text.

use serde_json::{Value, json};
use traffic::{Severity, plain};

use super::{next_step, time};
use crate::alert::{Alert, News, cut};

/// What Slack takes in a text of a section, less some room.
const TEXT_CHARS_MAX: usize = 2_000;
const FIELD_CHARS_MAX: usize = 400;

pub(super) fn message(alert: &Alert) -> Value {
    let headline = format!("{}: {}", alert.news.sentence(), alert.title);
    let mut blocks = vec![json!({ "type": "section", "text": text(&headline, TEXT_CHARS_MAX) })];
    if alert.news != News::Test {
        let fields: Vec<Value> =
            facts(alert).iter().map(|fact| text(fact, FIELD_CHARS_MAX)).collect();
        blocks.push(json!({ "type": "section", "fields": fields }));
        let next = format!("{}  {}", alert.machine, next_step(alert));
        blocks.push(json!({ "type": "context", "elements": [text(&next, FIELD_CHARS_MAX)] }));
    }
    json!({
        "text": escaped(&cut(&plain(&headline), TEXT_CHARS_MAX)),
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": blocks,
    })
}

/// At most ten: more fields Slack does not take.
fn facts(alert: &Alert) -> Vec<String> {
    let done = match (alert.requests, alert.refused) {
        (_, 0) => "none refused".to_owned(),
        (requests, refused) if requests == refused => "all refused".to_owned(),
        (_, refused) => format!("{refused} refused"),
    };
    let mut facts = vec![
        format!("Severity: {}", alert.severity),
        format!("Requests: {}, {done}", alert.requests),
        format!("Since: {:.19}Z", time(alert.first)),
        format!("Mode: {}", alert.mode),
    ];
    if alert.succeeded {
        facts.push("An attempt succeeded".to_owned());
    }
    if let Some(endpoint) = alert.evidence.iter().find_map(|it| it.endpoint.as_ref()) {
        facts.push(format!("On: {endpoint}"));
    }
    if alert.severity >= Severity::Low {
        facts.extend(alert.evidence.first().map(|it| format!("By: {}", it.entity)));
    }
    facts
}

fn text(words: &str, max: usize) -> Value {
    json!({ "type": "plain_text", "text": cut(&plain(words), max), "emoji": false })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
