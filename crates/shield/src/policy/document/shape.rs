//! The tables of `palisade.toml` and `overlay.toml`, their keys, and the words of closed lists.
//!
//! This is the list that decides what is an unknown key, and that docs/configuration.md is checked
//! against.

use caller::address::AddressSource;
use conduct::Per;
use traffic::{CallerKind, Layer, Mode, Severity};

use crate::policy::reader::Shape;
use crate::policy::sink::{OcsfClass, SinkKind};
use crate::policy::{AcceptFrom, Blocking, OnError, Preset, TlsVersion, UnderscoreHeaders};

const fn shape(shown: &'static str, prefix: &'static str, keys: &'static [&'static str]) -> Shape {
    Shape { shown, prefix, keys }
}

const LAYER_KEYS: [&str; Layer::ALL.len()] = {
    let mut keys = [""; Layer::ALL.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = Layer::ALL[at].key();
        at += 1;
    }
    keys
};

pub(in crate::policy) static TOP: Shape = shape(
    "the file",
    "",
    &[
        "version", "server", "admin", "tls", "limits", "store", "rules", "debug", "crawler",
        "alerts", "export", "site",
    ],
);
pub(super) static SERVER: Shape = shape(
    "[server]",
    "server.",
    &[
        "listen",
        "trusted_proxies",
        "client_ip",
        "request_id",
        "drain_timeout",
        "memory_budget",
        "workers",
        "access_log",
    ],
);
pub(super) static LISTENER: Shape =
    shape("a listener of [server]", "server.listen.", &["addr", "tls", "proxy_protocol"]);
pub(in crate::policy) static ADMIN: Shape = shape("[admin]", "admin.", &["listen", "tls", "hosts"]);
pub(super) static REQUEST_ID: Shape =
    shape("`request_id` of [server]", "server.request_id.", &["accept_from"]);
pub(super) static TLS_NAMES: Shape = shape("[tls.NAME]", "tls.", &[]);
pub(super) static TLS: Shape = shape("[tls.NAME]", "tls.NAME.", &["cert", "key", "min_version"]);
pub(super) static LIMITS: Shape = shape(
    "[limits]",
    "limits.",
    &[
        "header_bytes",
        "header_count",
        "uri_bytes",
        "body_bytes",
        "inspect_body",
        "header_timeout",
        "body_min_rate",
        "idle_timeout",
        "underscore_headers",
        "h2",
    ],
);
pub(super) static H2: Shape = shape("`h2` of [limits]", "limits.h2.", &["streams", "header_list"]);
pub(super) static STORE: Shape = shape("[store]", "store.", &["path", "retention", "max_disk"]);
pub(super) static RETENTION: Shape =
    shape("`retention` of [store]", "store.retention.", &["events", "rollups"]);
pub(super) static RULES: Shape = shape(
    "[rules]",
    "rules.",
    &["crs", "setup", "preset", "builtin", "blocking", "paranoia", "threshold", "cpu_budget"],
);
pub(super) static DEBUG: Shape = shape("[debug]", "debug.", &["rule_header"]);
pub(super) static CRAWLER: Shape = shape("[[crawler]]", "crawler.", &["name", "networks"]);
pub(super) static ALERTS: Shape = shape("[alerts]", "alerts.", &["webhook", "syslog", "spool"]);
pub(super) static WEBHOOK: Shape = shape(
    "`webhook` of [alerts]",
    "alerts.webhook.",
    &["url", "format", "min", "dedup", "authorization", "name", "ca_file", "link_local"],
);
pub(super) static SYSLOG: Shape = shape(
    "`syslog` of [alerts]",
    "alerts.syslog.",
    &["to", "min", "dedup", "name", "ca_file", "link_local"],
);
pub(super) static EXPORT: Shape = shape("[export]", "export.", &["ocsf"]);
pub(super) static OCSF: Shape = shape(
    "`ocsf` of [export]",
    "export.ocsf.",
    &["to", "classes", "min", "dedup", "authorization", "name", "ca_file", "link_local"],
);
pub(super) static SITE: Shape = shape(
    "[[site]]",
    "site.",
    &[
        "name",
        "hosts",
        "upstream",
        "retries",
        "health",
        "ca_file",
        "connect_timeout",
        "first_byte_timeout",
        "idle_timeout",
        "mode",
        "body_bytes",
        "common_password_header",
        "protect",
        "route",
    ],
);
pub(super) static HEALTH: Shape = shape(
    "[site.health]",
    "site.health.",
    &[
        "path",
        "interval",
        "timeout",
        "status",
        "unhealthy_after",
        "healthy_after",
        "eject_after",
        "eject_for",
        "eject_percent_max",
        "slow_start",
    ],
);
pub(super) static PROTECT: Shape = shape("[site.protect]", "layer.", &LAYER_KEYS);
pub(super) static ROUTE: Shape = shape(
    "[[site.route]]",
    "site.route.",
    &["match", "label", "decoy", "mode", "rate", "on_error", "protect"],
);
pub(super) static ROUTE_PROTECT: Shape = shape("`protect` of a route", "layer.", &LAYER_KEYS);
pub(super) static RATE: Shape =
    shape("`rate` of a route", "site.route.rate.", &["per", "limit", "burst", "of"]);

/// The tables of `palisade.toml`.
pub(in crate::policy) static SHAPES: [&Shape; 24] = [
    &TOP,
    &SERVER,
    &LISTENER,
    &REQUEST_ID,
    &TLS,
    &LIMITS,
    &H2,
    &STORE,
    &RETENTION,
    &RULES,
    &DEBUG,
    &CRAWLER,
    &ALERTS,
    &WEBHOOK,
    &SYSLOG,
    &EXPORT,
    &OCSF,
    &SITE,
    &HEALTH,
    &PROTECT,
    &ROUTE,
    &ROUTE_PROTECT,
    &RATE,
    &ADMIN,
];

/// The tables of `overlay.toml`.
pub(in crate::policy) static OVERLAY: Shape =
    shape("the overlay", "", &["version", "mode", "protect", "layers", "site"]);
pub(in crate::policy) static OVERLAY_PROTECT: Shape = shape("[protect]", "layer.", &LAYER_KEYS);
pub(in crate::policy) static OVERLAY_LAYERS: Shape = shape("[layers]", "layers.", &["off"]);
pub(in crate::policy) static OVERLAY_SITES: Shape = shape("[site.NAME]", "site.", &[]);
pub(in crate::policy) static OVERLAY_SITE: Shape =
    shape("[site.NAME]", "site.NAME.", &["mode", "protect", "route"]);
pub(in crate::policy) static OVERLAY_ROUTES: Shape =
    shape("[site.NAME.route.\"MATCH\"]", "route.", &[]);
pub(in crate::policy) static OVERLAY_ROUTE: Shape =
    shape("[site.NAME.route.\"MATCH\"]", "site.NAME.route.MATCH.", &["mode", "protect"]);
pub(in crate::policy) static OVERLAY_SHAPES: [&Shape; 5] =
    [&OVERLAY, &OVERLAY_LAYERS, &OVERLAY_SITE, &OVERLAY_ROUTE, &OVERLAY_PROTECT];

pub(in crate::policy) const OF: [(&str, CallerKind); CallerKind::ALL.len()] = [
    ("human", CallerKind::Human),
    ("declared-bot", CallerKind::DeclaredBot),
    ("automated", CallerKind::Automated),
    ("unknown", CallerKind::Unknown),
];
pub(super) const MODES: [(&str, Mode); 3] =
    [("monitor", Mode::Monitor), ("enforce", Mode::Enforce), ("off", Mode::Off)];
pub(in crate::policy) const CLIENT_IP: [(&str, AddressSource); 3] = [
    ("x-forwarded-for", AddressSource::XForwardedFor),
    ("forwarded", AddressSource::Forwarded),
    ("socket", AddressSource::Socket),
];
/// Before the name of any other header in which one address stands.
pub(in crate::policy) const CLIENT_IP_HEADER: &str = "header:";
pub(in crate::policy) const ACCEPT_FROM: [(&str, AcceptFrom); 2] =
    [("trusted", AcceptFrom::Trusted), ("nobody", AcceptFrom::Nobody)];
pub(in crate::policy) const UNDERSCORE: [(&str, UnderscoreHeaders); 2] =
    [("forward", UnderscoreHeaders::Forward), ("reject", UnderscoreHeaders::Reject)];
pub(in crate::policy) const TLS_VERSION: [(&str, TlsVersion); 2] =
    [("1.2", TlsVersion::V1_2), ("1.3", TlsVersion::V1_3)];
pub(in crate::policy) const PRESET: [(&str, Preset); 2] =
    [("api", Preset::Api), ("none", Preset::None)];
pub(in crate::policy) const BLOCKING: [(&str, Blocking); 2] =
    [("evidence", Blocking::Evidence), ("strict", Blocking::Strict)];
pub(super) const FORMAT: [(&str, SinkKind); 2] =
    [("json", SinkKind::Json), ("slack", SinkKind::Slack)];
pub(in crate::policy) const SEVERITY: [(&str, Severity); 5] = [
    ("high", Severity::High),
    ("critical", Severity::Critical),
    ("medium", Severity::Medium),
    ("low", Severity::Low),
    ("info", Severity::Info),
];
pub(in crate::policy) const OCSF_CLASS: [(&str, OcsfClass); 2] = [
    ("detection_finding", OcsfClass::DetectionFinding),
    ("http_activity", OcsfClass::HttpActivity),
];
pub(super) const PER: [(&str, Per); 4] = [
    ("source", Per::Source),
    ("session", Per::Session),
    ("account", Per::Account),
    ("principal", Per::Principal),
];
pub(super) const ON_ERROR: [(&str, OnError); 2] =
    [("open", OnError::Open), ("closed", OnError::Closed)];
