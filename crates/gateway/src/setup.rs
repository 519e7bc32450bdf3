//! From a checked policy to sockets, certificates and upstreams: what the policy only names is
//! opened and loaded here, so that a bad file or a taken port is told before anything is served.

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use rustls::ServerConfig;
use shield::policy::{self, Policy, Provenance};

use crate::{
    certificates::{self, Certificates},
    listen::bind,
    settings::{Listener, Settings},
    sites::Site,
    upstream::{Authorities, Care, Upstream, UpstreamDeadlines, UpstreamUrlError},
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
    /// A socket was handed over that the policy does not name.
    #[error("a socket on {address} is handed over, and `server.listen` does not name it")]
    Inherited {
        /// Its address.
        address: String,
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

/// Opens the sockets that a policy names, and reads the certificates that they show. Sockets that
/// were opened already, by whoever started the program, are used in their place; where the policy
/// says nothing they are all there is.
///
/// # Errors
/// When one cannot be bound, its certificate cannot be loaded, or nothing is known of a socket that
/// was handed over.
pub fn listeners(
    policy: &Policy,
    mut inherited: Vec<TcpListener>,
) -> Result<(Vec<Listener>, Certificates), SetupError> {
    let listen = &policy.server.listen;
    if listen.from == Provenance::Default && !inherited.is_empty() {
        let listeners = inherited.into_iter().map(|socket| Listener::new(socket, None));
        return Ok((listeners.collect(), Certificates::default()));
    }
    let mut certificates = Certificates::default();
    let mut open = |listener: &policy::Listener| {
        let identity = listener.tls.as_ref().and_then(|name| Some((name, policy.tls.get(name)?)));
        let config = |(name, identity): (&String, _)| certificates.server_config(name, identity);
        let tls = identity.map(config).transpose()?;
        let socket = match taken(&mut inherited, listener.address) {
            Some(socket) => socket,
            None => bind(listener.address).map_err(|cause| SetupError::Listen {
                address: listener.address.to_string(),
                cause: why_not(&cause),
            })?,
        };
        Ok(Listener { socket, tls, proxy_protocol: listener.proxy_protocol })
    };
    let listeners = listen.value.iter().map(&mut open);
    let listeners = listeners.collect::<Result<_, SetupError>>()?;
    match inherited.first().map(TcpListener::local_addr) {
        Some(Ok(address)) => Err(SetupError::Inherited { address: address.to_string() }),
        Some(Err(_)) | None => Ok((listeners, certificates)),
    }
}

/// The socket that was handed over for an address: on that very address, or on its port everywhere.
fn taken(inherited: &mut Vec<TcpListener>, address: SocketAddr) -> Option<TcpListener> {
    let mut at = |is_it: &dyn Fn(SocketAddr) -> bool| {
        let found = inherited.iter().position(|socket| socket.local_addr().is_ok_and(is_it));
        found.map(|found| inherited.swap_remove(found))
    };
    let everywhere = address.ip().is_unspecified();
    at(&|other| other == address).or_else(|| {
        at(&|other| everywhere && other.ip().is_unspecified() && other.port() == address.port())
    })
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
    let unusable = |cause| SetupError::Upstream { site: site.name.clone(), cause };
    let authorities = Authorities::of(site).map_err(unusable)?;
    let upstream = |upstream| Upstream::of(upstream, authorities.as_ref());
    let upstreams = site.upstreams.value.iter().map(upstream).collect::<Result<_, _>>();
    let upstreams = upstreams.map_err(unusable)?;
    let deadlines = UpstreamDeadlines {
        connect: site.connect_timeout.value,
        first_byte: site.first_byte_timeout.value,
        answer_idle: site.idle_timeout.value,
        ..UpstreamDeadlines::default()
    };
    Ok((site.name.clone(), Site { upstreams, deadlines, care: care(site) }))
}

fn care(site: &policy::Site) -> Care {
    let health = &site.health;
    Care {
        retries: site.retries.value,
        path: health.path.value.clone(),
        // Asked under the name that callers use, where there is one.
        host: site.hosts.value.iter().find(|host| !host.contains('*')).cloned(),
        interval: health.interval.value,
        timeout: health.timeout.value,
        statuses: health.status.value.iter().map(|range| (range.first, range.last)).collect(),
        unhealthy_after: health.unhealthy_after.value,
        healthy_after: health.healthy_after.value,
        eject_after: health.eject_after.value,
        eject_for: health.eject_for.value,
        eject_percent_max: health.eject_percent_max.value,
        slow_start: health.slow_start.value,
    }
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
