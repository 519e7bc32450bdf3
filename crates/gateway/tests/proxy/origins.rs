//! Origins that are down, slow, gone, or lie about lengths.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use gateway::UpstreamDeadlines;

use crate::support::{Origin, Proxy, settings, with_deadlines};

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi";

#[test]
fn an_origin_that_is_down_is_a_502_with_an_id() {
    let proxy = Proxy::with(settings("http://127.0.0.1:1"));
    let mut caller = proxy.connect();
    for _ in 0..2 {
        caller.write(GET);
        let answer = caller.answer();
        assert_eq!(answer.status(), 502);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.text().contains(answer.header("palisade-event").unwrap()));
    }
}

#[test]
fn an_origin_that_is_slow_is_a_504_and_recovers() {
    let slow = AtomicBool::new(true);
    let origin = Origin::start(move |mut served| {
        while served.request().is_some() {
            if slow.swap(false, Ordering::SeqCst) {
                std::thread::sleep(Duration::from_secs(3));
            }
            served.answer(200, "late");
        }
    });
    let first_byte = Duration::from_millis(500);
    let deadlines = UpstreamDeadlines { first_byte, ..UpstreamDeadlines::default() };
    let proxy = Proxy::with(with_deadlines(&origin.url(), deadlines));
    let mut caller = proxy.connect();
    let began = Instant::now();
    caller.write(GET);
    assert_eq!(caller.answer().status(), 504);
    assert!(began.elapsed() < Duration::from_millis(2500));
    caller.write(GET);
    assert_eq!(caller.answer().text(), "late");
}

#[test]
fn a_connection_gone_stale_is_replaced_unseen() {
    // The first connection answers once and closes upon the second request.
    let origin = Origin::start(|mut served| {
        let first = served.number == 0;
        while served.request().is_some() {
            if first && served.number == 0 {
                served.answer(200, "first");
                served.head();
                return;
            }
            served.answer(200, "second");
        }
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write(GET);
    assert_eq!(caller.answer().text(), "first");
    caller.write(GET);
    assert_eq!(caller.answer().text(), "second");
}

#[test]
fn a_request_that_may_have_acted_is_not_repeated() {
    let origin = Origin::start(|mut served| {
        if served.number == 0 {
            served.request();
            served.answer(200, "first");
            served.request();
            return;
        }
        while served.request().is_some() {
            served.answer(200, "again");
        }
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write(POST);
    assert_eq!(caller.answer().text(), "first");
    caller.write(POST);
    assert_eq!(caller.answer().status(), 502);
    assert_eq!(origin.seen(), 2);
    caller.write(POST);
    assert_eq!(caller.answer().text(), "again");
}

#[test]
fn an_idle_connection_that_the_origin_closed_costs_nobody() {
    let origin = Origin::start(|mut served| {
        served.request();
        served.answer(200, "once");
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    for _ in 0..3 {
        caller.write(POST);
        assert_eq!(caller.answer().text(), "once");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_fresh_connection_that_fails_is_not_tried_again() {
    let origin = Origin::start(|mut served| {
        served.request();
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write(GET);
    assert_eq!(caller.answer().status(), 502);
    assert_eq!(origin.seen(), 1);
}

#[test]
fn what_is_no_http_is_a_502() {
    for garbage in [
        "hello\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    ] {
        let origin = Origin::start(move |mut served| {
            served.request();
            served.write(garbage);
        });
        let proxy = Proxy::before(&origin);
        let mut caller = proxy.connect();
        caller.write(GET);
        assert_eq!(caller.answer().status(), 502, "{garbage}");
    }
}

#[test]
fn an_answer_cut_short_is_cut_short_for_the_caller_too() {
    for cut in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n",
    ] {
        let origin = Origin::start(move |mut served| {
            served.request();
            served.write(cut);
        });
        let proxy = Proxy::before(&origin);
        let answer = proxy.all(GET);
        assert!(answer.contains("part"), "{answer}");
        assert!(!answer.contains("\r\n0\r\n"), "{answer}");
        assert!(answer.contains("content-length: 100") || answer.contains("chunked"), "{answer}");
    }
}

#[test]
fn bytes_after_an_answer_do_not_answer_the_next_request() {
    let origin = Origin::start(|mut served| {
        while served.request().is_some() {
            served.write(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
            );
        }
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    for _ in 0..3 {
        caller.write(GET);
        let answer = caller.answer();
        assert_eq!((answer.status(), answer.text().as_str()), (200, "ok"));
    }
}

#[test]
fn an_origin_that_falls_silent_is_given_up() {
    let origin = Origin::start(|mut served| {
        served.request();
        served.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
        std::thread::sleep(Duration::from_secs(4));
    });
    let answer_idle = Duration::from_millis(500);
    let deadlines = UpstreamDeadlines { answer_idle, ..UpstreamDeadlines::default() };
    let proxy = Proxy::with(with_deadlines(&origin.url(), deadlines));
    let began = Instant::now();
    assert!(proxy.all(GET).contains("part"));
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[test]
fn callers_that_hang_up_harm_nobody() {
    let origin = Origin::start(|mut served| {
        while served.request().is_some() {
            std::thread::sleep(Duration::from_millis(100));
            served.answer(200, "slow");
        }
    });
    let proxy = Proxy::before(&origin);
    for _ in 0..10 {
        proxy.connect().write(GET);
    }
    let mut caller = proxy.connect();
    caller.write(GET);
    assert_eq!(caller.answer().text(), "slow");
}

#[test]
fn a_connection_that_is_free_in_a_moment_is_waited_for() {
    let origin = Origin::start(|mut served| {
        while served.request().is_some() {
            served.answer(200, "quick");
        }
    });
    let deadlines = UpstreamDeadlines { keep_max: 4, ..UpstreamDeadlines::default() };
    let proxy = Proxy::with(with_deadlines(&origin.url(), deadlines));
    let mut callers: Vec<_> = (0..60).map(|_| proxy.connect()).collect();
    for _ in 0..10 {
        for caller in &mut callers {
            caller.write(GET);
        }
        for caller in &mut callers {
            assert_eq!(caller.answer().text(), "quick");
        }
    }
    // Without waiting each round would need almost as many new ones as there are callers.
    let opened = origin.connections.load(Ordering::SeqCst);
    assert!(opened < 300, "{opened} connections for 600 requests");
    assert_eq!(origin.seen(), 600);
}

#[test]
fn nobody_waits_long_for_a_connection_that_does_not_come_back() {
    let origin = Origin::start(|mut served| {
        served.request();
        std::thread::sleep(Duration::from_millis(400));
        served.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nslow");
    });
    let deadlines = UpstreamDeadlines { keep_max: 4, ..UpstreamDeadlines::default() };
    let proxy = Proxy::with(with_deadlines(&origin.url(), deadlines));
    let mut callers: Vec<_> = (0..60).map(|_| proxy.connect()).collect();
    for _ in 0..2 {
        let began = Instant::now();
        for caller in &mut callers {
            caller.write(GET);
        }
        for caller in &mut callers {
            assert_eq!(caller.answer().text(), "slow");
        }
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
}
