//! What comes back from a snapshot: the same state to the byte when nothing happened meanwhile, and
//! a state that works when something did.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Version, header};
use shield::timeline::{self, Call, Reply};
use shield::{Decided, Engine, Patience, Settings, policy};
use traffic::head::Scheme;
use traffic::{DecisionId, EventId, HashKey, Peer, Timestamp};

/// An engine with a clock.
struct World {
    engine: Arc<Engine>,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let flags = policy::Flags {
            to: Some("http://127.0.0.1:9".to_owned()),
            mode: Some(traffic::Mode::Enforce),
            ..policy::Flags::default()
        };
        let sources = policy::Sources { flags, ..policy::Sources::default() };
        let (policy, _) = policy::load(&sources).expect("a policy");
        let engine = Engine::new(Settings {
            policy,
            key: HashKey::new(*b"the test's keys."),
            reads_redacted: false,
            table_bytes: 2 << 20,
            recorder: None,
        });
        Self { engine: Arc::new(engine), now: Timestamp::from_micros(1_790_000_000_000_000) }
    }

    /// Exchanges of these numbers; what was decided of each.
    fn exchange(&mut self, numbers: std::ops::Range<u32>) -> Vec<String> {
        let mut verdicts = Vec::new();
        for n in numbers {
            self.now = self.now.after(Duration::from_millis(700));
            let mut pass = timeline::open(&self.engine, &call(n), EventId(n.into()));
            let decided = self.engine.decide(&mut pass, self.now, Patience::Last);
            verdicts.push(format!("{:?}", pass.verdict()));
            if matches!(decided, Decided::Forward) {
                drop(timeline::learn(&self.engine, pass, Some(&reply(n)), self.now));
            }
        }
        verdicts
    }

    fn slices(&self) -> Vec<(&'static str, Vec<u8>)> {
        self.engine.snapshot().collect()
    }

    /// Decisions are kept elsewhere, also those that are over.
    fn take_decisions_of(&self, other: &Self) {
        let all = (1..10_000).filter_map(|id| other.engine.decision(DecisionId(id)));
        let all: Vec<_> = all.collect();
        self.engine.number_after(all.iter().map(|decision| decision.id.0).max().unwrap_or(0));
        self.engine.reinstate(all, Vec::new());
    }

    fn put_back(&self, slices: &[(&'static str, Vec<u8>)]) {
        let mut restoring = self.engine.restore(self.now);
        slices.iter().for_each(|(part, bytes)| restoring.put(part, bytes));
        let lost = restoring.lost();
        assert!(lost.is_empty(), "{lost:?}");
    }
}

/// People and programs who come again, an attacker at the log-in, one who searches for paths, and
/// strangers.
fn call(n: u32) -> Call {
    let (method, target, from, body) = match n % 8 {
        0 => ("POST", "/api/v1/login".to_owned(), n % 40, log_in(n % 40)),
        1 => ("POST", "/api/v1/login".to_owned(), 900_000, log_in(n)),
        2 => ("GET", format!("/admin/{n}"), 900_001, String::new()),
        3 => ("GET", format!("/{n}/{n}"), 1_000_000 + n, String::new()),
        4 => ("GET", format!("/api/v1/orders/{n}?page={}", n % 7), n % 40, String::new()),
        5 => ("GET", format!("/api/v1/{}", word(n)), n % 40, String::new()),
        6 => ("PUT", format!("/api/v1/{}/{n}", word(n / 3)), n % 90, r#"{"a":1}"#.to_owned()),
        _ => ("GET", "/api/v1/profile".to_owned(), n % 40, String::new()),
    };
    let mut headers = HeaderMap::new();
    let token = format!("Bearer {:032x}", u128::from(from).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    for (name, value) in [
        (header::HOST, "api.shop.example"),
        (header::USER_AGENT, "Shop/4.2 (iPhone; iOS 18.1)"),
        (header::CONTENT_TYPE, "application/json"),
        (header::AUTHORIZATION, token.as_str()),
        (header::COOKIE, "sid=0123456789abcdef0123456789abcdef"),
    ] {
        headers.insert(name, HeaderValue::from_str(value).expect("a value"));
    }
    Call {
        peer: Peer {
            address: IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + from)),
            scheme: Scheme::default(),
            ja4: None,
            h2_settings: None,
        },
        method: method.parse::<Method>().expect("a method"),
        target: target.into_bytes(),
        version: Version::HTTP_11,
        authority: "api.shop.example".to_owned(),
        headers,
        body: body.into_bytes(),
        is_complete: true,
        claims: std::collections::BTreeMap::new(),
        rules: Default::default(),
        common_password: false,
    }
}

fn log_in(account: u32) -> String {
    format!(r#"{{"email":"u{account}@example.com","password":"x"}}"#)
}

fn word(n: u32) -> String {
    let letter = |n: u32| char::from(b'a' + (n % 26) as u8);
    format!("{}{}ly", letter(n / 8), letter(n / 200))
}

fn reply(n: u32) -> Reply {
    let (status, body) = match n % 8 {
        0 if !n.is_multiple_of(5) => {
            (200, format!(r#"{{"token":"{:032x}"}}"#, u128::from(n) << 64))
        }
        0 | 1 => (401, r#"{"error":"no"}"#.to_owned()),
        2 | 3 => (404, r#"{"error":"nothing here"}"#.to_owned()),
        5 => (200, format!(r#"{{"{}":1}}"#, word(n))),
        _ => (200, r#"{"id":123,"name":"hat","total":12.5}"#.to_owned()),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let (body, is_complete, length) = (Some(body.into_bytes()), true, None);
    Reply { status, headers, body, is_complete, length, after: Duration::from_millis(5) }
}

#[test]
fn without_traffic_a_snapshot_is_exact() {
    let mut world = World::new();
    world.exchange(0..30_000);
    let slices = world.slices();
    assert!(slices.len() > 20, "{} slices", slices.len());
    let mut again = World { now: world.now, ..World::new() };
    again.put_back(&slices);
    let differing: Vec<_> =
        again.slices().into_iter().zip(slices).filter(|(a, b)| a != b).collect();
    let parts: Vec<_> = differing.iter().map(|((part, _), _)| part).collect();
    assert!(parts.is_empty(), "not the same: {parts:?}");
    again.take_decisions_of(&world);
    // Who was paced has had its ten seconds: that much is not kept.
    world.now = world.now.after(Duration::from_secs(20));
    again.now = world.now;
    let (first, second) = (world.exchange(30_000..34_000), again.exchange(30_000..34_000));
    let differing = first.iter().zip(&second).filter(|(a, b)| a != b).count();
    assert_eq!(differing, 0, "of {} verdicts", first.len());
}

#[test]
fn under_traffic_a_snapshot_gives_a_state_that_works() {
    let mut world = World::new();
    world.exchange(0..10_000);
    let mut taken = Vec::new();
    let mut n = 10_000;
    for slice in world.engine.snapshot() {
        taken.push(slice);
        world.exchange(n..n + 200);
        n += 200;
    }
    let mut again = World { now: world.now, ..World::new() };
    again.put_back(&taken);
    let known = |world: &World| -> usize { world.engine.endpoints().len() };
    assert!(known(&again) * 10 >= known(&world) * 8, "{} of {}", known(&again), known(&world));
    let fill = again.engine.overview();
    assert!(fill.callers.holders > 0 && fill.tables.iter().any(|table| table.used > 1_000));
    again.take_decisions_of(&world);
    let verdicts = again.exchange(n..n + 4_000);
    assert_eq!(verdicts.len(), 4_000);
    assert_eq!(
        again.engine.layer_faults(again.now).iter().map(|layer| layer.faults).sum::<u64>(),
        0
    );
}
