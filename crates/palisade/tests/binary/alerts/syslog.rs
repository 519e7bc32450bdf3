//! A receiver of syslog over TLS, with an authority of its own.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Keeps what it receives, each connection by itself. Ends with the test's process.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Receiver {
    /// Its certificate is in `ca.pem` in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        fs::write(folder.join("ca.pem"), made.cert.pem()).expect("written");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (config, kept) = (Arc::clone(&config), Arc::clone(&kept));
                std::thread::spawn(move || {
                    let connection = ServerConnection::new(config).expect("a connection");
                    let mut stream = StreamOwned::new(connection, socket);
                    let place = {
                        let mut kept = kept.lock().expect("the list");
                        kept.push(Vec::new());
                        kept.len() - 1
                    };
                    let mut buffer = [0; 4_096];
                    while let Ok(count) = stream.read(&mut buffer) {
                        if count == 0 {
                            return;
                        }
                        kept.lock().expect("the list")[place].extend(&buffer[..count]);
                    }
                });
            }
        });
        Self { port, received }
    }

    /// All whole frames: a length, a space, and as many bytes.
    pub(crate) fn frames(&self) -> Vec<String> {
        let received = self.received.lock().expect("the list");
        let mut frames = Vec::new();
        for bytes in received.iter() {
            let mut rest = bytes.as_slice();
            while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
                let digits = std::str::from_utf8(&rest[..space]).expect("digits");
                let length: usize = digits.parse().expect("a length");
                let Some(frame) = rest.get(space + 1..space + 1 + length) else { break };
                frames.push(String::from_utf8(frame.to_vec()).expect("UTF-8"));
                rest = &rest[space + 1 + length..];
            }
        }
        frames
    }
}
