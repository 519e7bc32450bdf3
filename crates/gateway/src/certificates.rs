//! The certificates that TLS listeners show, by the name that the policy gives them.
//!
//! Certificates are renewed in place every few weeks, under the same path: a reload reads the files
//! again and shows what is in them to connections that begin afterwards. Both halves are read and
//! held against each other before anything changes.

mod validity;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use shield::policy::{Policy, TlsIdentity, TlsVersion};
use traffic::Timestamp;

use crate::setup::SetupError;

/// The certificates of all listeners.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    shown: BTreeMap<String, Arc<Shown>>,
}

/// Certificates that were read and are not shown yet.
#[derive(Debug)]
pub struct Renewed(Vec<(Arc<Shown>, Arc<CertifiedKey>)>);

/// One certificate, as long as it is shown.
#[derive(Debug)]
struct Shown(Mutex<Arc<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Certificates {
    /// TLS for callers: the certificate, HTTP/2 by ALPN, nothing older than the policy allows.
    pub(crate) fn server_config(
        &mut self,
        name: &str,
        identity: &TlsIdentity,
    ) -> Result<Arc<ServerConfig>, SetupError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = read(identity, &provider)?;
        let shown = self
            .shown
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(Shown(Mutex::new(Arc::new(key)))));
        let versions: &[_] = match identity.min_version.value {
            TlsVersion::V1_2 => &[&TLS13, &TLS12],
            TlsVersion::V1_3 => &[&TLS13],
        };
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Shown>::clone(shown);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map(|builder| builder.with_no_client_auth().with_cert_resolver(resolver))
            .map_err(|cause| unusable(&identity.cert.value, cause))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// Until when each of them is valid, where that can be read.
    pub fn ends(&self) -> BTreeMap<String, Timestamp> {
        let end = |(name, shown): (&String, &Arc<Shown>)| {
            let key = Arc::clone(&shown.0.lock().unwrap_or_else(PoisonError::into_inner));
            Some((name.clone(), validity::ends(key.cert.first()?)?))
        };
        self.shown.iter().filter_map(end).collect()
    }

    /// Reads the files that a policy names for the certificates in use. Nothing changes yet.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn read_again(&self, policy: &Policy) -> Result<Renewed, SetupError> {
        let provider = rustls::crypto::ring::default_provider();
        let mut renewed = Vec::new();
        for (name, shown) in &self.shown {
            if let Some(identity) = policy.tls.get(name) {
                renewed.push((Arc::clone(shown), Arc::new(read(identity, &provider)?)));
            }
        }
        Ok(Renewed(renewed))
    }
}

impl Renewed {
    /// Shows them to connections that begin from now on.
    pub fn show(self) {
        for (shown, key) in self.0 {
            *shown.0.lock().unwrap_or_else(PoisonError::into_inner) = key;
        }
    }
}

/// Why a certificate cannot be used, if it cannot.
pub(crate) fn fault(identity: &TlsIdentity) -> Option<SetupError> {
    read(identity, &rustls::crypto::ring::default_provider()).err()
}

/// A certificate with its chain, and the key that belongs to it.
fn read(identity: &TlsIdentity, provider: &CryptoProvider) -> Result<CertifiedKey, SetupError> {
    let (cert, key) = (&identity.cert.value, &identity.key.value);
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| unusable(cert, cause))?;
    if chain.is_empty() {
        return Err(unusable(cert, "no certificate in it"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|cause| unusable(key, cause))?;
    CertifiedKey::from_der(chain, secret, provider).map_err(|cause| unusable(key, cause))
}

fn unusable(path: &Path, cause: impl ToString) -> SetupError {
    SetupError::Certificate { path: path.display().to_string(), cause: cause.to_string() }
}
