//! What Prometheus is told, of traffic that really came.

use std::io::Write as _;
use std::net::TcpStream;

use crate::admin::Administered;
use crate::support::{call, call_raw, call_with, until};

const ATTACK: &str = "/api/v1/products?q=1%27%20union%20select%20name,pass%20from%20users--%20";

struct Scraped(String);

impl Scraped {
    fn of(admin: &Administered, token: &str) -> Self {
        let headers = [("host", "localhost"), ("authorization", token)];
        let answer = call_with(admin.api, "GET", "/metrics", &headers, "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        Self(answer.body)
    }

    /// The sum of the series of this name that have all these labels.
    fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let of_series = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, rest) = series.split_once('{').unwrap_or((series, ""));
            let is_it = found == name && labels.iter().all(|label| rest.contains(label));
            is_it.then(|| value.parse::<f64>().ok()).flatten()
        };
        let values: Vec<f64> = self.0.lines().filter_map(of_series).collect();
        assert!(!values.is_empty(), "no {name} {labels:?} in\n{}", self.0);
        values.iter().sum()
    }
}

#[test]
fn what_was_found_how_long_it_took_and_who_was_turned_away_are_counted() {
    let admin = Administered::start("");
    let token = format!("Bearer {}", admin.token("read", "1h"));
    let address = admin.palisade.address;
    for number in 0..5 {
        call(address, "GET", &format!("/api/v1/products?page={number}"), "");
    }
    call(address, "POST", "/api/v1/orders/7", r#"{"note":"green"}"#);
    assert_eq!(call(address, "GET", ATTACK, "").status, 200, "monitor");
    assert!(admin.palisade.command(&["enforce", "rules", "--yes"]).status.success());
    for _ in 0..3 {
        assert_eq!(call(address, "GET", ATTACK, "").status, 403);
    }
    let scraped = Scraped::of(&admin, &token);
    let sum = |name: &str, labels: &[&str]| scraped.sum(name, labels);
    let shop = "site=\"shop\"";
    let requests = |more: &[&str]| sum("palisade_requests_total", &[&[shop], more].concat());
    assert_eq!(requests(&[]), 10.0);
    assert_eq!(requests(&["verdict=\"allow\""]), 6.0);
    assert_eq!(requests(&["verdict=\"allow\"", "status=\"2xx\""]), 5.0);
    assert_eq!(requests(&["verdict=\"deny\"", "mode=\"enforce\"", "status=\"4xx\""]), 3.0);
    let found = [shop, "layer=\"rules\"", "detector=\"known-attack\"", "action=\"deny\""];
    let found = |mode| sum("palisade_detections_total", &[&found[..], &[mode]].concat());
    assert_eq!((found("mode=\"monitor\""), found("mode=\"enforce\"")), (1.0, 3.0));
    assert!(sum("palisade_rule_hits_total", &["ruleset=\"builtin\""]) >= 4.0);
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    assert_eq!(sum("palisade_ruleset_info", &["ruleset=\"builtin\"", &version]), 1.0);
    assert!(sum("palisade_ruleset_rules", &["ruleset=\"builtin\""]) > 50.0);
    let took = |phase| sum("palisade_inspection_duration_seconds_count", &[phase]);
    assert_eq!(took("phase=\"head\""), 10.0);
    assert_eq!(took("phase=\"body\""), 1.0);
    assert_eq!(took("phase=\"decision\""), 10.0);
    assert_eq!(took("phase=\"answer\""), 7.0, "what was refused has no answer");
    assert_eq!(sum("http_client_request_duration_seconds_count", &[]), 7.0);
    let seconds = |phase| sum("palisade_inspection_duration_seconds_sum", &[phase]);
    assert!((0.000_01..10.0).contains(&seconds("phase=\"decision\"")));
    for reason in ["requests", "memory", "connections", "connections-unheard"] {
        assert_eq!(sum("palisade_shed_total", &[&format!("reason=\"{reason}\"")]), 0.0);
    }
    assert_eq!(sum("http_server_active_requests", &[]), 0.0);
    for reason in ["size", "memory", "time"] {
        let label = format!("reason=\"{reason}\"");
        assert_eq!(sum("palisade_inspection_truncated_total", &[&label]), 0.0);
    }
    assert_eq!(sum("palisade_fail_events_total", &["outcome=\"closed\""]), 0.0);
}

#[test]
fn what_is_refused_for_its_form_is_counted_by_what_is_wrong_with_it() {
    let admin = Administered::start("");
    let token = format!("Bearer {}", admin.token("read", "1h"));
    let to = admin.palisade.address;
    let host = "host: shop.test\r\n";
    let both = format!(
        "POST / HTTP/1.1\r\n{host}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    );
    for (request, times) in [
        (both, 2),
        (format!("GET /x\x01evil=\"}} HTTP/1.1\r\n{host}\r\n"), 1),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 3),
        (format!("POST / HTTP/1.1\r\n{host}transfer-encoding: chunked\r\n\r\nZZ\r\n"), 1),
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n", "a".repeat(9 << 10)), 1),
    ] {
        for _ in 0..times {
            assert!((400..500).contains(&call_raw(to, request.as_bytes()).status));
        }
    }
    // HTTP/2 has no answer for it: data on a stream that was never opened.
    let mut stream = TcpStream::connect(to).expect("a connection");
    let frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x01\0\0\0\0\0\x01a";
    stream.write_all(frames).expect("sent");
    let scraped = until("the frame to be counted", || {
        let scraped = Scraped::of(&admin, &token);
        let sum = scraped.sum("palisade_malformed_requests_total", &["fault=\"http2-"]);
        (sum > 0.0).then_some(scraped)
    });
    let of = |fault: &str| {
        let label = format!("fault=\"{fault}\"");
        scraped.sum("palisade_malformed_requests_total", &[&label])
    };
    let expected = [
        ("length-and-encoding", 2.0),
        ("bad-target", 1.0),
        ("missing-host", 3.0),
        ("bad-chunk", 1.0),
        ("target-too-long", 1.0),
        ("http2-protocol-error", 1.0),
        ("folded-header", 0.0),
    ];
    assert_eq!(expected.map(|(fault, _)| (fault, of(fault))), expected);
    let series = scraped.0.matches("palisade_malformed_requests_total{").count();
    assert_eq!(series, 40, "one for each fault, whatever is sent");
    assert!(!scraped.0.contains("evil"));
}

#[test]
fn what_is_under_way_and_what_is_held_of_it_come_and_go() {
    let admin = Administered::start("");
    let token = format!("Bearer {}", admin.token("read", "1h"));
    let mut slow = TcpStream::connect(admin.palisade.address).expect("a connection");
    let head = "POST /api/v1/orders/7 HTTP/1.1\r\nhost: shop.test\r\n\
                content-type: application/json\r\ncontent-length: 5000\r\n\r\n{";
    slow.write_all(head.as_bytes()).expect("sent");
    let at_work = |is_at_work: bool| {
        until("the gauges", || {
            let scraped = Scraped::of(&admin, &token);
            let active = scraped.sum("http_server_active_requests", &[]);
            let held = scraped.sum("palisade_memory_bytes", &["pool=\"held-bodies\""]);
            ((active > 0.0, held > 0.0) == (is_at_work, is_at_work)).then_some(())
        });
    };
    at_work(true);
    drop(slow);
    at_work(false);
}
