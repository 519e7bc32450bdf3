//! TLS on either side: ALPN, verification, and a certificate that nobody vouches for.
#![allow(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::{
    io::Write,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use http::Request;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client::TlsStream};

use crate::{
    events::watched,
    http2::{block_on, exchange},
    support::{Origin, Proxy, only_site, settings},
};
use gateway::{Gateway, Site, Sites, Upstream};
use shield::{policy, policy::Sources};

struct Identity {
    server: Arc<ServerConfig>,
    roots: RootCertStore,
    pem: tempfile::NamedTempFile,
}

fn identity(alpn: &[&[u8]]) -> Identity {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    server.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let mut pem = tempfile::NamedTempFile::new().unwrap();
    pem.write_all(made.cert.pem().as_bytes()).unwrap();
    Identity { server: Arc::new(server), roots, pem }
}

async fn connect(proxy: &Proxy, roots: RootCertStore, alpn: &[&[u8]]) -> TlsStream<TcpStream> {
    dial(proxy.address, roots, alpn).await.unwrap()
}

async fn dial(
    address: std::net::SocketAddr,
    roots: RootCertStore,
    alpn: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[test]
fn callers_choose_between_http1_and_http2_by_alpn() {
    let origin = Origin::echo();
    let identity = identity(&[b"h2", b"http/1.1"]);
    let proxy = Proxy::over(Some(Arc::clone(&identity.server)), settings(&origin.url()));
    block_on(async {
        let mut stream = connect(&proxy, identity.roots.clone(), &[b"http/1.1"]).await;
        stream
            .write_all(b"GET /one HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.contains("GET /one HTTP/1.1\n"), "{answer}");
        assert!(answer.contains("x-forwarded-proto: https\n"), "{answer}");

        let stream = connect(&proxy, identity.roots.clone(), &[b"h2"]).await;
        let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(async move {
            let _ = connection.await;
        });
        let request = Request::get("https://localhost/two").body(()).unwrap();
        let (_, text, _) = exchange(&mut sender, request, None).await.unwrap();
        assert!(text.starts_with("GET /two HTTP/1.1\n"), "{text}");
    });
}

#[test]
fn who_negotiates_http2_and_speaks_something_else_is_written_down() {
    let origin = Origin::echo();
    let identity = identity(&[b"h2"]);
    let tls = Some(Arc::clone(&identity.server));
    let (proxy, events) = watched(tls, settings(&origin.url()));
    block_on(async {
        let mut stream = connect(&proxy, identity.roots.clone(), &[b"h2"]).await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
        // Who leaves without a word is nobody's event.
        drop(connect(&proxy, identity.roots.clone(), &[b"h2"]).await);
    });
    proxy.drain();
    let events = events.lock().unwrap();
    let reasons: Vec<_> = events.iter().map(|event| event.signals[0].reason.as_str()).collect();
    assert!(matches!(*reasons, [only] if only.starts_with("http2-no-preface")), "{reasons:?}");
    assert_eq!(origin.seen(), 0);
}

/// An HTTPS origin that says what it was asked for.
async fn https_origin(server: Arc<ServerConfig>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(server);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let name = stream.get_ref().1.server_name().unwrap_or("none").to_owned();
                let mut read = [0; 4096];
                while stream.read(&mut read).await.is_ok_and(|n| n > 0) {
                    let answer =
                        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len());
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
            });
        }
    });
    address
}

fn before_https(port: u16, authorities: Option<&Path>) -> Proxy {
    let url = format!("https://localhost:{port}");
    let mut settings = settings(&url);
    let upstream = Upstream::parse(&url, authorities).unwrap();
    let name = only_site(&settings.engine);
    let site = Site::before(upstream);
    settings.sites = Sites::new([(name, site)].into());
    Proxy::with(settings)
}

#[test]
fn an_https_origin_is_verified_and_named() {
    let identity = identity(&[b"http/1.1"]);
    block_on(async {
        let address = https_origin(Arc::clone(&identity.server)).await;
        let trusting = before_https(address.port(), Some(identity.pem.path()));
        let doubting = before_https(address.port(), None);
        tokio::task::spawn_blocking(move || {
            let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
            let mut caller = trusting.connect();
            caller.write(get);
            assert_eq!(caller.answer().text(), "localhost");
            let mut caller = doubting.connect();
            caller.write(get);
            assert_eq!(caller.answer().status(), 502);
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_renewed_certificate_is_shown_without_a_restart() {
    let origin = Origin::echo();
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let renew = || {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        roots
    };
    let first = renew();
    let settings = settings(&origin.url());
    let text = format!(
        "version = 1\n[server]\nlisten = [{{ addr = \"127.0.0.1:0\", tls = \"main\" }}]\n[tls.main]\n\
         cert = {cert:?}\nkey = {key:?}\n[[site]]\nupstream = \"{}\"\n",
        origin.url()
    );
    let sources = Sources { file: Some(("palisade.toml", &text)), ..Sources::default() };
    let policy = policy::load(&sources).unwrap().0;
    let (listeners, certificates) = gateway::listeners(&policy, Vec::new()).unwrap();
    let gateway = Gateway::start(listeners, settings).unwrap();
    let address = gateway.addresses()[0];
    block_on(async {
        let mut standing = dial(address, first.clone(), &[b"http/1.1"]).await.unwrap();
        // A key that belongs to another certificate changes nothing.
        let whole = std::fs::read(&cert).unwrap();
        let second = renew();
        let renewed = std::fs::read(&cert).unwrap();
        std::fs::write(&cert, whole).unwrap();
        assert!(certificates.read_again(&policy).is_err());
        assert!(dial(address, first.clone(), &[b"http/1.1"]).await.is_ok());
        std::fs::write(&cert, renewed).unwrap();
        certificates.read_again(&policy).unwrap().show();
        assert!(dial(address, second, &[b"http/1.1"]).await.is_ok());
        assert!(dial(address, first, &[b"http/1.1"]).await.is_err(), "the old one is gone");
        let ask = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        standing.write_all(ask).await.unwrap();
        let mut answer = Vec::new();
        standing.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "what stood goes on");
    });
    gateway.drain();
}

#[test]
fn fifty_certificate_changes_under_load_fail_no_request() {
    const CHANGES: usize = 50;
    let origin = Origin::echo();
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let name = || vec!["localhost".to_owned()];
    let made: Vec<_> =
        (0..=CHANGES).map(|_| rcgen::generate_simple_self_signed(name()).unwrap()).collect();
    let mut roots = RootCertStore::empty();
    for one in &made {
        roots.add(one.cert.der().clone()).unwrap();
    }
    let put = |number: usize| {
        std::fs::write(&cert, made[number].cert.pem()).unwrap();
        std::fs::write(&key, made[number].signing_key.serialize_pem()).unwrap();
    };
    put(0);
    let text = format!(
        "version = 1\n[server]\nlisten = [{{ addr = \"127.0.0.1:0\", tls = \"main\" }}]\n[tls.main]\n\
         cert = {cert:?}\nkey = {key:?}\n[[site]]\nupstream = \"{}\"\n",
        origin.url()
    );
    let sources = Sources { file: Some(("palisade.toml", &text)), ..Sources::default() };
    let policy = policy::load(&sources).unwrap().0;
    let (listeners, certificates) = gateway::listeners(&policy, Vec::new()).unwrap();
    let gateway = Gateway::start(listeners, settings(&origin.url())).unwrap();
    let address = gateway.addresses()[0];
    let changed = AtomicUsize::new(0);
    let answered = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..3)
            .map(|_| {
                let (roots, changed) = (roots.clone(), &changed);
                scope.spawn(move || block_on(calls_until(CHANGES, changed, address, roots)))
            })
            .collect();
        for number in 1..=CHANGES {
            put(number);
            certificates.read_again(&policy).unwrap().show();
            changed.store(number, SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        callers.into_iter().map(|caller| caller.join().unwrap()).sum::<usize>()
    });
    assert!(answered >= CHANGES, "{answered}");
    gateway.drain();
}

/// New connections, each with two requests, until all changes were made. Any that fails ends it.
async fn calls_until(
    changes: usize,
    changed: &AtomicUsize,
    address: std::net::SocketAddr,
    roots: RootCertStore,
) -> usize {
    let mut answered = 0;
    while changed.load(SeqCst) < changes {
        let mut stream = dial(address, roots.clone(), &[b"http/1.1"]).await.unwrap();
        for last in ["keep-alive", "close"] {
            let ask = format!("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: {last}\r\n\r\n");
            stream.write_all(ask.as_bytes()).await.unwrap();
            let mut answer = vec![0; 4096];
            let read = stream.read(&mut answer).await.unwrap();
            assert!(answer[..read].starts_with(b"HTTP/1.1 200 "));
            answered += 1;
        }
    }
    answered
}

#[test]
fn an_authority_file_without_certificates_is_no_setup() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert!(Upstream::parse("https://localhost", Some(empty.path())).is_err());
    assert!(Upstream::parse("https://localhost", Some(Path::new("/nowhere"))).is_err());
    for wrong in
        ["ftp://h", "http://", "http://h:0", "http://h:x", "http://h/path", "h:80", "http://a b"]
    {
        assert!(Upstream::parse(wrong, None).is_err(), "{wrong}");
    }
}
