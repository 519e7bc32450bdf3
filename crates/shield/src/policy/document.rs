//! `palisade.toml` as it is written: each key that was given, with its place, and nothing else.
//!
//! Types, units and bounds are checked here, because they belong to one key alone. Defaults, flags
//! and what several keys say together are the work of `check`.

mod alerts;
mod crawlers;
mod health;
mod rules;
mod server;
pub(super) mod shape;
mod site;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use caller::address::AddressSource;
use toml::de::DeValue;
use traffic::Net;

use crate::policy::admin::{self, SaidAdmin};
use crate::policy::nearest::nearest;
use crate::policy::reader::{Entry, Given, Reader, Section};
use crate::policy::value::{self, Wrong};
use crate::policy::{AcceptFrom, TlsVersion, UnderscoreHeaders};

pub(super) use alerts::{SaidAlerts, SaidSink};
pub(super) use crawlers::SaidCrawler;
pub(super) use health::SaidHealth;
pub(super) use rules::{SaidDebug, SaidRules};
pub(super) use server::{one_address, socket_address};
pub(super) use shape::{
    ACCEPT_FROM, BLOCKING, CLIENT_IP, CLIENT_IP_HEADER, OCSF_CLASS, OVERLAY, OVERLAY_LAYERS,
    OVERLAY_PROTECT, OVERLAY_ROUTE, OVERLAY_ROUTES, OVERLAY_SHAPES, OVERLAY_SITE, OVERLAY_SITES,
    PRESET, SEVERITY, SHAPES, TLS_VERSION, TOP, UNDERSCORE,
};
pub(super) use site::{SaidRate, SaidRoute, SaidSite, read_mode, read_protect, shown_per};

/// The version of the document that this program reads.
pub(super) const VERSION: u32 = 1;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// All that the file says.
#[derive(Debug, Default)]
pub(super) struct PolicyDocument {
    pub(super) server: SaidServer,
    pub(super) admin: SaidAdmin,
    pub(super) tls: Vec<SaidTls>,
    pub(super) limits: SaidLimits,
    pub(super) store: SaidStore,
    pub(super) rules: SaidRules,
    pub(super) debug: SaidDebug,
    pub(super) crawlers: Vec<SaidCrawler>,
    pub(super) alerts: SaidAlerts,
    pub(super) sites: Vec<SaidSite>,
}

#[derive(Debug, Default)]
pub(super) struct SaidServer {
    pub(super) listen: Option<Given<Vec<SaidListener>>>,
    pub(super) trusted_proxies: Option<Given<Vec<Net>>>,
    pub(super) client_ip: Option<Given<AddressSource>>,
    pub(super) request_id_from: Option<Given<AcceptFrom>>,
    pub(super) drain_timeout: Option<Given<Duration>>,
    pub(super) memory_budget: Option<Given<u64>>,
    pub(super) workers: Option<Given<u32>>,
    pub(super) access_log: Option<Given<PathBuf>>,
}

#[derive(Debug)]
pub(super) struct SaidListener {
    pub(super) address: Given<SocketAddr>,
    pub(super) tls: Option<Given<String>>,
    pub(super) proxy_protocol: Option<Given<bool>>,
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
    pub(super) max_disk: Option<Given<u64>>,
}

impl PolicyDocument {
    /// Reads a document; what cannot be read is said to `reader` and counts as not given.
    pub(super) fn read<'t>(mut top: Section<'t>, reader: &mut Reader<'t>) -> Self {
        let mut document = Self::default();
        let version = top.take("version");
        check_version(version, reader);
        if let Some(server) = top.take("server").and_then(|e| e.table(reader, &shape::SERVER)) {
            document.server = SaidServer::read(server, reader);
        }
        document.admin = admin::read(&mut top, reader);
        if let Some(tls) = top.take("tls").and_then(|e| e.table(reader, &shape::TLS_NAMES)) {
            document.tls = server::read_tls(tls, reader);
        }
        if let Some(limits) = top.take("limits").and_then(|e| e.table(reader, &shape::LIMITS)) {
            document.limits = SaidLimits::read(limits, reader);
        }
        if let Some(store) = top.take("store").and_then(|e| e.table(reader, &shape::STORE)) {
            document.store = SaidStore::read(store, reader);
        }
        if let Some(rules) = top.take("rules").and_then(|e| e.table(reader, &shape::RULES)) {
            document.rules = SaidRules::read(rules, reader);
        }
        if let Some(debug) = top.take("debug").and_then(|e| e.table(reader, &shape::DEBUG)) {
            document.debug = SaidDebug::read(debug, reader);
        }
        if let Some(crawlers) = top.take("crawler") {
            document.crawlers = crawlers::read_all(crawlers, reader);
        }
        if let Some(alerts) = top.take("alerts") {
            document.alerts.read_alerts(alerts, reader);
        }
        if let Some(export) = top.take("export") {
            document.alerts.read_export(export, reader);
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
    let cause = match &version.value {
        DeValue::Integer(number) if number.to_string() == VERSION.to_string() => return,
        DeValue::Integer(number) => {
            format!("version {number} is not known: this program reads {VERSION}")
        }
        _ => "the version is a number, without quotes".to_owned(),
    };
    reader.error(version.span, Wrong { cause, help });
}

impl SaidLimits {
    fn read<'t>(mut keys: Section<'t>, reader: &mut Reader<'t>) -> Self {
        let (second, minutes) = (SECOND, SECOND * 300);
        let mut said = Self {
            header_bytes: keys.take("header_bytes").and_then(|e| e.bytes(reader, KIB..=MIB)),
            header_count: keys.take("header_count").and_then(|e| e.integer(reader, 8..=1_000)),
            uri_bytes: keys.take("uri_bytes").and_then(|e| e.bytes(reader, 256..=64 * KIB)),
            body_bytes: keys.take("body_bytes").and_then(|entry| body_bytes(entry, reader)),
            inspect_body: keys.take("inspect_body").and_then(|e| e.bytes(reader, 0..=16 * MIB)),
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
        if let Some(mut h2) = keys.take("h2").and_then(|entry| entry.table(reader, &shape::H2)) {
            said.h2_streams = h2.take("streams").and_then(|e| e.integer(reader, 1..=10_000));
            said.h2_header_list = h2.take("header_list").and_then(|e| e.bytes(reader, KIB..=MIB));
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
        let kept = keys.take("retention").and_then(|e| e.table(reader, &shape::RETENTION));
        if let Some(mut kept) = kept {
            let bounds = DAY..=DAY * 3_660;
            said.events = kept.take("events").and_then(|e| e.duration(reader, bounds.clone()));
            said.rollups = kept.take("rollups").and_then(|e| e.duration(reader, bounds));
            reader.finish(kept);
        }
        said.max_disk =
            keys.take("max_disk").and_then(|entry| entry.bytes(reader, 64 * MIB..=1 << 44));
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
        _ => value::bytes(text).map(Some).map_err(|wrong| match nearest(text, ["unlimited"]) {
            Some(near) => Wrong { help: format!("did you mean \"{near}\"?"), ..wrong },
            None => wrong,
        }),
    })
}

/// A path to a file. Relative ones are resolved by `check`.
pub(super) fn file_path(text: &str) -> Result<PathBuf, Wrong> {
    let wrong =
        |cause: &str, help: &str| Err(Wrong { cause: cause.to_owned(), help: help.to_owned() });
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
