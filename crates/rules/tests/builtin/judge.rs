//! Our own engine over the built-in rules: which of them a request hits, and whether that refuses
//! it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use rules::builtin::FILES;
use rules::engine::{Context, Engine};
use rules::rule::Phase;
use rules::rule_set::RuleSet;
use rules::seclang::Texts;

use super::request::Request;

/// What hits are worth, and from what sum a stranger is refused.
const POINTS: [(&str, u32); 3] =
    [("confidence/high", 20), ("confidence/medium", 10), ("confidence/low", 5)];
const REFUSED_FROM: u32 = 19;
/// What people write about is never more than likely.
const QUOTED_AT_MOST: u32 = 10;

/// The set, ready to be asked.
pub(crate) struct Judge(Engine);

impl Judge {
    pub(crate) fn new() -> Self {
        let base = "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\n";
        let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        let paths: Vec<&str> = std::iter::once("base").chain(names).collect();
        let texts: Texts = std::iter::once(("base", base)).chain(FILES.iter().copied()).collect();
        let set = RuleSet::load(&paths, &texts).unwrap_or_else(|error| panic!("{error}"));
        Self(Engine::new(set))
    }

    /// The ids of the rules that the request hits, and whether their sum refuses it.
    pub(crate) fn asked(&self, request: &Request) -> (Vec<u64>, bool) {
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
        let mut transaction = self.0.begin(&Context {
            now_us: 1_700_000_000_000_000,
            remote: (address, 4711),
            server: (address, 443),
            unique_id: "test",
            work_max: u64::MAX,
        });
        let Request { method, target, headers, body } = request;
        let line = format!("{method} {target} HTTP/1.1");
        transaction.request_line(
            line.as_bytes(),
            method.as_bytes(),
            target.as_bytes(),
            b"HTTP/1.1",
        );
        for (name, value) in headers {
            transaction.request_header(name.as_bytes(), value.as_bytes());
        }
        transaction.run(Phase::RequestHeaders);
        // An example of a body that was cut short announces more than there is.
        let announced = request.header("Content-Length").and_then(|length| length.parse().ok());
        let is_cut = announced.is_some_and(|length: usize| length > body.len());
        transaction.request_body(body.clone().into_bytes().into(), is_cut);
        transaction.run(Phase::RequestBody);
        let (mut ids, mut points) = (Vec::new(), 0);
        let mut subjects = BTreeMap::new();
        for hit in transaction.hits() {
            let tags: Vec<&[u8]> = hit.tags().collect();
            let worth = POINTS.iter().find(|(tag, _)| tags.contains(&tag.as_bytes()));
            let worth = worth.map_or(0, |(_, points)| *points);
            ids.push(hit.rule.id);
            if let Some(subject) = hit.quotes() {
                let most: &mut u32 = subjects.entry(subject).or_default();
                *most = worth.min(QUOTED_AT_MOST).max(*most);
            } else {
                points += worth;
            }
        }
        points += subjects.into_values().sum::<u32>();
        (ids, points >= REFUSED_FROM)
    }
}
