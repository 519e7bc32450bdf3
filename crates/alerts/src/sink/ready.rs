//! A sink of the policy with all that stands elsewhere: its secrets, and whom it trusts.

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use shield::policy::{
    Alerts, KeptSecret, OcsfClass, Provenance, Sink, SinkAddress, SinkKind, SinkUrl,
};

use crate::memory::Rule;

/// A secret that is longer is none.
const SECRET_BYTES_MAX: usize = 16 << 10;

/// A sink that can be told.
pub struct Ready {
    pub(crate) name: String,
    pub(crate) kind: SinkKind,
    pub(crate) to: SinkUrl,
    /// As it may be shown.
    pub(crate) shown: String,
    pub(crate) authorization: Option<String>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) link_local: bool,
    pub(crate) rule: Rule,
    pub(crate) wants_incidents: bool,
    pub(crate) wants_events: bool,
}

/// Reads what the sinks of a policy name: variables, files, certificates.
///
/// # Errors
/// Everything that is missing or wrong, each with its place. Nothing of a secret is in it.
pub fn ready(alerts: &Alerts) -> Result<Vec<Ready>, Vec<String>> {
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    for sink in &alerts.sinks {
        match of(sink) {
            Ok(ready) => all.push(ready),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(all) } else { Err(faults) }
}

fn of(sink: &Sink) -> Result<Ready, String> {
    let to = match &sink.to.value {
        SinkAddress::Here(url) => url.clone(),
        SinkAddress::Kept(secret) => {
            let text = read(secret, &sink.to.from)?;
            let wrong = |fault| format!("{}: {secret} holds no URL: {fault}", sink.to.from);
            SinkUrl::read(sink.kind, &text).map_err(wrong)?
        }
    };
    let authorization = match &sink.authorization {
        None => None,
        Some(setting) => {
            let text = read(&setting.value, &setting.from)?;
            if !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
                let fault = "holds characters that no header has";
                return Err(format!("{}: {} {fault}", setting.from, setting.value));
            }
            Some(text)
        }
    };
    let tls = match to.scheme.is_encrypted() {
        false => None,
        true => {
            let config = trust(sink.ca_file.value.as_deref());
            Some(Arc::new(config.map_err(|fault| format!("{}: {fault}", sink.ca_file.from))?))
        }
    };
    let wants = |class| sink.classes.contains(&class);
    Ok(Ready {
        name: sink.name.clone(),
        kind: sink.kind,
        shown: sink.to.value.to_string(),
        to,
        authorization,
        tls,
        link_local: sink.link_local.value,
        rule: Rule { min: sink.min.value, dedup: sink.dedup.value },
        wants_incidents: wants(OcsfClass::DetectionFinding),
        wants_events: wants(OcsfClass::HttpActivity),
    })
}

fn read(secret: &KeptSecret, from: &Provenance) -> Result<String, String> {
    let text = match secret {
        KeptSecret::Variable(name) => std::env::var(name).map_err(|_| {
            format!("{from}: the environment has no {name}\nhelp: set it before palisade starts")
        })?,
        KeptSecret::OnDisk(path) => fs::read_to_string(path).map_err(|error| {
            let path = path.display();
            format!("{from}: {path} cannot be read: {error}\nhelp: write the secret there")
        })?,
    };
    match text.trim() {
        "" => Err(format!("{from}: {secret} is empty")),
        text if text.len() > SECRET_BYTES_MAX => Err(format!("{from}: {secret} is too long")),
        text => Ok(text.to_owned()),
    }
}

/// Verifies against the given authorities, or else those of the machine.
fn trust(authorities: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match authorities {
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(path) => {
            let fail = |cause: &dyn fmt::Display| format!("{}: {cause}", path.display());
            let all = CertificateDer::pem_file_iter(path).map_err(|error| fail(&error))?;
            for certificate in all {
                let certificate = certificate.map_err(|error| fail(&error))?;
                roots.add(certificate).map_err(|error| fail(&error))?;
            }
            if roots.is_empty() {
                return Err(fail(&"no certificate in it"));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("name", &self.name).field("to", &self.shown).finish()
    }
}
