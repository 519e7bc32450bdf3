//! Canaries in every place where a secret can stand: none may be found afterwards, anywhere.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use crate::support::{Answer, Got, Palisade, Upstream, call_raw, call_with, text};

/// How many requests carry canaries.
const REQUESTS: usize = 10_000;

/// A secret of its own for each place and request: 32 letters and digits, as tokens have them. One
/// digit is certain: letters alone, standing where no secret belongs, could be words.
fn canary(place: &str, number: usize) -> String {
    let mut state = place.bytes().fold(number as u64 + 1, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let draw = |_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        char::from(letters[((mixed ^ (mixed >> 31)) % 62) as usize])
    };
    let mut secret: String = (0..31).map(draw).collect();
    secret.insert(7, char::from(b'0' + (number % 10) as u8));
    secret
}

/// Every place that gets a canary.
const PLACES: [&str; 25] = [
    "bearer",
    "apikey",
    "cookie",
    "proxyauth",
    "query",
    "path",
    "value",
    "password",
    "pin",
    "agent",
    "setcookie",
    "issued",
    "referer",
    "form",
    "multipart",
    "filename",
    "xml",
    "graphql",
    "broken",
    "prose",
    "matrix",
    "protocol",
    "location",
    "method",
    "malformed",
];

/// What to look for: a part of a secret is a secret, so the first twelve characters of each.
struct Canaries {
    beginnings: HashSet<Vec<u8>>,
}

impl Canaries {
    fn of(requests: usize) -> Self {
        let all = PLACES.iter().flat_map(|place| (0..requests).map(|number| canary(place, number)));
        Self { beginnings: all.map(|secret| secret.as_bytes()[..12].to_vec()).collect() }
    }

    fn look_into(&self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                self.look_into(&path);
            } else if let Ok(bytes) = fs::read(&path) {
                self.look_for(&path.display().to_string(), &bytes);
            }
        }
    }

    fn look_for(&self, place: &str, bytes: &[u8]) {
        let around = |at: usize| {
            let part = &bytes[at.saturating_sub(80)..bytes.len().min(at + 60)];
            String::from_utf8_lossy(part).into_owned()
        };
        for (at, window) in bytes.windows(12).enumerate() {
            let is_canary =
                window.iter().all(u8::is_ascii_alphanumeric) && self.beginnings.contains(window);
            assert!(!is_canary, "{place} holds a secret: …{}…", around(at));
        }
        for (at, window) in bytes.windows(16).enumerate() {
            let is_card = window.starts_with(b"411111") && window.iter().all(u8::is_ascii_digit);
            assert!(!is_card, "{place} holds a card number: …{}…", around(at));
        }
    }
}

/// A card number with the right check digit.
fn card(number: usize) -> String {
    let stem = format!("411111{:09}", number % 1_000_000_000);
    let sum: u32 = stem
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0') * if at % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    format!("{stem}{}", (10 - sum % 10) % 10)
}

fn shop() -> Upstream {
    Upstream::serve(|got: &Got| {
        let number = got.header("x-number").and_then(|text| text.parse().ok()).unwrap_or(0);
        let cookie = format!("sid={}; Path=/; HttpOnly", canary("setcookie", number));
        let body = format!(
            r#"{{"access_token":"{}","card":"{}","note":"pay with {} please"}}"#,
            canary("issued", number),
            card(number),
            card(number + 7)
        );
        let mut answer = Answer::json(if number.is_multiple_of(3) { 401 } else { 200 }, &body);
        answer.headers.push(("set-cookie".to_owned(), cookie));
        let location = format!("https://shop.test/in?code={}", canary("location", number));
        answer.headers.push(("location".to_owned(), location));
        answer
    })
}

#[test]
fn no_secret_is_found_anywhere_afterwards() {
    let (upstream, scratch) = (shop(), tempfile::tempdir().expect("a folder"));
    let data = scratch.path().join("data");
    let recording = scratch.path().join("recording.jsonl");
    let named = recording.to_str().expect("a path").to_owned();
    let palisade = Palisade::run(&upstream, &data, &["-vv", "--record", &named]);
    for number in 0..REQUESTS {
        send(&palisade, number);
    }
    assert_eq!(upstream.got().len(), REQUESTS);
    let mut printed = String::new();
    for args in [
        vec!["events", "--samples", "-n", "1000"],
        vec!["events", "--samples", "-n", "1000", "--output", "json"],
        vec!["api", "list", "--output", "json"],
        vec!["api", "export", "openapi"],
        vec!["incidents", "list", "--output", "json"],
        vec!["status", "--output", "json"],
        vec!["audit"],
    ] {
        let output = palisade.command(&args);
        printed.push_str(&text(&output.stdout));
        printed.push_str(&text(&output.stderr));
    }
    printed.push_str(&palisade.said());
    let canaries = Canaries::of(REQUESTS);
    canaries.look_for("what was printed", printed.as_bytes());
    assert_eq!(palisade.end(), 143);
    canaries.look_into(scratch.path());
    assert!(fs::metadata(&recording).expect("the recording").len() > 10_000);
}

/// One request with a secret in every place.
fn send(palisade: &Palisade, number: usize) {
    let bearer = format!("Bearer {}", canary("bearer", number));
    let key = canary("apikey", number);
    let cookie = format!("sid={}; theme=dark", canary("cookie", number));
    let proxy = format!("Basic {}", canary("proxyauth", number));
    let agent = format!("shop/1.0 {}", canary("agent", number));
    let referer = format!("https://shop.test/?sid={}", canary("referer", number));
    let count = number.to_string();
    let matrix = canary("matrix", number);
    let protocol = format!("chat, bearer.{}", canary("protocol", number));
    let target = match number % 5 {
        4 => format!("/api/v1/cart;sid={matrix}/items"),
        0 => format!("/api/v1/login?token={}", canary("query", number)),
        1 => format!("/reset/{}", canary("path", number)),
        2 => format!("/api/v1/pay?card={}", card(number + 3)),
        _ => format!("/api/v1/find?q={}", canary("value", number)),
    };
    let (media, body) = body(number);
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-api-key", key.as_str()),
        ("cookie", cookie.as_str()),
        ("proxy-authorization", proxy.as_str()),
        ("x-number", count.as_str()),
        ("user-agent", agent.as_str()),
        ("referer", referer.as_str()),
        ("sec-websocket-protocol", protocol.as_str()),
        ("content-type", media),
    ];
    let long = canary("method", number);
    let method = if number.is_multiple_of(50) { long.as_str() } else { "POST" };
    let answer = call_with(palisade.address, method, &target, &headers, &body);
    assert!(matches!(answer.status, 200 | 401), "{}", answer.status);
    if number.is_multiple_of(50) {
        let secret = canary("malformed", number);
        let head = format!("GET /{secret}?key={secret} HTTP/1.1\r\nx-key: {secret}\r\n\r\n");
        assert_eq!(call_raw(palisade.address, head.as_bytes()).status, 400, "without a host");
    }
}

/// A body with its media type, and secrets where such bodies have them.
fn body(number: usize) -> (&'static str, String) {
    let one = |place: &str| canary(place, number);
    match number % 7 {
        0 => (
            "application/x-www-form-urlencoded",
            format!("user=u{number}&pass%77ord={}&next=%2F", one("form")),
        ),
        1 => (
            "multipart/form-data; boundary=b",
            format!(
                "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{}\r\n--b\r\n\
                 Content-Disposition: form-data; name=\"f\"; filename=\"{}.txt\"\r\n\r\nx\r\n--b--\r\n",
                one("multipart"),
                one("filename")
            ),
        ),
        2 => ("text/xml", format!("<in><password>{}</password></in>", one("xml"))),
        3 => (
            "application/json",
            format!(r#"{{"query":"mutation{{login(password:\"{}\")}}"}}"#, one("graphql")),
        ),
        4 => ("application/json", format!(r#"{{"password":"{}"#, one("broken"))),
        5 => ("text/plain", format!("password={} and the rest", one("prose"))),
        _ => (
            "application/json",
            format!(
                r#"{{"email":"u{number}@example.com","password":"{}","pin":"{}","text":"my card {}"}}"#,
                one("password"),
                one("pin"),
                card(number + 5)
            ),
        ),
    }
}
