//! `[[site]]` and what stands below it: routes, limits, modes.

use std::path::PathBuf;
use std::time::Duration;

use conduct::Per;
use http::HeaderName;
use toml::de::DeValue;
use traffic::{CallerKind, Layer, Mode, Role};

use crate::policy::OnError;
use crate::policy::document::health::{self, SaidHealth};
use crate::policy::document::{DAY, SECOND, body_bytes, file_path, shape};
use crate::policy::error::Show;
use crate::policy::host::HostPattern;
use crate::policy::modes::Said;
use crate::policy::reader::{Entry, Given, Reader, Section, Shape, one_of};
use crate::policy::route::RoutePattern;
use crate::policy::upstream::Upstream;
use crate::policy::value::{self, Rate, Wrong};

const SITES_MAX: usize = 1_000;
const ROUTES_MAX: usize = 10_000;
const HOSTS_MAX: usize = 1_000;
const RATES_MAX: usize = 8;
const UPSTREAMS_MAX: usize = 32;

#[derive(Debug, Default)]
pub(in crate::policy) struct SaidSite {
    /// Where the site begins, for what is missing in it.
    pub(in crate::policy) span: std::ops::Range<usize>,
    pub(in crate::policy) name: Option<Given<String>>,
    pub(in crate::policy) hosts: Option<Given<Vec<Given<HostPattern>>>>,
    pub(in crate::policy) upstreams: Option<Given<Vec<Given<Upstream>>>>,
    /// Whether `upstream` was written, even if it could not be read.
    pub(in crate::policy) names_upstream: bool,
    pub(in crate::policy) retries: Option<Given<u32>>,
    pub(in crate::policy) health: SaidHealth,
    pub(in crate::policy) ca_file: Option<Given<PathBuf>>,
    pub(in crate::policy) connect_timeout: Option<Given<Duration>>,
    pub(in crate::policy) first_byte_timeout: Option<Given<Duration>>,
    pub(in crate::policy) idle_timeout: Option<Given<Duration>>,
    pub(in crate::policy) body_bytes: Option<Given<Option<u64>>>,
    pub(in crate::policy) common_password_header: Option<Given<Option<HeaderName>>>,
    pub(in crate::policy) modes: Said,
    pub(in crate::policy) routes: Vec<SaidRoute>,
}

#[derive(Debug)]
pub(in crate::policy) struct SaidRoute {
    pub(in crate::policy) pattern: Given<RoutePattern>,
    pub(in crate::policy) label: Option<Given<Role>>,
    pub(in crate::policy) decoy: Option<Given<bool>>,
    pub(in crate::policy) rates: Vec<Given<SaidRate>>,
    pub(in crate::policy) on_error: Option<Given<OnError>>,
    pub(in crate::policy) modes: Said,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::policy) struct SaidRate {
    pub(in crate::policy) per: Per,
    pub(in crate::policy) rate: Rate,
    pub(in crate::policy) burst: u32,
    pub(in crate::policy) of: Option<CallerKind>,
}

pub(super) fn read_all<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Vec<SaidSite> {
    let key_span = entry.key_span.clone();
    let sections = entry.tables(reader, &shape::SITE);
    if sections.len() > SITES_MAX {
        let cause = format!("more than {SITES_MAX} sites");
        reader.error(key_span, Wrong { cause, help: String::new() });
        return Vec::new();
    }
    sections.into_iter().map(|keys| read_site(keys, reader)).collect()
}

fn read_site<'t>(mut keys: Section<'t>, reader: &mut Reader<'t>) -> SaidSite {
    let timeout = SECOND / 1_000..=DAY;
    let upstream = keys.take("upstream");
    let mut site = SaidSite {
        span: keys.span.clone(),
        name: keys.take("name").and_then(|e| e.text(reader, "\"shop-api\"", site_name)),
        hosts: keys.take("hosts").and_then(|entry| hosts(entry, reader)),
        names_upstream: upstream.is_some(),
        upstreams: upstream.and_then(|entry| upstreams(entry, reader)),
        retries: keys.take("retries").and_then(|entry| entry.integer(reader, 0..=5)),
        health: keys.take("health").and_then(|e| health::read(e, reader)).unwrap_or_default(),
        ca_file: keys.take("ca_file").and_then(|e| e.text(reader, "\"ca.pem\"", file_path)),
        connect_timeout: keys
            .take("connect_timeout")
            .and_then(|entry| entry.duration(reader, timeout.clone())),
        first_byte_timeout: keys
            .take("first_byte_timeout")
            .and_then(|entry| entry.duration(reader, timeout.clone())),
        idle_timeout: keys.take("idle_timeout").and_then(|e| e.duration(reader, timeout)),
        body_bytes: keys.take("body_bytes").and_then(|entry| body_bytes(entry, reader)),
        common_password_header: keys
            .take("common_password_header")
            .and_then(|e| e.text(reader, "\"x-common-password\"", own_header)),
        modes: Said {
            mode: keys.take("mode").and_then(|entry| read_mode(entry, reader)),
            layers: keys
                .take("protect")
                .map(|entry| read_protect(entry, reader, &shape::PROTECT))
                .unwrap_or_default(),
        },
        routes: keys.take("route").map(|entry| routes(entry, reader)).unwrap_or_default(),
    };
    // One of the keys that are not known may have been meant.
    site.names_upstream |= keys.has_more();
    reader.finish(keys);
    site
}

/// A header that says something of the request to the upstream, or `off`. Only names that begin
/// with `x-` are free: of all others, what callers write themselves would be lost.
fn own_header(text: &str) -> Result<Option<HeaderName>, Wrong> {
    let wrong = |cause: &str| Wrong {
        cause: format!("{text:?} {cause}"),
        help: "write a name such as \"x-common-password\", or \"off\"".to_owned(),
    };
    if matches!(text, "off" | "none" | "") {
        return Ok(None);
    }
    let name = text.parse::<HeaderName>().map_err(|_| wrong("is not the name of a header"))?;
    // The gateway's own, and those of the protocol, all have such names.
    let is_free = name.as_str().starts_with("x-")
        && !["x-forwarded", "x-real", "x-request", "x-palisade"]
            .iter()
            .any(|taken| name.as_str().starts_with(taken));
    if is_free { Ok(Some(name)) } else { Err(wrong("is not free to be used")) }
}

/// A mode, as a word.
pub(in crate::policy) fn read_mode<'t>(
    entry: Entry<'t>,
    reader: &mut Reader<'t>,
) -> Option<(Mode, crate::policy::Provenance)> {
    entry.word(reader, &shape::MODES).map(|given| (given.value, given.from))
}

/// A table of layers and their modes.
pub(in crate::policy) fn read_protect<'t>(
    entry: Entry<'t>,
    reader: &mut Reader<'t>,
    shape: &'static Shape,
) -> Vec<(Layer, Mode, crate::policy::Provenance)> {
    let Some(mut keys) = entry.table(reader, shape) else {
        return Vec::new();
    };
    let mut layers = Vec::new();
    for layer in Layer::ALL {
        let Some(entry) = keys.take(layer.key()) else {
            continue;
        };
        let span = entry.key_span.clone();
        if let Some((mode, from)) = read_mode(entry, reader) {
            if mode != Mode::Off && !layer.has_detector() {
                let cause = format!("the layer `{layer}` has no detector in this version");
                reader.warn(&span, cause, "the line has no effect yet; its key is reserved");
            }
            layers.push((layer, mode, from));
        }
    }
    reader.finish(keys);
    layers
}

fn site_name(text: &str) -> Result<String, Wrong> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match !text.is_empty() && text.len() <= 64 && text.chars().all(plain) {
        true => Ok(text.to_owned()),
        false => Err(Wrong {
            cause: format!("{text:?} is no name for a site"),
            help: "use up to 64 letters, digits, `-`, `_` and `.`".to_owned(),
        }),
    }
}

fn hosts<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<Vec<Given<HostPattern>>>> {
    let mut given = entry.given(reader, Vec::new());
    let items = entry.items();
    if items.is_empty() || items.len() > HOSTS_MAX {
        let cause = format!("`hosts` has {} names", items.len());
        let help = "write the names callers use, or [\"*\"] for all".to_owned();
        reader.error(given.span, Wrong { cause, help });
        return None;
    }
    given.value = items
        .into_iter()
        .filter_map(|item| item.text(reader, "\"api.example.com\"", HostPattern::parse))
        .collect();
    Some(given)
}

fn upstreams<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<Vec<Given<Upstream>>>> {
    let mut given = entry.given(reader, Vec::new());
    let items = entry.items();
    if items.is_empty() {
        let help = "write the URL of your API, as in \"http://localhost:3000\"".to_owned();
        reader.error(given.span, Wrong { cause: "`upstream` is empty".to_owned(), help });
        return None;
    }
    if items.len() > UPSTREAMS_MAX {
        let cause = format!("`upstream` has {} URLs", items.len());
        let help = format!("write up to {UPSTREAMS_MAX}, or a balancer's URL before them");
        reader.error(given.span, Wrong { cause, help });
        return None;
    }
    for item in items {
        let Some(upstream) = one_upstream(item, reader) else { continue };
        if given.value.iter().any(|other: &Given<Upstream>| other.value == upstream.value) {
            let cause = format!("`upstream` names {} twice", upstream.value);
            let help = "leave one out: each gets the share that it can carry".to_owned();
            reader.error(upstream.span, Wrong { cause, help });
            continue;
        }
        given.value.push(upstream);
    }
    Some(given).filter(|given| !given.value.is_empty())
}

fn one_upstream<'t>(item: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<Upstream>> {
    // A URL with credentials in it is refused without being shown.
    if let DeValue::String(text) = &item.value
        && text.contains('@')
    {
        let cause = "`upstream` carries credentials".to_owned();
        let help = "leave out what stands before the @: requests bring their own".to_owned();
        reader.error_showing(Show::Nothing, item.span, Wrong { cause, help });
        return None;
    }
    item.text(reader, "\"http://localhost:3000\"", Upstream::parse)
}

fn routes<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Vec<SaidRoute> {
    let key_span = entry.key_span.clone();
    let sections = entry.tables(reader, &shape::ROUTE);
    if sections.len() > ROUTES_MAX {
        let cause = format!("more than {ROUTES_MAX} routes");
        reader.error(key_span, Wrong { cause, help: String::new() });
        return Vec::new();
    }
    sections.into_iter().filter_map(|keys| route(keys, reader)).collect()
}

/// A role by its word. Words that many use for one of them are told apart from mere slips.
fn label<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<Role>> {
    let words = Role::ALL.map(|role| (role.key(), role));
    entry.text(reader, "\"login\"", |text| {
        let plain = text.to_ascii_lowercase().replace(['-', '_', ' '], "");
        let meant = match plain.as_str() {
            "signin" | "logon" | "authenticate" | "authentication" | "auth" => Some(Role::Login),
            "signout" | "logoff" => Some(Role::Logout),
            "register" | "registration" => Some(Role::Signup),
            "reset" | "passwordreset" | "forgotpassword" => Some(Role::ResetRequest),
            "otp" | "mfa" | "2fa" | "verify" => Some(Role::OtpVerify),
            "payment" | "pay" | "order" | "purchase" => Some(Role::Checkout),
            "voucher" | "coupon" | "giftcard" => Some(Role::Redeem),
            _ => None,
        };
        one_of("label", text, &words).map_err(|wrong| match meant {
            Some(role) => Wrong { help: format!("write \"{}\"", role.key()), ..wrong },
            None => wrong,
        })
    })
}

fn route<'t>(mut keys: Section<'t>, reader: &mut Reader<'t>) -> Option<SaidRoute> {
    let pattern = keys.take("match");
    if pattern.is_none() {
        let cause = "the route has no `match`".to_owned();
        let help = "write match = \"POST /v1/login\"".to_owned();
        reader.error(keys.span.clone(), Wrong { cause, help });
    }
    let pattern = pattern.and_then(|e| e.text(reader, "\"POST /v1/login\"", RoutePattern::parse));
    let label = keys.take("label").and_then(|entry| label(entry, reader));
    let decoy = keys.take("decoy").and_then(|entry| entry.truth(reader));
    let mode = keys.take("mode").and_then(|entry| read_mode(entry, reader));
    let rates = keys.take("rate").map(|entry| rates(entry, reader)).unwrap_or_default();
    let on_error = keys.take("on_error").and_then(|e| e.word(reader, &shape::ON_ERROR));
    let protect = keys.take("protect");
    let layers = protect.map(|entry| read_protect(entry, reader, &shape::ROUTE_PROTECT));
    reader.finish(keys);
    let modes = Said { mode, layers: layers.unwrap_or_default() };
    Some(SaidRoute { pattern: pattern?, label, decoy, rates, on_error, modes })
}

fn rates<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Vec<Given<SaidRate>> {
    let span = entry.span.clone();
    // Most routes have one limit: `rate = { … }` reads as well as `rate = [{ … }]`.
    let items = entry.items();
    if items.len() > RATES_MAX {
        let cause = format!("`rate` has {} limits", items.len());
        reader.error(span, Wrong { cause, help: format!("write up to {RATES_MAX}") });
        return Vec::new();
    }
    items.into_iter().filter_map(|item| one_rate(item, reader)).collect()
}

fn one_rate<'t>(item: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<SaidRate>> {
    let example = "{ per = \"source\", limit = \"10/m\" }";
    if let DeValue::String(text) = &item.value {
        let help = format!("say whom it is for: {{ per = \"source\", limit = \"{text}\" }}");
        item.mistyped(reader, "a table", help);
        return None;
    }
    let given = item.given(reader, ());
    let mut keys = item.table(reader, &shape::RATE)?;
    let (per, limit) = (keys.take("per"), keys.take("limit"));
    for (taken, what) in [(&per, "per"), (&limit, "limit")] {
        if taken.is_none() {
            let cause = format!("a rate has no `{what}`");
            reader.error(given.span.clone(), Wrong { cause, help: format!("write {example}") });
        }
    }
    let per = per.and_then(|entry| per_whom(entry, reader));
    let limit = limit.and_then(|entry| entry.text(reader, "\"10/m\"", value::rate));
    let burst = keys.take("burst").map(|entry| entry.integer(reader, 1..=1_000_000));
    let of = keys.take("of").map(|entry| entry.word(reader, &shape::OF));
    reader.finish(keys);
    let (per, rate) = (per?.value, limit?.value);
    let of = match of {
        Some(of) => Some(of?.value),
        None => None,
    };
    let burst = match burst {
        Some(burst) => burst?.value,
        None => rate.amount,
    };
    Some(Given { value: SaidRate { per, rate, burst, of }, span: given.span, from: given.from })
}

/// Whom a limit counts by, as the file writes it.
pub(in crate::policy) fn shown_per(per: Per) -> &'static str {
    shape::PER.iter().find(|(_, known)| *known == per).map_or("", |(word, _)| word)
}

fn per_whom<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<Given<Per>> {
    entry.text(reader, "\"source\"", |text| {
        one_of("per", text, &shape::PER).map_err(|wrong| match text {
            "client" | "ip" | "address" => Wrong { help: "write \"source\"".to_owned(), ..wrong },
            "user" | "key" => Wrong { help: "write \"principal\"".to_owned(), ..wrong },
            _ => wrong,
        })
    })
}
