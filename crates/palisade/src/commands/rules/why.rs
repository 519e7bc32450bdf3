//! `rules why`: what rules would make of a request, without sending it anywhere.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;
use shield::{Budget, Engine, Patience, Settings};
use traffic::{EventId, HashKey, Head, Mode, Peer};

use super::configuration;
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

/// A request as it was typed.
struct Typed {
    method: Method,
    target: String,
    headers: HeaderMap,
}

/// Lets the rules look at a request of a caller that nobody knows.
pub(super) fn why(global: &Global, why: &Why) -> Result<(), Failure> {
    let mut configuration = configuration(global, &why.of);
    configuration.flags.mode = Some(Mode::Enforce);
    let policy = configuration.compile().map_err(Failure::Configuration)?.policy;
    let typed = Typed::read(why)?;
    let table_bytes = Budget::of(policy.server.memory_budget.value, &policy.rules).tables();
    let key = HashKey::new([0; 16]);
    let (reads_redacted, recorder) = (false, None);
    let engine = Engine::new(Settings { policy, key, reads_redacted, table_bytes, recorder });
    let host = typed.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
    let head = Head {
        method: &typed.method,
        target: typed.target.as_bytes(),
        version: http::Version::HTTP_11,
        authority: host.unwrap_or_default(),
        headers: &typed.headers,
        raw: None,
    };
    let peer = Peer::plain(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    let mut pass = engine.open(&head, &peer, EventId(1));
    if let Some(body) = &why.body {
        pass.read_body(body.as_bytes(), true, engine.hasher());
    }
    let _ = engine.decide(&mut pass, now(), Patience::Last);
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

impl Typed {
    fn read(why: &Why) -> Result<Self, Failure> {
        let wrong = |what: &str| Failure::Usage(format!("{what}: write \"GET /path?query\""));
        let (method, target) =
            why.request.trim().split_once(' ').ok_or_else(|| wrong("no method"))?;
        let method = method.parse().map_err(|_| wrong("no method"))?;
        let mut headers = HeaderMap::new();
        for header in &why.headers {
            let (name, value) = header.split_once(':').unwrap_or((header, ""));
            let name: HeaderName = name.trim().parse().map_err(|_| {
                Failure::Usage(format!("{header:?} is no header: write 'Name: value'"))
            })?;
            let value = HeaderValue::from_str(value.trim()).map_err(|_| {
                Failure::Usage(format!("{header:?} has a value that none may have"))
            })?;
            headers.append(name, value);
        }
        for (name, value) in
            [("host", "api.example.com"), ("user-agent", "rules-why/1.0"), ("accept", "*/*")]
        {
            let name = HeaderName::from_static(name);
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        if let Some(body) = &why.body {
            headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        Ok(Self { method, target: target.trim().to_owned(), headers })
    }
}
