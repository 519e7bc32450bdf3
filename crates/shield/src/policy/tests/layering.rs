//! Defaults, file, flags and overlay: which of them a value comes from.

use traffic::{HashKey, Hasher};

use super::*;
use crate::policy::overlay::{ModeScope, set_mode};

/// One key of each table, none at its default.
const FULL: &str = r#"version = 1
[server]
listen = ["0.0.0.0:8080", { addr = "[::]:8443", tls = "main", proxy_protocol = true }]
trusted_proxies = ["10.0.0.0/8", "2001:db8::/32"]
client_ip = "forwarded"
request_id = { accept_from = "nobody" }
drain_timeout = "1m"
memory_budget = "1GiB"
workers = 4
access_log = "access.log"
[admin]
listen = "127.0.0.1:9443"
tls = "main"
hosts = ["palisade.example.com"]
[tls.main]
cert = "tls/cert.pem"
key = "file:/etc/palisade/key.pem"
min_version = "1.3"
[limits]
header_bytes = "32KiB"
header_count = 50
uri_bytes = "4KiB"
body_bytes = "10MiB"
inspect_body = "64KiB"
header_timeout = "5s"
body_min_rate = "1KiB/s"
idle_timeout = "90s"
underscore_headers = "reject"
h2 = { streams = 50, header_list = "16KiB" }
[store]
path = "/var/lib/palisade"
max_disk = "5GiB"
retention = { events = "30d", rollups = "90d" }
[rules]
crs = "crs"
setup = "crs-setup.conf"
preset = "none"
builtin = false
blocking = "strict"
paranoia = 2
threshold = 7
cpu_budget = "20ms"
[debug]
rule_header = true
[alerts]
spool = "10MiB"
[[crawler]]
name = "googlebot"
networks = ["192.0.2.0/24"]
[[site]]
name = "shop"
hosts = ["api.example.com", "*.shop.example"]
upstream = ["https://10.0.0.5:8443", "https://10.0.0.6:8443"]
retries = 2
ca_file = "tls/ca.pem"
connect_timeout = "2s"
first_byte_timeout = "20s"
idle_timeout = "1m"
mode = "enforce"
body_bytes = "1MiB"
common_password_header = "x-weak-password"
  [site.health]
  path = "/healthz"
  interval = "1s"
  timeout = "500ms"
  status = ["200-204", 401]
  unhealthy_after = 1
  healthy_after = 3
  eject_after = 10
  eject_for = "30s"
  eject_percent_max = 34
  slow_start = "1m"
  [site.protect]
  rate = "off"
  recon = "off"
  takeover = "off"
  rules = "off"
  contract = "off"
  auth = "off"
  object = "off"
  flow = "off"
  automation = "off"
  leak = "off"
  flood = "off"
  [[site.route]]
  match = "POST /v1/login"
  label = "login"
  mode = "monitor"
  rate = [{ per = "account", limit = "10/m" }, { per = "source", limit = "5/s", burst = 20 }]
  on_error = "closed"
  protect = { rate = "enforce" }
"#;

fn route_of(policy: &Policy, method: Method, host: &str, path: &str) -> RouteRef {
    let path = Path::parse(path.as_bytes(), &Hasher::new(HashKey::new([0; 16])));
    policy.route(host, &method, &path)
}

#[test]
fn every_key_of_the_file_is_in_force_and_knows_its_line() {
    let full = loaded_from(&Sources {
        file: Some(("/etc/palisade/palisade.toml", FULL)),
        ..Sources::default()
    });
    for view in full.settings() {
        let Provenance::Document { line, .. } = view.from else {
            panic!("{} comes from {}", view.key, view.from);
        };
        let key = view.key.rsplit('.').next().expect("a key");
        let written = FULL.lines().nth(line as usize - 1).expect("a line");
        assert!(written.contains(key), "{} is not in line {line}: {written}", view.key);
    }
    let site = &full.sites[0];
    let login = &site.routes[0];
    assert_eq!(login.label.as_ref().map(|label| label.value), Some(Role::Login));
    assert_eq!(login.on_error.value, OnError::Closed);
    let limits: Vec<_> = login.limits.iter().map(|it| (it.amount, it.window_s, it.burst)).collect();
    assert_eq!(limits, [(10, 60, 10), (5, 1, 20)]);
    assert_eq!(full.tls["main"].cert.value, PathBuf::from("/etc/palisade/tls/cert.pem"));
    assert_eq!(full.tls["main"].key.value, PathBuf::from("/etc/palisade/key.pem"));
    assert_eq!(site.ca_file.value, Some(PathBuf::from("/etc/palisade/tls/ca.pem")));
}

#[test]
fn each_key_that_a_full_file_has_changes_what_is_in_force() {
    let plain = loaded(SITE).settings();
    for view in loaded(FULL).settings() {
        let key = view.key.replace("site.shop.", "site.default.");
        let same = plain.iter().find(|other| other.key == key);
        assert!(same.is_none_or(|other| other.value != view.value), "{key} changes nothing");
    }
}

#[test]
fn without_a_file_there_is_one_small_site() {
    let flags = Flags { to: Some("http://localhost:3000".to_owned()), ..Flags::default() };
    let policy = loaded_from(&Sources { flags, ..Sources::default() });
    assert_eq!(policy.server.memory_budget.value, 96 << 20);
    assert_eq!(loaded(SITE).server.memory_budget.value, 256 << 20);
    assert_eq!(policy.server.listen.value[0].address.to_string(), "127.0.0.1:8080");
    let found = route_of(&policy, Method::GET, "anything.example", "/");
    let site = policy.site(&found).expect("the site");
    assert_eq!(site.upstreams_shown(), "http://localhost:3000");
    assert_eq!(policy.site_name(&found), "default");
    assert_eq!(policy.modes(&found), [Mode::Monitor; Layer::ALL.len()]);
}

#[test]
fn flags_complete_and_override_the_file() {
    let flags = Flags {
        to: Some("h2c://10.0.0.9:50051".to_owned()),
        listen: vec!["localhost:0".to_owned()],
        mode: Some(Mode::Enforce),
        data: Some(PathBuf::from("/tmp/d")),
        workers: Some(2),
        crs: Some(PathBuf::from("/etc/crs")),
    };
    let file = "version = 1\n[[site]]\nname = \"shop\"\nmode = \"monitor\"\n";
    let policy = loaded_from(&Sources { flags, ..of_file(file) });
    let by_key = |key: &str| {
        let view = policy.settings().into_iter().find(|view| view.key == key).expect(key);
        format!("{} ({})", view.value, view.from)
    };
    assert_eq!(by_key("site.shop.upstream"), "h2c://10.0.0.9:50051 (--to)");
    assert_eq!(by_key("server.listen"), "127.0.0.1:0 (--listen)");
    assert_eq!(by_key("site.shop.protect.recon"), "enforce (--mode)");
    assert_eq!(by_key("store.path"), "/tmp/d (--data)");
    assert_eq!(by_key("server.workers"), "2 (--workers)");
    assert_eq!(by_key("rules.crs"), "/etc/crs (--crs)");
}

#[test]
fn a_host_that_no_site_names_has_no_site() {
    let policy = loaded(FULL);
    let found = route_of(&policy, Method::GET, "evil.example", "/v1/login");
    assert_eq!((policy.site(&found).is_none(), policy.site_name(&found)), (true, ""));
    assert!(policy.limits(&found).is_empty());
    let below = route_of(&policy, Method::POST, "EU.shop.example", "/v1//login/");
    assert_eq!(policy.label(&below), Some(Role::Login));
    assert_eq!(policy.body_bytes_max(&below), Some(1 << 20));
}

#[test]
fn the_overlay_beats_flag_and_file() {
    let overlay = set_mode("", &ModeScope::default(), Some(Mode::Enforce)).expect("an overlay");
    let flags = Flags { mode: Some(Mode::Monitor), ..Flags::default() };
    let sources = Sources { overlay: Some(("o.toml", &overlay)), flags, ..of_file(SITE) };
    let policy = loaded_from(&sources);
    let modes = &policy.sites[0].modes;
    assert_eq!(modes.of(Layer::Rate), Mode::Enforce);
    assert!(matches!(modes.origin(Layer::Rate), Provenance::Overlay { .. }));
}

#[test]
fn explain_tells_what_applies_and_who_said_so() {
    let policy = loaded(FULL);
    let told = policy.explain(&Method::POST, "api.example.com", "/v1/login?next=/");
    assert_eq!(told.site.as_deref(), Some("shop"));
    let route = told.route.expect("the route");
    assert_eq!((route.value.as_str(), route.from.to_string()), ("POST /v1/login", at(86)));
    let shown: Vec<_> = told.limits.iter().map(|limit| limit.value.as_str()).collect();
    assert_eq!(shown, ["10/m per account, burst 10", "5/s per source, burst 20"]);
    let rate = told.layers.iter().find(|it| it.layer == Layer::Rate).expect("rate");
    assert_eq!((rate.mode, rate.from.to_string()), (Mode::Enforce, at(91)));
    let recon = told.layers.iter().find(|it| it.layer == Layer::Recon).expect("recon");
    assert_eq!(recon.mode, Mode::Off, "what is off stays off until it is named");
}

fn at(line: u32) -> String {
    format!("palisade.toml:{line}")
}

#[test]
fn a_scope_is_looked_up_as_people_write_it() {
    let policy = loaded(FULL);
    let scope = policy.scope(None, Some("POST /v1/login/"), &[]).expect("a scope");
    assert_eq!(scope.site.as_deref(), Some("shop"));
    assert_eq!(scope.route.as_deref(), Some("POST /v1/login"));
    let no_site = policy.scope(Some("shpo"), None, &[]).expect_err("no such site");
    assert_eq!(no_site.to_string(), "there is no site \"shpo\"; did you mean \"shop\"?");
    let no_route = policy.scope(None, Some("POST /v1/logn"), &[]).expect_err("no such route");
    assert_eq!(no_route.help, "did you mean \"POST /v1/login\"?");
}

#[test]
fn what_a_switch_left_alone_is_told() {
    let scope = ModeScope::default();
    let overlay = set_mode("", &scope, Some(Mode::Enforce)).expect("an overlay");
    let file = format!("{SITE}  [site.protect]\n  recon = \"off\"\n");
    let policy = loaded_from(&Sources { overlay: Some(("o.toml", &overlay)), ..of_file(&file) });
    let left: Vec<_> =
        policy.unswitched(&scope, Mode::Enforce).iter().map(ToString::to_string).collect();
    assert_eq!(left, ["recon stays off on site default (palisade.toml:5); name it to switch it"]);
}

#[test]
fn a_killed_layer_is_told_apart() {
    let everywhere = ModeScope { layers: vec![Layer::Rate], ..ModeScope::default() };
    let overlay = set_mode("", &everywhere, Some(Mode::Off)).expect("an overlay");
    let here = ModeScope { site: Some("default".to_owned()), ..everywhere };
    let overlay = set_mode(&overlay, &here, Some(Mode::Enforce)).expect("an overlay");
    let policy = loaded_from(&Sources { overlay: Some(("o.toml", &overlay)), ..of_file(SITE) });
    let left = policy.unswitched(&here, Mode::Enforce);
    assert_eq!(
        left.first().map(ToString::to_string).as_deref(),
        Some(
            "rate stays off on site default (o.toml:6); \
             it is off everywhere: switch `rate` without a site"
        )
    );
}

#[test]
fn a_recording_carries_what_the_flags_said() {
    let cases = [(None, ""), (Some(SITE), ""), (Some(FULL), ""), (Some(FULL), "mode = \"off\"")];
    for (file, overlay) in cases {
        let overlay = format!("version = 1\n{overlay}\n");
        let flags = Flags {
            to: Some("http://10.9.8.7:80".to_owned()),
            mode: Some(Mode::Enforce),
            ..Flags::default()
        };
        let sources = Sources {
            file: file.map(|text| ("palisade.toml", text)),
            overlay: Some(("overlay.toml", &overlay)),
            flags,
        };
        let live = loaded_from(&sources);
        let (file, overlay) = recorded(&sources).expect("texts");
        let replayed =
            loaded_from(&Sources { overlay: Some(("o.toml", &overlay)), ..of_file(&file) });
        for (live, replayed) in live.sites.iter().zip(&replayed.sites) {
            assert_eq!(live.name, replayed.name);
            assert_eq!(live.upstreams.value, replayed.upstreams.value);
            assert_eq!(live.modes.array(), replayed.modes.array());
            for (live, replayed) in live.routes.iter().zip(&replayed.routes) {
                assert_eq!(live.modes.array(), replayed.modes.array());
                assert_eq!(live.limits, replayed.limits);
            }
        }
    }
}

#[test]
fn a_reload_says_what_it_cannot_change() {
    let (old, same) = (loaded(FULL), loaded(FULL));
    assert_eq!(old.set_up().restart_needed(&same), Vec::<String>::new());
    let edited = FULL.replace("workers = 4", "workers = 5").replace("[::]:8443", "[::]:9443");
    let edited = edited.replace("body_bytes = \"10MiB\"", "body_bytes = \"20MiB\"");
    let next = loaded(&edited.replace("header_count = 50", "header_count = 60"));
    assert_eq!(old.set_up().restart_needed(&next), ["server.listen", "server.workers"]);
    assert_eq!(old.version(), same.version());
    assert_ne!(old.version(), next.version());
}

#[test]
fn a_limit_keeps_its_identity_as_long_as_it_is_the_same() {
    let ids = |text: &str| -> Vec<_> {
        loaded(text).sites[0].routes[0].limits.iter().map(|limit| limit.id).collect()
    };
    let before = ids(FULL);
    assert_eq!(before, ids(&FULL.replace("header_count = 50", "header_count = 60")));
    let after = ids(&FULL.replace("\"10/m\"", "\"11/m\""));
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1], after[1]);
    assert_ne!(before[0], before[1]);
}
