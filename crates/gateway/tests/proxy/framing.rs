//! Ambiguous framing is answered 400 with an event and closed; the origin never hears of it.

use crate::support::{Origin, Proxy};

fn refused(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    assert!(answer.contains("content-type: application/problem+json\r\n"), "{answer}");
    assert!(answer.contains("palisade-event: "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    let event = answer.split("palisade-event: ").nth(1).and_then(|rest| rest.split('\r').next());
    assert!(answer.contains(&format!("\"urn:uuid:{}\"", event.unwrap_or("?"))), "{answer}");
}

#[test]
fn what_could_be_read_in_two_ways_goes_nowhere() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let shapes: &[&str] = &[
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3 \x0b\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nX: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a\x07b HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/1.1\nHost: h\n\n",
    ];
    for shape in shapes {
        refused(&proxy.all(shape), 400);
    }
    assert_eq!(origin.seen(), 0);
    assert!(proxy.all("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").contains(" 200 "));
}

#[test]
fn limits_have_their_own_statuses() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(9000));
    refused(&proxy.all(long), 414);
    let wide = format!("GET / HTTP/1.1\r\nHost: h\r\nA: {}\r\n\r\n", "a".repeat(17_000));
    refused(&proxy.all(wide), 431);
    let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a: b\r\n".repeat(200));
    refused(&proxy.all(many), 431);
    assert_eq!(origin.seen(), 0);
}

#[test]
fn requests_before_a_refused_one_are_answered_first() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write(
        "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi\
         GET /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n",
    );
    assert!(caller.answer().text().starts_with("GET /1 HTTP/1.1\n"));
    assert!(caller.answer().text().starts_with("POST /2 HTTP/1.1\n"));
    refused(&caller.rest(), 400);
    assert_eq!(origin.seen(), 2);
}

#[test]
fn a_body_that_breaks_its_framing_is_refused_under_way() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        "zz\r\n",
        "5\r\nabcde\r\n-1\r\n",
        "5\r\nabcdeXX",
        "3\nabc\r\n0\r\n\r\n",
        "0\r\na\nb: c\r\n\r\n",
    ] {
        refused(&proxy.all(format!("{head}{body}")), 400);
    }
    assert_eq!(origin.seen(), 0);
}

#[test]
fn chunks_are_written_anew() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write(
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n\
         0003;ext=\"x\"\r\nabc\r\n2\r\nde\r\n0\r\nX-T: v\r\nContent-Length: 9\r\n\r\n",
    );
    let text = caller.answer().text();
    assert!(text.contains("\n\nabcde\n"), "{text}");
    caller.write(
        "GET /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    );
    assert!(caller.answer().text().contains("\n\nhi\n"));
    assert!(!text.contains("ext="), "{text}");
    assert!(!text.contains("content-length: 9"), "{text}");
}

#[test]
fn legal_targets_arrive_as_they_were_sent() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    for target in [
        &b"/a%2fb/../c//d?x=%00&y"[..],
        b"/\xc3\xa4\xff",
        b"/<b>\"{x}\"^|`\\",
        b"//host/path",
        b"/?",
        b"/{id}",
        b"/a|b?q=\xe4",
    ] {
        caller.write([b"GET ", target, b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat());
        let sent: String = target.iter().map(|byte| char::from(*byte)).collect();
        assert_eq!(caller.answer().text().lines().next(), Some(&*format!("GET {sent} HTTP/1.1")));
    }
    for (target, origin_form) in [
        ("http://h/a?b", "/a?b"),
        ("http://H", "/"),
        ("http://h?q", "/?q"),
        ("http://h/<x>", "/<x>"),
    ] {
        caller.write(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(
            caller.answer().text().lines().next(),
            Some(&*format!("GET {origin_form} HTTP/1.1"))
        );
    }
    caller.write("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(caller.answer().text().starts_with("OPTIONS * HTTP/1.1\n"));
}

#[test]
fn a_post_with_an_exotic_target_keeps_its_body() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    let body = "x".repeat(100_000);
    caller.write(format!(
        "POST /<> HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}GET /n HTTP/1.1\r\nHost: h\r\n\r\n",
        body.len()
    ));
    let text = caller.answer().text();
    assert!(text.starts_with("POST /<> HTTP/1.1\n") && text.contains(&body));
    assert!(caller.answer().text().starts_with("GET /n HTTP/1.1\n"));
}
