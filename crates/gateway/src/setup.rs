//! From a checked policy to sockets, certificates and upstreams: what the policy only names is
//! opened and loaded here, so that a bad file or a taken port is told before anything is served.

use std::{collections::BTreeMap, io, sync::Arc};

use rustls::ServerConfig;
use shield::policy::{self, Policy};

use crate::{
    certificates::{self, Certificates},
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

/// Opens the sockets that a policy names, and reads the certificates that they show.
///
/// # Errors
/// When one cannot be bound, or its certificate cannot be loaded.
pub fn listeners(policy: &Policy) -> Result<(Vec<Listener>, Certificates), SetupError> {
    let mut certificates = Certificates::default();
    let mut open = |listener: &policy::Listener| {
        let identity = listener.tls.as_ref().and_then(|name| Some((name, policy.tls.get(name)?)));
        let config = |(name, identity): (&String, _)| certificates.server_config(name, identity);
        let tls = identity.map(config).transpose()?;
        let socket = bind(listener.address).map_err(|cause| SetupError::Listen {
            address: listener.address.to_string(),
            cause: why_not(&cause),
        })?;
        Ok(Listener { socket, tls })
    };
    let listeners = policy.server.listen.value.iter().map(&mut open);
    let listeners = listeners.collect::<Result<_, SetupError>>()?;
    Ok((listeners, certificates))
}

/// TLS for the admin API, with the certificate that a policy names for it, if it names one.
///
/// # Errors
/// When the certificate cannot be loaded.
pub fn admin_tls(
    policy: &Policy,
    certificates: &mut Certificates,
) -> Result<Option<Arc<ServerConfig>>, SetupError> {
    let named = policy.admin.tls.as_ref().and_then(|name| Some((name, policy.tls.get(name)?)));
    let Some((name, identity)) = named else { return Ok(None) };
    let mut config = ServerConfig::clone(&*certificates.server_config(name, identity)?);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

/// Why a socket cannot be opened, with what to do about it.
fn why_not(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "something else listens there; stop it, or choose another port (--listen)".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "not allowed; ports below 1024 need more rights (--listen chooses another)".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => error.to_string(),
    }
}

/// The table of upstreams that a policy names.
///
/// # Errors
/// When an upstream's certificate authorities cannot be loaded.
pub fn sites(policy: &Policy) -> Result<BTreeMap<String, Site>, SetupError> {
    policy.sites.iter().map(site).collect()
}

fn site(site: &policy::Site) -> Result<(String, Site), SetupError> {
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
}

/// Everything that is wrong with the files that a policy names: certificates, keys, authorities.
pub fn file_faults(policy: &Policy) -> Vec<SetupError> {
    let certificates = policy.tls.values().filter_map(certificates::fault);
    certificates.chain(policy.sites.iter().filter_map(|one| site(one).err())).collect()
}

impl Settings {
    /// Takes over what a policy says about callers.
    #[must_use]
    pub fn under(mut self, policy: &Policy) -> Self {
        if let Some(workers) = policy.server.workers.value {
            self.workers = usize::from(workers);
        }
        self.terms = self.terms.under(policy);
        self.drain_timeout = policy.server.drain_timeout.value;
        self
    }
}
