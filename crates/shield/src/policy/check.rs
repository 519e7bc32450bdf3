//! From documents to a policy: defaults, flags, and what several keys say together.
//!
//! What one key alone can get wrong was told when it was read. Here names must exist, nothing may
//! be said twice, and each value gets its origin.

mod alerts;
mod health;
mod rules;
mod site;

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use caller::Trust;
use caller::address::AddressSource;
use traffic::{Digest, HashKey, Hasher, Net};

use crate::policy::document::{
    self, PolicyDocument, SaidCrawler, SaidLimits, SaidListener, SaidServer, SaidStore, SaidTls,
};
use crate::policy::error::{Place, PolicyError, Remark, Warning};
use crate::policy::nearest::nearest;
use crate::policy::overlay::OverlayDocument;
use crate::policy::reader::{Given, Reader};
use crate::policy::setting::{Provenance, Setting};
use crate::policy::value::Wrong;
use crate::policy::{
    AcceptFrom, AccessLogTo, Admin, Limits, Listener, Policy, Server, Sources, Store, TlsIdentity,
    TlsVersion, UnderscoreHeaders,
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// With a file, the machine is taken to be meant for this.
const MEMORY_BYTES_WITH_FILE: u64 = 256 * MIB;
/// Without one, somebody is trying it out beside other things.
const MEMORY_BYTES_WITHOUT_FILE: u64 = 96 * MIB;
const DATA_FOLDER: &str = "palisade-data";

/// What the checks need besides the document.
struct Check<'s, 'r, 't> {
    sources: &'s Sources<'t>,
    reader: &'r mut Reader<'t>,
    /// The folder of the file, where its relative paths start.
    folder: Option<&'s FilePath>,
}

pub(super) fn load(sources: &Sources<'_>) -> Result<(Policy, Vec<Warning>), Vec<PolicyError>> {
    let (name, text) = sources.file.unwrap_or(("(no file)", "version = 1"));
    let (mut reader, top) = Reader::begin(name, text, &document::TOP, &document::SHAPES, false);
    let document = top.map(|top| PolicyDocument::read(top, &mut reader));
    let (overlay_name, overlay_text) = sources.overlay.unwrap_or(("overlay.toml", ""));
    let (overlay, overlay_reader) = OverlayDocument::read(overlay_name, overlay_text);
    let folder = sources.file.and_then(|(name, _)| FilePath::new(name).parent());
    let mut check = Check { sources, reader: &mut reader, folder };
    let policy = check.policy(document.unwrap_or_default(), &overlay);
    let (mut errors, mut warnings) = (reader.errors, reader.warnings);
    warnings.extend(overlay.strangers(&policy, &overlay_reader));
    errors.extend(overlay_reader.errors);
    warnings.extend(overlay_reader.warnings);
    if errors.is_empty() {
        warnings.sort_by_key(|warning| warning.0.order());
        return Ok((policy, warnings));
    }
    errors.sort_by_key(|error| error.0.order());
    Err(errors)
}

impl Check<'_, '_, '_> {
    /// Compiles as if all were well; whether it is, the errors tell.
    fn policy(&mut self, document: PolicyDocument, overlay: &OverlayDocument) -> Policy {
        let tls_names: Vec<&str> = document.tls.iter().map(|tls| tls.name.value.as_str()).collect();
        let server = self.server(document.server, &tls_names);
        let admin = document.admin.checked(&tls_names, self.reader);
        self.unused_tls(&document.tls, &server, &admin);
        let tls = self.tls(document.tls);
        let limits = limits(document.limits);
        let store = self.store(document.store);
        let rules = self.rules(document.rules);
        let debug = rules::debugging(document.debug);
        let crawlers = self.crawlers(document.crawlers);
        let alerts = self.alerts(document.alerts);
        let claims = self.sites(document.sites, &server.listen.value, &limits, overlay);
        let trust = Trust {
            proxies: server.trusted_proxies.value.clone(),
            source: server.client_ip.value.clone(),
        };
        let (sites, hosts, unclaimed) = (claims.sites, claims.hosts, claims.unclaimed);
        Policy {
            server,
            admin,
            tls,
            limits,
            store,
            rules,
            debug,
            crawlers,
            alerts,
            sites,
            version: version(self.sources),
            trust,
            hosts,
            unclaimed,
            rulebook: None,
            killed: overlay.killed.iter().map(|(layer, _)| *layer).collect(),
        }
    }

    fn server(&mut self, said: SaidServer, tls_names: &[&str]) -> Server {
        if let Some(source) = &said.client_ip
            && source.value != AddressSource::Socket
            && said.trusted_proxies.as_ref().is_none_or(|trusted| trusted.value.is_empty())
        {
            let cause = "`client_ip` has no effect: no proxy is trusted".to_owned();
            let help = "name your proxies in `trusted_proxies`, or leave this out";
            self.reader.warn(&source.span, cause, help);
        }
        let trusts = said.trusted_proxies.as_ref().is_some_and(|given| !given.value.is_empty());
        let memory = match self.sources.file {
            Some(_) => MEMORY_BYTES_WITH_FILE,
            None => MEMORY_BYTES_WITHOUT_FILE,
        };
        let workers = match self.sources.flags.workers {
            Some(0) => {
                self.flag_error("--workers", "0 threads do no work", "write 1 or more");
                Setting::default(None)
            }
            Some(workers) => Setting { value: Some(workers), from: Provenance::Flag("--workers") },
            None => setting(
                said.workers.map(|given| given.map(|count| u16::try_from(count).ok())),
                None,
            ),
        };
        Server {
            listen: self.listen(said.listen, tls_names, trusts),
            trusted_proxies: setting(said.trusted_proxies, Vec::new()),
            client_ip: setting(said.client_ip, AddressSource::XForwardedFor),
            request_id_from: setting(said.request_id_from, AcceptFrom::Trusted),
            drain_timeout: setting(said.drain_timeout, SECOND * 30),
            memory_budget: setting(said.memory_budget, memory),
            workers,
            access_log: self.access_log(said.access_log),
        }
    }

    fn access_log(&self, said: Option<Given<PathBuf>>) -> Setting<Option<AccessLogTo>> {
        let Some(given) = said else { return Setting::default(None) };
        if given.value.as_os_str() == "stdout" {
            return Setting { value: Some(AccessLogTo::Stdout), from: given.from };
        }
        let Setting { value, from } = self.path(given);
        Setting { value: Some(AccessLogTo::File(value)), from }
    }

    fn listen(
        &mut self,
        said: Option<Given<Vec<SaidListener>>>,
        tls_names: &[&str],
        trusts: bool,
    ) -> Setting<Vec<Listener>> {
        let from = said.as_ref().map(|given| given.from.clone());
        let listeners = said.map(|given| given.value).unwrap_or_default();
        let mut listen: Vec<Listener> = Vec::new();
        for SaidListener { address, tls, proxy_protocol } in listeners {
            if let Some(tls) = &tls
                && !tls_names.contains(&tls.value.as_str())
            {
                let help = match nearest(&tls.value, tls_names.iter().copied()) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("write a table [tls.{}] with `cert` and `key`", tls.value),
                };
                let cause = format!("there is no certificate {:?}", tls.value);
                self.reader.error(tls.span.clone(), Wrong { cause, help });
            }
            let socket = address.value;
            if socket.port() != 0 && listen.iter().any(|other| other.address == socket) {
                let cause = format!("{socket} is listened on twice");
                let help = "leave one out, or choose another port".to_owned();
                self.reader.error(address.span.clone(), Wrong { cause, help });
            }
            if let Some(given) = &proxy_protocol
                && given.value
                && !trusts
            {
                let cause = "`proxy_protocol` has no effect: no proxy is trusted".to_owned();
                self.reader.warn(&given.span, cause, "name your balancers in `trusted_proxies`");
            }
            listen.push(Listener {
                address: socket,
                tls: tls.map(|given| given.value),
                proxy_protocol: proxy_protocol.is_some_and(|given| given.value),
            });
        }
        let flags = &self.sources.flags.listen;
        if !flags.is_empty() {
            let read: Vec<_> = flags.iter().map(|text| document::socket_address(text)).collect();
            listen.clear();
            for address in read {
                match address {
                    Ok(address) => {
                        listen.push(Listener { address, tls: None, proxy_protocol: false });
                    }
                    Err(wrong) => self.flag_error("--listen", &wrong.cause, &wrong.help),
                }
            }
            return Setting { value: listen, from: Provenance::Flag("--listen") };
        }
        match from {
            Some(from) => Setting { value: listen, from },
            None => Setting::default(vec![Listener {
                address: std::net::SocketAddr::from(([127, 0, 0, 1], 8080)),
                tls: None,
                proxy_protocol: false,
            }]),
        }
    }

    /// A certificate that nobody uses is a listener that is not encrypted as it was meant to be.
    fn unused_tls(&mut self, said: &[SaidTls], server: &Server, admin: &Admin) {
        for tls in said {
            let name = &tls.name.value;
            let is_used = server.listen.iter().any(|other| other.tls.as_ref() == Some(name))
                || admin.tls.as_ref() == Some(name);
            if !is_used && server.listen.from != Provenance::Flag("--listen") {
                let help =
                    format!("use it: listen = [{{ addr = \"0.0.0.0:8443\", tls = \"{name}\" }}]");
                let cause = format!("no listener uses [tls.{name}]");
                self.reader.warn(&tls.name.span, cause, &help);
            }
        }
    }

    fn tls(&self, said: Vec<SaidTls>) -> BTreeMap<String, TlsIdentity> {
        let identity = |tls: SaidTls| {
            let identity = TlsIdentity {
                cert: self.path(tls.cert?),
                key: self.path(tls.key?),
                min_version: setting(tls.min_version, TlsVersion::V1_2),
            };
            Some((tls.name.value, identity))
        };
        said.into_iter().filter_map(identity).collect()
    }

    fn crawlers(&mut self, said: Vec<SaidCrawler>) -> BTreeMap<&'static str, Setting<Vec<Net>>> {
        let mut crawlers = BTreeMap::new();
        for SaidCrawler { name, networks } in said {
            if crawlers.contains_key(name.value) {
                let cause = format!("the crawler \"{}\" is named twice", name.value);
                let help = "write all of its networks in one place".to_owned();
                self.reader.error(name.span, Wrong { cause, help });
                continue;
            }
            crawlers.insert(name.value, setting(Some(networks), Vec::new()));
        }
        crawlers
    }

    fn store(&self, said: SaidStore) -> Store {
        let path = match (&self.sources.flags.data, said.path) {
            (Some(path), _) => Setting { value: path.clone(), from: Provenance::Flag("--data") },
            (None, Some(given)) => self.path(given),
            (None, None) => Setting::default(PathBuf::from(DATA_FOLDER)),
        };
        Store {
            path,
            events: setting(said.events, DAY * 14),
            rollups: setting(said.rollups, DAY * 400),
            max_disk: setting(said.max_disk, 10 << 30),
        }
    }

    /// A path of the file, relative to the file.
    fn path(&self, given: Given<PathBuf>) -> Setting<PathBuf> {
        Setting { value: self.resolved(given.value), from: given.from }
    }

    fn resolved(&self, path: PathBuf) -> PathBuf {
        match self.folder {
            Some(folder) if path.is_relative() => folder.join(path),
            _ => path,
        }
    }

    fn flag_error(&mut self, flag: &'static str, cause: &str, help: &str) {
        self.reader.errors.push(PolicyError(Remark {
            place: Place::Flag(flag),
            cause: cause.to_owned(),
            help: Some(help.to_owned()),
        }));
    }
}

/// See [`Policy::version`].
fn version(sources: &Sources<'_>) -> u64 {
    let hasher = Hasher::new(HashKey::new([0; 16]));
    let texts = [sources.file, sources.overlay].map(|source| match source {
        Some((name, text)) => hasher.hash(name.as_bytes()).then(hasher.hash(text.as_bytes())),
        None => hasher.hash(b""),
    });
    let flags = hasher.hash(format!("{:?}", sources.flags).as_bytes());
    texts.into_iter().fold(flags, Digest::then).0
}

fn limits(said: SaidLimits) -> Limits {
    Limits {
        header_bytes: setting(said.header_bytes, 16 * KIB),
        header_count: setting(said.header_count, 100),
        uri_bytes: setting(said.uri_bytes, 8 * KIB),
        body_bytes: setting(said.body_bytes, None),
        inspect_body: setting(said.inspect_body, 128 * KIB),
        header_timeout: setting(said.header_timeout, SECOND * 10),
        body_min_rate: setting(said.body_min_rate, 500),
        idle_timeout: setting(said.idle_timeout, SECOND * 60),
        underscore_headers: setting(said.underscore_headers, UnderscoreHeaders::Forward),
        h2_streams: setting(said.h2_streams, 100),
        h2_header_list: setting(said.h2_header_list, 32 * KIB),
    }
}

fn setting<T>(given: Option<Given<T>>, default: T) -> Setting<T> {
    match given {
        Some(Given { value, from, .. }) => Setting { value, from },
        None => Setting::default(default),
    }
}
