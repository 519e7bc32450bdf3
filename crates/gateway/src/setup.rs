//! From a checked policy to sockets, certificates and upstreams: what the policy only names is
//! opened and loaded here, so that a bad file or a taken port is told before anything is served.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use shield::policy::{self, Policy, TlsIdentity, TlsVersion, UnderscoreHeaders};

use crate::{
    listen::bind,
    settings::{Listener, Settings},
    sites::Site,
    upstream::{Upstream, UpstreamDeadlines, UpstreamUrlError},
};

/// What the policy asks for and cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        cause: String,
    },
    /// A certificate or key cannot be used.
    #[error("cannot use {path}: {cause}")]
    Certificate {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
    /// An upstream cannot be used.
    #[error("site {site}: {cause}")]
    Upstream {
        /// The site.
        site: String,
        /// What is wrong with it.
        cause: UpstreamUrlError,
    },
}

/// Opens the sockets that a policy names.
///
/// # Errors
/// When one cannot be bound, or its certificate cannot be loaded.
pub fn listeners(policy: &Policy) -> Result<Vec<Listener>, SetupError> {
    let open = |listener: &policy::Listener| {
        let identity = listener.tls.as_ref().and_then(|name| policy.tls.get(name));
        let tls = identity.map(server_config).transpose()?;
        let socket = bind(listener.address).map_err(|cause| SetupError::Listen {
            address: listener.address.to_string(),
            cause: cause.to_string(),
        })?;
        Ok(Listener { socket, tls })
    };
    policy.server.listen.value.iter().map(open).collect()
}

/// The table of upstreams that a policy names.
///
/// # Errors
/// When an upstream's certificate authorities cannot be loaded.
pub fn sites(policy: &Policy) -> Result<BTreeMap<String, Site>, SetupError> {
    let site = |site: &policy::Site| {
        let authorities = site.ca_file.value.as_deref();
        let upstream = Upstream::of(&site.upstream.value, authorities)
            .map_err(|cause| SetupError::Upstream { site: site.name.clone(), cause })?;
        let deadlines = UpstreamDeadlines {
            connect: site.connect_timeout.value,
            first_byte: site.first_byte_timeout.value,
            answer_idle: site.idle_timeout.value,
            ..UpstreamDeadlines::default()
        };
        Ok((site.name.clone(), Site { upstream, deadlines }))
    };
    policy.sites.iter().map(site).collect()
}

impl Settings {
    /// Takes over what a policy says about callers.
    #[must_use]
    pub fn under(mut self, policy: &Policy) -> Self {
        let limits = &policy.limits;
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        if let Some(workers) = policy.server.workers.value {
            self.workers = usize::from(workers);
        }
        self.head_limits.header_bytes = size(limits.header_bytes.value);
        self.head_limits.header_count = usize::try_from(limits.header_count.value).unwrap_or(100);
        self.head_limits.target_bytes = size(limits.uri_bytes.value);
        self.head_limits.reject_underscores =
            limits.underscore_headers.value == UnderscoreHeaders::Reject;
        self.caller_deadlines.head = limits.header_timeout.value;
        self.caller_deadlines.idle = limits.idle_timeout.value;
        self.caller_deadlines.body_min_rate = limits.body_min_rate.value;
        self.http2.streams = limits.h2_streams.value;
        self.http2.header_list_bytes =
            u32::try_from(limits.h2_header_list.value).unwrap_or(u32::MAX);
        self.drain_timeout = policy.server.drain_timeout.value;
        self
    }
}

/// TLS for callers: the certificate, HTTP/2 by ALPN, nothing older than the policy allows.
fn server_config(identity: &TlsIdentity) -> Result<Arc<ServerConfig>, SetupError> {
    let fail = |path: &Path, cause: String| SetupError::Certificate {
        path: path.display().to_string(),
        cause,
    };
    let (cert, key) = (&identity.cert.value, &identity.key.value);
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| fail(cert, cause.to_string()))?;
    if chain.is_empty() {
        return Err(fail(cert, "no certificate in it".to_owned()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|cause| fail(key, cause.to_string()))?;
    let versions: &[_] = match identity.min_version.value {
        TlsVersion::V1_2 => &[&TLS13, &TLS12],
        TlsVersion::V1_3 => &[&TLS13],
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
        .map_err(|cause| fail(cert, cause.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
