//! An upstream's URL, checked once: scheme, host, port, and how TLS is spoken to it.

use std::{
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use shield::policy::{self, UpstreamScheme};

/// Which protocol an upstream connection speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Speech {
    /// HTTP/1.1 in clear text.
    Http1,
    /// HTTP/2 in clear text, by prior knowledge.
    H2c,
    /// TLS; ALPN settles between HTTP/2 and HTTP/1.1.
    Tls,
}

/// An upstream as configured.
#[derive(Clone)]
pub struct Upstream {
    pub(super) speech: Speech,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// By whom it is vouched for; 0 for authorities of the machine.
    authorities: u64,
}

/// Who may vouch for the upstreams of a site: read once for all of them.
pub(crate) struct Authorities {
    config: Arc<ClientConfig>,
    /// Tells those that were read from a file from others, also under the same path.
    fingerprint: u64,
}

/// Why an upstream cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamUrlError {
    /// The scheme is none of the three.
    #[error("an upstream starts with http://, https:// or h2c://")]
    Scheme,
    /// No host, or one that is no name and no address.
    #[error("`{0}` is no host name or address")]
    Host(String),
    /// The port is no number from 1 to 65535.
    #[error("`{0}` is no port")]
    Port(String),
    /// Paths are not rewritten.
    #[error("an upstream has no path: requests keep theirs")]
    Path,
    /// The CA file cannot be used.
    #[error("cannot read certificates from {path}: {cause}")]
    Authorities {
        /// The file.
        path: String,
        /// What went wrong.
        cause: String,
    },
    /// TLS cannot be set up.
    #[error("cannot set up tls: {0}")]
    Tls(String),
}

impl Upstream {
    /// Parses `http://host:port`, `https://host` or `h2c://host:port`.
    ///
    /// # Errors
    /// When the URL is none of these, or the certificate authorities cannot be loaded.
    pub fn parse(url: &str, authorities: Option<&Path>) -> Result<Self, UpstreamUrlError> {
        let (speech, rest, default_port) = [
            ("http://", Speech::Http1, 80),
            ("https://", Speech::Tls, 443),
            ("h2c://", Speech::H2c, 80),
        ]
        .into_iter()
        .find_map(|(scheme, speech, port)| Some((speech, url.strip_prefix(scheme)?, port)))
        .ok_or(UpstreamUrlError::Scheme)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(UpstreamUrlError::Path);
        }
        let (host, port) = split_authority(authority);
        let port = match port {
            None => default_port,
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| UpstreamUrlError::Port(port.to_owned()))?,
        };
        let authorities = match speech {
            Speech::Tls => Some(Authorities::read(authorities)?),
            Speech::Http1 | Speech::H2c => None,
        };
        Self::new(speech, host.to_owned(), port, authorities.as_ref())
    }

    /// The upstream that a policy names.
    ///
    /// # Errors
    /// When its host is none.
    pub(crate) fn of(
        upstream: &policy::Upstream,
        authorities: Option<&Authorities>,
    ) -> Result<Self, UpstreamUrlError> {
        let speech = match upstream.scheme {
            UpstreamScheme::Http => Speech::Http1,
            UpstreamScheme::Https => Speech::Tls,
            UpstreamScheme::H2c => Speech::H2c,
        };
        Self::new(speech, upstream.host.clone(), upstream.port, authorities)
    }

    fn new(
        speech: Speech,
        host: String,
        port: u16,
        authorities: Option<&Authorities>,
    ) -> Result<Self, UpstreamUrlError> {
        let name =
            ServerName::try_from(host.clone()).map_err(|_| UpstreamUrlError::Host(host.clone()))?;
        let authorities = authorities.filter(|_| speech == Speech::Tls);
        let tls = authorities.map(|authorities| (Arc::clone(&authorities.config), name));
        let authorities = authorities.map_or(0, |authorities| authorities.fingerprint);
        Ok(Self { speech, host, port, tls, authorities })
    }

    /// Host and port, as they stand in a request that names no host itself.
    pub(crate) fn authority(&self) -> String {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        format!("{open}{}{close}:{}", self.host, self.port)
    }

    /// The scheme that requests carry towards this upstream.
    pub(crate) fn scheme(&self) -> http::uri::Scheme {
        match self.speech {
            Speech::Tls => http::uri::Scheme::HTTPS,
            Speech::Http1 | Speech::H2c => http::uri::Scheme::HTTP,
        }
    }
}

impl PartialEq for Upstream {
    fn eq(&self, other: &Self) -> bool {
        let key = |of: &Self| (of.speech, of.port);
        key(self) == key(other) && self.host == other.host && self.authorities == other.authorities
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.speech {
            Speech::Http1 => "http",
            Speech::H2c => "h2c",
            Speech::Tls => "https",
        };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upstream({self})")
    }
}

fn split_authority(authority: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = authority.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}

impl Authorities {
    /// Those that vouch for a site's upstreams, if any of these speaks TLS.
    pub(crate) fn of(site: &policy::Site) -> Result<Option<Self>, UpstreamUrlError> {
        let speaks_tls = |upstream: &policy::Upstream| upstream.scheme == UpstreamScheme::Https;
        let is_needed = site.upstreams.value.iter().any(speaks_tls) || site.ca_file.value.is_some();
        is_needed.then(|| Self::read(site.ca_file.value.as_deref())).transpose()
    }

    /// The given authorities, or else those of the machine.
    fn read(path: Option<&Path>) -> Result<Self, UpstreamUrlError> {
        let (roots, fingerprint) = roots(path)?;
        let mut config = verifying(roots)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), fingerprint })
    }
}

/// TLS towards a server that is verified against the given authorities, or else those of the
/// machine.
///
/// # Errors
/// When the authorities cannot be used.
pub fn client_tls(authorities: Option<&Path>) -> Result<ClientConfig, UpstreamUrlError> {
    verifying(roots(authorities)?.0)
}

fn verifying(roots: RootCertStore) -> Result<ClientConfig, UpstreamUrlError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| UpstreamUrlError::Tls(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn roots(path: Option<&Path>) -> Result<(RootCertStore, u64), UpstreamUrlError> {
    let mut roots = RootCertStore::empty();
    let mut fingerprint = DefaultHasher::new();
    match path {
        Some(path) => {
            let fail = |cause: String| UpstreamUrlError::Authorities {
                path: path.display().to_string(),
                cause,
            };
            let certificates =
                CertificateDer::pem_file_iter(path).map_err(|e| fail(e.to_string()))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|e| fail(e.to_string()))?;
                certificate.as_ref().hash(&mut fingerprint);
                roots.add(certificate).map_err(|e| fail(e.to_string()))?;
            }
            if roots.is_empty() {
                return Err(fail("no certificate in it".to_owned()));
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return Ok((roots, 0));
        }
    }
    Ok((roots, fingerprint.finish().max(1)))
}
