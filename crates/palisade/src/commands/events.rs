//! `why`, `events` and `tail`: what was decided, and on which facts.

use std::io::IsTerminal as _;

use console::wire::{Event, EventDetail, EventList, EventRule, EventSignal};
use traffic::times;

use super::Desk;
use crate::args::{Events, Filter, Format};
use crate::client::escaped;
use crate::failure::Failure;
use crate::output::{Page, Paint};

/// The full decision behind one id.
pub(crate) fn why(desk: &mut Desk, id: &str) -> Result<(), Failure> {
    let id = id.trim().trim_start_matches("urn:uuid:");
    let detail: EventDetail = desk.client.get(&format!("/events/{}", escaped(id)))?;
    desk.output.document(&detail, |page| explain(page, &detail))?;
    let event = &detail.event;
    if let Some(decision) = &detail.decision {
        desk.output.talk(&format!(
            "end the block:   {}",
            desk.command(&format!("decisions rm {}", decision.id))
        ));
    }
    if !event.signals.is_empty() && event.action != "allow" && event.action != "reject" {
        desk.output.talk(&format!(
            "not an attack?   {}",
            desk.command(&format!("silence {} --dry-run", event.id))
        ));
    }
    Ok(())
}

/// Past events.
pub(crate) fn list(desk: &mut Desk, events: &Events) -> Result<(), Failure> {
    let query = format!(
        "/events?since_s={}&limit={}{}",
        events.since.as_secs(),
        events.limit,
        query(&events.filter)
    );
    let list: EventList = desk.client.get(&query)?;
    desk.output.list(&list, &list.events, |page| {
        if list.events.is_empty() {
            page.line("no events");
            return;
        }
        let rows: Vec<_> = list
            .events
            .iter()
            .map(|event| {
                let paint = paint(event);
                vec![
                    (page.clock().short(&event.at), Paint::Faint),
                    (verdict(event), paint),
                    (event.risk.to_string(), Paint::None),
                    (event.client.clone(), Paint::None),
                    (place(event), Paint::None),
                    (event.status.to_string(), Paint::None),
                    (several(event), Paint::None),
                    (event.id.clone(), Paint::Faint),
                ]
            })
            .collect();
        let heads =
            ["TIME", "VERDICT", ">RISK", "CLIENT", "ENDPOINT", ">STATUS", ">COUNT", "EVENT"];
        page.table(&heads, &rows);
    })
}

/// Follows events as they happen.
pub(crate) fn tail(desk: &mut Desk, filter: &Filter) -> Result<(), Failure> {
    if std::io::stderr().is_terminal() {
        desk.output.talk("following events; Ctrl-C ends it");
    }
    let Desk { client, output, .. } = desk;
    let query = query(filter).replacen('&', "?", 1);
    client.follow(&format!("/events/stream{query}"), |event: Event| {
        if output.format() != Format::Table {
            return output.list(&event, std::slice::from_ref(&event), |_| {});
        }
        output.document(&event, |page| {
            let because = event.signals.first().map_or("", |signal| &signal.reason);
            let line = format!(
                "{}  {:<22} {:>3}  {:<16} {} → {}  {}",
                page.clock().of_day(&event.at),
                verdict(&event),
                event.risk,
                event.client,
                place(&event),
                event.status,
                because
            );
            page.painted(paint(&event), line.trim_end());
        })
    })
}

fn explain(page: &mut Page, detail: &EventDetail) {
    let event = &detail.event;
    page.pair("event", &event.id);
    page.pair("time", &page.clock().full(&event.at));
    page.pair(
        "request",
        &format!("{} {}{}  →  {}", event.method, event.host, event.path, event.status),
    );
    page.pair("request id", &event.request_id);
    if let Some(endpoint) = &event.endpoint {
        page.pair("endpoint", endpoint);
    }
    page.pair("site", &event.site);
    page.pair_painted("verdict", &sentence(event), paint(event));
    page.pair("risk", &format!("{} of 100 ({:+.1} nats in all)", event.risk, event.nats));
    evidence(page, &event.signals);
    rules(page, &event.rules);
    if let Some(scope) = &event.scope {
        page.pair("aimed at", scope);
    }
    match (&detail.decision, &event.decision) {
        (Some(decision), _) => {
            let until = match &decision.until {
                Some(until) => format!("until {}", page.clock().full(until)),
                None => "without end".to_owned(),
            };
            page.pair(
                "decision",
                &format!(
                    "{}: {} {}, by {}, {until}, applied {}",
                    decision.id,
                    decision.kind,
                    decision.scope,
                    decision.author,
                    times(decision.hits)
                ),
            );
            page.pair("", &decision.reason);
        }
        (None, Some(id)) => page.pair("decision", &format!("{id}, which has ended")),
        (None, None) => {}
    }
    match (&detail.exception, &event.exception) {
        (Some(exception), _) => page.pair(
            "exception",
            &format!("{} kept this from being acted on: {}", exception.id, exception.silences),
        ),
        (None, Some(id)) => page.pair("exception", &format!("{id}, which has ended")),
        (None, None) => {}
    }
    caller(page, event);
    page.pair("policy", &format!("version {}", event.policy_version));
    for note in &event.notes {
        page.pair("note", note);
    }
    if event.count > 1 {
        page.pair("count", &format!("stands for {} requests refused alike", event.count));
    }
}

fn caller(page: &mut Page, event: &Event) {
    page.pair("client", &event.client);
    for (at, entity) in event.entities.iter().enumerate() {
        page.pair(if at == 0 { "known as" } else { "" }, entity);
    }
    if let Some(ja4) = &event.ja4 {
        page.pair("ja4", ja4);
    }
    if let Some(user_agent) = &event.user_agent {
        page.pair("user agent", user_agent);
    }
}

fn evidence(page: &mut Page, signals: &[EventSignal]) {
    if signals.is_empty() {
        page.pair("evidence", "none against this caller");
    }
    for (at, signal) in signals.iter().enumerate() {
        let name = if at == 0 { "evidence" } else { "" };
        page.pair(
            name,
            &format!("{:+.1} nats  {} ({})", signal.nats, signal.detector, signal.layer),
        );
        page.pair("", &format!("           {}", signal.reason));
        page.pair_painted("", &format!("           on {}", signal.entity), Paint::Faint);
    }
}

fn rules(page: &mut Page, rules: &[EventRule]) {
    for (at, rule) in rules.iter().enumerate() {
        let severity = rule.severity.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        let name = if at == 0 { "rules" } else { "" };
        page.pair(name, &format!("{}  {}{severity}", rule.id, rule.message));
        page.pair("", &format!("           in {}: {}", rule.field, rule.found));
        if !rule.names.is_empty() {
            page.pair_painted("", &format!("           {}", rule.names.join(", ")), Paint::Faint);
        }
    }
}

fn sentence(event: &Event) -> String {
    let layer = event.layer.as_deref().unwrap_or("no layer");
    match (event.action.as_str(), event.refused, event.exception.is_some()) {
        ("allow", _, true) => "allowed by an exception".to_owned(),
        ("allow", _, _) => "allowed".to_owned(),
        ("reject", _, _) => "rejected as malformed, in every mode".to_owned(),
        (action, true, _) => format!("{action}, carried out (layer {layer})"),
        (action, false, _) => {
            format!("would {action}; layer {layer} is in {} mode, nothing was changed", event.mode)
        }
    }
}

/// The action in two words: what was done, or would have been.
fn verdict(event: &Event) -> String {
    let would = event.action != "allow" && !event.refused;
    let layer = event.layer.as_deref().map(|layer| format!(" {layer}")).unwrap_or_default();
    format!("{}{}{layer}", if would { "would " } else { "" }, event.action)
}

fn paint(event: &Event) -> Paint {
    match event.action.as_str() {
        "allow" => Paint::Good,
        _ if event.refused => Paint::Bad,
        _ => Paint::Warn,
    }
}

fn place(event: &Event) -> String {
    match &event.endpoint {
        Some(endpoint) => endpoint.clone(),
        None => format!("{} {} {}", event.method, event.host, event.path),
    }
}

fn several(event: &Event) -> String {
    format!("×{}", event.count)
}

/// The filter as a query, each part with its `&`.
fn query(filter: &Filter) -> String {
    let mut query = String::new();
    let texts = [
        ("action", &filter.action),
        ("layer", &filter.layer),
        ("client", &filter.client),
        ("endpoint", &filter.endpoint),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            query.push_str(&format!("&{name}={}", escaped(value)));
        }
    }
    let flags = [("refused", filter.refused), ("known", filter.known), ("samples", filter.samples)];
    for (name, is_set) in flags {
        if is_set {
            query.push_str(&format!("&{name}=true"));
        }
    }
    query
}
