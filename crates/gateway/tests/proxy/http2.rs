//! HTTP/2 on either side, by prior knowledge.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Origin, PATIENCE, Proxy, settings};

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await.expect("in time") })
}

/// Sends one request over HTTP/2 and reads its answer to the end.
pub(crate) async fn exchange(
    sender: &mut h2::client::SendRequest<Bytes>,
    request: Request<()>,
    body: Option<(&'static str, Option<HeaderMap>)>,
) -> Result<(Response<()>, String, Option<HeaderMap>), h2::Error> {
    std::future::poll_fn(|cx| sender.poll_ready(cx)).await?;
    let (answer, mut stream) = sender.send_request(request, body.is_none())?;
    if let Some((data, trailers)) = body {
        stream.send_data(Bytes::from_static(data.as_bytes()), trailers.is_none())?;
        if let Some(trailers) = trailers {
            stream.send_trailers(trailers)?;
        }
    }
    let (parts, mut incoming) = answer.await?.into_parts();
    let mut text = Vec::new();
    while let Some(data) = incoming.data().await {
        let data = data?;
        incoming.flow_control().release_capacity(data.len())?;
        text.extend_from_slice(&data);
    }
    let trailers = incoming.trailers().await?;
    Ok((Response::from_parts(parts, ()), String::from_utf8_lossy(&text).into_owned(), trailers))
}

pub(crate) async fn connect(proxy: &Proxy) -> h2::client::SendRequest<Bytes> {
    let stream = TcpStream::connect(proxy.address).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(async move {
        let _ = connection.await;
    });
    sender
}

pub(crate) fn get(uri: &str) -> http::request::Builder {
    Request::builder().version(Version::HTTP_2).uri(uri)
}

/// An origin that speaks HTTP/2 and echoes body and trailers, as gRPC does.
async fn http2_origin() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(stream).await.unwrap();
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    tokio::spawn(async move {
                        let (parts, mut body) = request.into_parts();
                        let mut text = format!("{} {}\n", parts.method, parts.uri);
                        while let Some(Ok(data)) = body.data().await {
                            let _ = body.flow_control().release_capacity(data.len());
                            text.push_str(&String::from_utf8_lossy(&data));
                        }
                        let mut trailers = body.trailers().await.unwrap().unwrap_or_default();
                        trailers.insert("grpc-status", HeaderValue::from_static("0"));
                        let head = Response::builder()
                            .header(
                                "x-te",
                                parts
                                    .headers
                                    .get("te")
                                    .cloned()
                                    .unwrap_or(HeaderValue::from_static("none")),
                            )
                            .body(())
                            .unwrap();
                        let mut stream = respond.send_response(head, false).unwrap();
                        stream.send_data(Bytes::from(text), false).unwrap();
                        stream.send_trailers(trailers).unwrap();
                    });
                }
            });
        }
    });
    format!("h2c://{address}")
}

#[test]
fn http2_callers_reach_an_http1_origin_side_by_side() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    block_on(async {
        let sender = connect(&proxy).await;
        let mut waiting = Vec::new();
        for n in 0..50 {
            let mut sender = sender.clone();
            waiting.push(tokio::spawn(async move {
                let request = get(&format!("http://api.example.com/{n}?q"))
                    .header("cookie", "a=1")
                    .header("cookie", "b=2")
                    .body(())
                    .unwrap();
                let body = (n % 2 == 0).then_some(("data", None));
                (n, exchange(&mut sender, request, body).await.unwrap())
            }));
        }
        for task in waiting {
            let (n, (head, text, _)) = task.await.unwrap();
            assert_eq!(head.status(), 200);
            assert!(text.starts_with(&format!("GET /{n}?q HTTP/1.1\n")), "{text}");
            assert!(
                text.contains("host: api.example.com\n") && text.contains("cookie: a=1; b=2\n"),
                "{text}"
            );
            assert_eq!(text.contains("\n\ndata\n"), n % 2 == 0, "{text}");
            assert!(head.headers().contains_key("x-request-id"));
        }
    });
}

#[test]
fn grpc_passes_with_its_trailers() {
    block_on(async {
        let proxy = Arc::new(Proxy::with(settings(&http2_origin().await)));
        let mut sender = connect(&proxy).await;
        for _ in 0..3 {
            let request = get("http://h/pkg.Service/Method")
                .method("POST")
                .header("content-type", "application/grpc")
                .header("te", "trailers")
                .body(())
                .unwrap();
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", HeaderValue::from_static("7"));
            let (head, text, trailers) =
                exchange(&mut sender, request, Some(("message", Some(trailers)))).await.unwrap();
            assert_eq!(text, "POST http://h/pkg.Service/Method\nmessage");
            assert_eq!(head.headers()["x-te"], "trailers");
            let trailers = trailers.unwrap();
            assert_eq!(
                (&trailers["grpc-status"], &trailers["x-sum"]),
                (&HeaderValue::from_static("0"), &HeaderValue::from_static("7"))
            );
        }
    });
}

#[test]
fn http1_callers_reach_an_http2_origin_with_targets_encoded() {
    block_on(async {
        let proxy = Proxy::with(settings(&http2_origin().await));
        let answer = tokio::task::spawn_blocking(move || {
            let mut caller = proxy.connect();
            caller.write("POST /\u{e4}<b>?q HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
            caller.answer()
        });
        assert_eq!(answer.await.unwrap().text(), "POST http://h/%C3%A4%3Cb%3E?q\nhi");
    });
}

#[test]
fn contradictions_within_an_http2_request_are_refused() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    block_on(async {
        let mut sender = connect(&proxy).await;
        let refused = [
            get("http://a/").header("host", "b"),
            get("http://a/").header("host", "a").header("host", "a"),
            get("http://a/").header("content-length", "5"),
            get("http://a/").header("content-length", "+5"),
        ];
        for request in refused {
            let request = request.body(()).unwrap();
            match exchange(&mut sender, request, None).await {
                Ok((head, _, _)) => {
                    assert_eq!(head.status(), 400);
                    assert!(head.headers().contains_key("palisade-event"));
                }
                Err(error) => assert!(error.is_reset() || error.is_remote(), "{error}"),
            }
        }
        let fine = get("http://a/").header("host", "A").body(()).unwrap();
        assert_eq!(exchange(&mut sender, fine, None).await.unwrap().0.status(), 200);
    });
    assert_eq!(origin.seen(), 1);
}

#[test]
fn a_body_longer_or_shorter_than_promised_never_becomes_a_request() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    for promised in ["2", "200"] {
        block_on(async {
            let mut sender = connect(&proxy).await;
            let request = get("http://a/")
                .method("POST")
                .header("content-length", promised)
                .body(())
                .unwrap();
            if let Ok((head, _, _)) = exchange(&mut sender, request, Some(("12345", None))).await {
                assert!(head.status().is_client_error(), "{head:?}");
            }
        });
    }
    assert_eq!(origin.seen(), 0);
}

#[test]
fn a_body_that_goes_on_after_its_promised_length_never_becomes_a_request() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    for promised in ["0", "1"] {
        block_on(async {
            let mut sender = connect(&proxy).await;
            let request =
                get("http://a/").method("POST").header("content-length", promised).body(());
            let (answer, mut body) = sender.send_request(request.unwrap(), false).unwrap();
            if promised == "1" {
                body.send_data(Bytes::from_static(b"x"), false).unwrap();
            }
            // As much as was promised is there, and the end of the stream is not.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let _ = body.send_data(Bytes::from_static(b"yz"), true);
            if let Ok(answer) = answer.await {
                assert!(answer.status().is_client_error(), "{answer:?}");
            }
        });
    }
    assert_eq!(origin.seen(), 0);
}

#[test]
fn a_body_that_ends_late_at_its_promised_length_arrives_whole() {
    let origin = Origin::echo();
    let proxy = Proxy::before(&origin);
    for (promised, data) in [("0", ""), ("3", "xyz")] {
        block_on(async {
            let mut sender = connect(&proxy).await;
            let request =
                get("http://a/").method("POST").header("content-length", promised).body(());
            let (answer, mut body) = sender.send_request(request.unwrap(), false).unwrap();
            body.send_data(Bytes::from_static(data.as_bytes()), false).unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            body.send_data(Bytes::new(), true).unwrap();
            assert_eq!(answer.await.unwrap().status(), 200);
        });
    }
    assert_eq!(origin.seen(), 2);
}

#[test]
fn an_idle_connection_is_kept_for_its_time_and_then_ended_with_a_goodbye() {
    let origin = Origin::echo();
    let mut settings = settings(&origin.url());
    settings.terms.deadlines.head = Duration::from_millis(500);
    settings.terms.deadlines.idle = Duration::from_secs(2);
    let proxy = Proxy::with(settings);
    for requests in [0_u64, 2] {
        block_on(async {
            let stream = TcpStream::connect(proxy.address).await.unwrap();
            let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
            let began = std::time::Instant::now();
            let ended = tokio::spawn(async move { (connection.await, began.elapsed()) });
            for _ in 0..requests {
                let request = get("http://a/").body(()).unwrap();
                assert_eq!(exchange(&mut sender, request, None).await.unwrap().0.status(), 200);
                tokio::time::sleep(Duration::from_millis(1200)).await;
            }
            let (ending, lasted) = ended.await.unwrap();
            assert!(ending.is_ok(), "a GOAWAY without an error: {ending:?}");
            let least = Duration::from_millis(1800 + 1200 * requests.saturating_sub(1));
            assert!(lasted > least && lasted < least + Duration::from_secs(5), "{lasted:?}");
        });
    }
}

#[test]
fn streams_under_way_are_finished_when_the_gateway_stops() {
    let origin = Origin::start(|mut served| {
        while served.request().is_some() {
            std::thread::sleep(Duration::from_millis(700));
            served.answer(200, "late");
        }
    });
    let proxy = Proxy::before(&origin);
    block_on(async {
        let mut sender = connect(&proxy).await;
        let request = get("http://a/").body(()).unwrap();
        let answer = tokio::spawn(async move { exchange(&mut sender, request, None).await });
        while origin.seen() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let stopping = tokio::task::spawn_blocking(|| proxy.drain());
        assert_eq!(answer.await.unwrap().unwrap().1, "late");
        stopping.await.unwrap();
    });
}
