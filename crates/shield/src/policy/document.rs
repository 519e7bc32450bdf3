//! `palisade.toml` as it is written: each key that was given, with its place, and nothing else.
//!
//! Types, units and bounds are checked here, because they belong to one key alone. Defaults, flags
//! and what several keys say together are the work of `check`.

mod shape;
mod site;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use caller::address::AddressSource;
use http::HeaderName;
use toml::de::DeValue;
use traffic::Net;

use crate::policy::error::Show;
use crate::policy::reader::{Entry, Given, Reader, Section};
use crate::policy::value::{self, Wrong};
use crate::policy::{AcceptFrom, TlsVersion, UnderscoreHeaders};

pub(super) use shape::{
    ACCEPT_FROM, CLIENT_IP, OVERLAY, OVERLAY_LAYERS, OVERLAY_PROTECT, OVERLAY_ROUTE,
    OVERLAY_ROUTES, OVERLAY_SHAPES, OVERLAY_SITE, OVERLAY_SITES, SHAPES, TLS_VERSION, TOP,
    UNDERSCORE,
};
pub(super) use site::{
    SaidRate, SaidRoute, SaidSite, read_mode, read_protect, shown_per, upstream,
};

/// The version of the document that this program reads.
pub(super) const VERSION: u32 = 1;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// How many of something a document may name: more is a generated file gone wrong.
const LISTENERS_MAX: usize = 64;
const TRUSTED_MAX: usize = 1_024;
const TLS_MAX: usize = 256;

/// All that the file says.
#[derive(Debug, Default)]
pub(super) struct PolicyDocument {
    pub(super) server: SaidServer,
    pub(super) tls: Vec<SaidTls>,
    pub(super) limits: SaidLimits,
    pub(super) store: SaidStore,
    pub(super) sites: Vec<SaidSite>,
}

#[derive(Debug, Default)]
pub(super) struct SaidServer {
    pub(super) listen: Option<Given<Vec<SaidListener>>>,
    pub(super) trusted_proxies: Option<Given<Vec<Net>>>,
    pub(super) client_ip: Option<Given<AddressSource>>,
    pub(super) request_id_header: Option<Given<HeaderName>>,
    pub(super) request_id_from: Option<Given<AcceptFrom>>,
    pub(super) drain_timeout: Option<Given<Duration>>,
    pub(super) memory_budget: Option<Given<u64>>,
    pub(super) workers: Option<Given<u32>>,
}

#[derive(Debug)]
pub(super) struct SaidListener {
    pub(super) address: Given<SocketAddr>,
    pub(super) tls: Option<Given<String>>,
}

#[derive(Debug)]
pub(super) struct SaidTls {
    pub(super) name: Given<String>,
    pub(super) cert: Option<Given<PathBuf>>,
    pub(super) key: Option<Given<PathBuf>>,
    pub(super) min_version: Option<Given<TlsVersion>>,
}

#[derive(Debug, Default)]
pub(super) struct SaidLimits {
    pub(super) header_bytes: Option<Given<u64>>,
    pub(super) header_count: Option<Given<u32>>,
    pub(super) uri_bytes: Option<Given<u64>>,
    pub(super) body_bytes: Option<Given<Option<u64>>>,
    pub(super) inspect_body: Option<Given<u64>>,
    pub(super) header_timeout: Option<Given<Duration>>,
    pub(super) body_min_rate: Option<Given<u64>>,
    pub(super) idle_timeout: Option<Given<Duration>>,
    pub(super) underscore_headers: Option<Given<UnderscoreHeaders>>,
    pub(super) h2_streams: Option<Given<u32>>,
    pub(super) h2_header_list: Option<Given<u64>>,
}

#[derive(Debug, Default)]
pub(super) struct SaidStore {
    pub(super) path: Option<Given<PathBuf>>,
    pub(super) events: Option<Given<Duration>>,
    pub(super) rollups: Option<Given<Duration>>,
}

impl PolicyDocument {
    /// Reads a document; what cannot be read is said to `reader` and counts as not given.
    pub(super) fn read<'t>(mut top: Section<'t>, reader: &mut Reader<'t>) -> Self {
        let mut document = Self::default();
        let version = top.take("version");
        check_version(version, reader);
        if let Some(server) = top
            .take("server")
            .and_then(|e| e.table(reader, &shape::SERVER))
        {
            document.server = SaidServer::read(server, reader);
        }
        if let Some(tls) = top
            .take("tls")
            .and_then(|e| e.table(reader, &shape::TLS_NAMES))
        {
            document.tls = read_tls(tls, reader);
        }
        if let Some(limits) = top
            .take("limits")
            .and_then(|e| e.table(reader, &shape::LIMITS))
        {
            document.limits = SaidLimits::read(limits, reader);
        }
        if let Some(store) = top
            .take("store")
            .and_then(|e| e.table(reader, &shape::STORE))
        {
            document.store = SaidStore::read(store, reader);
        }
        if let Some(sites) = top.take("site") {
            document.sites = site::read_all(sites, reader);
        }
        reader.finish(top);
        document
    }
}

/// A file must say which version it is written for, so that a later program can still read it.
pub(super) fn check_version<'t>(version: Option<Entry<'t>>, reader: &mut Reader<'t>) {
    let help = "write `version = 1` in the first line".to_owned();
    let Some(version) = version else {
        let cause = "the version is missing".to_owned();
        return reader.error(0..0, Wrong { cause, help });
    };
    let span = version.span.clone();
    match version.integer(reader, 0..=u32::MAX) {
        Some(given) if given.value != VERSION => {
            let cause = format!("version {} is not known: this program reads 1", given.value);
            let help = "write `version = 1`, or use a newer palisade".to_owned();
            reader.error(span, Wrong { cause, help });
        }
        _ => {}
    }
}

impl SaidServer {
    fn read<'t>(mut keys: Section<'t>, reader: &mut Reader<'t>) -> Self {
        let mut said = Self {
            listen: keys
                .take("listen")
                .and_then(|entry| listeners(entry, reader)),
            trusted_proxies: keys
                .take("trusted_proxies")
                .map(|entry| nets(entry, reader)),
            client_ip: keys
                .take("client_ip")
                .and_then(|entry| entry.word(reader, &CLIENT_IP)),
            drain_timeout: keys
                .take("drain_timeout")
                .and_then(|entry| entry.duration(reader, Duration::ZERO..=HOUR)),
            memory_budget: keys
                .take("memory_budget")
                .and_then(|entry| entry.bytes(reader, 16 * MIB..=1 << 40)),
            workers: keys
                .take("workers")
                .and_then(|entry| entry.integer(reader, 1..=1_024)),
            ..Self::default()
        };
        let id = keys
            .take("request_id")
            .and_then(|entry| entry.table(reader, &shape::REQUEST_ID));
        if let Some(mut id) = id {
            said.request_id_header = id
                .take("header")
                .and_then(|e| e.text(reader, "\"x-request-id\"", header_name));
            said.request_id_from = id
                .take("accept_from")
                .and_then(|e| e.word(reader, &ACCEPT_FROM));
            reader.finish(id);
        }
        reader.finish(keys);
        said
    }
}

impl SaidLimits {
    fn read<'t>(mut keys: Section<'t>, reader: &mut Reader<'t>) -> Self {
        let (second, minutes) = (SECOND, SECOND * 300);
        let mut said = Self {
            header_bytes: keys
                .take("header_bytes")
                .and_then(|e| e.bytes(reader, KIB..=MIB)),
            header_count: keys
                .take("header_count")
                .and_then(|e| e.integer(reader, 8..=1_000)),
            uri_bytes: keys
                .take("uri_bytes")
                .and_then(|e| e.bytes(reader, 256..=64 * KIB)),
            body_bytes: keys
                .take("body_bytes")
                .and_then(|entry| body_bytes(entry, reader)),
            inspect_body: keys
                .take("inspect_body")
                .and_then(|e| e.bytes(reader, 0..=16 * MIB)),
            header_timeout: keys
                .take("header_timeout")
                .and_then(|entry| entry.duration(reader, second..=minutes)),
            body_min_rate: keys
                .take("body_min_rate")
                .and_then(|entry| entry.text(reader, "\"500B/s\"", value::bytes_per_second)),
            idle_timeout: keys
                .take("idle_timeout")
                .and_then(|entry| entry.duration(reader, second..=HOUR)),
            underscore_headers: keys
                .take("underscore_headers")
                .and_then(|entry| entry.word(reader, &UNDERSCORE)),
            ..Self::default()
        };
        if let Some(mut h2) = keys
            .take("h2")
            .and_then(|entry| entry.table(reader, &shape::H2))
        {
            said.h2_streams = h2
                .take("streams")
                .and_then(|e| e.integer(reader, 1..=10_000));
            said.h2_header_list = h2
                .take("header_list")
                .and_then(|e| e.bytes(reader, KIB..=MIB));
            reader.finish(h2);
        }
        reader.finish(keys);
        said
    }
}

impl SaidStore {
    fn read<'t>(mut keys: Section<'t>, reader: &mut Reader<'t>) -> Self {
        let path = keys.take("path");
        let mut said = Self {
            path: path.and_then(|e| e.text(reader, "\"/var/lib/palisade\"", file_path)),
            ..Self::default()
        };
        let kept = keys
            .take("retention")
            .and_then(|e| e.table(reader, &shape::RETENTION));
        if let Some(mut kept) = kept {
            let bounds = DAY..=DAY * 3_660;
            said.events = kept
                .take("events")
                .and_then(|e| e.duration(reader, bounds.clone()));
            said.rollups = kept
                .take("rollups")
                .and_then(|e| e.duration(reader, bounds));
            reader.finish(kept);
        }
        reader.finish(keys);
        said
    }
}

/// A limit on bodies, where none is `unlimited`.
pub(super) fn body_bytes<'t>(
    entry: Entry<'t>,
    reader: &mut Reader<'t>,
) -> Option<Given<Option<u64>>> {
    entry.text(reader, "\"10MiB\" or \"unlimited\"", |text| match text {
        "unlimited" => Ok(None),
        "0" | "0B" | "none" => Err(Wrong {
            cause: format!("{text:?} is no limit"),
            help: "write a size such as \"10MiB\", or \"unlimited\"".to_owned(),
        }),
        _ => value::bytes(text).map(Some),
    })
}

/// A path to a file. Relative ones are resolved by `check`.
pub(super) fn file_path(text: &str) -> Result<PathBuf, Wrong> {
    let wrong = |cause: &str, help: &str| {
        Err(Wrong {
            cause: cause.to_owned(),
            help: help.to_owned(),
        })
    };
    let path = match text.strip_prefix("file:") {
        Some(path) => path.strip_prefix("//").unwrap_or(path),
        None => text,
    };
    match path {
        "" => wrong("the path is empty", "write the path of a file"),
        _ if path.starts_with("env:") => wrong("it is read from a file", "write its path"),
        _ if path.contains('\0') => wrong("a path has no NUL in it", "write the path of a file"),
        _ => Ok(PathBuf::from(path)),
    }
}

fn header_name(text: &str) -> Result<HeaderName, Wrong> {
    const TAKEN: [&str; 8] = [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "authorization",
        "cookie",
        "set-cookie",
        "palisade-event",
    ];
    let name = HeaderName::try_from(text).map_err(|_| Wrong {
        cause: format!("{text:?} is not a header name"),
        help: "write a name such as \"x-request-id\"".to_owned(),
    })?;
    match TAKEN.contains(&name.as_str()) {
        true => Err(Wrong {
            cause: format!("{text:?} has a meaning of its own"),
            help: "use a header that carries nothing else, such as \"x-request-id\"".to_owned(),
        }),
        false => Ok(name),
    }
}

fn listeners<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<Vec<SaidListener>>> {
    let mut given = entry.given(reader, Vec::new());
    let (key, span) = (entry.key.clone(), entry.span.clone());
    let items = entry.items();
    if items.is_empty() || items.len() > LISTENERS_MAX {
        let cause = format!("`{key}` has {} addresses", items.len());
        let help = format!("write 1 to {LISTENERS_MAX}, as in [\"127.0.0.1:8080\"]");
        reader.error(span, Wrong { cause, help });
        return None;
    }
    given.value = items
        .into_iter()
        .filter_map(|item| listener(item, reader))
        .collect();
    // Half of the addresses are not what was asked for.
    Some(given).filter(|given| !given.value.is_empty())
}

fn listener<'t>(item: Entry<'t>, reader: &mut Reader<'t>) -> Option<SaidListener> {
    if !matches!(item.value, DeValue::Table(_)) {
        let address = item.text(reader, "\"127.0.0.1:8080\"", socket_address)?;
        return Some(SaidListener { address, tls: None });
    }
    let mut keys = item.table(reader, &shape::LISTENER)?;
    let span = keys.span.clone();
    let address = keys.take("addr");
    if address.is_none() {
        let cause = "a listener has no `addr`".to_owned();
        let help = "write { addr = \"0.0.0.0:8443\", tls = \"main\" }".to_owned();
        reader.error(span, Wrong { cause, help });
    }
    let address = address.and_then(|e| e.text(reader, "\"0.0.0.0:8443\"", socket_address));
    let tls = keys
        .take("tls")
        .and_then(|entry| entry.string(reader, "\"main\""));
    reader.finish(keys);
    Some(SaidListener {
        address: address?,
        tls,
    })
}

/// Reads an address to listen on. Names are not looked up, but for the one that everybody writes.
pub(super) fn socket_address(text: &str) -> Result<SocketAddr, Wrong> {
    let wrong = |cause: String, help: String| Err(Wrong { cause, help });
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    if let Ok(address) = numeric.parse() {
        return Ok(address);
    }
    if let Some((_, rest)) = text.split_once("://") {
        let cause = format!("{text:?} is a URL, not an address");
        return wrong(
            cause,
            format!(
                "leave the scheme out: write \"{}\"",
                rest.trim_end_matches('/')
            ),
        );
    }
    let cause = format!("{text:?} is not an address to listen on");
    if text.parse::<std::net::IpAddr>().is_ok() {
        let shown = if text.contains(':') {
            format!("[{text}]")
        } else {
            text.to_owned()
        };
        return wrong(
            format!("{text:?} has no port"),
            format!("write \"{shown}:8080\""),
        );
    }
    let (host, port) = numeric.rsplit_once(':').unwrap_or(("", &numeric));
    match port.parse::<u64>() {
        Ok(port) if port > u64::from(u16::MAX) => wrong(
            format!("{text:?}: port {port} does not exist"),
            "ports end at 65535".to_owned(),
        ),
        Ok(port) if matches!(host, "" | "*") => wrong(
            cause,
            format!("write \"127.0.0.1:{port}\", or \"0.0.0.0:{port}\" for all interfaces"),
        ),
        _ => wrong(
            cause,
            "write an address and a port, as in \"127.0.0.1:8080\"".to_owned(),
        ),
    }
}

fn nets<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Given<Vec<Net>> {
    let mut given = entry.given(reader, Vec::new());
    let items = entry.items();
    if items.len() > TRUSTED_MAX {
        let cause = format!("more than {TRUSTED_MAX} blocks");
        let help = "write the blocks they lie in".to_owned();
        reader.error(given.span.clone(), Wrong { cause, help });
        return given;
    }
    given.value = items
        .into_iter()
        .filter_map(|item| net(item, reader))
        .collect();
    given
}

fn net<'t>(item: Entry<'t>, reader: &mut Reader<'t>) -> Option<Net> {
    let given = item.text(reader, "\"10.0.0.0/8\"", |text| match text.parse::<Net>() {
        Ok(net) => Ok((net, text.to_owned())),
        Err(_) => Err(Wrong {
            cause: format!("{text:?} is not a block of addresses"),
            help: match text.rsplit_once('/') {
                Some((address, bits)) if address.parse::<std::net::IpAddr>().is_ok() => {
                    let most = if address.contains(':') { 128 } else { 32 };
                    format!("a prefix is 0 to {most} bits long, not {bits:?}")
                }
                _ => "write an address or a block, as in \"10.0.0.0/8\"".to_owned(),
            },
        }),
    })?;
    let (net, text) = given.value;
    if net.prefix() == 0 {
        let cause = "everybody is trusted here: any caller can choose its own address".to_owned();
        reader.warn(&given.span, cause, "name the blocks of your own proxies");
    } else if !text.starts_with(&net.base().to_string()) {
        reader.warn(
            &given.span,
            format!("{text:?} means the whole block {net}"),
            "",
        );
    }
    Some(net)
}

fn read_tls<'t>(mut names: Section<'t>, reader: &mut Reader<'t>) -> Vec<SaidTls> {
    let mut read: Vec<SaidTls> = Vec::new();
    for entry in names.take_rest() {
        let name = entry.given(reader, entry.key.clone());
        let span = entry.key_span.clone();
        if read.len() == TLS_MAX {
            let cause = format!("more than {TLS_MAX} certificates");
            reader.error(
                span,
                Wrong {
                    cause,
                    help: String::new(),
                },
            );
            break;
        }
        let Some(mut keys) = entry.table(reader, &shape::TLS) else {
            continue;
        };
        let (cert, key) = (keys.take("cert"), keys.take("key"));
        for (given, what) in [(&cert, "cert"), (&key, "key")] {
            if given.is_none() {
                let cause = format!("[tls.{}] has no `{what}`", name.value);
                let help = format!("write {what} = \"/path/to/{what}.pem\"");
                reader.error(span.clone(), Wrong { cause, help });
            }
        }
        let min_version = keys.take("min_version");
        read.push(SaidTls {
            name,
            cert: cert.and_then(|entry| pem_path(entry, reader)),
            key: key.and_then(|entry| pem_path(entry, reader)),
            min_version: min_version.and_then(|e| e.word(reader, &TLS_VERSION)),
        });
        reader.finish(keys);
    }
    read
}

/// The path of a PEM file. The thing itself is refused, and not shown: it may be a private key.
fn pem_path<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<PathBuf>> {
    if let DeValue::String(text) = &entry.value
        && (text.contains("-----") || text.contains('\n'))
    {
        let cause = format!("`{}` holds the PEM text itself", entry.key);
        let help =
            "keep it in a file that only the service can read, and write its path".to_owned();
        reader.error_showing(Show::Nothing, entry.key_span, Wrong { cause, help });
        return None;
    }
    entry.text(reader, "\"/etc/palisade/tls/key.pem\"", file_path)
}
