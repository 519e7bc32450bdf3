//! What a decision costs: the engine alone, without sockets, by the size of the JSON body.
//!
//! A thousand callers with tokens of their own send orders to one API. Of each exchange the steps
//! are timed apart: opening (head and body into a pass), deciding, learning. The table gives the
//! median and the 99th percentile of opening and deciding together, which is what a request waits
//! for, beside the bar of 8 µs and 1 µs for each KB of JSON. The last line is how long requests
//! wait at most while a snapshot of full tables is taken: for one slice of it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, Method, Version, header};
use serde_json::json;
use shield::timeline::{self, Call, Reply};
use shield::{Decided, Engine, Patience, Settings, policy};
use traffic::head::Scheme;
use traffic::{EventId, HashKey, Peer, Timestamp};

const CALLERS: u32 = 1_000;
const WARM_UP: usize = 2_000;
const MEASURED: usize = 20_000;
/// Orders have so many items, each about 150 bytes of JSON.
const ITEMS: [usize; 4] = [4, 24, 100, 400];
/// Callers who come once: more than the tables hold.
const STRANGERS: u32 = 400_000;
/// What requests may wait for one slice of a snapshot.
const SLICE_US_MAX: f64 = 1_000.0;
/// Between two exchanges: each caller comes back after a minute, well within its allowance.
const STEP: Duration = Duration::from_millis(60);

fn main() -> Result<()> {
    // Cargo asks every bench for its tests, too; there are none here.
    if std::env::args().any(|word| word == "--list") {
        return Ok(());
    }
    println!("body KB  leaves  open+decide us: p50    p99  learn us: p50    p99  bar us");
    run("GET", 0)?;
    for items in ITEMS {
        run("POST", items)?;
    }
    snapshot()
}

/// Fills the tables with callers who come once, and takes a snapshot of them.
fn snapshot() -> Result<()> {
    let engine = Arc::new(engine()?);
    let mut now = Timestamp::from_micros(1_790_000_000_000_000);
    for n in 0..STRANGERS {
        now = now.after(Duration::from_millis(1));
        let mut pass = timeline::open(&engine, &call("GET", n, Vec::new())?, EventId(n.into()));
        engine.decide(&mut pass, now, Patience::Last);
        drop(timeline::learn(&engine, pass, Some(&reply()), now));
    }
    let (mut times, mut bytes) = (Vec::new(), 0);
    let mut slices = engine.snapshot();
    loop {
        let begun = Instant::now();
        let Some((_, slice)) = slices.next() else { break };
        times.push(begun.elapsed());
        bytes += slice.len();
    }
    let (count, longest) = (times.len(), times.iter().max().copied().unwrap_or_default());
    let Spread { p50_us, p99_us } = Spread::of(times);
    println!(
        "a snapshot of {:.1} MB in {count} slices; one takes us: p50 {p50_us:.1}, p99 {p99_us:.1}, \
         at most {:.1}",
        bytes as f64 / 1e6,
        longest.as_secs_f64() * 1e6
    );
    anyhow::ensure!(
        p99_us < SLICE_US_MAX,
        "requests wait longer than {SLICE_US_MAX} us for a slice"
    );
    Ok(())
}

fn run(method: &str, items: usize) -> Result<()> {
    let engine = engine()?;
    let body = if items == 0 { Vec::new() } else { order(items)? };
    let leaves = if items == 0 { 0 } else { 6 + items * 6 };
    let callers =
        (0..CALLERS).map(|n| call(method, n, body.clone())).collect::<Result<Vec<Call>>>()?;
    let reply = reply();
    let mut waits = Vec::with_capacity(MEASURED);
    let mut lessons = Vec::with_capacity(MEASURED);
    let mut now = Timestamp::from_micros(1_790_000_000_000_000);
    for (n, call) in callers.iter().cycle().take(WARM_UP + MEASURED).enumerate() {
        now = now.after(STEP);
        let id = EventId(u128::try_from(n)?);
        let begun = Instant::now();
        let mut pass = timeline::open(&engine, call, id);
        let decided = engine.decide(&mut pass, now, Patience::Last);
        let waited = begun.elapsed();
        if !matches!(decided, Decided::Forward) {
            return Err(anyhow!("an honest call was not forwarded: {:?}", pass.verdict()));
        }
        let begun = Instant::now();
        drop(timeline::learn(&engine, pass, Some(&reply), now.after(Duration::from_millis(5))));
        if n >= WARM_UP {
            waits.push(waited);
            lessons.push(begun.elapsed());
        }
    }
    let (wait, lesson) = (Spread::of(waits), Spread::of(lessons));
    let kb = body.len() as f64 / 1024.0;
    println!(
        "{kb:7.1} {leaves:7} {:20.1} {:6.1} {:14.1} {:6.1} {:7.1}",
        wait.p50_us,
        wait.p99_us,
        lesson.p50_us,
        lesson.p99_us,
        8.0 + kb
    );
    Ok(())
}

/// Median and 99th percentile, in microseconds.
struct Spread {
    p50_us: f64,
    p99_us: f64,
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            times.get(times.len() * percent / 100).map_or(0.0, |time| time.as_secs_f64() * 1e6)
        };
        Self { p50_us: at(50), p99_us: at(99) }
    }
}

fn engine() -> Result<Engine> {
    let flags = policy::Flags {
        to: Some("http://127.0.0.1:9".to_owned()),
        mode: Some(traffic::Mode::Enforce),
        ..policy::Flags::default()
    };
    let (policy, _) = policy::load(&policy::Sources { flags, ..policy::Sources::default() })
        .map_err(|errors| anyhow!("{errors:?}"))?;
    Ok(Engine::new(Settings {
        policy,
        key: HashKey::new(*b"the bench's keys"),
        reads_redacted: false,
        table_bytes: 32 << 20,
        recorder: None,
    }))
}

/// A call as an application on a telephone sends it.
fn call(method: &str, n: u32, body: Vec<u8>) -> Result<Call> {
    let issuer = "https://id.town.example";
    let claims = json!({"sub": format!("user{n}"), "iss": issuer, "exp": 1_900_000_000});
    let part = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
    let token = format!(
        "Bearer {}.{}.{}",
        part(json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}).to_string()),
        part(claims.to_string()),
        part(format!("a signature that nobody checks here, of caller number {n:06}"))
    );
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::HOST, "api.town.example"),
        (header::USER_AGENT, "TownShop/4.2 (iPhone; iOS 18.1) CFNetwork/1568.100.1 Darwin/24.0.0"),
        (header::ACCEPT, "application/json"),
        (header::ACCEPT_LANGUAGE, "en-GB,en;q=0.9"),
        (header::ACCEPT_ENCODING, "gzip, deflate, br"),
        (header::CONTENT_TYPE, "application/json"),
        (header::AUTHORIZATION, token.as_str()),
    ] {
        headers.insert(name, HeaderValue::from_str(value)?);
    }
    let target = match method {
        "GET" => format!("/api/v1/orders/{}?fields=name&page=2", 7_919 * n),
        _ => "/api/v1/orders".to_owned(),
    };
    Ok(Call {
        peer: Peer {
            address: IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + n)),
            scheme: Scheme::default(),
            ja4: None,
            h2_settings: None,
        },
        method: method.parse::<Method>()?,
        target: target.into_bytes(),
        version: Version::HTTP_11,
        authority: "api.town.example".to_owned(),
        headers,
        body,
        is_complete: true,
        claims: std::collections::BTreeMap::new(),
        rules: Default::default(),
        common_password: false,
    })
}

fn order(items: usize) -> Result<Vec<u8>> {
    let items: Vec<_> = (0..items)
        .map(|n| {
            json!({
                "sku": format!("SKU-{}", 40_000 + n * 37),
                "name": "Garden chair, folding, green",
                "qty": n % 9 + 1,
                "unitPrice": 12.5 + n as f64,
                "giftWrap": n % 2 == 0,
                "note": "leave it at the door of the neighbours",
            })
        })
        .collect();
    let order = json!({
        "orderId": "8f14e45f-ceea-467f-a0e6-1a2b3c4d5e6f",
        "customer": {"id": 4711, "name": "Grace Hopper", "email": "grace@town.example"},
        "items": items,
        "deliveryNotes": "Ring twice, please",
        "channel": "ios",
    });
    Ok(serde_json::to_vec(&order)?)
}

fn reply() -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Reply {
        status: 200,
        headers,
        body: Some(br#"{"id":123,"name":"Ada Lovelace","ok":true,"total":12.5}"#.to_vec()),
        is_complete: true,
        length: None,
        after: Duration::from_millis(5),
    }
}
