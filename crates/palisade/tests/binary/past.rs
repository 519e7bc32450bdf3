//! A data folder with a day behind it: callers who logged in yesterday and have used the shop ever
//! since, so that a program that starts on it knows them. The day goes through the real engine, in
//! virtual time.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ledger::{Entry, LearntSlice, LearntState, Ledger, Options, Rollup};
use shield::policy::{self, Sources};
use shield::timeline::{self, Call, Reply};
use shield::{Decided, Engine, Patience, Settings};
use traffic::{Action, Event, EventId, Mode, Peer, Timestamp};

/// How often each caller asked.
const CALLS: u32 = 60;
/// How long ago they logged in.
const HOURS: u64 = 26;

/// The token of a caller.
pub(crate) fn token(caller: usize) -> String {
    format!("tok_{:040x}", 0x0abc_def1_2345_6789_u128 * (caller as u128 + 17))
}

/// The address of a caller.
pub(crate) fn address(caller: usize) -> String {
    format!("198.51.100.{}", caller + 1)
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
    Timestamp::from_micros(u64::try_from(since.as_micros()).expect("a time of ours"))
}

/// Lets a day pass over `data` in which so many callers used the shop.
pub(crate) fn a_day(data: &Path, callers: usize) {
    let (ledger, writer) = Ledger::open(data, Options::default()).expect("a ledger");
    let text = "version = 1\n[server]\ntrusted_proxies = [\"127.0.0.1/32\"]\n\
                [[site]]\nname = \"shop\"\nupstream = \"http://127.0.0.1:1\"\n";
    let sources = Sources { file: Some(("past", text)), ..Sources::default() };
    let (policy, _) = policy::load(&sources).expect("a policy");
    let (key, reads_redacted) = (ledger.hash_key(), false);
    let settings = Settings { policy, key, reads_redacted, table_bytes: 64 << 20, recorder: None };
    let engine = Arc::new(Engine::new(settings));
    let began = now().before(Duration::from_secs(HOURS * 3_600));
    let pause = Duration::from_secs(HOURS * 3_600 / u64::from(CALLS + 2));
    for round in 0..CALLS {
        for caller in 0..callers {
            let at = began.after(pause * round + Duration::from_secs(caller as u64));
            match round {
                0 => exchange(&engine, &log_in(caller), &handed_out(caller), at),
                _ => exchange(&engine, &profile(caller, Some(&token(caller))), &answer(200), at),
            }
        }
        let stranger = profile(200 + round as usize % 20, None);
        let at = began.after(pause * round + Duration::from_secs(600));
        exchange(&engine, &stranger, &answer(401), at);
    }
    keep(&engine, &ledger);
    writer.close();
}

fn exchange(engine: &Engine, call: &Call, reply: &Reply, at: Timestamp) {
    let mut pass = timeline::open(engine, call, EventId(u128::from(at.as_micros()) << 64));
    let decided = engine.decide(&mut pass, at, Patience::Last);
    assert!(matches!(decided, Decided::Forward), "{decided:?}");
    timeline::learn(engine, pass, Some(reply), at.after(Duration::from_millis(5)));
}

/// Everything that the program keeps of a day, as it keeps it.
fn keep(engine: &Arc<Engine>, ledger: &Ledger) {
    let rows = engine.take_rollups(now(), true).into_iter();
    let rows = rows.map(|(key, endpoint, rollup)| Rollup {
        at: Timestamp::from_micros(u64::from(key.minute) * 60_000_000),
        endpoint,
        status_class: key.status_class,
        action: key.action,
        enforced: key.enforced,
        count: rollup.count * 10,
        bytes: rollup.bytes,
        latency: rollup.latency.iter().map(|count| u64::from(*count)).collect(),
    });
    assert!(ledger.record(Entry::Rollups(rows.collect())));
    assert!(ledger.record(Entry::Tallies(engine.take_tallies())));
    ledger.flush().expect("written");
    let slices = engine.snapshot();
    let slices = slices.map(|(part, bytes)| LearntSlice { part: part.to_owned(), bytes });
    let state = LearntState { at: now(), slices: Box::new(slices) };
    ledger.save_learnt(state).expect("written");
}

fn call(caller: usize, method: http::Method, target: &str, body: &str) -> Call {
    let mut headers = http::HeaderMap::new();
    headers.insert("host", http::HeaderValue::from_static("shop.test"));
    let from = if caller < 200 { address(caller) } else { format!("192.0.2.{caller}") };
    let forwarded = http::HeaderValue::from_str(&from).expect("a value");
    headers.insert("x-forwarded-for", forwarded);
    if !body.is_empty() {
        headers.insert("content-type", http::HeaderValue::from_static("application/json"));
        headers.insert("content-length", http::HeaderValue::from(body.len()));
    }
    Call {
        peer: Peer::plain(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        method,
        target: target.as_bytes().to_vec(),
        version: http::Version::HTTP_11,
        authority: "shop.test".to_owned(),
        headers,
        body: body.as_bytes().to_vec(),
        is_complete: true,
        claims: Default::default(),
        rules: Default::default(),
        common_password: false,
    }
}

fn log_in(caller: usize) -> Call {
    let body = format!(r#"{{"email":"c{caller}@example.com","password":"right-horse"}}"#);
    call(caller, http::Method::POST, "/api/v1/login", &body)
}

fn profile(caller: usize, token: Option<&str>) -> Call {
    let mut call = call(caller, http::Method::GET, "/api/v1/me", "");
    if let Some(token) = token {
        let value = http::HeaderValue::from_str(&format!("Bearer {token}")).expect("a value");
        call.headers.insert("authorization", value);
    }
    call
}

fn reply(status: u16, body: String) -> Reply {
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", http::HeaderValue::from_static("application/json"));
    let after = Duration::from_millis(5);
    Reply { status, headers, body: Some(body.into_bytes()), is_complete: true, length: None, after }
}

fn handed_out(caller: usize) -> Reply {
    reply(200, format!(r#"{{"access_token":"{}"}}"#, token(caller)))
}

fn answer(status: u16) -> Reply {
    reply(status, r#"{"email":"somebody@example.com"}"#.to_owned())
}

// === events ===

/// Writes events of that day, each of which takes some two kilobytes.
pub(crate) fn events(data: &Path, days_ago: u64, count: u64) {
    let options = Options { queue_events: 1 << 16, queue_bytes: 1 << 30, ..Options::default() };
    let (ledger, writer) = Ledger::open(data, options).expect("a ledger");
    let began = now().before(Duration::from_secs(days_ago * 86_400 + 60));
    for number in 0..count {
        let at = began.after(Duration::from_millis(number));
        let millis = u128::from(at.as_micros() / 1_000);
        let id = EventId((millis << 80) | (7 << 76) | (2 << 62) | u128::from(number));
        assert!(ledger.record_event(event(id, at, format!("days-ago-{days_ago}-{number}"))));
        if number % 4_000 == 0 {
            ledger.flush().expect("written");
        }
    }
    ledger.flush().expect("written");
    writer.close();
}

/// Bytes in the files of events that hold something.
pub(crate) fn used_bytes(data: &Path) -> u64 {
    let files = std::fs::read_dir(data.join("events")).expect("a folder").flatten();
    let used = |path: std::path::PathBuf| -> Option<u64> {
        let file = rusqlite::Connection::open(path).ok()?;
        let pragma = |name: &str| -> Option<i64> {
            file.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).ok()
        };
        let pages = pragma("page_count")? - pragma("freelist_count")?;
        u64::try_from(pages * pragma("page_size")?).ok()
    };
    let is_database = |path: &std::path::PathBuf| path.extension().is_some_and(|it| it == "db");
    files.map(|file| file.path()).filter(is_database).filter_map(used).sum()
}

fn event(id: EventId, at: Timestamp, name: String) -> Event {
    Event {
        id,
        request_id: name,
        at,
        site: "shop".to_owned(),
        is_sample: false,
        action: Action::Allow,
        mode: Mode::Monitor,
        risk: 20,
        nats: 3.0,
        layer: None,
        method: "GET".to_owned(),
        host: "shop.test".to_owned(),
        path: "/api/v1/products".to_owned(),
        endpoint: Some("GET shop.test /api/v1/products".to_owned()),
        status: 200,
        took_us: 120,
        client: "192.0.2.7".to_owned(),
        entities: vec!["ip:192.0.2.7".to_owned()],
        is_known: false,
        ja4: None,
        user_agent: None,
        signals: Vec::new(),
        rules: Vec::new(),
        scope: None,
        decision: None,
        exception: None,
        policy_version: 1,
        notes: vec!["x".repeat(2_000)],
        count: 1,
    }
}
