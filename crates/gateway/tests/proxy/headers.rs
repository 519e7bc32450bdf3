//! What crosses the gateway, and what it says for itself.

use crate::{
    events::{find, watched},
    support::{Origin, Proxy, with_policy},
};

fn sent_on(headers: &str) -> String {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write(format!("GET / HTTP/1.1\r\nHost: api.example.com:81\r\n{headers}\r\n"));
    caller.answer().text()
}

#[test]
fn claims_of_strangers_are_replaced() {
    let text = sent_on(
        "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=1.2.3.4\r\n\
         X-Real-IP: 1.2.3.4\r\nCF-Connecting-IP: 1.2.3.4\r\nTrue-Client-IP: 1.2.3.4\r\nX-Request-Id: mine\r\n\
         Client-IP: 1.2.3.4\r\nX-Client-IP: 1.2.3.4\r\nX-Cluster-Client-IP: 1.2.3.4\r\nFastly-Client-IP: 1.2.3.4\r\n\
         X-Originating-IP: 1.2.3.4\r\nX-Forwarded-Client-Cert: Hash=evil\r\nX-Original-URL: /evil\r\n\
         Proxy: http://evil/\r\n\
         traceparent: 00-00000000000000000000000000000001-0000000000000001-00\r\n",
    );
    assert!(
        !text.contains("1.2.3.4") && !text.contains("evil") && !text.contains("mine"),
        "{text}"
    );
    assert!(!text.contains("0000000000000001"), "{text}");
    for set in [
        "host: api.example.com:81\n",
        "x-forwarded-for: 127.0.0.1\n",
        "x-forwarded-proto: http\n",
        "x-forwarded-host: api.example.com:81\n",
        "x-request-id: ",
        "traceparent: 00-",
    ] {
        assert!(text.contains(set), "{set}: {text}");
    }
}

#[test]
fn a_header_of_the_policys_choice_names_the_caller() {
    let origin = Origin::echo();
    for (trusted, caller_seen, sent_on) in
        [("127.0.0.0/8", "198.51.100.7", true), ("10.0.0.0/8", "127.0.0.1", false)]
    {
        let server = format!(
            "[server]\ntrusted_proxies = [\"{trusted}\"]\nclient_ip = \"header:Fly-Client-IP\"\n\
             [limits]\nbody_bytes = \"1B\"\n"
        );
        let (proxy, events) = watched(None, with_policy(&origin.url(), &server));
        let mut caller = proxy.connect();
        let claims = "Fly-Client-IP: 198.51.100.7\r\nFly_Client_IP: 203.0.113.1\r\n";
        caller.write(format!("GET / HTTP/1.1\r\nHost: h\r\n{claims}\r\n"));
        let text = caller.answer().text();
        assert_eq!(text.contains("198.51.100.7"), sent_on, "{text}");
        assert!(!text.contains("203.0.113.1"), "{text}");
        // Of an honest request a sample is kept, and it names the caller.
        let id = text.lines().find_map(|line| line.strip_prefix("x-request-id: "));
        let event = find(&events, id.unwrap_or_default());
        assert_eq!(event.client, caller_seen);
    }
}

#[test]
fn connection_strips_what_it_may_and_nothing_more() {
    let text = sent_on(
        "Connection: keep-alive, X-Hop, Authorization, Cookie, Host, X-Forwarded-For, X-Request-Id\r\nX-Hop: 1\r\n\
         Keep-Alive: timeout=5\r\nProxy-Connection: close\r\nTE: gzip\r\nAuthorization: Bearer t\r\nCookie: a=b\r\n\
         Proxy-Authorization: Basic x\r\n",
    );
    for gone in ["x-hop", "keep-alive", "proxy-", "te: ", "connection"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    for kept in ["authorization: Bearer t", "cookie: a=b", "host: ", "x-forwarded-for: 127.0.0.1"] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
}

#[test]
fn names_with_underscores_pass_unless_they_pose_as_another() {
    let text = sent_on(
        "X_Custom: ok\r\nX_Forwarded_For: 9.9.9.9\r\nContent_Length: 5\r\nX-Both: real\r\nX_Both: fake\r\n\
         Transfer_Encoding: chunked\r\nX_Request-Id: 7\r\n",
    );
    assert!(text.contains("x_custom: ok\n") && text.contains("x-both: real\n"), "{text}");
    for gone in ["9.9.9.9", "fake", "_length", "_encoding", "x_request"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
}

#[test]
fn answers_lose_their_hop_by_hop_headers_and_name_the_request() {
    let origin = Origin::start(|mut served| {
        while served.request().is_some() {
            served.write(
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: X-Inner, keep-alive\r\nX-Inner: 1\r\n\
                 Keep-Alive: timeout=3\r\nX-Outer: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok",
            );
        }
    });
    let proxy = Proxy::before(&origin);
    let mut caller = proxy.connect();
    caller.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    let answer = caller.answer();
    assert_eq!(answer.text(), "ok");
    assert!(answer.header("x-inner").is_none() && answer.header("keep-alive").is_none());
    assert_eq!(answer.header("x-outer"), Some("2"));
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "set-cookie").count(), 2);
    assert_eq!(answer.header("x-request-id").map(str::len), Some(36));
}
