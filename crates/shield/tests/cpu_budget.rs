//! A request and its answer each have a `cpu_budget`: what one takes, the other does not miss.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Version, header};
use rules::engine::Engine as RuleEngine;
use rules::rule_set::RuleSet;
use rules::seclang::Texts;
use shield::policy::{self, Blocking, Sources};
use shield::{Decided, Engine, Pass, Patience, Rulebook, Settings};
use traffic::{AnswerHead, EventId, HashKey, Head, Peer, Timestamp};

/// The default.
const CPU_BUDGET: Duration = Duration::from_millis(10);
const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// Rules that each have to look at all of what they are shown: no literal, no rare byte spares
/// them. There are too many of them for any budget.
fn costly(phase: u8, variable: &str) -> String {
    let rule = |number: u32| {
        let (least, most) = (number % 7 + 2, number % 11 + 9);
        format!(
            "SecRule {variable} \"@rx (?:[a-z]+[0-9a-f]{{{least},{most}}}){{2}}[^a-z0-9]$\" \
             \"id:{},phase:{phase},t:none,t:urlDecodeUni,t:lowercase,capture,pass,log,severity:CRITICAL\"\n",
            1_000 * u32::from(phase) + number
        )
    };
    (0..900).map(rule).collect()
}

fn engine(rules: &str) -> Engine {
    let base = "SecRequestBodyAccess On\nSecResponseBodyAccess On\n\
                SecResponseBodyMimeType application/json text/plain\n\
                SecRequestBodyLimitAction ProcessPartial\n";
    let texts: Texts = [("rules.conf", format!("{base}{rules}"))].into_iter().collect();
    let set = RuleSet::load(&["rules.conf"], &texts).expect("rules");
    let rulebook = Rulebook::new(RuleEngine::new(set), Blocking::Evidence, None, CPU_BUDGET);
    let text = "version = 1\n[[site]]\nupstream = \"http://127.0.0.1:1\"\nmode = \"enforce\"\n";
    let sources = Sources { file: Some(("palisade.toml", text)), ..Sources::default() };
    let (mut policy, _) = policy::load(&sources).expect("a policy");
    policy.arm(rulebook.into());
    let key = HashKey::new([7; 16]);
    let (reads_redacted, recorder) = (false, None);
    Engine::new(Settings { policy, key, reads_redacted, table_bytes: 1 << 20, recorder })
}

fn opened(engine: &Engine, content_type: &'static str) -> Box<Pass> {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("a.test"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let head = Head {
        method: &Method::POST,
        target: b"/a",
        version: Version::HTTP_11,
        authority: "a.test",
        headers: &headers,
        raw: None,
    };
    engine.open(&head, &Peer::plain(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))), EventId(7))
}

#[test]
fn what_a_request_cost_is_not_taken_from_its_answer() {
    let leak = "SecRule RESPONSE_BODY \"@rx ORA-[0-9]{5}\" \"id:1,phase:4,deny,log,msg:'leak'\"\n";
    let engine = engine(&(costly(2, "ARGS") + leak));
    let mut pass = opened(&engine, "application/x-www-form-urlencoded");
    pass.read_body(format!("a={}", "abc123%20".repeat(11_000)).as_bytes(), true, engine.hasher());
    assert!(matches!(engine.decide(&mut pass, NOW, Patience::Last), Decided::Forward));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    engine.screen_head(&mut pass, &AnswerHead { status: 200, headers: &headers }, NOW);
    engine.screen_body(&mut pass, Some(Bytes::from_static(b"ORA-00942")), false, NOW);
    assert!(pass.has_found_in_answer(), "a costly request hides what its answer leaks");
}
