//! `[admin]`: where the admin API is reached besides its socket, from the document to the policy.
//!
//! The socket in the data folder is always there and is not spoken of here. An address that other
//! machines reach needs TLS, or tokens would travel in the clear: such a file is refused.

use std::net::SocketAddr;

use crate::policy::document::{one_address, shape};
use crate::policy::error::Warning;
use crate::policy::nearest::nearest;
use crate::policy::reader::{Entry, Given, Reader, Section};
use crate::policy::setting::Setting;
use crate::policy::value::Wrong;

/// More names than this are a generated file gone wrong.
const HOSTS_MAX: usize = 64;

/// `[admin]`.
#[derive(Debug)]
pub struct Admin {
    /// Where the admin API listens; none is the socket alone.
    pub listen: Setting<Option<SocketAddr>>,
    /// The certificate's name in [`super::Policy::tls`].
    pub tls: Setting<Option<String>>,
    /// Names by which it is asked, besides addresses and `localhost`.
    pub hosts: Setting<Vec<String>>,
}

/// `[admin]` as it is written.
#[derive(Debug, Default)]
pub(super) struct SaidAdmin {
    listen: Option<Given<SocketAddr>>,
    pub(super) tls: Option<Given<String>>,
    hosts: Option<Given<Vec<String>>>,
}

impl SaidAdmin {
    pub(super) fn read<'t>(mut keys: Section<'t>, reader: &mut Reader<'t>) -> Self {
        let said = Self {
            listen: keys.take("listen").and_then(|entry| one_address(entry, reader)),
            tls: keys.take("tls").and_then(|entry| entry.string(reader, "\"main\"")),
            hosts: keys.take("hosts").and_then(|entry| hosts(entry, reader)),
        };
        reader.finish(keys);
        said
    }

    /// Checks what the keys say together.
    pub(super) fn checked(self, tls_names: &[&str], reader: &mut Reader<'_>) -> Admin {
        if let Some(tls) = &self.tls
            && !tls_names.contains(&tls.value.as_str())
        {
            let help = match nearest(&tls.value, tls_names.iter().copied()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("write a table [tls.{}] with `cert` and `key`", tls.value),
            };
            let cause = format!("there is no certificate {:?}", tls.value);
            reader.error(tls.span.clone(), Wrong { cause, help });
        }
        match &self.listen {
            Some(listen) if !listen.value.ip().is_loopback() && self.tls.is_none() => {
                let cause = format!(
                    "{} can be reached from other machines, and without TLS so can its tokens",
                    listen.value
                );
                let help = "write tls = \"NAME\" with a table [tls.NAME], or listen on 127.0.0.1";
                reader.error(listen.span.clone(), Wrong { cause, help: help.to_owned() });
            }
            Some(_) => {}
            None => reader.warnings.extend(self.pointless(reader)),
        }
        Admin {
            listen: optional(self.listen),
            tls: optional(self.tls),
            hosts: match self.hosts {
                Some(Given { value, from, .. }) => Setting { value, from },
                None => Setting::default(Vec::new()),
            },
        }
    }

    /// Keys that have no effect while nothing listens.
    fn pointless(&self, reader: &Reader<'_>) -> Option<Warning> {
        let tls = self.tls.as_ref().map(|given| ("tls", &given.span));
        let hosts = self.hosts.as_ref().map(|given| ("hosts", &given.span));
        let (key, span) = tls.or(hosts)?;
        let cause = format!("`{key}` has no effect: the admin API listens on its socket alone");
        Some(reader.warning(span, cause, "write listen = \"127.0.0.1:9443\", or leave this out"))
    }
}

fn hosts<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<Vec<String>>> {
    let mut given = entry.given(reader, Vec::new());
    let (key, span) = (entry.key.clone(), entry.span.clone());
    let items = entry.items();
    if items.len() > HOSTS_MAX {
        let cause = format!("`{key}` has {} names", items.len());
        reader.error(span, Wrong { cause, help: format!("write up to {HOSTS_MAX}") });
        return None;
    }
    let name = |item: Entry<'t>| item.text(reader, "\"admin.example.com\"", host_name);
    given.value = items.into_iter().filter_map(name).map(|name| name.value).collect();
    Some(given)
}

/// A name as it stands in a Host header, without its port.
fn host_name(text: &str) -> Result<String, Wrong> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if !text.is_empty() && text.len() <= 253 && text.chars().all(is_name) {
        return Ok(text.to_ascii_lowercase());
    }
    let cause = format!("{text:?} is not the name of a host");
    let help = "write it without scheme and port, as in \"admin.example.com\"".to_owned();
    Err(Wrong { cause, help })
}

fn optional<T>(given: Option<Given<T>>) -> Setting<Option<T>> {
    match given {
        Some(Given { value, from, .. }) => Setting { value: Some(value), from },
        None => Setting::default(None),
    }
}

/// `[admin]` of a document.
pub(super) fn read<'t>(top: &mut Section<'t>, reader: &mut Reader<'t>) -> SaidAdmin {
    let keys = top.take("admin").and_then(|entry| entry.table(reader, &shape::ADMIN));
    keys.map(|keys| SaidAdmin::read(keys, reader)).unwrap_or_default()
}
