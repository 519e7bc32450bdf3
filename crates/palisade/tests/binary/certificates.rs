//! Certificates change while callers come over TLS, as they do at each renewal: by a signal, and
//! by nothing but new files. No request may fail by it.
//!
//! `PALISADE_CERTIFICATES` says how often they change; `make soak` has it do so fifty times.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::support::{PATIENCE, Palisade, shop, until};

/// A connection over TLS.
type Stream = StreamOwned<ClientConnection, TcpStream>;

/// Certificates and keys that follow each other, and callers who trust each of them.
struct Renewals {
    made: Vec<(CertificateDer<'static>, String, String)>,
    trust: Arc<ClientConfig>,
}

/// What became of a caller's requests.
#[derive(Debug, Default)]
struct Fate {
    answered: u64,
    failed: Vec<String>,
}

impl Renewals {
    fn new(count: usize) -> Self {
        let mut roots = RootCertStore::empty();
        let mut made = Vec::new();
        for _ in 0..count {
            let one = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
            roots.add(one.cert.der().clone()).expect("an anchor");
            let key = one.signing_key.serialize_pem();
            made.push((one.cert.der().clone(), one.cert.pem(), key));
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut trust = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        // Each handshake shows the certificate.
        trust.resumption = rustls::client::Resumption::disabled();
        Self { made, trust: Arc::new(trust) }
    }

    fn write(&self, number: usize, folder: &Path) {
        let (_, cert, key) = &self.made[number];
        fs::write(folder.join("cert.pem"), cert).expect("written");
        fs::write(folder.join("key.pem"), key).expect("written");
    }

    /// Opens a connection; which of the certificates was shown.
    fn connect(&self, to: SocketAddr) -> Result<(Stream, usize), String> {
        let said = |error: &dyn std::fmt::Display| error.to_string();
        let name = ServerName::try_from("localhost").map_err(|error| said(&error))?;
        let connection = ClientConnection::new(Arc::clone(&self.trust), name);
        let mut connection = connection.map_err(|error| said(&error))?;
        let mut socket = TcpStream::connect(to).map_err(|error| said(&error))?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(|error| said(&error))?;
        connection.complete_io(&mut socket).map_err(|error| said(&error))?;
        let shown = connection.peer_certificates().and_then(|chain| chain.first()).cloned();
        let number = self.made.iter().position(|(cert, ..)| Some(cert) == shown.as_ref());
        Ok((StreamOwned::new(connection, socket), number.ok_or("an unknown certificate")?))
    }

    /// A request on a connection of its own.
    fn ask_once(&self, to: SocketAddr) -> Result<(), String> {
        let (mut stream, _) = self.connect(to)?;
        ask(&mut stream)
    }

    /// Comes again and again until it is over, each time anew or on one connection.
    fn come(&self, to: SocketAddr, stays: bool, is_over: &AtomicBool) -> Fate {
        let mut fate = Fate::default();
        let mut kept = stays.then(|| self.connect(to).expect("a connection").0);
        while !is_over.load(Relaxed) {
            let done = match &mut kept {
                Some(stream) => ask(stream),
                None => self.ask_once(to),
            };
            match done {
                Ok(()) => fate.answered += 1,
                Err(why) => fate.failed.push(why),
            }
        }
        fate
    }
}

/// One request and its whole answer.
fn ask(stream: &mut Stream) -> Result<(), String> {
    let request = b"GET /api/v1/orders/7 HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 2_048];
    while !answer.ends_with(b"[1,2]}") {
        match stream.read(&mut buffer).map_err(|error| error.to_string())? {
            0 => return Err(format!("broken off: {}", String::from_utf8_lossy(&answer))),
            count => answer.extend(&buffer[..count]),
        }
    }
    match answer.starts_with(b"HTTP/1.1 200 ") {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&answer).into_owned()),
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

#[test]
fn no_request_fails_while_certificates_change() {
    let changes = std::env::var("PALISADE_CERTIFICATES").ok().and_then(|it| it.parse().ok());
    let changes: usize = changes.unwrap_or(4);
    let (upstream, folder) = (shop(), tempfile::tempdir().expect("a folder"));
    let renewals = Renewals::new(changes + 1);
    renewals.write(0, folder.path());
    let to = free_address();
    let file = folder.path().join("palisade.toml");
    let text = format!(
        "version = 1\n[server]\nlisten = [\"127.0.0.1:0\", {{ addr = \"{to}\", tls = \"main\" }}]\n\
         [tls.main]\ncert = \"{at}/cert.pem\"\nkey = \"{at}/key.pem\"\n\
         [[site]]\nupstream = \"{}\"\n",
        upstream.url(),
        at = folder.path().display()
    );
    fs::write(&file, text).expect("written");
    let data = folder.path().join("data");
    let palisade = Palisade::start(&data, &["-c", file.to_str().expect("a path")]);
    let is_over = AtomicBool::new(false);
    let fates: Vec<Fate> = std::thread::scope(|scope| {
        let come = |stays| renewals.come(to, stays, &is_over);
        let callers: Vec<_> = [false, false, true]
            .into_iter()
            .map(|stays| scope.spawn(move || come(stays)))
            .collect();
        for number in 1..=changes {
            renewals.write(number, folder.path());
            // Every other one is seen only because the files are others.
            if number % 2 == 1 {
                palisade.signal("HUP");
            }
            until("the new certificate", || {
                let (_, shown) = renewals.connect(to).expect("a connection");
                assert!(shown == number || shown + 1 == number, "{shown} after {number}");
                (shown == number).then_some(())
            });
        }
        is_over.store(true, Relaxed);
        callers.into_iter().map(|caller| caller.join().expect("a caller")).collect()
    });
    for fate in &fates {
        assert!(fate.failed.is_empty(), "{:?}", fate.failed);
        assert!(fate.answered > changes as u64, "{fates:?}");
    }
    let answered: u64 = fates.iter().map(|fate| fate.answered).sum();
    println!("{changes} certificate changes, {answered} requests, none failed");
    let status = palisade.json(&["status"]);
    assert!(status["policy_version"].as_u64() > Some(changes as u64), "{status}");
    assert_eq!(status["policy_faults"], serde_json::Value::Null);
    // A key that does not fit changes nothing, and is told.
    fs::write(folder.path().join("key.pem"), &renewals.made[0].2).expect("written");
    until("the fault", || {
        let status = palisade.json(&["status"]);
        status["policy_faults"][0].as_str().is_some_and(|it| it.contains("key")).then_some(())
    });
    assert_eq!(renewals.connect(to).expect("a connection").1, changes, "the old one is shown");
}
