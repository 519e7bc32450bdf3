//! `rules why`: what rules would make of a request, without sending it anywhere.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::judge::{Judge, Request};
use crate::args::rules::Why;
use crate::args::{Format, Global};
use crate::failure::Failure;
use crate::output::{Output, Paint};
use crate::run::instance::now;

#[derive(Serialize)]
struct Explained {
    schema: &'static str,
    verdict: String,
    risk: u8,
    rules: Vec<console::wire::EventRule>,
}

/// Lets the rules look at a request of a caller that nobody knows.
pub(super) fn why(global: &Global, why: &Why) -> Result<(), Failure> {
    let judge = Judge::new(global, &why.of)?;
    let client = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let pass = judge.decide(&typed(why)?, client, now());
    let verdict = pass.verdict().cloned().unwrap_or_default();
    let rules = pass.found().map(|rule| console::wire::EventRule::from(&rule)).collect();
    let explained = Explained {
        schema: "palisade.v1.rules-why",
        verdict: verdict.action.to_string(),
        risk: verdict.risk,
        rules,
    };
    Output::open(global, Format::Table)?.document(&explained, |page| {
        for rule in &explained.rules {
            page.painted(Paint::Bold, &format!("{}  {}", rule.id, rule.message));
            page.line(&format!("    in {}: {}", rule.field, rule.found));
            page.painted(Paint::Faint, &format!("    {}", rule.names.join(", ")));
        }
        if explained.rules.is_empty() {
            page.line("no rule matches");
        }
        let paint = if verdict.action.refuses() { Paint::Bad } else { Paint::Good };
        let word = if verdict.action.refuses() { "refused" } else { "let pass" };
        page.painted(
            paint,
            &format!("where rules enforce, a stranger's request is {word} (risk {})", verdict.risk),
        );
    })
}

/// The request as it was typed.
fn typed(why: &Why) -> Result<Request, Failure> {
    let wrong = |what: &str| Failure::Usage(format!("{what}: write \"GET /path?query\""));
    let (method, target) = why.request.trim().split_once(' ').ok_or_else(|| wrong("no method"))?;
    let method = method.parse().map_err(|_| wrong("no method"))?;
    let mut headers = HeaderMap::new();
    for header in &why.headers {
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        let name: HeaderName = name
            .trim()
            .parse()
            .map_err(|_| Failure::Usage(format!("{header:?} is no header: write 'Name: value'")))?;
        let value = HeaderValue::from_str(value.trim())
            .map_err(|_| Failure::Usage(format!("{header:?} has a value that none may have")))?;
        headers.append(name, value);
    }
    let body = why.body.as_ref().map(|body| body.as_bytes().to_vec());
    let target = encoded(target.trim());
    Ok(Request { method, target, headers, body }.dressed())
}

/// A target as browsers send it: blanks and control bytes cannot stand in a request line.
fn encoded(target: &str) -> String {
    let mut sent = String::with_capacity(target.len());
    for character in target.chars() {
        match u8::try_from(character) {
            Ok(byte) if byte <= b' ' || byte == 0x7f => sent.push_str(&format!("%{byte:02X}")),
            _ => sent.push(character),
        }
    }
    sent
}
