//! Every value in force, by the key that sets it, as text: for `status` and for what a reload
//! changed.

use std::path::PathBuf;

use caller::address::AddressSource;
use conduct::Limit;

use crate::policy::document::{
    ACCEPT_FROM, BLOCKING, CLIENT_IP, CLIENT_IP_HEADER, PRESET, TLS_VERSION, UNDERSCORE, shown_per,
};
use crate::policy::setting::{Provenance, Setting};
use crate::policy::value::{show_bytes, show_duration};
use crate::policy::{AccessLogTo, Listener, Policy, Site};

/// A value in force.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettingView {
    /// The key that sets it, such as `limits.header_bytes` or `site.shop.upstream`.
    pub key: String,
    /// The value as the file would write it, without quotes.
    pub value: String,
    /// Who set it.
    pub from: Provenance,
}

/// What a reload changes at once. Everything else is set up when the process starts: sockets,
/// threads and tables.
const AT_ONCE: [&str; 10] = [
    "server.trusted_proxies",
    "server.client_ip",
    "server.request_id.accept_from",
    "limits.",
    "rules.",
    "debug.",
    "crawler.",
    "alerts.",
    "export.",
    "site.",
];
/// The same within `[tls.NAME]`: the files are read again.
const AT_ONCE_OF_TLS: [&str; 2] = [".cert", ".key"];

/// What sockets, threads and tables were set up by, as keys and values: it takes a restart to
/// change them. Whoever keeps this keeps nothing else of the policy; its rules are megabytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SetUp(Vec<(String, String)>);

impl SetUp {
    /// The keys that `next` changes, but that take effect after a restart.
    pub fn restart_needed(&self, next: &Policy) -> Vec<String> {
        let (now, next) = (&self.0, next.set_up().0);
        let differs = |one: &(String, String), others: &[(String, String)]| !others.contains(one);
        let mut keys: Vec<String> = now
            .iter()
            .filter(|one| differs(one, &next))
            .chain(next.iter().filter(|one| differs(one, now)))
            .map(|(key, _)| key.clone())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    }
}

impl Policy {
    /// Every value in force, in the order of the documentation.
    pub fn settings(&self) -> Vec<SettingView> {
        let mut views = self.server_settings();
        views.extend(self.admin_settings());
        views.extend(self.limit_settings());
        let store = &self.store;
        views.extend([
            view("store.path", &store.path, |path| path.display().to_string()),
            view("store.retention.events", &store.events, |kept| show_duration(*kept)),
            view("store.retention.rollups", &store.rollups, |kept| show_duration(*kept)),
            view("store.max_disk", &store.max_disk, |it| show_bytes(*it)),
        ]);
        views.extend(self.rule_settings());
        views.extend(super::sinks::alert_settings(&self.alerts));
        for (name, tls) in &self.tls {
            let key = |key: &str| format!("tls.{name}.{key}");
            views.extend([
                view(&key("cert"), &tls.cert, |path| path.display().to_string()),
                view(&key("key"), &tls.key, |path| path.display().to_string()),
                view(&key("min_version"), &tls.min_version, |it| word(&TLS_VERSION, *it)),
            ]);
        }
        views.extend(self.crawlers.iter().map(|(name, networks)| {
            let key = format!("crawler.{name}.networks");
            view(&key, networks, |nets| join(nets.iter().map(ToString::to_string)))
        }));
        views.extend(self.sites.iter().flat_map(site_settings));
        views
    }

    /// What a process that starts with this policy is set up by.
    pub fn set_up(&self) -> SetUp {
        let takes_a_restart = |key: &str| {
            let is_at_once = AT_ONCE.iter().any(|at| key.starts_with(at))
                || key.starts_with("tls.") && AT_ONCE_OF_TLS.iter().any(|at| key.ends_with(at));
            !is_at_once
        };
        let views = self.settings().into_iter().filter(|view| takes_a_restart(&view.key));
        SetUp(views.map(|view| (view.key, view.value)).collect())
    }

    fn server_settings(&self) -> Vec<SettingView> {
        let server = &self.server;
        vec![
            view("server.listen", &server.listen, |all| join(all.iter().map(show_listener))),
            view("server.trusted_proxies", &server.trusted_proxies, |nets| {
                join(nets.iter().map(ToString::to_string))
            }),
            view("server.client_ip", &server.client_ip, |source| match source {
                AddressSource::Header(name) => format!("{CLIENT_IP_HEADER}{name}"),
                word => word_of(&CLIENT_IP, word),
            }),
            view("server.request_id.accept_from", &server.request_id_from, |from| {
                word(&ACCEPT_FROM, *from)
            }),
            view("server.drain_timeout", &server.drain_timeout, |it| show_duration(*it)),
            view("server.memory_budget", &server.memory_budget, |it| show_bytes(*it)),
            view("server.workers", &server.workers, |workers| match workers {
                Some(workers) => workers.to_string(),
                None => "one a core".to_owned(),
            }),
            view("server.access_log", &server.access_log, |to| match to {
                Some(AccessLogTo::File(path)) => path.display().to_string(),
                Some(AccessLogTo::Stdout) => "stdout".to_owned(),
                None => "none".to_owned(),
            }),
        ]
    }

    fn admin_settings(&self) -> Vec<SettingView> {
        let admin = &self.admin;
        let none = || "none".to_owned();
        vec![
            view("admin.listen", &admin.listen, |it| {
                it.map_or_else(|| "the socket alone".to_owned(), |address| address.to_string())
            }),
            view("admin.tls", &admin.tls, |it| it.clone().unwrap_or_else(none)),
            view("admin.hosts", &admin.hosts, |hosts| join(hosts.iter().cloned())),
        ]
    }

    fn rule_settings(&self) -> Vec<SettingView> {
        let rules = &self.rules;
        let file = |path: &Option<PathBuf>, without: &str| match path {
            Some(path) => path.display().to_string(),
            None => without.to_owned(),
        };
        let set = "as the set says";
        vec![
            view("rules.crs", &rules.crs, |path| file(path, "none")),
            view("rules.setup", &rules.setup, |path| file(path, "the set's own")),
            view("rules.preset", &rules.preset, |it| word(&PRESET, *it)),
            view("rules.builtin", &rules.builtin, ToString::to_string),
            view("rules.blocking", &rules.blocking, |it| word(&BLOCKING, *it)),
            view("rules.paranoia", &rules.paranoia, |it| {
                it.map_or_else(|| set.to_owned(), |level| level.to_string())
            }),
            view("rules.threshold", &rules.threshold, |it| {
                it.map_or_else(|| set.to_owned(), |score| score.to_string())
            }),
            view("rules.cpu_budget", &rules.cpu_budget, |it| show_duration(*it)),
            view("debug.rule_header", &self.debug.rule_header, ToString::to_string),
        ]
    }

    fn limit_settings(&self) -> Vec<SettingView> {
        let limits = &self.limits;
        vec![
            view("limits.header_bytes", &limits.header_bytes, |it| show_bytes(*it)),
            view("limits.header_count", &limits.header_count, ToString::to_string),
            view("limits.uri_bytes", &limits.uri_bytes, |it| show_bytes(*it)),
            view("limits.body_bytes", &limits.body_bytes, |it| show_body_bytes(*it)),
            view("limits.inspect_body", &limits.inspect_body, |it| show_bytes(*it)),
            view("limits.header_timeout", &limits.header_timeout, |it| show_duration(*it)),
            view("limits.body_min_rate", &limits.body_min_rate, |it| {
                format!("{}/s", show_bytes(*it))
            }),
            view("limits.idle_timeout", &limits.idle_timeout, |it| show_duration(*it)),
            view("limits.underscore_headers", &limits.underscore_headers, |it| {
                word(&UNDERSCORE, *it)
            }),
            view("limits.h2.streams", &limits.h2_streams, ToString::to_string),
            view("limits.h2.header_list", &limits.h2_header_list, |it| show_bytes(*it)),
        ]
    }
}

fn site_settings(site: &Site) -> Vec<SettingView> {
    let key = |key: &str| format!("site.{}.{key}", site.name);
    let mut views = vec![
        view(&key("hosts"), &site.hosts, |hosts| join(hosts.iter().cloned())),
        view(&key("upstream"), &site.upstreams, |_| site.upstreams_shown()),
        view(&key("retries"), &site.retries, ToString::to_string),
        view(&key("ca_file"), &site.ca_file, |path| match path {
            Some(path) => path.display().to_string(),
            None => "the machine's".to_owned(),
        }),
        view(&key("connect_timeout"), &site.connect_timeout, |it| show_duration(*it)),
        view(&key("first_byte_timeout"), &site.first_byte_timeout, |it| show_duration(*it)),
        view(&key("idle_timeout"), &site.idle_timeout, |it| show_duration(*it)),
        view(&key("body_bytes"), &site.body_bytes, |it| show_body_bytes(*it)),
        view(&key("common_password_header"), &site.common_password_header, |name| {
            name.as_ref().map_or_else(|| "off".to_owned(), ToString::to_string)
        }),
    ];
    views.extend(health_settings(site));
    // A layer that looks at nothing yet protects from nothing, whatever its mode.
    let layers = traffic::Layer::ALL.into_iter().filter(|layer| layer.has_detector());
    views.extend(layers.map(|layer| SettingView {
        key: key(&format!("protect.{layer}")),
        value: site.modes.of(layer).to_string(),
        from: site.modes.origin(layer).clone(),
    }));
    views
}

fn health_settings(site: &Site) -> [SettingView; 10] {
    let key = |key: &str| format!("site.{}.health.{key}", site.name);
    let health = &site.health;
    [
        view(&key("path"), &health.path, |path| path.clone().unwrap_or_else(|| "none".to_owned())),
        view(&key("interval"), &health.interval, |it| show_duration(*it)),
        view(&key("timeout"), &health.timeout, |it| show_duration(*it)),
        view(&key("status"), &health.status, |it| join(it.iter().map(ToString::to_string))),
        view(&key("unhealthy_after"), &health.unhealthy_after, ToString::to_string),
        view(&key("healthy_after"), &health.healthy_after, ToString::to_string),
        view(&key("eject_after"), &health.eject_after, ToString::to_string),
        view(&key("eject_for"), &health.eject_for, |it| show_duration(*it)),
        view(&key("eject_percent_max"), &health.eject_percent_max, ToString::to_string),
        view(&key("slow_start"), &health.slow_start, |it| show_duration(*it)),
    ]
}

/// `10/m per source, burst 10`.
pub(super) fn show_limit(limit: &Limit) -> String {
    let unit = match limit.window_s {
        1 => "s",
        60 => "m",
        3_600 => "h",
        _ => "d",
    };
    let of = limit.of.map(|kind| format!(" of {}", kind.key())).unwrap_or_default();
    format!("{}/{unit} per {}{of}, burst {}", limit.amount, shown_per(limit.per), limit.burst)
}

fn show_listener(listener: &Listener) -> String {
    let tls = listener.tls.as_ref().map(|tls| format!("tls {tls}"));
    let proxy = listener.proxy_protocol.then(|| "proxy_protocol".to_owned());
    match join(tls.into_iter().chain(proxy)) {
        spoken if spoken.is_empty() => listener.address.to_string(),
        spoken => format!("{} ({spoken})", listener.address),
    }
}

fn show_body_bytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unlimited".to_owned(), show_bytes)
}

pub(super) fn view<T>(key: &str, setting: &Setting<T>, show: impl Fn(&T) -> String) -> SettingView {
    let (value, from) = (show(&setting.value), setting.from.clone());
    SettingView { key: key.to_owned(), value, from }
}

pub(super) fn word<T: Copy + PartialEq>(words: &[(&str, T)], value: T) -> String {
    word_of(words, &value)
}

fn word_of<T: PartialEq>(words: &[(&str, T)], value: &T) -> String {
    words.iter().find(|(_, known)| known == value).map_or("", |(word, _)| *word).to_owned()
}

pub(super) fn join(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
